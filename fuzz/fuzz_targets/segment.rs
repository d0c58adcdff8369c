//! The files of a segment: points, vectors, payloads, tombstones. Whatever they hold, opening, reading and verifying
//! them end in values or errors, and what `verify` passes answers consistently.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use uuid::Uuid;
use vdb_fuzz::{Input, bytes_of, damage_frame, disk_with};
use vdb_storage::PointId;
use vdb_storage::manifest::SchemaRecord;
use vdb_storage::payload::{PayloadReader, PayloadWriter, encode_payload};
use vdb_storage::points::{PointsReader, PointsWriter, SegmentIdentity};
use vdb_storage::tombstone::{self, Tombstones};
use vdb_storage::vectors::{VectorsReader, VectorsWriter};
use vdb_sys::element::Element;
use vdb_vfs::MemDisk;

const PATH: &str = "file";
const ROWS: u32 = 12;

fn ids() -> impl Iterator<Item = PointId> {
    let numbers = (0..8_u64).map(|number| PointId::Num(number * 1000));
    numbers.chain((0..4_u128).map(|number| PointId::Uuid(Uuid::from_u128(number << 100))))
}

static POINTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let schema = SchemaRecord {
        vectors: Vec::new(),
        sparse_vectors: Vec::new(),
        next_vector: 0,
        payload_indexes: Vec::new(),
        next_payload_index: 0,
        settings: Vec::new(),
        ttl: None,
        revision: 0,
    };
    let identity = SegmentIdentity {
        collection_id: 1,
        segment_id: 2,
        min_seq: 1,
        max_seq: 20,
        schema,
    };
    let mut writer = PointsWriter::create(&disk, PATH, identity).unwrap();
    for (version, id) in (1..).zip(ids()) {
        writer.push(id, version).unwrap();
    }
    writer.finish().unwrap();
    bytes_of(&disk, PATH)
});

/// With a vector in each row, and with a vector in every third.
static VECTORS: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| {
    [1, 3].map(|step| {
        let disk = MemDisk::new();
        let mut writer = VectorsWriter::create(&disk, PATH, Element::F16, 3).unwrap();
        for row in (0..ROWS).step_by(step) {
            writer.push(row, &[row as u8; 6]).unwrap();
        }
        writer.finish(ROWS).unwrap();
        bytes_of(&disk, PATH)
    })
});

static PAYLOADS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let mut writer = PayloadWriter::create(&disk, PATH).unwrap();
    for row in 0..ROWS {
        let payload = json!({"n": row, "words": ["owl", null, {"deep": [1.5, true]}], "text": "x".repeat(row as usize)});
        let blob = payload
            .as_object()
            .filter(|_| row % 4 != 0)
            .map(|map| encode_payload(map).unwrap());
        writer.push(&blob.unwrap_or_default()).unwrap();
    }
    writer.finish().unwrap();
    bytes_of(&disk, PATH)
});

static TOMBSTONES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = MemDisk::new();
    let deleted = [1, 5, 6, 7, 11].into_iter().collect();
    tombstone::write(
        &disk,
        PATH,
        &Tombstones {
            segment_id: 2,
            rows: ROWS,
            max_seq: 20,
            deleted,
        },
    )
    .unwrap();
    bytes_of(&disk, PATH)
});

fn points(disk: &MemDisk) {
    let Ok(reader) = PointsReader::open(disk, PATH) else {
        return;
    };
    let sound = reader.verify(disk).is_ok();
    for id in ids().chain([PointId::Num(u64::MAX), PointId::Num(7)]) {
        let (found, bound) = (reader.find(id), reader.lower_bound(id));
        assert!(found.is_none_or(|row| reader.id(row) == Some(id)));
        assert!(!sound || found.is_none_or(|row| row == bound));
    }
    for (row, id, _) in reader.iter_from(0).take(1000) {
        assert!(
            !sound || reader.find(id) == Some(row),
            "row {row} is not found by its id {id}"
        );
    }
    assert_eq!(reader.id(reader.len()), None);
}

fn vectors(disk: &MemDisk) {
    let Ok(reader) = VectorsReader::open(disk, PATH) else {
        return;
    };
    let sound = reader.verify(disk).is_ok();
    let matrix = reader.matrix();
    assert_eq!(matrix.len(), reader.len());
    for slot in 0..reader.len().min(1000) {
        let row = reader.row_of(slot);
        assert!(!sound || row.and_then(|row| reader.slot_of(row)) == Some(slot));
        let _ = row.and_then(|row| reader.vector_of(row)).map(<[u8]>::len);
    }
    for row in (0..reader.rows().min(1000)).chain([reader.rows(), u32::MAX]) {
        let _ = reader.slot_of(row);
    }
}

fn payloads(disk: &MemDisk) {
    let Ok(reader) = PayloadReader::open(disk, PATH) else {
        return;
    };
    let sound = reader.verify(disk).is_ok();
    for row in 0..reader.len().min(1000) {
        let decoded = reader.object(row).and_then(|object| {
            let _ = object.get("words");
            object.to_json().map_err(|error| reader.damaged(row, error))
        });
        assert!(
            !sound || decoded.is_ok(),
            "row {row} passed verification: {decoded:?}"
        );
    }
    assert!(reader.get(reader.len()).is_err());
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let (sound, read): (&[u8], fn(&MemDisk)) = match input.byte() % 5 {
        0 => (&POINTS, points),
        1 => (&VECTORS[0], vectors),
        2 => (&VECTORS[1], vectors),
        3 => (&PAYLOADS, payloads),
        _ => (&TOMBSTONES, |disk| {
            if let Ok((tombstones, _)) = tombstone::read(disk, PATH) {
                assert!(tombstones.deleted.max().is_none_or(|last| last < tombstones.rows));
            }
        }),
    };
    read(&disk_with(PATH, &damage_frame(sound, &mut input)));
});
