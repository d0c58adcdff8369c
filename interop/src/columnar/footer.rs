//! The metadata of a Parquet file, looked over before it is decoded.
//!
//! It stands at the end, before its length (u32) and `PAR1`, in Thrift's compact protocol
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>). A decoder reserves memory for lists as long as
//! they say they are, and follows groups of columns into each other; so here lists are compared with the bytes that are left, and
//! depths are bounded.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::error::Problem;

const MAGIC: &[u8; 4] = b"PAR1";
const ENCRYPTED: &[u8; 4] = b"PARE";
const TAIL: u64 = 8;

/// Bytes of metadata, at most: files of thousands of row groups and columns have some megabytes.
const MAX_METADATA: u64 = 256 << 20;
/// Structures and lists within each other, at most.
const MAX_DEPTH: usize = 32;
/// Columns and groups of columns, at most, and how deep they are.
const MAX_COLUMNS: u64 = 100_000;
const MAX_GROUPS: usize = 64;

/// Fields: the schema among those of the metadata, the children among those of an element of it.
const SCHEMA: i16 = 2;
const CHILDREN: i16 = 5;

/// Looks the file over; its length.
pub(super) fn check(file: &mut File) -> Result<u64, Problem> {
    let len = file.seek(SeekFrom::End(0)).map_err(Problem::Io)?;
    let mut head = [0; 4];
    let mut tail = [0; TAIL as usize];
    if len < TAIL + 4 {
        return Err(none_of_it(format!("{len} bytes")));
    }
    file.rewind()
        .and_then(|()| file.read_exact(&mut head))
        .and_then(|()| file.seek(SeekFrom::Start(len - TAIL)))
        .and_then(|_| file.read_exact(&mut tail))
        .map_err(Problem::Io)?;
    let (size, magic) = tail.split_at(4);
    if magic == ENCRYPTED {
        return Err(none_of_it("an encrypted one".to_owned()));
    }
    if head != *MAGIC {
        return Err(none_of_it("another file".to_owned()));
    }
    if magic != MAGIC {
        return Err(none_of_it(
            "a file without its end, which may be cut short".to_owned(),
        ));
    }
    let size = size.try_into().map_or(0, u32::from_le_bytes);
    let size = u64::from(size);
    if size > len - TAIL || size > MAX_METADATA {
        return Err(none_of_it(format!("metadata of {size} bytes in {len}")));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    file.seek(SeekFrom::Start(len - TAIL - size))
        .and_then(|_| file.read_exact(&mut bytes))
        .and_then(|()| file.rewind())
        .map_err(Problem::Io)?;
    walk(&bytes).map_err(|why| Problem::Container {
        format: "Parquet",
        why: format!("its metadata {why}"),
    })?;
    Ok(len)
}

fn none_of_it(found: String) -> Problem {
    Problem::Format {
        expected: "a Parquet file, which begins and ends with PAR1",
        found,
        advice: "write or copy it again",
    }
}

/// Passes over all metadata.
fn walk(bytes: &[u8]) -> Result<(), &'static str> {
    let mut cursor = Cursor {
        rest: bytes,
        groups: Vec::new(),
        columns: 0,
    };
    cursor.structure(MAX_DEPTH, Within::Metadata)
}

/// What a structure is, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Metadata,
    Column,
    Other,
}

struct Cursor<'a> {
    rest: &'a [u8],
    /// Children that are still to come, of each group that is open.
    groups: Vec<u64>,
    columns: u64,
}

const ENDS: &str = "ends too early";

impl Cursor<'_> {
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (first, rest) = self.rest.split_first().ok_or(ENDS)?;
        self.rest = rest;
        Ok(*first)
    }

    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("has a number that does not end")
    }

    fn skip(&mut self, bytes: u64) -> Result<(), &'static str> {
        let bytes = usize::try_from(bytes).map_err(|_| ENDS)?;
        self.rest = self.rest.get(bytes..).ok_or(ENDS)?;
        Ok(())
    }

    fn structure(&mut self, depth: usize, within: Within) -> Result<(), &'static str> {
        let depth = depth.checked_sub(1).ok_or("nests too deeply")?;
        let mut field = 0i16;
        let mut children = 0;
        loop {
            let head = self.byte()?;
            let kind = head & 0x0f;
            if kind == 0 {
                break;
            }
            field = match head >> 4 {
                0 => i16::try_from(unzigzag(self.varint()?)).map_err(|_| "has a field that cannot be")?,
                delta => field
                    .checked_add(delta.into())
                    .ok_or("has a field that cannot be")?,
            };
            if within == Within::Column && field == CHILDREN && kind == I32 {
                children =
                    u64::try_from(unzigzag(self.varint()?)).map_err(|_| "has a group of negative size")?;
                continue;
            }
            let inner = if within == Within::Metadata && field == SCHEMA {
                Within::Column
            } else {
                Within::Other
            };
            self.value(kind, depth, inner, true)?;
        }
        if within == Within::Column {
            self.column(children)?;
        }
        Ok(())
    }

    /// Notes an element of the schema, which lists groups before their children.
    fn column(&mut self, children: u64) -> Result<(), &'static str> {
        self.columns += 1;
        if self.columns > MAX_COLUMNS {
            return Err("has more than 100,000 columns");
        }
        while self.groups.last() == Some(&0) {
            self.groups.pop();
        }
        if let Some(left) = self.groups.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            self.groups.push(children);
        }
        if self.groups.len() > MAX_GROUPS {
            return Err("has groups of columns within each other, more than 64");
        }
        Ok(())
    }

    fn value(&mut self, kind: u8, depth: usize, within: Within, is_field: bool) -> Result<(), &'static str> {
        match kind {
            // A boolean is told by the kind of a field, and is a byte of a list.
            TRUE | FALSE if is_field => Ok(()),
            TRUE | FALSE | BYTE => self.skip(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.skip(8),
            BINARY => {
                let length = self.varint()?;
                self.skip(length)
            }
            LIST | SET => {
                let depth = depth.checked_sub(1).ok_or("nests too deeply")?;
                let head = self.byte()?;
                let count = match head >> 4 {
                    15 => self.varint()?,
                    short => short.into(),
                };
                // An item has at least a byte.
                if count > self.rest.len() as u64 {
                    return Err("has a list that is longer than the metadata");
                }
                (0..count).try_for_each(|_| self.value(head & 0x0f, depth, within, false))
            }
            MAP => {
                let depth = depth.checked_sub(1).ok_or("nests too deeply")?;
                let count = self.varint()?;
                if count > self.rest.len() as u64 {
                    return Err("has a map that is longer than the metadata");
                }
                if count == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.value(kinds >> 4, depth, Within::Other, false)?;
                    self.value(kinds & 0x0f, depth, Within::Other, false)
                })
            }
            STRUCT => self.structure(depth, within),
            UUID => self.skip(16),
            _ => Err("has a value of a kind that there is not"),
        }
    }
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests;
