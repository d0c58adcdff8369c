//! The rows of a segment that come first in an order, from the keys of a payload index.

use std::ops::{Bound, Range};

use vdb_index::postings::{Key, Kind, PostingsFile};
use vdb_index::{RowBits, RowFilter};

use super::Order;
use crate::error::Result;
use crate::filter::Datetime;
use crate::point::OrderValue;
use crate::query::allowance::Allowance;
use crate::query::rows::SegmentRows;
use crate::segment::Segment;

/// Entries of an index that are looked at in the time that it takes to read a payload and put its values in their places, about.
const ENTRIES_A_PAYLOAD: u64 = 16;

/// Whole numbers below this are told apart by the floats that an index has of them.
const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;

/// The value that a key stands for, and whether for no other.
fn value_of(key: Key<'_>) -> Option<(OrderValue, bool)> {
    match key {
        Key::Integer(number) => Some((OrderValue::Integer(number), true)),
        Key::Float(number) => Some((OrderValue::Float(number), number.abs() < EXACT)),
        Key::Datetime(micros) => Some((OrderValue::Datetime(Datetime::from_micros(micros)?), true)),
        Key::Term(_) | Key::Bool(_) | Key::Uuid(_) | Key::Cell(_) => None,
    }
}

/// The key nearest to a value that an order starts from, as far from its end as the value, or farther.
fn key_of(value: OrderValue, kind: Kind, descending: bool) -> Option<Key<'static>> {
    match (value, kind) {
        (OrderValue::Integer(number), Kind::Integer) => Some(Key::Integer(number)),
        (OrderValue::Float(number), Kind::Integer) => {
            let whole = if descending { number.ceil() } else { number.floor() };
            Some(Key::Integer(whole as i64))
        }
        (OrderValue::Integer(number), Kind::Float) => Some(Key::Float(number as f64)),
        (OrderValue::Float(number), Kind::Float) => number.is_finite().then_some(Key::Float(number)),
        (OrderValue::Datetime(at), Kind::Datetime) => Some(Key::Datetime(at.micros())),
        (OrderValue::Integer(_) | OrderValue::Float(_) | OrderValue::Datetime(_), _) => None,
    }
}

impl Order<'_> {
    /// The numbers of the keys from where the order starts.
    fn keys(&self, index: &PostingsFile) -> vdb_index::Result<Range<u32>> {
        let descending = self.by.descending;
        let mut keys = 0..index.keys();
        let starts = self.by.start_from.into_iter();
        for start in starts.chain(self.by.after.map(|(value, _)| value)) {
            let Some(key) = key_of(start, index.kind(), descending) else {
                continue;
            };
            let bound = Bound::Included(key);
            let started = if descending {
                index.keys_within(Bound::Unbounded, bound)?
            } else {
                index.keys_within(bound, Bound::Unbounded)?
            };
            if started.is_empty() {
                return Ok(started);
            }
            keys = keys.start.max(started.start)..keys.end.min(started.end);
        }
        Ok(keys)
    }

    /// Rows of a segment among which are all that have one of its first `want` entries; `None` where all that match are to be read,
    /// since the index is not there, or takes longer.
    pub(super) fn first_rows(
        &self,
        segment: &Segment,
        rows: &SegmentRows<'_>,
        want: usize,
        allowance: &Allowance<'_>,
    ) -> Result<Option<RowBits>> {
        let Some(index) = self.index.and_then(|number| segment.index(number)) else {
            return Ok(None);
        };
        // Of so many entries one matches, about.
        let matching = rows.listed().map_or(segment.rows().into(), |listed| listed.len());
        let looked_at = (want as u64).saturating_mul(index.entries());
        if looked_at
            > matching
                .saturating_mul(matching)
                .saturating_mul(ENTRIES_A_PAYLOAD)
        {
            return Ok(None);
        }
        let Ok(keys) = self.keys(index) else {
            segment.set_index_damaged();
            return Ok(None);
        };
        let [mut first, mut refused] = [(); 2].map(|()| RowBits::empty(segment.rows()));
        let mut counted = 0;
        for at in 0..keys.len() as u32 {
            if counted >= want {
                break;
            }
            let number = if self.by.descending {
                keys.end - 1 - at
            } else {
                keys.start + at
            };
            let Ok((key, of_key)) = index.entry(number) else {
                // An index is derived data: without it the answer takes longer and is the same.
                segment.set_index_damaged();
                return Ok(None);
            };
            let Some((value, is_exact)) = value_of(key) else {
                return Ok(None);
            };
            for row in of_key.iter() {
                allowance.beat()?;
                // A row has as many entries as values, and may be dear to ask.
                if refused.contains(row) {
                    continue;
                }
                if !first.contains(row) && !rows.contains(row)? {
                    refused.insert(row);
                    continue;
                }
                first.insert(row);
                let Some(id) = segment.points.id(row).filter(|_| is_exact) else {
                    // Which of the values it is, and so in which order they come, is not known.
                    continue;
                };
                // Rows of one key come in the order of their ids.
                counted += usize::from(self.has_started(value, id));
                if counted >= want {
                    break;
                }
            }
        }
        Ok(Some(first))
    }
}
