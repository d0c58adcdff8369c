//! Catalog and manifest: any file is a record that does not contradict itself, or an error.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::{Input, bytes_of, damage_frame, put};
use vdb_storage::manifest::{
    AliasRecord, Catalog, CollectionManifest, CollectionRecord, ComponentRecord, ManifestRecord, ManifestStore,
    PayloadIndexRecord, SchemaRecord, SegmentRecord, SparseVectorRecord, VectorRecord,
};
use vdb_vfs::{Disk, MemDisk};

const DIR: &str = "db";

static CATALOG: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    committed(&Catalog {
        generation: 1,
        next_collection_id: 9,
        collections: vec![
            CollectionRecord {
                id: 3,
                name: "birds".to_owned(),
            },
            CollectionRecord {
                id: 8,
                name: "trees".to_owned(),
            },
        ],
        aliases: vec![AliasRecord {
            name: "animals".to_owned(),
            collection_id: 3,
        }],
    })
});

static MANIFEST: LazyLock<(String, Vec<u8>)> = LazyLock::new(|| {
    let vector = |number, name: &str| VectorRecord {
        number,
        name: name.to_owned(),
        size: 4,
        distance: 0,
        element: 0,
        multivector: None,
    };
    let component = |code, number| ComponentRecord {
        code,
        number,
        revision: 1,
        len: 640,
        crc: 5,
    };
    committed(&CollectionManifest {
        collection_id: 3,
        generation: 1,
        schema: SchemaRecord {
            vectors: vec![vector(0, ""), vector(1, "title")],
            sparse_vectors: vec![SparseVectorRecord {
                number: 2,
                name: "words".to_owned(),
                modifier: 1,
                element: 0,
            }],
            next_vector: 3,
            payload_indexes: vec![PayloadIndexRecord {
                number: 0,
                path: "pos".to_owned(),
                kind: 0,
                options: None,
            }],
            next_payload_index: 1,
            settings: vec![0; 5],
            ttl: Some("until".to_owned()),
            revision: 4,
        },
        flushed_lsn: 40,
        seq_floor: 30,
        weak: false,
        next_segment_id: 3,
        segments: vec![SegmentRecord {
            id: 2,
            rows: 10,
            min_seq: 1,
            max_seq: 30,
            components: vec![
                component(0, 0),
                component(1, 0),
                component(3, 0),
                component(3, 1),
                component(5, 0),
            ],
        }],
    })
});

fn committed<T: ManifestRecord>(record: &T) -> (String, Vec<u8>) {
    let disk = Arc::new(MemDisk::new());
    disk.create_dir_all(DIR).unwrap();
    ManifestStore::<T>::new(disk.clone(), DIR).commit(record).unwrap();
    let name = disk.list(DIR).unwrap().pop().unwrap();
    let path = format!("{DIR}/{name}");
    let bytes = bytes_of(&*disk, &path);
    (path, bytes)
}

fn load<T: ManifestRecord>((path, sound): &(String, Vec<u8>), input: &mut Input<'_>) {
    let disk = Arc::new(MemDisk::new());
    disk.create_dir_all(DIR).unwrap();
    put(&*disk, path, &damage_frame(sound, input));
    if let Ok(Some(record)) = ManifestStore::<T>::new(disk, DIR).load() {
        assert_eq!(record.contradiction(), None);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    match input.byte() % 2 {
        0 => load::<Catalog>(&CATALOG, &mut input),
        _ => load::<CollectionManifest>(&MANIFEST, &mut input),
    }
});
