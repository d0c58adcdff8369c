//! Arrays of one value, or of a few, a row: ids and payload fields.

use std::io::{BufReader, ErrorKind, Read};

use serde_json::{Number, Value as Json};
use vdb_sys::element::{Element, decode_to_f32};

use crate::error::{Problem, quoted, quoted_bytes};
use crate::input::Input;
use crate::misfit::{Lossy, Misfit};
use crate::npy::Header;
use crate::time;

/// Bytes and items of a row, at most: an item becomes a value of JSON, which takes some dozens of bytes.
const MAX_ROW: u64 = 64 << 20;
const MAX_ITEMS: u64 = 1 << 20;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
    /// Characters of 32 bits, filled up with zeros.
    Text(usize),
    /// Bytes, filled up with zeros.
    Bytes(usize),
    /// Parts of a second from 1970.
    Moment {
        per_second: i64,
    },
    Day,
}

impl Kind {
    fn of(descr: &str) -> Option<Kind> {
        if let Some(unit) = descr.strip_prefix("<M8[").and_then(|unit| unit.strip_suffix(']')) {
            return Some(match unit {
                "D" => Kind::Day,
                "s" => Kind::Moment { per_second: 1 },
                "ms" => Kind::Moment { per_second: 1_000 },
                "us" => Kind::Moment {
                    per_second: 1_000_000,
                },
                "ns" => Kind::Moment {
                    per_second: 1_000_000_000,
                },
                _ => return None,
            });
        }
        let (head, size) = descr.split_at_checked(2)?;
        let size: usize = size.parse().ok().filter(|size| *size <= 1 << 20)?;
        Some(match (head, size) {
            ("|b", 1) => Kind::Bool,
            ("|i" | "<i", 1 | 2 | 4 | 8) => Kind::Signed(size),
            ("|u" | "<u", 1 | 2 | 4 | 8) => Kind::Unsigned(size),
            ("<f", 2 | 4 | 8) => Kind::Float(size),
            ("<U", _) => Kind::Text(size),
            ("|S", _) => Kind::Bytes(size),
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Signed(size) | Kind::Unsigned(size) | Kind::Float(size) | Kind::Bytes(size) => size,
            Kind::Text(characters) => 4 * characters,
            Kind::Moment { .. } | Kind::Day => 8,
        }
    }

    fn json(self, bytes: &[u8], lossy: &mut Lossy) -> Result<Json, Misfit> {
        // Little-endian, whatever its size.
        let bits = || {
            bytes
                .iter()
                .rev()
                .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte))
        };
        let signed = |size: usize| {
            let unused = 64 - 8 * u32::try_from(size).unwrap_or(8);
            (bits() << unused).cast_signed() >> unused
        };
        Ok(match self {
            Kind::Bool => Json::Bool(bits() != 0),
            Kind::Signed(size) => signed(size).into(),
            Kind::Unsigned(_) => bits().into(),
            Kind::Float(size) => {
                let value = if size == 8 {
                    f64::from_bits(bits())
                } else {
                    let mut out = [0.0];
                    let element = if size == 2 { Element::F16 } else { Element::F32 };
                    decode_to_f32(bytes, element, &mut out);
                    let [value] = out;
                    value.into()
                };
                match Number::from_f64(value) {
                    Some(number) => Json::Number(number),
                    None => return lossy.change(value.to_string(), "null", Json::Null),
                }
            }
            Kind::Text(_) => {
                let (characters, _) = bytes.as_chunks::<4>();
                let used = characters
                    .iter()
                    .rposition(|code| *code != [0; 4])
                    .map_or(0, |at| at + 1);
                let characters = characters.iter().take(used).map(|code| u32::from_le_bytes(*code));
                let text: Option<String> = characters.clone().map(char::from_u32).collect();
                match text {
                    Some(text) => Json::String(text),
                    None => {
                        let characters = characters.map(|code| char::from_u32(code).unwrap_or('\u{fffd}'));
                        let text: String = characters.collect();
                        let found = format!("half of a character in {}", quoted(&text));
                        return lossy.change(found, "U+FFFD in its place", Json::String(text));
                    }
                }
            }
            Kind::Bytes(_) => {
                let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
                let bytes = bytes.get(..used).unwrap_or_default();
                match std::str::from_utf8(bytes) {
                    Ok(text) => text.into(),
                    Err(_) => {
                        let found = format!("bytes that are no UTF-8, {}", quoted_bytes(bytes));
                        let nearest = String::from_utf8_lossy(bytes).into_owned();
                        return lossy.change(found, "text with U+FFFD in their place", nearest.into());
                    }
                }
            }
            // Not a time.
            Kind::Moment { .. } | Kind::Day if signed(8) == i64::MIN => Json::Null,
            Kind::Moment { per_second } => moment(time::timestamp(signed(8), per_second, false))?,
            Kind::Day => moment(time::date(signed(8)))?,
        })
    }
}

fn moment(text: Option<String>) -> Result<Json, Misfit> {
    text.map(Json::String).ok_or_else(|| {
        Misfit::here(Problem::Value {
            expected: "a point in time of years of at most six digits",
            found: "a number".to_owned(),
        })
    })
}

/// An array, row by row.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) rows: u64,
    kind: Kind,
    /// Items of a row, where it is a list.
    list: Option<usize>,
    input: BufReader<Input>,
    row: Vec<u8>,
}

impl Column {
    /// Begins with the first row; `input` stands behind the header.
    pub(super) fn new(name: &str, header: &Header, input: Input) -> Result<Column, Problem> {
        let wrong = |why: String| {
            Problem::Collection(format!(
                "the array {name:?} {why}: leave it out with --leave-out {name:?}, or save it otherwise"
            ))
        };
        let kind = Kind::of(&header.descr).ok_or_else(|| {
            wrong(format!(
                "is of the type {}, which is not read here",
                quoted(&header.descr)
            ))
        })?;
        let (rows, list) = match header.shape.as_slice() {
            [rows] => (*rows, None),
            [rows, items] => (*rows, Some(*items)),
            other => return Err(wrong(format!("has {} dimensions", other.len()))),
        };
        if header.fortran_order && list.is_some_and(|items| items > 1) && rows > 1 {
            return Err(wrong("has columns back to back (Fortran order)".to_owned()));
        }
        if list.is_some_and(|items| items > MAX_ITEMS) {
            return Err(wrong(format!("has rows of more than {MAX_ITEMS} items")));
        }
        let bytes = list.unwrap_or(1).checked_mul(kind.size() as u64);
        let bytes = bytes
            .filter(|bytes| *bytes <= MAX_ROW)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .ok_or_else(|| wrong(format!("has rows of more than {MAX_ROW} bytes")))?;
        // Of rows without bytes any number would fit.
        if bytes == 0 {
            return Err(wrong("has rows of no bytes".to_owned()));
        }
        if let Some(found) = input.total_bytes() {
            let expected = rows
                .saturating_mul(bytes as u64)
                .saturating_add(header.data_start);
            if found < expected {
                return Err(Problem::Truncated { expected, found });
            }
            if found > expected {
                return Err(Problem::Trailing { rows });
            }
        }
        Ok(Column {
            name: name.to_owned(),
            rows,
            kind,
            list: list.and_then(|items| usize::try_from(items).ok()),
            input: BufReader::with_capacity(1 << 16, input),
            row: vec![0; bytes],
        })
    }

    /// Whether its items can be ids.
    pub(super) fn has_ids(&self) -> bool {
        self.list.is_none()
            && matches!(
                self.kind,
                Kind::Signed(_) | Kind::Unsigned(_) | Kind::Text(_) | Kind::Bytes(_)
            )
    }

    /// Whether it is a matrix of floats.
    pub(super) fn is_matrix_of_floats(header: &Header) -> bool {
        header.shape.len() == 2 && matches!(Kind::of(&header.descr), Some(Kind::Float(_)))
    }

    /// The next row. A problem with reading ends the file; one with a value does not.
    pub(super) fn advance(&mut self, lossy: &mut Lossy) -> Result<Result<Json, Misfit>, Problem> {
        self.input.read_exact(&mut self.row).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                let found = self.input.get_ref().position();
                Problem::Truncated {
                    expected: found.saturating_add(self.row.len() as u64),
                    found,
                }
            } else {
                Problem::Io(error)
            }
        })?;
        let size = self.kind.size();
        Ok(match self.list {
            None => self.kind.json(&self.row, lossy),
            Some(items) => (0..items)
                .map(|at| {
                    let bytes = self.row.get(at * size..(at + 1) * size).unwrap_or_default();
                    let item = self.kind.json(bytes, lossy);
                    item.map_err(|misfit| misfit.within(&format!("[{at}]")))
                })
                .collect::<Result<_, _>>()
                .map(Json::Array),
        })
    }

    /// After the last row: reads on, so that the checksum is compared, and says whether nothing came.
    pub(super) fn is_over(&mut self) -> Result<bool, Problem> {
        self.input
            .read(&mut [0])
            .map(|count| count == 0)
            .map_err(Problem::Io)
    }
}

#[cfg(test)]
mod tests;
