//! Which row has which id and version?
//!
//! The rows of a segment are in the order of their ids, so one sorted array serves scrolling, merging and ties, and
//! row numbers compare as ids do. A hash table beside it finds the row of an id in one or two cache misses.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what, and where does the table look for an id? |
//! | `writer.rs` | how is the file streamed out? |
//! | `reader.rs` | how is an id found? |
//! | `salvage.rs` | what of a damaged file can still be read? |

mod format;
mod reader;
mod salvage;
mod writer;

pub use format::SegmentIdentity;
pub use reader::PointsReader;
pub use salvage::PointsSalvage;
pub use writer::PointsWriter;

#[cfg(test)]
mod tests;
