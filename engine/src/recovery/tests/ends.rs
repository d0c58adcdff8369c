//! Numbers that no counting comes to, in files that were made by hand: what would go beyond their end is refused before it is
//! logged, and nothing that was refused keeps anybody from opening.

use vdb_storage::manifest::{CollectionManifest, ManifestStore, NUMBER_END};
use vdb_vfs::Disk;

use super::*;

/// Two collections, of which the manifest of the first one says something else.
fn forged(durability: Durability, change: impl FnOnce(&mut CollectionManifest)) -> SimDisk {
    let disk = SimDisk::new(1);
    let db = on(&disk, durability);
    for name in ["c", "other"] {
        let c = db.create_collection(name, config()).unwrap();
        c.upsert(point(1)).unwrap();
        c.flush().unwrap();
        if durability == Durability::Buffered {
            c.upsert(point(2)).unwrap();
        }
    }
    let disk = disk.crash(1);
    let store =
        ManifestStore::<CollectionManifest>::new(Arc::new(disk.clone()), crate::layout::collection_dir(1));
    let mut manifest = store.load().unwrap().unwrap();
    change(&mut manifest);
    manifest.generation += 1;
    store.commit(&manifest).unwrap();
    disk
}

/// The first collection takes no write, alone or with the other one, which goes on; also after another opening.
fn takes_none(disk: &SimDisk) {
    for id in 10..13 {
        let db = on(disk, Durability::Sync);
        let batch = WriteBatch::new()
            .upsert("other", point(id))
            .upsert("c", point(id));
        for refused in [
            db.write(batch).map(drop),
            db.collection("c").unwrap().upsert(point(id)).map(drop),
            db.collection("c").unwrap().delete(vec![1u64]).map(drop),
        ] {
            assert!(matches!(refused, Err(Error::Limit { .. })), "{refused:?}");
        }
        assert!(db.collection("c").unwrap().count(None).unwrap() > 0);
        let other = db.collection("other").unwrap();
        other.upsert(point(id)).unwrap();
        assert_eq!(other.get(&[id.into()], &crate::Select::all()).unwrap().len(), 1);
        db.close().unwrap();
    }
}

#[test]
fn the_operation_behind_the_last_one_is_refused() {
    let disk = forged(Durability::Sync, |manifest| manifest.seq_floor = NUMBER_END - 1);
    takes_none(&disk);
    // The last one is an operation like others.
    let disk = forged(Durability::Sync, |manifest| manifest.seq_floor = NUMBER_END - 3);
    let db = on(&disk, Durability::Sync);
    let c = db.collection("c").unwrap();
    let three = (3..6).fold(WriteBatch::new(), |batch, id| batch.upsert("c", point(id)));
    assert!(matches!(db.write(three), Err(Error::Limit { .. })));
    for id in 3..5 {
        c.upsert(point(id)).unwrap();
    }
    c.flush().unwrap();
    assert_eq!((c.count(None).unwrap(), last(&db)), (3, NUMBER_END - 1));
    drop((c, db));
    takes_none(&disk);
}

#[test]
fn numbers_that_are_skipped_end_with_the_last_one() {
    let disk = forged(Durability::Buffered, |manifest| {
        (manifest.seq_floor, manifest.weak) = (NUMBER_END - (1 << 19), true);
    });
    takes_none(&disk);
    assert_eq!(last(&on(&disk, Durability::Sync)), NUMBER_END - 1);
}

#[test]
fn a_segment_behind_the_last_one_costs_its_collection_alone_and_leaves_no_files() {
    let disk = forged(Durability::Sync, |manifest| {
        manifest.next_segment_id = NUMBER_END - 1;
    });
    for _ in 0..2 {
        let db = on(&disk, Durability::Sync);
        let files = || disk.list("collections/00000001").unwrap().len();
        let (c, other) = (db.collection("c").unwrap(), db.collection("other").unwrap());
        c.upsert(point(2)).unwrap();
        let before = files();
        for _ in 0..3 {
            c.flush().unwrap_err();
            assert_eq!(files(), before);
        }
        let refused = c.upsert(point(3)).unwrap_err().to_string();
        assert!(refused.contains("the next segment"), "{refused}");
        other.upsert(point(2)).unwrap();
        other.flush().unwrap();
        assert_eq!((c.count(None).unwrap(), other.count(None).unwrap()), (2, 2));
        db.close().unwrap();
    }
}

#[test]
fn a_change_of_the_schema_behind_the_last_one_is_refused() {
    let disk = forged(Durability::Sync, |manifest| manifest.schema.revision = u64::MAX);
    let db = on(&disk, Durability::Sync);
    let c = db.collection("c").unwrap();
    let refused = c.create_payload_index("k", crate::PayloadIndexKind::Keyword);
    assert!(matches!(refused, Err(Error::Limit { .. })), "{refused:?}");
    c.upsert(point(2)).unwrap();
    c.flush().unwrap();
    assert_eq!((c.payload_indexes(), c.count(None).unwrap()), (Vec::new(), 2));
}
