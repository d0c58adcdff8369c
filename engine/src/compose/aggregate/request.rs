//! What is asked of values, and what they come to.

use std::time::Duration;

use serde_json::Value;

use crate::compose::facet::FacetValue;
use crate::compose::value::ValueKind;
use crate::filter::Filter;
use crate::setters::setters;

/// Which values are summed up, and how.
///
/// Every value of a point counts, also one that it has twice. Payloads are read of the points that match; with an index on the
/// path, and a kind of numbers or datetimes, only of those that have a value there.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{AggregateRequest, Sum};
/// # let db = Database::builder().open_in_memory()?;
/// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// # let sold = |id: u64| Point::new(id, [1.0]).payload(serde_json::json!({"shop": format!("s{}", id % 2), "price": id}));
/// # c.upsert((0..5).map(sold).collect::<Result<_, _>>()?)?;
/// let answer = c.aggregate(&AggregateRequest::new("price").group_by("shop"))?;
/// assert_eq!((answer.total.values, answer.total.sum), (5, Some(Sum::Integer(10))));
/// let first = &answer.groups[0];
/// assert_eq!((&first.value, first.aggregates.avg), (&"s0".into(), Some(2.0)));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateRequest {
    /// The payload path.
    pub path: String,
    /// Which values count.
    pub kind: ValueKind,
    /// Whether values that differ are counted: exactly, which takes memory for each of them.
    pub distinct: bool,
    /// How values are spread; none by default.
    pub histogram: Option<Histogram>,
    /// The payload path whose strings, integers within `i64` and booleans make groups; a point with several is in several.
    pub group_by: Option<String>,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// Most groups: 1 to [`MAX_LIMIT`](crate::MAX_LIMIT).
    pub limit: usize,
    /// How long it may take, else [`Error::Timeout`](crate::Error::Timeout); as the database says by default.
    pub timeout: Option<Duration>,
}

impl AggregateRequest {
    /// Of the numbers at a path, in all points.
    pub fn new(path: impl Into<String>) -> Self {
        AggregateRequest {
            path: path.into(),
            kind: ValueKind::Numbers,
            distinct: false,
            histogram: None,
            group_by: None,
            filter: None,
            limit: 10,
            timeout: None,
        }
    }

    setters! {
        /// Only values of this kind count.
        kind(ValueKind);
        /// Says how values are spread, too.
        histogram(some Histogram);
        /// Of each value of another path, too.
        group_by(some into String);
        /// Only points that match.
        filter(some Filter);
        /// Most groups.
        limit(usize);
        /// How long it may take.
        timeout(some Duration);
    }

    /// Counts values that differ, too.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.distinct = true;
        self
    }
}

/// The buckets of a histogram: numbers, or datetimes in seconds since 1970 UTC, to the microsecond. A bucket takes what is at
/// its lower edge and not what is at its upper one.
#[derive(Clone, Debug, PartialEq)]
pub enum Histogram {
    /// Buckets of one width. Those without values are left out.
    Width {
        /// From edge to edge, above 0.
        width: f64,
        /// Where one of the edges is.
        offset: f64,
    },
    /// Buckets between these edges, which ascend: 2 to [`MAX_BUCKETS`](crate::MAX_BUCKETS) + 1. Values beyond the first and the last are not
    /// counted.
    Edges(Vec<f64>),
}

/// Values between two edges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower edge; what is at it counts.
    pub from: f64,
    /// The upper edge; what is at it does not.
    pub to: f64,
    /// Values between them.
    pub count: u64,
}

/// A sum of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sum {
    /// Of integers, and floats that are whole and within `u64` and `i64`: exact.
    Integer(i128),
    /// Where there were other floats: of all numbers, rounded once, whatever their order. Infinite when beyond `f64`.
    Float(f64),
}

impl Sum {
    /// The nearest float.
    pub fn to_f64(self) -> f64 {
        match self {
            Sum::Integer(integer) => integer as f64,
            Sum::Float(float) => float,
        }
    }
}

/// What values come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregates {
    /// Points with a value.
    pub points: u64,
    /// Values.
    pub values: u64,
    /// The least, in the order of [`ValueKind`]; datetimes in UTC.
    pub min: Option<Value>,
    /// The greatest.
    pub max: Option<Value>,
    /// The sum of the numbers among them, if there are any.
    pub sum: Option<Sum>,
    /// That sum by their number.
    pub avg: Option<f64>,
    /// Values that differ, if asked for. 2 and 2.0 are one value.
    pub distinct: Option<u64>,
    /// How they are spread, if asked for; ascending.
    pub histogram: Option<Vec<Bucket>>,
}

/// A group of points.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateGroup {
    /// What they have in common.
    pub value: FacetValue,
    /// What their values come to.
    pub aggregates: Aggregates,
}

/// The answer to an [`AggregateRequest`].
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateAnswer {
    /// Of all points that match.
    pub total: Aggregates,
    /// Of the groups with the most points, if asked for; equally large ones in the order of their values.
    pub groups: Vec<AggregateGroup>,
}
