//! What a reader sees while rows change their place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vdb_index::Control;
use vdb_sys::sync::{explore, thread};
use vdb_vfs::sim::SimDisk;

use super::{after_a_power_cut, all, builder, create, join, open, point};
use crate::collection::Collection;
use crate::point::PointId;

/// Looks some times: both points are there, once each, of one batch, none older than what was seen or acknowledged before.
fn look_at_both(collection: &Collection, acknowledged: &AtomicU64, times: usize) -> u64 {
    let mut newest = 0;
    for _ in 0..times {
        newest = newest.max(acknowledged.load(Ordering::Relaxed));
        let seen = all(collection);
        let [(1, one), (2, two)] = seen[..] else {
            panic!("points 1 and 2 are there, seen are {seen:?}");
        };
        assert_eq!(one, two, "a batch is seen whole");
        assert!(one >= newest, "{newest}, then {one}");
        newest = one;
        assert_eq!(collection.count(None).unwrap(), 2);
    }
    newest
}

/// Rewrites two points again and again.
fn rewrite(collection: &Collection, acknowledged: &AtomicU64, versions: std::ops::RangeInclusive<u64>) {
    for n in versions {
        collection.upsert(vec![point(1, n), point(2, n)]).unwrap();
        acknowledged.store(n, Ordering::Relaxed);
    }
}

#[test]
fn rows_that_are_rewritten_while_they_are_flushed_are_seen_once() {
    explore(1_000, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder());
        let collection = create(&db);
        let acknowledged = Arc::new(AtomicU64::new(0));
        rewrite(&collection, &acknowledged, 1..=1);
        let writer = {
            let (collection, acknowledged) = (collection.clone(), acknowledged.clone());
            thread::spawn(move || rewrite(&collection, &acknowledged, 2..=3))
        };
        let flusher = {
            let collection = collection.clone();
            thread::spawn(move || (0..2).for_each(|_| collection.flush().unwrap()))
        };
        let reader = {
            let (collection, acknowledged, disk) = (collection.clone(), acknowledged.clone(), disk.clone());
            thread::spawn(move || {
                let newest = look_at_both(&collection, &acknowledged, 2);
                for seed in 0..3 {
                    let kept = after_a_power_cut(&disk, seed);
                    assert_eq!(kept.len(), 2);
                    assert!(
                        kept.iter().all(|&(_, n)| n >= newest),
                        "{newest} was seen, {kept:?} is kept"
                    );
                }
            })
        };
        join([writer, flusher, reader]);
        assert_eq!(all(&collection), [(1, 3), (2, 3)]);
        assert_eq!(after_a_power_cut(&disk, 0), [(1, 3), (2, 3)]);
        db.close().unwrap();
    });
}

#[test]
fn rows_that_are_rewritten_while_segments_are_merged_are_seen_once() {
    explore(600, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder());
        let collection = create(&db);
        let acknowledged = Arc::new(AtomicU64::new(0));
        for (id, n) in [(1, 0), (2, 0), (1, 1), (2, 1)] {
            collection.upsert(vec![point(id, n)]).unwrap();
            collection.flush().unwrap();
        }
        rewrite(&collection, &acknowledged, 1..=1);
        let writer = {
            let (collection, acknowledged) = (collection.clone(), acknowledged.clone());
            thread::spawn(move || rewrite(&collection, &acknowledged, 2..=3))
        };
        let merger = {
            let collection = collection.clone();
            thread::spawn(move || collection.optimize(&Control::none()).unwrap())
        };
        look_at_both(&collection, &acknowledged, 2);
        join([writer, merger]);
        assert_eq!(all(&collection), [(1, 3), (2, 3)]);
        assert_eq!(after_a_power_cut(&disk, 0), [(1, 3), (2, 3)]);
        db.close().unwrap();
    });
}

#[test]
fn rows_that_are_deleted_while_they_move_stay_deleted() {
    explore(1_000, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder());
        let collection = create(&db);
        collection
            .upsert((1..=2).map(|id| point(id, 0)).collect())
            .unwrap();
        collection.flush().unwrap();
        collection
            .upsert((3..=5).map(|id| point(id, 0)).collect())
            .unwrap();
        let deleted = Arc::new(AtomicU64::new(0));
        let deleter = {
            let (collection, deleted) = (collection.clone(), deleted.clone());
            thread::spawn(move || {
                for id in [1, 3, 4] {
                    collection.delete(vec![PointId::Num(id)]).unwrap();
                    deleted.store(id, Ordering::Relaxed);
                }
            })
        };
        let mover = {
            let collection = collection.clone();
            thread::spawn(move || {
                collection.flush().unwrap();
                collection.optimize(&Control::none()).unwrap();
            })
        };
        for _ in 0..3 {
            let gone = deleted.load(Ordering::Relaxed);
            let seen = all(&collection);
            assert!(seen.contains(&(2, 0)) && seen.contains(&(5, 0)), "{seen:?}");
            let back = [1, 3, 4]
                .into_iter()
                .find(|id| *id <= gone && seen.contains(&(*id, 0)));
            assert_eq!(back, None, "deleted up to {gone}");
        }
        join([deleter, mover]);
        assert_eq!(all(&collection), [(2, 0), (5, 0)]);
        assert_eq!(after_a_power_cut(&disk, 0), [(2, 0), (5, 0)]);
        db.close().unwrap();
    });
}

#[test]
fn the_log_keeps_a_record_that_is_on_its_way_to_the_memtable() {
    explore(300, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder());
        let collection = create(&db);
        // So long that the log file is let go once nothing in it is needed any more.
        let mut long = point(1, 0);
        long.payload.insert("pad".to_owned(), "p".repeat(1 << 20).into());
        collection.upsert(vec![long]).unwrap();
        let flusher = {
            let collection = collection.clone();
            thread::spawn(move || collection.flush().unwrap())
        };
        (2..=4).for_each(|id| drop(collection.upsert(vec![point(id, 0)]).unwrap()));
        join([flusher]);
        assert_eq!(after_a_power_cut(&disk, 0), [(1, 0), (2, 0), (3, 0), (4, 0)]);
        db.close().unwrap();
    });
}
