//! Kernels for x86-64 with AVX2, FMA and F16C (Haswell, Zen 1 and later).

use super::drive::{CosineSums, Pairing, cosine, distance, pairing, similarity, sums, wide_sums};
use super::{Metric, sad};
use crate::element::Element;
use std::arch::x86_64::*;

/// Whether this CPU has what this file is compiled for.
pub(super) fn is_present() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
}

/// The kernel for a pair; to be called only where [`is_present`].
pub(super) fn pairing_of(metric: Metric, element: Element) -> Option<Pairing> {
    // Two rows at a time at most: there are 16 registers.
    Some(match (metric, element) {
        (Metric::Dot, Element::F32) => pairing!(dot_f32, 2, "avx2,fma,f16c"),
        (Metric::L2, Element::F32) => pairing!(l2_f32, 2, "avx2,fma,f16c"),
        (Metric::L1, Element::F32) => pairing!(l1_f32, 2, "avx2,fma,f16c"),
        (Metric::Dot, Element::F16) => pairing!(dot_f16, 2, "avx2,fma,f16c"),
        (Metric::L2, Element::F16) => pairing!(l2_f16, 2, "avx2,fma,f16c"),
        (Metric::L1, Element::F16) => pairing!(l1_f16, 2, "avx2,fma,f16c"),
        (Metric::Dot, Element::U8) => pairing!(dot_u8, 2, "avx2,fma,f16c"),
        (Metric::L2, Element::U8) => pairing!(l2_u8, 2, "avx2,fma,f16c"),
        (Metric::L1, Element::U8) => pairing!(l1_u8, 2, "avx2,fma,f16c"),
        (Metric::CosineU8, Element::U8) => pairing!(cosine_u8, 1, "avx2,fma,f16c"),
        (Metric::CosineU8, Element::F32 | Element::F16) => return None,
    })
}

/// Sums of absolute differences; to be called only where [`is_present`].
pub(super) const SAD: sad::Entry = sad::Entry {
    one: sad_codes::<1>,
    four: sad_codes::<4>,
};

#[inline]
#[target_feature(enable = "avx2")]
fn load_u8(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are loaded; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Up to 32 bytes, the rest zeros.
#[inline]
#[target_feature(enable = "avx2")]
fn load_u8_part(bytes: &[u8]) -> __m256i {
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    load_u8(&padded)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_f32(bytes: &[u8; 32]) -> __m256 {
    _mm256_castsi256_ps(load_u8(bytes))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_f32_part(bytes: &[u8]) -> __m256 {
    _mm256_castsi256_ps(load_u8_part(bytes))
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_f16(bytes: &[u8; 16]) -> __m256 {
    // SAFETY: the reference covers the 16 bytes that are loaded; the load needs no alignment.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// Up to 16 bytes, the rest zeros.
#[inline]
#[target_feature(enable = "avx2,f16c")]
fn load_f16_part(bytes: &[u8]) -> __m256 {
    let mut padded = [0; 16];
    padded[..bytes.len()].copy_from_slice(bytes);
    load_f16(&padded)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn step_dot(sum: __m256, a: __m256, b: __m256) -> __m256 {
    _mm256_fmadd_ps(a, b, sum)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn step_l2(sum: __m256, a: __m256, b: __m256) -> __m256 {
    let d = _mm256_sub_ps(a, b);
    _mm256_fmadd_ps(d, d, sum)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn step_l1(sum: __m256, a: __m256, b: __m256) -> __m256 {
    let sign = _mm256_set1_ps(-0.0);
    _mm256_add_ps(sum, _mm256_andnot_ps(sign, _mm256_sub_ps(a, b)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn total(sums: [__m256; 4]) -> f32 {
    let [a, b, c, d] = sums;
    let sum = _mm256_add_ps(_mm256_add_ps(a, b), _mm256_add_ps(c, d));
    let sum = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn minus_total(sums: [__m256; 4]) -> f32 {
    -total(sums)
}

/// Defines the kernels of one metric over both float types.
macro_rules! float_kernels {
    ($f32:ident, $f16:ident, $step:ident, $finish:ident) => {
        sums! {
            fn $f32 -> f32,
            features: "avx2,fma,f16c",
            accumulators: [__m256; 4] = _mm256_setzero_ps(),
            vector: 32 bytes by load_f32 or load_f32_part,
            step: $step,
            finish: $finish,
        }
        sums! {
            fn $f16 -> f32,
            features: "avx2,fma,f16c",
            accumulators: [__m256; 4] = _mm256_setzero_ps(),
            vector: 16 bytes by load_f16 or load_f16_part,
            step: $step,
            finish: $finish,
        }
    };
}

float_kernels!(dot_f32, dot_f16, step_dot, total);
float_kernels!(l2_f32, l2_f16, step_l2, minus_total);
float_kernels!(l1_f32, l1_f16, step_l1, minus_total);

#[inline]
#[target_feature(enable = "avx2")]
fn total_u64(sums: [__m256i; 2]) -> u64 {
    let sum = _mm256_add_epi64(sums[0], sums[1]);
    let sum = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
    _mm_cvtsi128_si64(sum) as u64
}

/// Sums of lanes of 32 bits whose total is known to fit and not to be negative.
#[inline]
#[target_feature(enable = "avx2")]
fn total_u32(sums: [__m256i; 2]) -> u64 {
    let sum = _mm256_add_epi32(sums[0], sums[1]);
    let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
    let sum = _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32::<1>(sum)));
    u64::from(sum as u32)
}

/// The bytes as 16-bit numbers, in an order of their own.
#[inline]
#[target_feature(enable = "avx2")]
fn widen_u8(bytes: __m256i) -> (__m256i, __m256i) {
    let zero = _mm256_setzero_si256();
    (
        _mm256_unpacklo_epi8(bytes, zero),
        _mm256_unpackhi_epi8(bytes, zero),
    )
}

/// `sum` plus the products of two pairs of 16-bit vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(sum: __m256i, a: (__m256i, __m256i), b: (__m256i, __m256i)) -> __m256i {
    let low = _mm256_madd_epi16(a.0, b.0);
    let high = _mm256_madd_epi16(a.1, b.1);
    _mm256_add_epi32(sum, _mm256_add_epi32(low, high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_dot_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    add_products(sum, widen_u8(a), widen_u8(b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_l2_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    let d = widen_u8(_mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)));
    add_products(sum, d, d)
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_l1_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi64(sum, _mm256_sad_epu8(a, b))
}

/// Accumulators of `a * b`, `a * a` and `b * b`.
#[derive(Clone, Copy)]
struct Cosine {
    dot: __m256i,
    aa: __m256i,
    bb: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_cosine(sum: Cosine, a: __m256i, b: __m256i) -> Cosine {
    let (a, b) = (widen_u8(a), widen_u8(b));
    Cosine {
        dot: add_products(sum.dot, a, b),
        aa: add_products(sum.aa, a, a),
        bb: add_products(sum.bb, b, b),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
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
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_dot_u8,
    finish: total_u32,
}
sums! {
    fn l2_u8_part -> u64,
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_l2_u8,
    finish: total_u32,
}
sums! {
    fn l1_u8_part -> u64,
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_u64,
}
sums! {
    fn cosine_u8_part -> CosineSums,
    features: "avx2,fma,f16c",
    accumulators: [Cosine; 2] = Cosine {
        dot: _mm256_setzero_si256(),
        aa: _mm256_setzero_si256(),
        bb: _mm256_setzero_si256(),
    },
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_cosine,
    finish: total_cosine,
}

wide_sums!(fn dot_u8, features: "avx2,fma,f16c", part: dot_u8_part, score: similarity);
wide_sums!(fn l2_u8, features: "avx2,fma,f16c", part: l2_u8_part, score: distance);
wide_sums!(fn l1_u8, features: "avx2,fma,f16c", part: l1_u8_part, score: distance);
wide_sums!(fn cosine_u8, features: "avx2,fma,f16c", part: cosine_u8_part, score: cosine);

#[inline]
#[target_feature(enable = "avx2")]
fn total_sad(sums: [__m256i; 2]) -> u32 {
    total_u64(sums) as u32
}

sums! {
    fn sad_codes -> u32,
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_l1_u8,
    finish: total_sad,
}
