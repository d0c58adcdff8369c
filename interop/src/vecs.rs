//! `.fvecs`, `.bvecs` and `.ivecs`: the formats of the TEXMEX corpora (<http://corpus-texmex.irisa.fr>).
//!
//! Each row is its dimension as a little-endian `i32` followed by that many `f32` (`.fvecs`), `u8` (`.bvecs`) or `i32` (`.ivecs`, where
//! an integer that 32-bit floats do not hold makes a row bad).
//! Every row must have the dimension of the first: otherwise the file is damaged and nothing after it can be trusted.

use std::io::{BufReader, ErrorKind, Read};

use vdb::Vectors;
use vdb_sys::element::{Element, decode_to_f32};

use crate::error::{Problem, RowError};
use crate::id::Numbering;
use crate::input::Input;
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::{MAX_DIM, not_finite};

const BUFFER: usize = 256 * 1024;
/// Bytes of the dimension before each row.
const PREFIX: usize = 4;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Element(Element),
    I32,
}

impl Number {
    /// Bytes of a number.
    fn size(self) -> usize {
        match self {
            Number::Element(element) => element.size(),
            Number::I32 => 4,
        }
    }
}

/// The rows of an `.fvecs`, `.bvecs` or `.ivecs` file; row `i` gets the id `first_id + i`.
#[derive(Debug)]
pub struct VecsRows {
    input: BufReader<Input>,
    place: Place,
    number: Number,
    /// From the first row; 0 for an empty file.
    dim: usize,
    /// The first row's prefix has been read already.
    prefix_read: bool,
    next: u64,
    ended: bool,
    numbering: Numbering,
    vector_name: String,
    bytes: Vec<u8>,
}

impl VecsRows {
    /// `.fvecs`: numbers are `f32`.
    pub fn fvecs(input: Input, options: &ReadOptions) -> Result<VecsRows, RowError> {
        VecsRows::new(input, Number::Element(Element::F32), options)
    }

    /// `.bvecs`: numbers are bytes.
    pub fn bvecs(input: Input, options: &ReadOptions) -> Result<VecsRows, RowError> {
        VecsRows::new(input, Number::Element(Element::U8), options)
    }

    /// `.ivecs`: numbers are `i32`.
    pub fn ivecs(input: Input, options: &ReadOptions) -> Result<VecsRows, RowError> {
        VecsRows::new(input, Number::I32, options)
    }

    fn new(mut input: Input, number: Number, options: &ReadOptions) -> Result<VecsRows, RowError> {
        let place = input.place(At::File);
        let dim = first_dim(&mut input).map_err(|problem| RowError::new(place.clone(), problem))?;
        let row = (PREFIX + dim * number.size()) as u64;
        if input
            .total_bytes()
            .is_some_and(|found| dim > 0 && found % row != 0)
        {
            let (at, problem) = uneven(&mut input, dim, number);
            return Err(RowError::new(input.place(at), problem));
        }
        Ok(VecsRows {
            input: BufReader::with_capacity(BUFFER, input),
            place,
            number,
            dim,
            prefix_read: true,
            next: 0,
            ended: dim == 0,
            numbering: Numbering::of(options),
            vector_name: options.vector_name.clone(),
            bytes: vec![0; dim * number.size()],
        })
    }

    fn row_bytes(&self) -> usize {
        PREFIX + self.dim * self.number.size()
    }

    /// Reads the prefix of a row after the first; `false` at the end of the file.
    fn read_prefix(&mut self) -> Result<bool, Problem> {
        if std::mem::take(&mut self.prefix_read) {
            return Ok(true);
        }
        let mut prefix = [0; PREFIX];
        match self.input.read(prefix.get_mut(..1).unwrap_or_default()) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(Problem::Io(error)),
        }
        self.exact(|input| input.read_exact(prefix.get_mut(1..).unwrap_or_default()))?;
        let dim = i32::from_le_bytes(prefix);
        if usize::try_from(dim) == Ok(self.dim) {
            return Ok(true);
        }
        Err(other_dim(dim, self.dim))
    }

    fn exact(
        &mut self,
        read: impl FnOnce(&mut BufReader<Input>) -> std::io::Result<()>,
    ) -> Result<(), Problem> {
        read(&mut self.input).map_err(|error| {
            if error.kind() != ErrorKind::UnexpectedEof {
                return Problem::Io(error);
            }
            let expected = (self.next + 1).saturating_mul(self.row_bytes() as u64);
            Problem::Truncated {
                expected,
                found: self.input.get_ref().position(),
            }
        })
    }

    fn vector(&mut self) -> Result<Option<Vec<f32>>, Problem> {
        if !self.read_prefix()? {
            return Ok(None);
        }
        let mut bytes = std::mem::take(&mut self.bytes);
        let read = self.exact(|input| input.read_exact(&mut bytes));
        self.bytes = bytes;
        read?;
        let mut vector = vec![0.0; self.dim];
        match self.number {
            Number::Element(element) => decode_to_f32(&self.bytes, element, &mut vector),
            Number::I32 => {
                let (integers, _) = self.bytes.as_chunks::<4>();
                for (out, integer) in vector.iter_mut().zip(integers) {
                    *out = i32::from_le_bytes(*integer) as f32;
                }
            }
        }
        Ok(Some(vector))
    }

    /// The first integer of the row read last that 32 bits of a float do not hold.
    fn unheld(&self) -> Option<(usize, Problem)> {
        if self.number != Number::I32 {
            return None;
        }
        let (integers, _) = self.bytes.as_chunks::<4>();
        let mut integers = integers
            .iter()
            .map(|integer| i32::from_le_bytes(*integer))
            .enumerate();
        let (at, integer) = integers.find(|(_, integer)| i64::from(*integer) != (*integer as f32) as i64)?;
        let problem = Problem::Value {
            expected: "a number that 32-bit floats hold, as integers up to 16777216 are",
            found: integer.to_string(),
        };
        Some((at, problem))
    }
}

impl Iterator for VecsRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let number = self.next;
        let place = Place {
            file: self.place.file.clone(),
            at: At::Row(number),
        };
        let row = match self.vector() {
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Ok(Some(vector)) => match (
                not_finite(&vector).or_else(|| self.unheld()),
                self.numbering.number(number),
            ) {
                (None, Ok(id)) => Ok(Row {
                    id,
                    numbered: true,
                    vectors: Vectors::default().with(self.vector_name.as_str(), vector),
                    payload: None,
                    place,
                }),
                (Some((at, problem)), _) => Err(RowError::in_field(place, format!("vector[{at}]"), problem)),
                (None, Err(problem)) => Err(RowError::new(place, problem)),
            },
            Err(problem) => Err(RowError::new(place, problem)),
        };
        self.next += 1;
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for VecsRows {
    fn progress(&self) -> Progress {
        let total_bytes = self.input.get_ref().total_bytes();
        Progress {
            rows: self.next,
            total_rows: total_bytes.map(|bytes| {
                if self.dim == 0 {
                    0
                } else {
                    bytes / self.row_bytes() as u64
                }
            }),
            bytes: self.input.get_ref().position(),
            total_bytes,
        }
    }

    fn dim_hint(&self) -> Option<usize> {
        (self.dim > 0).then_some(self.dim)
    }

    fn element(&self) -> Option<Element> {
        match self.number {
            Number::Element(element) => Some(element),
            Number::I32 => None,
        }
    }
}

fn other_dim(found: i32, first: usize) -> Problem {
    Problem::Format {
        expected: "a row of the dimension of the first row",
        found: format!("dimension {found} after {first}"),
        advice: "the file is damaged or of another kind: write or copy it again",
    }
}

/// Why a file's length is no whole number of rows: one of another dimension, or else the file is cut short. `input`
/// stands after the first row's prefix and is of no use afterwards.
fn uneven(input: &mut Input, dim: usize, number: Number) -> (At, Problem) {
    let total = input.total_bytes().unwrap_or_default();
    let row = (PREFIX + dim * number.size()) as u64;
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut numbers = vec![0; dim * number.size()];
    let mut prefix = [0; PREFIX];
    for number in 1.. {
        if input.read_exact(&mut numbers).is_err() || input.read_exact(&mut prefix).is_err() {
            break;
        }
        let found = i32::from_le_bytes(prefix);
        if usize::try_from(found) != Ok(dim) {
            return (At::Row(number), other_dim(found, dim));
        }
    }
    let expected = (total / row + 1) * row;
    (
        At::File,
        Problem::Truncated {
            expected,
            found: total,
        },
    )
}

/// The dimension of the first row, or 0 when the file is empty.
fn first_dim(input: &mut Input) -> Result<usize, Problem> {
    let mut prefix = [0; PREFIX];
    let found = input.fill(&mut prefix).map_err(Problem::Io)?;
    if found == 0 {
        return Ok(0);
    }
    if found < PREFIX {
        return Err(Problem::Truncated {
            expected: PREFIX as u64,
            found: found as u64,
        });
    }
    let dim = i32::from_le_bytes(prefix);
    let dim = usize::try_from(dim)
        .ok()
        .filter(|dim| (1..=MAX_DIM).contains(dim))
        .ok_or_else(|| Problem::Format {
            expected: "a first row of 1 to 65,536 numbers",
            found: format!("dimension {dim}"),
            advice: "is this an .fvecs or .bvecs file?",
        })?;
    Ok(dim)
}

#[cfg(test)]
mod tests;
