//! Kernels for x86-64 with AVX2, FMA and F16C (Haswell, Zen 1 and later).

use super::drive::{CosineSums, Pairing, Scratch, cosine, distance, pairing, similarity, sums, wide_sums};
use super::{Metric, sad};
use crate::element::Element;
use std::arch::x86_64::*;
use std::cell::Cell;

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
        (Metric::Dot, Element::F16) => {
            pairing!(dot_f16, 2, "avx2,fma,f16c", widened by widen_f16 for dot_wide_f16)
        }
        (Metric::L2, Element::F16) => {
            pairing!(l2_f16, 2, "avx2,fma,f16c", widened by widen_f16 for l2_wide_f16)
        }
        (Metric::L1, Element::F16) => {
            pairing!(l1_f16, 2, "avx2,fma,f16c", widened by widen_f16 for l1_wide_f16)
        }
        (Metric::Dot, Element::U8) => {
            pairing!(dot_u8, 2, "avx2,fma,f16c", widened by widen_u8 for dot_wide_u8)
        }
        (Metric::L2, Element::U8) => pairing!(l2_u8, 2, "avx2,fma,f16c", widened by widen_u8 for l2_wide_u8),
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

/// `a - b`, the same bits, by the units that multiply: on AMD's CPUs those that add are busy with the conversion of half
/// precision. A fifth of the time of a row on a Zen 3.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn difference(a: __m256, b: __m256) -> __m256 {
    let mut one = _mm256_set1_ps(1.0);
    // SAFETY: no instruction at all. The compiler only forgets the value, from which it would make a subtraction again.
    unsafe {
        std::arch::asm!("/* {0} */", inout(ymm_reg) one, options(pure, nomem, nostack, preserves_flags));
    }
    _mm256_fmsub_ps(a, one, b)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn step_l2_f16(sum: __m256, a: __m256, b: __m256) -> __m256 {
    let d = difference(a, b);
    _mm256_fmadd_ps(d, d, sum)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn step_l1_f16(sum: __m256, a: __m256, b: __m256) -> __m256 {
    let sign = _mm256_set1_ps(-0.0);
    _mm256_add_ps(sum, _mm256_andnot_ps(sign, difference(a, b)))
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

thread_local! {
    static FLOATS: Cell<Vec<__m256>> = const { Cell::new(Vec::new()) };
    static BYTES: Cell<Vec<Wide>> = const { Cell::new(Vec::new()) };
}

impl Scratch for Vec<__m256> {
    fn take() -> Self {
        FLOATS.take()
    }
    fn keep(self) {
        FLOATS.set(self);
    }
}

impl Scratch for Vec<Wide> {
    fn take() -> Self {
        BYTES.take()
    }
    fn keep(self) {
        BYTES.set(self);
    }
}

/// The row in single precision.
#[target_feature(enable = "avx2,f16c")]
fn widen_f16<'a>(row: &[u8], out: &'a mut Vec<__m256>) -> &'a [__m256] {
    let (vectors, last) = row.as_chunks::<16>();
    out.resize(row.len().div_ceil(16), _mm256_setzero_ps());
    for (wide, vector) in out.iter_mut().zip(vectors) {
        *wide = load_f16(vector);
    }
    if let (Some(wide), false) = (out.last_mut(), last.is_empty()) {
        *wide = load_f16_part(last);
    }
    out
}

/// Defines the kernels of one metric over both float types, the second also from a widened row.
macro_rules! float_kernels {
    ($f32:ident by $step:ident, $f16:ident and $wide_f16:ident by $step_f16:ident, $finish:ident) => {
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
            step: $step_f16,
            finish: $finish,
        }
        sums! {
            fn $wide_f16 -> f32,
            features: "avx2,fma,f16c",
            accumulators: [__m256; 4] = _mm256_setzero_ps(),
            one: __m256,
            vector: 16 bytes by load_f16 or load_f16_part,
            step: $step_f16,
            finish: $finish,
        }
    };
}

float_kernels!(dot_f32 by step_dot, dot_f16 and dot_wide_f16 by step_dot, total);
float_kernels!(l2_f32 by step_l2, l2_f16 and l2_wide_f16 by step_l2_f16, minus_total);
float_kernels!(l1_f32 by step_l1, l1_f16 and l1_wide_f16 by step_l1_f16, minus_total);

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

/// Bytes as 16-bit numbers: those at even places and those at odd ones, because that takes no shuffle.
type Wide = (__m256i, __m256i);

#[inline]
#[target_feature(enable = "avx2")]
fn widen(bytes: __m256i) -> Wide {
    let low = _mm256_set1_epi16(0xff);
    (_mm256_and_si256(bytes, low), _mm256_srli_epi16::<8>(bytes))
}

/// The row in 16 bits.
#[target_feature(enable = "avx2")]
fn widen_u8<'a>(row: &[u8], out: &'a mut Vec<Wide>) -> &'a [Wide] {
    let (vectors, last) = row.as_chunks::<32>();
    out.resize(
        row.len().div_ceil(32),
        (_mm256_setzero_si256(), _mm256_setzero_si256()),
    );
    for (wide, vector) in out.iter_mut().zip(vectors) {
        *wide = widen(load_u8(vector));
    }
    if let (Some(wide), false) = (out.last_mut(), last.is_empty()) {
        *wide = widen(load_u8_part(last));
    }
    out
}

/// `sum` plus the products of two pairs of 16-bit vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products(sum: __m256i, a: Wide, b: Wide) -> __m256i {
    let low = _mm256_madd_epi16(a.0, b.0);
    let high = _mm256_madd_epi16(a.1, b.1);
    _mm256_add_epi32(sum, _mm256_add_epi32(low, high))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_dot_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    add_products(sum, widen(a), widen(b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_l2_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    let d = widen(_mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a)));
    add_products(sum, d, d)
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_l1_u8(sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi64(sum, _mm256_sad_epu8(a, b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_dot_wide(sum: __m256i, a: Wide, b: __m256i) -> __m256i {
    add_products(sum, a, widen(b))
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_l2_wide(sum: __m256i, a: Wide, b: __m256i) -> __m256i {
    let b = widen(b);
    let d = (_mm256_sub_epi16(a.0, b.0), _mm256_sub_epi16(a.1, b.1));
    add_products(sum, d, d)
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
    let (a, b) = (widen(a), widen(b));
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
    fn dot_wide_u8_part -> u64,
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    one: Wide,
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_dot_wide,
    finish: total_u32,
}
sums! {
    fn l2_wide_u8_part -> u64,
    features: "avx2,fma,f16c",
    accumulators: [__m256i; 2] = _mm256_setzero_si256(),
    one: Wide,
    vector: 32 bytes by load_u8 or load_u8_part,
    step: step_l2_wide,
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

wide_sums!(fn dot_wide_u8, features: "avx2,fma,f16c", one: Wide of 32 bytes, part: dot_wide_u8_part, score: similarity);
wide_sums!(fn l2_wide_u8, features: "avx2,fma,f16c", one: Wide of 32 bytes, part: l2_wide_u8_part, score: distance);
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
