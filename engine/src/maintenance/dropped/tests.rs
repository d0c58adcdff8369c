//! Drops while others are at work, and drops that fail.

use std::sync::Arc;

use serde_json::json;
use vdb_index::Control;
use vdb_storage::{Component, SegmentFile};
use vdb_vfs::Disk;
use vdb_vfs::sim::{Call, Fault, SimDisk};

use crate::text::{StopwordsOption, TextOptions};
use crate::{
    Collection, CollectionConfig, CollectionUpdate, Database, Distance, Error, MAX_SCHEMA_BYTES,
    PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams, Point, Result, Ttl, VectorParams, Vectors,
    verify_disk,
};

type Deed = fn(&Collection) -> Result<()>;

fn open(disk: &SimDisk) -> Database {
    let builder = Database::builder().background(false).threads(1);
    builder.open_disk(Arc::new(disk.clone())).unwrap()
}

fn create(db: &Database) -> Collection {
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot))
        .vector("own", VectorParams::new(2, Distance::Dot))
        .ttl(Ttl::new("until"));
    let c = db.create_collection("c", config).unwrap();
    c.create_payload_index("n", PayloadIndexKind::Integer).unwrap();
    c
}

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let point = |id: u64| {
        let vectors = Vectors::from([1.0, id as f32]).with("own", [id as f32, 2.0]);
        Point::new(id, vectors).payload(json!({ "n": id })).unwrap()
    };
    ids.map(point).collect()
}

fn path(c: &Collection, segment: u64, component: Component) -> String {
    SegmentFile::new(segment, component).path(&c.core().dir)
}

#[test]
fn a_job_that_began_before_a_drop_finds_its_files() {
    let disk = SimDisk::new(0);
    let c = create(&open(&disk));
    c.upsert(points(0..20)).unwrap();
    c.flush().unwrap();
    let file = path(&c, 1, Component::Vectors(1));
    assert!(disk.exists(&file).unwrap());
    let held = c.core().tables();
    assert!(c.delete_vector("own").unwrap());
    let [segment] = &held.segments[..] else {
        panic!("{held:?}");
    };
    segment.check_primary(&Control::none()).unwrap();
    assert_eq!(segment.damage(), None);
    assert!(disk.exists(&file).unwrap());
    assert!(c.core().tables().segments[0].vectors(1).is_none());
    // Nobody else has it.
    drop(held);
    assert!(!disk.exists(&file).unwrap());
    assert!(disk.exists(&path(&c, 1, Component::Vectors(0))).unwrap());
    c.core().tables().segments[0]
        .check_primary(&Control::none())
        .unwrap();
}

#[test]
fn what_was_dropped_while_a_segment_was_written_is_not_in_it() {
    let jobs: [(&str, Deed); 2] = [
        ("flush", |c| c.flush().map(drop)),
        ("merge", |c| c.optimize(&Control::none())),
    ];
    for (name, job) in jobs {
        let disk = SimDisk::new(0);
        let db = open(&disk);
        let c = create(&db);
        c.upsert(points(0..20)).unwrap();
        let mut next = 1;
        if name == "merge" {
            c.flush().unwrap();
            c.upsert(points(20..30)).unwrap();
            c.flush().unwrap();
            next = 3;
        }
        // Payload indexes are written after the vectors.
        let (own, stalled) = (Component::Vectors(1), Component::PayloadIndex(0));
        disk.inject(Fault::stall().under(&path(&c, next, stalled)));
        std::thread::scope(|scope| {
            let running = scope.spawn(|| job(&c));
            while !disk.exists(&path(&c, next, own)).unwrap() {
                assert!(!running.is_finished());
                std::thread::yield_now();
            }
            assert!(c.delete_vector("own").unwrap());
            disk.heal();
            running.join().unwrap().unwrap();
        });
        let tables = c.core().tables();
        let [segment] = &tables.segments[..] else {
            panic!("{name}: {} segments", tables.segments.len());
        };
        assert_eq!(segment.record.id, next, "{name}");
        assert!(segment.vectors(1).is_none() && segment.record.component(own).is_none());
        assert!(segment.vectors(0).is_some());
        assert!(!disk.exists(&path(&c, next, own)).unwrap(), "{name}");
        drop(tables);
        // What is made of it next reads all of its files.
        c.upsert(vec![Point::new(50, [1.0, 1.0])]).unwrap();
        c.optimize(&Control::none()).unwrap();
        assert_eq!(c.info().unwrap().segments.len(), 1);
        assert_eq!(c.count(None).unwrap(), if name == "merge" { 31 } else { 21 });
        db.close().unwrap();
        let report = verify_disk(Arc::new(disk.clone()), &Control::none()).unwrap();
        assert_eq!(report.problems, [], "{name}");
    }
}

/// Changes of the schema, each of which takes something away.
const CHANGES: [Deed; 3] = [
    |c| c.delete_vector("own").map(drop),
    |c| c.drop_payload_index("n").map(drop),
    |c| {
        let metadata = json!({"a": 1}).as_object().cloned().unwrap_or_default();
        c.update_config(&CollectionUpdate::new().metadata(metadata))
    },
];

#[test]
fn a_change_that_failed_is_not_found_done_later() {
    for change in CHANGES {
        for step in 0.. {
            let disk = SimDisk::new(step);
            let db = open(&disk);
            let c = create(&db);
            c.upsert(points(0..5)).unwrap();
            let (before, indexes) = (c.config(), c.core().tables().schema.payload_indexes.len());
            let now = disk.calls();
            disk.inject(Fault::error().at(now + step..now + step + 1).under(&c.core().dir));
            let outcome = change(&c);
            disk.heal();
            if outcome.is_err() {
                c.upsert(points(5..6)).unwrap();
            }
            drop((c, db));
            let db = open(&disk.crash(step));
            let c = db.collection("c").unwrap();
            let schema = &c.core().tables().schema;
            let is_as_before = c.config() == before && schema.payload_indexes.len() == indexes;
            assert_eq!(is_as_before, outcome.is_err(), "after {step} calls");
            assert_eq!(c.count(None).unwrap(), 5 + u64::from(outcome.is_err()));
            if outcome.is_ok() {
                break;
            }
        }
    }
}

#[test]
fn where_it_is_not_known_which_schema_counts_nothing_more_is_written() {
    for change in CHANGES {
        let disk = SimDisk::new(1);
        let db = open(&disk);
        let c = create(&db);
        c.upsert(points(0..5)).unwrap();
        // The commit has its name by then, and nobody can say whether it lasts.
        disk.inject(Fault::error().on(Call::SyncDir).under(&c.core().dir).skip(1));
        assert!(change(&c).is_err());
        disk.heal();
        let refused = c.upsert(points(5..6));
        assert!(matches!(refused, Err(Error::Poisoned(_))), "{refused:?}");
        drop((c, db));
        let db = open(&disk.crash(1));
        assert_eq!(db.collection("c").unwrap().count(None).unwrap(), 5);
    }
}

#[test]
fn a_schema_that_segments_cannot_carry_is_refused() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = create(&db);
    let text = |words: usize| {
        let custom = Some(vec!["x".repeat(1_000); words]);
        let stopwords = StopwordsOption::Set {
            languages: None,
            custom,
        };
        let text = TextOptions {
            stopwords: Some(stopwords),
            ..TextOptions::default()
        };
        PayloadIndexParams::from(PayloadIndexKind::Text).options(PayloadIndexOptions {
            text,
            ..PayloadIndexOptions::default()
        })
    };
    let before = c.info().unwrap().last_sequence;
    let refused = c.create_payload_index("body", text(800));
    assert!(
        matches!(
            refused,
            Err(Error::Limit {
                limit: MAX_SCHEMA_BYTES,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(c.info().unwrap().last_sequence, before);
    c.create_payload_index("body", text(700)).unwrap();
    let refused = c.create_payload_index("other", text(700));
    assert!(matches!(refused, Err(Error::Limit { .. })), "{refused:?}");
    c.upsert(points(0..10)).unwrap();
    c.flush().unwrap();
    c.upsert(points(10..20)).unwrap();
    c.optimize(&Control::none()).unwrap();
    assert_eq!(c.count(None).unwrap(), 20);
}
