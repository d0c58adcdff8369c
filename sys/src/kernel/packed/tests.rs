use super::*;
use proptest::prelude::*;

/// The code `(k, j)` of every line, by the definition.
fn expected(bits: Bits, row: &[u8], query: &[i8]) -> i32 {
    let parts = bits.codes_a_byte();
    let mask = (1u32 << bits.get()) - 1;
    let mut sum = 0;
    for (at, &query) in query.iter().enumerate() {
        let (line, k, j) = (at / (64 * parts), at / 64 % parts, at % 64);
        let code = u32::from(row[line * 64 + j]) >> (k as u32 * bits.get()) & mask;
        sum += code as i32 * i32::from(query);
    }
    sum
}

proptest! {
    #[test]
    fn every_isa_sums_what_the_layout_says(
        which in 0usize..4,
        lines in 0usize..6,
        seed in proptest::collection::vec(any::<u8>(), 4 * 6 * 64),
        numbers in proptest::collection::vec(any::<i8>(), 8 * 6 * 64),
    ) {
        let bits = Bits::ALL[which];
        let rows: [&[u8]; 4] = std::array::from_fn(|row| &seed[row * 6 * 64..][..lines * 64]);
        let query = &numbers[..lines * 64 * bits.codes_a_byte()];
        let sums = rows.map(|row| expected(bits, row, query));
        for kernel in Isa::ALL.into_iter().filter_map(|isa| PackedKernel::with_isa(isa, bits)) {
            prop_assert_eq!(kernel.dot4(rows, query), sums, "{:?}", kernel);
            prop_assert_eq!(rows.map(|row| kernel.dot(row, query)), sums, "{:?}", kernel);
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    for bits in Bits::ALL {
        let row = vec![255u8; 64 * 100];
        let query = vec![-128i8; row.len() * bits.codes_a_byte()];
        let largest = (1i32 << bits.get()) - 1;
        for kernel in Isa::ALL
            .into_iter()
            .filter_map(|isa| PackedKernel::with_isa(isa, bits))
        {
            let sum = query.len() as i32 * largest * -128;
            assert_eq!(kernel.dot(&row, &query), sum, "{kernel:?}");
            assert_eq!(kernel.dot4([&row; 4], &query), [sum; 4], "{kernel:?}");
        }
    }
}

#[test]
#[should_panic(expected = "lengths of packed rows and query")]
fn a_query_of_another_width_is_refused() {
    PackedKernel::new(Bits::Four).dot(&[0; 64], &[0; 64]);
}
