use std::convert::Infallible;

use proptest::prelude::*;

use super::diverse;

fn dot(a: [f32; 2], b: [f32; 2]) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn choose(points: &[[f32; 2]], query: [f32; 2], relevance: f32, limit: usize) -> Vec<usize> {
    let to_query: Vec<f32> = points.iter().map(|&point| dot(query, point)).collect();
    let Ok(chosen) = diverse(&to_query, relevance, limit, |a, b| {
        Ok::<_, Infallible>(dot(points[a], points[b]))
    });
    chosen
}

#[test]
fn a_copy_of_what_is_shown_gives_way() {
    let points = [[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]];
    assert_eq!(choose(&points, [1.0, 0.1], 0.5, 2), [0, 2]);
    assert_eq!(choose(&points, [1.0, 0.1], 1.0, 2), [0, 1]);
    assert_eq!(choose(&points, [1.0, 0.1], 0.0, 9), [0, 2, 1]);
    assert!(choose(&[], [1.0, 0.0], 0.5, 9).is_empty());
}

proptest! {
    #[test]
    fn each_choice_is_the_best_there_was(
        points in prop::collection::vec((-8i8..8, -8i8..8), 0..12),
        relevance in 0.0f32..=1.0,
        limit in 0usize..14,
    ) {
        let points: Vec<[f32; 2]> = points.iter().map(|&(x, y)| [f32::from(x), f32::from(y)]).collect();
        let query = [3.0, 1.0];
        let chosen = choose(&points, query, relevance, limit);
        prop_assert_eq!(chosen.len(), limit.min(points.len()));
        for (turn, &next) in chosen.iter().enumerate() {
            let before = &chosen[..turn];
            let worth = |at: usize| {
                let near = f64::from(dot(query, points[at]));
                let most = before.iter().map(|&one| f64::from(dot(points[at], points[one])));
                let relevance = f64::from(relevance);
                most.reduce(f64::max).map_or(near, |most| relevance * near - (1.0 - relevance) * most)
            };
            for other in (0..points.len()).filter(|other| !chosen[..=turn].contains(other)) {
                let (one, other_worth) = (worth(next), worth(other));
                prop_assert!(one > other_worth || (one == other_worth && next < other));
            }
        }
    }
}
