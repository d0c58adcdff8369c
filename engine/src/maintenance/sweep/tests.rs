use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};
use vdb_index::Control;
use vdb_vfs::{DynDisk, MemDisk};

use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::{Database, DatabaseBuilder};
use crate::error::Error;
use crate::filter::Datetime;
use crate::payload::PayloadIndexKind;
use crate::point::{Point, PointId};
use crate::query::scroll::ScrollRequest;
use crate::ttl::Ttl;
use crate::write::steps::TOGETHER;

/// A clock that a test turns, in seconds since 1970.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicI64>);

impl Hand {
    fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn builder(&self) -> DatabaseBuilder {
        let hand = self.0.clone();
        let now = move || Datetime::from_micros(hand.load(Ordering::SeqCst) * 1_000_000).unwrap();
        Database::builder().background(false).clock(now)
    }
}

fn config() -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(1, Distance::Dot))
}

fn point(id: u64, payload: Value) -> Point {
    Point::new(id, [1.0]).payload(payload).unwrap()
}

fn ids(c: &Collection) -> Vec<PointId> {
    let page = c.scroll(&ScrollRequest::new().limit(100_000)).unwrap();
    page.points.iter().map(|point| point.id).collect()
}

fn numbers(ids: &[u64]) -> Vec<PointId> {
    ids.iter().copied().map(PointId::from).collect()
}

#[test]
fn points_end_when_their_time_is_past_and_stay_deleted_whatever_the_clock_says_later() {
    let (disk, hand): (DynDisk, _) = (Arc::new(MemDisk::new()), Hand::default());
    let db = hand.builder().open_disk(disk.clone()).unwrap();
    let c = db
        .create_collection("c", config().ttl(Ttl::new("until")))
        .unwrap();
    c.upsert(vec![
        point(0, json!({"until": 100})),
        point(1, json!({"until": "1970-01-01T00:01:40Z"})),
        point(2, json!({"until": 101.5})),
        point(3, json!({"until": [300, "1970-01-01T00:01:40.000001Z"]})),
        point(4, json!({"until": "tomorrow"})),
        point(5, json!({"other": 1})),
        point(6, json!({"until": null})),
    ])
    .unwrap();
    c.flush().unwrap();
    hand.set(99);
    assert_eq!(c.sweep(&Control::none()).unwrap(), 0);
    let before = c.info().unwrap().last_sequence;
    hand.set(100);
    assert_eq!(c.sweep(&Control::none()).unwrap(), 2);
    assert_eq!(ids(&c), numbers(&[2, 3, 4, 5, 6]));
    assert_eq!(c.info().unwrap().last_sequence, before + 1);
    // Nothing to do takes no number.
    assert_eq!(c.sweep(&Control::none()).unwrap(), 0);
    assert_eq!(c.info().unwrap().last_sequence, before + 1);
    c.set_payload(json!({"until": 1_000}).as_object().unwrap().clone(), vec![3u64])
        .unwrap();
    hand.set(102);
    assert_eq!(c.sweep(&Control::none()).unwrap(), 1);
    drop((c, db));

    // Replay asks no clock.
    hand.set(0);
    let db = hand.builder().open_disk(disk).unwrap();
    let c = db.collection("c").unwrap();
    assert_eq!(ids(&c), numbers(&[3, 4, 5, 6]));
    assert_eq!(c.config().ttl, Some(Ttl::new("until")));
}

#[test]
fn a_live_collection_gets_another_field_or_none_and_keeps_it() {
    let (disk, hand): (DynDisk, _) = (Arc::new(MemDisk::new()), Hand::default());
    let db = hand.builder().open_disk(disk.clone()).unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(vec![
        point(1, json!({"a": 1})),
        point(2, json!({"b": 1})),
        point(3, json!({"a": 9})),
    ])
    .unwrap();
    hand.set(5);
    assert_eq!(c.sweep(&Control::none()).unwrap(), 0);
    assert!(matches!(c.set_ttl(Some(Ttl::new("["))), Err(Error::Filter(_))));
    c.set_ttl(Some(Ttl::new("a"))).unwrap();
    assert_eq!(c.sweep(&Control::none()).unwrap(), 1);
    drop((c, db));
    let db = hand.builder().open_disk(disk.clone()).unwrap();
    let c = db.collection("c").unwrap();
    assert_eq!(c.config().ttl, Some(Ttl::new("a")));
    let reader = Database::builder().open_disk_read_only(disk.clone()).unwrap();
    c.set_ttl(Some(Ttl::new("b"))).unwrap();
    assert_eq!(c.sweep(&Control::none()).unwrap(), 1);
    c.set_ttl(None).unwrap();
    hand.set(50);
    assert_eq!(c.sweep(&Control::none()).unwrap(), 0);
    assert_eq!(ids(&c), numbers(&[3]));
    reader.refresh().unwrap();
    let seen = reader.collection("c").unwrap();
    assert_eq!((ids(&seen), seen.config().ttl), (numbers(&[3]), None));
    assert!(matches!(seen.sweep(&Control::none()), Err(Error::ReadOnly)));
    assert!(matches!(seen.set_ttl(None), Err(Error::ReadOnly)));
}

#[test]
fn a_field_that_is_no_path_is_refused_when_a_collection_is_made() {
    let db = Hand::default().builder().open_in_memory().unwrap();
    let refused = db.create_collection("c", config().ttl(Ttl::new("a..b")));
    assert!(matches!(refused, Err(Error::Filter(_))), "{refused:?}");
    assert!(db.collections().is_empty());
}

#[test]
fn more_points_than_one_deletion_names_go_in_several() {
    let hand = Hand::default();
    let db = hand.builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config().ttl(Ttl::new("t"))).unwrap();
    let count = TOGETHER as u64 * 2 + 5;
    c.upsert((0..count).map(|id| point(id, json!({"t": 1 + id % 2}))).collect())
        .unwrap();
    c.flush().unwrap();
    c.upsert((count..2 * count).map(|id| point(id, json!({"t": 1}))).collect())
        .unwrap();
    hand.set(1);
    let ended = count + count.div_ceil(2);
    assert_eq!(c.sweep(&Control::none()).unwrap(), ended);
    assert_eq!(c.count(None).unwrap(), 2 * count - ended);
    hand.set(2);
    let cancelled = || true;
    let control = Control::new(&cancelled, &|_, _| {});
    assert!(matches!(c.sweep(&control), Err(Error::Cancelled)));
    assert_eq!(c.sweep(&Control::none()).unwrap(), 2 * count - ended);
    assert_eq!(c.count(None).unwrap(), 0);
}

#[test]
fn the_background_sweeps_what_ends_and_collections_that_are_told_to_later() {
    let (disk, hand): (DynDisk, _) = (Arc::new(MemDisk::new()), Hand::default());
    let builder = || {
        hand.builder()
            .background(true)
            .sweep_interval(Duration::from_millis(1))
    };
    let db = builder().open_disk(disk.clone()).unwrap();
    let c = db.create_collection("c", config().ttl(Ttl::new("t"))).unwrap();
    let later = db.create_collection("later", config()).unwrap();
    for c in [&c, &later] {
        c.upsert((1..5).map(|id| point(id, json!({"t": id}))).collect())
            .unwrap();
    }
    let wait = |c: &Collection, left: u64| {
        let patience = Instant::now() + Duration::from_secs(60);
        while c.count(None).unwrap() != left {
            assert!(Instant::now() < patience, "{:?}", c.info());
            std::thread::yield_now();
        }
    };
    hand.set(2);
    wait(&c, 2);
    assert_eq!(later.count(None).unwrap(), 4);
    later.set_ttl(Some(Ttl::new("t"))).unwrap();
    wait(&later, 2);
    later.set_ttl(None).unwrap();
    drop((c, later, db));
    // Opening a collection is enough.
    hand.set(3);
    let db = builder().open_disk(disk).unwrap();
    wait(&db.collection("c").unwrap(), 1);
    assert_eq!(db.collection("later").unwrap().count(None).unwrap(), 2);
}

#[test]
fn between_two_sweeps_there_is_a_pause_whatever_was_asked() {
    let builder = Hand::default().builder();
    let db = builder.sweep_interval(Duration::ZERO).open_in_memory().unwrap();
    assert_eq!(db.shared().options.sweep_interval, Duration::from_millis(1));
}

#[test]
fn a_point_that_is_given_another_time_before_it_is_deleted_stays() {
    let hand = Hand::default();
    let db = hand.builder().open_in_memory().unwrap();
    let c = db.create_collection("c", config().ttl(Ttl::new("t"))).unwrap();
    hand.set(10);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sweeper = scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                c.sweep(&Control::none()).unwrap();
            }
        });
        for round in 0..2_000 {
            c.upsert(vec![point(1, json!({"t": 5}))]).unwrap();
            c.upsert(vec![point(1, json!({"t": 100}))]).unwrap();
            assert_eq!(ids(&c), numbers(&[1]), "round {round}");
        }
        done.store(true, Ordering::SeqCst);
        sweeper.join().unwrap();
    });
    assert_eq!(ids(&c), numbers(&[1]));
}

/// Whether a model's point is past its time: numbers of seconds, and dates of 1970.
fn is_past(value: &Value, now: i64) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| is_past(item, now)),
        Value::Number(seconds) => seconds.as_f64().unwrap() <= now as f64,
        Value::String(text) => Datetime::parse(text).is_some_and(|at| at.micros() <= now * 1_000_000),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

fn time() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0i64..60).prop_map(Value::from),
        (0i32..120).prop_map(|x| json!(f64::from(x) / 2.0)),
        (0i64..60).prop_map(|s| json!(Datetime::from_micros(s * 1_000_000).unwrap().to_string())),
        Just(json!("never")),
        Just(Value::Null),
        Just(json!({"in": 5})),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u64, Value)>),
    Sweep(i64),
    Flush,
    Index(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![4 => time(), 1 => prop::collection::vec(time(), 0..3).prop_map(Value::from)];
    prop_oneof![
        4 => prop::collection::vec((0u64..20, value), 1..6).prop_map(Step::Write),
        3 => (0i64..60).prop_map(Step::Sweep),
        1 => Just(Step::Flush),
        1 => any::<bool>().prop_map(Step::Index),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_left_is_what_a_map_has(steps in prop::collection::vec(step(), 1..20)) {
        let hand = Hand::default();
        let db = hand.builder().open_in_memory().unwrap();
        let c = db.create_collection("c", config().ttl(Ttl::new("t"))).unwrap();
        let mut model = std::collections::BTreeMap::new();
        for step in steps {
            match step {
                Step::Write(points) => {
                    c.upsert(points.iter().map(|(id, t)| point(*id, json!({"t": t}))).collect()).unwrap();
                    model.extend(points);
                }
                Step::Sweep(now) => {
                    hand.set(now);
                    let before = model.len();
                    model.retain(|_, t| !is_past(t, now));
                    prop_assert_eq!(c.sweep(&Control::none()).unwrap(), (before - model.len()) as u64);
                }
                Step::Flush => c.flush().unwrap(),
                Step::Index(dates) => {
                    let kind = if dates { PayloadIndexKind::Datetime } else { PayloadIndexKind::Float };
                    c.create_payload_index("t", kind).unwrap();
                }
            }
            prop_assert_eq!(ids(&c), numbers(&model.keys().copied().collect::<Vec<_>>()));
        }
    }
}
