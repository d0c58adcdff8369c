use super::*;
use crate::hnsw::growth::Growth;
use crate::rowset::RowBits;
use proptest::prelude::*;

/// Nothing is known of the data: beams are as wide as was asked for.
const AIM: Aim = Aim {
    growth: Growth {
        exponent: 0.0,
        longest: 0.0,
    },
    zero: 0.0,
    k: 1,
};

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
        false
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

const WIDTH: usize = 10;

fn best(target: f32, rows: impl Iterator<Item = u32>, width: usize) -> Vec<f32> {
    let mut scores: Vec<f32> = rows.map(|row| Line(target).score(row)).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.truncate(width);
    scores
}

proptest! {
    #[test]
    fn a_filtered_walk_returns_only_what_matches(
        blocks in prop::collection::vec(prop_oneof![9 => 0u32..40, 1 => any::<u32>()], 160),
        matching in prop::collection::vec(0u32..40, 0..40),
        two_hops: bool, share in 0f64..1.0, most in 0u64..400, width in 1usize..10, target in 0f32..40.0,
    ) {
        // 40 nodes, 4 links each, some of them damaged.
        let filter = RowBits::from_rows(40, matching);
        let mut walker = Walker::default();
        let through = Through { filter: &filter, two_hops: two_hops.then_some(share), most, control: &Control::none() };
        walker.walk_filtered(Links { blocks: &blocks, degree: 4 }, &Line(target), [7], (width, &AIM), through);
        let mut found: Vec<(f32, u32)> = walker.results().collect();
        prop_assert!(found.len() <= widths(width).1);
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
    for two_hops in [None, Some(0.3)] {
        let mut walker = Walker::default();
        let through = Through {
            filter: &filter,
            two_hops,
            most: u64::MAX,
            control: &Control::none(),
        };
        assert!(walker.walk_filtered(
            Links {
                blocks: &blocks,
                degree: 2,
            },
            &Line(250.0),
            [0],
            (WIDTH, &AIM),
            through,
        ));
        let found: Vec<f32> = walker.results().map(|(score, _)| score).take(WIDTH).collect();
        assert_eq!(found, best(250.0, filter.iter(), WIDTH), "two hops: {two_hops:?}");
    }
}

#[test]
fn a_region_without_matches_is_crossed() {
    let blocks = chain(300);
    let filter = RowBits::from_rows(300, 200..300);
    for two_hops in [None, Some(0.3)] {
        let mut walker = Walker::default();
        let through = Through {
            filter: &filter,
            two_hops,
            most: u64::MAX,
            control: &Control::none(),
        };
        // Toward the target lies nothing that matches: the walk has to turn away from it.
        assert!(walker.walk_filtered(
            Links {
                blocks: &blocks,
                degree: 2,
            },
            &Line(150.0),
            [150],
            (WIDTH, &AIM),
            through,
        ));
        let found: Vec<f32> = walker.results().map(|(score, _)| score).take(WIDTH).collect();
        assert_eq!(found, best(150.0, 200..300, WIDTH), "two hops: {two_hops:?}");
    }
}

#[test]
fn a_walk_that_costs_too_much_is_cut_short() {
    let blocks = chain(300);
    let filter = RowBits::from_rows(300, 200..300);
    for (most, finishes) in [(20, false), (u64::MAX, true)] {
        let mut walker = Walker::default();
        let through = Through {
            filter: &filter,
            two_hops: Some(0.3),
            most,
            control: &Control::none(),
        };
        let links = Links {
            blocks: &blocks,
            degree: 2,
        };
        assert_eq!(
            walker.walk_filtered(links, &Line(250.0), [0], (5, &AIM), through),
            finishes
        );
        assert_eq!(walker.results().count() > 0, finishes);
    }
}

#[test]
fn a_filter_that_follows_the_data_gets_a_wider_beam() {
    // A grid of links to the next eight: those that match stand together, or wherever a hash says.
    let nodes = 2_000;
    let blocks: Vec<u32> = (0..nodes)
        .flat_map(|node| (1..=8).map(move |step| (node + step) % nodes))
        .collect();
    let following = RowBits::from_rows(nodes, 0..200);
    let random = RowBits::from_rows(
        nodes,
        (0..nodes).filter(|&row| crate::mix(u64::from(row)).is_multiple_of(10)),
    );
    for (filter, wide) in [(following, true), (random, false)] {
        let mut walker = Walker::default();
        let through = Through {
            filter: &filter,
            two_hops: Some(0.1),
            most: u64::MAX,
            control: &Control::none(),
        };
        let links = Links {
            blocks: &blocks,
            degree: 8,
        };
        assert!(walker.walk_filtered(links, &Line(100.0), [0], (10, &AIM), through));
        let expected = if wide { widths(10).1 } else { widths(10).0 };
        assert_eq!(walker.results().count(), expected);
    }
}

#[test]
fn the_best_are_asked_first_and_no_more_than_needed() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    struct Asked(AtomicUsize);
    impl RowFilter for Asked {
        fn contains(&self, row: u32) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            row.is_multiple_of(3)
        }
    }
    let rows: Vec<u32> = (0..5_000).collect();
    let (asked, mut walker) = (Asked(AtomicUsize::new(0)), Walker::default());
    walker.scan_asking(
        4_000,
        &Line(2_000.0),
        &rows,
        10,
        (&asked, &Control::none()),
        &mut Vec::new(),
    );
    let matching = (0..4_000).filter(|row| row % 3 == 0);
    let found: Vec<f32> = walker.results().map(|(score, _)| score).collect();
    assert_eq!(found, best(2_000.0, matching, 10));
    let asked = asked.0.into_inner();
    assert!((28..=31).contains(&asked), "{asked}");
}
