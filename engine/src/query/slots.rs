//! The rows that a query may return, as a filter over the slots of a vector file.

use vdb_index::{RowFilter, RowSet};

use crate::query::rows::SegmentRows;
use crate::segment::SegmentVectors;

/// The rows of a query as a filter.
pub(crate) struct Rows<'a> {
    rows: &'a SegmentRows<'a>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(rows: &'a SegmentRows<'a>) -> Self {
        Rows { rows }
    }
}

impl RowFilter for Rows<'_> {
    #[inline]
    fn contains(&self, row: u32) -> bool {
        self.rows.probe(row)
    }

    fn is_slow(&self) -> bool {
        self.rows.reads_payloads()
    }

    fn estimate(&self) -> Option<u64> {
        self.rows.listed().map(RowSet::len)
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        let Some(listed) = self.rows.listed() else {
            return false;
        };
        listed.list(rows);
        if !self.rows.is_all_alive() {
            rows.retain(|&row| self.rows.sees(row));
        }
        true
    }
}

/// The rows of a query as a filter over the slots of a vector file.
pub(crate) struct Slots<'a> {
    rows: &'a SegmentRows<'a>,
    vectors: &'a SegmentVectors,
    /// The row of each slot; `None` when they are the same.
    row_of: Option<&'a [u32]>,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(rows: &'a SegmentRows<'a>, vectors: &'a SegmentVectors) -> Self {
        Slots {
            rows,
            vectors,
            row_of: vectors.file.sparse_rows(),
        }
    }
}

impl RowFilter for Slots<'_> {
    #[inline]
    fn contains(&self, slot: u32) -> bool {
        match self.row_of {
            None => self.rows.probe(slot),
            Some(rows) => rows.get(slot as usize).is_some_and(|&row| self.rows.probe(row)),
        }
    }

    fn is_slow(&self) -> bool {
        self.rows.reads_payloads()
    }

    fn estimate(&self) -> Option<u64> {
        self.rows.listed().map(RowSet::len)
    }

    fn list(&self, slots: &mut Vec<u32>) -> bool {
        if !Rows::new(self.rows).list(slots) {
            return false;
        }
        if self.row_of.is_some() {
            let mut kept = 0;
            for at in 0..slots.len() {
                if let Some(slot) = self.vectors.file.slot_of(slots[at]) {
                    slots[kept] = slot;
                    kept += 1;
                }
            }
            slots.truncate(kept);
        }
        true
    }
}
