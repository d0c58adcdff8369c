use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use vdb_sys::element::Element;
use vdb_vfs::{Disk, MemDisk};

use super::format::{KIND, Meta};
use super::*;
use crate::damage::{assert_found, assert_same_or_found, bytes, forge, put};
use crate::{Error, Result};

const PATH: &str = "seg-00000007.v0000.vec";

fn vector(row: u32, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (row as usize * 31 + at) as u8).collect()
}

fn written(element: Element, dim: u32, rows: &BTreeSet<u32>, total: u32) -> (MemDisk, VectorsReader) {
    let disk = MemDisk::new();
    let mut writer = VectorsWriter::create(&disk, PATH, element, dim).unwrap();
    for (slot, &row) in (0..).zip(rows) {
        assert_eq!(
            writer
                .push(row, &vector(row, dim as usize * element.size()))
                .unwrap(),
            slot
        );
    }
    let info = writer.finish(total).unwrap();
    let reader = VectorsReader::open(&disk, PATH).unwrap();
    assert_eq!(reader.info(), info);
    (disk, reader)
}

fn look_at_all(disk: &dyn Disk, path: &str) -> Result<()> {
    let reader = VectorsReader::open(disk, path)?;
    assert_eq!(reader.matrix().len(), reader.len());
    for slot in 0..=reader.len() {
        assert!(reader.row_of(slot).is_none_or(|row| row < reader.rows()));
    }
    for row in (0..=reader.rows().min(64)).chain([u32::MAX]) {
        assert!(reader.slot_of(row).is_none_or(|slot| slot < reader.len()));
        let _ = reader.vector_of(row);
    }
    reader.verify(disk)
}

#[test]
fn the_second_mapping_has_the_same_vectors_and_no_other_file() {
    let rows = BTreeSet::from([1, 2, 5]);
    let (disk, mut reader) = written(Element::F32, 3, &rows, 6);
    reader.map_scattered(&disk, PATH).unwrap();
    for slot in 0..3 {
        assert_eq!(reader.scattered().row(slot), reader.matrix().row(slot));
    }
    let (other, _) = written(Element::F32, 3, &BTreeSet::from([1, 2, 4]), 6);
    assert!(
        reader
            .map_scattered(&other, PATH)
            .unwrap_err()
            .to_string()
            .contains("replaced")
    );
}

proptest! {
    #[test]
    fn every_row_finds_its_vector_and_no_other_row_does(
        code in 0u8..3,
        dim in 1u32..40,
        rows in prop_oneof![btree_set(0u32..60, 0..60), (0u32..60).prop_map(|n| (0..n).collect())],
        spare in prop_oneof![Just(0u32), 0u32..40],
    ) {
        let element = Element::from_code(code).unwrap();
        let total = rows.last().map_or(0, |last| last + 1) + spare;
        let (disk, reader) = written(element, dim, &rows, total);
        prop_assert_eq!(reader.len() as usize, rows.len());
        prop_assert_eq!((reader.rows(), reader.dim(), reader.element()), (total, dim, element));
        prop_assert_eq!(reader.sparse_rows().is_none(), rows.len() == total as usize);
        prop_assert_eq!(reader.is_empty(), rows.is_empty());
        let matrix = reader.matrix();
        prop_assert_eq!(matrix.dim(), dim as usize);
        for (slot, &row) in (0..).zip(&rows) {
            prop_assert_eq!(reader.row_of(slot), Some(row));
            prop_assert_eq!(matrix.row(slot), Some(&vector(row, dim as usize * element.size())[..]));
        }
        prop_assert_eq!(reader.row_of(reader.len()), None);
        for row in 0..total + 2 {
            let slot = rows.contains(&row).then(|| rows.range(..row).count() as u32);
            prop_assert_eq!(reader.slot_of(row), slot);
            prop_assert_eq!(reader.vector_of(row).is_some(), slot.is_some());
        }
        reader.verify(&disk).unwrap();
    }

    #[test]
    fn forged_files_are_read_without_panic(
        element in 0u8..5,
        dim in prop_oneof![0u32..4, any::<u32>()],
        slots in prop_oneof![0u32..8, any::<u32>()],
        rows in prop_oneof![0u32..20, any::<u32>()],
        matrix in 0usize..8,
        list in vec(prop_oneof![0u32..20, any::<u32>()], 0..8),
    ) {
        let disk = MemDisk::new();
        let matrix = vec![7; matrix * dim.min(4) as usize * 4];
        let meta = Meta { element, dim, slots, rows };
        forge(&disk, PATH, KIND, &meta, &[&matrix, bytemuck::cast_slice(&list)]);
        let _ = look_at_all(&disk, PATH);
    }

    #[test]
    fn a_forged_list_of_rows_is_read_without_panic(list in vec(prop_oneof![0u32..12, any::<u32>()], 1..8), gaps in 1u32..9) {
        let disk = MemDisk::new();
        let slots = list.len() as u32;
        let meta = Meta { element: Element::U8.code(), dim: 3, slots, rows: slots + gaps };
        forge(&disk, PATH, KIND, &meta, &[&vec![1; list.len() * 3], bytemuck::cast_slice(&list)]);
        let good = list.is_sorted_by(|a, b| a < b) && list.iter().all(|&row| row < meta.rows);
        prop_assert_eq!(look_at_all(&disk, PATH).is_ok(), good);
    }
}

#[test]
fn any_damage_is_found() {
    for rows in [(0..12).collect::<BTreeSet<_>>(), [0, 1, 5, 9].into()] {
        let (disk, _) = written(Element::F16, 9, &rows, 12);
        assert_found(&disk, PATH, |disk| look_at_all(disk, PATH));
    }
}

#[test]
fn a_checked_vector_is_what_was_written() {
    for rows in [(0..12).collect::<BTreeSet<_>>(), [0, 1, 5, 9].into()] {
        let (disk, reader) = written(Element::F16, 9, &rows, 12);
        for row in 0..13 {
            assert_eq!(reader.checked(row).unwrap(), reader.vector_of(row));
            assert_same_or_found(&disk, PATH, |disk| {
                let reader = VectorsReader::open(disk, PATH)?;
                Ok(reader.checked(row)?.map(<[u8]>::to_vec))
            });
        }
    }
}

#[test]
fn misuse_is_refused() {
    let disk = MemDisk::new();
    let invalid = |result: Result<()>| assert!(matches!(result, Err(Error::Invalid { .. })), "{result:?}");
    invalid(VectorsWriter::create(&disk, PATH, Element::F32, 0).map(drop));
    let mut writer = VectorsWriter::create(&disk, PATH, Element::U8, 2).unwrap();
    writer.push(4, &[1, 2]).unwrap();
    invalid(writer.push(4, &[1, 2]).map(drop));
    invalid(writer.push(3, &[1, 2]).map(drop));
    invalid(writer.push(5, &[1]).map(drop));
    invalid(writer.push(u32::MAX, &[1, 2]).map(drop));
    invalid(writer.finish(4).map(drop));
}

#[test]
fn of_a_damaged_file_nothing_is_read_that_was_not_written() {
    for rows in [(0..12).collect::<BTreeSet<_>>(), [0, 1, 5, 9].into()] {
        let (disk, reader) = written(Element::F16, 9, &rows, 12);
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
            let crc = Some(reader.info().crc);
            let Ok(file) = VectorsSalvage::open(&copy, PATH, Element::F16, 9, 12, crc) else {
                continue;
            };
            assert_eq!(file.faults().is_empty(), is_sound, "byte {at}");
            for row in 0..12 {
                let found = file.vector_of(row);
                match reader.vector_of(row) {
                    Some(vector) if found == Salvaged::Vector(vector) => kept += 1,
                    None if found == Salvaged::Absent => {}
                    Some(_) | None => assert!(
                        found == Salvaged::Lost && !is_sound,
                        "byte {at}, row {row}: {found:?}"
                    ),
                }
            }
            assert_eq!(file.vector_of(12), Salvaged::Lost);
        }
        // Prelude, padding, lists of checksums: what is damaged there costs no row.
        assert!(kept > rows.len() * 64, "{kept}");
    }
}
