//! CSV (RFC 4180): a header row, then one row a record.
//!
//! - `id`: a whole number or a UUID. Without this column rows are numbered.
//! - The vector is either one column `vector` with all of its numbers, as JSON or as `spelled.rs` reads them, or numeric
//!   columns `v0`, `v1`, ... without a gap. A file without either is refused, unless the caller says that rows have no vectors.
//! - Every other column is a payload field of that name. Cells become JSON values by [`cell::value`]'s rules: an
//!   empty cell leaves the field out.
//!
//! All of these names are options. A quoted cell may hold line breaks; a row's place is its first line. A quote that
//! is left open, or closed in the middle of a cell, makes its row a bad one: see `quotes.rs`.

mod cell;
mod columns;
mod quotes;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use csv::ByteRecord;
use serde_json::{Map, Value};
use vdb::Vectors;

use crate::error::{Problem, RowError, quoted, quoted_bytes};
use crate::id::{Given, Numbering};
use crate::input::Input;
use crate::options::ReadOptions;
use crate::row::{At, Place, Row};
use crate::source::{Progress, RowSource};
use crate::spelled;
use columns::{Columns, VectorColumns};
use quotes::Quotes;

/// The `csv` crate reads ahead by this much, so a record may exceed its limit by as much before it is noticed.
const BUFFER: usize = 256 * 1024;

/// The rows of a CSV file.
pub struct CsvRows {
    reader: csv::Reader<Metered>,
    record: ByteRecord,
    columns: Columns,
    typed: bool,
    rows: u64,
    ended: bool,
    numbering: Numbering,
    vector_name: String,
    limit: usize,
}

impl CsvRows {
    /// Reads the header row.
    pub fn new(input: Input, options: &ReadOptions) -> Result<CsvRows, RowError> {
        let place = input.place(At::Line(1));
        let limit = options.max_row_bytes;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(options.csv.delimiter)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Metered {
                input,
                left: budget(limit),
                quotes: Quotes::new(options.csv.delimiter),
            });
        let columns = match reader.byte_headers() {
            Ok(header) => Columns::find(header, options, &place),
            Err(error) => return Err(RowError::new(place, read_problem(error, limit))),
        };
        let end = reader.position().byte();
        if let Some(problem) = reader.get_mut().quotes.problem_before(end) {
            return Err(RowError::new(place, problem));
        }
        let columns = columns?;
        Ok(CsvRows {
            reader,
            record: ByteRecord::new(),
            columns,
            typed: options.csv.typed,
            rows: 0,
            ended: false,
            numbering: Numbering::of(options),
            vector_name: options.vector_name.clone(),
            limit,
        })
    }

    fn place(&self, line: u64) -> Place {
        self.reader.get_ref().input.place(At::Line(line))
    }

    fn row(&mut self, number: u64) -> Result<Row, RowError> {
        let place = self.place(self.record.position().map_or(0, csv::Position::line));
        // First: whatever else is wrong with the row may follow from this.
        let end = self.reader.position().byte();
        if let Some(problem) = self.reader.get_mut().quotes.problem_before(end) {
            return Err(RowError::new(place, problem));
        }
        let (found, expected) = (self.record.len(), self.columns.names.len());
        if found != expected {
            return Err(RowError::new(place, Problem::Cells { expected, found }));
        }
        if self.record.as_slice().len() > self.limit {
            return Err(RowError::new(
                place,
                Problem::TooLong {
                    limit: self.limit,
                    fatal: false,
                },
            ));
        }
        let in_column = |(column, problem)| RowError::in_field(place.clone(), column, problem);
        let vectors = self.vectors().map_err(in_column)?;
        let mut payload = self.payload().map_err(in_column)?;
        let id = self.id().and_then(|id| {
            self.numbering
                .resolve(id, number, &mut payload)
                .map_err(|problem| (self.columns.id_name().to_owned(), problem))
        });
        let (id, numbered) = id.map_err(in_column)?;
        Ok(Row {
            id,
            numbered,
            vectors,
            payload,
            place,
        })
    }

    /// The text of a cell, without blanks around it.
    fn text(&self, column: usize) -> Result<&str, (String, Problem)> {
        let bytes = self.record.get(column).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| {
            let problem = Problem::Value {
                expected: "UTF-8 text",
                found: quoted_bytes(bytes),
            };
            (self.columns.name(column).to_owned(), problem)
        })?;
        Ok(text.trim())
    }

    fn id(&self) -> Result<Option<Given>, (String, Problem)> {
        let Some(column) = self.columns.id else {
            return Ok(None);
        };
        let text = self.text(column)?;
        Ok((!text.is_empty()).then(|| Given::of_text(text)))
    }

    fn vectors(&self) -> Result<Vectors, (String, Problem)> {
        let vectors = Vectors::default();
        let vector = match &self.columns.vector {
            VectorColumns::None => return Ok(vectors),
            VectorColumns::Whole(column) => {
                let text = self.text(*column)?;
                if text.is_empty() {
                    return Ok(vectors);
                }
                spelled::vector(text, self.columns.name(*column))?
            }
            VectorColumns::Numbers(columns) => {
                let mut vector = Vec::with_capacity(columns.len());
                for &column in columns {
                    let text = self.text(column)?;
                    let wrong = |problem| (self.columns.name(column).to_owned(), problem);
                    let number: f32 = text.parse().map_err(|_| {
                        wrong(Problem::Value {
                            expected: "a number",
                            found: quoted(text),
                        })
                    })?;
                    if !number.is_finite() {
                        return Err(wrong(Problem::NotFinite {
                            value: text.to_owned(),
                        }));
                    }
                    vector.push(number);
                }
                vector
            }
        };
        Ok(vectors.with(self.vector_name.as_str(), vector))
    }

    fn payload(&self) -> Result<Option<Map<String, Value>>, (String, Problem)> {
        let mut payload = Map::new();
        for &column in &self.columns.payload {
            if let Some(value) = cell::value(self.text(column)?, self.typed) {
                payload.insert(self.columns.name(column).to_owned(), value);
            }
        }
        Ok((!payload.is_empty()).then_some(payload))
    }
}

impl Iterator for CsvRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let line = self.reader.position().line();
        self.reader.get_mut().left = budget(self.limit);
        let row = match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => {
                self.ended = true;
                return None;
            }
            Ok(true) => self.row(self.rows),
            Err(error) => Err(RowError::new(self.place(line), read_problem(error, self.limit))),
        };
        self.rows += 1;
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for CsvRows {
    fn progress(&self) -> Progress {
        let input = &self.reader.get_ref().input;
        Progress {
            rows: self.rows,
            total_rows: None,
            bytes: input.position(),
            total_bytes: input.total_bytes(),
        }
    }

    fn dim_hint(&self) -> Option<usize> {
        match &self.columns.vector {
            VectorColumns::Numbers(columns) => Some(columns.len()),
            VectorColumns::None | VectorColumns::Whole(_) => None,
        }
    }
}

impl std::fmt::Debug for CsvRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CsvRows")
            .field("columns", &self.columns)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// Stops the `csv` crate, which sets no limit of its own, from swallowing a whole file into one record.
struct Metered {
    input: Input,
    left: usize,
    quotes: Quotes,
}

fn budget(limit: usize) -> usize {
    limit.saturating_add(BUFFER)
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = buffer.len().min(self.left);
        let count = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= count;
        self.quotes.take(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn read_problem(error: csv::Error, limit: usize) -> Problem {
    let csv::ErrorKind::Io(error) = error.into_kind() else {
        // Records of bytes whose lengths may differ fail in no other way.
        return Problem::Io(io::ErrorKind::InvalidData.into());
    };
    match error.kind() == io::ErrorKind::FileTooLarge {
        true => Problem::TooLong { limit, fatal: true },
        false => Problem::Io(error),
    }
}
