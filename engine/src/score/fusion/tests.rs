use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Fusion;

fn list(ids: &[u32]) -> Vec<(u32, f32)> {
    let scored = ids.iter().zip(0i16..);
    scored.map(|(&id, rank)| (id, -f32::from(rank))).collect()
}

fn fuse(fusion: &Fusion, lists: &[Vec<(u32, f32)>]) -> BTreeMap<u32, f32> {
    let fused = super::fuse(fusion, lists.to_vec(), |&entry| entry);
    assert!(fused.is_sorted_by(|(a, _), (b, _)| a.0 < b.0));
    fused.into_iter().map(|((id, _), worth)| (id, worth)).collect()
}

fn is_near(found: f32, wanted: f64) -> bool {
    (f64::from(found) - wanted).abs() < 1e-5
}

#[test]
fn ranks_are_counted_from_zero() {
    let fused = fuse(&Fusion::rrf(), &[list(&[7, 8]), list(&[8, 9])]);
    assert!(is_near(fused[&7], 1.0 / 2.0));
    assert!(is_near(fused[&8], 1.0 / 3.0 + 1.0 / 2.0));
    assert!(is_near(fused[&9], 1.0 / 3.0));
}

#[test]
fn weights_stretch_ranks_and_zero_counts_nothing() {
    let fusion = Fusion::Rrf {
        k: 60,
        weights: Some(vec![3.0, 0.0]),
    };
    let fused = fuse(&fusion, &[list(&[1, 2]), list(&[2, 3])]);
    assert!(is_near(fused[&1], 1.0 / (1.0 / 3.0 + 59.0)));
    assert!(is_near(fused[&2], 1.0 / (2.0 / 3.0 + 59.0)));
    assert_eq!(fused[&3], 0.0);
}

#[test]
fn distributions_have_their_mean_in_the_middle() {
    let fused = fuse(
        &Fusion::Dbsf,
        &[vec![(1, 3.0), (2, 2.0), (3, 1.0)], vec![(4, 9.0)]],
    );
    // The deviation of the sample is 1.
    assert!(is_near(fused[&1], 0.5 + 1.0 / 6.0));
    assert!(is_near(fused[&2], 0.5));
    assert!(is_near(fused[&3], 0.5 - 1.0 / 6.0));
    assert_eq!(fused[&4], 0.5);
    let equal = fuse(&Fusion::Dbsf, &[vec![(1, 4.0), (2, 4.0)]]);
    assert_eq!((equal[&1], equal[&2]), (0.5, 0.5));
}

#[test]
fn the_best_place_in_a_list_counts_and_the_first_entry_stays() {
    let lists = vec![
        vec![('a', 7, 3.0), ('b', 8, 2.0), ('c', 7, 1.0)],
        vec![('d', 8, 5.0)],
    ];
    let fused = super::fuse(&Fusion::rrf(), lists, |&(_, id, score)| (id, score));
    let (first, worth): (Vec<char>, Vec<f32>) = fused.into_iter().map(|(one, worth)| (one.0, worth)).unzip();
    assert_eq!(first, ['a', 'b']);
    assert!(is_near(worth[0], 1.0 / 2.0) && is_near(worth[1], 1.0 / 3.0 + 1.0 / 2.0));
}

#[test]
fn no_lists_make_an_empty_one() {
    assert!(fuse(&Fusion::Dbsf, &[]).is_empty());
    assert!(fuse(&Fusion::rrf(), &[Vec::new()]).is_empty());
}

proptest! {
    #[test]
    fn rrf_with_equal_weights_is_rrf_and_the_order_of_lists_does_not_matter(
        lists in prop::collection::vec(prop::collection::hash_set(0u32..20, 0..10), 1..4),
        k in 1u32..100,
    ) {
        let lists: Vec<_> = lists.iter().map(|ids| list(&ids.iter().copied().collect::<Vec<_>>())).collect();
        let plain = fuse(&Fusion::Rrf { k, weights: None }, &lists);
        let weighted = fuse(&Fusion::Rrf { k, weights: Some(vec![1.0; lists.len()]) }, &lists);
        let mut turned = lists.clone();
        turned.reverse();
        let turned = fuse(&Fusion::Rrf { k, weights: None }, &turned);
        let mut naive: BTreeMap<u32, f64> = BTreeMap::new();
        for list in &lists {
            for (rank, (id, _)) in list.iter().enumerate() {
                *naive.entry(*id).or_default() += 1.0 / (rank as f64 + f64::from(k));
            }
        }
        prop_assert_eq!(plain.len(), naive.len());
        for (id, wanted) in naive {
            for found in [plain[&id], weighted[&id], turned[&id]] {
                prop_assert!(is_near(found, wanted), "{id}: {found}, not {wanted}");
            }
        }
    }

    #[test]
    fn dbsf_does_not_change_when_scores_are_scaled_and_shifted(
        scores in prop::collection::vec(-100.0f32..100.0, 2..20),
        scale in 0.5f32..4.0,
        shift in -50.0f32..50.0,
    ) {
        let spread = scores.iter().fold(0.0f32, |most, score| most.max((score - scores[0]).abs()));
        prop_assume!(spread > 1.0);
        let before: Vec<(u32, f32)> = (0..).zip(scores.iter().copied()).collect();
        let after = before.iter().map(|&(id, score)| (id, score * scale + shift)).collect();
        let (before, after) = (fuse(&Fusion::Dbsf, &[before]), fuse(&Fusion::Dbsf, &[after]));
        for (id, score) in &before {
            prop_assert!((score - after[id]).abs() < 1e-3);
        }
        let mean = before.values().sum::<f32>() / before.len() as f32;
        prop_assert!((mean - 0.5).abs() < 1e-4);
    }
}
