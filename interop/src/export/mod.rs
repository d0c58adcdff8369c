//! Points of ours as files that others read: JSON Lines and `.npy`. Backups are written by [`crate::qdrant`].
//!
//! | file | what it does |
//! |---|---|
//! | `vectors.rs` | vectors as JSON |
//! | `json_lines.rs` | one point a line, as [`crate::JsonLinesRows`] reads it |
//! | `npy.rs` | one dense vector a point as a matrix, as [`crate::NpyRows`] reads it; lists of row numbers |

mod vectors;

mod json_lines;
mod npy;

pub use json_lines::JsonLinesWriter;
pub use npy::{NpyWriteError, NpyWriter, write_row_numbers};
pub use vectors::{VectorJson, VectorsJson};
