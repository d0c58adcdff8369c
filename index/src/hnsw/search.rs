//! A query: descend, walk the base level, rescore.

use vdb_sys::kernel::Kernel;

use crate::codes::{CodesView, DotScore, ExactScore, QueryCode, SadScore, Scheme, Score};
use crate::control::Control;
use crate::full::FullVectors;
use crate::hnsw::beam::{Candidate, trim};
use crate::hnsw::filtered::Through;
use crate::hnsw::graph::GraphView;
use crate::hnsw::growth::Aim;
use crate::hnsw::links::Ranked;
use crate::hnsw::params::SearchParams;
use crate::hnsw::partitions::PartitionView;
use crate::hnsw::rescore::{Found, Places, Scale, as_coded, rescore};
use crate::hnsw::walk::Walker;
use crate::hnsw::within::Within;
use crate::rowset::RowFilter;

/// Up to this many rows that may match, a result of the beam, all of them are looked at rather than walked to. A row costs
/// 13 to 19 ns in a scan, a result 3 to 4 us in a walk by two hops, whose beam is half as wide again where the filter
/// follows the data (117,000 sentence embeddings, filters on their topic and at random).
const SCAN_ROWS_A_RESULT: u64 = 300;
/// The same where so many match that a walk looks through nothing: a result costs 0.5 to 1 us there.
const SCAN_ROWS_A_PLAIN_RESULT: u64 = 100;
/// Narrower beams count as this wide there: their walks by two hops are no narrower.
const SCAN_WIDTH: usize = 27;

/// The nominees of a scan, at least, where they cost nothing but their place: codes that are far off still lead to the
/// nearest of a few hundred rows.
const SCAN_NOMINEES: usize = 64;

/// Filters that are slow to ask count as this many times wider beams there: a walk asks more of them, and finds what
/// matches by way of what does not.
const SLOW_TIMES: u64 = 3;

/// A walk that has cost this part of looking at all rows that may match is given up for that: one that gets anywhere
/// costs less.
const GIVE_UP: f64 = 0.3;

/// The memory of a search, kept from query to query: one for every thread that searches. What a large search took beyond
/// a few megabytes is given back at its end.
#[derive(Default)]
pub struct Scratch {
    walker: Walker,
    query: QueryCode,
    /// Rows that a filter lists.
    rows: Vec<u32>,
    /// Scores of rows that are to be asked for whether they match.
    scored: Vec<Candidate>,
    /// What the walk or scan found, best first, with the scores of the codes.
    nominees: Vec<(f32, u32)>,
}

impl Scratch {
    /// Bytes that any one of the buffers keeps: enough for the usual search, and for the visited marks of sixty million
    /// rows, so that only searches which take milliseconds allocate.
    const KEPT: usize = 8 << 20;

    /// Gives back what is beyond that.
    fn trim(&mut self) {
        self.walker.trim(Self::KEPT);
        trim(&mut self.rows, Self::KEPT);
        trim(&mut self.scored, Self::KEPT);
        trim(&mut self.nominees, Self::KEPT);
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Searches a graph for the rows nearest to `query`, which is in the matrix's element encoding.
///
/// `matrix` holds the full vectors of the graph's rows, `kernel` is the canonical kernel of its metric and
/// element. Allocates only what it returns, and what of the last search's memory was not [kept](Scratch).
///
/// # Panics
/// If the query is not as long as a row.
pub fn search<F: RowFilter + ?Sized>(
    graph: GraphView<'_>,
    matrix: &impl FullVectors,
    kernel: &Kernel,
    query: &[u8],
    params: &SearchParams,
    filter: Option<&F>,
    scratch: &mut Scratch,
) -> Found {
    search_watched(
        graph,
        matrix,
        kernel,
        query,
        params,
        (filter, &Control::none()),
        scratch,
    )
}

/// [`search`], ended early when `control` says so, which it is asked a few times in a millisecond.
///
/// # Panics
/// If the query is not as long as a row.
pub fn search_watched<F: RowFilter + ?Sized>(
    graph: GraphView<'_>,
    matrix: &impl FullVectors,
    kernel: &Kernel,
    query: &[u8],
    params: &SearchParams,
    among: (Option<&F>, &Control<'_>),
    scratch: &mut Scratch,
) -> Found {
    let ground = Ground { graph, part: None };
    ground.search(matrix, kernel, query, params, among, scratch)
}

/// [`search_watched`] among the rows of a partition of the graph. What a filter estimates and lists must be among these.
///
/// # Panics
/// If the query is not as long as a row.
pub fn search_within<F: RowFilter + ?Sized>(
    (graph, part): (GraphView<'_>, PartitionView<'_>),
    matrix: &impl FullVectors,
    kernel: &Kernel,
    query: &[u8],
    params: &SearchParams,
    among: (Option<&F>, &Control<'_>),
    scratch: &mut Scratch,
) -> Found {
    let part = Some(part);
    let ground = Ground { graph, part };
    ground.search(matrix, kernel, query, params, among, scratch)
}

/// Where a search goes: over all of a graph, or over a partition of it.
#[derive(Clone, Copy)]
struct Ground<'a> {
    graph: GraphView<'a>,
    part: Option<PartitionView<'a>>,
}

impl<'a> Ground<'a> {
    fn search<F: RowFilter + ?Sized>(
        self,
        matrix: &impl FullVectors,
        kernel: &Kernel,
        query: &[u8],
        params: &SearchParams,
        among: (Option<&F>, &Control<'_>),
        scratch: &mut Scratch,
    ) -> Found {
        let graph = self.graph;
        if params.k == 0 || graph.is_empty() {
            return Found::default();
        }
        let (scale, places) = match graph.codes.filter(|_| params.codes) {
            Some(codes) => {
                let places = nominate_by_codes(self, codes, query, params, among, scratch);
                let scale = Scale {
                    unit: graph.quantizer.unit(),
                    offset: scratch.query.zero.offset,
                };
                (Some(scale), places)
            }
            None => {
                let Scratch {
                    walker,
                    query: code,
                    rows,
                    scored,
                    ..
                } = &mut *scratch;
                graph.quantizer.encode_query(query, code);
                let score = ExactScore {
                    kernel,
                    matrix,
                    query,
                };
                let zero = code.zero.exact(graph.growth.longest);
                let places = self.nominate((&score, zero), params, among, walker, (rows, scored));
                (None, places)
            }
        };
        let found = match scale.filter(|_| !params.rescore) {
            Some(scale) => as_coded(scale, params.k, places, &mut scratch.walker),
            None => {
                let unit = scale.map_or(1.0, |scale| scale.unit);
                let kept = (&mut scratch.walker, &mut scratch.nominees);
                rescore(matrix, kernel, query, (unit, places), (params, among.1), kept)
            }
        };
        scratch.trim();
        found
    }

    /// Leaves the nominees with the walker; answers of which rows they are the places.
    fn nominate<S: Score, F: RowFilter + ?Sized>(
        self,
        (score, zero): (&S, f32),
        params: &SearchParams,
        (filter, control): (Option<&F>, &Control<'_>),
        walker: &mut Walker,
        lists: (&mut Vec<u32>, &mut Vec<Candidate>),
    ) -> Places<'a> {
        let Some(part) = self.part else {
            nominate(
                self.graph,
                (score, zero),
                params,
                (filter, control),
                walker,
                lists,
            );
            return None;
        };
        let rows = part.rows();
        let looks_through = |filter: &F| {
            let possible = filter.estimate();
            possible.is_some_and(|possible| looks_through(possible, part.len().into(), params))
        };
        let mut params = *params;
        // A walk that looks through others finds out by itself whether it needs a wider beam.
        if !filter.is_some_and(looks_through) {
            params.ef = part.width(params.ef);
        }
        let filter = filter.map(|filter| Within { filter, rows });
        let score = Ranked::new(score, rows, self.graph.len());
        let graph = part.among(self.graph);
        nominate(
            graph,
            (&score, zero),
            &params,
            (filter.as_ref(), control),
            walker,
            lists,
        );
        Some(rows)
    }
}

/// The rows whose codes say that they are nearest to `query`, at most [`SearchParams::k`] of them, for whoever scores them by
/// other means: `hits` have the scores of the codes, in units of their own. In a graph without codes there are none; it counts
/// as damaged.
///
/// # Panics
/// If the query is not as long as a row.
pub fn nominees<F: RowFilter + ?Sized>(
    graph: GraphView<'_>,
    query: &[u8],
    params: &SearchParams,
    among: (Option<&F>, &Control<'_>),
    scratch: &mut Scratch,
) -> Found {
    if params.k == 0 || graph.is_empty() {
        return Found::default();
    }
    let Some(codes) = graph.codes else {
        return Found {
            damaged: true,
            ..Found::default()
        };
    };
    let ground = Ground { graph, part: None };
    nominate_by_codes(ground, codes, query, params, among, scratch);
    let walker = &mut scratch.walker;
    let stopped = std::mem::take(&mut walker.stopped);
    let found = Found {
        hits: match stopped {
            true => Vec::new(),
            false => walker.results().take(params.k).collect(),
        },
        damaged: std::mem::take(&mut walker.damaged),
        stopped,
        scored: std::mem::take(&mut walker.scored),
        rescored: 0,
    };
    scratch.trim();
    found
}

/// Leaves the nominees of the codes with the walker.
fn nominate_by_codes<'a, F: RowFilter + ?Sized>(
    ground: Ground<'a>,
    codes: CodesView<'_>,
    query: &[u8],
    params: &SearchParams,
    among: (Option<&F>, &Control<'_>),
    scratch: &mut Scratch,
) -> Places<'a> {
    let Scratch {
        walker,
        query: code,
        rows,
        scored,
        ..
    } = scratch;
    let graph = ground.graph;
    graph.quantizer.encode_query(query, code);
    let zero = code.zero.score(graph.growth.longest);
    if among.0.is_none() && ground.part.is_none() {
        walk_by_codes(graph, (codes, code, zero), params, walker, among.1);
        return None;
    }
    match codes.layout().scheme() {
        Scheme::Dot => {
            let score = DotScore::new(codes, code);
            ground.nominate((&score, zero), params, among, walker, (rows, scored))
        }
        Scheme::Sad => {
            let score = SadScore::new(codes, code);
            ground.nominate((&score, zero), params, among, walker, (rows, scored))
        }
    }
}

/// [`walk_to_all`] on codes. What is generic is compiled where it is called, and what it calls here is not part of that unless
/// a program is optimised as a whole: the walk that most searches are is compiled here.
fn walk_by_codes(
    graph: GraphView<'_>,
    (codes, code, zero): (CodesView<'_>, &QueryCode, f32),
    params: &SearchParams,
    walker: &mut Walker,
    control: &Control<'_>,
) {
    match codes.layout().scheme() {
        Scheme::Dot => walk_to_all(
            graph,
            (&DotScore::new(codes, code), zero),
            params,
            walker,
            control,
        ),
        Scheme::Sad => walk_to_all(
            graph,
            (&SadScore::new(codes, code), zero),
            params,
            walker,
            control,
        ),
    }
}

/// Walks from the top to the base level; the walker keeps the nominees.
fn walk_to_all<S: Score>(
    graph: GraphView<'_>,
    (score, zero): (&S, f32),
    params: &SearchParams,
    walker: &mut Walker,
    control: &Control<'_>,
) {
    let aim = aim(graph, zero, params);
    let width = width_of(params, u64::from(graph.len()));
    let entry = descend(graph, score, walker);
    walker.walk_watched(graph.base, score, [entry], aim.width(width), control);
}

/// What a walk is after.
fn aim(graph: GraphView<'_>, zero: f32, params: &SearchParams) -> Aim {
    Aim {
        growth: graph.growth,
        zero,
        k: params.k,
    }
}

/// How many results a walk keeps where the data are as usual.
fn width_of(params: &SearchParams, rows: u64) -> usize {
    let rows = usize::try_from(rows).unwrap_or(usize::MAX);
    params.ef.max(params.k).min(rows)
}

/// Whether so few of `rows` rows may match that looking at all of those costs less than a walk.
fn is_scanned<F: RowFilter + ?Sized>(filter: &F, rows: u64, params: &SearchParams) -> bool {
    let possible = filter.estimate().unwrap_or(rows);
    let a_result = match (filter.is_slow(), looks_through(possible, rows, params)) {
        (true, _) => SCAN_ROWS_A_RESULT * SLOW_TIMES,
        (false, true) => SCAN_ROWS_A_RESULT,
        (false, false) => SCAN_ROWS_A_PLAIN_RESULT,
    };
    let width = width_of(params, rows).max(SCAN_WIDTH) as u64;
    possible <= a_result.saturating_mul(width)
}

/// Whether so few of `rows` rows match that a walk looks through the others.
fn looks_through(possible: u64, rows: u64, params: &SearchParams) -> bool {
    (possible as f64) < params.two_hops_below * rows as f64
}

/// Walks from the top to the base level, or looks at every row that may match; the walker keeps the nominees.
fn nominate<S: Score, F: RowFilter + ?Sized>(
    graph: GraphView<'_>,
    (score, zero): (&S, f32),
    params: &SearchParams,
    (filter, control): (Option<&F>, &Control<'_>),
    walker: &mut Walker,
    (listed, scored): (&mut Vec<u32>, &mut Vec<Candidate>),
) {
    let Some(filter) = filter else {
        return walk_to_all(graph, (score, zero), params, walker, control);
    };
    let rows = graph.len();
    let width = width_of(params, u64::from(rows));
    let aim = aim(graph, zero, params);
    let scanned = width.max(params.rescored());
    let mut look_at_all = |listed: &[u32], is_listed: bool, walker: &mut Walker| {
        if is_listed && !filter.is_slow() {
            walker.scan(rows, score, listed, scanned.max(SCAN_NOMINEES), control);
        } else {
            walker.scan_asking(rows, score, listed, scanned, (filter, control), scored);
        }
    };
    let possible = filter.estimate().unwrap_or(u64::from(rows));
    let mut looks = possible;
    if is_scanned(filter, u64::from(rows), params) {
        listed.clear();
        if filter.list(listed) {
            return look_at_all(listed, true, walker);
        }
        // Looking at those that match means to ask for every row.
        looks = u64::from(rows);
    }
    let entry = descend(graph, score, walker);
    let share = possible as f64 / f64::from(rows);
    let looks_through = looks_through(possible, u64::from(rows), params) && !filter.is_slow();
    // A walk that looks through nothing costs about as much as one without a filter: that it may, however few rows there are.
    let least = if looks_through {
        0
    } else {
        SCAN_ROWS_A_PLAIN_RESULT * width as u64
    };
    let through = Through {
        filter,
        two_hops: looks_through.then_some(share),
        most: ((looks as f64 * GIVE_UP) as u64).max(least),
        control,
    };
    let finished = walker.walk_filtered(graph.base, score, [entry], (width, &aim), through);
    if walker.stopped {
        return;
    }
    // A walk that came back short may have been cut off from matching rows.
    if !finished || (walker.results().take(params.k).count() as u64) < possible.min(params.k as u64) {
        listed.clear();
        let is_listed = filter.list(listed);
        if !is_listed {
            listed.extend(0..rows);
        }
        look_at_all(listed, is_listed, walker);
    }
}

/// Where the upper levels lead to.
pub(super) fn descend<S: Score>(graph: GraphView<'_>, score: &S, walker: &mut Walker) -> u32 {
    let mut entry = graph.entry();
    let ranked = Ranked::new(score, graph.upper_rows, graph.len());
    let mut rank = 0;
    for level in graph.upper_levels() {
        walker.walk(level, &ranked, [rank], 1);
        rank = walker.nearest().unwrap_or(0);
        entry = graph.upper_rows[rank as usize];
    }
    entry
}

#[cfg(test)]
mod tests;
