//! A binary file of vectors beside a JSON Lines file of points without them: line `i` has the id and the payload of row `i`.
//!
//! The files must have the same number of rows.

use vdb::CollectionConfig;
use vdb_sys::element::Element;

use crate::error::{Problem, RowError};
use crate::json_lines::JsonLinesRows;
use crate::row::{At, Row};
use crate::source::{Progress, RowSource};

/// Rows of `vectors`, each with the id and the payload of the same number.
pub struct JoinedRows {
    vectors: Box<dyn RowSource>,
    vectors_name: String,
    points: JsonLinesRows,
    rows: u64,
    ended: bool,
}

impl JoinedRows {
    /// Joins a source of vectors (named `vectors_name` in messages) with the lines of `points`.
    pub fn new(vectors: Box<dyn RowSource>, vectors_name: &str, points: JsonLinesRows) -> JoinedRows {
        JoinedRows {
            vectors,
            vectors_name: vectors_name.to_owned(),
            points,
            rows: 0,
            ended: false,
        }
    }

    fn unpaired(&self, points: String, vectors: &str) -> RowError {
        let mut place = self.points.place();
        place.at = At::File;
        RowError::new(
            place,
            Problem::Unpaired {
                payload_rows: points,
                vectors: format!("the {vectors} vectors of {}", self.vectors_name),
            },
        )
    }

    /// One row of both, whatever is wrong with one of them, so that they stay in step.
    fn row(&mut self) -> Option<Result<Row, RowError>> {
        let (vector, point) = (self.vectors.next(), self.points.next());
        let rows = self.rows;
        self.rows += 1;
        Some(match (vector, point) {
            (None, None) => return None,
            (Some(Err(error)), _) if !error.is_skippable() => Err(error),
            (_, Some(Err(error))) if !error.is_skippable() => Err(error),
            (None, Some(_)) => Err(self.unpaired(format!("more than {rows}"), &rows.to_string())),
            (Some(_), None) => {
                let total = self.vectors.progress().total_rows;
                let vectors = total.map_or(format!("at least {}", rows + 1), |total| total.to_string());
                Err(self.unpaired(rows.to_string(), &vectors))
            }
            (Some(Err(error)), Some(_)) | (Some(Ok(_)), Some(Err(error))) => Err(error),
            (Some(Ok(vector)), Some(Ok(point))) if point.vectors.0.is_empty() => Ok(Row {
                vectors: vector.vectors,
                ..point
            }),
            (Some(Ok(_)), Some(Ok(point))) => {
                let problem = Problem::Value {
                    expected: "a row without a vector: those of the other file are taken",
                    found: "a row with one".to_owned(),
                };
                Err(RowError::in_field(point.place, "vector", problem))
            }
        })
    }
}

impl Iterator for JoinedRows {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.row();
        self.ended = match &row {
            None => true,
            Some(row) => row.as_ref().is_err_and(|error| !error.is_skippable()),
        };
        row
    }
}

impl RowSource for JoinedRows {
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
        self.points.changed()
    }

    fn element(&self) -> Option<Element> {
        self.vectors.element()
    }
}

impl std::fmt::Debug for JoinedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinedRows")
            .field("vectors", &self.vectors_name)
            .field("points", &self.points)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
