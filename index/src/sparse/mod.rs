//! Which rows have the greatest dot product with a sparse query?
//!
//! An inverted index over one named sparse vector of a segment: for each dimension, the rows that have a value there, and
//! the values, in blocks of 128 with the least and the greatest value of each. It is derived from the vectors, and it
//! nominates: what is returned has the canonical score
//! ([`SparseView::dot`](vdb_sys::sparse::SparseView::dot)), bit for bit, and is what scoring every row
//! would have returned.
//!
//! ```text
//! build:  (row, vector) -> sorted (dimension, row, value) -> blocks, in parallel -> file
//! search: query -> a cursor a dimension -> windows of rows: bounds, sums, candidates -> canonical score -> TopK
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `vectors.rs` | where full sparse vectors lie |
//! | `scan.rs` | exact scan: the oracle, and the way where few rows match |
//! | `memory.rs` | rows that are in no segment yet |
//! | `pack.rs` | ascending rows in few bits |
//! | `format.rs` | which byte means what |
//! | `build.rs` | writes the file |
//! | `file.rs` | opens the file, reads and verifies its lists |
//! | `frequencies.rs` | in how many rows dimensions occur, over all that is searched |
//! | `cursor.rs` | one dimension of a query, from window to window |
//! | `search.rs` | the pruned search |

mod build;
mod cursor;
mod file;
mod format;
mod frequencies;
mod memory;
mod pack;
mod scan;
mod search;
mod vectors;

pub use build::write;
pub use file::SparseIndex;
pub use format::MAX_POSTINGS;
pub use frequencies::Frequencies;
pub use memory::SparseRows;
pub use scan::scan_rows;
pub use search::{Counters, Scratch, SparseQuery};
pub use vectors::SparseVectors;

#[cfg(test)]
mod tests;
