use super::*;
use crate::clustered;

const DIM: usize = 16;

fn grown(seed: u64) -> Vec<f32> {
    let mut out = Vec::new();
    mixtures(&clustered(1000, DIM, 8, 1), DIM, 200, seed, |vector| {
        out.extend_from_slice(vector);
        Ok(())
    })
    .expect("mixtures");
    out
}

/// Squared distances from a vector to `count` others that are not equal to it, the nearest first.
fn apart(vector: &[f32], others: &[f32], count: usize) -> Vec<f32> {
    let squared = |other: &[f32]| {
        other
            .iter()
            .zip(vector)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f32>()
    };
    let mut all: Vec<f32> = others
        .chunks_exact(DIM)
        .map(squared)
        .filter(|d| *d > 0.0)
        .collect();
    all.sort_by(f32::total_cmp);
    all.truncate(count);
    all
}

/// How many directions there are around the vectors of a set: Levina and Bickel, "Maximum likelihood estimation of intrinsic
/// dimension", NIPS 2004, equation 8, its inverses averaged.
fn intrinsic_dimension(of: &[f32], among: &[f32]) -> f32 {
    let inverse = |vector: &[f32]| {
        let near = apart(vector, among, 20);
        let farthest = near[near.len() - 1];
        let logs = near.iter().map(|d| 0.5 * (farthest / d).ln()).sum::<f32>();
        logs / (near.len() - 1) as f32
    };
    (of.len() / DIM) as f32 / of.chunks_exact(DIM).map(inverse).sum::<f32>()
}

#[test]
fn mixtures_lie_among_what_they_are_made_of_in_as_many_directions() {
    let (base, made) = (clustered(1000, DIM, 8, 1), grown(7));
    assert_eq!(made.len(), 200 * DIM);
    let all = [&base[..], &made].concat();
    let nearest = |of: &[f32]| {
        let each = of.chunks_exact(DIM).map(|vector| apart(vector, &base, 1)[0]);
        each.sum::<f32>() / (of.len() / DIM) as f32
    };
    let (among, between) = (nearest(&base), nearest(&made));
    assert!((0.7..1.1).contains(&(between / among)), "{between} of {among}");
    let (before, after) = (
        intrinsic_dimension(&base, &base),
        intrinsic_dimension(&made, &all),
    );
    assert!((0.75..1.33).contains(&(after / before)), "{after} of {before}");
}

#[test]
fn lengths_are_those_of_rows() {
    let mut base = clustered(100, DIM, 5, 1);
    for (vector, to) in base.chunks_exact_mut(DIM).zip([1.0, 3.0].iter().cycle()) {
        let now = length(vector);
        vector.iter_mut().for_each(|x| *x *= to / now);
    }
    let made = |vector: &[f32]| {
        let found = length(vector);
        assert!(
            (found - 1.0).abs() < 1e-3 || (found - 3.0).abs() < 1e-3,
            "{found}"
        );
        Ok(())
    };
    mixtures(&base, DIM, 100, 0, made).expect("mixtures");
}

#[test]
fn two_vectors_are_mixed_on_their_line() {
    let mut base = vec![0.0f32; 2 * DIM];
    (base[0], base[DIM + 1]) = (1.0, 1.0);
    let on_it = |vector: &[f32]| {
        assert!(vector[2..].iter().all(|x| *x == 0.0), "{vector:?}");
        Ok(())
    };
    mixtures(&base, DIM, 20, 0, on_it).expect("mixtures");
}

#[test]
fn the_seed_decides() {
    assert_eq!(grown(7), grown(7));
    assert_ne!(grown(7), grown(8));
}

#[test]
fn one_vector_cannot_be_mixed() {
    assert!(mixtures(&[1.0; DIM], DIM, 1, 0, |_| Ok(())).is_err());
}
