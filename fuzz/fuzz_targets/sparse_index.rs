//! An inverted index of sparse vectors: whatever it holds, a search ends; rows exist, pass the filter and occur once, and
//! of a file that `verify` passes they are ordered.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_index::sparse::{Scratch, SparseIndex, SparseQuery, SparseRows, write};
use vdb_index::{Control, RowBits, RowFilter, RowSet};
use vdb_sys::sparse::SparseView;
use vdb_vfs::MemDisk;

const PATH: &str = "file";
/// More than a window.
const ROWS: u32 = 2300;
const DIMENSIONS: u32 = 5;

/// The vectors that the index was made of, and its file.
static SOUND: LazyLock<(SparseRows, Vec<u8>)> = LazyLock::new(|| {
    let mut rows = SparseRows::new();
    let mut vectors = Vec::new();
    for row in (0..ROWS).filter(|row| row % 7 != 0) {
        // The first dimension in every row, the others ever more rarely.
        let dimensions: Vec<u32> = (0..DIMENSIONS)
            .filter(|at| row % (1 << (2 * at)) == 0)
            .map(|at| at * (u32::MAX / (DIMENSIONS - 1)))
            .collect();
        let values: Vec<f32> = dimensions.iter().map(|_| (row * 31 % 64) as f32 - 20.0).collect();
        vectors.push((row, dimensions, values));
    }
    let disk = MemDisk::new();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let views = || {
        vectors
            .iter()
            .map(|(row, at, values)| (*row, SparseView::new(at, values).unwrap()))
    };
    views().for_each(|(row, vector)| rows.push(row, vector).unwrap());
    write(&disk, PATH, ROWS, || views().map(Ok), &pool, &Control::none()).unwrap();
    (rows, bytes_of(&disk, PATH))
});

fuzz_target!(|bytes: &[u8]| {
    let (rows, sound) = &*SOUND;
    let mut input = Input(bytes);
    let (wanted, negative) = (input.byte(), input.byte() % 4 == 0);
    let disk = disk_with(PATH, &damage_frame(sound, &mut input));
    let Ok(index) = SparseIndex::open(&disk, PATH, ROWS) else {
        return;
    };
    let verified = index.verify(&disk).is_ok();
    let dimensions: Vec<u32> = (0..DIMENSIONS)
        .map(|at| at * (u32::MAX / (DIMENSIONS - 1)))
        .collect();
    let weights: Vec<f32> = (0..DIMENSIONS)
        .map(|at| {
            if negative {
                1.5 - at as f32
            } else {
                0.5 + at as f32
            }
        })
        .collect();
    let (most, few) = (
        RowBits::from_rows(ROWS, (0..ROWS).filter(|row| row % 3 > 0)),
        RowSet::List(vec![1, 64, 2299]),
    );
    let mut scratch = Scratch::default();
    for filter in [None, Some(&most as &dyn RowFilter), Some(&few)] {
        let query = SparseQuery {
            vector: SparseView::new(&dimensions, &weights).unwrap(),
            k: usize::from(wanted),
            filter,
        };
        let mut hits = Vec::new();
        let found = index.search(rows, &query, &Control::none(), &mut scratch, &mut hits);
        assert!(!verified || found.is_ok());
        assert!(hits.len() <= query.k);
        assert!(hits.is_sorted_by(|a, b| a.0 > b.0 || (a.0 == b.0 && a.1 < b.1)));
        for &(score, row) in &hits {
            assert!(row < ROWS && score.is_finite(), "row {row} scores {score}");
            assert!(filter.is_none_or(|filter| filter.contains(row)));
        }
        let mut found: Vec<u32> = hits.iter().map(|hit| hit.1).collect();
        found.sort_unstable();
        assert!(found.is_sorted_by(|a, b| a < b), "a row twice");
    }
    for dimension in dimensions.into_iter().chain([1]) {
        assert!(!verified || index.df(dimension).is_ok());
    }
});
