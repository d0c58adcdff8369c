use super::*;
use crate::hnsw::links::FREE;
use proptest::prelude::*;

/// Scores rows by how near their number is to a target.
struct Line(f32);

impl Score for Line {
    fn score(&self, row: u32) -> f32 {
        -(row as f32 - self.0).abs()
    }

    fn score4(&self, rows: [u32; 4]) -> [f32; 4] {
        rows.map(|row| self.score(row))
    }

    fn prefetch(&self, _row: u32) {}

    fn is_small(&self) -> bool {
        true
    }
}

/// Every node linked to those beside it.
fn chain(nodes: u32) -> Vec<u32> {
    let near = |node: u32| {
        [
            node.checked_sub(1).unwrap_or(FREE),
            if node + 1 < nodes { node + 1 } else { FREE },
        ]
    };
    (0..nodes)
        .flat_map(|node| {
            let mut block = near(node);
            block.sort_unstable();
            block
        })
        .collect()
}

fn best(target: f32, rows: impl Iterator<Item = u32>, width: usize) -> Vec<f32> {
    let mut scores: Vec<f32> = rows.map(|row| Line(target).score(row)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.truncate(width);
    scores
}

proptest! {
    #[test]
    fn a_walk_along_a_chain_finds_the_nearest(
        nodes in 1u32..200, entry in 0u32..200, target in 0f32..200.0, width in 1usize..30,
    ) {
        let blocks = chain(nodes);
        let mut walker = Walker::default();
        for _ in 0..2 {
            walker.walk(Links { blocks: &blocks, degree: 2 }, &Line(target), [entry % nodes], width);
            let found: Vec<f32> = walker.results().map(|(score, _)| score).collect();
            prop_assert_eq!(found, best(target, 0..nodes, width));
        }
        prop_assert!(!walker.damaged);
    }
}

#[test]
fn links_out_of_range_are_skipped_and_reported() {
    let mut walker = Walker::default();
    walker.walk(
        Links {
            blocks: &[1, 99, 0, FREE],
            degree: 2,
        },
        &Line(0.0),
        [0],
        5,
    );
    assert_eq!(walker.results().map(|(_, row)| row).collect::<Vec<_>>(), [0, 1]);
    assert!(walker.damaged);

    let mut walker = Walker::default();
    walker.walk(
        Links {
            blocks: &[1, FREE, 0, FREE],
            degree: 2,
        },
        &Line(0.0),
        [2],
        5,
    );
    assert_eq!(walker.results().count(), 0);
    assert!(walker.damaged);
}
