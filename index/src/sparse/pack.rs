//! Ascending rows in few bits: distances from row to row, all of a block in as many bits as the widest takes.
//! [`GapsKernel`](vdb_sys::kernel::gaps::GapsKernel) makes rows of them again.

/// Postings of a block: enough to decode at a stretch, few enough for their greatest value to say something.
pub(super) use vdb_sys::kernel::gaps::BLOCK;

/// Bits of the widest of these numbers.
pub(super) fn width(numbers: &[u32]) -> u32 {
    u32::BITS - numbers.iter().fold(0, |all, number| all | number).leading_zeros()
}

/// Words that `count` numbers of `width` bits take.
pub(super) fn words(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(32)
}

/// Appends numbers of at most `width` bits, back to back, from the lowest bit up.
pub(super) fn pack(numbers: &[u32], width: u32, out: &mut Vec<u32>) {
    let (mut pending, mut filled) = (0u64, 0);
    for &number in numbers {
        pending |= u64::from(number) << filled;
        filled += width;
        if filled >= 32 {
            out.push(pending as u32);
            pending >>= 32;
            filled -= 32;
        }
    }
    if filled > 0 {
        out.push(pending as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vdb_sys::kernel::gaps::GapsKernel;

    proptest! {
        #[test]
        fn rows_come_back_from_distances_of_every_width(
            bits in 0u32..=32, mut distances in prop::collection::vec(any::<u32>(), 1..=BLOCK), before in any::<u32>(),
        ) {
            let mask = ((1u64 << bits) - 1) as u32;
            distances.iter_mut().for_each(|distance| *distance &= mask);
            let found = width(&distances);
            prop_assert!(found <= bits);
            let mut packed = vec![7];
            pack(&distances, bits, &mut packed);
            prop_assert_eq!(packed.len() - 1, words(distances.len(), bits));
            let mut rows = [9; BLOCK];
            prop_assert!(GapsKernel::new().numbers(&packed[1..], bits, before, &mut rows));
            let mut row = before;
            for (found, distance) in rows.iter().zip(distances) {
                row = row.wrapping_add(distance).wrapping_add(1);
                prop_assert_eq!(*found, row);
            }
        }
    }
}
