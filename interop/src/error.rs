//! What can be wrong with a row or with the file that holds it.

use std::fmt;
use std::io;

use crate::pickle::PickleError;
use crate::row::Place;

/// A row, or a whole file, that cannot be used: where, which field, what is wrong and what to do about it.
///
/// Its `Display` form is one line such as `rows.jsonl:12: vector[3]: NaN is not a finite number; ...`.
#[derive(Debug)]
pub struct RowError {
    /// The file and the row or line in it.
    pub place: Place,
    /// The field of the row (`id`, `vector[3]`, a column's name); `None` when the row as a whole is meant.
    pub field: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong. The texts say what to do wherever there is one thing to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Opening or reading failed. Fatal.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// The file is not what its name or the caller says, or holds a kind of data that is not read here. Fatal.
    #[error("expected {expected}, found {found}; {advice}")]
    Format {
        /// What this reader takes.
        expected: &'static str,
        /// What the file holds.
        found: String,
        /// How to get there.
        advice: &'static str,
    },
    /// The file ends inside a row or before the rows that its header promises. Fatal.
    #[error("the file is cut short: expected {expected} bytes, found {found}; write or copy it again")]
    Truncated {
        /// Bytes that should be there.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The file goes on after the last row that its header promises. Fatal.
    #[error("there are bytes after the last of its {rows} rows; save one array a file")]
    Trailing {
        /// Rows that the header promises.
        rows: u64,
    },
    /// Vectors and payload rows come from two files of different lengths. Fatal.
    #[error("holds {payload_rows} rows of payload for {vectors}; row i of one belongs to row i of the other")]
    Unpaired {
        /// Payload rows: a number, or "more than" one.
        payload_rows: String,
        /// The vectors: their number and their file.
        vectors: String,
    },
    /// A row is longer than the limit of [`ReadOptions::max_row_bytes`](crate::ReadOptions::max_row_bytes).
    #[error(
        "the row is longer than {limit} bytes, the most that is read (--max-row-bytes){}",
        if *.fatal { ": is a quote left open? raise it if not" } else { "; raise it if the row is meant to be so long" }
    )]
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// Whether the reader has lost its place, so that no later row can be read.
        fatal: bool,
    },
    /// A value is not valid JSON, or has the wrong type.
    #[error("{message} (byte {column} of the line)")]
    Json {
        /// What the parser says.
        message: String,
        /// Byte of the line, from 1.
        column: usize,
    },
    /// The line is not JSON at all.
    #[error("this line is not JSON: {message} (byte {column} of the line); each line must be {expected}")]
    NotJson {
        /// What the parser says.
        message: String,
        /// Byte of the line, from 1.
        column: usize,
        /// What a line of such a file is.
        expected: &'static str,
    },
    /// A value is there but cannot be used.
    #[error("{found} is not {expected}")]
    Value {
        /// What the field takes.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// A value of a payload has no equal in JSON.
    #[error("{found} is nothing that a payload holds; --lossy makes it {nearest}")]
    Unkept {
        /// The value.
        found: String,
        /// What is nearest to it.
        nearest: &'static str,
    },
    /// A pickle cannot be used. Fatal.
    #[error("{0}")]
    Pickle(#[source] PickleError),
    /// A file that others decode cannot be read. Fatal.
    #[error("cannot be read as {format}: {why}")]
    Container {
        /// What it was taken for.
        format: &'static str,
        /// What the decoder says.
        why: String,
    },
    /// A SQLite file cannot be read. Fatal.
    #[error("cannot be read as SQLite: {0}")]
    Sqlite(String),
    /// What a file says of its collection or of its points as a whole cannot be. Fatal.
    #[error("{0}")]
    Collection(String),
    /// A number of a vector is NaN, infinite, or too large for 32 bits.
    #[error("{value} is not a finite 32-bit number; repair or drop the row")]
    NotFinite {
        /// The number as the file has it.
        value: String,
    },
    /// A CSV file has no column of the name that the caller gave. Fatal.
    #[error("there is no column {name}; the columns are {columns}")]
    NoColumn {
        /// The name asked for.
        name: String,
        /// Those that there are.
        columns: String,
    },
    /// A CSV file has a column that looks like the ids' and is not named so. Fatal.
    #[error(
        "the column {name:?} may hold the ids, and there is none named \"id\": say --id-column {name}, or rename it"
    )]
    MaybeIds {
        /// The column.
        name: String,
    },
    /// A CSV file has no vectors. Fatal.
    #[error(
        "no vector column; the columns are {columns}; use --vector-column, --vector-prefix or --delimiter, or --no-vectors if the rows have none"
    )]
    NoVectorColumn {
        /// The columns that there are.
        columns: String,
    },
    /// A quoted cell of a CSV file does not end as it should.
    #[error(
        "{} the quote opened on line {line}; double the quotes inside a quoted cell, or quote no cell that starts with one",
        if *.open { "the file ends inside" } else { "text follows after" }
    )]
    Quote {
        /// Line of the opening quote.
        line: u64,
        /// Whether the quote is never closed.
        open: bool,
        /// Whether later rows may have been taken for the cell.
        fatal: bool,
    },
    /// The row has more or fewer cells than the header has columns.
    #[error("the row has {found} cells and the header {expected} columns")]
    Cells {
        /// Columns of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// Some rows of the file have an id and others have none.
    #[error(
        "the row has {} and the rows before it have {}; give every row an id or none (rows without ids are numbered)",
        if *.given { "an id" } else { "no id" },
        if *.given { "none" } else { "one" }
    )]
    MixedIds {
        /// Whether this row has an id.
        given: bool,
    },
    /// The row number does not fit an id.
    #[error("row numbers run past the greatest id, 18446744073709551615; start from a smaller number")]
    IdsExhausted,
}

impl RowError {
    pub(crate) fn new(place: Place, problem: Problem) -> Self {
        RowError {
            place,
            field: None,
            problem,
        }
    }

    pub(crate) fn in_field(place: Place, field: impl Into<String>, problem: Problem) -> Self {
        RowError {
            place,
            field: Some(field.into()),
            problem,
        }
    }

    /// Whether only this row is lost: a caller that skips bad rows may go on with the next one.
    /// After any other error the source yields nothing more.
    pub fn is_skippable(&self) -> bool {
        match &self.problem {
            Problem::Io(_)
            | Problem::Format { .. }
            | Problem::Truncated { .. }
            | Problem::Trailing { .. }
            | Problem::Unpaired { .. }
            | Problem::NoColumn { .. }
            | Problem::MaybeIds { .. }
            | Problem::NoVectorColumn { .. }
            | Problem::Pickle(_)
            | Problem::Container { .. }
            | Problem::Sqlite(_)
            | Problem::Collection(_)
            | Problem::IdsExhausted => false,
            Problem::TooLong { fatal, .. } | Problem::Quote { fatal, .. } => !fatal,
            Problem::Json { .. }
            | Problem::NotJson { .. }
            | Problem::Value { .. }
            | Problem::Unkept { .. }
            | Problem::NotFinite { .. }
            | Problem::Cells { .. }
            | Problem::MixedIds { .. } => true,
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{}: {field}: {}", self.place, self.problem),
            None => write!(f, "{}: {}", self.place, self.problem),
        }
    }
}

impl std::error::Error for RowError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problem.source()
    }
}

/// Runs a decoder of another crate. What it asserts of a file is an error of the file here.
#[cfg(any(feature = "parquet", feature = "hdf5"))]
pub(crate) fn guarded<T, E: ToString>(
    format: &'static str,
    decode: impl FnOnce() -> Result<T, E>,
) -> Result<T, Problem> {
    let why = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it is damaged where its decoder does not expect it".to_owned(),
    };
    Err(Problem::Container { format, why })
}

/// Text as an error shows it: quoted, and cut where it would fill the screen.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

pub(crate) fn quoted_bytes(bytes: &[u8]) -> String {
    quoted(&String::from_utf8_lossy(bytes.get(..240).unwrap_or(bytes)))
}
