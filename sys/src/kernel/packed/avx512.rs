//! x86-64 with AVX-512 and VNNI: see [`avx512`](crate::kernel::avx512) for which CPUs.

use super::{Bits, Entry, Finish, Picked, entries, factors};
use std::arch::x86_64::*;

entries!("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni");

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers the 64 bytes that are loaded; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// The codes `part` of a line, a byte each.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn part<const BITS: u32>(line: __m512i, part: usize) -> __m512i {
    // Shifts are of 16 bits: what comes over from the byte above is masked away.
    let shifted = match part * BITS as usize {
        0 => line,
        1 => _mm512_srli_epi16::<1>(line),
        2 => _mm512_srli_epi16::<2>(line),
        3 => _mm512_srli_epi16::<3>(line),
        4 => _mm512_srli_epi16::<4>(line),
        5 => _mm512_srli_epi16::<5>(line),
        6 => _mm512_srli_epi16::<6>(line),
        _ => _mm512_srli_epi16::<7>(line),
    };
    if BITS == 8 {
        line
    } else {
        _mm512_and_si512(shifted, _mm512_set1_epi8((1i8 << (BITS & 7)) - 1))
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn sums<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [__m512i; R] {
    let mut sums = [_mm512_setzero_si512(); R];
    let parts = 8 / BITS as usize;
    let (query, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<64>();
    let lines = query.len() / parts;
    let mut row_lines: [&[[u8; 64]]; R] = [&[]; R];
    for r in 0..R {
        row_lines[r] = &rows[r].as_chunks::<64>().0[..lines];
    }
    for at in 0..lines {
        let query = &query[at * parts..][..parts];
        for r in 0..R {
            let line = load(&row_lines[r][at]);
            for (k, query) in query.iter().enumerate() {
                sums[r] = _mm512_dpbusd_epi32(sums[r], part::<BITS>(line, k), load(query));
            }
        }
    }
    sums
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn dot<const BITS: u32>(query: &[i8], rows: [&[u8]; 1]) -> [i32; 1] {
    let [sum] = sums::<BITS, 1>(query, rows);
    [_mm512_reduce_add_epi32(sum)]
}

/// The sums of lanes `i`, `i + 4`, `i + 8` and `i + 12`.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarter(sum: __m512i) -> __m128i {
    let half = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum));
    _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half))
}

/// Four rows: their sums are added up together.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
fn dot4<const BITS: u32>(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    let [a, b, c, d] = sums::<BITS, 4>(query, rows);
    let ab = _mm_hadd_epi32(quarter(a), quarter(b));
    let cd = _mm_hadd_epi32(quarter(c), quarter(d));
    bytemuck::cast(_mm_hadd_epi32(ab, cd))
}
