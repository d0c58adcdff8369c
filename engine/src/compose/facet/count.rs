//! Counting values: of points by their payloads, of segments by an index.

use std::collections::BTreeMap;

use uuid::Uuid;
use vdb_index::postings::{Class, Key, PostingsFile};
use vdb_index::{RowBits, RowFilter, RowSet};
use vdb_storage::payload::{ObjectRef, ValueRef};

use super::FacetValue;
use crate::compose::value::Gathered;
use crate::error::Result;
use crate::filter::{CompiledFilter, PayloadPath};
use crate::payload::PayloadIndexKind;
use crate::query::allowance::Allowance;
use crate::query::matching::Horizon;
use crate::query::rows::SegmentRows;
use crate::segment::Segment;
use crate::tables::View;

/// What an entry of the table of counts takes beside its value, about.
const ENTRY: usize = 96;

/// Where fewer rows than one in so many entries of an index match, their payloads are read instead.
const FEW: u64 = 8;

/// What a value takes in memory with its count, about.
fn bytes_of(value: &FacetValue) -> usize {
    ENTRY + value.heap()
}

/// How many points have which value, as far as they were looked at.
pub(super) struct Counts<'a> {
    counts: BTreeMap<FacetValue, u64>,
    /// The only kind of values that counts.
    kind: Option<PayloadIndexKind>,
    path: PayloadPath,
    allowance: &'a Allowance<'a>,
}

impl<'a> Counts<'a> {
    /// Of values of this kind only, if one is said.
    pub(super) fn new(
        kind: Option<PayloadIndexKind>,
        path: PayloadPath,
        allowance: &'a Allowance<'a>,
    ) -> Self {
        Counts {
            counts: BTreeMap::new(),
            kind,
            path,
            allowance,
        }
    }

    /// The values in their order.
    pub(super) fn into_counts(self) -> impl Iterator<Item = (FacetValue, u64)> {
        self.counts.into_iter()
    }

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

    /// A stored value as it is counted, if it is.
    fn read(&self, value: ValueRef<'_>) -> Option<FacetValue> {
        match (self.kind, FacetValue::read(value)?) {
            (Some(PayloadIndexKind::Uuid), FacetValue::String(text)) => {
                Uuid::try_parse(&text).ok().map(FacetValue::from)
            }
            (None, value) => Some(value),
            (Some(only), value) => (only == value.kind()).then_some(value),
        }
    }

    /// Counts what one point has.
    pub(super) fn point(&mut self, payload: &[u8]) -> Result<()> {
        let payload = ObjectRef::from_payload(payload)?;
        let mut gathered = Gathered::read(payload, &self.path, self.allowance, |value| {
            self.read(value).map(FacetValue::with_heap)
        })?;
        let values = gathered.values();
        values.sort_unstable();
        values.dedup();
        values.drain(..).try_for_each(|value| {
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
                Key::Uuid(bytes) => Uuid::from_bytes(bytes).into(),
                // Not of the kinds that are counted from.
                Key::Float(_) | Key::Datetime(_) | Key::Cell(_) => continue,
            };
            self.allowance.take(bytes_of(&value))?;
            counted.push((value, count));
        }
        Ok(Some(counted))
    }
}

/// Counts the rows of a segment from an index, and of a UUID index those with other values from their payloads: they may have UUIDs
/// in a spelling that it leaves out. False, and nothing counted, where so few match that reading them all takes less, or the
/// index turns out damaged.
fn by_index(
    segment: &Segment,
    rows: &SegmentRows<'_>,
    index: &PostingsFile,
    counts: &mut Counts<'_>,
) -> Result<bool> {
    let foreign = if index.kind() == PayloadIndexKind::Uuid {
        index.class(Class::Foreign)
    } else {
        Ok(RowSet::new())
    };
    let Ok(foreign) = foreign else {
        segment.set_index_damaged();
        return Ok(false);
    };
    let mut apart = RowBits::empty(0);
    let matching = if rows.is_all() && foreign.is_empty() {
        None
    } else {
        let mut matching = RowBits::empty(segment.rows());
        apart = matching.clone();
        rows.each(|row| {
            if foreign.contains(row) {
                apart.insert(row);
            } else {
                matching.insert(row);
            }
            Ok(())
        })?;
        Some(matching)
    };
    let matches = matching.as_ref().map_or(u64::MAX, RowBits::count);
    if matches < index.entries() / FEW {
        return Ok(false);
    }
    let Some(counted) = counts.indexed(index, matching.as_ref())? else {
        // An index is derived data: without it the answer takes longer and is the same.
        segment.set_index_damaged();
        return Ok(false);
    };
    for (value, count) in counted {
        // From the one list to the other.
        counts.allowance.give(bytes_of(&value));
        counts.add(value, count)?;
    }
    for row in apart.iter() {
        counts.point(segment.payload.get(row)?)?;
    }
    Ok(true)
}

/// Counts a segment.
pub(super) fn in_segment(
    view: &View,
    segment: &Segment,
    index: Option<u16>,
    filter: Option<&CompiledFilter>,
    counts: &mut Counts<'_>,
) -> Result<()> {
    let horizon = Horizon::At(view.lsn);
    let allowance = counts.allowance;
    let rows = SegmentRows::new(&view.tables.schema, segment, horizon, filter, allowance)?;
    if let Some(index) = index.and_then(|number| segment.index(number))
        && by_index(segment, &rows, index, counts)?
    {
        return Ok(());
    }
    rows.each(|row| counts.point(segment.payload.get(row)?))
}
