use super::*;
use proptest::prelude::*;

fn score() -> impl Strategy<Value = f32> {
    // Few distinct values, so that ties are common.
    prop_oneof![
        (-3i8..4).prop_map(f32::from),
        Just(-0.0),
        Just(f32::INFINITY),
        Just(f32::NEG_INFINITY),
        Just(f32::NAN),
        any::<f32>(),
    ]
}

proptest! {
    #[test]
    fn keeps_what_sorting_everything_would_keep(scores in prop::collection::vec(score(), 0..200), k in 0usize..40) {
        let mut top = TopK::new(k);
        let mut halves = [TopK::new(k), TopK::new(k)];
        for (row, &s) in (0u32..).zip(&scores) {
            top.push(s, row);
            halves[row as usize % 2].push(s, row);
        }
        let mut all: Vec<(f32, u32)> =
            scores.iter().zip(0u32..).filter(|(s, _)| !s.is_nan()).map(|(s, r)| (s + 0.0, r)).collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        let [mut merged, other] = halves;
        merged.merge(&other);
        let mut drained = Vec::new();
        merged.drain_sorted(&mut drained);
        prop_assert!(merged.is_empty());
        prop_assert_eq!(&drained, &all);
        prop_assert_eq!(top.into_sorted(), all);
    }

    #[test]
    fn order_bits_keep_the_order_and_come_back(a in any::<f32>(), b in any::<f32>()) {
        prop_assert_eq!(order_bits(a).cmp(&order_bits(b)), a.total_cmp(&b));
        prop_assert_eq!(from_order_bits(order_bits(a)).to_bits(), a.to_bits());
    }
}

#[test]
fn the_threshold_is_the_worst_kept_once_full() {
    let mut top = TopK::new(2);
    assert_eq!(top.threshold(), f32::NEG_INFINITY);
    top.push(1.0, 5);
    assert_eq!(top.threshold(), f32::NEG_INFINITY);
    top.push(3.0, 6);
    assert_eq!(top.threshold(), 1.0);
    top.push(1.0, 4);
    assert_eq!(top.into_sorted(), vec![(3.0, 6), (1.0, 4)]);
}
