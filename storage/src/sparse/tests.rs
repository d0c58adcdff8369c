use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use vdb_sys::sparse::SparseView;
use vdb_vfs::{Disk, MemDisk};

use super::format::{KIND, Meta};
use super::*;
use crate::damage::{assert_found, assert_same_or_found, bytes, forge, put};
use crate::{Error, Result};

const PATH: &str = "seg-00000007.s0000.spv";

/// The vectors of the rows that have one.
type Model = BTreeMap<u32, BTreeMap<u32, f32>>;

fn parts(vector: &BTreeMap<u32, f32>) -> (Vec<u32>, Vec<f32>) {
    vector.iter().map(|(&at, &value)| (at, value)).unzip()
}

fn model() -> impl Strategy<Value = Model> {
    let dimension = prop_oneof![4 => 0u32..50, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    btree_map(0u32..40, btree_map(dimension, -9.0f32..9.0, 0..12), 0..40)
}

fn written(model: &Model, rows: u32) -> (MemDisk, SparseReader) {
    let disk = MemDisk::new();
    let mut writer = SparseWriter::create(&disk, PATH).unwrap();
    for (&row, vector) in model {
        let (dimensions, values) = parts(vector);
        writer
            .push(row, SparseView::new(&dimensions, &values).unwrap())
            .unwrap();
    }
    let info = writer.finish(rows).unwrap();
    let reader = SparseReader::open(&disk, PATH).unwrap();
    assert_eq!(reader.info(), info);
    (disk, reader)
}

/// Five rows: one without the vector, one with an empty one, one with the last dimension that there is.
fn small() -> Model {
    Model::from([
        (0, BTreeMap::from([(3, 1.5), (9, -2.0)])),
        (2, BTreeMap::new()),
        (3, BTreeMap::from([(0, 0.0), (u32::MAX, 7.0)])),
        (4, BTreeMap::from([(9, 0.25)])),
    ])
}

fn look_at_all(disk: &dyn Disk) -> Result<()> {
    let reader = SparseReader::open(disk, PATH)?;
    for row in (0..reader.rows().min(64)).chain([u32::MAX]) {
        let found = reader.get(row);
        assert!(
            !matches!(found, Ok(Some(vector)) if vector.len() as u64 > reader.nonzeros()),
            "row {row}"
        );
    }
    reader.iter().take(64).for_each(drop);
    reader.verify(disk)
}

proptest! {
    #[test]
    fn every_row_finds_its_vector_and_no_other_row_does(model in model(), spare in 0u32..9) {
        let rows = model.keys().last().map_or(0, |last| last + 1) + spare;
        let (disk, reader) = written(&model, rows);
        prop_assert_eq!((reader.rows(), reader.len() as usize), (rows, model.len()));
        prop_assert_eq!(reader.nonzeros() as usize, model.values().map(BTreeMap::len).sum::<usize>());
        prop_assert_eq!(reader.is_empty(), model.is_empty());
        for row in 0..rows {
            let found = reader.get(row).unwrap().map(|vector| vector.iter().collect());
            prop_assert_eq!(found.as_ref(), model.get(&row), "row {}", row);
        }
        let all: Model = reader.iter().map(|found| found.unwrap()).map(|(row, v)| (row, v.iter().collect())).collect();
        prop_assert_eq!(all, model);
        let refused = matches!(reader.get(rows), Err(Error::NoSuchRow { .. }));
        prop_assert!(refused);
        reader.verify(&disk).unwrap();
    }

    #[test]
    fn forged_files_are_read_without_panic(
        words in vec(prop_oneof![0u32..9, any::<u32>()], 0..16),
        places in vec(prop_oneof![0u64..20, any::<u64>()], 0..9),
        (rows, present, nonzeros) in (
            prop_oneof![6 => Just(None), 1 => any::<u32>().prop_map(Some)],
            prop_oneof![4 => 0u32..9, 1 => any::<u32>()],
            prop_oneof![6 => Just(None), 1 => any::<u64>().prop_map(Some)],
        ),
    ) {
        let disk = MemDisk::new();
        let meta = Meta {
            rows: rows.unwrap_or((places.len() as u32).saturating_sub(1)),
            present,
            nonzeros: nonzeros.unwrap_or(words.len() as u64 / 2),
        };
        forge(&disk, PATH, KIND, &meta, &[bytemuck::cast_slice(&words), bytemuck::cast_slice(&places)]);
        let _ = look_at_all(&disk);
        if let Ok(file) = SparseSalvage::open(&disk, PATH, meta.rows, None) {
            (0..9).for_each(|row| assert!(row < meta.rows || file.get(row) == SalvagedSparse::Lost));
        }
    }
}

#[test]
fn what_checksums_cannot_see_is_found_by_verification() {
    let one = 1.0f32.to_bits();
    for (meta, words, places, what) in [
        ((1, 1, 2), vec![5, 5, one, one], vec![1, 4], "is not above"),
        (
            (1, 1, 2),
            vec![5, 6, one, f32::NAN.to_bits()],
            vec![1, 4],
            "not a finite",
        ),
        ((2, 2, 1), vec![5, one], vec![1, 5, 2], "values 0 to 2 of 1"),
        ((2, 1, 1), vec![5, one], vec![1, 0, 2], "end at"),
        ((1, 1, 1), vec![5, one], vec![1, 3], "end at"),
        ((2, 2, 1), vec![5, one], vec![1, 2, 2], "end at"),
        ((1, 1, 2), vec![5, 6, one, one], vec![1, 2], "end at"),
        ((2, 1, 1), vec![5, one], vec![0, 3, 2], "place of row 1"),
        ((1, 1, 1), vec![5, one], vec![3, 2], "place"),
        ((1, 2, 1), vec![5, one], vec![1, 2], "at most one"),
    ] {
        let disk = MemDisk::new();
        let meta = Meta {
            rows: meta.0,
            present: meta.1,
            nonzeros: meta.2,
        };
        forge(
            &disk,
            PATH,
            KIND,
            &meta,
            &[
                bytemuck::cast_slice::<u32, u8>(&words),
                bytemuck::cast_slice::<u64, u8>(&places),
            ],
        );
        let error = look_at_all(&disk).unwrap_err();
        assert!(
            error.is_corruption() && error.to_string().contains(what),
            "{places:?}: {error}"
        );
    }
}

#[test]
fn any_damage_is_found() {
    let (disk, _) = written(&small(), 6);
    assert_found(&disk, PATH, look_at_all);
}

#[test]
fn a_checked_vector_is_what_was_written() {
    let (disk, reader) = written(&small(), 6);
    for row in 0..6 {
        assert_eq!(reader.checked(row).unwrap(), reader.stored(row).unwrap());
        assert_same_or_found(&disk, PATH, |disk| {
            let reader = SparseReader::open(disk, PATH)?;
            Ok(reader.checked(row)?.map(<[u8]>::to_vec))
        });
    }
    assert!(matches!(reader.checked(6), Err(Error::NoSuchRow { .. })));
    // Checksums that fit do not make a vector.
    for (dimensions, values) in [([5u32, 5], [1.0f32, 2.0]), ([5, 6], [1.0, f32::NAN])] {
        let mut words: Vec<u8> = dimensions.iter().flat_map(|at| at.to_le_bytes()).collect();
        values.iter().for_each(|value| words.extend(value.to_le_bytes()));
        let places: Vec<u8> = [1u64, 4].iter().flat_map(|place| place.to_le_bytes()).collect();
        let meta = Meta {
            rows: 1,
            present: 1,
            nonzeros: 2,
        };
        forge(&disk, PATH, KIND, &meta, &[&words, &places]);
        let reader = SparseReader::open(&disk, PATH).unwrap();
        assert!(reader.stored(0).is_ok() && reader.checked(0).is_err_and(|error| error.is_corruption()));
    }
}

#[test]
fn misuse_is_refused() {
    let disk = MemDisk::new();
    let refused = |result: Result<()>, what: &str| {
        let error = result.unwrap_err();
        assert!(
            matches!(error, Error::Invalid { .. }) && error.to_string().contains(what),
            "{error}"
        );
    };
    let mut writer = SparseWriter::create(&disk, PATH).unwrap();
    let mut push = |row, at: &[u32], values: &[f32]| writer.push(row, SparseView::new(at, values).unwrap());
    push(4, &[1, 2], &[1.0, 2.0]).unwrap();
    refused(push(4, &[1], &[1.0]), "row 5 or a later one");
    refused(push(u32::MAX, &[1], &[1.0]), "later one");
    refused(push(5, &[2, 2], &[1.0, 1.0]), "dimension 1");
    refused(push(5, &[1, 2], &[1.0, f32::INFINITY]), "value 1");
    let many = vec![0.0; MAX_NONZEROS + 1];
    let dimensions: Vec<u32> = (0..many.len() as u32).collect();
    refused(push(5, &dimensions, &many), "at most");
    push(5, &dimensions[1..], &many[1..]).unwrap();
    refused(writer.finish(5).map(drop), "row 5 in a segment of 5");
}

#[test]
fn of_a_damaged_file_nothing_is_read_that_was_not_written() {
    const ROWS: u32 = 6;
    let (disk, reader) = written(&small(), ROWS);
    let mut bytes = bytes(&disk, PATH);
    let copy = MemDisk::new();
    let mut kept = 0;
    for at in 0..=bytes.len() {
        // The last time all is sound.
        let is_sound = at == bytes.len();
        let flip = |bytes: &mut Vec<u8>| bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x24);
        flip(&mut bytes);
        put(&copy, PATH, &bytes);
        flip(&mut bytes);
        let Ok(file) = SparseSalvage::open(&copy, PATH, ROWS, Some(reader.info().crc)) else {
            continue;
        };
        assert_eq!(file.faults().is_empty(), is_sound, "byte {at}");
        for row in 0..ROWS {
            let found = file.get(row);
            match reader.get(row).unwrap() {
                Some(vector) if found == SalvagedSparse::Vector(vector) => kept += 1,
                None if found == SalvagedSparse::Absent => kept += 1,
                Some(_) | None => assert!(
                    found == SalvagedSparse::Lost && !is_sound,
                    "byte {at}, row {row}: {found:?}"
                ),
            }
        }
        assert_eq!(file.get(ROWS), SalvagedSparse::Lost);
    }
    // Prelude, padding, lists of checksums: what is damaged there costs no row.
    assert!(kept > ROWS * 64, "{kept}");
    put(&copy, PATH, &bytes);
    assert!(SparseSalvage::open(&copy, PATH, ROWS + 1, None).is_err());
}
