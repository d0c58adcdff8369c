//! The rows that a query may return, as a filter over them or over the slots of a vector file.

use vdb_index::{RowFilter, RowSet};

use crate::query::rows::SegmentRows;

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
    /// The row of each slot, ascending; `None` when they are the same.
    row_of: Option<&'a [u32]>,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(rows: &'a SegmentRows<'a>, row_of: Option<&'a [u32]>) -> Self {
        Slots { rows, row_of }
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
        if let Some(row_of) = self.row_of {
            // Both ascend: no row lies before the last one found.
            let (mut kept, mut first) = (0, 0);
            for at in 0..slots.len() {
                let rest = row_of.get(first..).unwrap_or_default();
                let place = rest.partition_point(|&row| row < slots[at]);
                first += place;
                if rest.get(place) == Some(&slots[at]) {
                    slots[kept] = first as u32;
                    kept += 1;
                }
            }
            slots.truncate(kept);
        }
        true
    }
}
