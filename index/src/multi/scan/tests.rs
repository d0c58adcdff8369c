use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, Metric};

use super::*;
use crate::fixture::{PAIRS, Unlisted, top};
use crate::multi::fixture::Multis;
use crate::rowset::RowBits;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn scanning_finds_what_sorting_finds_however_it_is_split(
        pair in 0usize..PAIRS.len(), rows in 0u32..60, most in 1u32..20, dim in 1usize..20, gaps in 0u32..4,
        k in 0usize..12, split in 0u32..70, share in 0u32..4, seed: u64,
    ) {
        let set = Multis::draw((rows, most), dim, 6, gaps, PAIRS[pair], seed);
        let none = Control::none();
        let bits = RowBits::from_rows(rows, (0..rows).filter(|row| row % 4 < share));
        for query in set.queries.iter().take(3) {
            let plain = MaxSim::new(set.kernel, query, set.vector_bytes());
            // Fixtures are of unit length, or bytes.
            let longest = if set.kernel.element() == Element::U8 { 255.0 * (dim as f32).sqrt() } else { 1.01 };
            let unit = set.kernel.metric() == Metric::Dot;
            for query_of in [plain.clone(), if unit { plain.longest(longest) } else { plain }] {
                let scan = |rows: &mut dyn Iterator<Item = u32>, filter, top: &mut TopK| {
                    scan_rows(&set, &query_of, rows, filter, &none, top).unwrap()
                };
                let whole = top(k, |top| {
                    let compared = scan(&mut (0..rows + 5), None, top);
                    assert_eq!(compared as usize, set.rows.iter().flatten().count());
                });
                prop_assert_eq!(&whole, &set.brute(query, k, None));
                let parts = top(k, |top| {
                    scan(&mut (split.min(rows)..rows), None, top);
                    let mut other = TopK::new(k);
                    scan(&mut (0..split.min(rows)).rev(), None, &mut other);
                    top.merge(&other);
                });
                prop_assert_eq!(&parts, &whole);
                let filtered = top(k, |top| { scan(&mut (0..rows), Some(&bits), top); });
                prop_assert_eq!(&filtered, &set.brute(query, k, Some(&bits)));
                let slow = Slow(Unlisted(bits.clone()));
                prop_assert_eq!(&top(k, |top| { scan(&mut (0..rows), Some(&slow), top); }), &filtered);
            }
        }
    }
}

/// A filter that is asked late.
struct Slow(Unlisted);

impl RowFilter for Slow {
    fn contains(&self, row: u32) -> bool {
        self.0.contains(row)
    }

    fn is_slow(&self) -> bool {
        true
    }
}

#[test]
fn equal_scores_are_ordered_by_row_whatever_the_order_of_the_scan() {
    let kernel = Kernel::new(Metric::L1, Element::U8);
    let set = Multis {
        dim: 1,
        kernel,
        rows: (0..40u8).map(|row| Some(vec![row % 2, 200])).collect(),
        queries: Vec::new(),
    };
    let query = MaxSim::new(kernel, &[0, 1], 1);
    let found = top(5, |top| {
        scan_rows(&set, &query, (0..40).rev(), None, &Control::none(), top).unwrap();
    });
    assert_eq!(found, (0..5).map(|row| (-1.0, row)).collect::<Vec<_>>());
}

#[test]
fn a_scan_ends_when_it_is_told_to() {
    let set = Multis::draw((50, 4), 3, 6, 0, (Metric::Dot, Element::F32), 1);
    let query = MaxSim::new(set.kernel, &set.queries[0], set.vector_bytes());
    let looks = AtomicU32::new(0);
    let stop = || looks.fetch_add(1, Ordering::Relaxed) == 7;
    let control = Control::cancelled_by(&stop);
    let mut top = TopK::new(3);
    let asked = Cell::new(0);
    let rows = (0..50).inspect(|_| asked.set(asked.get() + 1));
    let ended = scan_rows(&set, &query, rows, None, &control, &mut top);
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert_eq!(asked.get(), 8);
    // Also by rows that no filter lets through, and within a row.
    let stopped = || true;
    let control = Control::cancelled_by(&stopped);
    let nothing = RowBits::empty(0);
    let ended = scan_rows(&set, &query, 0..5000, Some(&nothing), &control, &mut top);
    assert!(matches!(ended, Err(Error::Cancelled)));
}

#[test]
fn a_row_of_part_of_a_vector_is_an_error_that_names_it() {
    let mut set = Multis::draw((3, 4), 3, 6, 0, (Metric::Dot, Element::F32), 1);
    set.rows[1] = Some(vec![0; 13]);
    let query = MaxSim::new(set.kernel, &set.queries[0], set.vector_bytes());
    let error = scan_rows(&set, &query, 0..3, None, &Control::none(), &mut TopK::new(3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the multivector of row 1 has 13 bytes, expected vectors of 12"
    );
}
