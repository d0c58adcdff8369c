//! Batches of a stream, or of a file from a pipe.
//!
//! A stream is messages: `ffffffff`, the length of the metadata (i32), the metadata (a flatbuffer), the body. A file is `ARROW1`, two
//! bytes, such a stream, and a footer that a pipe has no use for.

use std::io::{BufReader, Read};

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::root_as_message;
use arrow_schema::SchemaRef;

use super::{CONTINUATION, FORMAT, MAGIC, MAX_BATCH, MAX_METADATA, check, damaged, too_large};
use crate::columnar::batches::Batches;
use crate::error::{Problem, guarded};
use crate::input::Input;

/// The batches of a stream.
pub(super) struct StreamBatches {
    input: BufReader<Input>,
    decoder: StreamDecoder,
    schema: SchemaRef,
    /// A file says where its batches end; a stream may just end.
    is_file: bool,
    ended: bool,
}

/// Reads up to the schema.
pub(super) fn open(input: Input) -> Result<StreamBatches, Problem> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut start = [0; 4];
    fill(&mut input, &mut start)?;
    let is_file = MAGIC.starts_with(&start);
    if is_file {
        let mut rest = [0; 4];
        fill(&mut input, &mut rest)?;
        if !MAGIC.ends_with(&rest) {
            return Err(none_of_it());
        }
        fill(&mut input, &mut start)?;
    }
    if start != CONTINUATION {
        return Err(none_of_it());
    }
    let mut decoder = StreamDecoder::new();
    feed(&mut decoder, CONTINUATION.to_vec())?;
    // Before the schema there is no batch.
    message(&mut input, &mut decoder)?;
    let schema = decoder.schema().ok_or_else(none_of_it)?;
    Ok(StreamBatches {
        input,
        decoder,
        schema,
        is_file,
        ended: false,
    })
}

fn none_of_it() -> Problem {
    Problem::Format {
        expected: "an Arrow file or stream",
        found: "something else".to_owned(),
        advice: "write it with pyarrow.feather.write_feather or pyarrow.ipc of 0.15 or newer, or with write_ipc or write_ipc_stream of \
                 polars, of which the first is read from a file and not from a pipe",
    }
}

/// What a message came to.
enum Told {
    Batch(RecordBatch),
    Nothing,
    End,
}

/// Reads the message whose mark was read, and has it decoded.
fn message(input: &mut BufReader<Input>, decoder: &mut StreamDecoder) -> Result<Told, Problem> {
    let mut length = [0; 4];
    fill(input, &mut length)?;
    let Ok(size) = u64::try_from(i32::from_le_bytes(length)) else {
        return Err(damaged("a message of negative length"));
    };
    if size == 0 {
        return Ok(Told::End);
    }
    if size > MAX_METADATA {
        return Err(damaged(format!("metadata of {size} bytes")));
    }
    let mut bytes = Vec::from(length);
    exact(input, &mut bytes, size)?;
    let body = {
        let metadata = bytes.get(4..).unwrap_or_default();
        let message = root_as_message(metadata).map_err(damaged)?;
        u64::try_from(message.bodyLength()).map_err(|_| damaged("a body of negative length"))?
    };
    if body > MAX_BATCH {
        return Err(too_large(body));
    }
    let start = bytes.len();
    exact(input, &mut bytes, body)?;
    let (metadata, content) = bytes
        .split_at_checked(start)
        .ok_or_else(|| damaged("a message that ends early"))?;
    check(metadata.get(4..).unwrap_or_default(), content)?;
    // A message without a body is taken for complete only when something follows: the mark of the next one.
    bytes.extend_from_slice(&CONTINUATION);
    Ok(feed(decoder, bytes)?.map_or(Told::Nothing, Told::Batch))
}

/// Hands bytes to the decoder, at most one batch of them.
fn feed(decoder: &mut StreamDecoder, bytes: Vec<u8>) -> Result<Option<RecordBatch>, Problem> {
    let mut buffer = Buffer::from_vec(bytes);
    let mut found = None;
    while !buffer.is_empty() {
        let batch = guarded(FORMAT, || decoder.decode(&mut buffer))?;
        found = batch.or(found);
    }
    Ok(found)
}

fn fill(input: &mut BufReader<Input>, out: &mut [u8]) -> Result<(), Problem> {
    input.read_exact(out).map_err(|error| {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            cut_short(input, out.len() as u64)
        } else {
            Problem::Io(error)
        }
    })
}

/// Appends so many bytes, reserving no more than come.
fn exact(input: &mut BufReader<Input>, bytes: &mut Vec<u8>, count: u64) -> Result<(), Problem> {
    let read = input
        .by_ref()
        .take(count)
        .read_to_end(bytes)
        .map_err(Problem::Io)?;
    if read as u64 == count {
        return Ok(());
    }
    Err(cut_short(input, count - read as u64))
}

fn cut_short(input: &BufReader<Input>, missing: u64) -> Problem {
    let found = input.get_ref().position();
    Problem::Truncated {
        expected: found.saturating_add(missing),
        found,
    }
}

impl Batches for StreamBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Problem> {
        while !self.ended {
            let mut mark = [0; 4];
            let mut read = 0;
            while let Some(rest) = mark.get_mut(read..).filter(|rest| !rest.is_empty()) {
                match self.input.read(rest).map_err(Problem::Io)? {
                    0 => break,
                    more => read += more,
                }
            }
            if read == 0 {
                if self.is_file {
                    return Err(cut_short(&self.input, 8));
                }
                self.ended = true;
                break;
            }
            if mark != CONTINUATION {
                return Err(damaged("no message where one should begin"));
            }
            match message(&mut self.input, &mut self.decoder)? {
                Told::Batch(batch) => return Ok(Some(batch)),
                Told::Nothing => {}
                Told::End => self.ended = true,
            }
        }
        Ok(None)
    }

    fn bytes(&self) -> u64 {
        self.input.get_ref().position()
    }

    fn total_bytes(&self) -> Option<u64> {
        self.input.get_ref().total_bytes()
    }

    fn total_rows(&self) -> Option<u64> {
        None
    }
}
