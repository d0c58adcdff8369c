//! x86-64 with AVX2: see [`avx2`](crate::kernel::avx2) for which CPUs.

use super::{Bits, Entry, Finish, Picked, entries, factors};
use std::arch::x86_64::*;

entries!("avx2,fma,f16c");

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers the 32 bytes that are loaded; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Lines whose products are added up in lanes of 16 bits before they are widened.
const LINES: usize = 2;
/// `_mm256_maddubs_epi16` puts at most twice the largest code times 128 into a lane, and a line of 64 bytes does so twice
/// for each code of a byte: most with codes of 4 bits.
const _: () = assert!(LINES * 2 * 2 * (2 * 15 * 128) <= i16::MAX as usize);

/// Adds to the lanes of 32 bits of `sums` what each row gives, `N` lines at a time; lines that are left are left out.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn add<const BITS: i32, const R: usize, const N: usize>(
    mut sums: [__m256i; R],
    query: &[[u8; 64]],
    rows: [&[[u8; 64]]; R],
) -> [__m256i; R] {
    const { assert!(N <= LINES) };
    let parts = 8 / BITS as usize;
    let (mask, ones) = (
        _mm256_set1_epi8((u8::MAX >> (8 - BITS)) as i8),
        _mm256_set1_epi16(1),
    );
    let queries = query.chunks_exact(N * parts);
    let mut blocks: [&[[[u8; 64]; N]]; R] = [&[]; R];
    for r in 0..R {
        blocks[r] = &rows[r].as_chunks::<N>().0[..queries.len()];
    }
    for (at, query) in queries.enumerate() {
        let mut small = [_mm256_setzero_si256(); R];
        for line in 0..N {
            for half in 0..2 {
                let mut codes = [_mm256_setzero_si256(); R];
                for r in 0..R {
                    codes[r] = load(&blocks[r][at][line].as_chunks::<32>().0[half]);
                }
                for part in 0..parts {
                    let query = load(&query[line * parts + part].as_chunks::<32>().0[half]);
                    for r in 0..R {
                        let products = _mm256_maddubs_epi16(_mm256_and_si256(codes[r], mask), query);
                        small[r] = _mm256_add_epi16(small[r], products);
                        // Of 16 bits: what comes over from the byte above is masked away.
                        codes[r] = _mm256_srli_epi16::<BITS>(codes[r]);
                    }
                }
            }
        }
        for r in 0..R {
            sums[r] = _mm256_add_epi32(sums[r], _mm256_madd_epi16(small[r], ones));
        }
    }
    sums
}

/// [`add`] for codes of 8 bits, whose products fill 16 bits: bytes are widened first, those at even and those at odd
/// places apart, because that takes no shuffle.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn bytes<const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [__m256i; R] {
    let (queries, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<64>();
    let mut lines: [&[[u8; 64]]; R] = [&[]; R];
    for r in 0..R {
        lines[r] = &rows[r].as_chunks::<64>().0[..queries.len()];
    }
    let low = _mm256_set1_epi16(0xff);
    let mut sums = [_mm256_setzero_si256(); R];
    for (at, query) in queries.iter().enumerate() {
        for half in 0..2 {
            let query = load(&query.as_chunks::<32>().0[half]);
            let even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(query));
            let odd = _mm256_srai_epi16::<8>(query);
            for r in 0..R {
                let codes = load(&lines[r][at].as_chunks::<32>().0[half]);
                let products = _mm256_add_epi32(
                    _mm256_madd_epi16(_mm256_and_si256(codes, low), even),
                    _mm256_madd_epi16(_mm256_srli_epi16::<8>(codes), odd),
                );
                sums[r] = _mm256_add_epi32(sums[r], products);
            }
        }
    }
    sums
}

/// The sums of each row, in lanes of 32 bits.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn sums<const BITS: i32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [__m256i; R] {
    if BITS == 8 {
        return bytes(query, rows);
    }
    let parts = 8 / BITS as usize;
    let (query, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<64>();
    let lines = query.len() / parts;
    let whole = lines / LINES * LINES;
    let mut blocks: [&[[u8; 64]]; R] = [&[]; R];
    let mut last = blocks;
    for r in 0..R {
        (blocks[r], last[r]) = rows[r].as_chunks::<64>().0[..lines].split_at(whole);
    }
    let (blocks_query, last_query) = query.split_at(whole * parts);
    let sums = add::<BITS, R, LINES>([_mm256_setzero_si256(); R], blocks_query, blocks);
    add::<BITS, R, 1>(sums, last_query, last)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn dot<const BITS: i32>(query: &[i8], rows: [&[u8]; 1]) -> [i32; 1] {
    let [sum] = sums::<BITS, 1>(query, rows);
    let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let swapped = _mm_shuffle_epi32::<0b10_11_00_01>(quarter);
    [_mm_cvtsi128_si32(_mm_add_epi32(quarter, swapped))]
}

/// Four rows: their sums are added up together.
#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
fn dot4<const BITS: i32>(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    let [a, b, c, d] = sums::<BITS, 4>(query, rows);
    let four = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    bytemuck::cast(_mm_add_epi32(
        _mm256_castsi256_si128(four),
        _mm256_extracti128_si256::<1>(four),
    ))
}
