//! Do readers and writers keep out of each other's way, with flushes and merges behind them?
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use vdb::{
    Collection, Control, Database, Distance, Durability, Error, Filter, PayloadIndexKind, Point, PointId,
    ScrollRequest, SearchRequest, Select, WriteBatch,
};
use vdb_tests::{Numbers, config, points};

/// How long threads are let loose on each other.
const RUN: Duration = Duration::from_millis(2_500);

/// Fails when the body takes longer than anything but a deadlock could.
fn within_bounds(body: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let worker = thread::spawn(move || {
        body();
        done.send(()).unwrap();
    });
    if wait.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("deadlock");
    }
    worker.join().unwrap();
}

fn small(dir: &std::path::Path) -> Database {
    // The smallest buffers there are: memtables and log files change all the time.
    Database::builder()
        .write_buffer(0)
        .log_segment_bytes(0)
        .durability(Durability::Buffered)
        .open(dir)
        .unwrap()
}

fn stamped(id: u64, stamp: u64) -> Point {
    let payload = json!({"stamp": stamp, "pad": "p".repeat(300)});
    Point::new(id, [stamp as f32, 1.0]).payload(payload).unwrap()
}

fn stamps(c: &Collection, ids: &[PointId]) -> Vec<u64> {
    let found = c.get(ids, &Select::payload()).unwrap();
    assert_eq!(
        found.len(),
        ids.len(),
        "a point that is always there was not seen"
    );
    found
        .iter()
        .map(|record| record.payload.as_ref().unwrap()["stamp"].as_u64().unwrap())
        .collect()
}

#[test]
fn readers_see_whole_batches_while_writers_flushes_and_merges_go_on() {
    within_bounds(|| {
        const PAIRS: u64 = 40;
        let dir = tempfile::tempdir().unwrap();
        let db = small(dir.path());
        for name in ["left", "right"] {
            let mut config = config(2, Distance::Dot);
            config.optimizer.index_min_rows = 30;
            let c = db.create_collection(name, config).unwrap();
            // Ids from 1,000 on take turns: of each pair one is there.
            let both = (0..PAIRS * 2).chain(1_000..1_000 + PAIRS);
            c.upsert(both.map(|id| stamped(id, 0)).collect()).unwrap();
        }
        let total = PAIRS * 3;
        let stop = AtomicBool::new(false);
        let written = AtomicU64::new(0);
        let read = AtomicU64::new(0);
        let next = AtomicU64::new(1);
        thread::scope(|scope| {
            for writer in 0..3u64 {
                let (db, stop, written, next) = (&db, &stop, &written, &next);
                scope.spawn(move || {
                    let numbers = &mut Numbers::new(writer);
                    while !stop.load(Ordering::Relaxed) {
                        // Each writer has pairs of its own, so that stamps of a pair only grow.
                        let pair = numbers.below(PAIRS / 4) * 4 + writer;
                        let stamp = next.fetch_add(1, Ordering::Relaxed);
                        let two = || vec![stamped(pair * 2, stamp), stamped(pair * 2 + 1, stamp)];
                        let (old, new) = if stamp.is_multiple_of(2) {
                            (1_000, 2_000)
                        } else {
                            (2_000, 1_000)
                        };
                        let ids = [PointId::Num(old + pair), PointId::Num(new + pair)];
                        let moved = |batch: WriteBatch, name: &str| {
                            batch
                                .upsert(name, two())
                                .delete(name, ids.to_vec())
                                .upsert(name, vec![stamped(new + pair, stamp)])
                        };
                        let batch = moved(moved(WriteBatch::new(), "left"), "right");
                        let durability =
                            *numbers.pick(&[Durability::Buffered, Durability::None, Durability::Sync]);
                        db.submit(batch, durability).unwrap().wait_visible().unwrap();
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for reader in 0..3u64 {
                let (db, stop, read) = (&db, &stop, &read);
                scope.spawn(move || {
                    let numbers = &mut Numbers::new(100 + reader);
                    let (left, right) = (db.collection("left").unwrap(), db.collection("right").unwrap());
                    while !stop.load(Ordering::Relaxed) {
                        let pair = numbers.below(PAIRS);
                        let ids = [PointId::Num(pair * 2), PointId::Num(pair * 2 + 1)];
                        let on_left = stamps(&left, &ids);
                        assert_eq!(on_left[0], on_left[1], "half a batch");
                        // What is seen in one collection of a batch is seen in the other by whoever looks later.
                        let on_right = stamps(&right, &ids);
                        assert!(
                            on_right[0] == on_right[1] && on_right[0] >= on_left[0],
                            "{on_left:?} {on_right:?}"
                        );

                        assert_eq!(left.count(None).unwrap(), total);
                        let marked =
                            Filter::from_json(&json!({"must": [{"key": "stamp", "range": {"gte": 0}}]}))
                                .unwrap();
                        assert_eq!(left.count(Some(&marked)).unwrap(), total);
                        let page = right.scroll(&ScrollRequest::new().limit(1_000)).unwrap();
                        assert_eq!(page.points.len() as u64, total);
                        let hits = left
                            .search(&SearchRequest::new([1.0, 1.0]).limit(1_000).exact(true))
                            .unwrap();
                        assert_eq!(hits.len() as u64, total);
                        let mut ids: Vec<_> = hits.iter().map(|hit| hit.id).collect();
                        ids.sort_unstable();
                        ids.dedup();
                        assert_eq!(ids.len() as u64, total, "a point came twice");
                        read.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let (db, stop) = (&db, &stop);
            scope.spawn(move || {
                let left = db.collection("left").unwrap();
                while !stop.load(Ordering::Relaxed) {
                    left.optimize(&Control::none()).unwrap();
                    left.create_payload_index("stamp", PayloadIndexKind::Integer)
                        .unwrap();
                    left.flush().unwrap();
                    assert!(left.drop_payload_index("stamp").unwrap());
                    left.info().unwrap();
                }
            });
            thread::sleep(RUN);
            stop.store(true, Ordering::Relaxed);
        });
        let (written, read) = (written.into_inner(), read.into_inner());
        println!("{written} batches written, {read} rounds of reading");
        assert!(written > 50 && read > 20, "{written} batches, {read} rounds");
        let before: Vec<u64> = stamps(
            &db.collection("right").unwrap(),
            &(0..PAIRS * 2).map(PointId::Num).collect::<Vec<_>>(),
        );
        db.close().unwrap();
        let db = small(dir.path());
        let after = stamps(
            &db.collection("right").unwrap(),
            &(0..PAIRS * 2).map(PointId::Num).collect::<Vec<_>>(),
        );
        assert_eq!(before, after);
    });
}

#[test]
fn handles_dropped_while_others_are_busy_close_nothing_and_closing_ends_everybody() {
    within_bounds(|| {
        for round in 0..6u64 {
            let dir = tempfile::tempdir().unwrap();
            let db = small(dir.path());
            let c = db.create_collection("c", config(4, Distance::Euclid)).unwrap();
            let acknowledged = AtomicU64::new(0);
            let explicit = round % 2 == 0;
            thread::scope(|scope| {
                for worker in 0..4u64 {
                    let (c, acknowledged) = (c.clone(), &acknowledged);
                    scope.spawn(move || {
                        let deadline =
                            Instant::now() + Duration::from_millis(if explicit { 30_000 } else { 250 });
                        for n in 0.. {
                            if Instant::now() > deadline {
                                assert!(!explicit, "closing did not end the writers");
                                break;
                            }
                            let id = (worker << 32) + n;
                            match c.upsert(points(id..id + 1, 4, id)) {
                                Ok(_) => acknowledged.fetch_add(1, Ordering::Relaxed),
                                Err(Error::Closed | Error::WriteBufferFull { .. }) if explicit => break,
                                Err(error) => panic!("{error}"),
                            };
                            if n % 7 == worker {
                                match c.search(&SearchRequest::new([0.5; 4])) {
                                    Ok(_) => {}
                                    Err(Error::Closed) if explicit => break,
                                    Err(error) => panic!("{error}"),
                                }
                            }
                        }
                    });
                }
                let merging = c.clone();
                scope.spawn(move || {
                    for _ in 0..20 {
                        match merging.optimize(&Control::none()) {
                            Ok(()) => {}
                            Err(Error::Closed) if explicit => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
                drop(c);
                if explicit {
                    thread::sleep(Duration::from_millis(40 * round + 20));
                    db.close().unwrap();
                } else {
                    drop(db);
                }
            });
            let db = small(dir.path());
            let found = db.collection("c").unwrap().count(None).unwrap();
            let acknowledged = acknowledged.into_inner();
            // A write that was under way when the database closed may be there and not acknowledged.
            assert!(
                (acknowledged..=acknowledged + 4).contains(&found),
                "round {round}: {found}, {acknowledged}"
            );
        }
    });
}

#[test]
fn collections_dropped_in_the_middle_of_flushes_give_back_their_memory() {
    within_bounds(|| {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::builder()
            .write_buffer(0)
            .durability(Durability::None)
            .open(dir.path())
            .unwrap();
        let keep = db.create_collection("keep", config(4, Distance::Dot)).unwrap();
        for round in 0..40u64 {
            let name = format!("c{round}");
            let c = db.create_collection(&name, config(4, Distance::Dot)).unwrap();
            thread::scope(|scope| {
                let writing = c.clone();
                scope.spawn(move || {
                    for id in 0..400 {
                        match writing.upsert(vec![stamped_wide(id)]) {
                            Ok(_) => {}
                            Err(Error::CollectionNotFound { .. }) => break,
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
                let flushing = c.clone();
                scope.spawn(move || {
                    for _ in 0..10 {
                        let _ = flushing.flush();
                    }
                });
                thread::sleep(Duration::from_micros(700 * (round % 9)));
                assert!(db.drop_collection(&name).unwrap());
            });
            assert!(matches!(c.count(None), Err(Error::CollectionNotFound { .. })));
            // Writers of another collection would wait forever for memory that nobody gives back.
            keep.upsert((0..20).map(|n| stamped_wide(round * 100 + n)).collect())
                .unwrap();
        }
        assert_eq!(keep.count(None).unwrap(), 800);
        drop((keep, db));
        let db = Database::open(dir.path()).unwrap();
        assert_eq!(db.collections(), ["keep"]);
        assert_eq!(db.collection("keep").unwrap().count(None).unwrap(), 800);
    });
}

fn stamped_wide(id: u64) -> Point {
    Point::new(id, [id as f32, 1.0, 2.0, 3.0])
        .payload(json!({"pad": "w".repeat(600)}))
        .unwrap()
}

#[test]
fn compare_and_set_loses_no_update_among_many_writers() {
    within_bounds(|| {
        let db = Database::builder().open_in_memory().unwrap();
        let c = db.create_collection("c", config(1, Distance::Dot)).unwrap();
        c.upsert(vec![Point::new(1, [0.0]).payload(json!({"count": 0})).unwrap()])
            .unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                let (db, c) = (&db, &c);
                scope.spawn(move || {
                    for _ in 0..50 {
                        loop {
                            let seen = c.get(&[1.into()], &Select::payload()).unwrap().remove(0);
                            let count = seen.payload.unwrap()["count"].as_u64().unwrap();
                            let payload = json!({"count": count + 1}).as_object().unwrap().clone();
                            let batch = WriteBatch::new()
                                .require_version("c", 1, seen.version)
                                .set_payload("c", payload, vec![1u64]);
                            match db.write(batch) {
                                Ok(_) => break,
                                Err(Error::Conflict { .. }) => {}
                                Err(error) => panic!("{error}"),
                            }
                        }
                    }
                });
            }
        });
        let last = c.get(&[1.into()], &Select::payload()).unwrap().remove(0);
        assert_eq!(last.payload.unwrap()["count"], 200);
    });
}
