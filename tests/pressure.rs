//! Does a database keep going when memory, disk or log run short, and when jobs fail or are called off?
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use vdb::{
    Collection, CollectionConfig, Control, Database, DatabaseBuilder, Distance, Durability, Error, Expected,
    MAX_BATCH_POINTS, Operation, Point, Status, UpsertMode, WriteBatch,
};
use vdb_tests::config;
use vdb_vfs::Disk;
use vdb_vfs::sim::{Call, Fault, SimDisk};

/// Longer than anything here takes, unless it never ends.
const FOREVER: Duration = Duration::from_secs(60);

fn builder() -> DatabaseBuilder {
    Database::builder()
        .threads(1)
        .background(false)
        .sync_interval(Duration::from_secs(3_600))
}

fn plain() -> CollectionConfig {
    config(2, Distance::Dot)
}

fn point(id: u64) -> Point {
    Point::new(id, [1.0, 2.0])
}

fn some(ids: std::ops::Range<u64>) -> Vec<Point> {
    ids.map(point).collect()
}

fn upsert(points: Vec<Point>) -> Operation {
    Operation::Upsert {
        points,
        mode: UpsertMode::Upsert,
        update_filter: None,
    }
}

/// What `body` returns, unless it hangs.
fn in_time<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || send.send(body()));
    receive
        .recv_timeout(FOREVER)
        .unwrap_or_else(|_| panic!("it hangs"))
}

/// Waits until something holds.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < FOREVER, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn many_memtables_that_are_small_each_do_not_stop_writers() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder().open(dir.path()).unwrap();
    for i in 0..10 {
        let c = db.create_collection(&format!("c{i}"), plain()).unwrap();
        c.upsert(some(0..100)).unwrap();
    }
    db.close().unwrap();
    // What the log brings back is far more than this buffer, and none of it is half a buffer.
    let db = builder().write_buffer(64 << 10).open(dir.path()).unwrap();
    let c = db.collection("c0").unwrap();
    in_time(move || c.upsert(some(0..1))).unwrap();
}

/// Keeps the flushes of a collection from succeeding, or lets them again.
fn block_flushes(disk: &SimDisk, collection: u32, block: bool) {
    for segment in 1..200u32 {
        let name = format!("collections/{collection:08x}/seg-{segment:08x}.points");
        if block {
            disk.create_dir_all(&name).unwrap();
        } else {
            disk.remove_dir_all(&name).unwrap();
        }
    }
}

#[test]
fn writers_are_told_when_flushes_fail_and_go_on_after_a_restart() {
    let disk = SimDisk::new(0);
    let open = |disk: &SimDisk| {
        builder()
            .write_buffer(256 << 10)
            .open_disk(Arc::new(disk.clone()))
    };
    let db = open(&disk).unwrap();
    let all: Vec<Collection> = (0..8)
        .map(|i| db.create_collection(&format!("c{i}"), plain()).unwrap())
        .collect();
    // One that always can, so that its successes are not taken for those of the others.
    (1..8).for_each(|number| block_flushes(&disk, number, true));
    let writers = all.clone();
    let refused = in_time(move || {
        let writes = (0..).flat_map(|n| writers.iter().map(move |c| (n, c)));
        for (n, c) in writes {
            if let Err(error) = c.upsert(some(n * 10..n * 10 + 10)) {
                return error;
            }
        }
        unreachable!()
    });
    assert!(matches!(refused, Error::WriteBufferFull { .. }), "{refused}");
    // Deleting is still possible.
    all[0].delete(vec![1u64]).unwrap();

    let after = disk.restart();
    (1..8).for_each(|number| block_flushes(&after, number, false));
    let db = open(&after).unwrap();
    let c = db.collection("c0").unwrap();
    in_time(move || c.upsert(some(0..1))).unwrap();
}

#[test]
fn a_disk_that_was_full_is_not_eaten_up_by_attempts_and_takes_writes_again() {
    let disk = SimDisk::new(0);
    let db = builder()
        .write_buffer(64 << 10)
        .open_disk(Arc::new(disk.clone()))
        .unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    c.upsert(some(0..1_000)).unwrap();
    c.flush().unwrap();
    disk.set_capacity(Some(disk.used() + 100_000));
    let mut next = 10_000;
    let refused = loop {
        next += 200;
        if let Err(error) = c.upsert(some(next..next + 200)) {
            break error;
        }
    };
    let files = || disk.list("collections/00000001").unwrap();
    eventually("a flush fails", || c.info().unwrap().last_failure.is_some());
    assert!(!refused.to_string().is_empty());
    c.delete((0..1_000u64).collect::<Vec<_>>()).unwrap();
    let before = files();
    // Several attempts more, each under another name.
    thread::sleep(Duration::from_millis(2_500));
    assert!(
        files().len() <= before.len() + 3,
        "attempts pile up: {before:?}, then {:?}",
        files()
    );
    disk.set_capacity(Some(disk.used() + 400_000));
    eventually("writes are taken again", || c.upsert(some(1..2)).is_ok());
}

#[test]
fn a_merge_that_is_called_off_leaves_no_files() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder().open(dir.path()).unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    for round in 0..2 {
        c.upsert(some(round * 3_000..round * 3_000 + 3_000)).unwrap();
        c.flush().unwrap();
    }
    let files = || {
        std::fs::read_dir(dir.path().join("collections/00000001"))
            .unwrap()
            .count()
    };
    let before = files();
    for allowed in 1..4 {
        let asked = AtomicU32::new(0);
        let cancelled = || asked.fetch_add(1, Ordering::Relaxed) > allowed;
        let outcome = c.optimize(&Control::new(&cancelled, &|_, _| {}));
        assert!(matches!(outcome, Err(Error::Cancelled)), "{outcome:?}");
        assert_eq!(files(), before);
    }
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.count(None).unwrap(), 6_000);
}

#[test]
fn deletions_are_merged_away_once_and_then_there_is_rest() {
    let db = Database::builder().open_in_memory().unwrap();
    let mut config = plain();
    config.optimizer.index_min_rows = 1_000_000;
    let c = db.create_collection("a", config).unwrap();
    c.upsert(some(0..5_000)).unwrap();
    c.flush().unwrap();
    // Too few to fill a memtable: only the log has them until somebody sees that a merge would pay.
    c.delete((0..2_000u64).collect::<Vec<_>>()).unwrap();
    let merged = || {
        let segments = c.info().unwrap().segments;
        segments.len() == 1 && segments[0].rows == 3_000
    };
    eventually("the dead rows are gone", merged);
    let segments = c.info().unwrap().segments;
    thread::sleep(Duration::from_millis(2_500));
    assert_eq!(c.info().unwrap().segments[0].id, segments[0].id);
    assert_eq!(c.info().unwrap().status, Status::Ready);
}

#[test]
fn a_log_of_deletions_alone_is_kept_short() {
    let disk = SimDisk::new(0);
    let db = builder()
        .write_buffer(64 << 10)
        .log_segment_bytes(64 << 10)
        .durability(Durability::Buffered)
        .open_disk(Arc::new(disk.clone()))
        .unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    for id in 0..20_000u64 {
        c.delete(vec![id]).unwrap();
    }
    eventually("the log is short", || disk.list("wal").unwrap().len() <= 5);
}

#[test]
fn a_damaged_collection_does_not_make_the_others_flush_at_every_write() {
    let disk = SimDisk::new(0);
    let small = || builder().write_buffer(64 << 10).log_segment_bytes(64 << 10);
    let db = small().open_disk(Arc::new(disk.clone())).unwrap();
    let a = db.create_collection("a", plain()).unwrap();
    db.create_collection("b", plain()).unwrap();
    a.upsert(vec![point(7).payload(json!({"k": "NEEDLE"})).unwrap()])
        .unwrap();
    a.upsert(some(1..2)).unwrap();
    let disk = disk.restart();
    let log = disk.list("wal").unwrap().remove(0);
    let at = disk.map(&format!("wal/{log}")).unwrap();
    let at = at.windows(6).position(|bytes| bytes == b"NEEDLE").unwrap() as u64;
    disk.flip_bits(&format!("wal/{log}"), at, 1).unwrap();

    let db = small().open_disk(Arc::new(disk)).unwrap();
    assert!(db.collection("a").is_err());
    let b = db.collection("b").unwrap();
    for id in 0..4_000 {
        b.upsert(some(id..id + 1)).unwrap();
    }
    b.flush().unwrap();
    let rows: Vec<u32> = b.info().unwrap().segments.iter().map(|s| s.rows).collect();
    let few = rows.iter().filter(|&&rows| rows < 50).count();
    assert!(few <= 2, "{rows:?}");
}

#[test]
fn a_collection_that_cannot_be_flushed_does_not_keep_the_others_from_writing() {
    let disk = SimDisk::new(0);
    let open = |disk: &SimDisk| {
        let small = builder().write_buffer(64 << 10).log_segment_bytes(64 << 10);
        small.open_disk(Arc::new(disk.clone())).unwrap()
    };
    let db = open(&disk);
    let a = db.create_collection("a", plain()).unwrap();
    let b = db.create_collection("b", plain()).unwrap();
    a.upsert(some(0..10)).unwrap();
    a.flush().unwrap();
    a.delete(vec![3u64]).unwrap();
    a.flush().unwrap();
    // Each commit reads which rows are dead already.
    let names = disk.list("collections/00000001").unwrap();
    let dead = names.iter().find(|name| name.contains(".tomb")).unwrap();
    let dead = format!("collections/00000001/{dead}");
    disk.flip_bits(&dead, 64, 1).unwrap();

    let mut next = 100;
    let refused = loop {
        let c = a.clone();
        if let Err(error) = in_time(move || c.upsert(some(next..next + 10))) {
            break error;
        }
        next += 10;
    };
    let points = next - 100 + 9;
    let said = refused.to_string();
    assert!(
        refused.is_damage() && said.contains(".tomb") && said.contains("takes no more writes"),
        "{said}"
    );
    // It is read, and says what is wrong.
    assert!(a.delete(vec![1u64]).unwrap_err().is_damage());
    assert_eq!(a.count(None).unwrap(), points);
    assert!(a.info().unwrap().last_failure.unwrap().contains(".tomb"));
    // Far more than what the buffer and the log may hold.
    for id in 0..4_000 {
        let c = b.clone();
        in_time(move || c.upsert(some(id..id + 1))).unwrap();
    }
    b.flush().unwrap();
    assert_eq!(db.info().flush_failure, None);
    let rows: Vec<u32> = b.info().unwrap().segments.iter().map(|s| s.rows).collect();
    assert!(rows.iter().filter(|&&rows| rows < 50).count() <= 2, "{rows:?}");
    assert!(a.flush().unwrap_err().is_damage());

    // Nothing is lost by the next opening, nor by the file being put right.
    let after = disk.restart();
    after.flip_bits(&dead, 64, 1).unwrap();
    let again = open(&after);
    for name in ["a", "b"] {
        let c = again.collection(name).unwrap();
        assert_eq!(c.count(None).unwrap(), if name == "a" { points } else { 4_000 });
        c.flush().unwrap();
    }
    disk.flip_bits(&dead, 64, 1).unwrap();
    a.flush().unwrap();
    for id in 0..4_000 {
        let c = a.clone();
        in_time(move || c.upsert(some(id + 10_000..id + 10_001))).unwrap();
    }
    a.flush().unwrap();
    assert_eq!(a.count(None).unwrap(), points + 4_000);
    assert_eq!(a.info().unwrap().last_failure, None);
}

#[test]
fn a_commit_that_never_was_leaves_no_files() {
    let dir = "collections/00000001";
    let manifest = format!("{dir}/manifest");
    for fault in [
        Fault::full().on(Call::Create).under(&manifest),
        Fault::full().on(Call::Write).under(&manifest),
        Fault::error().on(Call::Sync).under(&manifest),
        Fault::error().on(Call::Rename).under(&manifest),
        Fault::error().on(Call::SyncDir).under(dir),
    ] {
        let disk = SimDisk::new(0);
        let db = builder().open_disk(Arc::new(disk.clone())).unwrap();
        let c = db.create_collection("a", plain()).unwrap();
        c.upsert(some(0..10)).unwrap();
        disk.inject(fault.clone());
        c.flush().unwrap_err();
        let none = || {
            let names = disk.list(dir).unwrap();
            !names.iter().any(|name| name.starts_with("seg-"))
        };
        // Another attempt may be under way.
        eventually(&format!("no file is left of {fault:?}"), none);
        disk.heal();
        c.flush().unwrap();
        assert_eq!(c.info().unwrap().segments.len(), 1);
        let db = builder().open_disk(Arc::new(disk.crash(1))).unwrap();
        assert_eq!(db.collection("a").unwrap().count(None).unwrap(), 10);
    }
}

#[test]
fn numbers_of_lost_weak_writes_are_not_given_again_however_many_a_batch_takes() {
    let disk = SimDisk::new(0);
    let db = builder()
        .write_buffer(1 << 30)
        .open_disk(Arc::new(disk.clone()))
        .unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    drop(c.submit(upsert(some(1..2)), Durability::None).unwrap());
    let mut last = 0;
    // More numbers than an opening skips where a power cut may have lost some: all of them must not be lost at once.
    for _ in 0..3 {
        let batch = (0..350_000).fold(WriteBatch::new(), |batch, _| batch.delete("a", vec![9u64]));
        let ticket = db.submit(batch, Durability::None).unwrap();
        last = ticket.result().sequence();
    }
    // Replaying a million records takes seconds.
    for seed in 0..2 {
        let db = builder().open_disk(Arc::new(disk.crash(seed))).unwrap();
        let next = db.collection("a").unwrap().upsert(some(5..6)).unwrap().sequence();
        assert!(next > last, "{next} follows {last}");
    }
}

#[test]
fn a_condition_is_acknowledged_only_when_what_it_saw_is_durable() {
    let disk = SimDisk::new(0);
    let db = builder().open_disk(Arc::new(disk.clone())).unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    let ticket = c.submit(upsert(some(1..2)), Durability::Sync).unwrap();
    db.write(WriteBatch::new().require("a", 1, Expected::Present))
        .unwrap();
    drop(ticket);
    let check = |points| {
        for seed in 0..8 {
            let db = builder().open_disk(Arc::new(disk.crash(seed))).unwrap();
            assert_eq!(db.collection("a").unwrap().count(None).unwrap(), points);
        }
    };
    check(1);
    // What it saw may have been seen by all for long, and yet be in memory only.
    for id in 2..4 {
        let ticket = c.submit(upsert(some(id..id + 1)), Durability::None).unwrap();
        ticket.wait_visible().unwrap();
    }
    db.write(WriteBatch::new().require("a", 3, Expected::Present))
        .unwrap();
    check(3);
}

#[test]
fn what_nobody_waits_for_is_seen_even_when_another_sync_came_between() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    for round in 0..30u64 {
        // Durable by the sync that the other thread waits for, possibly before it is in the memtable.
        let small = c.submit(upsert(some(0..1)), Durability::Sync).unwrap();
        let large = upsert(some(round * 5_000 + 1..round * 5_000 + 5_001));
        thread::scope(|scope| {
            scope.spawn(|| small.wait_durable().unwrap());
            drop(c.submit(large, Durability::Sync).unwrap());
        });
        drop(small);
        eventually("the large write is seen", || {
            c.count(None).unwrap() == round * 5_000 + 5_001
        });
    }
}

#[test]
fn the_limit_of_a_batch_counts_all_its_operations() {
    let db = builder().open_in_memory().unwrap();
    db.create_collection("a", plain()).unwrap();
    let half = (0..=MAX_BATCH_POINTS as u64 / 2).collect::<Vec<_>>();
    let points = WriteBatch::new().delete("a", half.clone()).delete("a", half);
    let operations = (0..=MAX_BATCH_POINTS).fold(WriteBatch::new(), |batch, _| batch.require_absent("a", 1));
    for batch in [points, operations] {
        let refused = db.write(batch).unwrap_err();
        assert!(matches!(refused, Error::Limit { .. }), "{refused}");
    }
}

#[test]
fn settings_beyond_all_bounds_neither_panic_nor_hang() {
    let db = Database::builder()
        .sync_interval(Duration::MAX)
        .log_segment_bytes(u64::MAX)
        .threads(usize::MAX)
        .open_in_memory()
        .unwrap();
    let c = db.create_collection("a", plain()).unwrap();
    c.submit(upsert(some(0..10)), Durability::Buffered)
        .unwrap()
        .wait_visible()
        .unwrap();
    c.flush().unwrap();
    // A weak write behind one whose ticket nobody waits for is seen without waiting for the interval.
    drop(c.submit(upsert(some(20..21)), Durability::Sync).unwrap());
    let ticket = c.submit(upsert(some(21..22)), Durability::Buffered).unwrap();
    in_time(move || ticket.wait_visible()).unwrap();
    assert_eq!(c.count(None).unwrap(), 12);
    db.close().unwrap();
}
