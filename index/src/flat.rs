//! Exact scan: the canonical kernel over every allowed row. The oracle of every other search.

use std::ops::Range;

use vdb_sys::element::MatrixView;
use vdb_sys::kernel::Kernel;

use crate::rowset::RowFilter;
use crate::topk::TopK;

/// Rows scored by one kernel call: their scores stay in the first-level cache.
const BLOCK: u32 = 64;

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
        return scan_all(matrix, kernel, query, rows, top);
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

/// [`scan`] without a filter for several queries at once: the rows are read from memory once for all of them.
/// `tops[i]` is shown every row of `rows`, scored against `queries[i]`.
pub fn scan_many(
    matrix: &MatrixView<'_>,
    kernel: &Kernel,
    queries: &[&[u8]],
    rows: Range<u32>,
    tops: &mut [TopK],
) {
    let mut scores = [0.0f32; BLOCK as usize * QUERIES];
    let end = rows.end.min(matrix.len());
    let mut start = rows.start;
    while start < end {
        let stop = start.saturating_add(BLOCK).min(end);
        let Some(block) = matrix.rows(start..stop) else {
            return;
        };
        for (queries, tops) in queries.chunks(QUERIES).zip(tops.chunks_mut(QUERIES)) {
            let scores = &mut scores[..(stop - start) as usize * queries.len()];
            kernel.score_rows_multi(queries, block, scores);
            for (at, top) in tops.iter_mut().enumerate() {
                let mut bar = top.threshold();
                let scores = scores.iter().skip(at).step_by(queries.len());
                for (&score, row) in scores.zip(start..stop) {
                    if score >= bar {
                        top.push(score, row);
                        bar = top.threshold();
                    }
                }
            }
        }
        start = stop;
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

fn scan_all(matrix: &MatrixView<'_>, kernel: &Kernel, query: &[u8], rows: Range<u32>, top: &mut TopK) {
    let mut scores = [0.0f32; BLOCK as usize];
    let end = rows.end.min(matrix.len());
    let mut start = rows.start;
    while start < end {
        let stop = start.saturating_add(BLOCK).min(end);
        let Some(block) = matrix.rows(start..stop) else {
            return;
        };
        let scores = &mut scores[..(stop - start) as usize];
        kernel.score_rows(query, block, scores);
        let mut bar = top.threshold();
        for (&score, row) in scores.iter().zip(start..stop) {
            // Rows come in ascending order within a scan but several scans may share a TopK: let ties through.
            if score >= bar {
                top.push(score, row);
                bar = top.threshold();
            }
        }
        start = stop;
    }
}

#[cfg(test)]
mod tests;
