//! How many points have which value.

use std::collections::BTreeMap;
use std::time::Duration;

use vdb_index::postings::{Key, PostingsFile};
use vdb_index::{RowBits, RowFilter};
use vdb_storage::payload::{ObjectRef, ValueRef};

use crate::error::{Error, Result, within};
use crate::filter::{CompiledFilter, Filter, PayloadPath, any_value};
use crate::limits::MAX_LIMIT;
use crate::payload::PayloadIndexKind;
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::query::rows::SegmentRows;
use crate::segment::Segment;
use crate::setters::setters;
use crate::tables::View;

/// What an entry of the table of counts takes beside its value, about.
const ENTRY: usize = 96;

/// Where fewer rows than one in so many entries of an index match, their payloads are read instead.
const FEW: u64 = 8;

/// Which values are counted.
///
/// With an index for strings, integers or booleans on the path, only values of its kind count, and segments are counted from
/// it. Otherwise every payload that matches is read.
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
}

impl From<&str> for FacetValue {
    fn from(text: &str) -> Self {
        FacetValue::String(text.to_owned())
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

/// What a value takes in memory with its count, about.
fn bytes_of(value: &FacetValue) -> usize {
    ENTRY + value.heap()
}

struct Counts<'a> {
    counts: BTreeMap<FacetValue, u64>,
    /// The only kind of values that counts.
    kind: Option<PayloadIndexKind>,
    path: PayloadPath,
    allowance: &'a Allowance<'a>,
}

impl Counts<'_> {
    fn add(&mut self, value: FacetValue, count: u64) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        if let Some(counted) = self.counts.get_mut(&value) {
            *counted += count;
            return Ok(());
        }
        self.allowance.take(bytes_of(&value))?;
        self.counts.insert(value, count);
        Ok(())
    }

    /// Counts what one point has.
    fn point(&mut self, payload: &[u8]) -> Result<()> {
        self.allowance.beat()?;
        let mut values: Vec<FacetValue> = Vec::new();
        any_value(
            ObjectRef::from_payload(payload)?,
            self.path.steps(),
            &mut |value| {
                let counts = |value: &FacetValue| self.kind.is_none_or(|only| only == value.kind());
                values.extend(FacetValue::read(value).filter(counts));
                Ok(false)
            },
        )?;
        values.sort_unstable();
        values.dedup();
        values.into_iter().try_for_each(|value| {
            self.allowance.beat()?;
            self.add(value, 1)
        })
    }

    /// What an index has of the rows that match, counted with the memory of the answer; `None` where it turns out damaged.
    fn indexed(
        &self,
        index: &PostingsFile,
        matching: Option<&RowBits>,
    ) -> Result<Option<Vec<(FacetValue, u64)>>> {
        let mut counted = Vec::new();
        for number in 0..index.keys() {
            self.allowance.beat()?;
            let Ok((key, rows)) = index.entry(number) else {
                self.allowance
                    .give(counted.iter().map(|(value, _)| bytes_of(value)).sum());
                return Ok(None);
            };
            let count = match matching {
                None => rows.len(),
                Some(matching) => rows.iter().filter(|&row| matching.contains(row)).count() as u64,
            };
            if count == 0 {
                continue;
            }
            let value = match key {
                Key::Term(text) => FacetValue::String(text.to_owned()),
                Key::Integer(number) => FacetValue::Integer(number),
                Key::Bool(truth) => FacetValue::Bool(truth),
                // Not of the kinds that are counted from.
                Key::Float(_) | Key::Datetime(_) | Key::Uuid(_) | Key::Cell(_) => continue,
            };
            self.allowance.take(bytes_of(&value))?;
            counted.push((value, count));
        }
        Ok(Some(counted))
    }
}

/// Counts a segment.
fn in_segment(
    view: &View,
    segment: &Segment,
    index: Option<u16>,
    filter: Option<&CompiledFilter>,
    counts: &mut Counts<'_>,
) -> Result<()> {
    let horizon = Horizon::At(view.lsn);
    let allowance = counts.allowance;
    let rows = SegmentRows::new(&view.tables.schema, segment, horizon, filter, allowance)?;
    if let Some(index) = index.and_then(|number| segment.index(number)) {
        let matching = if rows.is_all() {
            None
        } else {
            let mut bits = RowBits::empty(segment.rows());
            rows.each(|row| {
                bits.insert(row);
                Ok(())
            })?;
            Some(bits)
        };
        let matches = matching.as_ref().map_or(u64::MAX, RowBits::count);
        if matches >= index.entries() / FEW {
            if let Some(counted) = counts.indexed(index, matching.as_ref())? {
                for (value, count) in counted {
                    // From the one list to the other.
                    allowance.give(bytes_of(&value));
                    counts.add(value, count)?;
                }
                return Ok(());
            }
            // An index is derived data: without it the answer takes longer and is the same.
            segment.set_index_damaged();
        }
    }
    rows.each(|row| counts.point(segment.payload.get(row)?))
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
            PayloadIndexKind::Keyword | PayloadIndexKind::Integer | PayloadIndexKind::Bool
        )
    };
    let indexes = view.tables.schema.payload_indexes.iter();
    let index = indexes
        .filter(|index| index.path == text && countable(index.params.kind))
        .map(|index| (index.number, index.params.kind))
        .next();
    let mut counts = Counts {
        counts: BTreeMap::new(),
        kind: index.map(|(_, kind)| kind),
        path,
        allowance,
    };
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
        .counts
        .into_iter()
        .map(|(value, count)| FacetHit { value, count })
        .collect();
    // Values of one count stay in their order.
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.count));
    hits.truncate(request.limit);
    Ok(hits)
}
