//! Exact scan: the canonical kernel over every allowed row. The oracle of every other search.

use std::iter::{Skip, StepBy};
use std::ops::Range;
use std::slice;

use vdb_sys::element::MatrixView;
use vdb_sys::kernel::Kernel;

use crate::rowset::RowFilter;
use crate::topk::TopK;

/// Rows scored by one kernel call: their scores stay in the first-level cache.
pub const BLOCK: u32 = 64;

/// Shows every row of `rows` that the filter allows to `top`, scored by the canonical kernel.
///
/// `query` is in the matrix's element encoding. Rows beyond the matrix are ignored; a scan by several threads
/// splits the range and merges the parts ([`TopK::merge`]), which changes nothing in the answer.
pub fn scan(
    matrix: &MatrixView<'_>,
    kernel: &Kernel,
    query: &[u8],
    rows: Range<u32>,
    filter: Option<&dyn RowFilter>,
    top: &mut TopK,
) {
    let Some(filter) = filter else {
        return scan_many(matrix, kernel, &[query], rows, None, slice::from_mut(top));
    };
    let end = rows.end.min(matrix.len());
    scan_rows(
        matrix,
        kernel,
        query,
        (rows.start..end).filter(|&row| filter.contains(row)),
        top,
    );
}

/// Queries scored by one pass of a kernel over a block: what their vectors and sums fit the registers and the
/// first-level cache with.
const QUERIES: usize = 8;

/// [`scan`] for several queries at once: the rows are read from memory once for all of them. `tops[i]` is shown every row
/// of `rows` that the filter allows, scored against `queries[i]`. All rows are scored and only those that would be kept
/// are asked for, so it suits filters that let most rows through.
pub fn scan_many(
    matrix: &MatrixView<'_>,
    kernel: &Kernel,
    queries: &[&[u8]],
    rows: Range<u32>,
    filter: Option<&dyn RowFilter>,
    tops: &mut [TopK],
) {
    let end = rows.end.min(matrix.len());
    let mut start = rows.start;
    while start < end {
        let stop = start.saturating_add(BLOCK).min(end);
        let Some(block) = matrix.rows(start..stop) else {
            return;
        };
        score_block(kernel, queries, block, |query, scores| {
            let Some(top) = tops.get_mut(query) else { return };
            let mut bar = top.threshold();
            for (&score, row) in scores.zip(start..) {
                // Rows come in ascending order within a scan but several scans may share a TopK: let ties through.
                if score >= bar && filter.is_none_or(|filter| filter.contains(row)) {
                    top.push(score, row);
                    bar = top.threshold();
                }
            }
        });
        start = stop;
    }
}

/// The scores of one query among those of several.
pub type Scores<'a> = StepBy<Skip<slice::Iter<'a, f32>>>;

/// Scores the vectors of `block`, at most [`BLOCK`] of them, which lie back to back, against several queries; calls
/// `found` with the place of each query and its scores, in the order of the vectors.
pub fn score_block(
    kernel: &Kernel,
    queries: &[&[u8]],
    block: &[u8],
    mut found: impl FnMut(usize, Scores<'_>),
) {
    let mut scores = [0.0f32; BLOCK as usize * QUERIES];
    let row_bytes = queries.first().map_or(0, |query| query.len());
    let rows = block
        .len()
        .checked_div(row_bytes)
        .unwrap_or(0)
        .min(BLOCK as usize);
    let block = &block[..rows * row_bytes];
    for (part, queries) in queries.chunks(QUERIES).enumerate() {
        let scores = &mut scores[..rows * queries.len()];
        if let [query] = queries {
            kernel.score_rows(query, block, scores);
        } else {
            kernel.score_rows_multi(queries, block, scores);
        }
        for at in 0..queries.len() {
            found(part * QUERIES + at, scores.iter().skip(at).step_by(queries.len()));
        }
    }
}

/// Shows the given rows to `top`, scored by the canonical kernel. Rows beyond the matrix are ignored.
pub fn scan_rows(
    matrix: &MatrixView<'_>,
    kernel: &Kernel,
    query: &[u8],
    rows: impl IntoIterator<Item = u32>,
    top: &mut TopK,
) {
    for row in rows {
        if let Some(vector) = matrix.row(row) {
            top.push(kernel.score(query, vector), row);
        }
    }
}

#[cfg(test)]
mod tests;
