use super::*;
use proptest::prelude::*;

const PLAIN: Finish = Finish {
    scale: 1.0,
    step: 1,
    excess: 0,
};

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

/// A score, by the definition.
fn expected_score(sum: i32, row: &[u8], finish: Finish) -> f32 {
    let number = |from_end: usize| match row.len().checked_sub(from_end) {
        Some(at) => f32::from_le_bytes(std::array::from_fn(|byte| row[at + byte])),
        None => 0.0,
    };
    let products = i64::from(sum) * i64::from(finish.step) - i64::from(finish.excess);
    let score = finish.scale * number(8) * (products as i32) as f32 + number(4);
    if score.is_nan() {
        f32::MIN
    } else {
        score.clamp(f32::MIN, f32::MAX)
    }
}

proptest! {
    #[test]
    fn every_isa_sums_and_scores_what_the_layout_says(
        which in 0usize..4,
        lines in 0usize..6,
        finish in (any::<f32>(), 1i32..=2, any::<i32>()).prop_map(|(scale, step, excess)| Finish { scale, step, excess }),
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
            let numbers = [3, 1, 0, 2, 3, 2, 1, 0, 0, 3, 1];
            for count in 0..=numbers.len() {
                let mut out = vec![f32::NAN; count];
                kernel.score_rows(&rows.concat(), &numbers[..count], query, finish, &mut out);
                let expected = numbers[..count]
                    .iter()
                    .map(|&row| expected_score(sums[row as usize], rows[row as usize], finish).to_bits());
                let out: Vec<u32> = out.iter().map(|score| score.to_bits()).collect();
                prop_assert_eq!(out, expected.collect::<Vec<_>>(), "{:?}", kernel);
            }
        }
    }
}

/// Codes of every width on every instruction set that this CPU has.
fn kernels() -> impl Iterator<Item = PackedKernel> {
    let of = |bits| {
        Isa::ALL
            .into_iter()
            .filter_map(move |isa| PackedKernel::with_isa(isa, bits))
    };
    Bits::ALL.into_iter().flat_map(of)
}

#[test]
fn extreme_codes_do_not_overflow() {
    for kernel in kernels() {
        let codes_a_byte = kernel.bits().codes_a_byte();
        let largest = (1i32 << kernel.bits().get()) - 1;
        // Whole blocks of what an instruction set sums in small lanes, and each number of lines beyond one.
        for lines in (1..=33).chain([65_536 / codes_a_byte / PADDING]) {
            let (full, empty) = (vec![255u8; lines * PADDING], vec![0u8; lines * PADDING]);
            for value in [-128i8, 127] {
                let query = vec![value; full.len() * codes_a_byte];
                let sum = query.len() as i32 * largest * i32::from(value);
                assert_eq!(kernel.dot(&full, &query), sum, "{kernel:?}, {lines} lines");
                assert_eq!(kernel.dot(&empty, &query), 0, "{kernel:?}, {lines} lines");
                let sums = kernel.dot4([&full, &empty, &empty, &full], &query);
                assert_eq!(sums, [sum, 0, 0, sum], "{kernel:?}, {lines} lines");
            }
        }
    }
}

#[test]
fn sums_wrap_and_change_sign_within_a_row() {
    for kernel in kernels() {
        let codes_a_byte = kernel.bits().codes_a_byte();
        let largest = (1i64 << kernel.bits().get()) - 1;
        let row = vec![255u8; 2048 * PADDING];
        let mut query = vec![127i8; row.len() * codes_a_byte];
        let sum = largest * 127 * query.len() as i64;
        assert_eq!(kernel.dot(&row, &query), sum as i32, "{kernel:?}");
        // All that one lane adds up, first one way and then the other.
        let (_, second) = query.split_at_mut(row.len() * codes_a_byte / 2);
        second.fill(-128);
        let sum = largest * -(second.len() as i64);
        assert_eq!(kernel.dot(&row, &query), sum as i32, "{kernel:?}");
        assert_eq!(kernel.dot4([&row; 4], &query), [sum as i32; 4], "{kernel:?}");
    }
}

#[test]
#[should_panic(expected = "lengths of packed rows and query")]
fn a_query_of_another_width_is_refused() {
    PackedKernel::new(Bits::Four).dot(&[0; 64], &[0; 64]);
}

#[test]
#[should_panic(expected = "out of range")]
fn a_row_beyond_the_codes_is_refused() {
    PackedKernel::new(Bits::Four).score_rows(&[0; 128], &[0, 2], &[0; 128], PLAIN, &mut [0.0; 2]);
}

#[test]
#[should_panic(expected = "places for scores")]
fn rows_without_places_for_scores_are_refused() {
    PackedKernel::new(Bits::Four).score_rows(&[0; 128], &[0, 1], &[0; 128], PLAIN, &mut [0.0]);
}

#[test]
#[should_panic(expected = "length of a query")]
fn a_query_of_half_a_line_is_refused() {
    PackedKernel::new(Bits::Four).score_rows(&[0; 128], &[0], &[0; 64], PLAIN, &mut [0.0]);
}
