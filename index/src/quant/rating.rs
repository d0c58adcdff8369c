//! Would codes tell neighbours apart?

use vdb_sys::kernel::packed::Bits;

use crate::quant::arithmetic::dot_f32;

/// Vectors of the sample whose nearest ones are looked for, and among how many.
const ASKED: usize = 64;
const AMONG: usize = 2_048;
/// Vectors nearer than this share of their lengths are equal ones.
const EQUAL: f32 = 1e-6;

/// The error of a squared distance by codes, as a share of the median squared distance to the nearest neighbour in a
/// sample of centred vectors: how far codes blur what a search looks for. 0 if no two vectors differ.
///
/// Rounding leaves a share `r` of the variance `Y` in the subspace of `d` dimensions, in a direction of its own; what lies
/// outside of it, `T`, is left out. So an inner product errs by about the root of `r Y^2 / d + T^2 / (dim - d)`.
pub(super) fn blur(centred: &[f32], dim: usize, basis: &[f32], bits: Bits) -> f64 {
    let rows = centred.len() / dim;
    let row = |at: usize| &centred[at * dim..][..dim];
    let step = |of: usize| (rows / of.max(1)).max(1);
    let others: Vec<(usize, f32)> = (0..rows)
        .step_by(step(AMONG))
        .map(|at| (at, dot_f32(row(at), row(at))))
        .collect();
    let (mut inside, mut outside, mut asked) = (0.0f64, 0.0f64, 0.0f64);
    let mut nearest = Vec::new();
    for at in (0..rows).step_by(step(ASKED)) {
        let vector = row(at);
        let length = dot_f32(vector, vector);
        let held: f32 = basis
            .chunks_exact(dim)
            .map(|direction| dot_f32(direction, vector).powi(2))
            .sum();
        inside += f64::from(held);
        outside += f64::from((length - held).max(0.0));
        asked += 1.0;
        let apart = others
            .iter()
            .filter(|&&(other, _)| other != at)
            .map(|&(other, squared)| length + squared - 2.0 * dot_f32(vector, row(other)))
            .filter(|&apart| apart > EQUAL * length);
        nearest.extend(apart.min_by(f32::total_cmp));
    }
    let middle = nearest.len() / 2;
    if nearest.is_empty() {
        return 0.0;
    }
    let (_, median, _) = nearest.select_nth_unstable_by(middle, f32::total_cmp);
    let (inside, outside) = (inside / asked, outside / asked);
    let kept = (basis.len() / dim) as f64;
    let left_out = (dim as f64 - kept).max(1.0);
    let error = rounded_off(bits) * inside * inside / kept + outside * outside / left_out;
    2.0 * error.sqrt() / f64::from(*median)
}

/// The share of a normal variable's variance that the best rounding leaves (Max, IRE 1960, table II).
fn rounded_off(bits: Bits) -> f64 {
    match bits {
        Bits::One => 0.3634,
        Bits::Two => 0.1188,
        Bits::Four => 0.0115,
        Bits::Eight => 0.0001,
    }
}
