use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use vdb_sys::aligned::ALIGN;
use vdb_sys::element::Element;
use vdb_vfs::{Disk, MemDisk};

use super::format::{KIND, Meta};
use super::*;
use crate::damage::{assert_found, assert_same_or_found, bytes, forge, put};
use crate::vectors::Salvaged;
use crate::{Error, Result};

const PATH: &str = "seg-00000007.v0000.mvec";

/// How many vectors each row has that has any.
type Counts = BTreeMap<u32, usize>;

fn vectors(row: u32, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (row as usize * 31 + at * 7) as u8).collect()
}

fn written(element: Element, dim: u32, counts: &Counts, rows: u32) -> (MemDisk, MultiReader) {
    let disk = MemDisk::new();
    let mut writer = MultiWriter::create(&disk, PATH, element, dim).unwrap();
    for (&row, count) in counts {
        writer
            .push(row, &vectors(row, count * dim as usize * element.size()))
            .unwrap();
    }
    let info = writer.finish(rows).unwrap();
    let reader = MultiReader::open(&disk, PATH).unwrap();
    assert_eq!(reader.info(), info);
    (disk, reader)
}

/// Six rows of which two do not have the multivector, the last among them.
fn small() -> Counts {
    Counts::from([(0, 2), (2, 1), (3, 4), (4, 1)])
}

fn look_at_all(disk: &dyn Disk) -> Result<()> {
    let mut reader = MultiReader::open(disk, PATH)?;
    reader.map_scattered(disk, PATH)?;
    for row in (0..reader.rows().min(64)).chain([u32::MAX]) {
        let found = reader.get(row);
        assert!(
            !matches!(found, Ok(Some(found)) if found.is_empty() || found.len() as u64 > reader.info().len),
            "row {row}"
        );
        let again = reader.scattered(row);
        assert_eq!((found.is_ok(), found.ok()), (again.is_ok(), again.ok()));
        reader.read_ahead(row);
    }
    reader.iter().take(64).for_each(drop);
    reader.verify(disk)
}

proptest! {
    #[test]
    fn every_row_finds_its_vectors_and_no_other_row_does(
        code in 0u8..3, dim in 1u32..20, counts in btree_map(0u32..40, 1usize..6, 0..40), spare in 0u32..9,
    ) {
        let element = Element::from_code(code).unwrap();
        let rows = counts.keys().last().map_or(0, |last| last + 1) + spare;
        let (disk, reader) = written(element, dim, &counts, rows);
        prop_assert_eq!((reader.rows(), reader.dim(), reader.element()), (rows, dim, element));
        prop_assert_eq!(reader.len() as usize, counts.len());
        prop_assert_eq!(reader.is_empty(), counts.is_empty());
        prop_assert_eq!(reader.vectors() as usize, counts.values().sum::<usize>());
        let each = dim as usize * element.size();
        let expected = |row: u32| counts.get(&row).map(|count| vectors(row, count * each));
        for row in 0..rows {
            let expected = expected(row);
            prop_assert_eq!(reader.get(row).unwrap(), expected.as_deref(), "row {}", row);
            prop_assert_eq!(reader.has(row), counts.contains_key(&row));
        }
        let all: Vec<(u32, usize)> = reader.iter().map(|found| found.unwrap()).map(|(row, v)| (row, v.len() / each)).collect();
        prop_assert_eq!(all, counts.clone().into_iter().collect::<Vec<_>>());
        if let Some((_, first)) = reader.iter().next().transpose().unwrap() {
            prop_assert!(first.as_ptr().addr().is_multiple_of(ALIGN));
        }
        let refused = matches!(reader.get(rows), Err(Error::NoSuchRow { .. }));
        prop_assert!(refused && !reader.has(rows));
        look_at_all(&disk).unwrap();
    }

    #[test]
    fn forged_files_are_read_without_panic(
        starts in vec(prop_oneof![6 => 0u64..8, 1 => any::<u64>()], 0..9),
        element in 0u8..4,
        dim in prop_oneof![4 => 1u32..4, 1 => any::<u32>()],
        matrix in 0usize..8,
        (rows, present, count) in (
            prop_oneof![6 => Just(None), 1 => any::<u32>().prop_map(Some)],
            prop_oneof![4 => 0u32..9, 1 => any::<u32>()],
            prop_oneof![6 => Just(None), 1 => any::<u64>().prop_map(Some)],
        ),
    ) {
        let disk = MemDisk::new();
        let size = Element::from_code(element).map_or(1, Element::size);
        let meta = Meta {
            element,
            dim,
            rows: rows.unwrap_or((starts.len() as u32).saturating_sub(1)),
            present,
            vectors: count.unwrap_or(matrix as u64),
        };
        let matrix = vec![3; matrix * dim.min(4) as usize * size];
        forge(&disk, PATH, KIND, &meta, &[&matrix, bytemuck::cast_slice(&starts)]);
        let _ = look_at_all(&disk);
        let Some(element) = Element::from_code(element) else { return Ok(()) };
        if let Ok(file) = MultiSalvage::open(&disk, PATH, element, dim, meta.rows, None) {
            (0..9).for_each(|row| assert!(row < meta.rows || file.get(row) == Salvaged::Lost));
        }
    }
}

#[test]
fn what_checksums_cannot_see_is_found() {
    // Rows, those with vectors, vectors; then starts.
    for ((rows, present, vectors), starts, what) in [
        ((2, 2, 3), vec![0, 4, 3], "vectors 0 to 4 of 3"),
        ((2, 2, 3), vec![2, 1, 3], "vectors 2 to 1 of 3"),
        ((2, 1, 3), vec![1, 1, 3], "from Some(1)"),
        ((2, 2, 3), vec![0, 1, 2], "to Some(2)"),
        ((2, 1, 3), vec![0, 1, 3], "2 multivectors"),
        ((2, 2, 3), vec![9, 9, 9], "vectors 9 to 9 of 3"),
        (
            (2, 2, 3),
            vec![0, 3, u64::MAX],
            "vectors 3 to 18446744073709551615",
        ),
        ((1, 2, 3), vec![0, 3], "at most one"),
        ((2, 2, 1), vec![0, 1, 1], "one or more for each"),
        ((3, 2, 3), vec![0, 1, 3], "expected 4 elements"),
    ] {
        let disk = MemDisk::new();
        let meta = Meta {
            element: Element::U8.code(),
            dim: 2,
            rows,
            present,
            vectors,
        };
        let matrix = vec![1; vectors as usize * 2];
        let starts_bytes = bytemuck::cast_slice::<u64, u8>(&starts);
        forge(&disk, PATH, KIND, &meta, &[&matrix, starts_bytes]);
        let error = look_at_all(&disk).unwrap_err();
        assert!(
            error.is_corruption() && error.to_string().contains(what),
            "{starts:?}: {error}"
        );
    }
}

#[test]
fn any_damage_is_found() {
    let (disk, _) = written(Element::F16, 3, &small(), 6);
    assert_found(&disk, PATH, look_at_all);
}

#[test]
fn a_checked_multivector_is_what_was_written() {
    let (disk, reader) = written(Element::F16, 3, &small(), 6);
    for row in 0..6 {
        assert_eq!(reader.checked(row).unwrap(), reader.get(row).unwrap());
        assert_same_or_found(&disk, PATH, |disk| {
            let reader = MultiReader::open(disk, PATH)?;
            Ok(reader.checked(row)?.map(<[u8]>::to_vec))
        });
    }
    assert!(matches!(reader.checked(6), Err(Error::NoSuchRow { .. })));
}

#[test]
fn another_file_does_not_become_the_second_mapping() {
    let (_, mut reader) = written(Element::U8, 3, &small(), 6);
    let (other, _) = written(Element::U8, 3, &Counts::from([(0, 8)]), 6);
    let error = reader.map_scattered(&other, PATH).unwrap_err();
    assert!(error.to_string().contains("replaced"), "{error}");
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
    for dim in [0, MAX_NUMBERS as u32 + 1, u32::MAX] {
        refused(
            MultiWriter::create(&disk, PATH, Element::U8, dim).map(drop),
            "elements",
        );
    }
    let mut writer = MultiWriter::create(&disk, PATH, Element::U8, 2).unwrap();
    writer.push(4, &[1, 2, 3, 4]).unwrap();
    refused(writer.push(4, &[1, 2]), "row 5 or a later one");
    refused(writer.push(u32::MAX, &[1, 2]), "later one");
    refused(writer.push(5, &[]), "0 bytes");
    refused(writer.push(5, &[1, 2, 3]), "3 bytes");
    refused(writer.push(5, &vec![0; MAX_NUMBERS + 1]), "vectors of 2");
    writer.push(5, &vec![0; MAX_NUMBERS - 1]).unwrap();
    refused(writer.finish(5).map(drop), "row 5 in a segment of 5");
}

#[test]
fn of_a_damaged_file_nothing_is_read_that_was_not_written() {
    const ROWS: u32 = 6;
    let (disk, reader) = written(Element::F16, 3, &small(), ROWS);
    let mut bytes = bytes(&disk, PATH);
    let copy = MemDisk::new();
    let mut kept = 0;
    let open = |rows, dim| {
        let crc = Some(reader.info().crc);
        MultiSalvage::open(&copy, PATH, Element::F16, dim, rows, crc)
    };
    for at in 0..=bytes.len() {
        // The last time all is sound.
        let is_sound = at == bytes.len();
        let flip = |bytes: &mut Vec<u8>| bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 0x24);
        flip(&mut bytes);
        put(&copy, PATH, &bytes);
        flip(&mut bytes);
        let Ok(file) = open(ROWS, 3) else { continue };
        assert_eq!(file.faults().is_empty(), is_sound, "byte {at}");
        for row in 0..ROWS {
            let found = file.get(row);
            match reader.get(row).unwrap() {
                Some(vectors) if found == Salvaged::Vector(vectors) => kept += 1,
                None if found == Salvaged::Absent => kept += 1,
                Some(_) | None => assert!(
                    found == Salvaged::Lost && !is_sound,
                    "byte {at}, row {row}: {found:?}"
                ),
            }
        }
        assert_eq!(file.get(ROWS), Salvaged::Lost);
    }
    // Prelude, padding, lists of checksums: what is damaged there costs no row.
    assert!(kept > ROWS * 64, "{kept}");
    assert!(open(ROWS + 1, 3).is_err() && open(ROWS, 2).is_err());
}
