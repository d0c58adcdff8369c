//! Queries of which few rows have a dimension, and indexes that are built part by part.

use super::super::build::write_holding;
use super::super::format::LAST_ROWS;
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

#[test]
fn rows_of_damaged_blocks_that_overlap_are_hits_once() {
    let mut rows = vec![None; 9000];
    for vector in rows.iter_mut().step_by(40) {
        *vector = Some((vec![3, 9], vec![1.0, 2.0]));
    }
    let rows = Rows(rows);
    let disk = rows.write(1);
    let frame = Frame::open(&disk, PATH, FILE, 1..=1).unwrap();
    let sections: Vec<Vec<u8>> = (0..SECTIONS)
        .map(|at| frame.section(at).unwrap().to_vec())
        .collect();
    let meta = frame.meta().to_vec();
    // Rows of the second block of the first list follow this one.
    for last in [0, 39, 2000, 4000, 8000, u32::MAX - 5, u32::MAX] {
        let disk = MemDisk::new();
        let mut writer = FrameWriter::create(&disk, PATH, FILE, &meta).unwrap();
        for (at, section) in (0..).zip(&sections) {
            let mut section = section.clone();
            if at == LAST_ROWS {
                section[..4].copy_from_slice(&u32::to_le_bytes(last));
            }
            writer.begin_section().unwrap();
            writer.write(&section).unwrap();
        }
        writer.finish().unwrap();
        let index = SparseIndex::open(&disk, PATH, rows.len()).unwrap();
        let mut scratch = Scratch::default();
        for asked in [&[3][..], &[3, 9]] {
            let weights = vec![1.0; asked.len()];
            let query = SparseQuery {
                vector: SparseView::new(asked, &weights).unwrap(),
                k: 1000,
                filter: None,
            };
            let mut hits = Vec::new();
            index
                .search(&rows, &query, &Control::none(), &mut scratch, &mut hits)
                .unwrap();
            let mut found: Vec<u32> = hits.iter().map(|hit| hit.1).collect();
            found.sort_unstable();
            assert!(found.is_sorted_by(|a, b| a < b), "{last} {asked:?}");
            // The first block is as it was.
            assert!((0..128).all(|at| found.contains(&(at * 40))), "{last} {asked:?}");
            assert!(found.iter().all(|&row| row < rows.len()), "{last} {asked:?}");
        }
    }
}
