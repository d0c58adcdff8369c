//! Points as a user writes and reads them.

mod vector;

pub use vdb_storage::PointId;

use crate::error::{Error, Result};
use crate::filter::Datetime;
use crate::payload::PayloadSelector;

pub use vector::{SparseVector, Vector, Vectors};

/// A JSON object.
pub type Payload = serde_json::Map<String, serde_json::Value>;

/// A point to write: id, vectors, payload.
///
/// ```
/// use vdb::Point;
/// let point = Point::new(7, vec![0.1, 0.9]).payload(serde_json::json!({"word": "owl"}))?;
/// assert_eq!(point.payload["word"], "owl");
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// A number or a UUID.
    pub id: PointId,
    /// Vectors by name; those not given are absent from the point.
    pub vectors: Vectors,
    /// A JSON object.
    pub payload: Payload,
}

impl Point {
    /// A point without payload.
    pub fn new(id: impl Into<PointId>, vectors: impl Into<Vectors>) -> Self {
        Point {
            id: id.into(),
            vectors: vectors.into(),
            payload: Payload::new(),
        }
    }

    /// Sets the payload from a JSON object.
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn payload(mut self, payload: serde_json::Value) -> Result<Self> {
        self.payload = object(payload)?;
        Ok(self)
    }
}

/// The object inside a JSON value, for payload arguments.
pub(crate) fn object(value: serde_json::Value) -> Result<Payload> {
    match value {
        serde_json::Value::Object(map) => Ok(map),
        serde_json::Value::Null => Ok(Payload::new()),
        other @ (serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_)
        | serde_json::Value::Array(_)) => Err(Error::InvalidRequest(format!(
            "a payload must be a JSON object, got {other}"
        ))),
    }
}

/// A stored point as read back.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The point's id.
    pub id: PointId,
    /// Sequence number of the last operation that touched the point.
    pub version: u64,
    /// The payload, when asked for.
    pub payload: Option<Payload>,
    /// The vectors, when asked for; only those that the point has.
    pub vectors: Option<Vectors>,
}

/// A payload value that points are ordered by. Numbers are compared as numbers, whatever their type, integers beyond `i64` as
/// the nearest `f64`; they come before
/// datetimes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrderValue {
    /// An integer.
    Integer(i64),
    /// Any other number but NaN.
    Float(f64),
    /// A point in time.
    Datetime(Datetime),
}

/// A search hit.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPoint {
    /// The point's id.
    pub id: PointId,
    /// Sequence number of the last operation that touched the point.
    pub version: u64,
    /// Similarity (Cosine, Dot: larger is nearer) or distance (Euclid, Manhattan: smaller is nearer) for a search; for
    /// other queries what [`Query`](crate::Query) says.
    pub score: f32,
    /// The value that the point was put in its place by, for [`Query::OrderBy`](crate::Query::OrderBy).
    pub order: Option<OrderValue>,
    /// The payload, when asked for.
    pub payload: Option<Payload>,
    /// The vectors, when asked for; only those that the point has.
    pub vectors: Option<Vectors>,
}

/// Which vectors come back with a point.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum VectorSelector {
    /// None.
    #[default]
    None,
    /// All that the point has.
    All,
    /// Those of the list that the point has.
    Names(Vec<String>),
}

impl From<bool> for VectorSelector {
    fn from(all: bool) -> Self {
        if all {
            VectorSelector::All
        } else {
            VectorSelector::None
        }
    }
}

/// What comes back with a point besides its id and version.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{PayloadPath, PayloadSelector, Select};
/// # let db = Database::builder().open_in_memory()?;
/// # let birds = db.create_collection("birds", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// # let payload = serde_json::json!({"name": "owl", "night": true});
/// # birds.upsert(vec![Point::new(1, [0.5, 0.5]).payload(payload)?])?;
/// let name = PayloadPath::parse("name")?;
/// let select = Select { payload: PayloadSelector::Include(vec![name]), ..Select::default() };
/// let found = birds.get(&[1.into()], &select)?;
/// assert_eq!(serde_json::json!(found[0].payload), serde_json::json!({"name": "owl"}));
/// assert_eq!(found[0].vectors, None);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    /// Which part of the payload.
    pub payload: PayloadSelector,
    /// Which vectors.
    pub vectors: VectorSelector,
}

impl Select {
    /// Payload and vectors.
    pub fn all() -> Self {
        Select {
            payload: PayloadSelector::All,
            vectors: VectorSelector::All,
        }
    }

    /// The whole payload, no vectors.
    pub fn payload() -> Self {
        Select {
            payload: PayloadSelector::All,
            vectors: VectorSelector::None,
        }
    }
}

impl From<bool> for PayloadSelector {
    fn from(all: bool) -> Self {
        if all {
            PayloadSelector::All
        } else {
            PayloadSelector::None
        }
    }
}
