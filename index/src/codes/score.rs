//! Scoring rows against a query.

use vdb_sys::kernel::Kernel;
use vdb_sys::kernel::packed::{Finish, PackedKernel, factors};
use vdb_sys::kernel::sad::SadKernel;

use crate::codes::{CodesView, QueryCode};
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
    /// Whether a row is so small that asking for it again costs no more than finding out whether that was done.
    fn is_small(&self) -> bool;
}

/// Bytes of a small row: two cache lines.
pub(crate) const SMALL: usize = 128;

/// Rows that are scored before anything is done with their scores, on which the processor would wait otherwise.
const BATCH: usize = 64;

/// Scores by [`Scheme::Dot`](crate::codes::Scheme::Dot).
pub(crate) struct DotScore<'a> {
    kernel: PackedKernel,
    codes: CodesView<'a>,
    query: &'a [i8],
    finish: Finish,
}

impl<'a> DotScore<'a> {
    pub(crate) fn new(codes: CodesView<'a>, query: &'a QueryCode) -> Self {
        Self {
            kernel: PackedKernel::new(codes.layout().bits()),
            codes,
            query: query.signed(),
            finish: query.finish(),
        }
    }
}

impl Score for DotScore<'_> {
    #[inline]
    fn score(&self, row: u32) -> f32 {
        let row = self.codes.row(row);
        self.finish.score(self.kernel.dot(row, self.query), factors(row))
    }

    #[inline]
    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        let mut scores = [0.0; 4];
        self.kernel
            .score_rows(self.codes.bytes(), &rows, self.query, self.finish, &mut scores);
        scores
    }

    #[inline]
    fn score_each(&self, rows: &[u32], mut take: impl FnMut(f32, u32)) {
        let mut scores = [0.0; BATCH];
        for rows in rows.chunks(BATCH) {
            let scores = &mut scores[..rows.len()];
            self.kernel
                .score_rows(self.codes.bytes(), rows, self.query, self.finish, scores);
            for (&score, &row) in scores.iter().zip(rows) {
                take(score, row);
            }
        }
    }

    #[inline]
    fn prefetch(&self, row: u32) {
        vdb_sys::kernel::prefetch(self.codes.row(row));
    }

    #[inline]
    fn is_small(&self) -> bool {
        self.codes.layout().width() <= SMALL
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

    #[inline]
    fn is_small(&self) -> bool {
        self.codes.layout().width() <= SMALL
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

    #[inline]
    fn is_small(&self) -> bool {
        self.query.len() <= SMALL
    }
}
