//! What do many small collections take?

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::sync::Mutex;

use vdb::{CollectionConfig, Database, Distance, Point, SearchRequest, VectorParams};

/// Files and threads are those of the process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

const COLLECTIONS: u64 = 200;
const POINTS: u64 = 10;

fn config() -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(32, Distance::Dot))
}

fn fill(db: &Database) {
    for number in 0..COLLECTIONS {
        let collection = db.create_collection(&format!("c{number}"), config()).unwrap();
        let point = |id: u64| Point::new(id, vec![(id + number) as f32; 32]);
        collection.upsert((0..POINTS).map(point).collect()).unwrap();
    }
}

/// Bytes on the disk: blocks, not lengths.
#[cfg(unix)]
fn disk_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
    let below = entries.map(|entry| match entry.metadata().unwrap() {
        meta if meta.is_dir() => disk_bytes(&entry.path()),
        meta => meta.blocks() * 512,
    });
    std::fs::metadata(dir).unwrap().blocks() * 512 + below.sum::<u64>()
}

/// Entries of a directory of `/proc` about this process; 0 where there is none.
fn own(what: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{what}")).map_or(0, Iterator::count)
}

#[cfg(unix)]
#[test]
fn they_take_little_of_the_disk_and_no_files_and_threads_each() {
    let _alone = ALONE.lock();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Database::open(&path).unwrap();
    let (threads, files) = (own("task"), own("fd"));
    fill(&db);
    // In the log, in segments, and again after all of it was written once more.
    let check = |db: &Database, when: &str| {
        let each = disk_bytes(&path) / COLLECTIONS;
        assert!(each < 100 << 10, "{when}: {each} bytes a collection");
        assert!(
            own("fd") <= files + 8,
            "{when}: {} files, {files} before",
            own("fd")
        );
        assert!(
            own("task") <= threads + 8,
            "{when}: {} threads, {threads} before",
            own("task")
        );
        for number in 0..COLLECTIONS {
            let collection = db.collection(&format!("c{number}")).unwrap();
            let hits = collection
                .search(&SearchRequest::new(vec![1.0; 32]).limit(100))
                .unwrap();
            assert_eq!(hits.len() as u64, POINTS, "{when}");
        }
    };
    check(&db, "new");
    drop(db);
    let db = Database::open(&path).unwrap();
    check(&db, "opened again");
    for number in 0..COLLECTIONS {
        db.collection(&format!("c{number}")).unwrap().flush().unwrap();
    }
    check(&db, "flushed");
    db.close().unwrap();
    let db = Database::open(&path).unwrap();
    check(&db, "in segments");
    assert_eq!(db.info().open_collections, COLLECTIONS as usize);
}

#[test]
fn a_collection_that_is_open_is_found_without_waiting() {
    let _alone = ALONE.lock();
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path()).unwrap();
    let made = db.create_collection("c", config()).unwrap();
    made.upsert(vec![Point::new(1, vec![1.0; 32])]).unwrap();
    db.create_alias("a", "c").unwrap();
    for name in ["c", "a"] {
        assert_eq!(
            db.open_collection(name).unwrap().count(None).unwrap(),
            1,
            "{name}"
        );
    }
    assert!(db.open_collection("x").is_none());
    made.flush().unwrap();
    drop(made);
    db.close().unwrap();
    let db = Database::open(dir.path()).unwrap();
    assert_eq!(db.collection("a").unwrap().count(None).unwrap(), 1);
    assert!(db.open_collection("c").is_some());
    db.rename_collection("c", "d").unwrap();
    assert!(db.open_collection("c").is_none() && db.open_collection("d").is_some());
    db.drop_collection("d").unwrap();
    assert!(
        ["c", "d", "a"]
            .iter()
            .all(|name| db.open_collection(name).is_none())
    );
    assert!(!db.exists("d") && !db.exists("a"));
}
