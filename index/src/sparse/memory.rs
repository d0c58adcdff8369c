//! Sparse vectors of rows that are in no segment yet: appended to, searched by a plain scan.

use std::collections::HashMap;

use vdb_sys::sparse::SparseView;

use super::scan::scan_rows;
use super::search::{Counters, Scratch, SparseQuery, check_vector};
use super::vectors::SparseVectors;
use crate::{Control, Error, Result};

/// The vectors of one named sparse vector, row by row, with the answers that an index over them would give.
///
/// A search scores every row, so it suits some thousand of them. Takes 8 bytes a value, 12 a row, and the frequencies of
/// the dimensions.
#[derive(Debug, Default)]
pub struct SparseRows {
    /// The rows that have a vector, ascending.
    rows: Vec<u32>,
    /// Where the vector of each ends.
    ends: Vec<usize>,
    dimensions: Vec<u32>,
    values: Vec<f32>,
    /// Rows by dimension.
    frequencies: HashMap<u32, u32>,
}

impl SparseRows {
    /// No rows.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the vector of a row. Rows ascend; those left out do not have the vector.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for a row out of order, [`Error::SparseVector`] for a vector that is none.
    pub fn push(&mut self, row: u32, vector: SparseView<'_>) -> Result<()> {
        if self.rows.last().is_some_and(|&last| last >= row) {
            return Err(Error::BadParameter {
                parameter: "row",
                value: u64::from(row),
                range: "the rows after those that are there",
            });
        }
        check_vector(vector)?;
        self.dimensions.extend_from_slice(vector.dimensions());
        self.values.extend_from_slice(vector.values());
        self.rows.push(row);
        self.ends.push(self.dimensions.len());
        for &dimension in vector.dimensions() {
            *self.frequencies.entry(dimension).or_default() += 1;
        }
        Ok(())
    }

    /// How many rows have the vector.
    #[must_use]
    pub fn rows_with_vector(&self) -> u32 {
        self.rows.len() as u32
    }

    /// In how many rows a dimension has a value.
    #[must_use]
    pub fn df(&self, dimension: u32) -> u32 {
        self.frequencies.get(&dimension).copied().unwrap_or(0)
    }

    /// About how much memory is held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of_rows = self.rows.capacity() * size_of::<u32>() + self.ends.capacity() * size_of::<usize>();
        let of_values = (self.dimensions.capacity() + self.values.capacity()) * size_of::<u32>();
        // A byte a slot tells the map which are taken.
        of_rows + of_values + self.frequencies.capacity() * (size_of::<(u32, u32)>() + 1)
    }

    /// Appends the best rows to `hits`, best first: what an index over the same rows answers.
    ///
    /// # Errors
    /// [`Error::SparseVector`] for a query that is no vector, [`Error::Cancelled`].
    pub fn search(
        &self,
        query: &SparseQuery<'_>,
        control: &Control<'_>,
        scratch: &mut Scratch,
        hits: &mut Vec<(f32, u32)>,
    ) -> Result<Counters> {
        check_vector(query.vector)?;
        let top = scratch.top(query.k);
        let rows = self.rows.iter().copied();
        let rows_scored = scan_rows(self, query.vector, rows, query.filter, control, top)?;
        scratch.end(hits);
        Ok(Counters {
            rows_scored,
            ..Counters::default()
        })
    }

    fn vector(&self, at: usize) -> Option<SparseView<'_>> {
        let end = *self.ends.get(at)?;
        let start = at
            .checked_sub(1)
            .map_or(Some(0), |at| self.ends.get(at).copied())?;
        SparseView::new(self.dimensions.get(start..end)?, self.values.get(start..end)?)
    }
}

impl SparseVectors for SparseRows {
    fn sparse(&self, row: u32) -> Result<Option<SparseView<'_>>> {
        // Mostly every row has the vector, and then lies at its number.
        let at = match self.rows.get(row as usize) {
            Some(&there) if there == row => Ok(row as usize),
            Some(_) | None => self.rows.binary_search(&row),
        };
        Ok(at.ok().and_then(|at| self.vector(at)))
    }
}
