//! Where the full vectors of rows lie.

use vdb_sys::append::AppendRows;
use vdb_sys::element::MatrixView;

/// Full vectors by row, which candidates of a walk are rescored with.
pub trait FullVectors {
    /// The bytes of a row's vector; `None` where there is no such row.
    fn vector(&self, row: u32) -> Option<&[u8]>;

    /// Says which rows are read next, each soon after the one before it: where they lie on a disk, it may be asked for all
    /// of them at once.
    fn will_read(&self, rows: impl Iterator<Item = u32>) {
        let _ = rows;
    }

    /// Says that so many rows were read since a search first said what it [will read](Self::will_read).
    fn have_read(&self, rows: u64) {
        let _ = rows;
    }
}

impl FullVectors for MatrixView<'_> {
    #[inline]
    fn vector(&self, row: u32) -> Option<&[u8]> {
        self.row(row)
    }
}

impl FullVectors for AppendRows {
    #[inline]
    fn vector(&self, row: u32) -> Option<&[u8]> {
        self.row(row)
    }
}
