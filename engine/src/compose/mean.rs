//! What a recommendation by average vectors looks for, of each kind of vector.

use std::collections::BTreeMap;

use crate::point::{SparseVector, Vector};

/// The mean of dense vectors.
#[derive(Debug)]
pub(super) struct DenseMean {
    sum: Vec<f64>,
    count: usize,
}

impl DenseMean {
    pub(super) fn new(size: usize) -> Self {
        DenseMean {
            sum: vec![0.0; size],
            count: 0,
        }
    }

    pub(super) fn add(&mut self, numbers: &[f32]) {
        for (sum, number) in self.sum.iter_mut().zip(numbers) {
            *sum += f64::from(*number);
        }
        self.count += 1;
    }

    fn mean(self) -> impl Iterator<Item = f64> {
        let count = self.count as f64;
        self.sum.into_iter().map(move |sum| sum / count)
    }

    /// The mean; from the other one, if that is of any, twice as far away as that.
    pub(super) fn away_from(self, other: DenseMean) -> Vec<f32> {
        if other.count == 0 {
            return self.mean().map(|number| number as f32).collect();
        }
        let pairs = self.mean().zip(other.mean());
        pairs.map(|(of, from)| (of + (of - from)) as f32).collect()
    }
}

/// What an entry of a sum takes in memory, about.
const ENTRY: usize = 24;

/// The weight of each of `count` examples in the sum that is their mean, or twice that minus the mean of negative ones.
pub(super) fn weight(is_positive: bool, count: usize, has_negative: bool) -> f64 {
    let each = 1.0 / count as f64;
    match (is_positive, has_negative) {
        (true, false) => each,
        (true, true) => 2.0 * each,
        (false, _) => -each,
    }
}

/// A weighted sum of sparse vectors, with every dimension that one of them has.
#[derive(Debug, Default)]
pub(super) struct SparseSum(BTreeMap<u32, f64>);

impl SparseSum {
    /// Adds one, and answers by how many bytes of memory that has made it grow.
    pub(super) fn add(&mut self, vector: &SparseVector, weight: f64) -> usize {
        let before = self.0.len();
        for (&index, &value) in vector.indices.iter().zip(&vector.values) {
            *self.0.entry(index).or_default() += f64::from(value) * weight;
        }
        (self.0.len() - before) * ENTRY
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.0.len() * ENTRY
    }

    pub(super) fn into_vector(self) -> SparseVector {
        let (indices, values) = self.0.into_iter().map(|(index, sum)| (index, sum as f32)).unzip();
        SparseVector { indices, values }
    }
}

/// Appends the vectors of a multivector, or a dense one, each number times `sign`.
pub(super) fn append(rows: &mut Vec<Vec<f32>>, vector: Vector, sign: f32) {
    let given = match vector {
        Vector::Multi(given) => given,
        Vector::Dense(numbers) => vec![numbers],
        // Checked before.
        Vector::Sparse(_) => Vec::new(),
    };
    rows.extend(given.into_iter().map(|mut row| {
        row.iter_mut().for_each(|number| *number *= sign);
        row
    }));
}

#[cfg(test)]
mod tests;
