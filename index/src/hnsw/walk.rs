//! The beam search: one, for building and for queries, on every level.
//!
//! The beam is one sorted array of words. A word holds a candidate's score, its row and two flags, so that
//! finding a place is a search over integers and keeping the order is a `memmove` of a few hundred bytes: up to
//! beams of about a thousand this beats a pair of heaps. Visited nodes are bits in a map; the list of bits that
//! were set serves to clear them, so that a search costs nothing for nodes it did not touch.
//!
//! A node's unvisited neighbours are gathered first, each being prefetched, and scored in fours after that:
//! memory, not arithmetic, is what a walk waits for.

use crate::hnsw::params::MAX_ROWS;
use crate::quant::Score;
use crate::rowset::RowFilter;
use crate::topk::{from_order_bits, order_bits};

/// Rows of codes that a scan asks for before it scores them.
const SCAN_AHEAD: usize = 12;

/// An unused place in a block of links; the links of a block come first.
pub(crate) const FREE: u32 = u32::MAX;

/// Links of all nodes of one level: a block of `degree` places each.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) blocks: &'a [u32],
    pub(crate) degree: usize,
}

impl<'a> Links<'a> {
    /// How many nodes have a block.
    pub(crate) fn nodes(&self) -> u32 {
        (self.blocks.len() / self.degree) as u32
    }

    /// The block of a node, unused places included.
    #[inline]
    pub(crate) fn block(&self, node: u32) -> &'a [u32] {
        &self.blocks[node as usize * self.degree..][..self.degree]
    }

    /// The links of a node, as stored: rows are not bounded.
    #[inline]
    pub(crate) fn of(&self, node: u32) -> impl Iterator<Item = u32> + use<'a> {
        self.block(node).iter().copied().take_while(|&link| link != FREE)
    }

    #[inline]
    fn prefetch(&self, node: u32) {
        vdb_sys::kernel::prefetch(bytemuck::cast_slice(self.block(node)));
    }
}

/// Scores of an upper level, which addresses its nodes by their rank.
pub(crate) struct Ranked<'a, S> {
    score: &'a S,
    rows: &'a [u32],
    last: u32,
}

impl<'a, S> Ranked<'a, S> {
    /// `rows` maps ranks to rows of a graph that has `len` of them, at least one.
    pub(crate) fn new(score: &'a S, rows: &'a [u32], len: u32) -> Self {
        Self {
            score,
            rows,
            last: len - 1,
        }
    }

    /// A row that a damaged file put out of range leads the descent astray, no further.
    #[inline]
    fn row(&self, rank: u32) -> u32 {
        self.rows[rank as usize].min(self.last)
    }
}

impl<S: Score> Score for Ranked<'_, S> {
    #[inline]
    fn score(&self, rank: u32) -> f32 {
        self.score.score(self.row(rank))
    }

    #[inline]
    fn score4(&self, ranks: [u32; 4]) -> [f32; 4] {
        self.score.score4(ranks.map(|rank| self.row(rank)))
    }

    #[inline]
    fn prefetch(&self, rank: u32) {
        self.score.prefetch(self.row(rank));
    }
}

/// A candidate: score, row, whether it was expanded, whether it is only a route to others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate(u64);

impl Candidate {
    const EXPANDED: u64 = 1;
    const ROUTE: u64 = 2;

    /// Larger is better: score first, then the smaller row.
    #[inline]
    fn new(score: f32, row: u32, route: bool) -> Self {
        debug_assert!(row < MAX_ROWS);
        let row = u64::from(MAX_ROWS - 1 - row) << 2;
        Self(u64::from(order_bits(score)) << 32 | row | if route { Self::ROUTE } else { 0 })
    }

    #[inline]
    fn score(self) -> f32 {
        from_order_bits((self.0 >> 32) as u32)
    }

    #[inline]
    fn row(self) -> u32 {
        MAX_ROWS - 1 - ((self.0 as u32) >> 2)
    }

    #[inline]
    fn is_expanded(self) -> bool {
        self.0 & Self::EXPANDED != 0
    }

    #[inline]
    fn is_route(self) -> bool {
        self.0 & Self::ROUTE != 0
    }
}

/// The best candidates so far, best first.
#[derive(Default)]
struct Beam {
    sorted: Vec<Candidate>,
    /// How many results (candidates that are no routes) it keeps.
    width: usize,
    results: usize,
    /// Everything before this was expanded.
    next: usize,
}

impl Beam {
    /// However few results there are, the beam holds no more than this many candidates a result wanted.
    const MOST_ROUTES: usize = 32;

    fn reset(&mut self, width: usize) {
        self.sorted.clear();
        self.width = width;
        self.results = 0;
        self.next = 0;
    }

    /// A score has to be above this to enter.
    #[inline]
    fn bar(&self) -> f32 {
        match self.sorted.last() {
            Some(last) if self.is_full() => last.score(),
            Some(_) | None => f32::NEG_INFINITY,
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.results >= self.width || self.sorted.len() >= self.width.saturating_mul(Self::MOST_ROUTES)
    }

    /// Enters a candidate above the bar. Answers its place.
    #[inline]
    fn insert(&mut self, new: Candidate) -> usize {
        let at = self.sorted.partition_point(|&old| old > new);
        self.sorted.insert(at, new);
        self.next = self.next.min(at);
        self.results += usize::from(!new.is_route());
        let most = self.width.saturating_mul(Self::MOST_ROUTES);
        while self.results > self.width || self.sorted.len() > most {
            self.pop();
        }
        // Routes behind the last result lead nowhere better.
        while self.results == self.width && self.sorted.last().is_some_and(|last| last.is_route()) {
            self.pop();
        }
        at
    }

    fn pop(&mut self) {
        if let Some(last) = self.sorted.pop() {
            self.results -= usize::from(!last.is_route());
        }
    }

    /// The best candidate that was not expanded; marks it.
    #[inline]
    fn expand(&mut self) -> Option<Candidate> {
        while let Some(candidate) = self.sorted.get_mut(self.next) {
            self.next += 1;
            if !candidate.is_expanded() {
                candidate.0 |= Candidate::EXPANDED;
                return Some(*candidate);
            }
        }
        None
    }

    /// The candidate that `expand` would answer, if nothing better comes.
    #[inline]
    fn upcoming(&self) -> Option<Candidate> {
        self.sorted[self.next.min(self.sorted.len())..]
            .iter()
            .copied()
            .find(|c| !c.is_expanded())
    }
}

/// Which nodes were met, as bits.
#[derive(Default)]
struct Visited {
    words: Vec<u64>,
    touched: Vec<u32>,
}

impl Visited {
    fn reset(&mut self, nodes: u32) {
        for &node in &self.touched {
            self.words[(node >> 6) as usize] = 0;
        }
        self.touched.clear();
        let words = (nodes as usize).div_ceil(64);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
    }

    /// Marks a node; answers whether it was new.
    #[inline]
    fn visit(&mut self, node: u32) -> bool {
        let word = &mut self.words[(node >> 6) as usize];
        let bit = 1u64 << (node & 63);
        let new = *word & bit == 0;
        *word |= bit;
        if new {
            self.touched.push(node);
        }
        new
    }

    #[inline]
    fn contains(&self, node: u32) -> bool {
        self.words[(node >> 6) as usize] >> (node & 63) & 1 == 1
    }
}

/// Which nodes may be results.
#[derive(Clone, Copy)]
pub(crate) struct Admission<'a> {
    pub(crate) filter: &'a dyn RowFilter,
    /// Whether to look through nodes that do not match for nodes behind them that do (see
    /// [`Walker::gather_through`]), instead of scoring them as routes.
    pub(crate) two_hops: bool,
}

/// The memory of a walk and what it counts. Reused from walk to walk; grows to the largest graph it met.
#[derive(Default)]
pub(crate) struct Walker {
    beam: Beam,
    visited: Visited,
    /// Neighbours to score.
    batch: Vec<u32>,
    /// Neighbours that do not match the filter.
    misses: Vec<u32>,
    /// Rows scored since the counter was last taken.
    pub(crate) scored: u64,
    /// Whether a link pointed outside the graph, which no build produces.
    pub(crate) damaged: bool,
}

impl Walker {
    /// Walks from `entries` toward whatever `score` prefers, with a beam of `width` results.
    ///
    /// Returns nothing: [`Walker::results`] has the outcome until the next walk. Entries and links outside the
    /// graph are skipped and noted. Ends because every node is expanded at most once.
    pub(crate) fn walk<S: Score>(
        &mut self,
        links: Links<'_>,
        score: &S,
        entries: impl IntoIterator<Item = u32>,
        width: usize,
        admission: Option<Admission<'_>>,
    ) {
        let nodes = links.nodes();
        self.visited.reset(nodes);
        self.beam.reset(width.max(1));
        self.batch.clear();
        for entry in entries {
            if entry >= nodes {
                self.damaged = true;
            } else if self.visited.visit(entry) {
                self.batch.push(entry);
            }
        }
        let admitted = |row| admission.is_none_or(|a| a.filter.contains(row));
        // Entries are routes unless they match.
        for at in 0..self.batch.len() {
            let row = self.batch[at];
            let new = score.score(row);
            self.scored += 1;
            if new > self.beam.bar() || self.beam.sorted.is_empty() {
                self.beam.insert(Candidate::new(new, row, !admitted(row)));
            }
        }
        while let Some(candidate) = self.beam.expand() {
            if let Some(next) = self.beam.upcoming() {
                links.prefetch(next.row());
            }
            self.batch.clear();
            match admission {
                None => {
                    self.gather(links, candidate.row(), nodes, score);
                    self.score_batch(links, score, false);
                }
                Some(admission) => self.expand_filtered(links, candidate.row(), nodes, score, admission),
            }
        }
    }

    /// Scores the given rows, all of them, instead of walking; keeps the best `width`. Rows outside `0..nodes` are
    /// skipped.
    pub(crate) fn scan<S: Score>(&mut self, nodes: u32, score: &S, rows: &[u32], width: usize) {
        self.beam.reset(width.max(1));
        let ahead = |at: usize| rows.get(at).filter(|&&row| row < nodes);
        (0..SCAN_AHEAD)
            .filter_map(ahead)
            .for_each(|&row| score.prefetch(row));
        for (at, four) in (0..).step_by(4).zip(rows.chunks(4)) {
            (at + SCAN_AHEAD..at + SCAN_AHEAD + 4)
                .filter_map(ahead)
                .for_each(|&row| score.prefetch(row));
            self.scored += four.len() as u64;
            match four {
                &[a, b, c, d] if four.iter().all(|&row| row < nodes) => {
                    for (&row, new) in four.iter().zip(score.score4([a, b, c, d])) {
                        self.enter_scanned(new, row);
                    }
                }
                _ => {
                    for &row in four.iter().filter(|&&row| row < nodes) {
                        self.enter_scanned(score.score(row), row);
                    }
                }
            }
        }
    }

    #[inline]
    fn enter_scanned(&mut self, score: f32, row: u32) {
        if score > self.beam.bar() {
            self.beam.insert(Candidate::new(score, row, false));
        }
    }

    /// The results of the last walk or scan, best first.
    pub(crate) fn results(&self) -> impl Iterator<Item = (f32, u32)> + '_ {
        self.beam
            .sorted
            .iter()
            .filter(|c| !c.is_route())
            .map(|c| (c.score(), c.row()))
    }

    /// The node nearest to where the last walk went, whether or not it may be a result.
    pub(crate) fn nearest(&self) -> Option<u32> {
        self.beam.sorted.first().map(|c| c.row())
    }

    /// Puts the unvisited neighbours of a node into the batch.
    #[inline]
    fn gather<S: Score>(&mut self, links: Links<'_>, node: u32, nodes: u32, score: &S) {
        for &link in links.block(node) {
            if link >= nodes {
                if link == FREE {
                    break;
                }
                self.damaged = true;
            } else if self.visited.visit(link) {
                score.prefetch(link);
                self.batch.push(link);
            }
        }
    }

    /// Scores the batch and enters what is above the bar.
    #[inline]
    fn score_batch<S: Score>(&mut self, links: Links<'_>, score: &S, routes: bool) {
        self.scored += self.batch.len() as u64;
        let (fours, rest) = self.batch.as_chunks::<4>();
        for rows in fours {
            let scores = score.score4(*rows);
            for (&new, &row) in scores.iter().zip(rows) {
                enter(&mut self.beam, links, new, row, routes);
            }
        }
        for &row in rest {
            enter(&mut self.beam, links, score.score(row), row, routes);
        }
    }

    /// Expands a node under a filter: matching neighbours are results, the others are looked through or become
    /// routes.
    fn expand_filtered<S: Score>(
        &mut self,
        links: Links<'_>,
        node: u32,
        nodes: u32,
        score: &S,
        admission: Admission<'_>,
    ) {
        self.misses.clear();
        for &link in links.block(node) {
            if link >= nodes {
                if link == FREE {
                    break;
                }
                self.damaged = true;
            } else if !self.visited.contains(link) {
                if admission.filter.contains(link) {
                    self.visited.visit(link);
                    score.prefetch(link);
                    self.batch.push(link);
                } else {
                    if admission.two_hops {
                        links.prefetch(link);
                    }
                    self.misses.push(link);
                }
            }
        }
        if admission.two_hops {
            self.gather_through(links, nodes, score, admission.filter);
        }
        let found = self.batch.len();
        self.score_batch(links, score, false);
        if !admission.two_hops || found == 0 {
            // Nothing matches around here: go on through the nodes themselves, toward the query.
            self.batch.clear();
            for at in 0..self.misses.len() {
                let miss = self.misses[at];
                // Two hops: all were looked through, which marked them.
                if self.visited.visit(miss) || admission.two_hops {
                    score.prefetch(miss);
                    self.batch.push(miss);
                }
            }
            self.score_batch(links, score, true);
        }
    }

    /// Adds to the batch what matches behind neighbours that do not, until the batch is as large as a node's
    /// links may be: the predicate subgraph of ACORN-1 (Patel et al., SIGMOD 2024, section 5.2) without its
    /// denser index.
    fn gather_through<S: Score>(&mut self, links: Links<'_>, nodes: u32, score: &S, filter: &dyn RowFilter) {
        for at in 0..self.misses.len() {
            if self.batch.len() >= links.degree {
                break;
            }
            let miss = self.misses[at];
            self.visited.visit(miss);
            for &link in links.block(miss) {
                if link >= nodes {
                    if link == FREE {
                        break;
                    }
                    self.damaged = true;
                } else if !self.visited.contains(link) && filter.contains(link) {
                    self.visited.visit(link);
                    score.prefetch(link);
                    self.batch.push(link);
                }
            }
        }
    }
}

/// Enters a scored row if it is above the bar, and asks for its links if it is likely to be expanded next.
#[inline]
fn enter(beam: &mut Beam, links: Links<'_>, score: f32, row: u32, route: bool) {
    if score > beam.bar() {
        let at = beam.insert(Candidate::new(score, row, route));
        if at == beam.next {
            links.prefetch(row);
        }
    }
}

#[cfg(test)]
mod tests;
