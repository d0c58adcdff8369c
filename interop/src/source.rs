//! What every reader is: a stream of rows that tells how far it has come.

use vdb::CollectionConfig;
use vdb_sys::element::Element;

use crate::error::RowError;
use crate::row::Row;

/// How far a source has been read. Bytes run ahead of rows by what is buffered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows yielded so far, bad ones included.
    pub rows: u64,
    /// Rows in the whole source, where a header or a fixed row size tells.
    pub total_rows: Option<u64>,
    /// Bytes read so far.
    pub bytes: u64,
    /// Bytes in the whole source; `None` for a pipe.
    pub total_bytes: Option<u64>,
}

impl Progress {
    /// Of a file whose rows are all alike, so that its bytes are their share.
    pub(crate) fn of_share(rows: u64, total_rows: u64, total_bytes: u64) -> Progress {
        let share = u128::from(total_bytes) * u128::from(rows) / u128::from(total_rows.max(1));
        Progress {
            rows,
            total_rows: Some(total_rows),
            bytes: u64::try_from(share).map_or(total_bytes, |share| share.min(total_bytes)),
            total_bytes: Some(total_bytes),
        }
    }
}

/// A stream of rows that holds one row and a fixed buffer in memory, whatever the size of the file.
///
/// After an error that [is not skippable](RowError::is_skippable) the iterator yields `None` for good.
pub trait RowSource: Iterator<Item = Result<Row, RowError>> + Send {
    /// How far the source has been read.
    fn progress(&self) -> Progress;

    /// Numbers in each vector, where the header tells before the first row is read.
    fn dim_hint(&self) -> Option<usize> {
        None
    }

    /// What the file says of the collection that its rows are of.
    fn config(&self) -> Option<CollectionConfig> {
        None
    }

    /// What the caller should be told of how the file is read.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Values that payloads do not hold and that became the nearest, which [`ReadOptions::lossy`](crate::ReadOptions::lossy) allows.
    fn changed(&self) -> u64 {
        0
    }

    /// How the file stores a number, where it is narrower than the `f32` that rows carry.
    fn element(&self) -> Option<Element> {
        None
    }
}
