//! Where full sparse vectors lie.

use vdb_sys::sparse::SparseView;

use crate::Result;

/// Sparse vectors by row, which candidates are scored with.
pub trait SparseVectors {
    /// The vector of a row; `None` where the row has none, or does not exist.
    ///
    /// # Errors
    /// Where it lies is damaged.
    fn sparse(&self, row: u32) -> Result<Option<SparseView<'_>>>;
}
