//! Parquet and Arrow IPC: columns as rows, and points as columns.
//!
//! ```text
//! Parquet file -> footer.rs (is it sane?) -> parquet.rs -.
//! Arrow file, stream -> ipc.rs ----------------- batches -+-> layout.rs (which column is what) -> vectors.rs, payload.rs -> Row
//! points of ours -> survey.rs (which fields of payloads are of which type) -> write.rs -> Parquet, with what origin.rs says of it
//! ```
//!
//! The formats are those of <https://parquet.apache.org/docs/file-format/> and
//! <https://arrow.apache.org/docs/format/Columnar.html>, decoded by the crates of the Arrow project. Memory holds one batch of rows: of
//! Parquet some megabytes and a page of each column, of Arrow a record batch as the file has it.
//!
//! | file | what it does |
//! |---|---|
//! | `value.rs` | values as JSON |
//! | `vectors.rs` | lists of numbers as vectors |
//! | `field.rs`, `survey.rs` | types of payload fields, found by a look at all payloads |
//! | `origin.rs` | what a file of ours says of its collection |
//! | `layout.rs`, `layout/ours.rs` | ids, vectors and payload among the columns, of others and of ours |
//! | `payload.rs` | payloads |
//! | `footer.rs`, `parquet.rs` | the metadata of a Parquet file, looked over before it is decoded; its batches |
//! | `ipc.rs`, `ipc/` | batches of Arrow, of files by their footer and of streams |
//! | `write.rs` | Parquet, written |

mod value;
mod vectors;

mod field;
mod survey;

mod origin;

mod layout;
mod payload;

mod batches;
mod footer;

mod ipc;
mod parquet;

mod rows;
mod write;

pub use rows::ColumnarRows;
pub use survey::PayloadSurvey;
pub use write::{ParquetIds, ParquetWriter};

#[cfg(test)]
mod tests;
