//! Numbers of an index file, each looked for only where the file still has bytes.

use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};

use crate::error::Problem;

const BUFFER: usize = 256 * 1024;

/// Bytes that can be read again from another place.
pub(super) trait Bytes: Read + Seek + Send {}

impl<T: Read + Seek + Send> Bytes for T {}

/// Where the elements of a vector are in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// The first byte.
    pub(super) at: u64,
    /// Elements.
    pub(super) count: u64,
}

/// A file of known length and a place in it.
pub(super) struct Scan {
    reader: BufReader<Box<dyn Bytes>>,
    at: u64,
    len: u64,
}

impl Scan {
    pub(super) fn new(mut reader: Box<dyn Bytes>) -> Result<Scan, Problem> {
        let len = reader.seek(SeekFrom::End(0)).map_err(Problem::Io)?;
        reader.rewind().map_err(Problem::Io)?;
        Ok(Scan {
            reader: BufReader::with_capacity(BUFFER, reader),
            at: 0,
            len,
        })
    }

    /// Bytes of the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The place of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    pub(super) fn seek(&mut self, at: u64) -> Result<(), Problem> {
        self.reader.seek(SeekFrom::Start(at)).map_err(Problem::Io)?;
        self.at = at;
        Ok(())
    }

    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<(), Problem> {
        self.reader.read_exact(out).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                self.cut_short(out.len() as u64)
            } else {
                Problem::Io(error)
            }
        })?;
        self.at += out.len() as u64;
        Ok(())
    }

    fn cut_short(&self, bytes: u64) -> Problem {
        Problem::Truncated {
            expected: self.at.saturating_add(bytes),
            found: self.len,
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn tag(&mut self) -> Result<[u8; 4], Problem> {
        self.array()
    }

    pub(super) fn u8(&mut self) -> Result<u8, Problem> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, Problem> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, Problem> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Problem> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, Problem> {
        self.array().map(f32::from_le_bytes)
    }

    /// Passes over `count` elements of `width` bytes and says where they are.
    pub(super) fn skip(&mut self, count: u64, width: u64) -> Result<Extent, Problem> {
        let extent = Extent { at: self.at, count };
        let bytes = count.saturating_mul(width);
        if bytes > self.len.saturating_sub(self.at) {
            return Err(self.cut_short(bytes));
        }
        self.seek(self.at + bytes)?;
        Ok(extent)
    }

    /// Passes over a vector of elements of `width` bytes and says where they are.
    pub(super) fn vector(&mut self, width: u64) -> Result<Extent, Problem> {
        let count = self.u64()?;
        self.skip(count, width)
    }

    /// The elements of a vector, at most `most` of them.
    pub(super) fn numbers<T>(
        &mut self,
        most: u64,
        what: &'static str,
        read: impl Fn(&mut Scan) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        let count = self.u64()?;
        if count > most {
            return Err(Problem::Format {
                expected: what,
                found: format!("{count} of them"),
                advice: "the file is damaged: write it again",
            });
        }
        // Not reserved: the file may not hold what it promises.
        (0..count).map(|_| read(self)).collect()
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan")
            .field("at", &self.at)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
