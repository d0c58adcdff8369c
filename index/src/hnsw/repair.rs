//! The links of a graph, moved to other rows, and mended where rows were dropped.
//!
//! A node that linked to dropped rows has the neighbours of those offered instead, and chooses anew among them and
//! what it still has: the delete consolidation of FreshDiskANN (Singh et al., 2021, algorithm 4). Twins are taken for
//! the one that stands for them, so links to any of a group come to lead to it, and what stands in the graph for a
//! group that has old rows takes over the links of one of them.

use rayon::prelude::*;

use crate::codes::{QueryCode, Score};
use crate::control::Control;
use crate::error::{Error, Result};
use crate::hnsw::graph::GraphView;
use crate::hnsw::links::{FREE, Links};
use crate::hnsw::pairs::{self, Pairs};
use crate::hnsw::params::HnswParams;
use crate::hnsw::prune::{self, Near};
use crate::hnsw::twins::Twin;
use crate::rowset::RowBits;

/// A row that is not carried over.
const DROPPED: u32 = u32::MAX;
/// Nodes that one task mends between two looks at the cancel probe.
const CHUNK: usize = 256;

/// A graph over some of the rows of a matrix, to be extended over all.
#[derive(Debug, Clone, Copy)]
pub struct Base<'a> {
    /// The graph. Links that lead nowhere, as a damaged file has them, are left out.
    pub graph: GraphView<'a>,
    /// For each row of the graph, which row of the matrix it is now; [`u32::MAX`] for one that was dropped.
    pub rows: &'a [u32],
}

/// What one thread needs to mend blocks.
#[derive(Default)]
struct Scratch {
    code: QueryCode,
    near: Vec<u32>,
    candidates: Vec<Near>,
    chosen: Vec<Near>,
}

/// Fills the blocks of the rows that `base` has with its links, nearest first, and leaves the others as they are.
/// Answers which rows those are: without twins, which get theirs later, and without rows that have no neighbour left.
pub(super) fn carry<P: Pairs>(
    base: &Base<'_>,
    twins: &[Twin],
    pairs: &P,
    params: &HnswParams,
    links: &mut [u32],
    lengths: &mut [f32],
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<RowBits> {
    let degree = params.degree();
    let rows = (links.len() / degree) as u32;
    let map = Map::new(base, twins, rows);
    let mut filled = vec![false; rows as usize];
    let blocks = links
        .par_chunks_mut(CHUNK * degree)
        .zip(lengths.par_chunks_mut(CHUNK * degree))
        .zip(filled.par_chunks_mut(CHUNK));
    pool.install(|| {
        blocks.enumerate().try_for_each_init(
            Scratch::default,
            |scratch, (chunk, ((links, lengths), filled))| {
                if control.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                let blocks = links
                    .chunks_exact_mut(degree)
                    .zip(lengths.chunks_exact_mut(degree));
                let rows = (chunk * CHUNK) as u32..;
                for ((row, (links, lengths)), filled) in rows.zip(blocks).zip(filled) {
                    *filled = map.fill(row, pairs, params, links, lengths, scratch);
                }
                Ok(())
            },
        )
    })?;
    let filled = filled.iter().zip(0..).filter(|&(&filled, _)| filled);
    Ok(RowBits::from_rows(rows, filled.map(|(_, row)| row)))
}

/// Which node is which.
struct Map<'a> {
    old: Links<'a>,
    /// For each old row the node that stands for it now, or [`DROPPED`].
    now: Vec<u32>,
    /// For each row the old one whose links it takes over, or [`DROPPED`].
    source: Vec<u32>,
}

impl<'a> Map<'a> {
    fn new(base: &Base<'a>, twins: &[Twin], rows: u32) -> Self {
        let old = base.graph.base;
        assert_eq!(base.rows.len(), old.nodes() as usize, "a place for each old row");
        let mut first: Vec<u32> = (0..rows).collect();
        for twin in twins {
            first[twin.row as usize] = twin.first;
        }
        let now: Vec<u32> = base
            .rows
            .iter()
            .map(|&row| {
                if row == DROPPED {
                    DROPPED
                } else {
                    first[row as usize]
                }
            })
            .collect();
        let mut source = vec![DROPPED; rows as usize];
        for (before, &node) in (0u32..).zip(&now) {
            if node != DROPPED && source[node as usize] == DROPPED {
                source[node as usize] = before;
            }
        }
        Self { old, now, source }
    }

    /// Fills the block of a row, if there is an old one with neighbours that are left; answers whether.
    fn fill<P: Pairs>(
        &self,
        row: u32,
        pairs: &P,
        params: &HnswParams,
        links: &mut [u32],
        lengths: &mut [f32],
        scratch: &mut Scratch,
    ) -> bool {
        let source = self.source[row as usize];
        if source == DROPPED {
            return false;
        }
        let Scratch {
            code,
            near,
            candidates,
            chosen,
        } = scratch;
        near.clear();
        let lost = self.neighbours(source, near);
        near.sort_unstable();
        near.dedup();
        near.retain(|&near| near != row);
        if near.is_empty() {
            return false;
        }
        candidates.clear();
        {
            let score = pairs.near(row, code);
            near.iter().for_each(|&near| score.prefetch(near));
            score.score_each(near, |score, near| candidates.push((-score, near)));
        }
        prune::sort(row, candidates);
        let kept = if lost || candidates.len() > links.len() {
            pairs::choose(pairs, code, candidates, links.len(), params.alpha, chosen);
            chosen
        } else {
            candidates
        };
        links.fill(FREE);
        for ((link, length), &(distance, near)) in links.iter_mut().zip(lengths).zip(kept.iter()) {
            (*link, *length) = (near, distance);
        }
        true
    }

    /// Adds the nodes that an old row's links lead to now, and those that dropped ones led to. Answers whether there
    /// were dropped ones.
    fn neighbours(&self, source: u32, near: &mut Vec<u32>) -> bool {
        let mut lost = false;
        for link in self.old.of(source) {
            match self.now.get(link as usize) {
                Some(&DROPPED) => {
                    lost = true;
                    let behind = self.old.of(link).filter_map(|link| self.now.get(link as usize));
                    near.extend(behind.filter(|&&node| node != DROPPED));
                }
                Some(&node) => near.push(node),
                None => {}
            }
        }
        lost
    }
}

#[cfg(test)]
mod tests;
