//! Closing a database amid writers, those who wait, and its own threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vdb_sys::sync::{explore, thread};
use vdb_vfs::sim::SimDisk;

use super::{after_a_power_cut, builder, create, join, open, point};
use crate::config::Durability;
use crate::error::Error;
use crate::point::Point;
use crate::write::batch::{Operation, UpsertMode};

fn upsert(point: Point) -> Operation {
    Operation::Upsert {
        points: vec![point],
        mode: UpsertMode::Upsert,
        update_filter: None,
    }
}

#[test]
fn closing_ends_amid_writers_and_keeps_what_was_acknowledged() {
    explore(4_000, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder().background(true));
        let collection = create(&db);
        let acknowledged = Arc::new(AtomicU64::new(0));
        let writer = {
            let (collection, acknowledged) = (collection.clone(), acknowledged.clone());
            thread::spawn(move || {
                for id in 1..=3 {
                    collection.upsert(vec![point(id, id)])?;
                    acknowledged.store(id, Ordering::Relaxed);
                }
                Ok(())
            })
        };
        let careless = {
            let collection = collection.clone();
            thread::spawn(move || {
                // Nobody waits for these: the database's own thread syncs them.
                drop(collection.submit(upsert(point(8, 8)), Durability::Sync)?);
                let buffered = collection.submit(upsert(point(9, 9)), Durability::Buffered)?;
                buffered.wait_visible()
            })
        };
        let flusher = {
            let collection = collection.clone();
            thread::spawn(move || collection.flush())
        };
        db.close().unwrap();
        for outcome in join([writer, careless, flusher]) {
            assert!(matches!(outcome, Ok(()) | Err(Error::Closed)), "{outcome:?}");
        }
        let kept = after_a_power_cut(&disk, 0);
        for id in 1..=acknowledged.load(Ordering::Relaxed) {
            assert!(
                kept.contains(&(id, id)),
                "{id} was acknowledged, {kept:?} is kept"
            );
        }
    });
}

#[test]
fn writers_that_wait_for_room_end_with_the_database() {
    explore(2_000, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder().background(true).write_buffer(64 << 10));
        let collection = create(&db);
        let long = |id: u64| {
            let text = "x".repeat(70 << 10);
            Point::new(id, [1.0])
                .payload(serde_json::json!({ "n": id, "text": text }))
                .unwrap()
        };
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let collection = collection.clone();
                thread::spawn(move || {
                    for id in 0..2 {
                        collection.upsert(vec![long(10 * writer + id)])?;
                    }
                    Ok(())
                })
            })
            .collect();
        let closing = thread::spawn(move || db.close());
        closing.join().unwrap().unwrap();
        for outcome in join(writers) {
            assert!(matches!(outcome, Ok(()) | Err(Error::Closed)), "{outcome:?}");
        }
    });
}

#[test]
fn the_last_handle_that_goes_closes_the_database() {
    explore(3_000, || {
        let disk = SimDisk::new(1);
        let db = open(&disk, builder().background(true));
        let collection = create(&db);
        drop(db);
        let writers: Vec<_> = (1..=2)
            .map(|id| {
                let collection = collection.clone();
                thread::spawn(move || collection.upsert(vec![point(id, id)]).unwrap())
            })
            .collect();
        drop(collection);
        join(writers);
        // The directory is free again, and nothing of the former threads is in it any more.
        let again = open(&disk, builder());
        assert_eq!(again.collection("c").unwrap().count(None).unwrap(), 2);
        again.close().unwrap();
    });
}
