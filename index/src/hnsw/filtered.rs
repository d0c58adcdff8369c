//! The beam search under a filter.
//!
//! Where most nodes match, a walk goes as if there were no filter: all are scored, and whether one matches is asked
//! when it is about to enter the beam, as a result or as a route. Where few do, scoring the others is a waste: the walk
//! looks through them for nodes behind them that match, the predicate subgraph of ACORN-1 (Patel et al., SIGMOD 2024,
//! section 5.2) without its denser index.
//!
//! A filter that follows the data can cut a query off from everything that matches. A walk therefore stops when it has
//! cost a good part of what looking at every matching row would, which is then the better way; and it widens its beam
//! where what matches keeps together.

use crate::codes::Score;
use crate::control::Control;
use crate::hnsw::beam::Candidate;
use crate::hnsw::growth::{Aim, Width};
use crate::hnsw::links::{FREE, Links};
use crate::hnsw::walk::{ASKED_A_LOOK, Pace, Walker};
use crate::rowset::RowFilter;

/// How a walk treats a filter.
#[derive(Clone, Copy)]
pub(crate) struct Through<'a, F: ?Sized> {
    /// Which nodes may be results.
    pub(crate) filter: &'a F,
    /// The share of all nodes that may, to walk by two hops; `None` to score what does not match as well.
    pub(crate) two_hops: Option<f64>,
    /// What the walk may cost, in rows scored.
    pub(crate) most: u64,
    /// Whether to go on at all.
    pub(crate) control: &'a Control<'a>,
}

/// What reading a node's links costs while looking through it, in rows scored.
const LOOK: u64 = 2;

/// Results expanded before a walk says whether its filter follows the data.
const TRIAL: u32 = 10;

/// Narrower walks by two hops than this miss too much to be worth their time.
const LEAST_WIDTH: usize = 24;
/// The same where the filter follows the data: what is near the query, and matches, is then seldom near each other.
const LEAST_WIDTH_FOLLOWING: usize = 44;

/// The widths of a walk by two hops for a beam of `ef`: for a filter that has nothing to do with the data, and for one
/// that follows it.
fn widths(ef: usize) -> (usize, usize) {
    (ef.max(LEAST_WIDTH), (ef + ef / 2).max(LEAST_WIDTH_FOLLOWING))
}

/// How many of the links of results lead to what matches.
#[derive(Default)]
struct Company {
    expanded: u32,
    links: u32,
    matching: u32,
}

impl Company {
    /// Whether matching nodes keep together, where a share of `share` matches.
    fn follows(&self, share: f64) -> bool {
        follows(self.matching.into(), self.links.into(), share)
    }
}

/// Whether so many of the links of matching nodes lead to others that match that these keep together, where a share of `share`
/// of all nodes does.
pub(super) fn follows(matching: u64, links: u64, share: f64) -> bool {
    let (matching, links) = (matching as f64, links as f64);
    let at_random = links * share;
    matching > (1.5 * at_random).min(at_random.midpoint(links))
}

impl Walker {
    /// Walks as [`walk`](Walker::walk) does, with only what matches as results; by two hops with a wider beam. False when
    /// it was cut short by its cost: what it found until then is kept.
    pub(crate) fn walk_filtered<S: Score, F: RowFilter + ?Sized>(
        &mut self,
        links: Links<'_>,
        score: &S,
        entries: impl IntoIterator<Item = u32>,
        (ef, aim): (usize, &Aim),
        through: Through<'_, F>,
    ) -> bool {
        let nodes = links.nodes();
        let filter = through.filter;
        let (narrow, wide) = match through.two_hops {
            Some(_) => {
                let (narrow, wide) = widths(ef);
                (narrow, Width::from(wide))
            }
            None => (ef, aim.width(ef)),
        };
        self.start(nodes, wide, entries);
        self.score_entries(score, |row| !filter.contains(row));
        let before = self.scored;
        let mut looks = 0;
        let mut company = Company::default();
        let mut pace = Pace::of(wide.most);
        while let Some(candidate) = self.beam.expand() {
            if pace.is_due() && self.is_stopped(through.control) {
                return true;
            }
            if self.scored - before + LOOK * looks > through.most {
                return false;
            }
            let Some(share) = through.two_hops else {
                self.gather_some(links, candidate, nodes, score);
                self.score_batch(links, score, |row| !filter.contains(row));
                continue;
            };
            self.prefetch_upcoming(links);
            self.batch.clear();
            let (matching, all) = self.look_at(links, candidate.row(), nodes, score, filter);
            looks += self.look_through(links, nodes, score, filter);
            if !candidate.is_route() && company.expanded < TRIAL {
                company.expanded += 1;
                company.matching += matching;
                company.links += all;
                if company.expanded == TRIAL && !company.follows(share) {
                    self.beam.narrow(narrow);
                }
            }
        }
        true
    }

    /// Puts the new neighbours of a node that match into the batch, the others aside. Answers how many of its neighbours
    /// match, new or not, and how many it has.
    fn look_at<S: Score, F: RowFilter + ?Sized>(
        &mut self,
        links: Links<'_>,
        node: u32,
        nodes: u32,
        score: &S,
        filter: &F,
    ) -> (u32, u32) {
        self.misses.clear();
        let (mut matching, mut all) = (0, 0);
        for &link in links.block(node) {
            if link >= nodes {
                if link == FREE {
                    break;
                }
                self.damaged = true;
                continue;
            }
            all += 1;
            if filter.contains(link) {
                matching += 1;
                if self.visited.visit(link) {
                    score.prefetch(link);
                    self.batch.push(link);
                }
            } else if !self.visited.contains(link) {
                links.prefetch(link);
                self.misses.push(link);
            }
        }
        (matching, all)
    }

    /// Adds to the batch what matches behind the neighbours that do not, until it is as large as a node's links may be,
    /// and scores it. Answers how many nodes' links were read for the expansion.
    fn look_through<S: Score, F: RowFilter + ?Sized>(
        &mut self,
        links: Links<'_>,
        nodes: u32,
        score: &S,
        filter: &F,
    ) -> u64 {
        let mut looks = 1;
        for at in 0..self.misses.len() {
            if self.batch.len() >= links.degree {
                break;
            }
            looks += 1;
            let miss = self.misses[at];
            self.visited.visit(miss);
            self.picked.clear();
            filter.pick(links.block(miss), &mut self.picked);
            for &link in &self.picked {
                // Those outside the graph are noted where they are met as neighbours.
                if link < nodes && self.visited.visit(link) {
                    score.prefetch(link);
                    self.batch.push(link);
                }
            }
        }
        if self.batch.is_empty() {
            // Nothing matches around here: go on through the nodes themselves, toward the query.
            std::mem::swap(&mut self.batch, &mut self.misses);
            self.batch.iter().for_each(|&miss| score.prefetch(miss));
            self.score_batch(links, score, |_| true);
        } else {
            self.score_batch(links, score, |_| false);
        }
        looks
    }

    /// Scores every row of `rows`, all of them but those outside `0..nodes`, and asks the best for whether they match, until
    /// `width` do: for filters that cost more than a score.
    pub(crate) fn scan_asking<S: Score, F: RowFilter + ?Sized>(
        &mut self,
        nodes: u32,
        score: &S,
        rows: &[u32],
        width: usize,
        (filter, control): (&F, &Control<'_>),
        scored: &mut Vec<Candidate>,
    ) {
        scored.clear();
        self.each_scored(nodes, score, rows, control, |_, new, row| {
            scored.push(Candidate::new(new, row, false))
        });
        self.beam.reset(width);
        if self.stopped {
            return;
        }
        let mut rest = scored.as_mut_slice();
        let mut next = width.saturating_mul(2).max(64);
        while !rest.is_empty() && !self.beam.is_full() {
            let (best, others) = if next < rest.len() {
                // Descending: the best to the front.
                rest.select_nth_unstable_by(next, |a, b| b.cmp(a));
                rest.split_at_mut(next)
            } else {
                rest.split_at_mut(rest.len())
            };
            best.sort_unstable_by(|a, b| b.cmp(a));
            for (asked, candidate) in best.iter().enumerate() {
                if self.beam.is_full() {
                    break;
                }
                if (asked + 1).is_multiple_of(ASKED_A_LOOK) && self.is_stopped(control) {
                    return;
                }
                if filter.contains(candidate.row()) {
                    self.beam.insert(*candidate);
                }
            }
            rest = others;
            next = next.saturating_mul(4);
        }
    }
}

#[cfg(test)]
mod tests;
