//! Where multivectors lie.

use crate::Result;

/// Multivectors by row.
pub trait MultiVectors: Sync {
    /// The vectors of a row back to back, in their element's encoding: one at least. `None` where the row has none, or does
    /// not exist.
    ///
    /// # Errors
    /// Where they lie is damaged.
    fn multi(&self, row: u32) -> Result<Option<&[u8]>>;

    /// Whether a row has any; not where that cannot be told.
    fn has(&self, row: u32) -> bool {
        matches!(self.multi(row), Ok(Some(_)))
    }

    /// Whether every row has one, as far as that is known: a search then need not ask for each.
    fn all_have(&self) -> bool {
        false
    }

    /// Says that a row is read soon: where it lies on a disk, that may be asked for it.
    fn will_read(&self, row: u32) {
        let _ = row;
    }
}
