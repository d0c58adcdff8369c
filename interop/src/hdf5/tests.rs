//! `benches/data/small-angular.hdf5` was written by h5py 3 as ann-benchmarks writes its files: `train` of 60 rows, `test` of 7, of 5
//! numbers each.

use std::path::{Path, PathBuf};

use super::*;
use crate::options::ColumnOptions;

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/data/small-angular.hdf5")
}

fn open(path: &Path, vectors: &[&str]) -> Result<Hdf5Rows, RowError> {
    let options = ReadOptions {
        columns: ColumnOptions {
            vectors: vectors.iter().map(ToString::to_string).collect(),
            ..ColumnOptions::default()
        },
        ..ReadOptions::default()
    };
    Hdf5Rows::new(&Input::open(path).unwrap(), &options)
}

#[test]
fn a_file_of_ann_benchmarks_is_its_vectors_and_their_distance() {
    let rows = open(&file(), &[]).unwrap();
    let (_, params) = &rows.config().unwrap().vectors[0];
    assert_eq!((params.size, params.distance), (5, Distance::Cosine));
    assert_eq!(rows.progress().total_rows, Some(60));
    let rows: Vec<Row> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), 60);
    assert!(
        rows.iter()
            .enumerate()
            .all(|(at, row)| row.id.to_string() == at.to_string())
    );
    assert_eq!(open(&file(), &["test"]).unwrap().count(), 7);
    let error = open(&file(), &["neighbors"]).unwrap_err().to_string();
    assert!(error.contains("--vector-column"), "{error}");
    assert!(open(&file(), &["nothing"]).is_err());
}

#[test]
fn of_a_file_that_is_cut_short_no_other_rows_come() {
    let sound: Vec<Row> = open(&file(), &[]).unwrap().map(Result::unwrap).collect();
    let bytes = std::fs::read(file()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged.hdf5");
    for len in (0..bytes.len()).step_by(97) {
        std::fs::write(&path, &bytes[..len]).unwrap();
        let Ok(rows) = open(&path, &[]) else { continue };
        for (row, sound) in rows.map_while(Result::ok).zip(&sound) {
            assert_eq!((row.id, &row.vectors), (sound.id, &sound.vectors), "{len} bytes");
        }
    }
}

#[test]
fn rows_that_the_file_cannot_hold_are_refused() {
    let mut bytes = std::fs::read(file()).unwrap();
    // The length of `train` in its dataspace: 60 rows of 5 numbers.
    let shape: Vec<u8> = [60u64, 5]
        .iter()
        .flat_map(|length| length.to_le_bytes())
        .collect();
    let at = bytes.windows(16).position(|window| window == shape).unwrap();
    bytes[at..at + 8].copy_from_slice(&(1u64 << 50).to_le_bytes());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("long.hdf5");
    std::fs::write(&path, bytes).unwrap();
    let error = open(&path, &[]).unwrap_err().to_string();
    assert!(error.contains("bytes do not hold"), "{error}");
}

#[test]
fn a_distance_that_is_none_of_ours_is_told() {
    let mut bytes = std::fs::read(file()).unwrap();
    let at = bytes.windows(7).position(|window| window == b"angular").unwrap();
    bytes[at..at + 7].copy_from_slice(b"hamming");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bits.hdf5");
    std::fs::write(&path, bytes).unwrap();
    let rows = open(&path, &[]).unwrap();
    assert_eq!(rows.config(), None);
    assert!(rows.notes()[0].contains("\"hamming\""), "{:?}", rows.notes());
}
