//! Reference kernels in plain Rust: the oracle of the test suite, and what runs where no
//! instruction set of the other files is present.
//!
//! Sums over floats are taken in `f64`, from front to back; sums over integers are exact.

use super::drive::{CosineSums, Pairing, cosine, distance, pairing, similarity};
use super::{Metric, sad};
use crate::element::Element;
use half::f16;

/// The kernel for a pair; every pair that has a meaning has one.
pub(super) fn pairing_of(metric: Metric, element: Element) -> Option<Pairing> {
    Some(match (metric, element) {
        (Metric::Dot, Element::F32) => pairing!(dot_f32, 1),
        (Metric::L2, Element::F32) => pairing!(l2_f32, 1),
        (Metric::L1, Element::F32) => pairing!(l1_f32, 1),
        (Metric::Dot, Element::F16) => pairing!(dot_f16, 1),
        (Metric::L2, Element::F16) => pairing!(l2_f16, 1),
        (Metric::L1, Element::F16) => pairing!(l1_f16, 1),
        (Metric::Dot, Element::U8) => pairing!(dot_u8, 1),
        (Metric::L2, Element::U8) => pairing!(l2_u8, 1),
        (Metric::L1, Element::U8) => pairing!(l1_u8, 1),
        (Metric::CosineU8, Element::U8) => pairing!(cosine_u8, 1),
        (Metric::CosineU8, Element::F32 | Element::F16) => return None,
    })
}

fn f32_at(bytes: &[u8; 4]) -> f64 {
    f64::from(f32::from_le_bytes(*bytes))
}

fn f16_at(bytes: &[u8; 2]) -> f64 {
    f16::from_le_bytes(*bytes).to_f64()
}

fn u8_at(bytes: &[u8; 1]) -> u64 {
    u64::from(bytes[0])
}

/// Defines a kernel that sums a term over the components of one row and each of `R` others.
macro_rules! sum_kernel {
    ($name:ident, $at:ident, $sum:ty, |$a:ident, $b:ident| $term:expr, |$total:ident| $score:expr) => {
        fn $name<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [f32; R] {
            many.map(|row| {
                let mut $total: $sum = 0 as $sum;
                for (a, b) in one.as_chunks().0.iter().zip(row.as_chunks().0) {
                    let ($a, $b) = ($at(a), $at(b));
                    $total += $term;
                }
                $score
            })
        }
    };
}

sum_kernel!(dot_f32, f32_at, f64, |a, b| a * b, |sum| sum as f32);
sum_kernel!(l2_f32, f32_at, f64, |a, b| (a - b) * (a - b), |sum| -(sum as f32));
sum_kernel!(l1_f32, f32_at, f64, |a, b| (a - b).abs(), |sum| -(sum as f32));
sum_kernel!(dot_f16, f16_at, f64, |a, b| a * b, |sum| sum as f32);
sum_kernel!(l2_f16, f16_at, f64, |a, b| (a - b) * (a - b), |sum| -(sum as f32));
sum_kernel!(l1_f16, f16_at, f64, |a, b| (a - b).abs(), |sum| -(sum as f32));
sum_kernel!(dot_u8, u8_at, u64, |a, b| a * b, |sum| similarity(sum));
sum_kernel!(l2_u8, u8_at, u64, |a, b| a.abs_diff(b).pow(2), |sum| distance(
    sum
));
sum_kernel!(l1_u8, u8_at, u64, |a, b| a.abs_diff(b), |sum| distance(sum));

fn cosine_u8<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [f32; R] {
    many.map(|row| {
        let (mut dot, mut aa, mut bb) = (0u64, 0u64, 0u64);
        for (&a, &b) in one.iter().zip(row) {
            let (a, b) = (u64::from(a), u64::from(b));
            dot += a * b;
            aa += a * a;
            bb += b * b;
        }
        cosine(CosineSums { dot, aa, bb })
    })
}

/// Sums of absolute differences.
pub(super) const SAD: sad::Entry = sad::Entry {
    one: sad_codes::<1>,
    four: sad_codes::<4>,
};

fn sad_codes<const R: usize>(one: &[u8], rows: [&[u8]; R]) -> [u32; R] {
    rows.map(|row| row.iter().zip(one).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum())
}
