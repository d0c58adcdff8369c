//! The subspace in which vectors differ most: what codes of few bits are spent on.
//!
//! A randomised range finder (Halko, Martinsson & Tropp, "Finding structure with randomness", SIAM Review 2011,
//! algorithm 4.3 with one power iteration) on the covariance of a sample: random vectors, multiplied by the covariance
//! twice and made orthonormal one after another, span nearly the directions of largest variance, however many of
//! them one takes. They are taken in steps until they hold the wanted share of the variance. In the end the basis is
//! turned at random, so that every coordinate of a mapped vector holds about as much as any other, and is about
//! normally distributed: what one step of rounding serves best.

use rayon::prelude::*;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::mix;
use crate::quant::arithmetic::dot_f32;

/// A direction whose rest after projecting out the earlier ones is below this share is theirs, but for rounding.
const DEPENDENT: f32 = 1e-4;
/// Seeds of directions at random begin here.
const SPARE: u64 = 1 << 32;
/// Rounds of sign flips and butterflies that turn the basis.
const TURNS: u64 = 3;

/// Finds a basis of as many of `counts`, ascending, as it takes to hold `share` of the variance of `sample`, which
/// holds centred vectors of `dim` numbers: vectors of `dim` numbers, one after another. `None` if the sample has no variance, or more than numbers can say.
///
/// # Errors
/// [`Error::Cancelled`].
pub(super) fn fit(
    sample: &[f32],
    dim: usize,
    counts: impl Iterator<Item = usize> + Send,
    share: f64,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Option<Vec<f32>>> {
    pool.install(|| {
        let covariance = covariance(sample, dim, control)?;
        let total: f64 = (0..dim).map(|at| f64::from(covariance[at * dim + at])).sum();
        if !(total > 0.0 && total.is_finite()) {
            return Ok(None);
        }
        let (mut basis, mut held) = (Vec::new(), 0.0f64);
        for count in counts {
            let known = basis.len() / dim;
            let images: Vec<Vec<f32>> = (known..count.min(dim))
                .into_par_iter()
                .map(|at| {
                    let once = multiply(&covariance, &random(at as u64, dim));
                    multiply(&covariance, &unit(once))
                })
                .collect();
            for image in images {
                if control.is_cancelled() {
                    return Err(Error::Cancelled);
                }
                orthogonalise(&mut basis, image, dim);
            }
            // Where few directions hold nearly all, the others were lost in rounding. They are taken at random: codes have
            // room for them, and neighbours may differ in them alone.
            for spare in SPARE..SPARE + 2 * dim as u64 {
                if basis.len() / dim >= count.min(dim) {
                    break;
                }
                orthogonalise(&mut basis, random(spare, dim), dim);
            }
            held += basis[known * dim..]
                .par_chunks_exact(dim)
                .map(|vector| f64::from(dot_f32(vector, &multiply(&covariance, vector))))
                .collect::<Vec<f64>>()
                .iter()
                .sum::<f64>();
            if held >= share * total {
                break;
            }
        }
        turn(&mut basis, dim);
        Ok((!basis.is_empty()).then_some(basis))
    })
}

fn covariance(sample: &[f32], dim: usize, control: &Control<'_>) -> Result<Vec<f32>> {
    let rows = sample.len() / dim;
    let mut columns = vec![0.0f32; sample.len()];
    columns
        .par_chunks_exact_mut(rows.max(1))
        .enumerate()
        .for_each(|(at, column)| {
            let values = sample.iter().skip(at).step_by(dim);
            column.iter_mut().zip(values).for_each(|(out, &x)| *out = x);
        });
    let mut covariance = vec![0.0f32; dim * dim];
    covariance
        .par_chunks_exact_mut(dim)
        .enumerate()
        .try_for_each(|(at, out)| {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let column = &columns[at * rows..][..rows];
            for (other, out) in out.iter_mut().enumerate().skip(at) {
                *out = dot_f32(column, &columns[other * rows..][..rows]) / rows.max(1) as f32;
            }
            Ok(())
        })?;
    for at in 0..dim {
        for other in at + 1..dim {
            covariance[other * dim + at] = covariance[at * dim + other];
        }
    }
    Ok(covariance)
}

/// A vector of signs.
fn random(seed: u64, dim: usize) -> Vec<f32> {
    let bits = |at: usize| mix(mix(seed) ^ (at as u64 / 64)) >> (at % 64) & 1;
    (0..dim)
        .map(|at| if bits(at) == 1 { 1.0 } else { -1.0 })
        .collect()
}

fn multiply(matrix: &[f32], vector: &[f32]) -> Vec<f32> {
    matrix
        .chunks_exact(vector.len())
        .map(|row| dot_f32(row, vector))
        .collect()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = dot_f32(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

/// Appends what of `vector` is orthogonal to the basis, unless nothing is left of it: classical Gram-Schmidt, twice
/// (Giraud et al., 2005: twice is enough).
fn orthogonalise(basis: &mut Vec<f32>, vector: Vec<f32>, dim: usize) {
    let mut vector = unit(vector);
    let mut left = 1.0;
    for _ in 0..2 {
        let shares: Vec<f32> = basis
            .chunks_exact(dim)
            .map(|other| dot_f32(other, &vector))
            .collect();
        for (other, share) in basis.chunks_exact(dim).zip(shares) {
            vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
        }
        left *= dot_f32(&vector, &vector).sqrt();
        vector = unit(vector);
    }
    if left > DEPENDENT {
        basis.extend_from_slice(&vector);
    }
}

/// Turns a basis within its space: signs at random and Hadamard butterflies, over its first power of two of vectors
/// and over its last in turns.
fn turn(basis: &mut [f32], dim: usize) {
    let count = basis.len() / dim;
    if count < 2 {
        return;
    }
    let block = 1usize << count.ilog2();
    for round in 0..TURNS {
        for (at, vector) in basis.chunks_exact_mut(dim).enumerate() {
            if mix(mix(round) ^ at as u64) & 1 == 1 {
                vector.iter_mut().for_each(|x| *x = -*x);
            }
        }
        let first = if round % 2 == 0 { 0 } else { count - block };
        let part = &mut basis[first * dim..][..block * dim];
        let mut half = 1;
        while half < block {
            for pair in part.chunks_exact_mut(2 * half * dim) {
                let (low, high) = pair.split_at_mut(half * dim);
                for (a, b) in low.iter_mut().zip(high) {
                    (*a, *b) = (
                        (*a + *b) * std::f32::consts::FRAC_1_SQRT_2,
                        (*a - *b) * std::f32::consts::FRAC_1_SQRT_2,
                    );
                }
            }
            half *= 2;
        }
    }
}

#[cfg(test)]
mod tests;
