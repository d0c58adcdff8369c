//! Which rows of one segment may be returned: seen by the reader, and matching the filter.

use std::sync::OnceLock;

use vdb_index::postings::{Estimate, PostingsFile};
use vdb_index::{RowBits, RowSet};
use vdb_storage::PointId;

use crate::error::{Error, Result};
use crate::filter::{Candidates, CompiledFilter, IndexLookup, Slice, candidates, estimate};
use crate::query::allowance::Allowance;
use crate::query::matching::{self, Horizon};
use crate::schema::Schema;
use crate::segment::{Segment, SegmentLookup};
use crate::tables::StoredPoint;

/// Ids that are hashed side by side in the time that it takes to ask one row whether it is in a slice, about.
const HASHES_A_QUESTION: u64 = 16;

/// What is known of the rows that match a filter before any payload is read.
enum Known {
    /// There is no filter.
    All,
    /// Exactly these.
    Exact(RowSet),
    /// None but the possible ones; each that is not certain must be looked at.
    Between { certain: RowSet, possible: RowSet },
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
    /// No row has died.
    all_alive: bool,
    allowance: &'a Allowance<'a>,
    /// The first error met by a caller that could not be told at once: damage, or an allowance that is used up.
    failure: OnceLock<Error>,
}

impl<'a> SegmentRows<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        segment: &'a Segment,
        horizon: Horizon,
        filter: Option<&'a CompiledFilter>,
        allowance: &'a Allowance<'a>,
    ) -> Result<Self> {
        Self::with(schema, segment, horizon, filter, allowance, None)
    }

    /// For whoever wants the first or last `page` rows only.
    pub(crate) fn for_page(
        schema: &'a Schema,
        segment: &'a Segment,
        horizon: Horizon,
        filter: Option<&'a CompiledFilter>,
        allowance: &'a Allowance<'a>,
        page: usize,
    ) -> Result<Self> {
        Self::with(schema, segment, horizon, filter, allowance, Some(page))
    }

    fn with(
        schema: &'a Schema,
        segment: &'a Segment,
        horizon: Horizon,
        filter: Option<&'a CompiledFilter>,
        allowance: &'a Allowance<'a>,
        page: Option<usize>,
    ) -> Result<Self> {
        let lookup = WatchedLookup {
            page,
            ..WatchedLookup::new(schema, segment, allowance)
        };
        let known = match filter.filter(|f| !f.is_unconditional()) {
            None => Known::All,
            Some(filter) => match candidates(filter, &lookup) {
                Ok(Candidates::Exact(rows)) => Known::Exact(rows),
                Ok(Candidates::Between { certain, possible }) => Known::Between { certain, possible },
                Ok(Candidates::Unknown) => Known::Nothing,
                Err(vdb_index::Error::Cancelled) => return Err(allowance.over()),
                // An index is derived data: without it the answer takes longer and is the same.
                Err(_) => {
                    segment.set_index_damaged();
                    Known::Nothing
                }
            },
        };
        Ok(SegmentRows {
            schema,
            segment,
            horizon,
            filter,
            known,
            all_alive: segment.deletions.is_empty(),
            allowance,
            failure: OnceLock::new(),
        })
    }

    /// The rows that can match, dead ones included, when indexes name them.
    pub(crate) fn listed(&self) -> Option<&RowSet> {
        match &self.known {
            Known::Exact(rows) | Known::Between { possible: rows, .. } => Some(rows),
            Known::All | Known::Nothing => None,
        }
    }

    /// Exactly the rows that may be returned, as bits, when they are known that way.
    pub(crate) fn bits(&self) -> Option<&RowBits> {
        match &self.known {
            Known::Exact(RowSet::Bits(bits)) if self.all_alive => Some(bits),
            Known::Exact(_) | Known::All | Known::Between { .. } | Known::Nothing => None,
        }
    }

    /// True when payloads have to be read to tell whether a row matches.
    pub(crate) fn reads_payloads(&self) -> bool {
        matches!(self.known, Known::Between { .. } | Known::Nothing)
    }

    /// True when every row of the segment may be returned.
    pub(crate) fn is_all(&self) -> bool {
        matches!(self.known, Known::All) && self.all_alive
    }

    /// True when there is no filter, and no more than this share of the rows has died.
    pub(crate) fn is_mostly_all(&self, most_dead: f64) -> bool {
        let dead = f64::from(self.segment.deletions.dead_total());
        matches!(self.known, Known::All) && dead <= f64::from(self.segment.rows()) * most_dead
    }

    /// True when the vectors of a slot wait for their graph, and so many of them can match that these alone would be to have one.
    pub(crate) fn wait_for_graph(&self, slot: usize) -> bool {
        if self.segment.is_indexed(slot) {
            return false;
        }
        let vectors = self.segment.rows_with_vector(slot);
        let bytes = self.segment.vector_bytes(slot);
        let wait = |vectors, bytes| self.schema.graph_over(slot, vectors, bytes).is_some();
        let possible = self.listed().map_or(vectors, |listed| {
            u32::try_from(listed.len()).map_or(vectors, |listed| listed.min(vectors))
        });
        let mean = bytes / (vectors as usize).max(1);
        wait(vectors, bytes) && wait(possible, possible as usize * mean)
    }

    /// True when no row of the segment has died.
    pub(crate) fn is_all_alive(&self) -> bool {
        self.all_alive
    }

    /// Whether the row is alive to the reader.
    #[inline]
    pub(crate) fn sees(&self, row: u32) -> bool {
        self.all_alive || self.horizon.sees_row(&self.segment.deletions, row)
    }

    fn evaluate(&self, row: u32) -> Result<bool> {
        let Some(filter) = self.filter else {
            return Ok(true);
        };
        let Some(id) = self.segment.points.id(row) else {
            return Ok(false);
        };
        let payload = self.segment.payload.get(row)?;
        self.allowance.go_on(payload.len())?;
        let point = StoredPoint {
            schema: self.schema,
            id,
            payload,
            has_vector: &|slot| self.segment.has_vector(slot, row),
            texts: None,
            goes_on: &|bytes| self.allowance.goes_on(bytes),
        };
        matching::matches(filter, &point, self.allowance)
    }

    /// Whether a row may be returned.
    pub(crate) fn contains(&self, row: u32) -> Result<bool> {
        if !self.sees(row) {
            return Ok(false);
        }
        match &self.known {
            Known::All => Ok(true),
            Known::Exact(rows) => Ok(rows.contains(row)),
            Known::Between { certain, possible } => {
                Ok(certain.contains(row) || possible.contains(row) && self.evaluate(row)?)
            }
            Known::Nothing => self.evaluate(row),
        }
    }

    /// As [`contains`](Self::contains) for callers that cannot fail: from the first error on nothing matches, and it is
    /// kept for [`check`](Self::check).
    #[inline]
    pub(crate) fn probe(&self, row: u32) -> bool {
        if let Known::Exact(rows) = &self.known {
            return rows.contains(row) && self.sees(row);
        }
        self.failure.get().is_none()
            && self.contains(row).unwrap_or_else(|error| {
                // Of several threads the first one tells.
                let _ = self.failure.set(error);
                false
            })
    }

    /// The error that a probe met.
    pub(crate) fn check(self) -> Result<()> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }

    /// Calls `found` with every row, ascending.
    pub(crate) fn each(&self, mut found: impl FnMut(u32) -> Result<()>) -> Result<()> {
        let mut visit = |row: u32| {
            self.allowance.beat()?;
            if self.contains(row)? { found(row) } else { Ok(()) }
        };
        match &self.known {
            Known::All | Known::Nothing => (0..self.segment.rows()).try_for_each(&mut visit),
            Known::Exact(rows) | Known::Between { possible: rows, .. } => {
                rows.iter().try_for_each(&mut visit)
            }
        }
    }

    /// The first `limit` rows from `start` on.
    pub(crate) fn page(&self, start: u32, limit: usize) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        let mut visit = |row: u32| -> Result<bool> {
            self.allowance.beat()?;
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
            Known::Exact(rows) | Known::Between { possible: rows, .. } => {
                for row in rows.iter_from(start) {
                    if !visit(row)? {
                        break;
                    }
                }
            }
        }
        Ok(out)
    }

    /// The last `limit` rows before `end`, descending.
    pub(crate) fn page_back(&self, end: u32, limit: usize) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        let mut visit = |row: u32| -> Result<bool> {
            self.allowance.beat()?;
            if self.contains(row)? {
                out.push(row);
            }
            Ok(out.len() < limit)
        };
        match &self.known {
            Known::All | Known::Nothing => {
                for row in (0..end.min(self.segment.rows())).rev() {
                    if !visit(row)? {
                        break;
                    }
                }
            }
            Known::Exact(rows) | Known::Between { possible: rows, .. } => {
                let before: Vec<u32> = rows.iter().take_while(|row| *row < end).collect();
                self.allowance.take(before.len() * size_of::<u32>())?;
                let mut backward = before.iter().rev();
                while let Some(&row) = backward.next()
                    && visit(row)?
                {}
                self.allowance.give(before.len() * size_of::<u32>());
            }
        }
        Ok(out)
    }

    /// How many of these rows are alive to the reader.
    fn seen_of(&self, rows: &RowSet) -> u64 {
        let unseen = |&(row, _): &(u32, u64)| rows.contains(row) && !self.sees(row);
        rows.len() - self.segment.deletions.iter().filter(unseen).count() as u64
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
            Known::Exact(rows) => Ok(self.seen_of(rows)),
            Known::Between { certain, possible } => {
                let mut count = self.seen_of(certain);
                for row in possible.clone().minus(certain).iter() {
                    self.allowance.beat()?;
                    count += u64::from(self.sees(row) && self.evaluate(row)?);
                }
                Ok(count)
            }
            Known::Nothing => {
                let mut count = 0;
                self.each(|_| {
                    count += 1;
                    Ok(())
                })?;
                Ok(count)
            }
        }
    }
}

/// A segment's indexes, looked up in for as long as there is time.
pub(super) struct WatchedLookup<'a> {
    lookup: SegmentLookup<'a>,
    allowance: &'a Allowance<'a>,
    /// Rows that are wanted, if not all are.
    page: Option<usize>,
}

impl<'a> WatchedLookup<'a> {
    /// For whoever wants all rows.
    pub(super) fn new(schema: &'a Schema, segment: &'a Segment, allowance: &'a Allowance<'a>) -> Self {
        WatchedLookup {
            lookup: segment.lookup(schema),
            allowance,
            page: None,
        }
    }
}

impl IndexLookup for WatchedLookup<'_> {
    fn rows(&self) -> u32 {
        self.lookup.rows()
    }

    fn postings(&self, path: &str) -> Option<&PostingsFile> {
        self.lookup.postings(path)
    }

    fn row_of(&self, id: &PointId) -> Option<u32> {
        self.lookup.row_of(id)
    }

    fn rows_with_vector(&self, name: &str) -> Option<RowSet> {
        self.lookup.rows_with_vector(name)
    }

    fn count_with_vector(&self, name: &str) -> Option<u64> {
        self.lookup.count_with_vector(name)
    }

    fn rows_in_slice(&self, slice: Slice) -> Option<RowSet> {
        // Of so many rows one in each slice is found, about. Where they are few, the ids of all others need not be hashed.
        let asked = |page: usize| (page as u64).saturating_mul(slice.total.into());
        let hashed = u64::from(self.rows()) / HASHES_A_QUESTION;
        if self.page.is_some_and(|page| asked(page) < hashed) {
            return None;
        }
        self.lookup.rows_in_slice(slice)
    }

    fn room(&self) -> usize {
        self.allowance.room()
    }

    fn goes_on(&self) -> bool {
        self.allowance.beat().is_ok()
    }

    fn is_over(&self) -> bool {
        self.allowance.check().is_err()
    }
}

/// About how many rows of a segment match, deleted ones included, from what its indexes know. Neither reads payloads
/// nor makes sets of rows.
///
/// # Errors
/// `allowance` is used up.
pub(crate) fn bounds(
    schema: &Schema,
    segment: &Segment,
    filter: Option<&CompiledFilter>,
    allowance: &Allowance<'_>,
) -> Result<Estimate> {
    let rows = u64::from(segment.rows());
    let unknown = Estimate {
        min: 0,
        expected: rows / 2,
        max: rows,
    };
    let Some(filter) = filter else {
        return Ok(Estimate::exactly(rows));
    };
    match estimate(filter, &WatchedLookup::new(schema, segment, allowance)) {
        Err(vdb_index::Error::Cancelled) => Err(allowance.over()),
        estimated => Ok(estimated.unwrap_or(unknown)),
    }
}
