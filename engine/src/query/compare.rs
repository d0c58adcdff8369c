//! How near is a stored vector to a query, of whichever kind both are?

use vdb_sys::kernel::{Interaction, Kernel, MaxSim, UNIT_LENGTH_MOST};
use vdb_sys::sparse::SparseView;
use vdb_sys::words::Words;

use crate::error::Result;
use crate::query::allowance::Allowance;
use crate::schema::{DenseSchema, VectorKind, VectorSchema};
use crate::vectors::with_sparse;

/// What a comparison is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The score is returned: points that look equally far are.
    Score,
    /// Other scores are made of it: squared distances as they are.
    Similarity,
}

/// A query in its stored form, ready to be compared with stored vectors of the same name. Scores are larger for nearer ones.
pub(crate) struct Comparer<'q> {
    query: Prepared<'q>,
}

enum Prepared<'q> {
    Dense(Kernel, &'q [u8]),
    Multi(MaxSim<'q>),
    Sparse(&'q [u8]),
    /// The same, where the query does not lie as numbers do.
    Copied(Words),
}

impl<'q> Comparer<'q> {
    pub(crate) fn new(vector: &VectorSchema, query: &'q [u8], purpose: Purpose) -> Self {
        let kernel = |dense: &DenseSchema| match purpose {
            Purpose::Score => dense.kernel,
            Purpose::Similarity => dense.params.similarity(),
        };
        let query = match &vector.kind {
            VectorKind::Dense(dense) => Prepared::Dense(kernel(dense), query),
            VectorKind::Multi(dense) => {
                let maxsim = MaxSim::new(kernel(dense), query, dense.params.row_bytes());
                Prepared::Multi(if dense.params.normalises() {
                    maxsim.longest(UNIT_LENGTH_MOST)
                } else {
                    maxsim
                })
            }
            VectorKind::Sparse(_) if SparseView::from_bytes(query).is_some() => Prepared::Sparse(query),
            VectorKind::Sparse(_) => Prepared::Copied(Words::from(query)),
        };
        Comparer { query }
    }

    /// The query of several vectors, if it is one.
    pub(super) fn multi(&self) -> Option<&MaxSim<'q>> {
        match &self.query {
            Prepared::Multi(maxsim) => Some(maxsim),
            Prepared::Dense(..) | Prepared::Sparse(_) | Prepared::Copied(_) => None,
        }
    }

    /// The score of a stored vector; `None` where it is below `bar`, which may be noticed before all of it is computed, and
    /// for sparse vectors that share no dimension.
    pub(crate) fn score(&self, stored: &[u8], bar: f32, allowance: &Allowance<'_>) -> Result<Option<f32>> {
        match &self.query {
            Prepared::Dense(kernel, query) => Ok(Some(kernel.score(query, stored))),
            Prepared::Multi(maxsim) => match maxsim.compare(stored, bar, || allowance.check().is_ok()) {
                Interaction::Score(score) => Ok(Some(score)),
                Interaction::Below => Ok(None),
                Interaction::Stopped => Err(allowance.over()),
            },
            Prepared::Sparse(query) => Ok(dot(query, stored)),
            Prepared::Copied(query) => Ok(dot(query, stored)),
        }
    }

    /// The similarity of a stored vector, whatever it is: sparse vectors that share no dimension have a product of 0.
    pub(crate) fn similarity(&self, stored: &[u8], allowance: &Allowance<'_>) -> Result<f32> {
        Ok(self.score(stored, f32::NEG_INFINITY, allowance)?.unwrap_or(0.0))
    }
}

fn dot(query: &[u8], stored: &[u8]) -> Option<f32> {
    with_sparse(query, |query| with_sparse(stored, |stored| stored.dot(&query)))??
}
