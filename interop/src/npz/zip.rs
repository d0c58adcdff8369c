//! The entries of a zip archive, as `numpy.savez` writes them: stored or deflated, with the 64-bit fields of large files.
//!
//! The format is PKWARE's APPNOTE.TXT 6.3; only what NumPy uses of it is read.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::path::Path;

use flate2::CrcReader;
use flate2::bufread::DeflateDecoder;

use crate::error::Problem;

/// Signatures, as they are read.
const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";

/// Bytes of these records without what varies.
const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;
const END_64_BYTES: usize = 56;

/// The end may be followed by a comment of so many bytes.
const MAX_COMMENT: u64 = 65_535;
/// Bytes of the directory, at most.
const MAX_DIRECTORY: u64 = 16 << 20;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The kind of the extra field with 64-bit sizes.
const EXTRA_64: u16 = 1;

/// A file in the archive.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    /// Where its local header begins.
    at: u64,
}

fn damaged(why: impl ToString) -> Problem {
    Problem::Container {
        format: "a zip archive",
        why: why.to_string(),
    }
}

/// A number of the record at `at`; 0 beyond its end, which no record is shorter than.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<2>());
    field.map_or(0, |field| u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    field.map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
    field.map_or(0, |field| u64::from_le_bytes(*field))
}

fn read_at(file: &mut File, at: u64, count: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                damaged("it ends too early")
            } else {
                Problem::Io(error)
            }
        })?;
    Ok(bytes)
}

/// The entries of the archive at `path`, in the order of its directory.
pub(super) fn entries(path: &Path) -> Result<Vec<Entry>, Problem> {
    let mut file = File::open(path).map_err(Problem::Io)?;
    let len = file.seek(SeekFrom::End(0)).map_err(Problem::Io)?;
    let (at, size) = directory(&mut file, len)?;
    if size > MAX_DIRECTORY || at.checked_add(size).is_none_or(|end| end > len) {
        return Err(damaged(format!("a directory of {size} bytes at {at}, in {len}")));
    }
    let bytes = read_at(&mut file, at, usize::try_from(size).unwrap_or(0))?;
    let mut rest = bytes.as_slice();
    let mut entries = Vec::new();
    while rest.len() >= CENTRAL_BYTES {
        if !rest.starts_with(CENTRAL) {
            return Err(damaged("its directory has something that is no entry"));
        }
        let lengths = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
        let [name, extra, comment] = lengths;
        let names = CENTRAL_BYTES + name;
        let text = rest.get(CENTRAL_BYTES..names);
        let more = rest.get(names..names + extra);
        let (Some(text), Some(more)) = (text, more) else {
            return Err(damaged("its directory ends within an entry"));
        };
        entries.push(entry(rest, text, more)?);
        rest = rest.get(names + extra + comment..).unwrap_or_default();
    }
    Ok(entries)
}

/// Where the directory is, and its bytes.
fn directory(file: &mut File, len: u64) -> Result<(u64, u64), Problem> {
    let tail = len.min(MAX_COMMENT + END_BYTES as u64);
    let bytes = read_at(file, len - tail, usize::try_from(tail).unwrap_or(0))?;
    let found = bytes.windows(END.len()).rposition(|window| window == END);
    let end = found
        .and_then(|at| bytes.get(at..))
        .filter(|end| end.len() >= END_BYTES)
        .ok_or_else(|| damaged("it has no directory at its end; it may be cut short"))?;
    let (size, at) = (u32_at(end, 12), u32_at(end, 16));
    if at != u32::MAX && size != u32::MAX {
        return Ok((at.into(), size.into()));
    }
    let end_at = len - end.len() as u64;
    let locator_at = end_at
        .checked_sub(LOCATOR_BYTES as u64)
        .ok_or_else(|| damaged("its directory has no place"))?;
    let locator = read_at(file, locator_at, LOCATOR_BYTES)?;
    if !locator.starts_with(LOCATOR_64) {
        return Err(damaged("its directory has no place"));
    }
    let record = read_at(file, u64_at(&locator, 8), END_64_BYTES)?;
    if !record.starts_with(END_64) {
        return Err(damaged("its directory has no place"));
    }
    Ok((u64_at(&record, 48), u64_at(&record, 40)))
}

fn entry(record: &[u8], name: &[u8], extra: &[u8]) -> Result<Entry, Problem> {
    let (flags, method) = (u16_at(record, 8), u16_at(record, 10));
    let name = String::from_utf8_lossy(name).into_owned();
    if flags & 1 != 0 {
        return Err(damaged(format!("{name} is encrypted")));
    }
    let mut entry = Entry {
        method,
        crc: u32_at(record, 16),
        packed: u32_at(record, 20).into(),
        unpacked: u32_at(record, 24).into(),
        at: u32_at(record, 42).into(),
        name,
    };
    // Sizes that do not fit stand in an extra field, in this order.
    let mut wide = wide(extra);
    for field in [&mut entry.unpacked, &mut entry.packed, &mut entry.at] {
        if *field == u64::from(u32::MAX) {
            let (first, rest) = wide
                .split_at_checked(8)
                .ok_or_else(|| damaged(format!("{} has no size", entry.name)))?;
            *field = u64_at(first, 0);
            wide = rest;
        }
    }
    Ok(entry)
}

/// The extra field with sizes of 64 bits.
fn wide(mut extra: &[u8]) -> &[u8] {
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let content = extra.get(4..).unwrap_or_default();
        if kind == EXTRA_64 {
            return content.get(..length).unwrap_or_default();
        }
        extra = content.get(length..).unwrap_or_default();
    }
    &[]
}

impl Entry {
    /// Opens the archive once more, and reads this entry from its start.
    pub(super) fn open(&self, path: &Path) -> Result<Unpacked, Problem> {
        let mut file = File::open(path).map_err(Problem::Io)?;
        let head = read_at(&mut file, self.at, LOCAL_BYTES)?;
        if !head.starts_with(LOCAL) {
            return Err(damaged(format!("{} is not where the directory says", self.name)));
        }
        let skipped = i64::from(u16_at(&head, 26)) + i64::from(u16_at(&head, 28));
        file.seek(SeekFrom::Current(skipped)).map_err(Problem::Io)?;
        let packed = BufReader::with_capacity(1 << 16, file).take(self.packed);
        let content: Box<dyn Read + Send> = match self.method {
            STORED => Box::new(packed),
            DEFLATED => Box::new(DeflateDecoder::new(BufReader::with_capacity(1 << 16, packed))),
            other => return Err(damaged(format!("{} is packed by method {other}", self.name))),
        };
        Ok(Unpacked {
            content: CrcReader::new(content).take(self.unpacked),
            crc: self.crc,
            name: self.name.clone(),
        })
    }

    /// Bytes of the content.
    pub(super) fn len(&self) -> u64 {
        self.unpacked
    }
}

/// The content of an entry, with its checksum compared at its end.
pub(super) struct Unpacked {
    content: Take<CrcReader<Box<dyn Read + Send>>>,
    crc: u32,
    name: String,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            let found = self.content.get_ref().crc().sum();
            if self.content.limit() == 0 && found != self.crc {
                let why = format!("{} is damaged: its checksum is another one", self.name);
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
        Ok(count)
    }
}
