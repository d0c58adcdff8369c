//! Which rows of a data set are queries; the others are searched.

use std::path::Path;

use vdb_interop::{Input, read_row_numbers};

use super::permutation::permutation;
use crate::failure::{Failure, Outcome};

/// The seed of the default split.
const SEED: u32 = 42;

/// Row numbers of the queries, and for every row whether it is one.
pub(super) struct Split {
    pub(super) queries: Vec<u64>,
    is_query: Vec<bool>,
}

impl Split {
    /// The rows that `file` lists, or the last `queries` of a seeded permutation of all `rows`.
    pub(super) fn new(rows: u64, queries: usize, file: Option<&Path>) -> Outcome<Split> {
        let listed = match file {
            Some(file) => read_row_numbers(Input::open(file)?, rows)?,
            None => {
                let too_many = || Failure::failed(format!("{rows} rows are too many to split; give --split"));
                let shuffled = permutation(SEED, u32::try_from(rows).map_err(|_| too_many())?);
                let first = shuffled.len().saturating_sub(queries);
                shuffled.iter().skip(first).map(|row| u64::from(*row)).collect()
            }
        };
        let mut is_query = vec![false; usize::try_from(rows).unwrap_or(usize::MAX)];
        for row in &listed {
            match usize::try_from(*row).ok().and_then(|row| is_query.get_mut(row)) {
                Some(mark) => *mark = true,
                None => {
                    return Err(Failure::failed(format!(
                        "the split lists row {row}, but the data has {rows} rows; it belongs to other data"
                    )));
                }
            }
        }
        let base = is_query.iter().filter(|mark| !**mark).count();
        if listed.is_empty() || base == 0 {
            return Err(Failure::failed(format!(
                "of {rows} rows {} are queries and {base} are left to search; give other data or fewer --queries",
                listed.len()
            )));
        }
        Ok(Split {
            queries: listed,
            is_query,
        })
    }

    /// Whether a row is a query.
    pub(super) fn is_query(&self, row: u64) -> bool {
        usize::try_from(row).is_ok_and(|row| self.is_query.get(row).copied().unwrap_or(false))
    }
}

#[cfg(test)]
mod tests;
