//! How near are two multivectors? Late interaction, as in ColBERT (Khattab & Zaharia, SIGIR 2020).
//!
//! A multivector is one or more vectors of one length, back to back. For each vector of the query the most similar one of the
//! document counts; the score is the sum of these similarities. A similarity is the score of the canonical [`Kernel`], so
//! larger is nearer whatever the metric; the sum is taken in double precision, in the order of the query's vectors, and
//! rounded once: the same bits as from the plain double loop, and finite.
//!
//! The loop goes over blocks of the query, and for each over the document, in blocks too, so that what is compared lies in
//! the first-level cache. After each block of the query it is known how much the rest can add at most, where anything is
//! known of that: a document that cannot get above a bar is given up.

use super::{Kernel, Metric, root_and_square};
use crate::element::{Element, decode_to_f32};
use crate::sparse::round;

/// Vectors of the query that are compared with the document in one pass.
const QUERY_BLOCK: usize = 8;

/// Vectors of the document scored by one kernel call.
const DOCUMENT_BLOCK: usize = 64;

/// Bytes compared with bytes between two looks at whether to go on, about: a fraction of a millisecond.
const WORK_A_LOOK: usize = 4 << 20;

/// What a pair of vectors costs besides its bytes, in bytes.
const PAIR_COST: usize = 64;

/// Share by which sums of up to 2^20 terms may be off, taken in whatever order: each addition rounds by 2^-53 at most.
const SUM_SLACK: f64 = 1.0 / (1u64 << 32) as f64;

/// Vectors of more components have no bound on inner products: rounding could add any share.
const MOST_BOUNDED_DIM: usize = 1 << 21;

/// What came of comparing a document with a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interaction {
    /// Its score.
    Score(f32),
    /// Its score is below the bar.
    Below,
    /// The caller wanted no more.
    Stopped,
}

/// A query of one or more vectors, ready to be compared with documents.
///
/// ```
/// use vdb_sys::element::{Element, encode_f32};
/// use vdb_sys::kernel::{Kernel, MaxSim, Metric};
///
/// let (mut query, mut document) = (Vec::new(), Vec::new());
/// encode_f32(&[1.0, 0.0, 0.0, 1.0], Element::F32, &mut query); // two vectors of two components
/// encode_f32(&[0.5, 0.5, 0.9, 0.0, 0.0, -1.0], Element::F32, &mut document); // three
/// let kernel = Kernel::new(Metric::Dot, Element::F32);
/// let query = MaxSim::new(kernel, &query, 2 * 4);
/// assert_eq!(query.score(&document), 0.9 + 0.5);
/// ```
#[derive(Debug, Clone)]
pub struct MaxSim<'q> {
    /// Scores pairs of vectors: squared distances as they are.
    kernel: Kernel,
    /// The sum of squared distances is rounded by its root.
    by_root: bool,
    vectors: Vec<&'q [u8]>,
    vector_bytes: usize,
    /// What the vectors after each block can add to a score at most.
    rest: Vec<f64>,
}

impl<'q> MaxSim<'q> {
    /// Prepares `query`: vectors of `vector_bytes` bytes, back to back, encoded as the kernel's element type. A kernel
    /// [by root](Kernel::by_root) rounds the sum by its root, not what is summed.
    ///
    /// # Panics
    /// If the query is not a whole number of vectors, or a vector no whole number of components, one at least.
    pub fn new(kernel: Kernel, query: &'q [u8], vector_bytes: usize) -> Self {
        assert!(
            vector_bytes > 0 && kernel.is_whole(vector_bytes),
            "length of an encoded vector"
        );
        assert!(query.len().is_multiple_of(vector_bytes), "length of the query");
        let mut prepared = Self {
            kernel: Kernel {
                by_root: false,
                ..kernel
            },
            by_root: kernel.by_root,
            vectors: query.chunks_exact(vector_bytes).collect(),
            vector_bytes,
            rest: Vec::new(),
        };
        prepared.bound(|_| match kernel.metric {
            // Minus what is never negative.
            Metric::L2 | Metric::L1 => 0.0,
            // Taken in double precision, where it exceeds 1 by less than half of what the next `f32` does.
            Metric::CosineU8 => 1.0,
            Metric::Dot => f64::INFINITY,
        });
        prepared
    }

    /// The same, for documents whose vectors are no longer than `longest`: inner products are then bounded, so that
    /// documents can be given up early. Changes no score. What is compared with longer vectors may be given up wrongly.
    ///
    /// For vectors that were normalised by [`unit_scale`](super::unit_scale) see
    /// [`UNIT_LENGTH_MOST`](super::UNIT_LENGTH_MOST).
    #[must_use]
    pub fn longest(mut self, longest: f32) -> Self {
        let (element, dim) = (
            self.kernel.element,
            self.vector_bytes / self.kernel.element.size(),
        );
        if self.kernel.metric == Metric::Dot && dim <= MOST_BOUNDED_DIM && longest >= 0.0 {
            let mut values = vec![0.0; dim];
            self.bound(|vector| most_product(vector, element, longest, &mut values));
        }
        self
    }

    /// Notes what each vector can add at most.
    fn bound(&mut self, mut most: impl FnMut(&[u8]) -> f64) {
        let mut rest: Vec<f64> = self
            .vectors
            .chunks(QUERY_BLOCK)
            .map(|block| block.iter().map(|vector| most(vector)).sum())
            .collect();
        let mut sum = 0.0;
        for rest in rest.iter_mut().rev() {
            sum += std::mem::replace(rest, sum);
        }
        self.rest = rest;
    }

    /// How many vectors the query has.
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Bytes of a vector.
    pub fn vector_bytes(&self) -> usize {
        self.vector_bytes
    }

    /// The kernel that compares two vectors. It is not [by root](Kernel::by_root).
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The score of a document, its vectors back to back. A document without vectors has the least there is, a query
    /// without vectors scores 0 with all others.
    ///
    /// # Panics
    /// If the document is not a whole number of vectors.
    pub fn score(&self, document: &[u8]) -> f32 {
        match self.compare(document, f32::NEG_INFINITY, || true) {
            Interaction::Score(score) => score,
            // Nothing is below, and nobody stops it.
            Interaction::Below | Interaction::Stopped => f32::NEG_INFINITY,
        }
    }

    /// The score of a document unless that is below `bar`, which is noticed before all of it is computed where it can be.
    /// Asks `goes_on` every fraction of a millisecond: a pair of the largest multivectors takes minutes.
    ///
    /// # Panics
    /// If the document is not a whole number of vectors.
    pub fn compare(&self, document: &[u8], bar: f32, mut goes_on: impl FnMut() -> bool) -> Interaction {
        assert!(
            document.len().is_multiple_of(self.vector_bytes),
            "length of the document"
        );
        let mut sum = 0.0;
        let mut work = 0;
        for (block, &rest) in self.vectors.chunks(QUERY_BLOCK).zip(&self.rest) {
            // The least that a kernel says.
            let mut best = [-f32::MAX; QUERY_BLOCK];
            for part in document.chunks(DOCUMENT_BLOCK * self.vector_bytes) {
                self.take_best(block, part, &mut best);
                work += block.len() * (part.len() + part.len() / self.vector_bytes * PAIR_COST);
                if work >= WORK_A_LOOK {
                    work = 0;
                    if !goes_on() {
                        return Interaction::Stopped;
                    }
                }
            }
            for &best in &best[..block.len()] {
                sum += f64::from(best);
            }
            if rest < f64::INFINITY && self.finish(most_sum(sum, rest)) < bar {
                return Interaction::Below;
            }
        }
        let score = self.finish(sum);
        if score < bar {
            Interaction::Below
        } else {
            Interaction::Score(score)
        }
    }

    /// Raises what is best for each vector of a block of the query by a part of the document.
    #[inline]
    fn take_best(&self, block: &[&[u8]], part: &[u8], best: &mut [f32; QUERY_BLOCK]) {
        let mut scores = [0.0f32; DOCUMENT_BLOCK * QUERY_BLOCK];
        let scores = &mut scores[..part.len() / self.vector_bytes * block.len()];
        self.kernel.score_rows_multi(block, part, scores);
        if let (whole, []) = scores.as_chunks::<QUERY_BLOCK>()
            && block.len() == QUERY_BLOCK
        {
            for scores in whole {
                raise(best, scores);
            }
        } else {
            for scores in scores.chunks_exact(block.len()) {
                raise(best, scores);
            }
        }
    }

    /// A sum of similarities as a score.
    #[inline]
    fn finish(&self, sum: f64) -> f32 {
        let score = round(sum);
        if self.by_root {
            root_and_square(score)
        } else {
            score
        }
    }
}

#[inline]
fn raise(best: &mut [f32], scores: &[f32]) {
    for (best, &score) in best.iter_mut().zip(scores) {
        *best = if score > *best { score } else { *best };
    }
}

/// What a score's sum is at most when `sum` is that of its first terms and the others are at most `rest` together.
#[inline]
fn most_sum(sum: f64, rest: f64) -> f64 {
    sum + rest + (sum.abs() + rest.abs()) * SUM_SLACK
}

/// What a kernel may say of the inner product with a vector that is no longer than `longest`, at most: the product of both
/// lengths (Cauchy-Schwarz), and what rounding adds. A sum of `n` products in single precision, in whatever order, is off by
/// less than `2 n 2^-24` of the sum of their absolute values while `n` is below 2^23 (Higham, "Accuracy and Stability of
/// Numerical Algorithms", 2002, section 3.1), and by `n` of the smallest numbers.
fn most_product(vector: &[u8], element: Element, longest: f32, values: &mut [f32]) -> f64 {
    decode_to_f32(vector, element, values);
    let length = values
        .iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum::<f64>()
        .sqrt();
    let terms = values.len() as f64 + 8.0;
    let most = length * f64::from(longest) * (1.0 + terms / f64::from(1 << 22))
        + terms * f64::from(f32::from_bits(1));
    // What no score exceeds in any case; and a vector that is no number has no bound.
    if most.is_nan() {
        f64::INFINITY
    } else {
        most.min(f64::from(f32::MAX))
    }
}

#[cfg(test)]
mod tests;
