//! How many points have which value.

mod count;

use std::time::Duration;

use uuid::Uuid;
use vdb_storage::payload::ValueRef;

use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, Filter, PayloadPath};
use crate::limits::MAX_LIMIT;
use crate::payload::PayloadIndexKind;
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::setters::setters;
use crate::tables::View;

use count::{Counts, in_segment};

/// Which values are counted.
///
/// With an index for strings, integers, booleans or UUIDs on the path, only values of its kind count, and segments are counted from
/// it; UUIDs are told with hyphens, in small letters, however they are spelled. Otherwise every payload that matches is read.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// use vdb::{FacetRequest, FacetValue};
/// # let db = Database::builder().open_in_memory()?;
/// # let words = db.create_collection("words", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
/// # let pos = |id: u64| if id % 2 == 0 { "noun" } else { "verb" };
/// # let word = |id: u64| Point::new(id, [1.0]).payload(serde_json::json!({"pos": pos(id)}));
/// # words.upsert((0..5).map(word).collect::<Result<_, _>>()?)?;
/// let counts = words.facet(&FacetRequest::new("pos"))?;
/// assert_eq!((&counts[0].value, counts[0].count), (&FacetValue::String("noun".into()), 3));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FacetRequest {
    /// The payload path. Strings, integers within `i64` and booleans count, each once a point; larger integers do not.
    pub path: String,
    /// Only points that match.
    pub filter: Option<Filter>,
    /// Most values: 1 to [`MAX_LIMIT`].
    pub limit: usize,
    /// How long it may take, else [`Error::Timeout`]; as the database says by default.
    pub timeout: Option<Duration>,
}

impl FacetRequest {
    /// The ten most frequent values of all points.
    pub fn new(path: impl Into<String>) -> Self {
        FacetRequest {
            path: path.into(),
            filter: None,
            limit: 10,
            timeout: None,
        }
    }

    setters! {
        /// Only points that match.
        filter(some Filter);
        /// Most values.
        limit(usize);
        /// How long it may take.
        timeout(some Duration);
    }
}

/// A value that is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FacetValue {
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A string.
    String(String),
}

/// A value, and how many points have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetHit {
    /// The value.
    pub value: FacetValue,
    /// Points that have it.
    pub count: u64,
}

impl FacetValue {
    /// A stored value, if it is one that counts.
    pub(super) fn read(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Str(text) => Some(FacetValue::String(text.to_owned())),
            ValueRef::I64(number) => Some(FacetValue::Integer(number)),
            ValueRef::Bool(truth) => Some(FacetValue::Bool(truth)),
            ValueRef::U64(_)
            | ValueRef::F64(_)
            | ValueRef::Null
            | ValueRef::Array(_)
            | ValueRef::Object(_) => None,
        }
    }

    /// The kind of index that it is in.
    fn kind(&self) -> PayloadIndexKind {
        match self {
            FacetValue::String(_) => PayloadIndexKind::Keyword,
            FacetValue::Integer(_) => PayloadIndexKind::Integer,
            FacetValue::Bool(_) => PayloadIndexKind::Bool,
        }
    }

    /// Bytes beside the value itself.
    pub(super) fn heap(&self) -> usize {
        match self {
            FacetValue::String(text) => text.len(),
            FacetValue::Integer(_) | FacetValue::Bool(_) => 0,
        }
    }

    /// The value with these bytes.
    pub(super) fn with_heap(self) -> (Self, usize) {
        let heap = self.heap();
        (self, heap)
    }
}

impl From<&str> for FacetValue {
    fn from(text: &str) -> Self {
        FacetValue::String(text.to_owned())
    }
}

impl From<Uuid> for FacetValue {
    fn from(uuid: Uuid) -> Self {
        FacetValue::String(uuid.hyphenated().to_string())
    }
}

impl From<i64> for FacetValue {
    fn from(number: i64) -> Self {
        FacetValue::Integer(number)
    }
}

impl From<bool> for FacetValue {
    fn from(truth: bool) -> Self {
        FacetValue::Bool(truth)
    }
}

pub(crate) fn facet(view: &View, request: &FacetRequest, allowance: &Allowance<'_>) -> Result<Vec<FacetHit>> {
    if request.limit == 0 {
        return Err(Error::InvalidRequest(
            "the limit of a facet must be at least 1".into(),
        ));
    }
    within("limit of a facet", MAX_LIMIT, request.limit)?;
    let path = PayloadPath::parse(&request.path)?;
    let text = path.to_string();
    let filter = request.filter.as_ref();
    let filter = filter.map(|filter| CompiledFilter::new(filter, &*view.tables.schema));
    let filter = filter.transpose()?;
    let filter = filter.as_ref().filter(|filter| !filter.is_unconditional());
    allowance.check()?;
    let countable = |kind| {
        matches!(
            kind,
            PayloadIndexKind::Keyword
                | PayloadIndexKind::Integer
                | PayloadIndexKind::Bool
                | PayloadIndexKind::Uuid
        )
    };
    let indexes = view.tables.schema.payload_indexes.iter();
    let index = indexes
        .filter(|index| index.path == text && countable(index.params.kind))
        .map(|index| (index.number, index.params.kind))
        .next();
    let mut counts = Counts::new(index.map(|(_, kind)| kind), path, allowance);
    let horizon = Horizon::At(view.lsn);
    matching::each_in_memory(view, horizon, filter, allowance, |_, row| {
        counts.point(&row.payload)
    })?;
    for segment in &view.tables.segments {
        allowance.check()?;
        in_segment(
            view,
            segment,
            index.map(|(number, _)| number),
            filter,
            &mut counts,
        )?;
    }
    let mut hits: Vec<FacetHit> = counts
        .into_counts()
        .map(|(value, count)| FacetHit { value, count })
        .collect();
    // Values of one count stay in their order.
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.count));
    hits.truncate(request.limit);
    Ok(hits)
}
