//! Bodies of log records: whatever stands in one whose checksums hold, the database opens or says what is wrong; other
//! collections open, and what opens can be read and written.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use vdb::disk::{DynDisk, MemDisk};
use vdb::{
    CollectionConfig, Database, DatabaseBuilder, Distance, Durability, Element, MultiVectorComparator, Point,
    ScrollRequest, Select, SparseVector, SparseVectorParams, VectorParams, Vectors, WriteBatch,
};
use vdb_fuzz::{Input, damage};
use vdb_tests::files::{self, Files};
use vdb_wal::{Item, Wal, WalOptions};

/// Every file of a database, and a sound body for each kind of record.
struct Sound {
    files: Files,
    bodies: Vec<(u8, u32, Vec<u8>)>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let db = builder().open_disk(disk.clone()).unwrap();
    for name in ["a", "b"] {
        let several = VectorParams::new(2, Distance::Dot).multivector(MultiVectorComparator::MaxSim);
        let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
            .vector("side", VectorParams::new(3, Distance::Cosine).element(Element::F16))
            .vector("tokens", several)
            .sparse_vector("words", SparseVectorParams::new());
        db.create_collection(name, config).unwrap();
    }
    let a = db.collection("a").unwrap();
    let payload = json!({"k": ["x", 1, null], "o": {"p": 2.5}});
    let vectors = Vectors::from([1.0, 2.0])
        .with("side", vec![1.0, 0.0, 2.0])
        .with("tokens", vec![vec![1.0, 0.0], vec![0.5, -1.0]])
        .with("words", SparseVector::new([3, 9], [0.5, 2.0]));
    let point = Point::new(1, vectors).payload(payload.clone()).unwrap();
    a.upsert(vec![point.clone(), Point::new(2, [0.0, 1.0])]).unwrap();
    a.flush().unwrap();
    let set = payload.as_object().unwrap().clone();
    a.set_payload(set.clone(), vec![1u64, 2]).unwrap();
    a.delete(vec![2u64]).unwrap();
    let both = WriteBatch::new()
        .upsert("a", vec![point])
        .delete("a", vec![1u64])
        .set_payload("a", set, vec![3u64])
        .upsert("b", vec![Point::new(uuid::Uuid::from_u128(5), [3.0, 4.0])]);
    // Refused where point 3 is missing; then without it.
    if db.write(both).is_err() {
        let smaller = WriteBatch::new()
            .delete("a", vec![1u64])
            .upsert("b", vec![Point::new(uuid::Uuid::from_u128(5), [3.0, 4.0])]);
        db.write(smaller).unwrap();
    }
    db.close().unwrap();
    let mut bodies = Vec::new();
    let (_wal, mut recovered) = Wal::open(disk.clone(), "wal", options()).unwrap();
    while let Ok(Some(item)) = recovered.next_item() {
        if let Item::Frame(frame) = item {
            bodies.push((frame.kind, frame.collection, frame.body.to_vec()));
        }
    }
    assert!(bodies.len() >= 3, "the log still holds what was written");
    Sound {
        files: files::read(&*disk),
        bodies,
    }
});

fn builder() -> DatabaseBuilder {
    Database::builder().threads(1).background(false)
}

fn options() -> WalOptions {
    WalOptions {
        segment_bytes: 64 << 10,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let disk = files::disk(&SOUND.files);
    let (kind, collection, body) = &SOUND.bodies[usize::from(input.byte()) % SOUND.bodies.len()];
    // The record of another collection, of several, or of a kind that nobody knows.
    let collection = match input.byte() % 8 {
        0 => u32::from(input.byte() % 5),
        _ => *collection,
    };
    let kind = if input.byte() % 16 == 0 {
        input.byte()
    } else {
        *kind
    };
    let body = match input.byte() % 8 {
        0 => input.0.to_vec(),
        _ => damage(body, &mut input),
    };
    {
        let Ok((wal, mut recovered)) = Wal::open(disk.clone(), "wal", options()) else {
            return;
        };
        while let Ok(Some(_)) = recovered.next_item() {}
        drop(recovered);
        wal.append(kind, collection, &[&body]).unwrap();
        wal.close().unwrap();
    }
    let Ok(db) = builder().durability(Durability::Sync).open_disk(disk) else {
        return;
    };
    for name in ["a", "b"] {
        let Ok(collection) = db.collection(name) else {
            continue;
        };
        let _ = collection.scroll(&ScrollRequest::new().limit(100).select(Select::all()));
        let _ = collection.info();
        let written = collection.upsert(vec![Point::new(77, [1.0, 1.0])]);
        if written.is_ok() {
            assert_eq!(collection.get(&[77.into()], &Select::all()).unwrap().len(), 1);
            collection.flush().unwrap();
        }
    }
});
