//! Plain Rust, the oracle of the other instruction sets.

use super::{Bits, Entry, Finish, PADDING, Picked, entries, factors};

entries!();

fn dot<const BITS: u32>(query: &[i8], rows: [&[u8]; 1]) -> [i32; 1] {
    sums::<BITS, 1>(query, rows)
}

fn dot4<const BITS: u32>(query: &[i8], rows: [&[u8]; 4]) -> [i32; 4] {
    sums::<BITS, 4>(query, rows)
}

fn sums<const BITS: u32, const R: usize>(query: &[i8], rows: [&[u8]; R]) -> [i32; R] {
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
