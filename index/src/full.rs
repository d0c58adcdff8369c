//! Where the full vectors of rows lie.

use vdb_sys::append::AppendRows;
use vdb_sys::element::MatrixView;

/// Full vectors by row, which candidates of a walk are rescored with.
pub trait FullVectors {
    /// The bytes of a row's vector; `None` where there is no such row.
    fn vector(&self, row: u32) -> Option<&[u8]>;
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
