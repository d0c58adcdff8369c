//! Plain Rust, the oracle of the other instruction sets.

use super::{Bits, Entry, PADDING};

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
        Bits::Four => Entry {
            one: dot::<4, 1>,
            four: dot::<4, 4>,
        },
        Bits::Eight => Entry {
            one: dot::<8, 1>,
            four: dot::<8, 4>,
        },
    }
}

fn dot<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
    let mask = u8::MAX >> (8 - BITS);
    let parts = 8 / BITS as usize;
    rows.map(|row| {
        let lines = row.chunks_exact(PADDING).zip(query.chunks_exact(PADDING * parts));
        lines.fold(0i32, |sum, (line, query)| {
            let parts = (0..8u32).step_by(BITS as usize).zip(query.chunks_exact(PADDING));
            parts.fold(sum, |sum, (shift, query)| {
                line.iter().zip(query).fold(sum, |sum, (&codes, &query)| {
                    sum.wrapping_add(i32::from(codes >> shift & mask) * i32::from(query))
                })
            })
        })
    })
}
