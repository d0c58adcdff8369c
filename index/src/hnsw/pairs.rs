//! Distances between rows, which is all that building asks of the codes.

use rayon::prelude::*;
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::PackedKernel;

use crate::codes::{CodesView, QueryCode, SMALL, SadScore, Score, factors};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::hnsw::prune::{self, Near};

/// Relative to the longest vector, differences in length below this are rounding, not data.
const EQUAL_LENGTHS: f32 = 1e-3;

/// A distance between any two rows, in the shape of scores: minus the distance.
pub(crate) trait Pairs: Sync {
    /// Scores against one row.
    type Score<'a>: Score
    where
        Self: 'a;

    /// Scores against `row`, whose code is put into `code`.
    fn near<'a>(&'a self, row: u32, code: &'a mut QueryCode) -> Self::Score<'a>;
}

/// [`prune::choose`] by the distances of pairs.
pub(crate) fn choose<P: Pairs>(
    pairs: &P,
    code: &mut QueryCode,
    candidates: &[Near],
    degree: usize,
    alpha: f32,
    chosen: &mut Vec<Near>,
) {
    prune::choose(candidates, degree, alpha, chosen, |row, bar, chosen| {
        if chosen.is_empty() {
            return false;
        }
        let score = pairs.near(row, code);
        let (fours, rest) = chosen.as_chunks::<4>();
        fours
            .iter()
            .any(|four| score.score4(four.map(|near| near.1)).iter().any(|s| -s < bar))
            || rest.iter().any(|&(_, other)| -score.score(other) < bar)
    });
}

/// Half the squared Euclidean distance of codes; where scores are inner products and lengths differ, minus the inner product,
/// as in ip-NSW (Morozov & Babenko, NeurIPS 2018). Queries are after long vectors there, to which no distance leads, not even
/// that between vectors which a further coordinate has made equally long (Bachrach et al., RecSys 2014).
pub(crate) struct DotPairs<'a> {
    kernel: PackedKernel,
    codes: CodesView<'a>,
    shapes: Vec<Shape>,
    /// No score is above this.
    most: f32,
}

/// What a distance needs to know of a row beside its code: 8 bytes, never split between cache lines.
#[derive(Clone, Copy, Default)]
#[repr(align(8))]
struct Shape {
    scale: f32,
    /// What is taken from the product of codes: half the squared length of the code, where distances are Euclidean ones.
    half: f32,
}

impl<'a> DotPairs<'a> {
    /// `lengths` are the squared lengths of the vectors from their mean.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn new(
        codes: CodesView<'a>,
        lengths: &[f32],
        metric: Metric,
        mean: &[f32],
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Self> {
        let kernel = PackedKernel::new(codes.layout().bits());
        let shape = |code: &mut QueryCode, row: u32| {
            if row.is_multiple_of(4096) && control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let [scale, _] = factors(codes.row(row));
            code.set_row(codes.row(row), codes.layout());
            let squared = code.products(kernel.dot(codes.row(row), code.signed()));
            Ok(Shape {
                scale,
                half: 0.5 * scale * scale * squared,
            })
        };
        let rows = (0..codes.len()).into_par_iter();
        let mut shapes: Vec<Shape> =
            pool.install(|| rows.map_init(QueryCode::default, shape).collect::<Result<_>>())?;
        let mut most = 0.0;
        if metric == Metric::Dot && lengths_differ(codes, lengths, mean) {
            most = f32::INFINITY;
            let mean_squared: f32 = mean.iter().map(|m| m * m).sum();
            for (shape, row) in shapes.iter_mut().zip(0..) {
                // <a, b> = <a-m, b-m> + <a, m> + <b, m> - |m|^2, and <a, m> is the bias. Less another |m|^2, so that zero is
                // in the middle of all products, and a share of one says something, wherever the vectors lie.
                let [_, bias] = factors(codes.row(row));
                shape.half = mean_squared - bias;
            }
        }
        Ok(Self {
            kernel,
            codes,
            shapes,
            most,
        })
    }
}

/// The squared length of every row where scores are inner products; `lengths` are those from the mean.
pub(super) fn squared_lengths(
    codes: CodesView<'_>,
    lengths: &[f32],
    mean: &[f32],
) -> impl Iterator<Item = f32> {
    let mean_squared: f32 = mean.iter().map(|m| m * m).sum();
    // |x|^2 = |x-m|^2 + 2 <m, x> - |m|^2, and <m, x> is the bias.
    (0..codes.len()).zip(lengths).map(move |(row, length)| {
        let [_, bias] = factors(codes.row(row));
        (length + 2.0 * bias - mean_squared).max(0.0)
    })
}

fn lengths_differ(codes: CodesView<'_>, lengths: &[f32], mean: &[f32]) -> bool {
    let rows = || squared_lengths(codes, lengths, mean);
    let longest = rows().fold(0.0f32, f32::max);
    let shortest = rows().fold(f32::MAX, f32::min);
    longest.is_finite() && longest - shortest > 2.0 * EQUAL_LENGTHS * longest
}

impl Pairs for DotPairs<'_> {
    type Score<'s>
        = DotPairScore<'s>
    where
        Self: 's;

    #[inline]
    fn near<'s>(&'s self, row: u32, code: &'s mut QueryCode) -> DotPairScore<'s> {
        let shape = self.shapes[row as usize];
        code.set_row(self.codes.row(row), self.codes.layout());
        DotPairScore {
            pairs: self,
            code,
            shape,
        }
    }
}

pub(crate) struct DotPairScore<'a> {
    pairs: &'a DotPairs<'a>,
    code: &'a QueryCode,
    shape: Shape,
}

impl DotPairScore<'_> {
    #[inline]
    fn finish(&self, row: u32, sum: i32) -> f32 {
        let other = self.pairs.shapes[row as usize];
        let product = self.shape.scale * other.scale * self.code.products(sum);
        // Every step is symmetric, so that the distance is the same bits from either row. Codes of equal vectors
        // are equal; rounding must not make them nearer than that.
        (product - (other.half + self.shape.half)).min(self.pairs.most)
    }
}

impl Score for DotPairScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        self.finish(
            row,
            self.pairs
                .kernel
                .dot(self.pairs.codes.row(row), self.code.signed()),
        )
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let (codes, [a, b, c, d]) = (self.pairs.codes, rows);
        let four = [codes.row(a), codes.row(b), codes.row(c), codes.row(d)];
        let sums = self.pairs.kernel.dot4(four, self.code.signed());
        [
            self.finish(a, sums[0]),
            self.finish(b, sums[1]),
            self.finish(c, sums[2]),
            self.finish(d, sums[3]),
        ]
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.pairs.codes.row(row));
        vdb_sys::kernel::prefetch(bytemuck::bytes_of(&self.pairs.shapes[row as usize].scale));
    }

    #[inline]
    fn is_small(&self) -> bool {
        self.pairs.codes.layout().width() <= SMALL
    }
}

/// The Manhattan distance of codes.
pub(crate) struct SadPairs<'a> {
    pub(crate) codes: CodesView<'a>,
}

impl Pairs for SadPairs<'_> {
    type Score<'s>
        = SadScore<'s>
    where
        Self: 's;

    #[inline]
    fn near<'s>(&'s self, row: u32, code: &'s mut QueryCode) -> SadScore<'s> {
        code.set_row(self.codes.row(row), self.codes.layout());
        SadScore::new(self.codes, code)
    }
}
