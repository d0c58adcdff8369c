//! Kernels for 64-bit ARM with NEON, which every such CPU that runs an operating system has.

use super::drive::{CosineSums, Pairing, cosine, distance, pairing, similarity, sums, wide_sums};
use super::{Metric, sad};
use crate::element::Element;
use std::arch::aarch64::*;

/// Whether this CPU has what this file is compiled for.
pub(super) fn is_present() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

/// The kernel for a pair; to be called only where [`is_present`].
pub(super) fn pairing_of(metric: Metric, element: Element) -> Option<Pairing> {
    Some(match (metric, element) {
        (Metric::Dot, Element::F32) => pairing!(dot_f32, 4, "neon"),
        (Metric::L2, Element::F32) => pairing!(l2_f32, 4, "neon"),
        (Metric::L1, Element::F32) => pairing!(l1_f32, 4, "neon"),
        (Metric::Dot, Element::F16) => pairing!(dot_f16, 4, "neon"),
        (Metric::L2, Element::F16) => pairing!(l2_f16, 4, "neon"),
        (Metric::L1, Element::F16) => pairing!(l1_f16, 4, "neon"),
        (Metric::Dot, Element::U8) => pairing!(dot_u8, 4, "neon"),
        (Metric::L2, Element::U8) => pairing!(l2_u8, 4, "neon"),
        (Metric::L1, Element::U8) => pairing!(l1_u8, 4, "neon"),
        (Metric::CosineU8, Element::U8) => pairing!(cosine_u8, 2, "neon"),
        (Metric::CosineU8, Element::F32 | Element::F16) => return None,
    })
}

/// Sums of absolute differences; to be called only where [`is_present`].
pub(super) const SAD: sad::Entry = sad::Entry {
    one: sad_codes::<1>,
    four: sad_codes::<4>,
};

#[inline]
#[target_feature(enable = "neon")]
fn load_u8(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the reference covers the 16 bytes that are loaded; the load needs no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Up to 16 bytes, the rest zeros.
#[inline]
#[target_feature(enable = "neon")]
fn load_u8_part(bytes: &[u8]) -> uint8x16_t {
    let mut padded = [0; 16];
    padded[..bytes.len()].copy_from_slice(bytes);
    load_u8(&padded)
}

#[inline]
#[target_feature(enable = "neon")]
fn load_f32(bytes: &[u8; 16]) -> float32x4_t {
    vreinterpretq_f32_u8(load_u8(bytes))
}

#[inline]
#[target_feature(enable = "neon")]
fn load_f32_part(bytes: &[u8]) -> float32x4_t {
    vreinterpretq_f32_u8(load_u8_part(bytes))
}

#[inline]
#[target_feature(enable = "neon")]
fn load_f16(bytes: &[u8; 8]) -> float32x4_t {
    // SAFETY: the reference covers the 8 bytes that are loaded; the load needs no alignment.
    let halves = unsafe { vld1_u8(bytes.as_ptr()) };
    vcvt_f32_f16(vreinterpret_f16_u8(halves))
}

/// Up to 8 bytes, the rest zeros.
#[inline]
#[target_feature(enable = "neon")]
fn load_f16_part(bytes: &[u8]) -> float32x4_t {
    let mut padded = [0; 8];
    padded[..bytes.len()].copy_from_slice(bytes);
    load_f16(&padded)
}

#[inline]
#[target_feature(enable = "neon")]
fn step_dot(sum: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vfmaq_f32(sum, a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn step_l2(sum: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
    let d = vsubq_f32(a, b);
    vfmaq_f32(sum, d, d)
}

#[inline]
#[target_feature(enable = "neon")]
fn step_l1(sum: float32x4_t, a: float32x4_t, b: float32x4_t) -> float32x4_t {
    vaddq_f32(sum, vabdq_f32(a, b))
}

#[inline]
#[target_feature(enable = "neon")]
fn total(sums: [float32x4_t; 4]) -> f32 {
    let [a, b, c, d] = sums;
    vaddvq_f32(vaddq_f32(vaddq_f32(a, b), vaddq_f32(c, d)))
}

#[inline]
#[target_feature(enable = "neon")]
fn minus_total(sums: [float32x4_t; 4]) -> f32 {
    -total(sums)
}

/// Defines the kernels of one metric over both float types.
macro_rules! float_kernels {
    ($f32:ident, $f16:ident, $step:ident, $finish:ident) => {
        sums! {
            fn $f32 -> f32,
            features: "neon",
            accumulators: [float32x4_t; 4] = vdupq_n_f32(0.0),
            vector: 16 bytes by load_f32 or load_f32_part,
            step: $step,
            finish: $finish,
        }
        sums! {
            fn $f16 -> f32,
            features: "neon",
            accumulators: [float32x4_t; 4] = vdupq_n_f32(0.0),
            vector: 8 bytes by load_f16 or load_f16_part,
            step: $step,
            finish: $finish,
        }
    };
}

float_kernels!(dot_f32, dot_f16, step_dot, total);
float_kernels!(l2_f32, l2_f16, step_l2, minus_total);
float_kernels!(l1_f32, l1_f16, step_l1, minus_total);

/// Sums of lanes of 32 bits whose total is known to fit.
#[inline]
#[target_feature(enable = "neon")]
fn total_u32(sums: [uint32x4_t; 2]) -> u64 {
    u64::from(total_sad(sums))
}

/// `sum` plus the products of unsigned bytes.
#[inline]
#[target_feature(enable = "neon")]
fn step_dot_u8(sum: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    let sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
    vpadalq_u16(sum, vmull_high_u8(a, b))
}

#[inline]
#[target_feature(enable = "neon")]
fn step_l2_u8(sum: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    let d = vabdq_u8(a, b);
    step_dot_u8(sum, d, d)
}

#[inline]
#[target_feature(enable = "neon")]
fn step_l1_u8(sum: uint32x4_t, a: uint8x16_t, b: uint8x16_t) -> uint32x4_t {
    vpadalq_u16(sum, vpaddlq_u8(vabdq_u8(a, b)))
}

/// Accumulators of `a * b`, `a * a` and `b * b`.
#[derive(Clone, Copy)]
struct Cosine {
    dot: uint32x4_t,
    aa: uint32x4_t,
    bb: uint32x4_t,
}

#[inline]
#[target_feature(enable = "neon")]
fn step_cosine(sum: Cosine, a: uint8x16_t, b: uint8x16_t) -> Cosine {
    Cosine {
        dot: step_dot_u8(sum.dot, a, b),
        aa: step_dot_u8(sum.aa, a, a),
        bb: step_dot_u8(sum.bb, b, b),
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn total_cosine(sums: [Cosine; 2]) -> CosineSums {
    let [x, y] = sums;
    CosineSums {
        dot: total_u32([x.dot, y.dot]),
        aa: total_u32([x.aa, y.aa]),
        bb: total_u32([x.bb, y.bb]),
    }
}

sums! {
    fn dot_u8_part -> u64,
    features: "neon",
    accumulators: [uint32x4_t; 2] = vdupq_n_u32(0),
    vector: 16 bytes by load_u8 or load_u8_part,
    step: step_dot_u8,
    finish: total_u32,
}
sums! {
    fn l2_u8_part -> u64,
    features: "neon",
    accumulators: [uint32x4_t; 2] = vdupq_n_u32(0),
    vector: 16 bytes by load_u8 or load_u8_part,
    step: step_l2_u8,
    finish: total_u32,
}
sums! {
    fn l1_u8_part -> u64,
    features: "neon",
    accumulators: [uint32x4_t; 2] = vdupq_n_u32(0),
    vector: 16 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_u32,
}
sums! {
    fn cosine_u8_part -> CosineSums,
    features: "neon",
    accumulators: [Cosine; 2] = Cosine {
        dot: vdupq_n_u32(0),
        aa: vdupq_n_u32(0),
        bb: vdupq_n_u32(0),
    },
    vector: 16 bytes by load_u8 or load_u8_part,
    step: step_cosine,
    finish: total_cosine,
}

wide_sums!(fn dot_u8, features: "neon", part: dot_u8_part, score: similarity);
wide_sums!(fn l2_u8, features: "neon", part: l2_u8_part, score: distance);
wide_sums!(fn l1_u8, features: "neon", part: l1_u8_part, score: distance);
wide_sums!(fn cosine_u8, features: "neon", part: cosine_u8_part, score: cosine);

#[inline]
#[target_feature(enable = "neon")]
fn total_sad(sums: [uint32x4_t; 2]) -> u32 {
    vaddvq_u32(vaddq_u32(sums[0], sums[1]))
}

sums! {
    fn sad_codes -> u32,
    features: "neon",
    accumulators: [uint32x4_t; 2] = vdupq_n_u32(0),
    vector: 16 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_sad,
}
