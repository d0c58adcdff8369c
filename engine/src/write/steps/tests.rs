use std::thread;

use serde_json::json;

use super::*;
use crate::collection::Collection;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::{Database, DatabaseBuilder};
use crate::filter::{Condition, Filter};
use crate::payload::PayloadIndexKind;
use crate::point::{Payload, Point, Select, Vectors};
use crate::write::batch::Target;

const TEN: StepSize = StepSize {
    points: 10,
    bytes: 1 << 20,
};

fn collection(builder: DatabaseBuilder, dimension: usize) -> (Database, Collection) {
    let db = builder.open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(dimension, Distance::Dot))
        .vector("b", VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    (db, c)
}

/// Points of which some are in a segment and some are not.
fn filled(count: u64) -> (Database, Collection) {
    let (db, c) = collection(Database::builder().background(false), 1);
    let point = |id: u64| {
        let vectors = Vectors::from([1.0]).with("b", [id as f32]);
        Point::new(id, vectors)
            .payload(json!({"x": 0, "id": id}))
            .unwrap()
    };
    c.upsert((0..count / 2).map(point).collect()).unwrap();
    c.flush().unwrap();
    c.upsert((count / 2..count).map(point).collect()).unwrap();
    (db, c)
}

fn steps(c: &Collection, operation: Operation, size: StepSize) -> Result<WriteResult> {
    in_steps(
        c.shared(),
        c.core(),
        operation,
        size,
        Durability::Sync,
        &Control::none(),
    )?
    .acknowledge()
}

fn set(payload: serde_json::Value, target: impl Into<Target>) -> Operation {
    Operation::SetPayload {
        payload: object(payload),
        target: target.into(),
        key: None,
    }
}

fn object(value: serde_json::Value) -> Payload {
    value.as_object().unwrap().clone()
}

fn having(key: &str, value: i64) -> Filter {
    Filter::must([Condition::matches(key, value)])
}

#[test]
fn every_kind_of_operation_goes_over_all_points_ten_at_a_time() {
    let (_db, c) = filled(35);
    let count = |filter: &Filter| c.count(Some(filter)).unwrap();
    let all = Filter::default;
    let before = c.info().unwrap().last_sequence;

    // What it changes is what it asks for: points that match no longer are not in the way of the next step.
    let done = steps(&c, set(json!({"x": 1}), having("x", 0)), TEN).unwrap();
    assert_eq!((done.points, done.missing), (35, None));
    assert_eq!(done.sequences, (before + 1..=before + 4).collect::<Vec<_>>());
    assert_eq!(count(&having("x", 1)), 35);

    let done = steps(
        &c,
        Operation::DeletePayload {
            keys: vec!["x".into()],
            target: all().into(),
        },
        TEN,
    );
    assert_eq!((done.unwrap().points, count(&having("x", 1))), (35, 0));
    let done = steps(
        &c,
        Operation::OverwritePayload {
            payload: object(json!({"y": 2})),
            target: all().into(),
        },
        TEN,
    );
    assert_eq!((done.unwrap().points, count(&having("y", 2))), (35, 35));
    let done = steps(&c, Operation::ClearPayload { target: all().into() }, TEN);
    assert_eq!((done.unwrap().points, count(&having("y", 2))), (35, 0));

    let points = (0..35).map(|id| (id.into(), Vectors::default().with("b", [7.0])));
    let update = Operation::UpdateVectors {
        points: points
            .chain([(99.into(), Vectors::default().with("b", [7.0]))])
            .collect(),
        update_filter: None,
    };
    let done = steps(&c, update, TEN).unwrap();
    assert_eq!(
        (done.points, done.sequences.len(), done.missing),
        (35, 4, Some(99.into()))
    );
    let found = c.get(&[34.into()], &Select::all()).unwrap();
    assert_eq!(found[0].vectors, Some(Vectors::from([1.0]).with("b", [7.0])));
    let drop_b = Operation::DeleteVectors {
        names: vec!["b".into()],
        target: all().into(),
    };
    assert_eq!(steps(&c, drop_b, TEN).unwrap().points, 35);
    assert_eq!(count(&Filter::must([Condition::has_vector("b")])), 0);

    let done = steps(&c, Operation::Delete { target: all().into() }, TEN).unwrap();
    assert_eq!((done.points, done.sequences.len()), (35, 4));
    assert_eq!(c.count(None).unwrap(), 0);
}

#[test]
fn ids_go_in_steps_too_each_once_and_the_first_that_is_missing_is_told() {
    let (_db, c) = filled(30);
    let ids: Vec<u64> = [5, 5].into_iter().chain(0..25).chain([99, 98]).collect();
    let done = steps(&c, set(json!({"x": 3}), ids.clone()), TEN).unwrap();
    assert_eq!(
        (done.points, done.sequences.len(), done.missing),
        (25, 3, Some(99.into()))
    );
    assert_eq!(c.count(Some(&having("x", 3))).unwrap(), 25);
    let done = steps(&c, Operation::Delete { target: ids.into() }, TEN).unwrap();
    assert_eq!((done.points, done.missing, c.count(None).unwrap()), (25, None, 5));
}

#[test]
fn what_finds_nothing_or_writes_whole_points_is_one_step() {
    let (_db, c) = filled(30);
    let before = c.info().unwrap().last_sequence;
    let done = steps(&c, set(json!({"x": 1}), having("x", 5)), TEN).unwrap();
    assert_eq!((done.points, done.sequences), (0, vec![before + 1]));
    let upsert = Operation::Upsert {
        points: (0..25).map(|id| Point::new(id, [2.0])).collect(),
        mode: crate::write::batch::UpsertMode::Upsert,
        update_filter: None,
    };
    let done = steps(&c, upsert, TEN).unwrap();
    assert_eq!((done.points, done.sequences), (25, vec![before + 2]));
}

#[test]
fn a_change_of_all_payloads_takes_no_more_memory_than_the_write_buffer() {
    const BUFFER: usize = 512 << 10;
    let builder = Database::builder().background(true).write_buffer(BUFFER);
    let (db, c) = collection(builder, 1_024);
    let points = 2_000u64;
    for start in (0..points).step_by(100) {
        let ids = start..start + 100;
        c.upsert(ids.map(|id| Point::new(id, vec![id as f32; 1_024])).collect())
            .unwrap();
    }
    c.flush().unwrap();
    // All the vectors are 8 MB.
    let size = StepSize::new(&c.shared().options);
    let done = c.apply_in_steps(set(json!({"x": 1}), Filter::default()), &Control::none());
    let held = db.info().memtable_bytes;
    assert!(held <= 2 * BUFFER + 2 * size.bytes, "{held}");
    let done = done.unwrap();
    assert_eq!(done.points, points);
    assert!(
        done.sequences.len() > 2_000 * 4_096 / size.bytes,
        "{}",
        done.sequences.len()
    );
    assert_eq!(c.count(Some(&having("x", 1))).unwrap(), points);
    let found = c.get(&[1_999.into()], &Select::all()).unwrap();
    assert_eq!(found[0].vectors, Some(vec![1_999.0; 1_024].into()));
}

#[test]
fn a_point_that_alone_is_more_than_a_step_is_a_step() {
    let (_db, c) = filled(8);
    let tiny = StepSize { points: 10, bytes: 1 };
    let done = steps(&c, set(json!({"x": 1}), Filter::default()), tiny).unwrap();
    assert_eq!((done.points, done.sequences.len()), (8, 8));
}

#[test]
fn what_is_stopped_in_the_middle_says_how_many_points_it_has_changed() {
    let (_db, c) = filled(35);
    let before = c.info().unwrap().last_sequence;
    let core = c.core().clone();
    let stop = move || core.last_seq() >= before + 2;
    let control = Control::cancelled_by(&stop);
    let run = |operation| in_steps(c.shared(), c.core(), operation, TEN, Durability::Sync, &control);
    match run(set(json!({"x": 1}), Filter::default())) {
        Err(Error::Unfinished { points: 20, source }) => {
            assert!(matches!(*source, Error::Cancelled), "{source}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(c.count(Some(&having("x", 1))).unwrap(), 20);
    // Before the first step it is the reason alone.
    assert!(matches!(
        run(set(json!({"x": 2}), Filter::default())),
        Err(Error::Cancelled)
    ));
    assert_eq!(c.count(Some(&having("x", 2))).unwrap(), 0);
    // Again, it goes on to the end.
    steps(&c, set(json!({"x": 1}), Filter::default()), TEN).unwrap();
    assert_eq!(c.count(Some(&having("x", 1))).unwrap(), 35);
}

#[test]
fn of_two_operations_of_several_steps_one_comes_last_for_all_points() {
    let (_db, c) = filled(300);
    c.create_payload_index("x", PayloadIndexKind::Integer).unwrap();
    for _ in 0..5 {
        thread::scope(|scope| {
            for value in [1, 2] {
                let c = &c;
                scope.spawn(move || steps(c, set(json!({"x": value}), Filter::default()), TEN).unwrap());
            }
        });
        let ones = c.count(Some(&having("x", 1))).unwrap();
        let twos = c.count(Some(&having("x", 2))).unwrap();
        assert!(
            ones == 300 && twos == 0 || ones == 0 && twos == 300,
            "{ones} {twos}"
        );
    }
}

#[test]
fn what_was_done_in_steps_is_there_after_opening_again() {
    let disk: vdb_vfs::DynDisk = Arc::new(vdb_vfs::MemDisk::new());
    let open = || {
        Database::builder()
            .background(false)
            .open_disk(disk.clone())
            .unwrap()
    };
    let db = open();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    c.upsert((0..35).map(|id| Point::new(id, [id as f32])).collect())
        .unwrap();
    c.flush().unwrap();
    steps(&c, set(json!({"x": 1}), Filter::default()), TEN).unwrap();
    drop((c, db));
    let c = open().collection("c").unwrap();
    assert_eq!(c.count(Some(&having("x", 1))).unwrap(), 35);
    let found = c.get(&[34.into()], &Select::all()).unwrap();
    assert_eq!(found[0].vectors, Some([34.0].into()));
}
