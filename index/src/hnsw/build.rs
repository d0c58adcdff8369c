//! How a graph comes to be: batches that search the frozen graph, then link.

use rayon::prelude::*;
use vdb_sys::element::MatrixView;
use vdb_sys::kernel::Metric;

use crate::codes::{CodesView, QueryCode, Scheme, Score};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::hnsw::block::{Back, Block};
use crate::hnsw::connect::connect;
use crate::hnsw::graph::{Graph, Upper};
use crate::hnsw::growth::Growth;
use crate::hnsw::links::{FREE, Links, Ranked};
use crate::hnsw::pairs::{self, DotPairs, Pairs, SadPairs};
use crate::hnsw::params::{HnswParams, MAX_ROWS};
use crate::hnsw::prune::{self, Near};
use crate::hnsw::repair::{Base, carry};
use crate::hnsw::twins::{self, Twin};
use crate::hnsw::walk::Walker;
use crate::mix;
use crate::quant::{Quantization, Quantizer};
use crate::rowset::RowFilter;

/// A batch is at most this share of the rows: what is in one batch cannot see each other.
const BATCH_SHARE: usize = 50;
/// A batch is at most this share of the graph it searches.
const BATCH_GROWTH: usize = 4;
/// Nodes whose links one task changes.
const LINK_CHUNK: usize = 512;

/// Builds a graph over every row of the matrix.
///
/// Deterministic: the same matrix, metric and parameters give the same graph on any number of threads.
/// Memory beyond the result: 24 bytes a row and 4 a link (152 a row by default), and the scratch of a batch.
///
/// # Errors
/// [`Error::Cancelled`] (looked at for every row searched, and every few hundred linked), [`Error::TooManyRows`], [`Error::BadParameter`].
pub fn build(
    matrix: &MatrixView<'_>,
    metric: Metric,
    params: &HnswParams,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Graph> {
    make(matrix, metric, params, None, pool, control)
}

/// Builds a graph over every row of the matrix from one over some of its rows.
///
/// The links among those stand, but for what is repaired where neighbours were dropped (see `repair.rs`); the other
/// rows are inserted as in [`build`]. Codes and upper levels are made anew: those of the whole matrix, as [`build`]
/// would make them, at about a sixteenth of its price. Deterministic likewise, with `base` for another input.
///
/// # Errors
/// As [`build`]; [`Error::BadParameter`] too when `base` was built with other parameters: rows that were linked in another
/// way would stay so.
///
/// # Panics
/// If `base.rows` does not have a place for each row of the graph, or names one that the matrix does not have.
pub fn extend(
    base: &Base<'_>,
    matrix: &MatrixView<'_>,
    metric: Metric,
    params: &HnswParams,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Graph> {
    if base.graph.params() != *params {
        return Err(Error::BadParameter {
            parameter: "m of the graph to extend, or another parameter of it,",
            value: u64::from(base.graph.params().m),
            range: "those of the new graph",
        });
    }
    make(matrix, metric, params, Some(base), pool, control)
}

fn make(
    matrix: &MatrixView<'_>,
    metric: Metric,
    params: &HnswParams,
    base: Option<&Base<'_>>,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Graph> {
    params.validate()?;
    if matrix.len() > MAX_ROWS {
        return Err(Error::TooManyRows {
            rows: matrix.len(),
            limit: MAX_ROWS,
        });
    }
    let quantizer = Quantizer::fit(matrix, metric, params.quantization, pool, control)?;
    let (codes, lengths) = quantizer.encode(matrix, pool, control)?;
    let (base, upper) = link(&quantizer, (codes.view(), &lengths), params, base, pool, control)?;
    let mut graph = Graph {
        quantizer,
        rows: matrix.len(),
        codes: None,
        base,
        upper,
        params: *params,
        growth: Growth::default(),
        encoding: 0,
    };
    graph.growth = Growth::measure(graph.view(), (codes.view(), &lengths), matrix, pool, control)?;
    graph.codes = (params.quantization != Quantization::Off).then_some(codes);
    Ok(graph)
}

/// Links rows that a quantizer has made codes of: the blocks of level 0, and the levels above.
pub(super) fn link(
    quantizer: &Quantizer,
    (codes, lengths): (CodesView<'_>, &[f32]),
    params: &HnswParams,
    base: Option<&Base<'_>>,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<(Vec<u32>, Upper)> {
    match quantizer.layout().scheme() {
        Scheme::Dot => {
            let (metric, mean) = (quantizer.metric(), quantizer.mean());
            let pairs = DotPairs::new(codes, lengths, metric, mean, pool, control)?;
            Builder::new(&pairs, codes, params, pool, control).run(base)
        }
        Scheme::Sad => {
            let pairs = SadPairs { codes };
            Builder::new(&pairs, codes, params, pool, control).run(base)
        }
    }
}

/// What one thread needs to find and choose neighbours.
#[derive(Default)]
struct Worker {
    walker: Walker,
    code: QueryCode,
    candidates: Vec<Near>,
    chosen: Vec<Near>,
    distances: Vec<f32>,
}

struct Builder<'a, P> {
    pairs: &'a P,
    params: &'a HnswParams,
    pool: &'a rayon::ThreadPool,
    control: &'a Control<'a>,
    /// All rows in the order of insertion, those with an earlier equal last.
    order: Vec<u32>,
    twins: Vec<Twin>,
    /// The place of each row in that order.
    rank: Vec<u32>,
    links: Vec<u32>,
    /// The distance along each link.
    lengths: Vec<f32>,
    degree: usize,
    upper: Upper,
    workers: Workers,
    /// Rows done, and to be done, of both passes.
    done: u64,
    total: u64,
}

/// Workers that wait for a task.
#[derive(Default)]
struct Workers(parking_lot::Mutex<Vec<Worker>>);

impl Workers {
    fn with<R>(&self, work: impl FnOnce(&mut Worker) -> R) -> R {
        let idle = self.0.lock().pop();
        let mut worker = idle.unwrap_or_default();
        let result = work(&mut worker);
        self.0.lock().push(worker);
        result
    }
}

impl<'a, P: Pairs> Builder<'a, P> {
    fn new(
        pairs: &'a P,
        codes: CodesView<'_>,
        params: &'a HnswParams,
        pool: &'a rayon::ThreadPool,
        control: &'a Control<'a>,
    ) -> Self {
        let seed = mix(params.seed ^ 0x9e37_79b9_7f4a_7c15);
        let mut order: Vec<u32> = (0..codes.len()).collect();
        // The row breaks ties, so that the order is total and an unstable sort deterministic.
        pool.install(|| order.par_sort_unstable_by_key(|&row| (mix(seed ^ u64::from(row)), row)));
        let twins = twins::split(codes, &mut order, pool);
        let mut rank = vec![0; order.len()];
        for (&row, at) in order.iter().zip(0u32..) {
            rank[row as usize] = at;
        }
        let degree = params.degree();
        Self {
            pairs,
            params,
            pool,
            control,
            links: vec![FREE; order.len() * degree],
            lengths: vec![0.0; order.len() * degree],
            order,
            rank,
            degree,
            twins,
            upper: Upper::default(),
            workers: Workers::default(),
            done: 0,
            total: 0,
        }
    }

    fn run(mut self, base: Option<&Base<'_>>) -> Result<(Vec<u32>, Upper)> {
        if self.order.is_empty() {
            return Ok((self.links, self.upper));
        }
        let order = std::mem::take(&mut self.order);
        let rows = &order[..order.len() - self.twins.len()];
        let passes = if self.params.ef_refine > 0 { 2 } else { 1 };
        self.total = rows.len() as u64 * passes;
        let lowest = self.grow(&order, rows.len())?;
        let fresh: Vec<u32>;
        let inserted = match base {
            None => {
                self.insert(&rows[lowest..], lowest, rows.len())?;
                rows
            }
            Some(base) => {
                let kept = carry(
                    base,
                    &self.twins,
                    self.pairs,
                    self.params,
                    &mut self.links,
                    &mut self.lengths,
                    self.pool,
                    self.control,
                )?;
                fresh = rows.iter().copied().filter(|&row| !kept.contains(row)).collect();
                self.total = self.done + fresh.len() as u64 * passes;
                self.insert(&fresh, 0, fresh.len())?;
                &fresh
            }
        };
        if self.params.ef_refine > 0 {
            for batch in inserted.chunks(rows.len().div_ceil(BATCH_SHARE)) {
                self.batch(batch, self.params.ef_refine, true)?;
            }
        }
        twins::attach(&self.twins, &mut self.links, self.degree);
        connect(
            self.pairs,
            &mut self.links,
            self.degree,
            self.upper.rows.first().copied().unwrap_or(0),
            usize::from(self.params.ef_construct),
            self.control,
        )?;
        self.control.report(self.total, self.total);
        Ok((self.links, self.upper))
    }

    /// Builds the upper levels, and as much of level 0 as they are taken from: that many rows of the order.
    fn grow(&mut self, order: &[u32], rows: usize) -> Result<usize> {
        let sizes = level_sizes(rows as u32, self.params.m);
        let lowest = sizes.last().map_or(1, |&size| size as usize);
        self.upper.rows = order[..lowest].to_vec();
        self.done = 1;
        let mut inserted = 1;
        for size in sizes {
            self.insert(&order[inserted..size as usize], inserted, rows)?;
            inserted = size as usize;
            self.snapshot(size)?;
        }
        Ok(lowest)
    }

    /// Inserts rows in batches that grow with the graph, which holds `inserted` of `all` rows that count.
    fn insert(&mut self, rows: &[u32], mut inserted: usize, all: usize) -> Result<()> {
        let most = all.div_ceil(BATCH_SHARE);
        let mut rest = rows;
        while !rest.is_empty() {
            let size = (inserted / BATCH_GROWTH).clamp(1, most).min(rest.len());
            let (batch, behind) = rest.split_at(size);
            self.batch(batch, self.params.ef_construct, false)?;
            (rest, inserted) = (behind, inserted + size);
        }
        Ok(())
    }

    /// Finds the neighbours of a batch in the graph as it is, then links both ways.
    fn batch(&mut self, batch: &[u32], ef: u16, refine: bool) -> Result<()> {
        let degree = self.degree;
        let mut found = vec![(0.0, FREE); batch.len() * degree];
        self.pool.install(|| {
            found
                .par_chunks_mut(degree)
                .zip(batch)
                .try_for_each(|(out, &row)| {
                    if self.control.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    self.workers
                        .with(|worker| self.find(worker, row, usize::from(ef), refine, out));
                    Ok(())
                })
        })?;
        let mut back: Vec<Back> = Vec::with_capacity(found.len());
        for (near, &source) in found.chunks_exact(degree).zip(batch) {
            let at = source as usize * degree;
            for (place, &(length, link)) in near.iter().enumerate() {
                self.links[at + place] = link;
                self.lengths[at + place] = length;
            }
            let used = near.iter().take_while(|near| near.1 != FREE);
            back.extend(used.map(|&(length, target)| Back {
                target,
                source,
                length,
            }));
        }
        self.done += batch.len() as u64;
        let pool = self.pool;
        pool.install(|| self.link_back(back))?;
        self.control.report(self.done, self.total);
        Ok(())
    }

    /// Returns links. Those to one node enter it in the order of their sources.
    fn link_back(&mut self, mut back: Vec<Back>) -> Result<()> {
        back.par_sort_unstable_by_key(|back| (back.target, back.source));
        let degree = self.degree;
        let chunk = LINK_CHUNK * degree;
        let blocks = self
            .links
            .par_chunks_mut(chunk)
            .zip(self.lengths.par_chunks_mut(chunk));
        blocks.enumerate().try_for_each(|(chunk, (links, lengths))| {
            let first = (chunk * LINK_CHUNK) as u32;
            let start = back.partition_point(|back| back.target < first);
            let end = back.partition_point(|back| back.target < first + LINK_CHUNK as u32);
            if start == end {
                return Ok(());
            }
            if self.control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            self.workers.with(|worker| {
                for back in &back[start..end] {
                    let at = (back.target - first) as usize * degree;
                    let mut block = Block {
                        links: &mut links[at..][..degree],
                        lengths: &mut lengths[at..][..degree],
                    };
                    block.link_back(
                        back,
                        self.params.alpha,
                        self.pairs,
                        &mut worker.code,
                        &mut worker.distances,
                    );
                }
            });
            Ok(())
        })
    }

    /// Chooses the neighbours of a row.
    fn find(&self, worker: &mut Worker, row: u32, ef: usize, refine: bool, out: &mut [Near]) {
        {
            let score = self.pairs.near(row, &mut worker.code);
            let links = Links {
                blocks: &self.links,
                degree: self.degree,
            };
            // In the second pass, the node's own place is where a search for it would end.
            let entry = if refine {
                row
            } else {
                self.descend(&mut worker.walker, &score)
            };
            worker.walker.walk(links, &score, [entry], ef);
        }
        let near = worker.walker.results().filter(|&(_, near)| near != row);
        worker.candidates.clear();
        worker.candidates.extend(near.map(|(score, near)| (-score, near)));
        if refine {
            // The far links of the first pass lead out of clusters wider than the beam: they stand again.
            let block = row as usize * self.degree..(row as usize + 1) * self.degree;
            let old = self.lengths[block.clone()]
                .iter()
                .copied()
                .zip(self.links[block].iter().copied());
            worker.candidates.extend(old.take_while(|near| near.1 != FREE));
        }
        prune::sort(row, &mut worker.candidates);
        worker.candidates.dedup();
        choose(self.pairs, worker, self.degree, self.params.alpha);
        out[..worker.chosen.len()].copy_from_slice(&worker.chosen);
    }

    /// The nearest row that the finished upper levels lead to.
    fn descend(&self, walker: &mut Walker, score: &impl Score) -> u32 {
        let ranked = Ranked::new(score, &self.upper.rows, self.rank.len() as u32);
        let degree = usize::from(self.params.m);
        let mut rest = self.upper.links.as_slice();
        let mut rank = 0;
        for &size in &self.upper.sizes {
            let (level, below) = rest.split_at(size as usize * degree);
            rest = below;
            walker.walk(
                Links {
                    blocks: level,
                    degree,
                },
                &ranked,
                [rank],
                1,
            );
            rank = walker.nearest().unwrap_or(0);
        }
        self.upper.rows[rank as usize]
    }

    /// Keeps the graph of the first `size` rows of the order as a level, with half the links.
    fn snapshot(&mut self, size: u32) -> Result<()> {
        let degree = usize::from(self.params.m);
        let start = self.upper.links.len();
        self.upper.links.resize(start + size as usize * degree, FREE);
        let level = &mut self.upper.links[start..];
        let (links, lengths, rank) = (&self.links, &self.lengths, &self.rank);
        self.pool.install(|| {
            level
                .par_chunks_mut(degree)
                .zip(&self.upper.rows)
                .try_for_each(|(out, &row)| {
                    if self.control.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    self.workers.with(|worker| {
                        let block = row as usize * self.degree..(row as usize + 1) * self.degree;
                        let near = lengths[block.clone()]
                            .iter()
                            .copied()
                            .zip(links[block].iter().copied());
                        worker.candidates.clear();
                        worker.candidates.extend(near.take_while(|near| near.1 != FREE));
                        choose(self.pairs, worker, degree, self.params.alpha);
                        for (out, &(_, near)) in out.iter_mut().zip(&worker.chosen) {
                            *out = rank[near as usize];
                        }
                    });
                    Ok(())
                })
        })?;
        self.upper.sizes.push(size);
        Ok(())
    }
}

/// [`pairs::choose`] among the worker's candidates.
fn choose<P: Pairs>(pairs: &P, worker: &mut Worker, degree: usize, alpha: f32) {
    let Worker {
        code,
        candidates,
        chosen,
        ..
    } = worker;
    pairs::choose(pairs, code, candidates, degree, alpha, chosen);
}

/// Nodes of each level above the base, the sparsest first: 1/m of the rows, 1/m^2, and so on.
fn level_sizes(rows: u32, m: u16) -> Vec<u32> {
    let m = u32::from(m);
    let mut sizes: Vec<u32> = std::iter::successors(Some(rows / m), |&size| Some(size / m))
        // A level of a few nodes saves nothing over starting at any of them.
        .take_while(|&size| size >= 8)
        .collect();
    sizes.reverse();
    sizes
}

#[cfg(test)]
mod tests;
