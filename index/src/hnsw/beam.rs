//! What a walk has found and where it has been.
//!
//! The beam is one sorted array of words. A word holds a candidate's score, its row and two flags, so that finding a
//! place is a search over integers and keeping the order is a `memmove` of a few hundred bytes: up to beams of about
//! a thousand this beats a pair of heaps. Visited nodes are bits in a map. A small map is cleared as a whole; in a large one
//! the list of bits that were set serves to clear them, so that a search costs nothing for nodes it did not touch.

use crate::hnsw::growth::{Bound, Width};
use crate::hnsw::params::MAX_ROWS;
use crate::topk::{from_order_bits, order_bits};

/// A candidate: score, row, whether it was expanded, whether it is only a route to others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate(u64);

impl Candidate {
    const EXPANDED: u64 = 1;
    const ROUTE: u64 = 2;

    /// Larger is better: score first, then the smaller row.
    #[inline]
    pub(crate) fn new(score: f32, row: u32, route: bool) -> Self {
        debug_assert!(row < MAX_ROWS);
        let row = u64::from(MAX_ROWS - 1 - row) << 2;
        Self(u64::from(order_bits(score)) << 32 | row | if route { Self::ROUTE } else { 0 })
    }

    #[inline]
    pub(crate) fn score(self) -> f32 {
        from_order_bits((self.0 >> 32) as u32)
    }

    #[inline]
    pub(crate) fn row(self) -> u32 {
        MAX_ROWS - 1 - ((self.0 as u32) >> 2)
    }

    #[inline]
    pub(crate) fn is_expanded(self) -> bool {
        self.0 & Self::EXPANDED != 0
    }

    #[inline]
    pub(crate) fn is_route(self) -> bool {
        self.0 & Self::ROUTE != 0
    }
}

/// The best candidates so far, best first.
pub(crate) struct Beam {
    pub(crate) sorted: Vec<Candidate>,
    /// How many results (candidates that are no routes) it keeps.
    width: usize,
    /// How many candidates it keeps, routes included.
    most: usize,
    results: usize,
    /// Everything before this was expanded.
    pub(crate) next: usize,
    bound: Option<Bound>,
    /// What the bound says now: nothing below this is worth entering or expanding.
    limit: f32,
    /// What [`bar`](Self::bar) answers: asked for every row that is scored, and changed by few of them.
    bar: f32,
}

impl Default for Beam {
    fn default() -> Self {
        Self {
            sorted: Vec::new(),
            width: 0,
            most: 0,
            results: 0,
            next: 0,
            bound: None,
            limit: f32::NEG_INFINITY,
            bar: f32::NEG_INFINITY,
        }
    }
}

impl Beam {
    /// However few results there are, the beam holds no more than this many candidates a result wanted.
    const MOST_ROUTES: usize = 32;

    /// Forgets everything; keeps `width` results from now on.
    pub(crate) fn reset(&mut self, width: impl Into<Width>) {
        let Width { most, asked, bound } = width.into();
        self.most = asked.max(1).saturating_mul(Self::MOST_ROUTES);
        self.bound = bound;
        (self.limit, self.bar) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        self.sorted.clear();
        self.width = most.max(1);
        self.results = 0;
        self.next = 0;
    }

    /// Gives back what it holds beyond `bytes`.
    pub(crate) fn trim(&mut self, bytes: usize) {
        trim(&mut self.sorted, bytes);
    }

    /// Keeps fewer results from now on.
    pub(crate) fn narrow(&mut self, width: usize) {
        self.width = self.width.min(width);
        while self.results > self.width {
            self.pop();
        }
        self.next = self.next.min(self.sorted.len());
        self.set_bar();
    }

    /// A score has to be above this to enter.
    #[inline]
    pub(crate) fn bar(&self) -> f32 {
        self.bar
    }

    fn set_bar(&mut self) {
        self.bar = match self.sorted.last() {
            Some(last) if self.is_full() => last.score().max(self.limit),
            Some(_) | None => self.limit,
        };
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.results >= self.width || self.sorted.len() >= self.most
    }

    /// Enters a candidate above the bar. Answers its place.
    #[inline]
    pub(crate) fn insert(&mut self, new: Candidate) -> usize {
        let at = self.sorted.partition_point(|&old| old > new);
        self.sorted.insert(at, new);
        self.next = self.next.min(at);
        self.results += usize::from(!new.is_route());
        while self.results > self.width || self.sorted.len() > self.most {
            self.pop();
        }
        // Routes behind the last result lead nowhere better.
        while self.results == self.width && self.sorted.last().is_some_and(|last| last.is_route()) {
            self.pop();
        }
        if let Some(bound) = self.bound
            && !new.is_route()
            && (at < bound.least || self.has_routes())
        {
            self.limit = self.limit_of(&bound);
        }
        self.set_bar();
        at
    }

    /// Keeps a result above the bar, in no order until [`order`](Self::order): a scan shows far more rows than it keeps, and
    /// choosing the best of twice as many now and then moves each a few times, where entering in order moves half of them
    /// for every one. The bar rises as seldom.
    #[inline]
    pub(crate) fn keep(&mut self, new: Candidate) {
        self.sorted.push(new);
        if self.sorted.len() >= self.width.saturating_mul(2) {
            self.choose();
        }
    }

    /// Drops all but the best of what was kept.
    fn choose(&mut self) {
        if self.sorted.len() > self.width {
            let (_, worst, _) = self
                .sorted
                .select_nth_unstable_by(self.width - 1, |a, b| b.cmp(a));
            self.bar = worst.score();
            self.sorted.truncate(self.width);
        }
    }

    /// Puts what was kept in order.
    pub(crate) fn order(&mut self) {
        self.choose();
        self.sorted.sort_unstable_by(|a, b| b.cmp(a));
        self.results = self.sorted.len();
        self.set_bar();
    }

    fn has_routes(&self) -> bool {
        self.results < self.sorted.len()
    }

    /// What the bound says to the results so far.
    fn limit_of(&self, bound: &Bound) -> f32 {
        if self.results < bound.least {
            return f32::NEG_INFINITY;
        }
        let (kth, least) = if self.has_routes() {
            let mut results = self.sorted.iter().filter(|c| !c.is_route());
            let kth = results.nth(bound.k - 1);
            let least = if bound.least > bound.k {
                results.nth(bound.least - bound.k - 1)
            } else {
                kth
            };
            (kth, least)
        } else {
            (self.sorted.get(bound.k - 1), self.sorted.get(bound.least - 1))
        };
        match (kth, least) {
            (Some(kth), Some(least)) => bound.bar(kth.score()).min(least.score()),
            _ => f32::NEG_INFINITY,
        }
    }

    fn pop(&mut self) {
        if let Some(last) = self.sorted.pop() {
            self.results -= usize::from(!last.is_route());
        }
    }

    /// The best candidate that was not expanded; marks it.
    #[inline]
    pub(crate) fn expand(&mut self) -> Option<Candidate> {
        while let Some(candidate) = self.sorted.get_mut(self.next) {
            self.next += 1;
            if candidate.score() < self.limit {
                // So are all behind it.
                return None;
            }
            if !candidate.is_expanded() {
                candidate.0 |= Candidate::EXPANDED;
                return Some(*candidate);
            }
        }
        None
    }

    /// The candidates that `expand` would answer one after another, if nothing better comes.
    #[inline]
    pub(crate) fn upcoming(&self) -> impl Iterator<Item = Candidate> + '_ {
        self.sorted[self.next.min(self.sorted.len())..]
            .iter()
            .copied()
            .filter(|c| !c.is_expanded())
    }
}

/// Which nodes were met, as bits.
#[derive(Default)]
pub(crate) struct Visited {
    words: Vec<u64>,
    /// How many words the nodes of this walk have.
    used: usize,
    /// Nodes that were met, where so many words are not cleared as a whole.
    touched: Vec<u32>,
}

impl Visited {
    /// Up to so many words (131,072 nodes), clearing all of them takes less than listing and clearing those that a walk touches:
    /// a few hundred, one in a cache line each.
    const CLEARED_WHOLE: usize = 2048;

    /// Gives back what it holds beyond `bytes` a list.
    pub(crate) fn trim(&mut self, bytes: usize) {
        // The marks are cleared by the list of what was touched: without it they start anew.
        if bytes_of(&self.touched) > bytes || bytes_of(&self.words) > bytes {
            *self = Self::default();
        }
    }

    pub(crate) fn reset(&mut self, nodes: u32) {
        if self.is_listed() {
            for &node in &self.touched {
                self.words[(node >> 6) as usize] = 0;
            }
            self.touched.clear();
        } else {
            self.words[..self.used].fill(0);
        }
        self.used = (nodes as usize).div_ceil(64);
        if self.words.len() < self.used {
            self.words.resize(self.used, 0);
        }
    }

    fn is_listed(&self) -> bool {
        self.used > Self::CLEARED_WHOLE
    }

    /// Marks a node; answers whether it was new.
    #[inline]
    pub(crate) fn visit(&mut self, node: u32) -> bool {
        let word = &mut self.words[(node >> 6) as usize];
        let bit = 1u64 << (node & 63);
        let new = *word & bit == 0;
        *word |= bit;
        if new && self.is_listed() {
            self.touched.push(node);
        }
        new
    }

    /// Marks all of `links` that are below `nodes`, and appends those that were new, passing each to `meet` before it is known
    /// whether it is one of these. Answers whether all are below.
    ///
    /// Nothing branches on whether a node is new: of the links of a walk about half are, in no order that a processor
    /// could foresee, and waiting for its mistakes took as long as scoring what is new.
    #[inline]
    pub(crate) fn visit_all(
        &mut self,
        links: &[u32],
        nodes: u32,
        new: &mut Vec<u32>,
        meet: impl Fn(u32),
    ) -> bool {
        if !links.iter().fold(true, |all, &link| all & (link < nodes)) {
            let within = links.iter().copied().filter(|&link| link < nodes);
            new.extend(
                within
                    .inspect(|&link| meet(link))
                    .filter(|&link| self.visit(link)),
            );
            return false;
        }
        let start = new.len();
        let mut end = start;
        new.resize(start + links.len(), 0);
        for &link in links {
            meet(link);
            let word = &mut self.words[(link >> 6) as usize];
            let before = *word;
            *word |= 1 << (link & 63);
            new[end] = link;
            end += usize::from(before != *word);
        }
        new.truncate(end);
        if self.is_listed() {
            self.touched.extend_from_slice(&new[start..]);
        }
        true
    }

    #[inline]
    pub(crate) fn contains(&self, node: u32) -> bool {
        self.words[(node >> 6) as usize] >> (node & 63) & 1 == 1
    }
}

fn bytes_of<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

/// Gives back the memory of a list that holds more than `bytes`, and what is in it.
pub(crate) fn trim<T>(list: &mut Vec<T>, bytes: usize) {
    if bytes_of(list) > bytes {
        *list = Vec::new();
    }
}

#[cfg(test)]
mod tests;
