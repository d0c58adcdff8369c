//! What a walk or a scan has nominated becomes what a search returns: scored with full vectors, or as the codes rank it.

use vdb_sys::kernel::{Kernel, prefetch};

use crate::control::Control;
use crate::full::FullVectors;
use crate::hnsw::params::SearchParams;
use crate::hnsw::walk::Walker;
use crate::topk::TopK;

/// Full vectors asked for before they are scored: enough to hide memory, few enough for the first-level cache.
pub(super) const RESCORE_AHEAD: usize = 3;

/// Full vectors that are announced together, after those that are scored in any case: a disk does several reads at once, but
/// what is announced and not scored is read for nothing.
pub(super) const ANNOUNCED: usize = 16;

/// Full vectors scored between two looks at whether to go on.
const RESCORED_A_LOOK: usize = 64;

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Canonical scores and rows, best first, ties by the smaller row. At most `k`; fewer if the graph has
    /// fewer, or the filter lets fewer through where the walk came.
    pub hits: Vec<(f32, u32)>,
    /// The walk met a link that no build writes: the answer may lack rows, and the graph should be rebuilt.
    pub damaged: bool,
    /// The caller's probe ended the search: there is no answer.
    pub stopped: bool,
    /// Rows whose codes were scored: the cost of the walk.
    pub scored: u64,
    /// Rows whose full vectors were scored after that.
    pub rescored: u64,
}

/// The rows of the places that a walk has found; `None` where these are rows.
pub(super) type Places<'a> = Option<&'a [u32]>;

/// The row of a place.
fn row_at(places: Places<'_>, at: u32) -> u32 {
    // A place that is none has been skipped by whoever met it.
    places.map_or(at, |rows| rows.get(at as usize).copied().unwrap_or(u32::MAX))
}

/// How scores of codes become canonical ones, but for the error of the codes: `unit * (score - offset)`.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) unit: f32,
    pub(super) offset: f32,
}

impl Scale {
    /// A finite score, whatever overflowed on the way.
    fn score(self, code: f32) -> f32 {
        let score = self.unit * (code - self.offset);
        if score.is_nan() {
            return f32::MIN;
        }
        score.clamp(f32::MIN, f32::MAX)
    }
}

/// The best nominees as the codes rank them.
pub(super) fn as_coded(scale: Scale, k: usize, places: Places<'_>, walker: &mut Walker) -> Found {
    let stopped = std::mem::take(&mut walker.stopped);
    let mut top = TopK::new(k);
    if !stopped {
        walker
            .results()
            .for_each(|(code, at)| top.push(scale.score(code), row_at(places, at)));
    }
    Found {
        hits: top.into_sorted(),
        damaged: std::mem::take(&mut walker.damaged),
        stopped,
        scored: std::mem::take(&mut walker.scored),
        rescored: 0,
    }
}

/// Scores the best nominees with their full vectors: as many as [`SearchParams::rescored`] says, and then on while the
/// next one could still be among the results. How far the codes are off is seen from those scored so far, so that a
/// matrix whose codes are good costs nothing more, and one whose codes are poor is answered as well as the beam is wide.
pub(super) fn rescore(
    matrix: &impl FullVectors,
    kernel: &Kernel,
    query: &[u8],
    (unit, places): (f32, Places<'_>),
    (params, control): (&SearchParams, &Control<'_>),
    (walker, nominees): (&mut Walker, &mut Vec<(f32, u32)>),
) -> Found {
    let mut stopped = std::mem::take(&mut walker.stopped);
    nominees.clear();
    if !stopped {
        nominees.extend(walker.results().map(|(code, at)| (code, row_at(places, at))));
    }
    let vector_at = |at: usize| nominees.get(at).and_then(|&(_, row)| matrix.vector(row));
    let least = params.rescored();
    let announce = |from: usize, to: usize| {
        let to = to.min(nominees.len());
        matrix.will_read(nominees[from.min(to)..to].iter().map(|&(_, row)| row));
        to
    };
    let mut announced = announce(0, least.max(RESCORE_AHEAD));
    (0..RESCORE_AHEAD).filter_map(vector_at).for_each(prefetch);
    let mut top = TopK::new(params.k);
    let mut error = CodeError::new(unit);
    let mut rescored = 0;
    for (at, &(code, row)) in nominees.iter().enumerate() {
        if at >= least && error.most(code) <= f64::from(top.threshold()) {
            break;
        }
        if at + RESCORE_AHEAD >= announced {
            announced = announce(announced, announced + ANNOUNCED);
        }
        // A vector that is not in memory takes a tenth of a millisecond.
        if at % RESCORED_A_LOOK == RESCORED_A_LOOK - 1 && control.is_cancelled() {
            stopped = true;
            break;
        }
        if let Some(ahead) = vector_at(at + RESCORE_AHEAD) {
            prefetch(ahead);
        }
        if let Some(vector) = matrix.vector(row) {
            let score = kernel.score(query, vector);
            error.note(code, score);
            top.push(score, row);
            rescored += 1;
        }
    }
    matrix.have_read(rescored);
    Found {
        hits: top.into_sorted(),
        damaged: std::mem::take(&mut walker.damaged),
        stopped,
        scored: std::mem::take(&mut walker.scored),
        rescored,
    }
}

/// How far scores of codes are from canonical ones, which are larger by the same for every row of a query, and then
/// off by an error.
struct CodeError {
    /// What one unit of a code's score is in canonical scores.
    unit: f64,
    least: f64,
    most: f64,
}

impl CodeError {
    /// Rows seen so far came first for being overrated, so others may well be underrated by more than any of them:
    /// this share of the errors' width is added to the greatest.
    const MARGIN: f64 = 0.5;

    fn new(unit: f32) -> Self {
        Self {
            unit: f64::from(unit),
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }

    /// Takes the error of one row into account.
    #[inline]
    fn note(&mut self, code: f32, score: f32) {
        let off = f64::from(score) - self.unit * f64::from(code);
        self.least = self.least.min(off);
        self.most = self.most.max(off);
    }

    /// The canonical score that a row is not expected to exceed. NaN, which is not below anything, where scores have
    /// overflowed.
    #[inline]
    fn most(&self, code: f32) -> f64 {
        self.unit * f64::from(code) + self.most + Self::MARGIN * (self.most - self.least)
    }
}
