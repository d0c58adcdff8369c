//! Does a database outlive a disk that fails, fills up or is slow, and does it say so?
//!
//! `crash.rs` fails every call of scripts once; here are the promises for each kind of work.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use vdb::{
    Collection, CollectionConfig, Condition, Control, Database, Distance, Error, Filter, PayloadIndexKind,
    Point, Select, Status, VectorParams,
};
use vdb_tests::watched::WatchedDisk;
use vdb_vfs::sim::{Call, Fault, SimDisk};
use vdb_vfs::{DynDisk, MemDisk};

/// Longer than anything here takes, unless it never ends.
const FOREVER: Duration = Duration::from_secs(60);

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < FOREVER, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn open(disk: &SimDisk, background: bool) -> Database {
    let builder = Database::builder()
        .threads(1)
        .background(background)
        .write_buffer(64 << 10)
        .sync_interval(Duration::from_secs(3_600));
    builder.open_disk(Arc::new(disk.clone())).unwrap()
}

/// A collection whose segments get graphs.
fn create(db: &Database) -> Collection {
    let mut config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    config.optimizer.index_min_rows = 20;
    db.create_collection("a", config).unwrap()
}

fn write(c: &Collection, ids: std::ops::Range<u64>) -> vdb::Result<()> {
    let point = |id: u64| {
        let payload = json!({"n": id, "pad": "p".repeat(200)});
        Point::new(id, [id as f32, 1.0]).payload(payload).unwrap()
    };
    c.upsert(ids.map(point).collect()).map(|_| ())
}

/// Nothing acknowledged is lost to a power cut now.
fn check_cut(disk: &SimDisk, points: u64) {
    for seed in 0..4 {
        let db = open(&disk.crash(seed), false);
        assert_eq!(
            db.collection("a").unwrap().count(None).unwrap(),
            points,
            "seed {seed}"
        );
    }
}

#[test]
fn a_flush_that_fails_is_told_and_made_up_for_without_a_restart() {
    // Every kind of call that a flush makes; the log goes on.
    for call in [Call::Create, Call::Write, Call::Sync, Call::SyncDir, Call::Rename] {
        let disk = SimDisk::new(1);
        let db = open(&disk, false);
        let c = create(&db);
        disk.inject(Fault::error().on(call).under("collections/"));
        let mut points = 0;
        // A quarter of the buffer is a memtable's share.
        while c.info().unwrap().last_failure.is_none() && points < 600 {
            write(&c, points..points + 50).unwrap();
            points += 50;
            if points >= 100 {
                eventually("the flush is tried", || c.info().unwrap().last_failure.is_some());
            }
        }
        let info = c.info().unwrap();
        assert_eq!(info.status, Status::Failing, "{call:?}");
        let why = info.last_failure.unwrap();
        assert!(why.contains("input/output error"), "{call:?}: {why}");
        assert_eq!(db.info().flush_failure.as_deref(), Some(&*why));
        assert_eq!(c.count(None).unwrap(), points, "{call:?}: reads go on");
        check_cut(&disk, points);

        disk.heal();
        eventually("a later attempt succeeds", || db.info().flush_failure.is_none());
        let info = c.info().unwrap();
        assert!(
            !info.segments.is_empty() && info.last_failure.is_none(),
            "{call:?}"
        );
        write(&c, points..points + 1).unwrap();
        check_cut(&disk, points + 1);
    }
}

#[test]
fn a_flush_that_fails_at_any_of_its_calls_succeeds_when_it_is_tried_again() {
    let made = |seed| {
        let disk = SimDisk::new(seed);
        let db = open(&disk, false);
        let c = create(&db);
        write(&c, 0..30).unwrap();
        (disk, db, c)
    };
    let (disk, _db, c) = made(0);
    let before = disk.calls();
    c.flush().unwrap();
    let (calls, mut failed) = (disk.calls() - before, 0);
    for n in 0..calls {
        let (disk, _db, c) = made(n);
        disk.fail_call(disk.calls() + n);
        let outcome = c.flush();
        failed += u64::from(outcome.is_err());
        if !matches!(outcome, Err(Error::Poisoned(_))) {
            c.flush().unwrap_or_else(|e| panic!("call {n} failed, then {e}"));
            write(&c, 30..31).unwrap();
            c.flush().unwrap();
            check_cut(&disk, 31);
        }
    }
    assert!(failed > calls / 2, "{failed} of {calls}");
}

#[test]
fn a_merge_that_fails_in_the_background_is_told_and_done_by_whoever_asks() {
    for fault in [
        Fault::error().on(Call::Create).under("collections/"),
        Fault::error().on(Call::Read).under("collections/"),
        Fault::error().on(Call::Sync).under("collections/"),
    ] {
        let disk = SimDisk::new(2);
        // First without the optimizer, so that all the work is there when it comes.
        let db = open(&disk, false);
        let c = create(&db);
        for part in 0..4 {
            write(&c, part * 30..part * 30 + 30).unwrap();
            c.flush().unwrap();
        }
        drop(c);
        db.close().unwrap();

        let disk = disk.restart();
        let db = open(&disk, true);
        let c = db.collection("a").unwrap();
        let before = c.info().unwrap().segments.len();
        disk.inject(fault.clone());
        // The optimizer looks when a flush has changed something; here it is told.
        let refused = c.optimize(&Control::none());
        assert!(refused.is_err(), "{fault:?}");
        eventually("the failure is told", || c.info().unwrap().last_failure.is_some());
        let info = c.info().unwrap();
        assert_eq!(
            (info.status, info.segments.len()),
            (Status::Failing, before),
            "{fault:?}"
        );
        assert_eq!(c.count(None).unwrap(), 120);
        let matching = Filter::must([Condition::range("n", 10.0..20.0)]);
        assert_eq!(c.count(Some(&matching)).unwrap(), 10);
        check_cut(&disk, 120);

        disk.heal();
        c.optimize(&Control::none()).unwrap();
        let info = c.info().unwrap();
        assert_eq!(
            (info.status, info.last_failure),
            (Status::Ready, None),
            "{fault:?}"
        );
        assert_eq!((info.segments.len(), info.indexed_vectors), (1, 120));
        check_cut(&disk, 120);
    }
}

#[test]
fn a_payload_index_whose_building_fails_is_told_and_built_later() {
    let disk = SimDisk::new(3);
    let db = open(&disk, false);
    let c = create(&db);
    write(&c, 0..30).unwrap();
    c.flush().unwrap();
    // The manifest's swap goes through, the files of the index do not.
    disk.inject(Fault::error().on(Call::Create).under("collections/00000001/seg"));
    let refused = c.create_payload_index("n", PayloadIndexKind::Integer);
    assert!(refused.is_err());
    let matching = Filter::must([Condition::range("n", 10.0..20.0)]);
    assert_eq!(c.count(Some(&matching)).unwrap(), 10);
    disk.heal();
    let indexed = |c: &Collection| {
        c.info().unwrap().payload_indexes == [("n".to_owned(), PayloadIndexKind::Integer.into())]
    };
    if !indexed(&c) {
        c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    }
    c.optimize(&Control::none()).unwrap();
    assert!(indexed(&c));
    assert_eq!(c.info().unwrap().status, Status::Ready);
    assert_eq!(c.count(Some(&matching)).unwrap(), 10);
    check_cut(&disk, 30);
}

#[test]
fn after_a_failed_sync_whose_data_is_gone_nothing_more_is_acknowledged_and_reads_go_on() {
    for seed in 0..16 {
        let disk = SimDisk::new(seed);
        let db = open(&disk, false);
        let c = create(&db);
        write(&c, 0..10).unwrap();
        disk.inject(Fault::error().on(Call::Sync).under("wal/").once());
        let mut failed = Vec::new();
        // Several writers share the sync that fails: none of them is told of a success.
        thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|n| {
                    scope.spawn({
                        let c = &c;
                        move || write(c, 100 + n..101 + n)
                    })
                })
                .collect();
            failed.extend(writers.into_iter().map(|writer| writer.join().unwrap()));
        });
        for outcome in &failed {
            assert!(matches!(outcome, Err(Error::Poisoned(_))), "{outcome:?}");
        }
        assert!(matches!(write(&c, 200..201), Err(Error::Poisoned(_))));
        assert!(matches!(
            db.create_collection("b", CollectionConfig::default())
                .and_then(|b| b.delete(vec![1u64])),
            Err(Error::Poisoned(_))
        ));
        assert_eq!(c.count(None).unwrap(), 10);
        assert_eq!(c.get(&[3.into()], &Select::all()).unwrap().len(), 1);
        drop((c, db));
        let db = open(&disk.crash(seed), false);
        let c = db.collection("a").unwrap();
        assert!(
            (10..=14).contains(&c.count(None).unwrap()),
            "what failed may have arrived"
        );
        write(&c, 300..301).unwrap();
    }
}

#[test]
fn a_full_disk_refuses_by_name_reads_on_and_takes_writes_again() {
    let disk = SimDisk::new(5);
    let db = open(&disk, false);
    let c = create(&db);
    write(&c, 0..10).unwrap();
    disk.inject(Fault::full());
    let mut next = 10;
    let refused = loop {
        match write(&c, next..next + 1) {
            Ok(()) => next += 1,
            Err(error) => break error,
        }
        assert!(next < 10_000, "the disk is never full");
    };
    assert!(refused.is_no_space(), "{refused}");
    assert!(refused.to_string().contains("no space"), "{refused}");
    assert_eq!(c.count(None).unwrap(), next);
    check_cut(&disk, next);
    disk.heal();
    write(&c, next..next + 1).unwrap();
    check_cut(&disk, next + 1);
}

#[test]
fn readers_do_not_wait_for_a_slow_disk_and_do_not_see_what_it_has_not_taken() {
    let disk = SimDisk::new(6);
    let db = open(&disk, false);
    let c = create(&db);
    write(&c, 0..10).unwrap();
    disk.inject(Fault::stall().on(Call::Sync).under("wal/"));
    let logged = db.info().log_appended_bytes;
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&c, 10..11));
        eventually("it is in the log", || db.info().log_appended_bytes > logged);
        assert_eq!(c.count(None).unwrap(), 10);
        assert!(c.get(&[10.into()], &Select::default()).unwrap().is_empty());
        assert!(!writer.is_finished(), "acknowledged before it was durable");
        disk.heal();
        writer.join().unwrap().unwrap();
    });
    assert_eq!(c.count(None).unwrap(), 11);
}

#[test]
fn a_stray_file_that_goes_while_it_is_being_removed_is_no_damage() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let open = |disk: DynDisk| {
        let builder = Database::builder().threads(1).background(false);
        builder.open_disk(disk).unwrap()
    };
    let db = open(disk.clone());
    write(&create(&db), 0..3).unwrap();
    db.close().unwrap();
    let stray = "collections/00000001/seg-00000063.points";
    // It goes before each call that an opening makes.
    for n in 0.. {
        disk.create(stray).unwrap();
        let calls = Arc::new(AtomicU64::new(0));
        let (under, counted) = (disk.clone(), calls.clone());
        let watched = WatchedDisk::new(disk.clone(), move |_| {
            if counted.fetch_add(1, Ordering::Relaxed) == n {
                // It may be gone by then.
                let _ = under.remove(stray);
            }
        });
        let db = open(Arc::new(watched));
        assert_eq!(db.collection("a").unwrap().count(None).unwrap(), 3, "call {n}");
        assert!(!disk.exists(stray).unwrap());
        if calls.load(Ordering::Relaxed) <= n {
            break;
        }
        db.close().unwrap();
    }
}
