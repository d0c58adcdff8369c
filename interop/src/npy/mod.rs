//! `.npy`: one matrix of `float32`, `float16` or `uint8`, rows back to back, little-endian.
//!
//! Row `i` gets the id `first_id + i`. `float64` is refused rather than rounded behind the caller's back.

mod header;
mod literal;
#[cfg(test)]
mod tests;

use std::io::{BufReader, Read};

use vdb::Vectors;
use vdb_sys::element::{Element, decode_to_f32};

use crate::error::{Problem, RowError, quoted};
use crate::id::Numbering;
use crate::input::Input;
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::vector::{MAX_DIM, not_finite};
pub(crate) use header::Header;

/// Bytes read from the file at a time: a few hundred rows of the usual sizes.
const BUFFER: usize = 256 * 1024;

/// The rows of an `.npy` matrix.
#[derive(Debug)]
pub struct NpyRows {
    input: BufReader<Input>,
    place: Place,
    element: Element,
    dim: usize,
    rows: u64,
    /// Bytes of the whole file by its header.
    length: u64,
    next: u64,
    ended: bool,
    numbering: Numbering,
    vector_name: String,
    bytes: Vec<u8>,
}

impl NpyRows {
    /// Reads the header, and compares what it promises with the length of the file where that is known.
    pub fn new(mut input: Input, options: &ReadOptions) -> Result<NpyRows, RowError> {
        let place = input.place(At::File);
        let matrix = Header::read(&mut input).and_then(|header| Matrix::check(&header, &input));
        let Matrix {
            element,
            dim,
            rows,
            length,
        } = matrix.map_err(|problem| RowError::new(place.clone(), problem))?;
        Ok(NpyRows {
            input: BufReader::with_capacity(BUFFER, input),
            place,
            element,
            dim,
            rows,
            length,
            next: 0,
            ended: false,
            numbering: Numbering::of(options),
            vector_name: options.vector_name.clone(),
            bytes: vec![0; dim * element.size()],
        })
    }

    /// Reads the next row's numbers; a problem here ends the file.
    fn read_row(&mut self) -> Result<Vec<f32>, Problem> {
        if let Err(error) = self.input.read_exact(&mut self.bytes) {
            if error.kind() != std::io::ErrorKind::UnexpectedEof {
                return Err(Problem::Io(error));
            }
            let found = self.input.get_ref().position();
            return Err(Problem::Truncated {
                expected: self.length,
                found,
            });
        }
        let mut vector = vec![0.0; self.dim];
        decode_to_f32(&self.bytes, self.element, &mut vector);
        Ok(vector)
    }

    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = Place {
            file: self.place.file.clone(),
            at: At::Row(number),
        };
        let vector = self
            .read_row()
            .map_err(|problem| RowError::new(place.clone(), problem))?;
        if let Some((at, problem)) = not_finite(&vector) {
            return Err(RowError::in_field(place, format!("vector[{at}]"), problem));
        }
        match self.numbering.number(number) {
            Ok(id) => Ok(Row {
                id,
                numbered: true,
                vectors: Vectors::default().with(self.vector_name.as_str(), vector),
                payload: None,
                place,
            }),
            Err(problem) => Err(RowError::new(place, problem)),
        }
    }

    /// After the last row: a pipe's length was unknown, so look whether it goes on.
    fn end(&mut self) -> Option<Result<Row, RowError>> {
        self.ended = true;
        let problem = match self.input.read(&mut [0]) {
            Ok(0) => return None,
            Ok(_) => Problem::Trailing { rows: self.rows },
            Err(error) => Problem::Io(error),
        };
        Some(Err(RowError::new(self.place.clone(), problem)))
    }
}

impl Iterator for NpyRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        if self.next == self.rows {
            return self.end();
        }
        let number = self.next;
        self.next += 1;
        let row = self.row(number);
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for NpyRows {
    fn progress(&self) -> Progress {
        Progress {
            rows: self.next,
            total_rows: Some(self.rows),
            bytes: self.input.get_ref().position(),
            total_bytes: self.input.get_ref().total_bytes(),
        }
    }

    fn dim_hint(&self) -> Option<usize> {
        Some(self.dim)
    }

    fn element(&self) -> Option<Element> {
        Some(self.element)
    }
}

/// A header found fit for reading rows.
struct Matrix {
    element: Element,
    dim: usize,
    rows: u64,
    length: u64,
}

impl Matrix {
    fn check(header: &Header, input: &Input) -> Result<Matrix, Problem> {
        let element = match header.descr.as_str() {
            "<f4" => Element::F32,
            "<f2" => Element::F16,
            "|u1" | "<u1" => Element::U8,
            other => return Err(wrong_type(other)),
        };
        if header.fortran_order {
            return Err(Problem::Format {
                expected: "rows back to back (C order)",
                found: "columns back to back (Fortran order)".to_owned(),
                advice: "save numpy.ascontiguousarray(a)",
            });
        }
        let &[rows, dim] = header.shape.as_slice() else {
            return Err(Problem::Format {
                expected: "a matrix of rows x numbers",
                found: format!("an array of {} dimensions", header.shape.len()),
                advice: "save a.reshape(rows, -1)",
            });
        };
        let dim = usize::try_from(dim)
            .ok()
            .filter(|dim| (1..=MAX_DIM).contains(dim))
            .ok_or_else(|| Problem::Format {
                expected: "vectors of 1 to 65,536 numbers",
                found: format!("vectors of {dim}"),
                advice: "check the shape of the array",
            })?;
        let data = rows.checked_mul((dim * element.size()) as u64);
        let Some(length) = data.and_then(|data| data.checked_add(header.data_start)) else {
            return Err(Problem::Format {
                expected: "a matrix that fits a file",
                found: format!("{rows} rows of {dim} numbers"),
                advice: "check the shape of the array",
            });
        };
        match input.total_bytes() {
            Some(found) if found < length => Err(Problem::Truncated {
                expected: length,
                found,
            }),
            Some(found) if found > length => Err(Problem::Trailing { rows }),
            Some(_) | None => Ok(Matrix {
                element,
                dim,
                rows,
                length,
            }),
        }
    }
}

fn wrong_type(descr: &str) -> Problem {
    let advice = match descr {
        "<f8" => "save a.astype('float32')",
        ">f4" | ">f2" | ">f8" => "save a.astype('<f4'): the bytes are big-endian",
        _ => "save a.astype('float32') if the numbers are vectors",
    };
    Problem::Format {
        expected: "float32, float16 or uint8 ('<f4', '<f2', '|u1')",
        found: quoted(descr),
        advice,
    }
}

/// Reads a list of row numbers: a one-dimensional `.npy` array of 32- or 64-bit whole numbers, as a split of a
/// data set is kept. Holds the whole list; a list longer than `limit` is refused before anything is allocated.
pub fn read_row_numbers(mut input: Input, limit: u64) -> Result<Vec<u64>, RowError> {
    let place = input.place(At::File);
    let numbers = Header::read(&mut input).and_then(|header| row_numbers(&header, &mut input, limit));
    numbers.map_err(|problem| RowError::new(place, problem))
}

fn row_numbers(header: &Header, input: &mut Input, limit: u64) -> Result<Vec<u64>, Problem> {
    let wrong = |found| Problem::Format {
        expected: "a one-dimensional array of row numbers ('<u4', '<i4', '<u8' or '<i8')",
        found,
        advice: "save rows.astype('uint32')",
    };
    let (&[count], size) = (header.shape.as_slice(), header.descr.as_str()) else {
        return Err(wrong(format!("an array of {} dimensions", header.shape.len())));
    };
    let (size, signed) = match size {
        "<u4" => (4, false),
        "<i4" => (4, true),
        "<u8" => (8, false),
        "<i8" => (8, true),
        other => return Err(wrong(quoted(other))),
    };
    if count > limit {
        return Err(wrong(format!("{count} numbers where at most {limit} make sense")));
    }
    let mut numbers = Vec::new();
    let mut cell = [0; 8];
    let mut cells = BufReader::new(input);
    for _ in 0..count {
        match cells.read_exact(cell.get_mut(..size).unwrap_or_default()) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(Problem::Truncated {
                    expected: header.data_start + count * size as u64,
                    found: cells.get_ref().position(),
                });
            }
            Err(error) => return Err(Problem::Io(error)),
        }
        let number = u64::from_le_bytes(cell);
        let negative = signed && number >> (size * 8 - 1) == 1;
        if negative {
            return Err(wrong("a negative number".to_owned()));
        }
        numbers.push(number);
    }
    Ok(numbers)
}
