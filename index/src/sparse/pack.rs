//! Ascending rows in few bits: distances from row to row, all of a block in as many bits as the widest takes.

/// Postings of a block: enough to decode at a stretch, few enough for their greatest value to say something.
pub(super) const BLOCK: usize = 128;

/// Words of the widest block, and one that the last number may seem to reach into.
const PADDED: usize = BLOCK + 1;

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

/// Numbers of `width` bits out of the words that [`pack`] made; those behind the last are zeros. `false`, and nothing done,
/// where no block is so wide or so long.
pub(super) fn unpack(words: &[u32], width: u32, out: &mut [u32; BLOCK]) -> bool {
    // Copied, so that the loops below have no ends to watch.
    let mut padded = [0; PADDED];
    let Some(copy) = padded.get_mut(..words.len()) else {
        return false;
    };
    copy.copy_from_slice(words);
    macro_rules! by_width {
        ($($bits:literal)*) => {
            match width {
                $($bits => unpack_bits::<$bits>(&padded, out),)*
                _ => return false,
            }
        };
    }
    by_width!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    true
}

/// One loop a width: all positions are known to the compiler.
fn unpack_bits<const WIDTH: usize>(words: &[u32; PADDED], out: &mut [u32; BLOCK]) {
    let mask = (1u64 << WIDTH) - 1;
    for (at, number) in out.iter_mut().enumerate() {
        let bit = at * WIDTH;
        let pair = u64::from(words[bit / 32]) | u64::from(words[bit / 32 + 1]) << 32;
        *number = (pair >> (bit % 32) & mask) as u32;
    }
}

/// Turns distances into rows: each is the row before, here `before` for the first, plus one, plus the distance.
pub(super) fn rows(distances: &mut [u32], before: u32) {
    let mut row = before;
    for distance in distances {
        row = row.wrapping_add(*distance).wrapping_add(1);
        *distance = row;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_of_every_width_come_back(
            bits in 0u32..=32, mut numbers in prop::collection::vec(any::<u32>(), 1..=BLOCK),
        ) {
            let mask = ((1u64 << bits) - 1) as u32;
            numbers.iter_mut().for_each(|number| *number &= mask);
            let found = width(&numbers);
            prop_assert!(found <= bits);
            let mut packed = vec![7];
            pack(&numbers, bits, &mut packed);
            prop_assert_eq!(packed.len() - 1, words(numbers.len(), bits));
            let mut out = [9; BLOCK];
            prop_assert!(unpack(&packed[1..], bits, &mut out));
            let (given, rest) = out.split_at(numbers.len());
            prop_assert_eq!(given, &numbers[..]);
            prop_assert!(rest.iter().all(|&number| number == 0));
        }

        #[test]
        fn no_words_panic(words in prop::collection::vec(any::<u32>(), 0..140), width in 0u32..40) {
            let fits = words.len() <= PADDED && width <= 32;
            prop_assert_eq!(unpack(&words, width, &mut [0; BLOCK]), fits);
        }
    }

    #[test]
    fn distances_start_before_row_zero() {
        let mut distances = [0, 0, 2];
        rows(&mut distances, u32::MAX);
        assert_eq!(distances, [0, 1, 4]);
        let mut distances = [3, u32::MAX - 9];
        rows(&mut distances, 4);
        assert_eq!(distances, [8, u32::MAX]);
    }
}
