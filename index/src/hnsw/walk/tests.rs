use super::*;
use crate::rowset::RowBits;
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
            walker.walk(Links { blocks: &blocks, degree: 2 }, &Line(target), [entry % nodes], width, None);
            let found: Vec<f32> = walker.results().map(|(score, _)| score).collect();
            prop_assert_eq!(found, best(target, 0..nodes, width));
        }
        prop_assert!(!walker.damaged);
    }

    #[test]
    fn a_filtered_walk_returns_only_what_matches(
        blocks in prop::collection::vec(prop_oneof![9 => 0u32..40, 1 => any::<u32>()], 160),
        matching in prop::collection::vec(0u32..40, 0..40),
        two_hops: bool, width in 1usize..10, target in 0f32..40.0,
    ) {
        // 40 nodes, 4 links each, some of them damaged.
        let filter = RowBits::from_rows(40, matching);
        let mut walker = Walker::default();
        let admission = Admission { filter: &filter, two_hops };
        walker.walk(Links { blocks: &blocks, degree: 4 }, &Line(target), [7], width, Some(admission));
        let mut found: Vec<(f32, u32)> = walker.results().collect();
        prop_assert!(found.len() <= width);
        prop_assert!(found.is_sorted_by(|a, b| a.0 >= b.0));
        prop_assert!(found.iter().all(|&(score, row)| filter.contains(row) && score == Line(target).score(row)));
        found.dedup();
        found.sort_by_key(|hit| hit.1);
        prop_assert!(found.windows(2).all(|pair| pair[0].1 != pair[1].1));
    }
}

#[test]
fn two_hops_reach_matches_behind_nodes_that_do_not_match() {
    // On a chain where every third row matches, one hop from a match meets none.
    let blocks = chain(300);
    let filter = RowBits::from_rows(300, (0..300).filter(|row| row % 2 == 0));
    for two_hops in [false, true] {
        let mut walker = Walker::default();
        let admission = Admission {
            filter: &filter,
            two_hops,
        };
        walker.walk(
            Links {
                blocks: &blocks,
                degree: 2,
            },
            &Line(250.0),
            [0],
            10,
            Some(admission),
        );
        let found: Vec<f32> = walker.results().map(|(score, _)| score).collect();
        assert_eq!(found, best(250.0, filter.iter(), 10), "two hops: {two_hops}");
    }
}

#[test]
fn a_region_without_matches_is_crossed() {
    let blocks = chain(300);
    let filter = RowBits::from_rows(300, 200..300);
    for two_hops in [false, true] {
        let mut walker = Walker::default();
        let admission = Admission {
            filter: &filter,
            two_hops,
        };
        // Toward the target lies nothing that matches: the walk has to turn away from it.
        walker.walk(
            Links {
                blocks: &blocks,
                degree: 2,
            },
            &Line(150.0),
            [150],
            5,
            Some(admission),
        );
        let found: Vec<f32> = walker.results().map(|(score, _)| score).collect();
        assert_eq!(found, best(150.0, 200..300, 5), "two hops: {two_hops}");
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
        None,
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
        None,
    );
    assert_eq!(walker.results().count(), 0);
    assert!(walker.damaged);
}
