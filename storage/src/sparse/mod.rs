//! What is the sparse vector of a row?
//!
//! One file holds one named sparse vector of a segment: for each row that has it, dimensions and values, back to back, so
//! that a row is read from one place. A row may lack the vector, or have one without any dimension; the file tells these
//! apart.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what? |
//! | `writer.rs` | how is the file streamed out? |
//! | `reader.rs` | where is the vector of a row? |
//! | `salvage.rs` | what of a damaged file can still be read? |

mod format;
mod reader;
mod salvage;
mod writer;

pub use format::MAX_NONZEROS;
pub use reader::SparseReader;
pub use salvage::{SalvagedSparse, SparseSalvage};
pub use writer::SparseWriter;

#[cfg(test)]
mod tests;
