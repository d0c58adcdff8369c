//! When may a walk stop? How distances grow with rank, measured on the data, and the bound that follows from it.
//!
//! A beam of fixed width spends as much on a query whose neighbours stand apart as on one in a crowd. Instead, a
//! candidate is expanded while its distance is at most so many times that of the k-th best (Al-Jazzazi et al., "Distance
//! Adaptive Beam Search for Provably Accurate Graph-Based Nearest Neighbor Search", 2025), where "so many times" follows
//! from the width asked for: near a point, the distance to the r-th nearest grows about as `r^(1/D)` in data of
//! intrinsic dimension `D` (Amsaleg et al., KDD 2015), so the `ef`-th stands at about `(ef/k)^(1/D)` times the k-th. A
//! beam is then as wide as was asked for where the data are as usual, wider in crowds, narrower elsewhere.
//!
//! The exponent is measured when a graph is built, with rows as queries. Distances are those that go with the metric:
//! squared Euclidean ones, for inner products between vectors that a further coordinate has made as long as the longest
//! (Bachrach et al., RecSys 2014): `2 |q| (longest - <q, x> / |q|)`.

use rayon::prelude::*;
use vdb_sys::element::MatrixView;
use vdb_sys::kernel::Metric;

use crate::codes::{CodesView, DotScore, QueryCode, SadScore, Scheme, Score};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::hnsw::graph::GraphView;
use crate::hnsw::pairs::squared_lengths;
use crate::hnsw::search::descend;
use crate::hnsw::walk::Walker;
use crate::quant::Quantizer;

/// Distances are compared at these ranks.
const RANKS: (usize, usize) = (10, 100);
/// One of so many rows is asked, which costs little beside inserting them all,
const SAMPLE: u32 = 64;
/// but so many at least and at most.
const SAMPLES: (u32, u32) = (8, 128);
/// The beam that finds their neighbours.
const WIDTH: usize = 160;
/// A beam grows to at most this many times the width that was asked for: queries that are unlike all rows see them stand
/// close together, far away, and are not to cost any number of times what was asked for;
const MOST_TIMES: usize = 2;
/// and is never narrower than this part of it.
const LEAST_PART: usize = 3;

/// How distances grow with rank in the data of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Growth {
    /// The power of the rank that distances (squared ones but for Manhattan) go with; 0 if it is not known.
    pub(crate) exponent: f32,
    /// The length of the longest vector, for inner products; otherwise 0.
    pub(crate) longest: f32,
}

/// How many results a beam keeps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Width {
    /// At most, and without a bound always.
    pub(crate) most: usize,
    /// What was asked for.
    pub(crate) asked: usize,
    pub(crate) bound: Option<Bound>,
}

impl From<usize> for Width {
    fn from(most: usize) -> Self {
        Self {
            most,
            asked: most,
            bound: None,
        }
    }
}

/// How far behind the k-th best candidate others are worth expanding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    /// Which candidate is compared with, from 1.
    pub(crate) k: usize,
    /// So many candidates are expanded however far off they are.
    pub(crate) least: usize,
    /// The score at distance 0.
    zero: f32,
    /// How much farther than the k-th best is still worth it, as a share of its distance.
    more: f32,
}

impl Bound {
    /// The score below which nothing is worth expanding, for that of the k-th best candidate. There is none where codes
    /// say that this one is nearer than the query itself: they cannot tell such distances apart.
    #[inline]
    pub(crate) fn bar(&self, kth: f32) -> f32 {
        let distance = self.zero - kth;
        if distance > 0.0 {
            kth - self.more * distance
        } else {
            f32::NEG_INFINITY
        }
    }
}

/// What a walk is after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim {
    pub(crate) growth: Growth,
    /// The score at distance 0.
    pub(crate) zero: f32,
    /// How many results are wanted.
    pub(crate) k: usize,
}

impl Aim {
    /// A beam that is `ef` wide where the data are as usual; all of `ef` if nothing is known of them.
    pub(crate) fn width(&self, ef: usize) -> Width {
        let (k, width) = (self.k.max(1), ef.max(self.k).max(1));
        let exponent = self.growth.exponent;
        let more = (exponent * (width as f32 / k as f32).ln()).exp_m1();
        if width == k || !(exponent > 0.0 && more.is_finite() && self.zero.is_finite()) {
            return width.into();
        }
        let bound = Bound {
            k,
            least: k.max(width / LEAST_PART),
            zero: self.zero,
            more,
        };
        Width {
            most: width.saturating_mul(MOST_TIMES),
            asked: width,
            bound: Some(bound),
        }
    }
}

impl Growth {
    /// Measures the data of a graph, whose codes and lengths [`Quantizer::encode`] made of `matrix`. Depends on nothing but the graph and the matrix.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn measure(
        graph: GraphView<'_>,
        (codes, lengths): (CodesView<'_>, &[f32]),
        matrix: &MatrixView<'_>,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Self> {
        let longest = longest(graph.quantizer, codes, lengths);
        let known = Self {
            exponent: 0.0,
            longest,
        };
        let rows = matrix.len();
        let sample = (rows / SAMPLE).clamp(SAMPLES.0, SAMPLES.1).min(rows);
        let exponents: Vec<Option<f32>> = pool.install(|| {
            (0..sample)
                .into_par_iter()
                .map_init(
                    || (Walker::default(), QueryCode::default()),
                    |(walker, code), at| {
                        if control.is_cancelled() {
                            return Err(Error::Cancelled);
                        }
                        // Below `rows`, which is a u32.
                        let row = (u64::from(at) * u64::from(rows) / u64::from(sample)) as u32;
                        let Some(vector) = matrix.row(row) else {
                            return Ok(None);
                        };
                        graph.quantizer.encode_query(vector, code);
                        let zero = code.zero.score(longest);
                        match codes.layout().scheme() {
                            Scheme::Dot => near(graph, &DotScore::new(codes, code), walker),
                            Scheme::Sad => near(graph, &SadScore::new(codes, code), walker),
                        }
                        Ok(exponent(walker, row, zero))
                    },
                )
                .collect::<Result<_>>()
        })?;
        let mut exponents: Vec<f32> = exponents.into_iter().flatten().collect();
        // Where most rows have fewer neighbours than that, or ever equal ones, nothing is known.
        if exponents.is_empty() || exponents.len() < sample as usize / 2 {
            return Ok(known);
        }
        let middle = exponents.len() / 2;
        let (_, &mut exponent, _) = exponents.select_nth_unstable_by(middle, f32::total_cmp);
        // Growth as of less than one dimension is a step: the ranks lie on both sides of the border of a cluster.
        let steepest = match codes.layout().scheme() {
            Scheme::Dot => 2.0,
            Scheme::Sad => 1.0,
        };
        if exponent > steepest {
            return Ok(known);
        }
        Ok(Self { exponent, ..known })
    }
}

/// Leaves the neighbours of a query in the walker.
fn near(graph: GraphView<'_>, score: &impl Score, walker: &mut Walker) {
    let entry = descend(graph, score, walker);
    walker.walk(graph.base, score, [entry], WIDTH);
}

/// How the distances of the walker's results grow between two ranks, `row` itself left out.
fn exponent(walker: &Walker, row: u32, zero: f32) -> Option<f32> {
    let mut distances = walker
        .results()
        .filter(|&(_, near)| near != row)
        .map(|(score, _)| zero - score);
    let near = distances.nth(RANKS.0 - 1)?;
    let far = distances.nth(RANKS.1 - RANKS.0 - 1)?;
    let exponent = (far / near).ln() / (RANKS.1 as f32 / RANKS.0 as f32).ln();
    (near > 0.0 && exponent.is_finite() && exponent > 0.0).then_some(exponent)
}

/// The length of the longest vector where scores are inner products; `lengths` are the squared ones from the mean.
fn longest(quantizer: &Quantizer, codes: CodesView<'_>, lengths: &[f32]) -> f32 {
    match quantizer.metric() {
        Metric::Dot | Metric::CosineU8 => squared_lengths(codes, lengths, quantizer.mean())
            .filter(|squared| squared.is_finite())
            .fold(0.0, f32::max)
            .sqrt(),
        Metric::L2 | Metric::L1 => 0.0,
    }
}

#[cfg(test)]
mod tests;
