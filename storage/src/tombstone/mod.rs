//! Which rows are deleted?
//!
//! Segments never change, so a deletion is a mark beside the segment: a bitmap of dead rows, written whole as a new
//! revision by each commit that kills any, and made to count by the manifest.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what? |
//! | `file.rs` | how is the bitmap written and read? |

mod file;
mod format;

pub use file::{Tombstones, read, salvage, write};

#[cfg(test)]
mod tests;
