use std::fmt::Debug;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use vdb_vfs::{Disk, MemDisk, frame};

use super::*;
use crate::component::{Component, SegmentFile};
use crate::damage::{assert_found, bytes, forge, put};
use crate::{Error, Result, codec};

fn vector(number: u16, name: &str) -> VectorRecord {
    VectorRecord {
        number,
        name: name.to_owned(),
        size: 384,
        distance: 1,
        element: 0,
        multivector: None,
    }
}

fn component(component: Component, revision: u32) -> ComponentRecord {
    let file = SegmentFile {
        segment: 0,
        component,
        revision,
    };
    ComponentRecord::new(
        &file,
        frame::FrameInfo {
            len: 640,
            crc: 0xDEAD_BEEF,
        },
    )
}

fn segment(id: u64) -> SegmentRecord {
    let components = vec![
        component(Component::Points, 0),
        component(Component::Payload, 0),
        component(Component::Vectors(0), 0),
        component(Component::Tombstones, 3),
    ];
    SegmentRecord {
        id,
        rows: 10,
        min_seq: 1,
        max_seq: 20,
        components,
    }
}

fn manifest(generation: u64) -> CollectionManifest {
    let schema = SchemaRecord {
        vectors: vec![vector(0, ""), vector(2, "image")],
        sparse_vectors: Vec::new(),
        next_vector: 3,
        payload_indexes: vec![PayloadIndexRecord {
            number: 0,
            path: "a.b[]".to_owned(),
            kind: 1,
            options: Some(PayloadIndexOptionsRecord {
                switches: vec![None, Some(true), Some(false)],
                memory: Some(2),
                text: TextOptionsRecord {
                    tokenizer: Some("word".to_owned()),
                    min_token_len: Some(2),
                    stopwords: Some(StopwordsRecord::Set {
                        languages: None,
                        custom: Some(vec!["owl".to_owned()]),
                    }),
                    stemmer: Some(StemmerRecord::Snowball("english".to_owned())),
                    ..TextOptionsRecord::default()
                },
            }),
        }],
        next_payload_index: 1,
        settings: vec![1, 2, 3],
        ttl: Some("until".to_owned()),
        revision: 4,
    };
    CollectionManifest {
        collection_id: 5,
        generation,
        schema,
        flushed_lsn: 77,
        seq_floor: 20,
        weak: false,
        next_segment_id: 9,
        segments: vec![segment(1), segment(8)],
    }
}

fn catalog(generation: u64) -> Catalog {
    Catalog {
        generation,
        next_collection_id: 3,
        collections: vec![
            CollectionRecord {
                id: 0,
                name: "docs".to_owned(),
            },
            CollectionRecord {
                id: 2,
                name: "images".to_owned(),
            },
        ],
        aliases: vec![AliasRecord {
            name: "live".to_owned(),
            collection_id: 2,
        }],
    }
}

fn store<T: ManifestRecord>() -> (Arc<MemDisk>, ManifestStore<T>) {
    let disk = Arc::new(MemDisk::new());
    disk.create_dir_all("c").unwrap();
    (disk.clone(), ManifestStore::new(disk, "c"))
}

#[test]
fn the_newest_commit_is_what_loads_and_the_one_before_is_kept() {
    let (disk, manifests) = store();
    let (_, catalogs) = (0, ManifestStore::new(disk.clone(), "c"));
    assert_eq!(manifests.load().unwrap(), None);
    catalogs.commit(&catalog(1)).unwrap();
    for generation in [1, 2, 3, 16] {
        manifests.commit(&manifest(generation)).unwrap();
        assert_eq!(manifests.load().unwrap(), Some(manifest(generation)));
    }
    assert_eq!(manifests.generations().unwrap(), [16]);
    assert_eq!(manifests.spares().unwrap(), [3]);
    assert_eq!(manifests.load_spare(3).unwrap(), manifest(3));
    assert_eq!(catalogs.load().unwrap(), Some(catalog(1)));
    let names = disk.list("c").unwrap();
    assert_eq!(
        names,
        [
            "catalog-0000000000000001",
            "manifest-0000000000000003.old",
            "manifest-0000000000000010"
        ]
    );
}

#[test]
fn an_older_generation_cannot_replace_a_newer_one() {
    let (_, store) = store();
    store.commit(&catalog(4)).unwrap();
    for generation in [4, 3] {
        let result = store.commit(&catalog(generation));
        assert!(
            matches!(result, Err(Error::StaleGeneration { newest: 4, .. })),
            "{result:?}"
        );
    }
    assert_eq!(store.load().unwrap(), Some(catalog(4)));
}

#[test]
fn a_damaged_newest_manifest_is_an_error_that_names_it_and_the_one_before() {
    let (disk, store) = store();
    store.commit(&manifest(1)).unwrap();
    store.commit(&manifest(2)).unwrap();
    let path = "c/manifest-0000000000000002";
    let mut damaged = bytes(&*disk, path);
    damaged[100] ^= 1;
    put(&*disk, path, &damaged);
    let error = store.load().unwrap_err();
    assert!(error.is_corruption());
    let Error::Manifest { path, previous, .. } = &error else {
        unreachable!("{error}")
    };
    assert!(path.ends_with("manifest-0000000000000002"));
    assert!(
        previous
            .as_ref()
            .is_some_and(|path| path.ends_with("manifest-0000000000000001.old"))
    );
    assert_eq!(store.load_spare(1).unwrap(), manifest(1));
    store.commit(&manifest(3)).unwrap();
    assert_eq!(store.load().unwrap(), Some(manifest(3)));
}

#[test]
fn the_one_before_never_counts_when_the_newest_is_gone() {
    let (disk, store) = store();
    store.commit(&manifest(1)).unwrap();
    store.commit(&manifest(2)).unwrap();
    disk.remove("c/manifest-0000000000000002").unwrap();
    let error = store.load().unwrap_err();
    assert!(error.is_corruption());
    assert!(matches!(error, Error::ManifestMissing { .. }), "{error}");
    assert!(
        error.to_string().contains("manifest-0000000000000001.old"),
        "{error}"
    );
}

#[test]
fn two_generations_that_a_crash_has_left_side_by_side_are_sorted_out_by_the_next_commit() {
    let (disk, store) = store();
    store.commit(&manifest(1)).unwrap();
    store.commit(&manifest(2)).unwrap();
    disk.rename("c/manifest-0000000000000001.old", "c/manifest-0000000000000001")
        .unwrap();
    assert_eq!(store.load().unwrap(), Some(manifest(2)));
    store.commit(&manifest(3)).unwrap();
    assert_eq!(store.generations().unwrap(), [3]);
    assert_eq!(store.spares().unwrap(), [2]);
}

#[test]
fn a_version_of_another_build_is_refused_by_name_and_not_called_damage() {
    let (disk, store) = store::<Catalog>();
    let kind = frame::FileKind {
        version: 2,
        ..Catalog::KIND
    };
    forge(
        &*disk,
        "c/catalog-0000000000000001",
        kind,
        &(),
        &[&codec::encode(&catalog(1)).unwrap()],
    );
    let error = store.load().unwrap_err();
    assert!(!error.is_corruption());
    assert!(
        error
            .to_string()
            .contains("catalog format version 2 is not supported"),
        "{error}"
    );
}

#[test]
fn a_file_under_the_name_of_another_generation_is_damage() {
    let (disk, store) = store();
    store.commit(&catalog(1)).unwrap();
    put(
        &*disk,
        "c/catalog-0000000000000007",
        &bytes(&*disk, "c/catalog-0000000000000001"),
    );
    let error = store.load().unwrap_err();
    assert!(matches!(error, Error::Manifest { .. }), "{error}");
}

#[test]
fn an_older_generation_that_a_crash_has_left_among_those_that_count_becomes_the_spare() {
    let (disk, store) = store();
    for generation in 1..=3 {
        store.commit(&manifest(generation)).unwrap();
    }
    // As it is between a commit and what follows it.
    let name = "manifest-0000000000000002";
    disk.rename(&format!("c/{name}.old"), &format!("c/{name}"))
        .unwrap();
    assert_eq!(store.generations().unwrap(), [2, 3]);
    store.settle().unwrap();
    assert_eq!(
        (store.generations().unwrap(), store.spares().unwrap()),
        (vec![3], vec![2])
    );
    disk.remove("c/manifest-0000000000000003").unwrap();
    assert!(matches!(store.load(), Err(Error::ManifestMissing { .. })));
    // Nothing is to be done where none counts, or one.
    store.settle().unwrap();
    assert_eq!(
        (store.generations().unwrap(), store.spares().unwrap()),
        (vec![], vec![2])
    );
}

#[test]
fn names_that_are_not_manifests_are_passed_over() {
    let (disk, store) = store();
    store.commit(&manifest(1)).unwrap();
    for name in [
        "manifest-2",
        "manifest-0000000000000002.tmp",
        "manifest-000000000000000A",
        "seg-00000001.points",
    ] {
        put(&*disk, &format!("c/{name}"), b"x");
    }
    assert_eq!(store.generations().unwrap(), [1]);
    assert_eq!(store.load().unwrap(), Some(manifest(1)));
}

#[test]
fn any_damage_is_found() {
    let (disk, store) = store();
    store.commit(&catalog(1)).unwrap();
    let name = "catalog-0000000000000001";
    let flat = MemDisk::new();
    put(&flat, name, &bytes(&*disk, &format!("c/{name}")));
    assert_found(&flat, name, |disk| {
        let copy = Arc::new(MemDisk::new());
        put(&*copy, name, &bytes(disk, name));
        ManifestStore::<Catalog>::new(copy, "")
            .load_generation(1)
            .map(drop)
    });
}

#[test]
fn the_files_of_a_segment_follow_from_its_record() {
    let record = segment(8);
    let names: Vec<_> = record.files().map(|file| file.to_string()).collect();
    let expected = [
        "seg-00000008.points",
        "seg-00000008.payload",
        "seg-00000008.v0000.vec",
        "seg-00000008.tomb-3",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        record
            .component(Component::Tombstones)
            .map(|record| record.revision),
        Some(3)
    );
    assert_eq!(record.component(Component::Graph(0)), None);
}

#[test]
fn schemas_find_vectors_and_indexes_by_name() {
    let schema = manifest(1).schema;
    assert_eq!(schema.vector("image").map(|vector| vector.number), Some(2));
    assert_eq!(schema.vector("none"), None);
    assert_eq!(schema.payload_index("a.b[]").map(|index| index.number), Some(0));
}

fn assert_refused<T: ManifestRecord + Clone + Debug>(good: &T, spoil: impl Fn(&mut T), names: &str) {
    let mut bad = good.clone();
    spoil(&mut bad);
    let (disk, store) = store::<T>();
    let error = store.commit(&bad).unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { reason, .. } if reason.contains(names)),
        "{names}: {error}"
    );
    let path = format!("c/{}-{:016x}", T::STEM, bad.generation());
    forge(&*disk, &path, T::KIND, &(), &[&codec::encode(&bad).unwrap()]);
    let error = store.load_generation(bad.generation()).unwrap_err();
    assert!(
        error.is_corruption() && error.to_string().contains(names),
        "{names}: {error}"
    );
    assert!(good.contradiction().is_none());
}

#[test]
fn manifests_that_contradict_themselves_are_neither_written_nor_read() {
    type Spoil = fn(&mut CollectionManifest);
    let cases: [(Spoil, &str); 16] = [
        (|m| m.segments.reverse(), "order of their ids"),
        (|m| m.next_segment_id = 8, "segment 8"),
        (|m| m.segments[0].min_seq = 21, "operations 21 to 20"),
        (|m| m.segments[0].components[0].code = 99, "code 99"),
        (|m| m.generation = NUMBER_END, "the generation"),
        (|m| m.flushed_lsn = u64::MAX, "the last record"),
        (|m| m.seq_floor = u64::MAX, "the last operation"),
        (|m| m.next_segment_id = u64::MAX, "the next segment"),
        (|m| m.segments[0].max_seq = u64::MAX, "an operation"),
        (|m| m.segments[0].min_seq = u64::MAX, "an operation"),
        (
            |m| m.segments[0].components[1].revision = u32::MAX,
            "no revision left",
        ),
        (
            |m| m.segments[0].components.push(component(Component::Points, 1)),
            "two files for Points",
        ),
        (|m| m.schema.next_vector = 2, "vector numbers [0, 2]"),
        (|m| m.schema.next_payload_index = 0, "payload index numbers [0]"),
        (
            |m| m.schema.vectors[1].name.clear(),
            "two vectors have the name \"\"",
        ),
        (
            |m| {
                let again = PayloadIndexRecord {
                    number: 1,
                    ..m.schema.payload_indexes[0].clone()
                };
                m.schema.payload_indexes.push(again);
                m.schema.next_payload_index = 2;
            },
            "two payload indexes",
        ),
    ];
    for (spoil, names) in cases {
        assert_refused(&manifest(1), spoil, names);
    }
}

#[test]
fn catalogs_that_contradict_themselves_are_neither_written_nor_read() {
    type Spoil = fn(&mut Catalog);
    let cases: [(Spoil, &str); 6] = [
        (|c| c.collections.reverse(), "order of their ids"),
        (|c| c.next_collection_id = 2, "collection 2"),
        (|c| c.generation = u64::MAX, "the generation"),
        (
            |c| c.collections[0].name = "images".to_owned(),
            "\"images\" is given twice",
        ),
        (
            |c| c.aliases[0].name = "docs".to_owned(),
            "\"docs\" is given twice",
        ),
        (
            |c| c.aliases[0].collection_id = 1,
            "alias \"live\" stands for collection 1",
        ),
    ];
    for (spoil, names) in cases {
        assert_refused(&catalog(1), spoil, names);
    }
}

proptest! {
    #[test]
    fn collections_and_aliases_come_back_as_they_were(
        generation in 1..NUMBER_END,
        names in proptest::collection::btree_set("\\PC{0,12}", 0..12),
        aliases in 0usize..4,
    ) {
        let mut names = names.into_iter();
        let mut record = Catalog { generation, next_collection_id: 50, ..Catalog::default() };
        let split = names.len().saturating_sub(aliases);
        record.collections =
            (0..).step_by(3).zip(names.by_ref().take(split)).map(|(id, name)| CollectionRecord { id, name }).collect();
        if split > 0 {
            record.aliases = names.map(|name| AliasRecord { name, collection_id: 0 }).collect();
        }
        let (_, store) = store();
        store.commit(&record).unwrap();
        prop_assert_eq!(store.load().unwrap(), Some(record));
    }

    #[test]
    fn any_bytes_in_a_well_formed_frame_are_read_without_panic(section in vec(any::<u8>(), 0..200), flip: usize) {
        let (disk, store) = store::<CollectionManifest>();
        let path = "c/manifest-0000000000000001";
        forge(&*disk, path, CollectionManifest::KIND, &(), &[&section]);
        prop_assert!(store.load_generation(1).is_err());
        let mut real = codec::encode(&manifest(1)).unwrap();
        let at = flip / 8 % real.len();
        real[at] ^= 1 << (flip % 8);
        forge(&*disk, path, CollectionManifest::KIND, &(), &[&real]);
        let _: Result<_> = store.load_generation(1);
    }
}
