//! What the next opening makes of a directory that was left, lost or changed.

mod ends;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use vdb_vfs::sim::SimDisk;
use vdb_vfs::{DynDisk, MemDisk};
use vdb_wal::{Wal, WalOptions};

use crate::fixture::files_below;
use crate::layout::LOG_DIR;
use crate::write::record::{KIND_EFFECTS, MANY};
use crate::{
    Collection, CollectionConfig, Control, Database, Distance, Durability, Error, Point, RestoreMode,
    VectorParams, WriteBatch,
};

fn config() -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(2, Distance::Dot))
}

fn point(id: u64) -> Vec<Point> {
    vec![Point::new(id, [1.0, id as f32])]
}

fn on(disk: &SimDisk, durability: Durability) -> Database {
    Database::builder()
        .background(false)
        .durability(durability)
        .sync_interval(Duration::from_secs(3600))
        .log_segment_bytes(0)
        .open_disk(Arc::new(disk.clone()))
        .unwrap()
}

fn at(path: &Path) -> crate::Result<Database> {
    Database::builder()
        .background(false)
        .log_segment_bytes(0)
        .open(path)
}

fn points_at(path: &Path) -> u64 {
    at(path).unwrap().collection("c").unwrap().count(None).unwrap()
}

fn last(db: &Database) -> u64 {
    db.collection("c").unwrap().info().unwrap().last_sequence
}

/// Weak writes 1 to 50 whose power is cut. With `flushed`, the first is in a segment and its log file is gone.
fn cut(seed: u64, flushed: bool) -> SimDisk {
    let disk = SimDisk::new(seed);
    let db = on(&disk, Durability::Buffered);
    let c = db.create_collection("c", config()).unwrap();
    let other = db.create_collection("other", config()).unwrap();
    c.upsert(point(1)).unwrap();
    if flushed {
        let big = "x".repeat(70_000);
        for id in 0..3 {
            let payload = json!({ "big": big });
            let points = vec![Point::new(id, [1.0, 0.0]).payload(payload).unwrap()];
            other.upsert(points).unwrap();
        }
        c.flush().unwrap();
        other.flush().unwrap();
    }
    for id in 2..=50 {
        c.upsert(point(id)).unwrap();
    }
    assert_eq!(last(&db), 50);
    disk.crash(seed)
}

#[test]
fn numbers_are_skipped_in_the_very_session_that_had_no_room_to_commit_it() {
    let mut opened = 0;
    for seed in 0..4 {
        let found = cut(seed, true);
        for room in (0..100_000).step_by(1_024) {
            let disk = found.restart();
            disk.set_capacity(Some(disk.used().saturating_sub(90_000) + room));
            let db = Database::builder()
                .background(false)
                .open_disk(Arc::new(disk.clone()));
            disk.set_capacity(None);
            if let Ok(db) = db {
                opened += 1;
                assert!(last(&db) >= 50, "seed {seed}, room {room}: {}", last(&db));
            }
        }
    }
    assert!(opened > 0);
}

#[test]
fn a_number_that_a_power_cut_has_lost_is_not_given_again_by_any_later_opening() {
    for seed in 0..6 {
        for flushed in [false, true] {
            let found = cut(seed, flushed);
            // Opened, not looked at, and closed as usual.
            on(&found, Durability::Sync).close().unwrap();
            let db = on(&found, Durability::Sync);
            assert!(last(&db) >= 50, "seed {seed}, flushed {flushed}: {}", last(&db));
            drop(db);

            // Written to and flushed, which says that nothing weak is under way any more.
            let found = cut(seed, flushed);
            let db = on(&found, Durability::Sync);
            let c = db.collection("c").unwrap();
            c.flush().unwrap();
            db.close().unwrap();
            let db = on(&found, Durability::Sync);
            assert!(last(&db) >= 50, "seed {seed}, flushed {flushed}: {}", last(&db));
            // What was skipped once is not skipped again.
            let known = last(&db);
            db.close().unwrap();
            let again = found.crash(seed);
            drop(on(&again, Durability::Sync));
            assert!(last(&on(&again, Durability::Sync)) <= known.max(51) + (1 << 20));
        }
    }
}

#[test]
fn a_full_disk_opens_and_the_skipped_numbers_stay_skipped() {
    for seed in 0..4 {
        let found = cut(seed, false);
        for room in (0..40_000).step_by(4_000) {
            let disk = found.restart();
            disk.set_capacity(Some(disk.used() + room));
            let opened = Database::builder()
                .background(false)
                .open_disk(Arc::new(disk.clone()));
            if let Ok(db) = opened {
                let _ = db.close();
            }
            disk.set_capacity(None);
            assert!(
                last(&on(&disk, Durability::Sync)) >= 50,
                "seed {seed}, room {room}"
            );
        }
    }
}

#[test]
fn a_handle_of_a_closed_database_touches_nothing_of_the_next_owner() {
    let dir = tempfile::tempdir().unwrap();
    {
        let db = at(dir.path()).unwrap();
        for name in ["a", "b"] {
            db.create_collection(name, config())
                .unwrap()
                .upsert(point(1))
                .unwrap();
        }
        db.collection("b").unwrap().flush().unwrap();
        db.close().unwrap();
    }
    let old = at(dir.path()).unwrap();
    let a: Collection = old.collection("a").unwrap();
    old.clone().close().unwrap();
    let _next = at(dir.path()).unwrap();
    // As if the next owner were flushing.
    let flushing = dir.path().join("collections/00000002/seg-000000ff.points");
    fs::write(&flushing, b"x").unwrap();
    assert!(matches!(old.collection("b"), Err(Error::Closed)));
    assert!(matches!(old.verify(&Control::none()), Err(Error::Closed)));
    let backup = tempfile::tempdir().unwrap();
    let taken = old.snapshot_to_dir(backup.path().join("s"), &Control::none());
    assert!(matches!(taken, Err(Error::Closed)), "{taken:?}");
    assert!(!dir.path().join("tmp").exists());
    assert!(matches!(a.count(None), Err(Error::Closed)));
    assert!(flushing.exists());
}

#[test]
fn a_directory_called_catalog_makes_no_database() {
    for inside in [None, Some("shoes.txt"), Some("notes.tmp"), Some("catalog-1")] {
        for beside in ["tmp/keep", "photos/a.jpg"] {
            let dir = tempfile::tempdir().unwrap();
            let write = |name: &str| {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, b"important").unwrap();
            };
            fs::create_dir(dir.path().join("catalog")).unwrap();
            if let Some(name) = inside {
                write(&format!("catalog/{name}"));
            }
            write(beside);
            let before = files_below(dir.path());
            let refused = at(dir.path()).unwrap_err();
            assert!(
                matches!(refused, Error::NotADatabase { .. }),
                "{inside:?}: {refused:?}"
            );
            assert_eq!(files_below(dir.path()), before);
        }
    }
    // What an interrupted creation has left is taken up.
    let dir = tempfile::tempdir().unwrap();
    for name in ["catalog", "collections", "wal"] {
        fs::create_dir(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("catalog/catalog-0000000000000001.tmp"), b"half").unwrap();
    fs::write(dir.path().join("lock"), b"").unwrap();
    at(dir.path()).unwrap();
}

#[test]
fn rows_that_no_catalog_knows_of_are_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    let catalogs = dir.path().join("catalog");
    let keep = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    db.create_collection("a", config()).unwrap();
    let old = files_below(&catalogs);
    for file in &old {
        fs::copy(file, keep.path().join(file.file_name().unwrap())).unwrap();
    }
    let b = db.create_collection("b", config()).unwrap();
    b.upsert(point(1)).unwrap();
    b.flush().unwrap();
    db.close().unwrap();
    fs::write(dir.path().join("collections/.DS_Store"), b"x").unwrap();
    fs::write(dir.path().join("collections/0000002a"), b"x").unwrap();
    at(dir.path()).unwrap().close().unwrap();
    assert!(dir.path().join("collections/.DS_Store").exists());

    // The catalog is put back to what it was, and the log does not tell.
    for file in files_below(&catalogs) {
        fs::remove_file(file).unwrap();
    }
    for file in &old {
        fs::copy(keep.path().join(file.file_name().unwrap()), file).unwrap();
    }
    for file in files_below(&dir.path().join("wal")) {
        fs::remove_file(file).unwrap();
    }
    let empty = tempfile::tempdir().unwrap();
    at(empty.path()).unwrap().close().unwrap();
    for file in files_below(&empty.path().join("wal")) {
        fs::copy(&file, dir.path().join("wal").join(file.file_name().unwrap())).unwrap();
    }
    let before = files_below(&dir.path().join("collections"));
    let refused = at(dir.path()).unwrap_err();
    assert!(refused.to_string().contains("newer catalog"), "{refused}");
    assert_eq!(files_below(&dir.path().join("collections")), before);
    let report = crate::verify(dir.path(), &Control::none()).unwrap();
    assert!(report.has_lost_data(), "{:?}", report.problems);
}

#[test]
fn a_log_of_which_only_cut_tails_are_left_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    db.create_collection("c", config())
        .unwrap()
        .upsert(point(1))
        .unwrap();
    db.close().unwrap();
    for file in files_below(&dir.path().join("wal")) {
        fs::remove_file(file).unwrap();
    }
    fs::write(dir.path().join("wal/0000000000000001-40-0.cut"), b"x").unwrap();
    let refused = at(dir.path()).map(drop).unwrap_err();
    assert!(refused.to_string().contains("the log is missing"), "{refused}");
    assert!(refused.to_string().contains("vdb verify"), "{refused}");
}

#[test]
fn what_is_wrong_with_one_collection_keeps_no_other_from_opening() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder()
        .background(false)
        .durability(Durability::Buffered)
        .open(dir.path())
        .unwrap();
    for name in ["a", "b"] {
        let c = db.create_collection(name, config()).unwrap();
        c.upsert(point(1)).unwrap();
        c.upsert(point(2)).unwrap();
    }
    db.sync().unwrap();
    // The log as a crash leaves it, and the second record of `a` damaged: behind two headers and the first record.
    let log = dir.path().join("wal/0000000000000001.log");
    let bytes = fs::read(&log).unwrap();
    drop(db);
    let len = u32::from_le_bytes(bytes[64 + 24..64 + 28].try_into().unwrap()) as usize;
    let second = 64 + 40 + len.next_multiple_of(8);
    let mut damaged = bytes;
    damaged[second + 40 + 8] ^= 0x10;
    fs::write(&log, damaged).unwrap();
    let db = at(dir.path()).unwrap();
    let refused = db.collection("a").map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("record 2") && refused.contains("vdb verify"),
        "{refused}"
    );
    assert_eq!(refused.matches("damaged").count(), 2, "{refused}");
    assert_eq!(refused.matches("wal").count(), 1, "{refused}");
    assert_eq!(db.collection("b").unwrap().count(None).unwrap(), 2);
}

#[test]
fn a_record_that_does_not_fit_its_collection_keeps_no_other_from_opening() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    for name in ["a", "b"] {
        db.create_collection(name, config())
            .unwrap()
            .upsert(point(1))
            .unwrap();
    }
    db.close().unwrap();
    // A sound manifest of another schema: that of a collection of the same number elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = at(elsewhere.path()).unwrap();
    let wide = CollectionConfig::new(VectorParams::new(5, Distance::Dot));
    other.create_collection("a", wide).unwrap();
    other.close().unwrap();
    let manifest = "collections/00000001/manifest-0000000000000001";
    fs::copy(elsewhere.path().join(manifest), dir.path().join(manifest)).unwrap();
    let db = at(dir.path()).unwrap();
    let refused = db.collection("a").map(drop).unwrap_err().to_string();
    assert!(refused.contains("does not fit"), "{refused}");
    assert_eq!(db.collection("b").unwrap().count(None).unwrap(), 1);
}

#[test]
fn a_record_that_cannot_be_decoded_keeps_no_other_from_opening() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let open = || Database::builder().background(false).open_disk(disk.clone());
    let db = open().unwrap();
    for name in ["a", "b"] {
        let c = db.create_collection(name, config()).unwrap();
        c.upsert(point(1)).unwrap();
    }
    db.close().unwrap();
    let append = |collection| {
        let (wal, mut old) = Wal::open(disk.clone(), LOG_DIR, WalOptions::default()).unwrap();
        while old.next_item().unwrap().is_some() {}
        let lsn = wal.append(KIND_EFFECTS, collection, &[b"no record"]).unwrap();
        wal.sync(lsn).unwrap();
    };
    append(1);
    for _ in 0..2 {
        let db = open().unwrap();
        let refused = db.collection("a").map(drop).unwrap_err().to_string();
        assert!(refused.contains("record 3"), "{refused}");
        assert_eq!(db.collection("b").unwrap().count(None).unwrap(), 1);
        db.close().unwrap();
    }
    // Whom it concerns cannot be told.
    append(MANY);
    let refused = open().unwrap_err().to_string();
    assert!(refused.contains("record 4"), "{refused}");
}

#[test]
fn the_error_of_a_damaged_file_names_it_once_and_says_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(point(1)).unwrap();
    c.flush().unwrap();
    c.upsert(point(2)).unwrap();
    db.close().unwrap();
    let file = files_below(dir.path())
        .into_iter()
        .find(|file| file.to_string_lossy().ends_with(".vec"))
        .unwrap();
    fs::write(&file, b"no vectors").unwrap();
    let db = at(dir.path()).unwrap();
    let refused = db.collection("c").map(drop).unwrap_err().to_string();
    assert!(refused.starts_with(file.to_str().unwrap()), "{refused}");
    assert!(!refused.contains("wal"), "{refused}");
    assert_eq!(refused.matches("damaged").count(), 1, "{refused}");
    assert!(
        refused.ends_with("run `vdb verify` to see all that is wrong, and restore from a snapshot, or `vdb repair` to keep what can be read"),
        "{refused}"
    );
}

#[test]
fn files_of_another_segment_are_not_taken_for_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    for ids in [[1, 2], [3, 4]] {
        c.upsert(ids.map(|id| point(id).remove(0)).to_vec()).unwrap();
        c.flush().unwrap();
    }
    db.close().unwrap();
    let of = |segment: u32, ending: &str| {
        dir.path()
            .join(format!("collections/00000001/seg-{segment:08x}.{ending}"))
    };
    for ending in ["v0000.vec", "points", "payload"] {
        let whole = fs::read(of(1, ending)).unwrap();
        let other = fs::read(of(2, ending)).unwrap();
        if whole == other {
            continue;
        }
        fs::write(of(1, ending), other).unwrap();
        let refused = at(dir.path()).unwrap().collection("c").map(drop).unwrap_err();
        assert!(matches!(refused, Error::Damaged { .. }), "{ending}: {refused:?}");
        assert!(refused.to_string().contains(ending), "{refused}");
        fs::write(of(1, ending), whole).unwrap();
    }
    assert_eq!(points_at(dir.path()), 4);
}

#[test]
fn a_restored_collection_goes_on_behind_every_write_to_the_one_it_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(&dir.path().join("db")).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(point(1)).unwrap();
    let backup = dir.path().join("backup");
    db.snapshot_to_dir(&backup, &Control::none()).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    for _ in 0..5 {
        let c = db.collection("c").unwrap();
        let greatest = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let mut greatest = 0;
                        while !stop.load(std::sync::atomic::Ordering::Acquire) {
                            match c.submit(
                                crate::Operation::Delete {
                                    target: vec![crate::PointId::Num(7)].into(),
                                },
                                Durability::None,
                            ) {
                                Ok(ticket) => greatest = ticket.result().sequence(),
                                Err(_) => break,
                            }
                        }
                        greatest
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(20));
            db.restore_collection(&backup, "c", RestoreMode::Replace, &Control::none())
                .unwrap();
            writers.into_iter().map(|w| w.join().unwrap()).max().unwrap()
        });
        let next = db.collection("c").unwrap().upsert(point(2)).unwrap().sequence();
        assert!(next > greatest, "{next} after {greatest}");
    }
    db.write(WriteBatch::new().upsert("c", point(3))).unwrap();
}

#[test]
fn a_log_whose_oldest_file_is_lost_is_refused_with_what_helps() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let payload = json!({ "big": "x".repeat(40_000) });
    for id in 0..6 {
        let point = Point::new(id, [1.0, 0.0]).payload(payload.clone()).unwrap();
        c.upsert(vec![point]).unwrap();
    }
    db.close().unwrap();
    let oldest = dir.path().join("wal/0000000000000001.log");
    let bytes = fs::read(&oldest).unwrap();
    fs::remove_file(&oldest).unwrap();
    let refused = at(dir.path()).map(drop).unwrap_err().to_string();
    assert!(refused.starts_with(oldest.to_str().unwrap()), "{refused}");
    assert!(
        refused.contains("missing") && refused.contains("vdb verify"),
        "{refused}"
    );
    assert!(
        crate::verify(dir.path(), &Control::none())
            .unwrap()
            .has_lost_data()
    );

    // Released, it is not missed.
    fs::write(&oldest, bytes).unwrap();
    let db = at(dir.path()).unwrap();
    db.collection("c").unwrap().flush().unwrap();
    db.close().unwrap();
    assert!(!oldest.exists());
    assert!(crate::verify(dir.path(), &Control::none()).unwrap().is_sound());
    assert_eq!(points_at(dir.path()), 6);
}

#[test]
fn a_collection_of_a_newer_version_is_not_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let db = at(dir.path()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(point(1)).unwrap();
    c.flush().unwrap();
    c.upsert(point(2)).unwrap();
    db.close().unwrap();
    let file = dir.path().join("collections/00000001/seg-00000001.points");
    let mut bytes = fs::read(&file).unwrap();
    bytes[8..10].copy_from_slice(&999u16.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    fs::write(&file, bytes).unwrap();
    let refused = at(dir.path()).unwrap().collection("c").map(drop).unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("999") && said.contains("newer vdb"), "{said}");
    assert!(!said.contains("damaged") && !said.contains("restore"), "{said}");
    assert_eq!(said.matches("seg-").count(), 1, "{said}");
}

#[test]
fn many_collections_are_opened_together_and_a_damaged_one_keeps_none_closed() {
    let dir = tempfile::tempdir().unwrap();
    let name = |number: u64| format!("c{number}");
    let db = at(dir.path()).unwrap();
    for number in 0..40 {
        let c = db.create_collection(&name(number), config()).unwrap();
        c.upsert((0..=number).map(|id| Point::new(id, [1.0, 0.0])).collect())
            .unwrap();
    }
    drop(db);
    // Of one the manifests are gone, though the log has records of it.
    let damaged = crate::layout::collection_dir(8);
    for file in fs::read_dir(dir.path().join(&damaged)).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let check = |db: Database| {
        for number in 0..40 {
            let c = db.collection(&name(number));
            if number == 7 {
                assert!(c.unwrap_err().is_damage());
            } else {
                assert_eq!(c.unwrap().count(None).unwrap(), number + 1, "{number}");
            }
        }
    };
    let db = at(dir.path()).unwrap();
    assert_eq!(db.info().open_collections, 39);
    check(db);
    check(
        Database::builder()
            .background(false)
            .open_read_only(dir.path())
            .unwrap(),
    );
}
