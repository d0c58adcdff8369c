use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn visited_bits_are_those_of_a_set(walks in prop::collection::vec(prop::collection::vec(0u32..300, 0..50), 1..5)) {
        let mut visited = Visited::default();
        for nodes in walks {
            visited.reset(300);
            let mut set = std::collections::HashSet::new();
            for node in nodes {
                prop_assert_eq!(visited.contains(node), set.contains(&node));
                prop_assert_eq!(visited.visit(node), set.insert(node));
            }
        }
    }

    #[test]
    fn a_candidate_gives_back_what_it_was_made_of(score: f32, row in 0..MAX_ROWS, route: bool) {
        let candidate = Candidate::new(score, row, route);
        prop_assert_eq!(candidate.score().to_bits(), score.to_bits());
        prop_assert_eq!((candidate.row(), candidate.is_route(), candidate.is_expanded()), (row, route, false));
    }
}
