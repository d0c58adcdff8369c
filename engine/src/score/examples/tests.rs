use proptest::prelude::*;

use super::Mix;

fn is_near(found: f32, wanted: f64) -> bool {
    (f64::from(found) - wanted).abs() <= 1e-5 * wanted.abs().max(1.0)
}

fn g(x: f64) -> f64 {
    0.5 * (x / (1.0 + x.abs()) + 1.0)
}

#[test]
fn the_best_example_decides() {
    let mix = Mix::Best { positives: 2 };
    assert!(is_near(mix.score(&[0.5, 1.0, 0.2]), g(1.0)));
    assert!(is_near(mix.score(&[0.5, 1.0, 3.0]), -g(3.0)));
    // Where both are as near, the negative one does.
    assert!(is_near(mix.score(&[0.5, 1.0, 1.0]), -g(1.0)));
    assert!(is_near(mix.score(&[-9.0, -3.0]), g(-3.0)));
    assert!(is_near(Mix::Best { positives: 0 }.score(&[-9.0, -3.0]), -g(-3.0)));
}

#[test]
fn sums_are_those_of_positives_without_negatives() {
    assert_eq!(Mix::sums(2, 1).score(&[1.0, 2.0, 5.0]), -2.0);
    assert_eq!(Mix::sums(1, 0).score(&[f32::MAX]), f32::MAX);
    assert_eq!(Mix::sums(2, 0).score(&[f32::MAX, f32::MAX]), f32::MAX);
}

#[test]
fn discovery_counts_sides_before_it_looks_at_the_target() {
    // Right, wrong, and on the line.
    let score = Mix::Discover.score(&[0.25, 1.0, 0.5, 0.1, 0.2, 0.3, 0.3]);
    assert!(is_near(score, g(0.25)));
    assert!(is_near(Mix::Discover.score(&[-4.0, 1.0, 0.5]), 1.0 + g(-4.0)));
    assert!(is_near(Mix::Discover.score(&[2.0]), g(2.0)));
}

#[test]
fn a_context_has_nothing_better_than_zero() {
    assert_eq!(Mix::Context.score(&[1.0, 0.5, 0.9, 0.1]), 0.0);
    let score = Mix::Context.score(&[1.0, 2.0, 0.9, 0.1]);
    let lost = -1.0 - f64::from(f32::EPSILON);
    assert!(is_near(score, lost / (1.0 + lost.abs())));
    // On the line it is just not right.
    assert!(Mix::Context.score(&[1.0, 1.0]) < 0.0);
}

#[test]
fn feedback_has_no_weights_that_are_no_numbers() {
    for c in [1.0, -1.0, 0.0] {
        assert_eq!(Mix::feedback((1.0, 400.0, c), &[10.0, 1.0]), None);
    }
    assert!(Mix::feedback((1.0, 400.0, 1.0), &[1.0, 1.0]).is_some());
    let mix = Mix::feedback((1.0, 38.0, 1.0), &[10.0, 0.0]).unwrap();
    assert!(mix.score(&[f32::MAX, f32::MAX, f32::MIN]).is_finite());
}

proptest! {
    #[test]
    fn feedback_is_the_sum_over_its_pairs(
        (a, b, c) in (-2.0f32..2.0, 0.0f32..3.0, -2.0f32..2.0),
        examples in prop::collection::vec((prop::sample::select(vec![0.0f32, 0.5, 1.0, 4.0]), -1.0f32..1.0), 1..8),
        target in -1.0f32..1.0,
    ) {
        let (scores, mut similarities): (Vec<f32>, Vec<f32>) = examples.iter().copied().unzip();
        similarities.insert(0, target);
        let mut wanted = f64::from(a) * f64::from(target);
        for &(high, near) in &examples {
            for &(low, far) in &examples {
                if high > low {
                    let weight = f64::from(high - low).powf(f64::from(b)) * f64::from(c);
                    wanted += weight * (f64::from(near) - f64::from(far));
                }
            }
        }
        let found = Mix::feedback((a, b, c), &scores).unwrap().score(&similarities);
        prop_assert!((f64::from(found) - wanted).abs() < 1e-5 * wanted.abs().max(10.0), "{found}, not {wanted}");
    }

    #[test]
    fn scores_are_numbers_whatever_the_similarities(
        similarities in prop::collection::vec(prop_oneof![Just(f32::MAX), Just(f32::MIN), -1.0f32..1.0], 1..9),
        positives in 0usize..4,
    ) {
        let negatives = similarities.len().saturating_sub(positives);
        for mix in [Mix::Only, Mix::Best { positives }, Mix::sums(positives, negatives), Mix::Discover, Mix::Context] {
            prop_assert!(mix.score(&similarities).is_finite(), "{mix:?}");
        }
    }
}
