//! Scoring rows against a query.

use vdb_sys::kernel::Kernel;
use vdb_sys::kernel::packed::PackedKernel;
use vdb_sys::kernel::sad::SadKernel;

use crate::codes::layout::FACTORS;
use crate::codes::{CodesView, Factors, QueryCode};
use crate::full::FullVectors;

/// Scores rows against something fixed: larger is nearer.
pub(crate) trait Score {
    /// One row.
    fn score(&self, row: u32) -> f32;
    /// Four rows at once.
    fn score4(&self, rows: [u32; 4]) -> [f32; 4];
    /// Passes every one of `rows` with its score to `take`, in their order.
    #[inline]
    fn score_each(&self, rows: &[u32], mut take: impl FnMut(f32, u32)) {
        let (fours, rest) = rows.as_chunks::<4>();
        for four in fours {
            for (&row, score) in four.iter().zip(self.score4(*four)) {
                take(score, row);
            }
        }
        for &row in rest {
            take(self.score(row), row);
        }
    }
    /// Asks for a row that will be scored soon.
    fn prefetch(&self, row: u32);
}

/// Rows whose sums are taken before any of them is made a score.
const BATCH: usize = 32;

/// The scale and the bias that a row of codes ends with.
#[inline]
pub(crate) fn factors(row: &[u8]) -> Factors {
    match row.last_chunk::<FACTORS>() {
        Some(bytes) => {
            let [a, b, c, d, e, f, g, h] = *bytes;
            [f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h])]
        }
        None => [0.0; 2],
    }
}

/// Scores by [`Scheme::Dot`](crate::codes::Scheme::Dot).
pub(crate) struct DotScore<'a> {
    kernel: PackedKernel,
    codes: CodesView<'a>,
    query: &'a QueryCode,
}

impl<'a> DotScore<'a> {
    pub(crate) fn new(codes: CodesView<'a>, query: &'a QueryCode) -> Self {
        Self {
            kernel: PackedKernel::new(codes.layout().bits()),
            codes,
            query,
        }
    }

    #[inline]
    fn finish(&self, row: &[u8], sum: i32) -> f32 {
        let [scale, bias] = factors(row);
        let score = self.query.scale * scale * self.query.products(sum) + bias;
        // What overflowed is far away, and still a row: NaN becomes the least.
        #[expect(clippy::manual_clamp, reason = "`clamp` would keep NaN")]
        score.max(f32::MIN).min(f32::MAX)
    }
}

impl Score for DotScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        let row = self.codes.row(row);
        self.finish(row, self.kernel.dot(row, self.query.signed()))
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let [a, b, c, d] = rows;
        let codes = self.codes;
        // Not by `map`, which is not always inlined.
        let [a, b, c, d] = [codes.row(a), codes.row(b), codes.row(c), codes.row(d)];
        let [sum_a, sum_b, sum_c, sum_d] = self.kernel.dot4([a, b, c, d], self.query.signed());
        [
            self.finish(a, sum_a),
            self.finish(b, sum_b),
            self.finish(c, sum_c),
            self.finish(d, sum_d),
        ]
    }

    #[inline]
    fn score_each(&self, rows: &[u32], mut take: impl FnMut(f32, u32)) {
        let (mut sums, mut scores) = ([0; BATCH], [0.0; BATCH]);
        for rows in rows.chunks(BATCH) {
            let sums = &mut sums[..rows.len()];
            self.kernel
                .dot_rows(self.codes.bytes(), rows, self.query.signed(), sums);
            // Apart from what is done with them, on which the processor would wait otherwise.
            for ((score, &row), &sum) in scores.iter_mut().zip(rows).zip(&*sums) {
                *score = self.finish(self.codes.row(row), sum);
            }
            for (&score, &row) in scores.iter().zip(rows) {
                take(score, row);
            }
        }
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.codes.row(row));
    }
}

/// Scores by [`Scheme::Sad`](crate::codes::Scheme::Sad).
pub(crate) struct SadScore<'a> {
    kernel: SadKernel,
    codes: CodesView<'a>,
    query: &'a QueryCode,
}

impl<'a> SadScore<'a> {
    pub(crate) fn new(codes: CodesView<'a>, query: &'a QueryCode) -> Self {
        Self {
            kernel: SadKernel::new(),
            codes,
            query,
        }
    }
}

impl Score for SadScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        -(self.kernel.sad(self.codes.row(row), self.query.stored()) as f32)
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let sums = self
            .kernel
            .sad4(rows.map(|row| self.codes.row(row)), self.query.stored());
        sums.map(|sum| -(sum as f32))
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.codes.row(row));
    }
}

/// Scores full vectors by the canonical kernel, for a graph without codes.
pub(crate) struct ExactScore<'a, V> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) matrix: &'a V,
    pub(crate) query: &'a [u8],
}

impl<V: FullVectors> Score for ExactScore<'_, V> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        let vector = self.matrix.vector(row);
        vector.map_or(f32::NEG_INFINITY, |vector| self.kernel.score(self.query, vector))
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        rows.map(|row| self.score(row))
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        if let Some(vector) = self.matrix.vector(row) {
            vdb_sys::kernel::prefetch(vector);
        }
    }
}
