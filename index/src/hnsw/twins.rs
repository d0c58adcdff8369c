//! Rows whose codes are equal.
//!
//! A thousand equal vectors would fill each other's blocks: a walk that comes to one of them could not leave, and a
//! new one would find nothing but its like. So the first of them stands in the graph for all, and the others, its
//! twins, are hung below it as a tree when the graph is done. Each also gets links of the first one, so that a walk
//! may start or pass anywhere.

use rayon::prelude::*;

use crate::codes::CodesView;
use crate::hnsw::links::FREE;
use crate::mix;

/// A row and the first row of equal code, in the order of insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Twin {
    pub(crate) first: u32,
    pub(crate) row: u32,
}

/// Moves rows with an earlier equal to the end of `order`, and returns them grouped by the first one.
pub(crate) fn split(codes: CodesView<'_>, order: &mut Vec<u32>, pool: &rayon::ThreadPool) -> Vec<Twin> {
    let mut hashes: Vec<(u64, u32)> = pool.install(|| {
        let ranks = order.par_iter().zip(0..order.len() as u32);
        let mut hashes: Vec<(u64, u32)> = ranks.map(|(&row, rank)| (hash(codes, row), rank)).collect();
        hashes.par_sort_unstable();
        hashes
    });
    // Without the first of each run, which is the earliest in the order: what is left are twins, unless hashes met
    // by accident.
    let mut first = None;
    hashes.retain_mut(|(hash, rank)| {
        let row = order[*rank as usize];
        match first {
            Some((same, leader)) if same == *hash && equal(codes, leader, row) => {
                *hash = u64::from(leader);
                true
            }
            Some(_) | None => {
                first = Some((*hash, row));
                false
            }
        }
    });
    let twins: Vec<Twin> = hashes
        .iter()
        .map(|&(first, rank)| Twin {
            first: first as u32,
            row: order[rank as usize],
        })
        .collect();
    hashes.iter().for_each(|&(_, rank)| order[rank as usize] = FREE);
    order.retain(|&row| row != FREE);
    order.extend(twins.iter().map(|twin| twin.row));
    twins
}

/// Hangs twins below their first rows, whose blocks are done.
pub(crate) fn attach(twins: &[Twin], links: &mut [u32], degree: usize) {
    // A quarter of a block for children: the tree is flat, and three quarters still lead elsewhere.
    let fan = (degree / 4).max(2);
    let mut group = Vec::new();
    let mut shared = Vec::new();
    for twins in twins.chunk_by(|a, b| a.first == b.first) {
        let first = twins[0].first;
        group.clear();
        group.push(first);
        group.extend(twins.iter().map(|twin| twin.row));
        let block = &links[first as usize * degree..][..degree];
        shared.clear();
        shared.extend(block.iter().copied().take_while(|&link| link != FREE));
        for (at, &row) in group.iter().enumerate() {
            let below = (at * fan + 1).min(group.len())..(at * fan + fan + 1).min(group.len());
            let up = (at > 0).then_some(first);
            let all = group[below]
                .iter()
                .copied()
                .chain(up)
                .chain(shared.iter().copied());
            let block = &mut links[row as usize * degree..][..degree];
            block.fill(FREE);
            block.iter_mut().zip(all).for_each(|(place, link)| *place = link);
        }
    }
}

fn hash(codes: CodesView<'_>, row: u32) -> u64 {
    let (words, _) = codes.row(row).as_chunks::<8>();
    words
        .iter()
        .fold(0, |hash, word| mix(hash ^ u64::from_le_bytes(*word)))
}

fn equal(codes: CodesView<'_>, a: u32, b: u32) -> bool {
    codes.row(a) == codes.row(b)
}

#[cfg(test)]
mod tests;
