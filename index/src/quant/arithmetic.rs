//! Sums and rounding, the same on every machine.

use crate::codes::ZERO;

/// The nearest integer (ties to even) of a value well within 2^22.
pub(super) fn rounded(value: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT) - SHIFT
}

/// The sum of signed bytes, modulo 2^32.
pub(super) fn signed_sum(values: &[i8]) -> i32 {
    values
        .iter()
        .fold(0, |sum: i32, &value| sum.wrapping_add(i32::from(value)))
}

/// The nearest integer (ties to even) of a value in -127.5..127.5, as a two's complement byte.
pub(super) fn nearest(value: f32) -> u8 {
    // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the mantissa: unlike `round`, this
    // becomes vector code on every CPU.
    (value + 12_582_912.0).to_bits() as u8
}

/// An inner product in eight lanes: the same on every machine, and vector code.
pub(super) fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The inner product of a vector and a stored code, like [`dot_f32`].
pub(super) fn dot_code(vector: &[f32], code: &[u8]) -> f32 {
    let signed = |code: u8| f32::from(code) - f32::from(ZERO);
    let (vector, vector_rest) = vector.as_chunks::<8>();
    let (code, code_rest) = code.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (vector, code) in vector.iter().zip(code) {
        for lane in 0..8 {
            sums[lane] += vector[lane] * signed(code[lane]);
        }
    }
    sums.iter().sum::<f32>()
        + vector_rest
            .iter()
            .zip(code_rest)
            .map(|(x, &c)| x * signed(c))
            .sum::<f32>()
}
