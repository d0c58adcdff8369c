use super::*;
use proptest::prelude::*;

fn kernels() -> impl Iterator<Item = SadKernel> {
    Isa::ALL.into_iter().filter_map(SadKernel::with_isa)
}

proptest! {
    #[test]
    fn every_isa_sums_the_differences(
        lines in 0usize..40,
        numbers in proptest::collection::vec(any::<u8>(), 5 * 40 * PADDING),
    ) {
        let (query, rows) = numbers[..5 * lines * PADDING].split_at(lines * PADDING);
        let rows: [&[u8]; 4] = std::array::from_fn(|row| &rows[row * query.len()..][..query.len()]);
        let sums = rows.map(|row| row.iter().zip(query).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum());
        for kernel in kernels() {
            prop_assert_eq!(kernel.sad4(rows, query), sums, "{:?}", kernel);
            prop_assert_eq!(rows.map(|row| kernel.sad(row, query)), sums, "{:?}", kernel);
        }
    }
}

#[test]
fn sums_over_long_extreme_codes_do_not_overflow() {
    let (full, empty) = (vec![255; 65_536], vec![0; 65_536]);
    for kernel in kernels() {
        assert_eq!(kernel.sad(&full, &empty), 65_536 * 255, "{kernel:?}");
        assert_eq!(kernel.sad4([&empty; 4], &full), [65_536 * 255; 4], "{kernel:?}");
    }
}

#[test]
#[should_panic(expected = "lengths of query and rows")]
fn a_row_of_another_length_is_refused() {
    SadKernel::new().sad(&[0; 64], &[0; 128]);
}
