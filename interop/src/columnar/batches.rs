//! What both formats are: a schema, and batches of rows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use crate::error::Problem;

/// Batches, one after another.
pub(super) trait Batches: Send {
    fn schema(&self) -> SchemaRef;

    /// The next batch; `None` after the last.
    fn advance(&mut self) -> Result<Option<RecordBatch>, Problem>;

    /// Bytes read so far, about.
    fn bytes(&self) -> u64;

    /// Bytes in all, where the length is known.
    fn total_bytes(&self) -> Option<u64>;

    /// Rows in all, where a header tells.
    fn total_rows(&self) -> Option<u64>;
}

/// Runs a decoder of others. What they assert of a file is an error of the file here.
pub(super) fn guarded<T, E: ToString>(
    format: &'static str,
    decode: impl FnOnce() -> Result<T, E>,
) -> Result<T, Problem> {
    let why = match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it is damaged where its decoder does not expect it".to_owned(),
    };
    Err(Problem::Container { format, why })
}
