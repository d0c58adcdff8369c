//! A file from its start, with every length checked against what is left of it.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use super::error::{Outcome, PickleProblem};

const BUFFER: usize = 256 << 10;

/// Bytes with a known end.
#[derive(Debug)]
pub(super) struct Bytes<R> {
    inner: BufReader<R>,
    at: u64,
    end: u64,
}

impl<R: Read + Seek> Bytes<R> {
    /// The whole of `reader`, whatever was read of it before.
    pub(super) fn new(mut reader: R) -> Outcome<Self> {
        let end = reader.seek(SeekFrom::End(0)).map_err(PickleProblem::Io)?;
        reader.rewind().map_err(PickleProblem::Io)?;
        Ok(Bytes {
            inner: BufReader::with_capacity(BUFFER, reader),
            at: 0,
            end,
        })
    }

    /// The reader again.
    pub(super) fn into_inner(self) -> R {
        self.inner.into_inner()
    }
}

impl<R: Read> Bytes<R> {
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    pub(super) fn len(&self) -> u64 {
        self.end
    }

    /// Bytes that are left, by the file's length.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    pub(super) fn array<const N: usize>(&mut self, inside: &'static str) -> Outcome<[u8; N]> {
        let mut array = [0; N];
        self.inner.read_exact(&mut array).map_err(|error| cut(error, inside))?;
        self.at += N as u64;
        Ok(array)
    }

    pub(super) fn byte(&mut self, inside: &'static str) -> Outcome<u8> {
        self.array(inside).map(|[byte]| byte)
    }

    /// Refuses a length that is above `limit` or runs past the end.
    fn check(&self, length: u64, limit: u64, what: &'static str) -> Outcome<usize> {
        if length > self.left() {
            return Err(PickleProblem::Length {
                what,
                length,
                left: self.left(),
            });
        }
        if length > limit {
            return Err(PickleProblem::Limit {
                what: "bytes in one value",
                limit,
            });
        }
        usize::try_from(length).map_err(|_| PickleProblem::Limit {
            what: "bytes in one value",
            limit,
        })
    }

    pub(super) fn take(&mut self, length: u64, limit: u64, what: &'static str) -> Outcome<Vec<u8>> {
        let mut bytes = vec![0; self.check(length, limit, what)?];
        self.inner.read_exact(&mut bytes).map_err(|error| cut(error, what))?;
        self.at += length;
        Ok(bytes)
    }

    /// Steps over what [`take`](Self::take) would read.
    pub(super) fn skip(&mut self, length: u64, limit: u64, what: &'static str) -> Outcome<()> {
        let mut left = self.check(length, limit, what)?;
        while left > 0 {
            let there = self.inner.fill_buf().map_err(PickleProblem::Io)?.len().min(left);
            if there == 0 {
                return Err(PickleProblem::Truncated { inside: what });
            }
            self.inner.consume(there);
            left -= there;
        }
        self.at += length;
        Ok(())
    }

    /// The bytes before the next line feed, which is read too.
    pub(super) fn line(&mut self, limit: u64, what: &'static str) -> Outcome<Vec<u8>> {
        let mut line = Vec::new();
        let most = limit.saturating_add(1);
        let read = (&mut self.inner)
            .take(most)
            .read_until(b'\n', &mut line)
            .map_err(PickleProblem::Io)? as u64;
        self.at += read;
        if line.pop_if(|last| *last == b'\n').is_some() {
            Ok(line)
        } else if read == most {
            Err(PickleProblem::Limit {
                what: "bytes in one value",
                limit,
            })
        } else {
            Err(PickleProblem::Truncated { inside: what })
        }
    }
}

fn cut(error: std::io::Error, inside: &'static str) -> PickleProblem {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        PickleProblem::Truncated { inside }
    } else {
        PickleProblem::Io(error)
    }
}
