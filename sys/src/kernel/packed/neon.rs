//! 64-bit ARM with NEON.

use super::{Bits, Entry};
use std::arch::aarch64::*;

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
        // Eight bits have a kernel of their own: as signed bytes they would need a shift.
        Bits::Four | Bits::Eight => Entry {
            one: dot::<4, 1>,
            four: dot::<4, 4>,
        },
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; 16]) -> uint8x16_t {
    // SAFETY: the reference covers the 16 bytes that are loaded; the load needs no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn dot<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
    let mut sums = [vdupq_n_s32(0); R];
    let parts = 8 / BITS as usize;
    let mask = vdupq_n_u8((1 << BITS) - 1);
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
                    sums[r] = vpadalq_s16(sums[r], vmull_s8(vget_low_s8(query), vget_low_s8(codes)));
                    sums[r] = vpadalq_s16(sums[r], vmull_high_s8(query, codes));
                }
            }
        }
    }
    sums.map(|sum| vaddvq_s32(sum))
}
