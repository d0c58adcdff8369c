//! Which rows of one segment may be returned: seen by the reader, and matching the filter.

use std::sync::OnceLock;

use roaring::RoaringBitmap;
use vdb_index::postings::Estimate;

use crate::error::{Error, Result};
use crate::filter::{Candidates, CompiledFilter, candidates, estimate};
use crate::query::matching::Horizon;
use crate::schema::Schema;
use crate::segment::Segment;
use crate::tables::StoredPoint;

/// Rows looked at to estimate how many match when no index says.
const SAMPLE: u32 = 256;

/// What is known of the rows that match a filter before any payload is read.
enum Known {
    /// There is no filter.
    All,
    /// Exactly these.
    Exact(RoaringBitmap),
    /// None but these; each must be looked at.
    Among(RoaringBitmap),
    /// Nothing: each must be looked at.
    Nothing,
}

/// The rows of a segment that a query may return.
pub(crate) struct SegmentRows<'a> {
    schema: &'a Schema,
    segment: &'a Segment,
    horizon: Horizon,
    filter: Option<&'a CompiledFilter>,
    known: Known,
    /// The first damage met by a caller that could not be told at once.
    damage: OnceLock<Error>,
}

impl<'a> SegmentRows<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        segment: &'a Segment,
        horizon: Horizon,
        filter: Option<&'a CompiledFilter>,
    ) -> Self {
        let known = match filter.filter(|f| !f.is_unconditional()) {
            None => Known::All,
            Some(filter) => match candidates(filter, &segment.lookup(schema)) {
                Ok(Candidates::Exact(rows)) => Known::Exact(rows),
                Ok(Candidates::Superset(rows)) => Known::Among(rows),
                Ok(Candidates::Unknown) => Known::Nothing,
                // An index is derived data: without it the answer takes longer and is the same.
                Err(_) => {
                    segment.set_index_damaged();
                    Known::Nothing
                }
            },
        };
        SegmentRows {
            schema,
            segment,
            horizon,
            filter,
            known,
            damage: OnceLock::new(),
        }
    }

    /// True when the indexes name the rows that can match, so that they can be listed without trying all.
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.known, Known::Exact(_) | Known::Among(_))
    }

    /// True when every row of the segment may be returned.
    pub(crate) fn is_all(&self) -> bool {
        matches!(self.known, Known::All) && self.segment.deletions.is_empty()
    }

    fn sees(&self, row: u32) -> bool {
        self.horizon.sees_row(&self.segment.deletions, row)
    }

    fn evaluate(&self, row: u32) -> Result<bool> {
        let Some(filter) = self.filter else {
            return Ok(true);
        };
        let Some(id) = self.segment.points.id(row) else {
            return Ok(false);
        };
        let has_vector = |slot: usize| self.segment.has_vector(slot, row);
        let payload = self.segment.payload.get(row)?;
        Ok(filter.matches(&StoredPoint {
            schema: self.schema,
            id,
            payload,
            has_vector: &has_vector,
        })?)
    }

    /// Whether a row may be returned.
    pub(crate) fn contains(&self, row: u32) -> Result<bool> {
        if !self.sees(row) {
            return Ok(false);
        }
        match &self.known {
            Known::All => Ok(true),
            Known::Exact(rows) => Ok(rows.contains(row)),
            Known::Among(rows) => Ok(rows.contains(row) && self.evaluate(row)?),
            Known::Nothing => self.evaluate(row),
        }
    }

    /// As [`contains`](Self::contains) for callers that cannot fail: damage counts as no match and is kept for
    /// [`check`](Self::check).
    pub(crate) fn probe(&self, row: u32) -> bool {
        self.contains(row).unwrap_or_else(|error| {
            self.keep(error);
            false
        })
    }

    /// Keeps the first damage for [`check`](Self::check).
    pub(crate) fn keep(&self, damage: Error) {
        let _ = self.damage.set(damage);
    }

    /// The damage that a probe met.
    pub(crate) fn check(self) -> Result<()> {
        self.damage.into_inner().map_or(Ok(()), Err)
    }

    /// Calls `found` with every row, ascending.
    pub(crate) fn each(&self, mut found: impl FnMut(u32) -> Result<()>) -> Result<()> {
        let mut visit = |row: u32| if self.contains(row)? { found(row) } else { Ok(()) };
        match &self.known {
            Known::All | Known::Nothing => (0..self.segment.rows()).try_for_each(&mut visit),
            Known::Exact(rows) | Known::Among(rows) => rows.iter().try_for_each(&mut visit),
        }
    }

    /// The first `limit` rows from `start` on.
    pub(crate) fn page(&self, start: u32, limit: usize) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        let mut visit = |row: u32| -> Result<bool> {
            if self.contains(row)? {
                out.push(row);
            }
            Ok(out.len() < limit)
        };
        match &self.known {
            Known::All | Known::Nothing => {
                for row in start..self.segment.rows() {
                    if !visit(row)? {
                        break;
                    }
                }
            }
            Known::Exact(rows) | Known::Among(rows) => {
                let mut iter = rows.iter();
                iter.advance_to(start);
                for row in iter {
                    if !visit(row)? {
                        break;
                    }
                }
            }
        }
        Ok(out)
    }

    /// How many rows there are.
    pub(crate) fn count(&self) -> Result<u64> {
        let dead = &self.segment.deletions;
        match &self.known {
            Known::All => {
                let unseen = match self.horizon {
                    Horizon::Latest => u64::from(dead.dead_total()),
                    Horizon::At(lsn) => dead.dead_at(lsn),
                };
                Ok(u64::from(self.segment.rows()) - unseen)
            }
            Known::Exact(rows) => {
                let unseen = |&(row, _): &(u32, u64)| rows.contains(row) && !self.sees(row);
                Ok(rows.len() - dead.iter().filter(unseen).count() as u64)
            }
            Known::Among(_) | Known::Nothing => {
                let mut count = 0;
                self.each(|_| {
                    count += 1;
                    Ok(())
                })?;
                Ok(count)
            }
        }
    }

    /// About how many rows there are. Reads a few payloads when no index says.
    pub(crate) fn estimate(&self) -> Result<u64> {
        let rows = self.segment.rows();
        let live = u64::from(rows) - u64::from(self.segment.deletions.dead_total());
        let sampled = |from: &mut dyn Iterator<Item = u32>, of: u64| -> Result<u64> {
            let (mut seen, mut matched) = (0u64, 0u64);
            for row in from {
                seen += 1;
                matched += u64::from(self.contains(row)?);
            }
            Ok((of * matched).checked_div(seen).unwrap_or(0))
        };
        match &self.known {
            Known::All => Ok(live),
            Known::Exact(matching) => Ok(matching.len()),
            Known::Among(matching) => {
                let step = (matching.len() / u64::from(SAMPLE)).max(1);
                let picks = (0..matching.len()).step_by(step as usize);
                sampled(
                    &mut picks.filter_map(|n| matching.select(n as u32)),
                    matching.len(),
                )
            }
            Known::Nothing => {
                let step = (rows / SAMPLE).max(1);
                sampled(&mut (0..rows).step_by(step as usize), u64::from(rows))
            }
        }
    }
}

/// About how many rows of a segment match, deleted ones included, from what its indexes know. Neither reads payloads
/// nor makes sets of rows.
pub(crate) fn bounds(schema: &Schema, segment: &Segment, filter: Option<&CompiledFilter>) -> Estimate {
    let rows = u64::from(segment.rows());
    let unknown = Estimate {
        min: 0,
        expected: rows / 2,
        max: rows,
    };
    match filter {
        None => Estimate::exactly(rows),
        Some(filter) => estimate(filter, &segment.lookup(schema)).unwrap_or(unknown),
    }
}
