//! A binary file of vectors beside a JSON Lines file of payloads: line `i` is the payload object of row `i`.
//!
//! Each line is an object, or `null` for a row without payload. The files must have the same number of rows.

use std::marker::PhantomData;

use serde_json::{Map, Value};
use vdb::CollectionConfig;
use vdb_sys::element::Element;

use crate::error::{Problem, RowError};
use crate::input::Input;
use crate::json;
use crate::lines::{Line, Lines};
use crate::options::ReadOptions;
use crate::row::{Place, Row};
use crate::source::{Progress, RowSource};

/// What a line has to be.
const EXPECTED: &str = "an object, the payload of one row";

/// Rows of `vectors`, each with the payload of the same number.
pub struct PairedRows {
    vectors: Box<dyn RowSource>,
    vectors_name: String,
    payload: Lines,
    lossy: bool,
    changed: u64,
    ended: bool,
}

impl PairedRows {
    /// Pairs a source of vectors (named `vectors_name` in messages) with the lines of `payload`.
    pub fn new(
        vectors: Box<dyn RowSource>,
        vectors_name: &str,
        payload: Input,
        options: &ReadOptions,
    ) -> PairedRows {
        let payload = Lines::new(payload, options.max_row_bytes);
        PairedRows {
            vectors,
            vectors_name: vectors_name.to_owned(),
            payload,
            lossy: options.lossy,
            changed: 0,
            ended: false,
        }
    }

    /// The next payload line, taken whether or not the vector beside it is good, so that the files stay in step.
    fn payload(&mut self) -> Result<Option<Map<String, Value>>, RowError> {
        let line = self.payload.advance();
        let place = self.payload.place();
        let problem = match line {
            Ok(Line::Text) => match self.parse() {
                Ok(payload) => return self.kept(place, payload),
                Err(problem) => problem,
            },
            Ok(Line::Blank) => Problem::Value {
                expected: "a payload: write {} or null for a row without one",
                found: "a blank line".to_owned(),
            },
            Ok(Line::TooLong) => Problem::TooLong {
                limit: self.payload.limit(),
                fatal: false,
            },
            Ok(Line::End) => {
                let rows = self.vectors.progress();
                let vectors = rows
                    .total_rows
                    .map_or(format!("at least {}", rows.rows), |rows| rows.to_string());
                return Err(self.unpaired(rows.rows.saturating_sub(1).to_string(), &vectors));
            }
            Err(error) => Problem::Io(error),
        };
        Err(RowError::new(place, problem))
    }

    /// The line, made JSON if it is not and may be.
    fn parse(&mut self) -> Result<Option<Map<String, Value>>, Problem> {
        let parsed = object(self.payload.text());
        if !self.lossy || !parsed.as_ref().is_err_and(json::is_mendable) {
            return parsed;
        }
        let (text, changed) = json::mended(self.payload.text(), |_| true);
        self.payload.set_text(text);
        let parsed = object(self.payload.text());
        self.changed += if parsed.is_ok() { changed } else { 0 };
        parsed
    }

    /// The payload, unless a number of it was changed and may not be.
    fn kept(
        &mut self,
        place: Place,
        payload: Option<Map<String, Value>>,
    ) -> Result<Option<Map<String, Value>>, RowError> {
        if let Some(payload) = payload.as_ref().filter(|_| self.lossy) {
            self.changed += json::wide_integers(payload, self.payload.text());
        }
        let wide = payload
            .as_ref()
            .filter(|_| !self.lossy)
            .and_then(|payload| json::wide_integer(payload, self.payload.text()));
        match wide {
            Some((path, problem)) => Err(RowError::in_field(place, format!("payload{path}"), problem)),
            None => Ok(payload),
        }
    }

    /// After the last vector nothing but blank lines may follow.
    fn end(&mut self) -> Option<RowError> {
        loop {
            match self.payload.advance() {
                Ok(Line::End) => return None,
                Ok(Line::Blank) => {}
                Ok(Line::Text | Line::TooLong) => {
                    let rows = self.vectors.progress().rows;
                    return Some(self.unpaired(format!("more than {rows}"), &rows.to_string()));
                }
                Err(error) => return Some(RowError::new(self.payload.place(), Problem::Io(error))),
            }
        }
    }

    fn unpaired(&self, payload_rows: String, vector_rows: &str) -> RowError {
        let place = self.payload.place().whole_file();
        let vectors = format!("the {vector_rows} vectors of {}", self.vectors_name);
        RowError::new(
            place,
            Problem::Unpaired {
                payload_rows,
                vectors,
            },
        )
    }
}

fn object(line: &[u8]) -> Result<Option<Map<String, Value>>, Problem> {
    json::parse_line(line, PhantomData, EXPECTED).map_err(json::of_payload)
}

impl Iterator for PairedRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.vectors.next() {
            Some(Err(error)) if !error.is_skippable() => Err(error),
            Some(row) => match (self.payload(), row) {
                (Ok(payload), Ok(row)) => Ok(Row { payload, ..row }),
                // A row that is bad on both sides is told once, unless the payload file cannot go on.
                (Err(error), Err(_)) if !error.is_skippable() => Err(error),
                (_, Err(error)) | (Err(error), Ok(_)) => Err(error),
            },
            None => match self.end() {
                None => {
                    self.ended = true;
                    return None;
                }
                Some(error) => Err(error),
            },
        };
        self.ended = row.as_ref().is_err_and(|error| !error.is_skippable());
        Some(row)
    }
}

impl RowSource for PairedRows {
    /// Counts the bytes of the vectors alone: they are nearly all.
    fn progress(&self) -> Progress {
        self.vectors.progress()
    }

    fn dim_hint(&self) -> Option<usize> {
        self.vectors.dim_hint()
    }

    fn config(&self) -> Option<CollectionConfig> {
        self.vectors.config()
    }

    fn notes(&self) -> &[String] {
        self.vectors.notes()
    }

    fn changed(&self) -> u64 {
        self.changed
    }

    fn element(&self) -> Option<Element> {
        self.vectors.element()
    }
}

impl std::fmt::Debug for PairedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairedRows")
            .field("vectors", &self.vectors_name)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
