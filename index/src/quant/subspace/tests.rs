use super::*;
use crate::fixture::{Random, pool};

const DIM: usize = 48;

/// Vectors that lie in the first `rank` directions of a basis of their own, with falling variance.
fn sample(rank: usize) -> Vec<f32> {
    let mut numbers = Random::new(5);
    let mut number = || (numbers.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
    let directions: Vec<f32> = (0..rank * DIM).map(|_| number()).collect();
    let mut out = Vec::new();
    for _ in 0..500 {
        let mut vector = vec![0.0; DIM];
        for (at, direction) in directions.chunks(DIM).enumerate() {
            let weight = number() / (at as f32 + 4.0);
            vector
                .iter_mut()
                .zip(direction)
                .for_each(|(x, d)| *x += weight * d);
        }
        out.extend(vector);
    }
    out
}

fn fitted(sample: &[f32], counts: &[usize], share: f64, threads: usize) -> Option<Vec<f32>> {
    fit(
        sample,
        DIM,
        counts.iter().copied(),
        share,
        &pool(threads),
        &Control::none(),
    )
    .expect("not cancelled")
}

#[test]
fn a_basis_is_orthonormal_and_no_larger_than_needed() {
    let found = fitted(&sample(40), &[8, 16, 48], 0.9, 2).expect("there is variance");
    let vectors: Vec<&[f32]> = found.chunks_exact(DIM).collect();
    assert_eq!(vectors.len(), 16);
    for (at, a) in vectors.iter().enumerate() {
        for (other, b) in vectors.iter().enumerate() {
            let expected = if at == other { 1.0 } else { 0.0 };
            assert!((dot_f32(a, b) - expected).abs() < 1e-4, "{at} {other}");
        }
    }
}

#[test]
fn vectors_of_low_rank_are_held_whole() {
    let sample = sample(5);
    let found = fitted(&sample, &[32, 48], 0.999, 1).expect("there is variance");
    assert_eq!(found.len() / DIM, 32, "filled up: there is room");
    for vector in sample.chunks_exact(DIM) {
        let held: f32 = found.chunks_exact(DIM).map(|b| dot_f32(b, vector).powi(2)).sum();
        let whole = dot_f32(vector, vector);
        assert!((held - whole).abs() <= 1e-3 * whole, "{held} of {whole}");
    }
}

#[test]
fn every_coordinate_holds_about_as_much() {
    let sample = sample(40);
    let found = fitted(&sample, &[16], 1.0, 1).expect("there is variance");
    let held = |b: &[f32]| {
        sample
            .chunks_exact(DIM)
            .map(|v| dot_f32(b, v).powi(2))
            .sum::<f32>()
    };
    let each: Vec<f32> = found.chunks_exact(DIM).map(held).collect();
    let mean = each.iter().sum::<f32>() / each.len() as f32;
    assert!(each.iter().all(|&e| e < 4.0 * mean), "{each:?}");
}

#[test]
fn threads_change_nothing_and_equal_vectors_have_no_basis() {
    let sample = sample(40);
    let (one, two) = (fitted(&sample, &[16], 1.0, 1), fitted(&sample, &[16], 1.0, 3));
    assert_eq!(one, two);
    assert!(fitted(&vec![0.0; DIM * 10], &[16], 0.9, 1).is_none());
    assert!(fitted(&[f32::MAX; DIM * 10], &[16], 0.9, 1).is_none());
}
