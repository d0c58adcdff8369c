use proptest::prelude::*;

use super::super::tests::{Numbers, kernels};
use super::*;
use crate::element::{encode_f32, encode_scaled};
use crate::kernel::{UNIT_LENGTH_MOST, unit_scale};

/// The definition: every pair, one by one.
fn naive(kernel: &Kernel, query: &[u8], document: &[u8], vector_bytes: usize) -> f32 {
    let pairs = Kernel {
        by_root: false,
        ..*kernel
    };
    let mut sum = 0.0f64;
    for one in query.chunks(vector_bytes) {
        let scores = document.chunks(vector_bytes).map(|other| pairs.score(one, other));
        sum += f64::from(scores.fold(f32::NEG_INFINITY, f32::max));
    }
    let score = (sum as f32).clamp(-f32::MAX, f32::MAX);
    if kernel.by_root {
        let root = (-score).sqrt();
        return -(root * root).min(f32::MAX);
    }
    score
}

fn rows(numbers: &mut Numbers, element: Element, dim: usize, count: usize) -> Vec<u8> {
    (0..count).flat_map(|_| numbers.row(element, dim)).collect()
}

/// Numbers that look random, of unit length.
fn unit_rows(numbers: &mut Numbers, element: Element, dim: usize, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut values = vec![0.0; dim];
    for _ in 0..count {
        decode_to_f32(&numbers.row(Element::F32, dim), Element::F32, &mut values);
        match unit_scale(&values) {
            Some(scale) => encode_scaled(&values, scale, element, &mut out),
            None => encode_f32(&values, element, &mut out),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_score_is_that_of_the_plain_loop_and_a_bar_changes_no_score(
        dim in 1usize..70, queries in 0usize..20, documents in prop_oneof![4 => 0usize..20, 1 => 60usize..140],
        seed: u64, by_root: bool, nudge in -1i32..2,
    ) {
        let mut numbers = Numbers::new(seed);
        for kernel in kernels() {
            let kernel = if by_root { kernel.by_root() } else { kernel };
            let bytes = dim * kernel.element().size();
            let query = rows(&mut numbers, kernel.element(), dim, queries);
            let document = rows(&mut numbers, kernel.element(), dim, documents);
            let expected = naive(&kernel, &query, &document, bytes);
            let plain = MaxSim::new(kernel, &query, bytes);
            prop_assert_eq!(plain.len(), queries);
            // Zero has two signs, and one place.
            prop_assert_eq!((plain.score(&document) + 0.0).to_bits(), (expected + 0.0).to_bits(), "{:?}", kernel);
            prop_assert!(expected.is_finite());
            // Components are at most 1, or 255.
            let largest = if kernel.element() == Element::U8 { 255.0 } else { 1.0 };
            let bounded = plain.clone().longest(largest * (dim as f32).sqrt() * 1.0001);
            let bar = match nudge {
                -1 => expected.next_down(),
                0 => expected,
                _ => expected.next_up(),
            };
            let wanted = if expected >= bar { Interaction::Score(expected) } else { Interaction::Below };
            for query in [&plain, &bounded] {
                prop_assert_eq!(query.compare(&document, bar, || true), wanted, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn normalised_vectors_are_within_the_bound_that_is_said(
        dim in 1usize..70, queries in 1usize..40, documents in 1usize..9, seed: u64,
    ) {
        let mut numbers = Numbers::new(seed);
        for element in [Element::F32, Element::F16] {
            let kernel = Kernel::new(Metric::Dot, element);
            let bytes = dim * element.size();
            let query = unit_rows(&mut numbers, element, dim, queries);
            let bounded = MaxSim::new(kernel, &query, bytes).longest(UNIT_LENGTH_MOST);
            // The query itself is the nearest there is: nothing is given up but what must be.
            for document in [query.clone(), unit_rows(&mut numbers, element, dim, documents)] {
                let score = bounded.score(&document);
                prop_assert_eq!(bounded.compare(&document, score, || true), Interaction::Score(score));
                prop_assert_eq!(bounded.compare(&document, score.next_up(), || true), Interaction::Below);
            }
        }
    }
}

#[test]
fn a_document_far_below_the_bar_is_given_up_early() {
    for kernel in kernels().filter(|kernel| kernel.element() == Element::F32) {
        let mut query = Vec::new();
        for _ in 0..1000 {
            encode_f32(&[1.0, 0.0, 0.0, 0.0], Element::F32, &mut query);
        }
        let mut document = Vec::new();
        (0..10_000).for_each(|_| encode_f32(&[-1.0, 0.0, 0.0, 0.0], Element::F32, &mut document));
        let maxsim = MaxSim::new(kernel, &query, 16).longest(1.0);
        let best = naive(&kernel, &query, &query[..16], 16);
        let mut looks = 0;
        let found = maxsim.compare(&document, best, || {
            looks += 1;
            true
        });
        // Of a thousand vectors the first eight tell.
        assert_eq!(found, Interaction::Below, "{kernel:?}");
        assert!(looks <= 2, "{looks}");
    }
}

#[test]
fn whoever_wants_no_more_is_asked_soon() {
    let kernel = Kernel::new(Metric::Dot, Element::U8);
    let query = vec![1; 1000];
    let document = vec![1; 100_000];
    let maxsim = MaxSim::new(kernel, &query, 1);
    let mut looks = 0;
    let found = maxsim.compare(&document, f32::NEG_INFINITY, || {
        looks += 1;
        looks < 3
    });
    assert_eq!((found, looks), (Interaction::Stopped, 3));
    let few = MaxSim::new(kernel, &query[..8], 1);
    assert_eq!(
        few.compare(&document[..64], f32::NEG_INFINITY, || false),
        Interaction::Score(8.0)
    );
}

#[test]
fn scores_that_no_number_holds_are_the_largest() {
    let (mut large, mut small) = (Vec::new(), Vec::new());
    (0..9).for_each(|_| encode_f32(&[f32::MAX; 3], Element::F32, &mut large));
    (0..9).for_each(|_| encode_f32(&[-f32::MAX; 3], Element::F32, &mut small));
    for kernel in kernels().filter(|kernel| kernel.element() == Element::F32) {
        let query = MaxSim::new(kernel.by_root(), &large, 12).longest(f32::MAX);
        let same = match kernel.metric() {
            Metric::Dot => f32::MAX,
            Metric::CosineU8 | Metric::L2 | Metric::L1 => 0.0,
        };
        assert_eq!(query.score(&large), same, "{kernel:?}");
        let least = query.score(&small);
        assert!(least.is_finite() && least <= -1e38, "{kernel:?}: {least}");
        assert_eq!(query.compare(&large, same, || true), Interaction::Score(same));
    }
}

#[test]
#[should_panic(expected = "length of the document")]
fn part_of_a_vector_is_refused() {
    let kernel = Kernel::new(Metric::Dot, Element::F32);
    let query = MaxSim::new(kernel, &[0; 8], 8);
    let _ = query.score(&[0; 12]);
}
