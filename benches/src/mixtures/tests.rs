use super::*;
use crate::clustered;

const DIM: usize = 16;

fn grown(seed: u64) -> Vec<f32> {
    let mut out = Vec::new();
    mixtures(&clustered(500, DIM, 20, 1), DIM, 200, seed, |vector| {
        out.extend_from_slice(vector);
        Ok(())
    })
    .expect("mixtures");
    out
}

#[test]
fn mixtures_lie_among_what_they_are_made_of() {
    let (base, made) = (clustered(500, DIM, 20, 1), grown(7));
    assert_eq!(made.len(), 200 * DIM);
    let nearest = |vector: &[f32], skip: bool| {
        let apart = |other: &[f32]| {
            other
                .iter()
                .zip(vector)
                .map(|(a, b)| (a - b).powi(2))
                .sum::<f32>()
        };
        let mut all: Vec<f32> = base.chunks_exact(DIM).map(apart).collect();
        all.sort_by(f32::total_cmp);
        all[usize::from(skip)]
    };
    let mean = |vectors: &[f32], skip| {
        let each = vectors.chunks_exact(DIM).map(|vector| nearest(vector, skip));
        each.sum::<f32>() / (vectors.len() / DIM) as f32
    };
    let (among, between) = (mean(&base, true), mean(&made, false));
    assert!(between < among && between > 0.05 * among, "{between} of {among}");
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
