//! Where is the vector of a row?
//!
//! One file holds one named vector of a segment: a matrix of *slots*, one for each row that has the vector, in the
//! order of the rows. When all rows have it a slot is a row; else a sorted list of rows goes with the matrix.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what? |
//! | `writer.rs` | how is the file streamed out? |
//! | `reader.rs` | how are slots and rows told from each other? |
//! | `salvage.rs` | what of a damaged file can still be read? |

mod format;
mod reader;
mod salvage;
mod writer;

pub use reader::VectorsReader;
pub use salvage::{Salvaged, VectorsSalvage};
pub use writer::VectorsWriter;

#[cfg(test)]
mod tests;
