use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use vdb_index::Control;

use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter};
use crate::payload::PayloadIndexKind;
use crate::point::Point;
use crate::query::allowance::Allowance;

fn filled(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    for first in [0, 100] {
        let point = |id: u64| Point::new(id, [1.0]).payload(json!({"n": id % 10})).unwrap();
        c.upsert((first..first + 100).map(point).collect()).unwrap();
        c.flush().unwrap();
    }
    c
}

/// Names of the files of the payload indexes of a collection.
fn index_files(c: &Collection) -> Vec<String> {
    let names = c.shared().disk.list(&c.core().dir).unwrap();
    names.into_iter().filter(|name| name.contains(".p0")).collect()
}

fn tens() -> Filter {
    Filter::must([Condition::matches("n", 3i64)])
}

#[test]
fn dropped_indexes_leave_the_manifest_and_the_disk() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    let kinds = [PayloadIndexKind::Integer, PayloadIndexKind::Float];
    for round in 0..6 {
        c.create_payload_index("n", kinds[round % 2]).unwrap();
        assert_eq!(index_files(&c).len(), 2, "{:?}", index_files(&c));
        assert_eq!(c.count(Some(&tens())).unwrap(), 20);
    }
    let bytes = |c: &Collection| {
        c.info()
            .unwrap()
            .segments
            .iter()
            .map(|s| s.disk_bytes)
            .sum::<u64>()
    };
    let with = bytes(&c);
    assert!(c.drop_payload_index("n").unwrap());
    assert_eq!(index_files(&c), Vec::<String>::new());
    assert!(bytes(&c) < with);
    let named = |c: &Collection| {
        let manifest = c.core().manifest.lock();
        let names: Vec<_> = manifest.segments.iter().flat_map(|s| s.files()).collect();
        names
            .into_iter()
            .filter(|file| file.to_string().contains(".p0"))
            .count()
    };
    assert_eq!(named(&c), 0);
    assert_eq!(c.count(Some(&tens())).unwrap(), 20);
    c.create_payload_index("n", kinds[0]).unwrap();
    assert_eq!((index_files(&c).len(), named(&c)), (2, 2));
}

#[test]
fn a_view_from_before_a_drop_still_reads_the_index() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    let view = c.core().view(&c.shared().visibility);
    assert!(c.drop_payload_index("n").unwrap());
    assert_eq!(
        crate::query::matching::count(&view, Some(&tens()), &Allowance::unlimited()).unwrap(),
        20
    );
    assert!(view.tables.segments.iter().all(|s| !s.wants_mending()));
}

#[test]
fn a_damaged_index_that_a_query_meets_is_built_again() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = filled(&db);
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    // Until nothing is left to do, and no flush is recent enough to be looked after.
    c.optimize(&Control::none()).unwrap();
    *c.core().flushes.lock() = Default::default();
    std::thread::sleep(Duration::from_millis(1_500));
    let damaged = c.core().tables().segments[0].clone();
    let number = c.core().tables().schema.payload_indexes[0].number;
    damaged.set_index_damaged();
    assert_eq!(c.count(Some(&tens())).unwrap(), 20);
    let start = Instant::now();
    while c.core().tables().segments[0].index(number).is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "not built again");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Builds an index on `n` until so many rows are done.
fn index_until(c: &Collection, rows: u64) -> Result<(), Error> {
    let (done, total) = (AtomicU64::new(0), AtomicU64::new(0));
    let cancelled = || done.load(Ordering::Relaxed) >= rows;
    let progress = |now: u64, of: u64| {
        assert!(done.swap(now, Ordering::Relaxed) <= now && now <= of);
        assert!([0, of].contains(&total.swap(of, Ordering::Relaxed)));
    };
    c.create_payload_index_with(
        "n",
        PayloadIndexKind::Integer,
        &Control::new(&cancelled, &progress),
    )
}

#[test]
fn a_cancelled_index_is_built_on_by_the_next_call() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = filled(&db);
    assert!(matches!(index_until(&c, 100), Err(Error::Cancelled)));
    assert_eq!(index_files(&c).len(), 1);
    assert_eq!(c.info().unwrap().payload_indexes.len(), 1);
    assert_eq!(c.count(Some(&tens())).unwrap(), 20);
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    assert_eq!(index_files(&c).len(), 2);
    assert_eq!(c.count(Some(&tens())).unwrap(), 20);
}

#[test]
fn an_index_is_cancelled_in_the_midst_of_a_segment_and_built_in_the_background() {
    let db = Database::builder().open_in_memory().unwrap();
    let c = db
        .create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))
        .unwrap();
    let point = |id: u64| Point::new(id, [1.0]).payload(json!({"n": id % 10})).unwrap();
    c.upsert((0..1_000).map(point).collect()).unwrap();
    c.flush().unwrap();
    assert!(matches!(index_until(&c, 500), Err(Error::Cancelled)));
    let number = c.core().tables().schema.payload_indexes[0].number;
    let start = Instant::now();
    while c.core().tables().segments[0].index(number).is_none() {
        assert!(start.elapsed() < Duration::from_secs(20), "not built");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(c.count(Some(&tens())).unwrap(), 100);
}
