use super::*;
use crate::fixture::{Data, PAIRS, top};
use crate::rowset::RowBits;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn scanning_finds_what_sorting_finds_however_it_is_split(
        pair in 0usize..PAIRS.len(), rows in 0u32..200, dim in 1usize..40, k in 0usize..30,
        split in 0u32..220, seed: u64, share in 0u64..4,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(rows, dim, 3, metric, element, seed);
        let (matrix, kernel) = (data.matrix(), Kernel::new(metric, element));
        let bits = RowBits::from_rows(rows, (0..rows).filter(|row| u64::from(row % 4) < share));
        for query in data.queries.iter().take(3) {
            let whole = top(k, |top| scan(&matrix, &kernel, query, 0..u32::MAX, None, top));
            prop_assert_eq!(&whole, &data.brute(metric, query, k, None));
            let parts = top(k, |top| {
                scan(&matrix, &kernel, query, split..u32::MAX, None, top);
                scan(&matrix, &kernel, query, 0..split, None, top);
            });
            prop_assert_eq!(&parts, &whole);
            let filtered = top(k, |top| scan(&matrix, &kernel, query, 0..rows, Some(&bits), top));
            prop_assert_eq!(&filtered, &data.brute(metric, query, k, Some(&bits)));
            let listed = top(k, |top| scan_rows(&matrix, &kernel, query, bits.iter(), top));
            prop_assert_eq!(&listed, &filtered);
        }
    }

    #[test]
    fn many_queries_in_one_pass_find_what_each_finds_alone(
        pair in 0usize..PAIRS.len(), rows in 0u32..200, dim in 1usize..40, k in 0usize..30,
        queries in 0usize..20, split in 0u32..220, seed: u64,
    ) {
        let (metric, element) = PAIRS[pair];
        let data = Data::clustered(rows, dim, 3, metric, element, seed);
        let (matrix, kernel) = (data.matrix(), Kernel::new(metric, element));
        let queries: Vec<&[u8]> = data.queries.iter().take(queries).map(Vec::as_slice).collect();
        let mut tops: Vec<TopK> = queries.iter().map(|_| TopK::new(k)).collect();
        let mut filtered = tops.clone();
        let bits = RowBits::from_rows(rows, (0..rows).filter(|row| row % 3 > 0));
        for part in [split..u32::MAX, 0..split] {
            scan_many(&matrix, &kernel, &queries, part.clone(), None, &mut tops);
            scan_many(&matrix, &kernel, &queries, part, Some(&bits), &mut filtered);
        }
        for ((query, found), filtered) in queries.iter().zip(tops).zip(filtered) {
            let alone = top(k, |top| scan(&matrix, &kernel, query, 0..u32::MAX, None, top));
            prop_assert_eq!(found.into_sorted(), alone);
            let alone = top(k, |top| scan(&matrix, &kernel, query, 0..rows, Some(&bits), top));
            prop_assert_eq!(filtered.into_sorted(), alone);
        }
    }
}
