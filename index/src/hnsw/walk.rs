//! The beam search: one, for building and for queries, on every level.
//!
//! A node's unvisited neighbours are gathered first, each being prefetched, and scored in fours after that:
//! memory, not arithmetic, is what a walk waits for.

use crate::codes::Score;
use crate::hnsw::beam::{Beam, Candidate, Visited};
use crate::hnsw::links::{FREE, Links};
use crate::rowset::RowFilter;

/// Rows of codes that a scan asks for before it scores them.
const SCAN_AHEAD: usize = 12;

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
