//! Kernels of the simsimd library over float rows, which choose their instruction set themselves.
//!
//! The library takes typed slices. A row whose address does not suit its type (no matrix of this
//! project holds such rows) is copied first, so that results never depend on the address. Rows of
//! bytes are not covered: the library's Rust interface has signed ones only.

use super::Metric;
use super::drive::{Pairing, pairing};
use crate::element::Element;
use simsimd::SpatialSimilarity;

/// The kernel for a pair, if the library has one.
pub(super) fn pairing_of(metric: Metric, element: Element) -> Option<Pairing> {
    match (metric, element) {
        (Metric::Dot, Element::F32) => Some(pairing!(dot_f32, 1)),
        (Metric::L2, Element::F32) => Some(pairing!(l2_f32, 1)),
        (Metric::Dot, Element::F16) => Some(pairing!(dot_f16, 1)),
        (Metric::L2, Element::F16) => Some(pairing!(l2_f16, 1)),
        (Metric::L1 | Metric::CosineU8, Element::F32 | Element::F16) | (_, Element::U8) => None,
    }
}

/// Half-precision bits in the library's own type.
fn halves(bits: &[u16]) -> &[simsimd::f16] {
    // SAFETY: `simsimd::f16` is a transparent wrapper of `u16`: same size, alignment and, as any
    // bits are valid for both, same values.
    unsafe { std::slice::from_raw_parts(bits.as_ptr().cast(), bits.len()) }
}

/// Defines a kernel that hands typed slices to a function of the library.
macro_rules! library_kernel {
    ($name:ident, $number:ty, |$a:ident, $b:ident| $score:expr) => {
        fn $name<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [f32; R] {
            fn score($a: &[$number], $b: &[$number]) -> f32 {
                // The library refuses rows of different lengths only, which the caller has ruled out.
                let score: Option<f64> = $score;
                score.map_or(f32::NAN, |score| score as f32)
            }
            many.map(
                |row| match (bytemuck::try_cast_slice(one), bytemuck::try_cast_slice(row)) {
                    (Ok(a), Ok(b)) => score(a, b),
                    _ => score(
                        &bytemuck::allocation::pod_collect_to_vec(one),
                        &bytemuck::allocation::pod_collect_to_vec(row),
                    ),
                },
            )
        }
    };
}

library_kernel!(dot_f32, f32, |a, b| f32::dot(a, b));
library_kernel!(l2_f32, f32, |a, b| f32::l2sq(a, b).map(|d| -d));
library_kernel!(dot_f16, u16, |a, b| simsimd::f16::dot(halves(a), halves(b)));
library_kernel!(l2_f16, u16, |a, b| simsimd::f16::l2sq(halves(a), halves(b))
    .map(|d| -d));
