//! The beam search: one, for building and for queries, on every level.
//!
//! A node's unvisited neighbours are gathered first, each being prefetched, and scored in fours after that:
//! memory, not arithmetic, is what a walk waits for.

use crate::codes::Score;
use crate::control::Control;
use crate::hnsw::beam::{Beam, Candidate, Visited, trim};
use crate::hnsw::growth::Width;
use crate::hnsw::links::Links;

/// Rows of codes that a scan asks for before it scores them.
const SCAN_AHEAD: usize = 48;
/// Rows that it scores together.
const SCAN_BATCH: usize = 16;

/// The memory of a walk and what it counts. Reused from walk to walk; grows to the largest graph it met.
#[derive(Default)]
pub(crate) struct Walker {
    pub(super) beam: Beam,
    pub(super) visited: Visited,
    /// Neighbours to score.
    pub(super) batch: Vec<u32>,
    /// Neighbours that do not match the filter.
    pub(super) misses: Vec<u32>,
    /// Those of a node's links that match.
    pub(super) picked: Vec<u32>,
    /// Rows scored since the counter was last taken.
    pub(crate) scored: u64,
    /// Whether a link pointed outside the graph, which no build produces.
    pub(crate) damaged: bool,
    /// Whether the work was cut short because its caller wanted that: what was found is of no use.
    pub(crate) stopped: bool,
}

/// Rows scored, or asked, between two looks at whether to go on: tenths of a millisecond.
const ROWS_A_LOOK: usize = 4096;
pub(super) const ASKED_A_LOOK: usize = 128;

/// Nodes whose neighbours are gathered and scored together: twice as many reads are under way at once, and what the second
/// one would not have been expanded for, had the first one's neighbours been known, is little. A million rows, whose
/// codes no cache holds, are searched in 8 to 14 % less time at recalls from .96 on, a hundred thousand in no more; three or
/// four nodes gain little further.
const TOGETHER: usize = 2;

/// When a walk looks whether to go on.
pub(super) struct Pace {
    every: u32,
    left: u32,
}

impl Pace {
    /// For a beam of `width`: what enters a wide one moves more of it, so it looks after fewer steps. A step expands
    /// [`TOGETHER`] nodes, or one.
    pub(super) fn of(width: usize) -> Self {
        let every = ((1 << 16) / width.max(1024)).max(1) as u32;
        Self { every, left: every }
    }

    /// Counts a step; answers whether it is time.
    #[inline]
    pub(super) fn is_due(&mut self) -> bool {
        self.left -= 1;
        if self.left == 0 {
            self.left = self.every;
            return true;
        }
        false
    }
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
        width: impl Into<Width>,
    ) {
        self.walk_watched(links, score, entries, width, &Control::none());
    }

    /// [`walk`](Self::walk), ended early when `control` says so.
    pub(crate) fn walk_watched<S: Score>(
        &mut self,
        links: Links<'_>,
        score: &S,
        entries: impl IntoIterator<Item = u32>,
        width: impl Into<Width>,
        control: &Control<'_>,
    ) {
        let (nodes, width) = (links.nodes(), width.into());
        self.start(nodes, width, entries);
        self.score_entries(score, |_| false);
        let mut pace = Pace::of(width.most);
        while let Some(candidate) = self.beam.expand() {
            if pace.is_due() && self.is_stopped(control) {
                return;
            }
            self.gather_some(links, candidate, nodes, score);
            self.score_batch(links, score, |_| false);
        }
    }

    /// Whether the caller wants no more, or has wanted that before: a search that was cut short stays so.
    pub(super) fn is_stopped(&mut self, control: &Control<'_>) -> bool {
        self.stopped = self.stopped || control.is_cancelled();
        self.stopped
    }

    /// Gives back what its buffers hold beyond `bytes` each.
    pub(super) fn trim(&mut self, bytes: usize) {
        self.beam.trim(bytes);
        self.visited.trim(bytes);
        for rows in [&mut self.batch, &mut self.misses, &mut self.picked] {
            trim(rows, bytes);
        }
    }

    /// Forgets the last walk; the batch holds the entries.
    pub(super) fn start(
        &mut self,
        nodes: u32,
        width: impl Into<Width>,
        entries: impl IntoIterator<Item = u32>,
    ) {
        self.visited.reset(nodes);
        self.beam.reset(width);
        self.batch.clear();
        for entry in entries {
            if entry >= nodes {
                self.damaged = true;
            } else if self.visited.visit(entry) {
                self.batch.push(entry);
            }
        }
    }

    /// Scores the entries, which enter even where nothing is above the bar: as routes where `is_route` says so.
    pub(super) fn score_entries<S: Score>(&mut self, score: &S, is_route: impl Fn(u32) -> bool) {
        for &row in &self.batch {
            let new = score.score(row);
            self.scored += 1;
            if new > self.beam.bar() || self.beam.sorted.is_empty() {
                self.beam.insert(Candidate::new(new, row, is_route(row)));
            }
        }
    }

    /// Scores the given rows, all of them, instead of walking; keeps the best `width`. Rows outside `0..nodes` are
    /// skipped.
    pub(crate) fn scan<S: Score>(
        &mut self,
        nodes: u32,
        score: &S,
        rows: &[u32],
        width: usize,
        control: &Control<'_>,
    ) {
        self.beam.reset(width);
        self.each_scored(nodes, score, rows, control, |walker, new, row| {
            if new > walker.beam.bar() {
                walker.beam.keep(Candidate::new(new, row, false));
            }
        });
        self.beam.order();
    }

    /// Passes each of the given rows with its score to `each`, those outside `0..nodes` left out.
    #[inline]
    pub(super) fn each_scored<S: Score>(
        &mut self,
        nodes: u32,
        score: &S,
        rows: &[u32],
        control: &Control<'_>,
        mut each: impl FnMut(&mut Self, f32, u32),
    ) {
        let ahead = |at: usize| rows.get(at).filter(|&&row| row < nodes);
        (0..SCAN_AHEAD)
            .filter_map(ahead)
            .for_each(|&row| score.prefetch(row));
        for (at, some) in (0..).step_by(SCAN_BATCH).zip(rows.chunks(SCAN_BATCH)) {
            if (at + SCAN_BATCH).is_multiple_of(ROWS_A_LOOK) && self.is_stopped(control) {
                return;
            }
            (at + SCAN_AHEAD..at + SCAN_AHEAD + SCAN_BATCH)
                .filter_map(ahead)
                .for_each(|&row| score.prefetch(row));
            self.scored += some.len() as u64;
            if some.iter().all(|&row| row < nodes) {
                score.score_each(some, |new, row| each(self, new, row));
            } else {
                for &row in some.iter().filter(|&&row| row < nodes) {
                    each(self, score.score(row), row);
                }
            }
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

    /// Makes a batch of the unvisited neighbours of a candidate and of those that are expanded [together](TOGETHER) with it.
    #[inline]
    pub(super) fn gather_some<S: Score>(
        &mut self,
        links: Links<'_>,
        first: Candidate,
        nodes: u32,
        score: &S,
    ) {
        self.batch.clear();
        self.gather(links, first.row(), nodes, score);
        for _ in 1..TOGETHER {
            if let Some(next) = self.beam.expand() {
                self.gather(links, next.row(), nodes, score);
            }
        }
        self.prefetch_upcoming(links);
    }

    /// Asks for the links of what is expanded next, if nothing better comes.
    #[inline]
    pub(super) fn prefetch_upcoming(&self, links: Links<'_>) {
        let upcoming = self.beam.upcoming().take(TOGETHER);
        upcoming.for_each(|next| links.prefetch(next.row()));
    }

    /// Puts the unvisited neighbours of a node into the batch.
    #[inline]
    pub(super) fn gather<S: Score>(&mut self, links: Links<'_>, node: u32, nodes: u32, score: &S) {
        let (used, batch) = (links.used(node), &mut self.batch);
        let is_within = if score.is_small() {
            // The earlier the better.
            self.visited
                .visit_all(used, nodes, batch, |link| score.prefetch(link))
        } else {
            let met = batch.len();
            let is_within = self.visited.visit_all(used, nodes, batch, |_| ());
            batch[met..].iter().for_each(|&link| score.prefetch(link));
            is_within
        };
        self.damaged |= !is_within;
    }

    /// Scores the batch and enters what is above the bar: as routes where `is_route` says so.
    #[inline]
    pub(super) fn score_batch<S: Score>(
        &mut self,
        links: Links<'_>,
        score: &S,
        is_route: impl Fn(u32) -> bool,
    ) {
        self.scored += self.batch.len() as u64;
        let beam = &mut self.beam;
        score.score_each(&self.batch, |new, row| {
            if new > beam.bar() {
                let at = beam.insert(Candidate::new(new, row, is_route(row)));
                // Likely to be expanded next.
                if at < beam.next + TOGETHER {
                    links.prefetch(row);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests;
