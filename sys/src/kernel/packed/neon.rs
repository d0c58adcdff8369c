//! 64-bit ARM with NEON.

use super::{Bits, Entry, Finish, Picked, entries, factors};
use std::arch::aarch64::*;

entries!("neon");

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the reference covers the 16 bytes that are loaded; the load needs no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// The sums of products of both bytes as signed, a vector of 16 codes at a time.
#[inline]
#[target_feature(enable = "neon")]
fn add_products(sum: int32x4_t, query: int8x16_t, codes: int8x16_t) -> int32x4_t {
    let sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(query), vget_low_s8(codes)));
    vpadalq_s16(sum, vmull_high_s8(query, codes))
}

#[inline]
#[target_feature(enable = "neon")]
fn sums<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
    if BITS == 8 {
        return bytes(query, rows);
    }
    let mut sums = [vdupq_n_s32(0); R];
    let parts = 8 / BITS as usize;
    let mask = vdupq_n_u8(u8::MAX >> (8 - BITS));
    let (query, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<64>();
    let rows = rows.map(|row| &row.as_chunks::<64>().0[..query.len() / parts]);
    for (at, query) in query.chunks_exact(parts).enumerate() {
        for r in 0..R {
            let (quarters, _) = rows[r][at].as_chunks::<16>();
            for h in 0..4 {
                let line = load(&quarters[h]);
                for (k, query) in query.iter().enumerate() {
                    let (query, _) = query.as_chunks::<16>();
                    let query = vreinterpretq_s8_u8(load(&query[h]));
                    // A shift by a negative number goes to the right.
                    let shift = vdupq_n_s8(-((k as u32 * BITS) as i8));
                    let codes = vreinterpretq_s8_u8(vandq_u8(vshlq_u8(line, shift), mask));
                    sums[r] = add_products(sums[r], query, codes);
                }
            }
        }
    }
    sums.map(|sum| vaddvq_s32(sum))
}

/// [`sums`] of codes of 8 bits: as signed bytes they are 128 less, which the sum of the query makes up for.
#[inline]
#[target_feature(enable = "neon")]
fn bytes<const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
    let shift = query
        .iter()
        .fold(0i32, |sum, &code| sum.wrapping_add(i32::from(code)))
        .wrapping_mul(128);
    let mut sums = [vdupq_n_s32(0); R];
    let (queries, _) = bytemuck::cast_slice::<i8, u8>(query).as_chunks::<16>();
    let rows = rows.map(|row| &row.as_chunks::<16>().0[..queries.len()]);
    for (at, query) in queries.iter().enumerate() {
        let query = vreinterpretq_s8_u8(load(query));
        for r in 0..R {
            let codes = vreinterpretq_s8_u8(veorq_u8(load(&rows[r][at]), vdupq_n_u8(128)));
            sums[r] = add_products(sums[r], query, codes);
        }
    }
    sums.map(|sum| vaddvq_s32(sum).wrapping_add(shift))
}

#[inline]
#[target_feature(enable = "neon")]
fn dot<const BITS: u32>(query: &[i8], rows: [&[u8]; 1]) -> [i32; 1] {
    sums::<BITS, 1>(query, rows)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot4<const BITS: u32>(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    sums::<BITS, 4>(query, rows)
}
