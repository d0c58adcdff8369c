//! What both formats are: a schema, and batches of rows.

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
