use super::*;
use proptest::prelude::*;

fn distance(a: (f32, f32), b: (f32, f32)) -> f32 {
    (a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)
}

fn point() -> impl Strategy<Value = (f32, f32)> {
    // A grid, so that equal points and equal distances are common.
    (0u8..12, 0u8..12).prop_map(|(x, y)| (f32::from(x), f32::from(y)))
}

proptest! {
    #[test]
    fn a_candidate_is_kept_unless_a_kept_one_covers_it(
        points in prop::collection::vec(point(), 1..60), degree in 1usize..20, alpha in prop::sample::select(vec![1.0f32, 1.2]),
    ) {
        let node = points[0];
        let mut candidates: Vec<Near> =
            (1u32..).zip(&points[1..]).map(|(row, &p)| (distance(node, p), row)).collect();
        sort(0, &mut candidates);
        prop_assert!(candidates.is_sorted_by(|a, b| a.0 <= b.0));
        let mut chosen = Vec::new();
        let at = |row: u32| points[row as usize];
        let covers = |row: u32, bar: f32, by: &[Near]| by.iter().any(|&(_, other)| distance(at(row), at(other)) < bar);
        choose(&candidates, degree, alpha, &mut chosen, covers);

        prop_assert!(chosen.len() <= degree);
        prop_assert_eq!(chosen.first(), candidates.first());
        let mut before: Vec<Near> = Vec::new();
        for &(d, row) in &candidates {
            let kept = chosen.contains(&(d, row));
            if before.len() < degree {
                prop_assert_eq!(kept, !covers(row, d / alpha, &before));
            } else {
                prop_assert!(!kept);
            }
            if kept {
                before.push((d, row));
            }
        }
        prop_assert_eq!(before, chosen);
    }
}

#[test]
fn equal_vectors_fill_the_block_with_different_neighbours_each() {
    let chosen_by = |node: u32| {
        let mut candidates: Vec<Near> = (100..400).map(|row| (0.0, row)).collect();
        sort(node, &mut candidates);
        let mut chosen = Vec::new();
        choose(&candidates, 8, 1.1, &mut chosen, |_, bar, _| 0.0 < bar);
        chosen.into_iter().map(|(_, row)| row).collect::<Vec<u32>>()
    };
    assert_eq!(chosen_by(1).len(), 8);
    let all: std::collections::HashSet<u32> = (0..50).flat_map(chosen_by).collect();
    assert!(all.len() > 150, "{} rows chosen by fifty nodes", all.len());
}
