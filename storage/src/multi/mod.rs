//! What is the multivector of a row?
//!
//! A multivector is one or more vectors of one length, compared as a whole: one for each token of a text, say. One file
//! holds one named multivector of a segment: the vectors of all rows that have it, back to back, so that a row is read from
//! one place and scored where it lies. Rows differ in how many vectors they have; one that has none does not have the
//! multivector.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what? |
//! | `writer.rs` | how is the file streamed out? |
//! | `reader.rs` | where are the vectors of a row? |
//! | `salvage.rs` | what of a damaged file can still be read? |

mod format;
mod reader;
mod salvage;
mod writer;

pub use format::MAX_NUMBERS;
pub use reader::MultiReader;
pub use salvage::MultiSalvage;
pub use writer::MultiWriter;

#[cfg(test)]
mod tests;
