//! Which rows of a data set are queries; the others are searched.

use std::path::Path;

use vdb_interop::{Input, RowError, read_row_numbers};

use crate::numpy::permutation;

/// The seed of the default split.
const SEED: u32 = 42;

/// Why a data set cannot be split.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// The file that lists the queries cannot be read.
    #[error(transparent)]
    File(#[from] RowError),
    /// The seeded permutation takes fewer rows.
    #[error("{rows} rows are too many to split; give --split")]
    TooMany {
        /// Rows of the data.
        rows: u64,
    },
    /// The split belongs to other data.
    #[error("the split lists row {row}, but the data has {rows} rows; it belongs to other data")]
    OtherData {
        /// The row that is listed.
        row: u64,
        /// Rows of the data.
        rows: u64,
    },
    /// No query, or nothing to search.
    #[error(
        "of {rows} rows {queries} are queries and {base} are left to search; give other data or fewer --queries"
    )]
    Empty {
        /// Rows of the data.
        rows: u64,
        /// Rows that are queries.
        queries: usize,
        /// Rows that are not.
        base: usize,
    },
}

/// Row numbers of the queries, and for every row whether it is one.
#[derive(Clone, Debug)]
pub struct Split {
    /// Row numbers of the queries, in the order in which they are asked.
    pub queries: Vec<u64>,
    is_query: Vec<bool>,
}

impl Split {
    /// The rows that `file` lists, or the last `queries` of a seeded permutation of all `rows`.
    pub fn new(rows: u64, queries: usize, file: Option<&Path>) -> Result<Split, SplitError> {
        let listed = match file {
            Some(file) => read_row_numbers(Input::open(file)?, rows)?,
            None => {
                let shuffled = permutation(
                    SEED,
                    u32::try_from(rows).map_err(|_| SplitError::TooMany { rows })?,
                );
                let first = shuffled.len().saturating_sub(queries);
                shuffled.iter().skip(first).map(|row| u64::from(*row)).collect()
            }
        };
        let mut is_query = vec![false; usize::try_from(rows).unwrap_or(usize::MAX)];
        for row in &listed {
            let mark = usize::try_from(*row).ok().and_then(|row| is_query.get_mut(row));
            *mark.ok_or(SplitError::OtherData { row: *row, rows })? = true;
        }
        let base = is_query.iter().filter(|mark| !**mark).count();
        if listed.is_empty() || base == 0 {
            return Err(SplitError::Empty {
                rows,
                queries: listed.len(),
                base,
            });
        }
        Ok(Split {
            queries: listed,
            is_query,
        })
    }

    /// Whether a row is a query.
    pub fn is_query(&self, row: u64) -> bool {
        usize::try_from(row).is_ok_and(|row| self.is_query.get(row).copied().unwrap_or(false))
    }
}

#[cfg(test)]
mod tests;
