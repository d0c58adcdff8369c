//! Candidates from a graph over encodings, scored in full.

use vdb_sys::kernel::MaxSim;

use super::build::halves;
use super::fde::{Fde, FdeScratch};
use super::scan::compare;
use super::vectors::MultiVectors;
use crate::hnsw::{self, GraphView, SearchParams};
use crate::{Control, Error, Result, RowFilter, TopK};

/// Rows that are announced before they are compared.
const AHEAD: usize = 4;

/// How a graph over encodings is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MultiParams {
    /// Rows wanted.
    pub k: usize,
    /// Rows whose encodings rank best that are compared with the query; `k` at least. Others of the beam follow while one of
    /// the last half as many was among the best.
    pub candidates: usize,
    /// Width of the beam that finds these; as wide as they are many at least.
    pub ef: usize,
    /// As [`SearchParams::two_hops_below`].
    pub two_hops_below: f64,
}

impl MultiParams {
    /// Candidates for each row that is wanted.
    const CANDIDATES: usize = 15;
    /// Candidates where few rows are wanted.
    const LEAST_CANDIDATES: usize = 100;
    /// Times as many candidates that follow at most, and are compared too.
    const MORE: usize = 2;

    /// The defaults for the `k` nearest rows: see `docs/performance/multivectors.md`.
    pub fn new(k: usize) -> Self {
        let candidates = k.saturating_mul(Self::CANDIDATES).max(Self::LEAST_CANDIDATES);
        Self {
            k,
            candidates,
            ef: candidates.saturating_mul(Self::MORE),
            two_hops_below: SearchParams::TWO_HOPS_BELOW,
        }
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiFound {
    /// Canonical scores and rows, best first, ties by the smaller row: at most `k`.
    pub hits: Vec<(f32, u32)>,
    /// The walk met what no build writes: the answer may lack rows, and the graph should be rebuilt.
    pub damaged: bool,
    /// Rows whose codes were scored.
    pub scored: u64,
    /// Rows whose multivectors were compared with the query.
    pub compared: u64,
}

/// The memory of a search, kept from query to query: one for every thread that searches.
#[derive(Debug, Default)]
pub struct MultiScratch {
    walk: hnsw::Scratch,
    encoding: FdeScratch,
    values: Vec<f32>,
    encoded: Vec<u8>,
}

/// Searches a graph over the encodings of `vectors` ([`build`](super::build())) for the rows nearest to `query`, and gives
/// those their canonical scores. Rows that the filter does not allow, or that have no multivector, are not found.
///
/// # Errors
/// [`Error::Cancelled`] where `control` ended it, [`Error::MultiVector`] for a row that is not whole vectors, and those of the
/// vectors.
///
/// # Panics
/// If the graph is not one of [`Fde::coordinates`] dimensions, or the vectors of the query are not as long as those of `fde`.
pub fn search<V: MultiVectors + ?Sized>(
    graph: GraphView<'_>,
    (fde, vectors): (&Fde, &V),
    query: &MaxSim<'_>,
    params: &MultiParams,
    filter: Option<&dyn RowFilter>,
    control: &Control<'_>,
    scratch: &mut MultiScratch,
) -> Result<MultiFound> {
    assert_eq!(query.vector_bytes(), fde.vector_bytes(), "length of a vector");
    let MultiScratch {
        walk,
        encoding,
        values,
        encoded,
    } = scratch;
    values.clear();
    fde.query(query.query(), control, encoding, values)?;
    halves(values, encoded);
    let candidates = params.candidates.max(params.k);
    let width = params.ef.max(candidates);
    let walk_params = SearchParams {
        ef: width,
        oversample: 1.0,
        two_hops_below: params.two_hops_below,
        ..SearchParams::new(width)
    };
    let nominated = if vectors.all_have() {
        hnsw::nominees(graph, encoded, &walk_params, (filter, control), walk)
    } else {
        let present = Present { vectors, filter };
        hnsw::nominees(graph, encoded, &walk_params, (Some(&present), control), walk)
    };
    if nominated.stopped {
        return Err(Error::Cancelled);
    }
    let mut compared = 0;
    let rows: Vec<u32> = nominated.hits.into_iter().map(|(_, row)| row).collect();
    rows.iter().take(AHEAD).for_each(|&row| vectors.will_read(row));
    let mut top = TopK::new(params.k);
    let mut last_best = 0;
    for (at, &row) in rows.iter().enumerate() {
        if at >= candidates && at - last_best > candidates / 2 {
            break;
        }
        if control.is_cancelled() {
            return Err(Error::Cancelled);
        }
        if let Some(&next) = rows.get(at + AHEAD) {
            vectors.will_read(next);
        }
        if let Some(score) = compare(vectors, query, row, top.threshold(), control)? {
            compared += 1;
            if score >= top.threshold() {
                last_best = at;
            }
            top.push(score, row);
        }
    }
    Ok(MultiFound {
        hits: top.into_sorted(),
        damaged: nominated.damaged,
        scored: nominated.scored,
        compared,
    })
}

/// Rows that have a multivector and are allowed.
struct Present<'a, V: ?Sized> {
    vectors: &'a V,
    filter: Option<&'a dyn RowFilter>,
}

impl<V: MultiVectors + ?Sized> RowFilter for Present<'_, V> {
    fn contains(&self, row: u32) -> bool {
        self.vectors.has(row) && self.filter.is_none_or(|filter| filter.contains(row))
    }

    fn estimate(&self) -> Option<u64> {
        self.filter?.estimate()
    }

    fn is_slow(&self) -> bool {
        self.filter.is_some_and(|filter| filter.is_slow())
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        let Some(filter) = self.filter else { return false };
        let start = rows.len();
        if !filter.list(rows) {
            return false;
        }
        let mut kept = start;
        for at in start..rows.len() {
            if self.vectors.has(rows[at]) {
                rows[kept] = rows[at];
                kept += 1;
            }
        }
        rows.truncate(kept);
        true
    }
}

#[cfg(test)]
mod tests;
