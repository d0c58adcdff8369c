//! In how many rows the dimensions of a query occur.

use super::file::SparseIndex;
use super::memory::SparseRows;
use crate::Result;

/// Frequencies of dimensions over all that a query is asked of: what the weights of rare and frequent dimensions follow
/// from. Segments and rows in memory are [added](Self::add) one by one. Rows that died and are still there count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies {
    rows: u64,
    of: Vec<(u32, u64)>,
}

impl Frequencies {
    /// Of these dimensions, over nothing so far.
    #[must_use]
    pub fn new(dimensions: &[u32]) -> Self {
        Self {
            rows: 0,
            of: dimensions.iter().map(|&dimension| (dimension, 0)).collect(),
        }
    }

    /// Adds the rows of a segment.
    ///
    /// # Errors
    /// The index is damaged.
    pub fn add(&mut self, index: &SparseIndex) -> Result<()> {
        self.rows += u64::from(index.rows_with_vector());
        for (dimension, rows) in &mut self.of {
            *rows += u64::from(index.df(*dimension)?);
        }
        Ok(())
    }

    /// Adds rows in memory.
    pub fn add_rows(&mut self, memory: &SparseRows) {
        self.rows += u64::from(memory.rows_with_vector());
        for (dimension, rows) in &mut self.of {
            *rows += u64::from(memory.df(*dimension));
        }
    }

    /// How many rows have a vector.
    #[must_use]
    pub fn rows_with_vector(&self) -> u64 {
        self.rows
    }

    /// The dimensions as they were given, each with the number of rows that have a value there.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.of.iter().copied()
    }
}
