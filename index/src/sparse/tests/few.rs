//! Queries of which few rows have a dimension, and indexes that are built part by part.

use super::super::build::write_holding;
use super::*;

/// Of many rows few have a vector, of few dimensions.
fn rows() -> impl Strategy<Value = Rows> {
    let vector =
        prop::collection::btree_map(0_u32..6, prop_oneof![Just(1.0), Just(2.5), -3.0_f32..3.0], 1..5);
    let some = prop::collection::btree_map(0_u32..9000, vector, 0..120);
    (some, 4000_u32..9000).prop_map(|(some, len)| {
        let mut rows = vec![None; len as usize];
        for (row, vector) in some {
            if let Some(slot) = rows.get_mut(row as usize) {
                *slot = Some(vector.into_iter().unzip());
            }
        }
        Rows(rows)
    })
}

proptest! {
    #[test]
    fn few_postings_are_answered_as_many_are(
        rows in rows(),
        asked in prop::collection::btree_map(0_u32..8, -2.0_f32..2.0, 1..6),
        k in 1_usize..20,
        every in 1_u32..4,
    ) {
        let index = rows.index();
        let (at, weights): (Vec<u32>, Vec<f32>) = asked.iter().map(|(at, weight)| (*at, *weight)).unzip();
        let pairs: Vec<(u32, f32)> = asked.into_iter().collect();
        let bits = RowBits::from_rows(rows.len(), (0..rows.len()).filter(|row| row % every == 0));
        let query = SparseQuery { vector: SparseView::new(&at, &weights).unwrap(), k, filter: Some(&bits) };
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        index.search(&rows, &query, &Control::none(), &mut scratch, &mut hits).unwrap();
        let found: Vec<(u32, u32)> = hits.iter().map(|(score, row)| (score.to_bits(), *row)).collect();
        prop_assert_eq!(found, rows.naive(&pairs, k, |row| row % every == 0));
    }

    #[test]
    fn parts_make_the_file_that_one_makes(rows in rows(), held in 1_u64..200) {
        let disk = MemDisk::new();
        write_holding(held, &disk, (PATH, rows.len()), || rows.iter(), &pool(1), &Control::none()).unwrap();
        prop_assert_eq!(&disk.map(PATH).unwrap()[..], &rows.write(1).map(PATH).unwrap()[..]);
    }
}
