//! Batches of a Parquet file.

use std::fs::File;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::batches::Batches;
use super::footer;
use crate::error::{Problem, guarded};
use crate::input::Input;
use crate::source::Progress;

const FORMAT: &str = "Parquet";

/// A batch has about so many bytes, and at most so many rows.
const BATCH_BYTES: u64 = 8 << 20;
const BATCH_ROWS: u64 = 1024;

/// The batches of a file, row group by row group.
pub(super) struct ParquetBatches {
    schema: SchemaRef,
    reader: ParquetRecordBatchReader,
    bytes: u64,
    rows: u64,
    read: u64,
}

/// Opens the file of `input` once more: its metadata is at its end.
pub(super) fn open(input: &Input) -> Result<ParquetBatches, Problem> {
    let path = input.path().ok_or_else(|| Problem::Format {
        expected: "a file",
        found: "Parquet from a pipe".to_owned(),
        advice: "save it first: a Parquet file is read from its end",
    })?;
    let mut file = File::open(path).map_err(Problem::Io)?;
    let bytes = footer::check(&mut file)?;
    let builder = guarded(FORMAT, || ParquetRecordBatchReaderBuilder::try_new(file))?;
    let metadata = builder.metadata();
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let unpacked: u64 = metadata
        .row_groups()
        .iter()
        .map(|group| u64::try_from(group.total_byte_size()).unwrap_or(0))
        .fold(0, u64::saturating_add);
    let a_row = (unpacked / rows.max(1)).max(1);
    let batch = (BATCH_BYTES / a_row).clamp(1, BATCH_ROWS) as usize;
    let schema = builder.schema().clone();
    let reader = guarded(FORMAT, || builder.with_batch_size(batch).build())?;
    Ok(ParquetBatches {
        schema,
        reader,
        bytes,
        rows,
        read: 0,
    })
}

impl Batches for ParquetBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Problem> {
        let batch = guarded(FORMAT, || self.reader.next().transpose())?;
        self.read += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
        Ok(batch)
    }

    /// The share of the rows.
    fn bytes(&self) -> u64 {
        Progress::of_share(self.read, self.rows, self.bytes).bytes
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn total_rows(&self) -> Option<u64> {
        Some(self.rows)
    }
}
