use super::*;
use crate::hnsw::growth::{Aim, Growth};
use proptest::prelude::*;

/// A map that is cleared as a whole, and one whose marks are listed.
fn sizes() -> impl Strategy<Value = u32> {
    prop_oneof![Just(300), Just(Visited::CLEARED_WHOLE as u32 * 64 + 300)]
}

/// Nodes all over `0..nodes` where `at` is below 300, and beyond them where it is well above.
fn spread(at: u32, nodes: u32) -> u32 {
    at * (nodes / 300)
}

proptest! {
    #[test]
    fn visited_bits_are_those_of_a_set(walks in prop::collection::vec((sizes(), prop::collection::vec(0u32..300, 0..50)), 1..8)) {
        let mut visited = Visited::default();
        for (nodes, walk) in walks {
            visited.reset(nodes);
            let mut set = std::collections::HashSet::new();
            for node in walk.into_iter().map(|at| spread(at, nodes)) {
                prop_assert_eq!(visited.contains(node), set.contains(&node));
                prop_assert_eq!(visited.visit(node), set.insert(node));
            }
        }
    }

    #[test]
    fn links_are_visited_together_as_one_by_one(
        nodes in sizes(),
        walk in prop::collection::vec(prop::collection::vec(0u32..320, 0..40), 1..6),
    ) {
        let (mut together, mut single) = (Visited::default(), Visited::default());
        together.reset(nodes);
        single.reset(nodes);
        for links in walk {
            let links: Vec<u32> = links.into_iter().map(|at| spread(at, nodes)).collect();
            let mut new = vec![7];
            let met = std::cell::RefCell::new(Vec::new());
            let all = together.visit_all(&links, nodes, &mut new, |link| met.borrow_mut().push(link));
            prop_assert_eq!(all, links.iter().all(|&link| link < nodes));
            let within = || links.iter().copied().filter(|&link| link < nodes);
            prop_assert_eq!(met.into_inner(), within().collect::<Vec<_>>());
            prop_assert_eq!(&new[1..], within().filter(|&link| single.visit(link)).collect::<Vec<_>>());
        }
        together.reset(nodes);
        prop_assert!((0..nodes).all(|node| !together.contains(node)));
    }

    #[test]
    fn a_candidate_gives_back_what_it_was_made_of(score: f32, row in 0..MAX_ROWS, route: bool) {
        let candidate = Candidate::new(score, row, route);
        prop_assert_eq!(candidate.score().to_bits(), score.to_bits());
        prop_assert_eq!((candidate.row(), candidate.is_route(), candidate.is_expanded()), (row, route, false));
    }
}

proptest! {
    #[test]
    fn what_is_kept_is_what_would_have_entered(scores in prop::collection::vec(0u8..60, 0..400), width in 1usize..50) {
        let rows = scores.iter().zip(0..).map(|(&score, row)| Candidate::new(f32::from(score), row, false));
        let (mut kept, mut entered) = (Beam::default(), Beam::default());
        kept.reset(width);
        entered.reset(width);
        for candidate in rows {
            if candidate.score() > kept.bar() {
                kept.keep(candidate);
            }
            if candidate.score() > entered.bar() {
                entered.insert(candidate);
            }
        }
        kept.order();
        prop_assert!(kept.sorted == entered.sorted);
        prop_assert_eq!(kept.bar(), entered.bar());
        prop_assert_eq!(kept.is_full(), entered.is_full());
    }
}

#[test]
fn nothing_below_the_bound_is_expanded_but_the_least() {
    let growth = Growth {
        exponent: 0.5,
        longest: 0.0,
    };
    let aim = Aim {
        growth,
        zero: 0.0,
        k: 2,
    };
    // Distances up to twice that of the second best.
    let mut beam = Beam::default();
    let width = aim.width(8);
    assert_eq!(width.bound.map(|bound| bound.least), Some(2));
    beam.reset(width);
    for (row, distance) in [5.0, 1.0, 3.0, 1.9, 0.5, 2.1].into_iter().enumerate() {
        if -distance > beam.bar() {
            beam.insert(Candidate::new(-distance, row as u32, false));
        }
    }
    assert!(beam.bar() == -2.0, "twice the distance of the second best");
    let expanded: Vec<f32> = std::iter::from_fn(|| beam.expand()).map(|c| -c.score()).collect();
    assert_eq!(expanded, [0.5, 1.0, 1.9]);

    beam.reset(8);
    assert_eq!(beam.bar(), f32::NEG_INFINITY, "the bound went with its walk");
}
