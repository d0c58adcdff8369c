//! The links of one node while a graph is built, and how a link back enters them.

use std::cmp::Ordering;

use crate::codes::{QueryCode, Score};
use crate::hnsw::links::FREE;
use crate::hnsw::pairs::Pairs;
use crate::hnsw::prune;

/// A link to be returned by its target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Back {
    pub(crate) target: u32,
    pub(crate) source: u32,
    pub(crate) length: f32,
}

/// The links of one node, nearest first as [`prune::order`] has it, and how long each is.
pub(crate) struct Block<'a> {
    pub(crate) links: &'a mut [u32],
    pub(crate) lengths: &'a mut [f32],
}

impl Block<'_> {
    /// Adds the link from `back.target`, whose block this is, to `back.source`.
    ///
    /// It has to be worth its place: not covered by a nearer neighbour, as when neighbours are chosen; then those
    /// that it covers leave, or else, if there is no room, the farthest. Since no link in a block covers another,
    /// that is what choosing anew among all of them would come to, at the price of one distance a link instead of
    /// one a pair. `distances` is scratch.
    pub(crate) fn link_back<P: Pairs>(
        &mut self,
        back: &Back,
        alpha: f32,
        pairs: &P,
        code: &mut QueryCode,
        distances: &mut Vec<f32>,
    ) {
        let used = self
            .links
            .iter()
            .position(|&link| link == FREE)
            .unwrap_or(self.links.len());
        if self.links[..used].contains(&back.source) {
            return;
        }
        let new = (back.length, back.source);
        let place = (0..used)
            .find(|&at| {
                prune::order(back.target, &new, &(self.lengths[at], self.links[at])) == Ordering::Less
            })
            .unwrap_or(used);
        let full = used == self.links.len();
        if full && place == used {
            return;
        }
        let score = pairs.near(back.source, code);
        self.links[..used].iter().for_each(|&link| score.prefetch(link));
        distances.clear();
        let bar = prune::bar(back.length, alpha);
        let (fours, rest) = self.links[..used].as_chunks::<4>();
        for &four in fours {
            let known = distances.len();
            distances.extend(score.score4(four).map(|score| -score));
            let nearer = &distances[known.min(place)..place.min(known + 4)];
            if nearer.iter().any(|&distance| distance < bar) {
                return;
            }
        }
        distances.extend(rest.iter().map(|&link| -score.score(link)));
        if distances[..place].iter().any(|&distance| distance < bar) {
            return;
        }
        let mut kept = place;
        for (at, &distance) in distances.iter().enumerate().skip(place) {
            let covered = distance < prune::bar(self.lengths[at], alpha);
            if !covered {
                self.links[kept] = self.links[at];
                self.lengths[kept] = self.lengths[at];
                kept += 1;
            }
        }
        self.links[kept..].fill(FREE);
        self.insert(place, kept.min(self.links.len() - 1), back);
    }

    /// Puts a link at its place among `used` ones; what is behind them is overwritten.
    fn insert(&mut self, place: usize, used: usize, back: &Back) {
        self.links.copy_within(place..used, place + 1);
        self.lengths.copy_within(place..used, place + 1);
        self.links[place] = back.source;
        self.lengths[place] = back.length;
    }
}

#[cfg(test)]
mod tests;
