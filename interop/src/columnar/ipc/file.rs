//! Batches of a file, found by its footer.
//!
//! A file ends with the footer (a flatbuffer), its length (i32) and `ARROW1`. The footer has the schema, and says of each dictionary and each
//! record batch where its message is and how long its metadata and its body are.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::FileDecoder;
use arrow_ipc::{Block, Endianness, root_as_footer};
use arrow_schema::{ArrowError, SchemaRef};

use super::{CONTINUATION, FORMAT, MAGIC, MAX_BATCH, MAX_METADATA, check, damaged, too_large};
use crate::columnar::batches::Batches;
use crate::error::{Problem, guarded};

/// The length of the footer and the magic without its zeros.
const TAIL: u64 = 10;

/// The batches of a file.
pub(super) struct FileBatches {
    file: File,
    decoder: FileDecoder,
    schema: SchemaRef,
    /// Where the batches are.
    blocks: std::vec::IntoIter<Block>,
    /// Bytes of all blocks, and of those that were read.
    total: u64,
    read: u64,
    /// Where the footer begins.
    end: u64,
}

/// Reads the footer and the dictionaries; none where the file does not begin as such a file does.
pub(super) fn open(path: &Path) -> Result<Option<FileBatches>, Problem> {
    let mut file = File::open(path).map_err(Problem::Io)?;
    let mut start = [0; MAGIC.len()];
    match file.read_exact(&mut start) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(Problem::Io(error)),
        Ok(()) if start != *MAGIC => return Ok(None),
        Ok(()) => {}
    }
    let len = file.seek(SeekFrom::End(0)).map_err(Problem::Io)?;
    let tail = len.checked_sub(TAIL).filter(|tail| *tail >= MAGIC.len() as u64);
    let tail = tail.ok_or_else(cut_short)?;
    let bytes = read(&mut file, tail, TAIL)?;
    let (length, magic) = bytes.split_at_checked(4).ok_or_else(cut_short)?;
    if !MAGIC.starts_with(magic) {
        return Err(cut_short());
    }
    let length = length.try_into().map_or(0, i32::from_le_bytes);
    let length = u64::try_from(length).map_err(|_| damaged("a footer of negative length"))?;
    let end = tail.checked_sub(length).filter(|_| length <= MAX_METADATA);
    let end = end.ok_or_else(|| damaged(format!("a footer of {length} bytes in {len}")))?;
    let footer = read(&mut file, end, length)?;
    let footer = root_as_footer(&footer).map_err(damaged)?;
    let schema = footer
        .schema()
        .ok_or_else(|| damaged("a footer without a schema"))?;
    if schema.endianness() != Endianness::Little {
        return Err(Problem::Format {
            expected: "numbers with their lowest byte first",
            found: "the other order".to_owned(),
            advice: "write it on another machine, or as Parquet",
        });
    }
    let schema = guarded(FORMAT, || {
        Ok::<_, ArrowError>(SchemaRef::new(fb_to_schema(schema)))
    })?;
    let dictionaries = blocks(footer.dictionaries());
    let blocks = blocks(footer.recordBatches());
    // Nothing is in a file twice: else a small file could be read without end.
    let total = dictionaries
        .iter()
        .chain(&blocks)
        .map(|block| size(block).map_or(u64::MAX, |(metadata, body)| metadata.saturating_add(body)))
        .fold(0, u64::saturating_add);
    if total > end {
        return Err(damaged(format!("batches of {total} bytes in {len}")));
    }
    let mut opened = FileBatches {
        file,
        decoder: FileDecoder::new(schema.clone(), footer.version()),
        schema,
        blocks: blocks.into_iter(),
        total: len,
        read: 0,
        end,
    };
    for block in dictionaries {
        let bytes = opened.message(&block)?;
        guarded(FORMAT, || opened.decoder.read_dictionary(&block, &bytes))?;
    }
    Ok(Some(opened))
}

fn blocks<'a>(listed: Option<impl IntoIterator<Item = &'a Block>>) -> Vec<Block> {
    listed.into_iter().flatten().copied().collect()
}

fn cut_short() -> Problem {
    Problem::Format {
        expected: "an Arrow file, which ends with ARROW1",
        found: "one without its end".to_owned(),
        advice: "write or copy it again",
    }
}

/// Bytes of a message: its metadata, its body.
fn size(block: &Block) -> Option<(u64, u64)> {
    let metadata = u64::try_from(block.metaDataLength()).ok()?;
    Some((metadata, u64::try_from(block.bodyLength()).ok()?))
}

/// So many bytes, which are in the file.
fn read(file: &mut File, at: u64, count: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at)).map_err(Problem::Io)?;
    file.by_ref()
        .take(count)
        .read_to_end(&mut bytes)
        .map_err(Problem::Io)?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err(cut_short())
    }
}

impl FileBatches {
    /// The message of a block, looked over.
    fn message(&mut self, block: &Block) -> Result<Buffer, Problem> {
        let at = u64::try_from(block.offset()).ok();
        let (Some(at), Some((metadata, body))) = (at, size(block)) else {
            return Err(damaged("a block of negative length"));
        };
        if metadata > MAX_METADATA {
            return Err(damaged(format!("metadata of {metadata} bytes")));
        }
        if body > MAX_BATCH {
            return Err(too_large(body));
        }
        let length = metadata + body;
        if at.checked_add(length).is_none_or(|end| end > self.end) {
            return Err(damaged(format!("a block of {length} bytes at {at}")));
        }
        let bytes = read(&mut self.file, at, length)?;
        self.read += length;
        let parts = bytes.split_at_checked(usize::try_from(metadata).unwrap_or(usize::MAX));
        let (metadata, body) = parts.ok_or_else(|| damaged("a block that ends early"))?;
        // Its length is before it, and before that the mark of a message, in files since 2019.
        let before = if metadata.starts_with(&CONTINUATION) { 8 } else { 4 };
        check(metadata.get(before..).unwrap_or_default(), body)?;
        Ok(Buffer::from_vec(bytes))
    }
}

impl Batches for FileBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn advance(&mut self) -> Result<Option<RecordBatch>, Problem> {
        while let Some(block) = self.blocks.next() {
            let bytes = self.message(&block)?;
            let batch = guarded(FORMAT, || self.decoder.read_record_batch(&block, &bytes))?;
            if batch.is_some() {
                return Ok(batch);
            }
        }
        Ok(None)
    }

    fn bytes(&self) -> u64 {
        self.read
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.total)
    }

    fn total_rows(&self) -> Option<u64> {
        None
    }
}
