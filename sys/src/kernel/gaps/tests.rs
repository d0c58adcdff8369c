use proptest::prelude::*;

use super::{BLOCK, GapsKernel, Isa};

/// Bit by bit, as the format says.
fn plain(words: &[u32], width: u32, before: u32) -> Vec<u32> {
    let bit = |at: u32| {
        let word = words.get((at / 32) as usize).copied().unwrap_or_default();
        word >> (at % 32) & 1
    };
    let mut number = before;
    let gaps = (0..BLOCK as u32).map(|gap| (0..width).fold(0, |sum, at| sum | bit(gap * width + at) << at));
    gaps.map(|gap| {
        number = number.wrapping_add(gap).wrapping_add(1);
        number
    })
    .collect()
}

proptest! {
    #[test]
    fn every_isa_makes_the_same_numbers_of_any_words(
        words in prop::collection::vec(any::<u32>(), 0..180), width in 0_u32..40, before in any::<u32>(),
    ) {
        for kernel in Isa::ALL.into_iter().filter_map(GapsKernel::with_isa) {
            let mut numbers = [7; BLOCK];
            let is_done = kernel.numbers(&words, width, before, &mut numbers);
            prop_assert_eq!(is_done, width <= 32, "{:?}", kernel);
            let expected = if is_done { plain(&words, width, before) } else { vec![7; BLOCK] };
            prop_assert_eq!(&numbers[..], &expected[..], "{:?}", kernel);
        }
    }
}

#[test]
fn numbers_start_behind_the_one_before() {
    let mut numbers = [0; BLOCK];
    assert!(GapsKernel::new().numbers(&[0b10_00_00], 2, u32::MAX, &mut numbers));
    assert_eq!(numbers[..4], [0, 1, 4, 5]);
}
