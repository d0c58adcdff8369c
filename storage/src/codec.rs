//! The one place that decides how small structured records become bytes.
//!
//! Records go through bincode with its options spelled out: little-endian, integers of fixed width, lengths as
//! `u64`. Records are versioned by the file they lie in; a field that is added or removed is a new version of
//! that file. Bulk numbers never come here: they are raw little-endian arrays.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::{Decode, Encode};

use crate::{Error, Result};

/// Largest record that is written, in bytes.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// What decoding may claim in memory before it gives up on a length that cannot be true. Above
/// [`MAX_RECORD_BYTES`] because strings and lists are larger in memory than in a file.
const MAX_DECODED_BYTES: usize = 4 * MAX_RECORD_BYTES;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<MAX_DECODED_BYTES>> = bincode::config::standard()
    .with_little_endian()
    .with_fixed_int_encoding()
    .with_limit::<MAX_DECODED_BYTES>();

/// Encodes a record.
///
/// # Errors
/// [`Error::Encode`] when the bytes exceed [`MAX_RECORD_BYTES`].
pub fn encode<T: Encode>(record: &T) -> Result<Vec<u8>> {
    let bytes = bincode::encode_to_vec(record, CONFIG).map_err(|error| Error::Encode {
        reason: error.to_string(),
    })?;
    if bytes.len() > MAX_RECORD_BYTES {
        let reason = format!("{} bytes, at most {MAX_RECORD_BYTES} are allowed", bytes.len());
        return Err(Error::Encode { reason });
    }
    Ok(bytes)
}

/// Decodes the record that fills `bytes` from end to end. `path` and `offset` say where the bytes lie, for the
/// error when they are not what [`encode`] wrote.
pub fn decode<T: Decode<()>>(bytes: &[u8], path: &str, offset: u64) -> Result<T> {
    let (record, used) = bincode::decode_from_slice(bytes, CONFIG)
        .map_err(|error| Error::corrupt(path, offset, format!("expected a record: {error}")))?;
    if used != bytes.len() {
        let what = format!("expected a record of {used} bytes, found {}", bytes.len());
        return Err(Error::corrupt(path, offset, what));
    }
    Ok(record)
}

/// Appends a record to `out`: one of many, which are bounded together by whoever keeps them and not by
/// [`MAX_RECORD_BYTES`].
///
/// # Errors
/// [`Error::Encode`] when the record cannot be said in bytes. What was appended then is unspecified.
pub fn append<T: Encode>(record: &T, out: &mut Vec<u8>) -> Result<()> {
    bincode::encode_into_std_write(record, out, CONFIG)
        .map(drop)
        .map_err(|error| Error::Encode {
            reason: error.to_string(),
        })
}

/// Decodes the record that `bytes` begin with, as [`append`] left it, and takes it off them. `path` and `offset` are as of
/// [`decode`].
///
/// # Errors
/// When the bytes are not what [`append`] wrote.
pub fn take<T: Decode<()>>(bytes: &mut &[u8], path: &str, offset: u64) -> Result<T> {
    let (record, used) = bincode::decode_from_slice(bytes, CONFIG)
        .map_err(|error| Error::corrupt(path, offset, format!("expected a record: {error}")))?;
    *bytes = bytes.get(used..).unwrap_or_default();
    Ok(record)
}

#[cfg(test)]
mod tests;
