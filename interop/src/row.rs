//! One row of any format, and where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use vdb_storage::PointId;

/// One point as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The row's own id, or its number when the file gives no ids.
    pub id: PointId,
    /// Whether the id is the row's number: it may be that of a point which has nothing to do with the row.
    pub numbered: bool,
    /// Vectors by name; a format without names yields one under [`ReadOptions::vector_name`](crate::ReadOptions::vector_name).
    /// Every number is finite. Empty when the row has no vector.
    pub vectors: BTreeMap<String, Vec<f32>>,
    /// The payload; `None` when the row has none.
    pub payload: Option<Map<String, Value>>,
    /// Where the row stands, for messages about it.
    pub place: Place,
}

/// A position in an input: prints as `rows.jsonl:12` (a line) or `vectors.npy, row 5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the caller named it, or `standard input`.
    pub file: Arc<str>,
    /// Where in it.
    pub at: At,
}

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The file as a whole.
    File,
    /// A row of a binary format, from 0.
    Row(u64),
    /// A line of a text format, from 1, as editors count.
    Line(u64),
    /// A point that has its id in the file.
    Point(PointId),
}

impl Place {
    /// The same file as a whole.
    pub(crate) fn whole_file(self) -> Place {
        Place {
            file: self.file,
            at: At::File,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::File => write!(f, "{}", self.file),
            At::Row(row) => write!(f, "{}, row {row}", self.file),
            At::Line(line) => write!(f, "{}:{line}", self.file),
            At::Point(id) => write!(f, "{}, point {id}", self.file),
        }
    }
}
