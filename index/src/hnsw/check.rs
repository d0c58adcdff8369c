//! The invariants of a graph, checked: what building promises and searching relies on.

use crate::hnsw::graph::GraphView;
use crate::hnsw::links::{FREE, Links};

/// What a check of a graph found. [`GraphReport::is_sound`] sums it up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GraphReport {
    /// Rows of the graph.
    pub rows: u32,
    /// Links at level 0.
    pub links: u64,
    /// Most links of one node at level 0.
    pub most_links: u32,
    /// Rows that can be reached from the entry along level 0.
    pub reachable: u32,
    /// Links on any level to nodes that are not there, and nodes of upper levels that name no row.
    pub out_of_bounds: u64,
    /// Links of a node to itself.
    pub to_self: u64,
    /// Links that a node has twice.
    pub repeated: u64,
    /// Links behind an unused place, where no walk looks.
    pub behind_free: u64,
    /// Rows that stand twice among the nodes of the upper levels.
    pub repeated_nodes: u32,
}

impl GraphReport {
    /// Whether everything is as building leaves it.
    pub fn is_sound(&self) -> bool {
        let faults = self.out_of_bounds + self.to_self + self.repeated + self.behind_free;
        faults == 0 && self.repeated_nodes == 0 && self.reachable == self.rows
    }
}

impl GraphView<'_> {
    /// Checks degrees, bounds, nesting of levels and reachability. Takes time linear in the links and a byte a row.
    ///
    /// Levels nest by construction: a level is the first part of one list of rows, which holds every row once.
    pub fn check(&self) -> GraphReport {
        check(self.base, self.upper_rows, self.upper_levels())
    }
}

/// Checks the links of a graph: those of its base, the rows of its upper levels, and the links of these.
pub(super) fn check<'a>(
    base: Links<'a>,
    upper_rows: &[u32],
    upper_levels: impl Iterator<Item = Links<'a>>,
) -> GraphReport {
    let mut report = GraphReport {
        rows: base.nodes(),
        ..GraphReport::default()
    };
    let mut seen = vec![false; base.nodes() as usize];
    for &row in upper_rows {
        match seen.get_mut(row as usize) {
            Some(seen) => report.repeated_nodes += u32::from(std::mem::replace(seen, true)),
            None => report.out_of_bounds += 1,
        }
    }
    report.check_level(base);
    let links_of = |node| base.of(node).count() as u32;
    report.links = (0..base.nodes()).map(|node| u64::from(links_of(node))).sum();
    report.most_links = (0..base.nodes()).map(links_of).max().unwrap_or(0);
    for level in upper_levels {
        report.check_level(level);
    }
    report.reachable = reachable(base, upper_rows.first().copied().unwrap_or(0));
    report
}

/// How many nodes links lead to from `entry`.
fn reachable(base: Links<'_>, entry: u32) -> u32 {
    let mut reached = vec![false; base.nodes() as usize];
    let mut stack = vec![entry];
    let mut count = 0;
    while let Some(node) = stack.pop() {
        if let Some(reached) = reached.get_mut(node as usize)
            && !std::mem::replace(reached, true)
        {
            count += 1;
            stack.extend(base.of(node));
        }
    }
    count
}

impl GraphReport {
    fn check_level(&mut self, level: Links<'_>) {
        let mut sorted = Vec::with_capacity(level.degree);
        for node in 0..level.nodes() {
            sorted.clear();
            sorted.extend(level.of(node));
            self.behind_free += level.block(node)[sorted.len()..]
                .iter()
                .filter(|&&link| link != FREE)
                .count() as u64;
            self.out_of_bounds += sorted.iter().filter(|&&link| link >= level.nodes()).count() as u64;
            self.to_self += sorted.iter().filter(|&&link| link == node).count() as u64;
            sorted.sort_unstable();
            self.repeated += sorted.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
