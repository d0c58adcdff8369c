//! x86-64 with AVX2: see [`avx2`](crate::kernel::avx2) for which CPUs.

use super::{Bits, Entry};
use std::arch::x86_64::*;

/// The kernels of a width below 8 bits; to be called only where the instructions are present.
pub(super) fn entry(bits: Bits) -> Entry {
    match bits {
        Bits::One => Entry {
            one: dot::<1, 1>,
            four: dot::<1, 4>,
        },
        Bits::Two => Entry {
            one: dot::<2, 1>,
            four: dot::<2, 4>,
        },
        // Eight bits have a kernel of their own: their products would not fit 16 bits.
        Bits::Four | Bits::Eight => Entry {
            one: dot::<4, 1>,
            four: dot::<4, 4>,
        },
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are loaded; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// The codes `part` of half a line, a byte each.
#[inline]
#[target_feature(enable = "avx2")]
fn part<const BITS: u32>(line: __m256i, part: usize) -> __m256i {
    // Shifts are of 16 bits: what comes over from the byte above is masked away.
    let shifted = match part * BITS as usize {
        0 => line,
        1 => _mm256_srli_epi16::<1>(line),
        2 => _mm256_srli_epi16::<2>(line),
        3 => _mm256_srli_epi16::<3>(line),
        4 => _mm256_srli_epi16::<4>(line),
        5 => _mm256_srli_epi16::<5>(line),
        6 => _mm256_srli_epi16::<6>(line),
        _ => _mm256_srli_epi16::<7>(line),
    };
    _mm256_and_si256(shifted, _mm256_set1_epi8((1i8 << BITS) - 1))
}

#[inline]
#[target_feature(enable = "avx2")]
fn total(sum: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    _mm_cvtsi128_si32(_mm_add_epi32(
        quarter,
        _mm_shuffle_epi32::<0b10_11_00_01>(quarter),
    ))
}

#[target_feature(enable = "avx2,fma,f16c")]
fn dot<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
    let mut sums = [_mm256_setzero_si256(); R];
    let parts = 8 / BITS as usize;
    let (query, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<64>();
    let rows = rows.map(|row| &row.as_chunks::<64>().0[..query.len() / parts]);
    let ones = _mm256_set1_epi16(1);
    for (at, query) in query.chunks_exact(parts).enumerate() {
        for r in 0..R {
            let (halves, _) = rows[r][at].as_chunks::<32>();
            for h in 0..2 {
                let line = load(&halves[h]);
                for (k, query) in query.iter().enumerate() {
                    let (query, _) = query.as_chunks::<32>();
                    // At most 2 * 15 * 128: no saturation.
                    let products = _mm256_maddubs_epi16(part::<BITS>(line, k), load(&query[h]));
                    sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(products, ones));
                }
            }
        }
    }
    sums.map(|sum| total(sum))
}
