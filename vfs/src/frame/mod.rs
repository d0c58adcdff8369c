//! The shared shape of every immutable file: a checked prelude, sections of bulk data, checksums.
//!
//! A file says what it is, which version of that kind it has, how long it must be, and where its sections lie.
//! Opening checks all of that in time independent of the data; [`Frame::verify`] reads the data too and names the
//! first damaged chunk. Sections start 64-byte aligned in the file, and so in every view of it.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | which byte means what? |
//! | `writer.rs` | how is a file streamed out? |
//! | `reader.rs` | how is it opened, and how is it verified? |
//! | `parts.rs` | is the part of an open file that is about to be copied what was written? |
//! | `sound.rs` | which of its parts have been found to be that? |
//! | `salvage.rs` | what of a damaged one is still what was written? |

mod format;
mod parts;
mod reader;
mod salvage;
mod sound;
mod writer;

pub use format::{CHUNK, FileKind, MAX_META, MAX_SECTIONS, SECTION_ALIGN};
pub use reader::{Frame, verify};
pub use salvage::Salvage;
pub use writer::{FrameInfo, FrameWriter, STEP};

#[cfg(test)]
mod tests;
