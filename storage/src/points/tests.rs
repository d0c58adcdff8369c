use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use uuid::Uuid;
use vdb_vfs::{Disk, MemDisk};

use super::format::{EMPTY, KIND, Meta, row_bits, row_in, slot, slot_count};
use super::*;
use crate::damage::{assert_found, bytes, forge};
use crate::schema::SchemaRecord;
use crate::{Error, PointId, Result};

const PATH: &str = "seg-00000007.points";

fn identity() -> SegmentIdentity {
    SegmentIdentity {
        collection_id: 3,
        segment_id: 7,
        min_seq: 1,
        max_seq: 900,
        schema: SchemaRecord::default(),
    }
}

fn uuid(bits: u128) -> PointId {
    PointId::Uuid(Uuid::from_u128(bits))
}

/// Ids that lie close together as often as far apart.
fn ids() -> impl Strategy<Value = PointId> {
    prop_oneof![
        (0u64..50).prop_map(PointId::Num),
        any::<u64>().prop_map(PointId::Num),
        (0u128..50).prop_map(uuid),
        any::<u128>().prop_map(uuid),
    ]
}

fn written(points: &BTreeMap<PointId, u64>) -> (MemDisk, PointsReader) {
    let disk = MemDisk::new();
    let info = PointsWriter::write(&disk, PATH, identity(), points.iter().map(|(&id, &v)| (id, v))).unwrap();
    let reader = PointsReader::open(&disk, PATH).unwrap();
    assert_eq!(reader.info(), info);
    (disk, reader)
}

/// Calls all there is to call, whatever it answers, and verifies.
fn look_at_all(disk: &dyn Disk, path: &str, probes: &[PointId]) -> Result<()> {
    let reader = PointsReader::open(disk, path)?;
    for &id in probes {
        assert!(
            reader
                .find(id)
                .is_none_or(|row| row < reader.len() && reader.id(row) == Some(id))
        );
        assert!(reader.lower_bound(id) <= reader.len());
    }
    assert!(reader.iter_from(0).count() <= reader.len() as usize);
    reader.verify(disk)
}

proptest! {
    #[test]
    fn every_id_is_found_in_the_order_of_ids_and_no_other_is(
        points in btree_map(ids(), any::<u64>(), 0..120),
        others in vec(ids(), 50),
    ) {
        let (disk, reader) = written(&points);
        prop_assert_eq!(reader.len() as usize, points.len());
        prop_assert_eq!(reader.is_empty(), points.is_empty());
        prop_assert_eq!(reader.identity(), &identity());
        for (row, (&id, &version)) in (0..).zip(&points) {
            prop_assert_eq!(reader.id(row), Some(id));
            prop_assert_eq!(reader.version(row), Some(version));
            prop_assert_eq!(reader.find(id), Some(row));
            prop_assert_eq!(reader.lower_bound(id), row);
        }
        for id in others {
            let below = points.range(..id).count() as u32;
            prop_assert_eq!(reader.find(id), points.contains_key(&id).then_some(below));
            prop_assert_eq!(reader.lower_bound(id), below);
            let rest: Vec<_> = reader.iter_from(below).map(|(_, id, version)| (id, version)).collect();
            prop_assert_eq!(rest, points.range(id..).map(|(&id, &v)| (id, v)).collect::<Vec<_>>());
        }
        prop_assert_eq!(reader.id(reader.len()), None);
        prop_assert_eq!(reader.version(reader.len()), None);
        reader.verify(&disk).unwrap();
    }

    #[test]
    fn the_same_points_give_the_same_bytes(points in btree_map(ids(), any::<u64>(), 0..40)) {
        prop_assert_eq!(bytes(&written(&points).0, PATH), bytes(&written(&points).0, PATH));
    }

    #[test]
    fn forged_files_are_read_without_panic(
        numbers in vec(0u64..20, 0..12),
        uuids in vec(0u8..20, 0..6),
        table in vec(prop_oneof![any::<u32>(), 0u32..64, Just(EMPTY)], 40),
        seed: u64,
        max_probe in prop_oneof![0u32..5, Just(u32::MAX)],
        lie in prop_oneof![4 => Just((0u32, 0u32)), 1 => any::<(u32, u32)>()],
    ) {
        let disk = MemDisk::new();
        let rows = (numbers.len() + uuids.len()) as u32;
        let meta = Meta {
            identity: identity(),
            numbers: (numbers.len() as u32).wrapping_add(lie.0),
            uuids: (uuids.len() as u32).wrapping_add(lie.1),
            seed,
            max_probe,
        };
        let uuids: Vec<u8> = uuids.iter().flat_map(|&byte| [byte; 16]).collect();
        let table = &table[..slot_count(rows) as usize];
        let versions = vec![1u64; rows as usize];
        forge(&disk, PATH, KIND, &meta, &[
            bytemuck::cast_slice(&numbers), &uuids, bytemuck::cast_slice(&versions), bytemuck::cast_slice(table),
        ]);
        let probes: Vec<_> = (0..20).map(PointId::Num).chain((0..20).map(|b| uuid(u128::from_le_bytes([b; 16])))).collect();
        let _ = look_at_all(&disk, PATH, &probes);
    }

    #[test]
    fn a_slot_keeps_its_row_and_is_never_empty(rows in 1u32.., row: u32, hash: u64) {
        let (row, bits) = (row % rows, row_bits(rows));
        let slot = slot(row, hash, bits);
        prop_assert_ne!(slot, EMPTY);
        prop_assert_eq!(row_in(slot, hash, bits), Some(row));
    }
}

#[test]
fn any_damage_is_found() {
    let points: BTreeMap<_, _> = (0..20)
        .map(|n| (PointId::Num(n * 3), n))
        .chain((0..9).map(|n| (uuid(n), 5)))
        .collect();
    let (disk, _) = written(&points);
    let probes: Vec<_> = points.keys().copied().collect();
    assert_found(&disk, PATH, |disk| look_at_all(disk, PATH, &probes));
}

#[test]
fn ids_out_of_order_are_refused() {
    let disk = MemDisk::new();
    for (first, second) in [
        (PointId::Num(2), PointId::Num(1)),
        (PointId::Num(1), PointId::Num(1)),
        (uuid(1), PointId::Num(1)),
        (uuid(1), uuid(1)),
    ] {
        let error = PointsWriter::write(&disk, PATH, identity(), [(first, 1), (second, 2)]).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{error}");
        assert!(
            PointsReader::open(&disk, PATH).unwrap_err().is_corruption(),
            "an unfinished file opens"
        );
    }
}

#[test]
fn a_disorder_that_the_checksums_cover_is_found_by_verifying() {
    let disk = MemDisk::new();
    let meta = Meta {
        identity: identity(),
        numbers: 2,
        uuids: 0,
        seed: 0,
        max_probe: 3,
    };
    let sections: [&[u64]; 3] = [&[2, 1], &[], &[1, 1]];
    let table = [EMPTY; 4];
    let [numbers, uuids, versions] = sections.map(bytemuck::cast_slice);
    forge(
        &disk,
        PATH,
        KIND,
        &meta,
        &[numbers, uuids, versions, bytemuck::cast_slice(&table)],
    );
    let text = PointsReader::open(&disk, PATH)
        .unwrap()
        .verify(&disk)
        .unwrap_err()
        .to_string();
    assert!(text.contains("id 1 does not follow the one before"), "{text}");
}

#[test]
fn searches_are_short_whatever_the_pattern_of_ids() {
    type Pattern = fn(u64) -> PointId;
    let patterns: [(&str, Pattern); 4] = [
        ("ascending", PointId::Num),
        ("multiples", |n| PointId::Num(n << 32)),
        ("low half of uuids", |n| uuid(u128::from(n))),
        ("high half of uuids", |n| uuid(u128::from(n) << 64)),
    ];
    for (name, id) in patterns {
        let rows = 20_000;
        let ids: BTreeSet<_> = (0..rows).map(id).collect();
        let disk = MemDisk::new();
        PointsWriter::write(&disk, PATH, identity(), ids.into_iter().map(|id| (id, 1))).unwrap();
        let reader = PointsReader::open(&disk, PATH).unwrap();
        // Random hashing at a load of 3/5 leaves the longest of so many searches well below this.
        let longest = reader.max_probe();
        assert!(longest < 150, "{name}: {longest} probes");
    }
}
