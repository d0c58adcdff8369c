//! Batches of Arrow, of a file or of a stream.
//!
//! A file says at its end where its batches are, and is read so; what comes from a pipe is read from its beginning. Lengths are
//! compared with what there is before anything is decoded.

mod file;
mod stream;

use arrow_ipc::{MessageHeader, root_as_message};

use super::batches::Batches;
use crate::error::Problem;
use crate::input::Input;

const FORMAT: &str = "Arrow";
/// How a file begins and, without the zeros, ends.
const MAGIC: &[u8; 8] = b"ARROW1\0\0";
/// How a message begins.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Bytes of the metadata of one message, at most.
const MAX_METADATA: u64 = 64 << 20;
/// Bytes of a record batch, at most, packed or not: it is held as a whole.
const MAX_BATCH: u64 = 4 << 30;
/// Rows of a record batch, at most.
const MAX_ROWS: i64 = i32::MAX as i64;

/// Reads up to the schema.
pub(super) fn open(input: Input) -> Result<Box<dyn Batches>, Problem> {
    if let Some(path) = input.path()
        && let Some(file) = file::open(path)?
    {
        return Ok(Box::new(file));
    }
    Ok(Box::new(stream::open(input)?))
}

/// Looks over a message before it is decoded: what it says of its rows and of its length unpacked.
fn check(metadata: &[u8], body: &[u8]) -> Result<(), Problem> {
    let message = root_as_message(metadata).map_err(damaged)?;
    let batch = if message.header_type() == MessageHeader::DictionaryBatch {
        message
            .header_as_dictionary_batch()
            .and_then(|batch| batch.data())
    } else {
        message.header_as_record_batch()
    };
    let Some(batch) = batch else { return Ok(()) };
    if !(0..=MAX_ROWS).contains(&batch.length()) {
        return Err(damaged(format!("a batch of {} rows", batch.length())));
    }
    let Some(buffers) = batch.buffers().filter(|_| batch.compression().is_some()) else {
        return Ok(());
    };
    let mut unpacked = 0u64;
    for buffer in buffers {
        let at = usize::try_from(buffer.offset()).ok();
        let prefix = at
            .filter(|_| buffer.length() >= 8)
            .and_then(|at| body.get(at..)?.first_chunk::<8>());
        // Buffers without a length are empty, and one of -1 is not packed.
        let length = prefix.map_or(0, |prefix| i64::from_le_bytes(*prefix));
        unpacked = unpacked.saturating_add(u64::try_from(length).unwrap_or(0));
    }
    if unpacked > MAX_BATCH {
        return Err(too_large(unpacked));
    }
    Ok(())
}

fn too_large(bytes: u64) -> Problem {
    Problem::Format {
        expected: "record batches of at most 4 GiB",
        found: format!("one of {bytes} bytes"),
        advice: "write it in smaller batches, or as Parquet",
    }
}

fn damaged(why: impl ToString) -> Problem {
    Problem::Container {
        format: FORMAT,
        why: why.to_string(),
    }
}
