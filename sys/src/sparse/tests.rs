use proptest::prelude::*;
use std::collections::BTreeMap;

use super::*;

fn vector(most: u32) -> impl Strategy<Value = (Vec<u32>, Vec<f32>)> {
    let value = prop_oneof![4 => -3.0f32..3.0, 1 => Just(0.0), 1 => prop::num::f32::NORMAL];
    let dimension = prop_oneof![6 => 0..most, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    prop::collection::btree_map(dimension, value, 0..60).prop_map(|map| map.into_iter().unzip())
}

proptest! {
    #[test]
    fn the_product_is_the_sum_over_shared_dimensions_whichever_comes_first(
        (a_at, a) in vector(40), (b_at, b) in prop_oneof![vector(40), vector(4000)],
    ) {
        let map: BTreeMap<u32, f32> = b_at.iter().copied().zip(b.iter().copied()).collect();
        let (mut sum, mut shared) = (0.0f64, false);
        for (at, value) in a_at.iter().zip(&a) {
            if let Some(other) = map.get(at) {
                sum += f64::from(*value) * f64::from(*other);
                shared = true;
            }
        }
        let expected = shared.then(|| (sum as f32).clamp(-f32::MAX, f32::MAX).to_bits());
        let (a, b) = (SparseView::new(&a_at, &a).unwrap(), SparseView::new(&b_at, &b).unwrap());
        prop_assert_eq!(a.dot(&b).map(f32::to_bits), expected);
        prop_assert_eq!(b.dot(&a).map(f32::to_bits), expected);
        prop_assert_eq!(a.fault(), None);
    }

    #[test]
    fn the_lower_bound_is_where_a_binary_search_finds_it(
        mut list in prop::collection::vec(0u32..300, 0..200), wanted in 0u32..310,
    ) {
        list.sort_unstable();
        prop_assert_eq!(lower_bound(&list, wanted), list.partition_point(|&there| there < wanted));
    }

    #[test]
    fn faulty_vectors_do_not_panic(
        a in prop::collection::vec((0u32..9, any::<f32>()), 0..9),
        b in prop::collection::vec((0u32..9, any::<f32>()), 0..40),
    ) {
        let (a_at, a): (Vec<_>, Vec<_>) = a.into_iter().unzip();
        let (b_at, b): (Vec<_>, Vec<_>) = b.into_iter().unzip();
        let (a, b) = (SparseView::new(&a_at, &a).unwrap(), SparseView::new(&b_at, &b).unwrap());
        let _ = (a.dot(&b), a.fault());
    }
}

#[test]
fn faults_are_named_with_their_place() {
    let fault = |dimensions: &[u32], values: &[f32]| SparseView::new(dimensions, values).unwrap().fault();
    assert_eq!(fault(&[1, 2, u32::MAX], &[0.0, -1.0, 2.0]), None);
    assert_eq!(fault(&[1, 1], &[0.0, 1.0]), Some(SparseFault::Order(1)));
    assert_eq!(fault(&[2, 1], &[0.0, 1.0]), Some(SparseFault::Order(1)));
    assert_eq!(fault(&[1, 2], &[f32::NAN, 1.0]), Some(SparseFault::Value(0)));
    assert_eq!(fault(&[1, 2], &[0.0, f32::INFINITY]), Some(SparseFault::Value(1)));
    assert_eq!(SparseView::new(&[1], &[]), None);
}

#[test]
fn sums_beyond_any_score_are_the_largest() {
    let huge = [f32::MAX, f32::MAX];
    let (a, b) = (
        SparseView::new(&[1, 2], &huge).unwrap(),
        SparseView::new(&[1, 3], &huge).unwrap(),
    );
    assert_eq!(a.dot(&b), Some(f32::MAX));
    let negative = [-f32::MAX, 1.0];
    assert_eq!(
        a.dot(&SparseView::new(&[1, 3], &negative).unwrap()),
        Some(-f32::MAX)
    );
    assert_eq!(a.dot(&SparseView::default()), None);
}
