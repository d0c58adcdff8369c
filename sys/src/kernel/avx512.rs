//! Kernels for x86-64 with AVX-512 F, BW, VL, DQ and VNNI (Ice Lake, Zen 4 and later).
//!
//! CPUs with AVX-512 but without VNNI use AVX2: they also lower their clock for 512-bit registers.
//! So do half-precision rows: a Zen 4 widens them to 512 bits at two thirds of the speed of 256.

use super::drive::{CosineSums, Pairing, cosine, distance, pairing, similarity, sums, wide_sums};
use super::{Metric, sad};
use crate::element::Element;
use std::arch::x86_64::*;

/// Whether this CPU has what this file is compiled for.
pub(super) fn is_present() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
}

/// The kernel for a pair; to be called only where [`is_present`].
pub(super) fn pairing_of(metric: Metric, element: Element) -> Option<Pairing> {
    Some(match (metric, element) {
        (Metric::Dot, Element::F32) => pairing!(dot_f32, 4, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::L2, Element::F32) => pairing!(l2_f32, 4, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::L1, Element::F32) => pairing!(l1_f32, 4, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::Dot, Element::U8) => pairing!(dot_u8, 4, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::L2, Element::U8) => pairing!(l2_u8, 2, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::L1, Element::U8) => pairing!(l1_u8, 4, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni"),
        (Metric::CosineU8, Element::U8) => {
            pairing!(cosine_u8, 1, "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
        }
        (_, Element::F16) | (Metric::CosineU8, Element::F32) => return None,
    })
}

/// Sums of absolute differences; to be called only where [`is_present`].
pub(super) const SAD: sad::Entry = sad::Entry {
    one: sad_codes::<1>,
    four: sad_codes::<4>,
};

#[inline]
#[target_feature(enable = "avx512f")]
fn load_f32(bytes: &[u8; 64]) -> __m512 {
    // SAFETY: the reference covers the 64 bytes that are loaded; the load needs no alignment.
    unsafe { _mm512_loadu_ps(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_f32_part(bytes: &[u8]) -> __m512 {
    _mm512_castsi512_ps(load_u8_part(bytes))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_u8(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are loaded; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Up to 64 bytes, the rest zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_u8_part(bytes: &[u8]) -> __m512i {
    let len = bytes.len().min(64);
    let mask = !(u64::MAX.checked_shl(len as u32).unwrap_or(0));
    // SAFETY: the mask selects the first `len` bytes, which `bytes` has; a masked load does not
    // touch memory behind a bit that is not set, and needs no alignment.
    unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn step_dot(sum: __m512, a: __m512, b: __m512) -> __m512 {
    _mm512_fmadd_ps(a, b, sum)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn step_l2(sum: __m512, a: __m512, b: __m512) -> __m512 {
    let d = _mm512_sub_ps(a, b);
    _mm512_fmadd_ps(d, d, sum)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn step_l1(sum: __m512, a: __m512, b: __m512) -> __m512 {
    _mm512_add_ps(sum, _mm512_abs_ps(_mm512_sub_ps(a, b)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn total(sums: [__m512; 4]) -> f32 {
    let [a, b, c, d] = sums;
    _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn minus_total(sums: [__m512; 4]) -> f32 {
    -total(sums)
}

sums! {
    fn dot_f32 -> f32,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512; 4] = _mm512_setzero_ps(),
    vector: 64 bytes by load_f32 or load_f32_part,
    step: step_dot,
    finish: total,
}
sums! {
    fn l2_f32 -> f32,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512; 4] = _mm512_setzero_ps(),
    vector: 64 bytes by load_f32 or load_f32_part,
    step: step_l2,
    finish: minus_total,
}
sums! {
    fn l1_f32 -> f32,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512; 4] = _mm512_setzero_ps(),
    vector: 64 bytes by load_f32 or load_f32_part,
    step: step_l1,
    finish: minus_total,
}

/// Sums of lanes of 32 bits, with or without a sign.
#[inline]
#[target_feature(enable = "avx512f")]
fn total_32(sums: [__m512i; 2]) -> i32 {
    _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
}

/// Sums of lanes of 32 bits whose total is known to fit and not to be negative.
#[inline]
#[target_feature(enable = "avx512f")]
fn total_u32(sums: [__m512i; 2]) -> u64 {
    u64::from(total_32(sums) as u32)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn total_u64(sums: [__m512i; 2]) -> u64 {
    _mm512_reduce_add_epi64(_mm512_add_epi64(sums[0], sums[1])) as u64
}

/// `a` times `b - 128`: the instruction multiplies unsigned by signed bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn step_dot_u8(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_dpbusd_epi32(sum, a, _mm512_xor_si512(b, _mm512_set1_epi8(-128)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn step_l2_u8(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    let d = _mm512_or_si512(_mm512_subs_epu8(a, b), _mm512_subs_epu8(b, a));
    let (low, high) = widen_u8(d);
    _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, low, low), high, high)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn step_l1_u8(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi64(sum, _mm512_sad_epu8(a, b))
}

/// The bytes as 16-bit numbers, in an order of their own.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn widen_u8(bytes: __m512i) -> (__m512i, __m512i) {
    let zero = _mm512_setzero_si512();
    (
        _mm512_unpacklo_epi8(bytes, zero),
        _mm512_unpackhi_epi8(bytes, zero),
    )
}

/// Accumulators of `a * b`, `a * a` and `b * b`.
#[derive(Clone, Copy)]
struct Cosine {
    dot: __m512i,
    aa: __m512i,
    bb: __m512i,
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn step_cosine(sum: Cosine, a: __m512i, b: __m512i) -> Cosine {
    let ((a0, a1), (b0, b1)) = (widen_u8(a), widen_u8(b));
    Cosine {
        dot: _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum.dot, a0, b0), a1, b1),
        aa: _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum.aa, a0, a0), a1, a1),
        bb: _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum.bb, b0, b0), b1, b1),
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn total_cosine(sums: [Cosine; 2]) -> CosineSums {
    let [x, y] = sums;
    CosineSums {
        dot: total_u32([x.dot, y.dot]),
        aa: total_u32([x.aa, y.aa]),
        bb: total_u32([x.bb, y.bb]),
    }
}

sums! {
    fn shifted_dot_u8 -> i32,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512i; 2] = _mm512_setzero_si512(),
    vector: 64 bytes by load_u8 or load_u8_part,
    step: step_dot_u8,
    finish: total_32,
}
sums! {
    fn l2_u8_part -> u64,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512i; 2] = _mm512_setzero_si512(),
    vector: 64 bytes by load_u8 or load_u8_part,
    step: step_l2_u8,
    finish: total_u32,
}
sums! {
    fn l1_u8_part -> u64,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512i; 2] = _mm512_setzero_si512(),
    vector: 64 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_u64,
}
sums! {
    fn cosine_u8_part -> CosineSums,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [Cosine; 2] = Cosine {
        dot: _mm512_setzero_si512(),
        aa: _mm512_setzero_si512(),
        bb: _mm512_setzero_si512(),
    },
    vector: 64 bytes by load_u8 or load_u8_part,
    step: step_cosine,
    finish: total_cosine,
}

/// The sum of bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn sum_of_bytes(bytes: &[u8]) -> i64 {
    let zero = _mm512_setzero_si512();
    let (vectors, rest) = bytes.as_chunks::<64>();
    let mut sum = _mm512_sad_epu8(load_u8_part(rest), zero);
    for vector in vectors {
        sum = _mm512_add_epi64(sum, _mm512_sad_epu8(load_u8(vector), zero));
    }
    _mm512_reduce_add_epi64(sum)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn dot_u8_part<const R: usize>(one: &[u8], many: [&[u8]; R]) -> [u64; R] {
    let shift = 128 * sum_of_bytes(one);
    // Never negative: adding the shift makes it the sum of products of unsigned bytes.
    shifted_dot_u8(one, many).map(|sum| (i64::from(sum) + shift) as u64)
}

wide_sums!(fn dot_u8, features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", part: dot_u8_part, score: similarity);
wide_sums!(fn l2_u8, features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", part: l2_u8_part, score: distance);
wide_sums!(fn l1_u8, features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", part: l1_u8_part, score: distance);
wide_sums!(fn cosine_u8, features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni", part: cosine_u8_part, score: cosine);

#[inline]
#[target_feature(enable = "avx512f")]
fn total_sad(sums: [__m512i; 2]) -> u32 {
    total_u64(sums) as u32
}

sums! {
    fn sad_codes -> u32,
    features: "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni",
    accumulators: [__m512i; 2] = _mm512_setzero_si512(),
    vector: 64 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_sad,
}
