//! Writes on a condition, and batches over several collections: do they take effect in full or not at all, and does the
//! refusal say why? And a collection that is renamed under those who use it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use vdb::{
    Collection, Condition, Database, Distance, Error, Expected, Filter, Operation, Payload, Point, PointId,
    Record, Result, ScrollRequest, SearchRequest, Select, Target, UpsertMode, WriteBatch,
};
use vdb_tests::oracle::Dump;
use vdb_tests::torture::script;
use vdb_tests::{config, memory};
use vdb_vfs::sim::SimDisk;

fn object(value: serde_json::Value) -> Payload {
    value.as_object().unwrap().clone()
}

fn point(id: u64, n: u64) -> Point {
    Point::new(id, [1.0, n as f32]).payload(json!({"n": n})).unwrap()
}

fn get(c: &Collection, id: u64) -> Option<Record> {
    c.get(&[id.into()], &Select::all()).unwrap().pop()
}

fn operations() -> Vec<Operation> {
    let target = || Target::from(vec![1u64]);
    let upsert = |mode, update_filter| Operation::Upsert {
        points: vec![point(1, 9)],
        mode,
        update_filter,
    };
    let matching = || Some(Filter::must([Condition::matches("n", 1)]));
    vec![
        upsert(UpsertMode::Upsert, None),
        upsert(UpsertMode::UpdateOnly, matching()),
        Operation::SetPayload {
            payload: object(json!({"m": 1})),
            target: target(),
            key: None,
        },
        Operation::OverwritePayload {
            payload: object(json!({"m": 1})),
            target: Target::from(Filter::must([Condition::matches("n", 1)])),
        },
        Operation::DeletePayload {
            keys: vec!["n".into()],
            target: target(),
        },
        Operation::ClearPayload { target: target() },
        Operation::UpdateVectors {
            points: vec![(1u64.into(), [5.0, 5.0].into())],
            update_filter: None,
        },
        Operation::DeleteVectors {
            names: vec![String::new()],
            target: target(),
        },
        Operation::Delete { target: target() },
    ]
}

#[test]
fn every_operation_can_wait_for_a_version_and_a_refusal_says_which_was_found() {
    for operation in operations() {
        let db = memory();
        let c = db.create_collection("c", config(2, Distance::Dot)).unwrap();
        c.upsert(vec![point(1, 1), point(2, 2)]).unwrap();
        c.set_payload(object(json!({"x": 1})), vec![1u64]).unwrap();
        let (before, last) = (get(&c, 1).unwrap(), c.info().unwrap().last_sequence);
        assert_eq!(before.version, 2);
        let batch = |version| {
            WriteBatch::new()
                .require_version("c", 1, version)
                .operation("c", operation.clone())
        };
        let refused = db.write(batch(1)).unwrap_err();
        assert!(
            matches!(&refused, Error::Conflict { id, expected: Expected::Version(1), found: Some(2) } if *id == 1.into()),
            "{operation:?}: {refused:?}"
        );
        assert_eq!(
            refused.to_string(),
            "point 1: expected version 1, found version 2: nothing was written"
        );
        assert_eq!(
            (get(&c, 1).unwrap(), c.info().unwrap().last_sequence),
            (before, last)
        );
        assert_eq!(db.write(batch(2)).unwrap().sequences, [last + 1], "{operation:?}");
        assert!(
            get(&c, 1).is_none_or(|point| point.version == last + 1),
            "{operation:?}"
        );
        assert_eq!(get(&c, 2).unwrap().version, 1);
    }
}

#[test]
fn one_condition_of_many_that_fails_refuses_the_whole_batch() {
    let db = memory();
    for name in ["a", "b"] {
        let c = db.create_collection(name, config(2, Distance::Dot)).unwrap();
        c.upsert((0..20).map(|id| point(id, id)).collect()).unwrap();
    }
    let before = Dump::read(&db).unwrap();
    for stale in 0..20 {
        let batch = (0..20).fold(WriteBatch::new(), |batch, id| {
            let version = if id == stale { 7 } else { 1 };
            batch
                .upsert("a", vec![point(100 + id, id)])
                .require_version("b", id, version)
                .upsert("b", vec![point(id, 50 + id)])
        });
        let refused = db.write(batch);
        assert!(
            matches!(refused, Err(Error::Conflict { id, found: Some(1), .. }) if id == stale.into()),
            "{refused:?}"
        );
    }
    assert_eq!(before.difference(&Dump::read(&db).unwrap()), None);
}

#[test]
fn conditions_see_what_the_batch_has_written_before_them() {
    let db = memory();
    let c = db.create_collection("c", config(2, Distance::Dot)).unwrap();
    c.upsert(vec![point(1, 1)]).unwrap();
    let batch = WriteBatch::new()
        .require_absent("c", 2)
        .upsert("c", vec![point(2, 2)])
        .require_version("c", 2, 2)
        .delete("c", vec![1u64])
        .require_absent("c", 1)
        .require("c", 2, Expected::Present);
    assert_eq!(db.write(batch).unwrap().sequences, [2, 3]);
    let absent = db.write(WriteBatch::new().require("c", 1, Expected::Present));
    assert!(
        matches!(
            absent,
            Err(Error::Conflict {
                expected: Expected::Present,
                found: None,
                ..
            })
        ),
        "{absent:?}"
    );
    let present = db.write(WriteBatch::new().require_absent("c", 2)).unwrap_err();
    assert_eq!(
        present.to_string(),
        "point 2: expected no point, found version 2: nothing was written"
    );
}

const MOVED: u64 = 6;

/// Moves points from one collection to another, one batch each; answers how many moves were acknowledged.
fn move_all(disk: &SimDisk) -> Result<u64> {
    let db = script::open(disk)?;
    let open = |name| match db.collection(name) {
        Err(Error::CollectionNotFound { .. }) => db.create_collection(name, script::config()),
        other => other,
    };
    let (from, to) = (open("from")?, open("to")?);
    from.upsert((0..MOVED).map(|id| script::point(id, id)).collect())?;
    let mut moved = 0;
    for id in 0..MOVED {
        let batch = WriteBatch::new()
            .require_version("from", id, 1)
            .delete("from", vec![id])
            .require_absent("to", id)
            .upsert("to", vec![script::point(id, id)]);
        if db.write(batch).is_err() {
            break;
        }
        moved += 1;
        if id % 3 == 2 {
            // Whether the halves of a batch are in a segment or in the log makes no difference.
            let _ = if id == 2 { &from } else { &to }.flush();
        }
    }
    Ok(moved)
}

fn ids(db: &Database, name: &str) -> Vec<PointId> {
    let Ok(c) = db.collection(name) else {
        return Vec::new();
    };
    let page = c.scroll(&ScrollRequest::new().limit(100)).unwrap();
    page.points.iter().map(|point| point.id).collect()
}

#[test]
fn a_power_cut_at_any_call_leaves_a_point_that_is_moved_in_one_collection() {
    let whole = SimDisk::new(0);
    assert_eq!(move_all(&whole).unwrap(), MOVED);
    for n in 0..whole.calls() {
        let disk = SimDisk::new(0);
        disk.crash_at(n);
        let moved = move_all(&disk);
        for seed in [n, n + 1_000] {
            let db = script::open(&disk.crash(seed)).unwrap();
            let (from, to) = (ids(&db, "from"), ids(&db, "to"));
            let context = format!("power cut at call {n}, seed {seed}: {from:?} {to:?}");
            if let Ok(moved) = moved {
                assert!(to.len() as u64 >= moved, "{context}: {moved} were acknowledged");
                let mut all = [from, to].concat();
                all.sort_unstable();
                assert_eq!(
                    all,
                    (0..MOVED).map(PointId::from).collect::<Vec<_>>(),
                    "{context}"
                );
            } else {
                assert!(to.is_empty(), "{context}");
            }
        }
    }
}

#[test]
fn a_collection_that_is_renamed_goes_on_for_whoever_has_it() {
    let db = memory();
    let c = db.create_collection("old", config(2, Distance::Dot)).unwrap();
    db.create_collection("other", config(2, Distance::Dot)).unwrap();
    db.create_alias("alias", "old").unwrap();
    c.upsert(vec![point(1, 1)]).unwrap();
    for (taken, by) in [("other", "a collection"), ("alias", "an alias")] {
        let refused = db.rename_collection("old", taken);
        assert!(
            matches!(&refused, Err(Error::NameTaken { name, taken_by }) if name == taken && *taken_by == by),
            "{refused:?}"
        );
    }
    let missing = db.rename_collection("alias", "new");
    assert!(
        matches!(missing, Err(Error::CollectionNotFound { .. })),
        "{missing:?}"
    );
    db.rename_collection("old", "new").unwrap();
    db.rename_collection("new", "new").unwrap();

    c.upsert(vec![point(2, 2)]).unwrap();
    c.flush().unwrap();
    assert_eq!(c.search(&SearchRequest::new([0.0, 1.0])).unwrap()[0].id, 2.into());
    db.write(WriteBatch::new().upsert("new", vec![point(3, 3)]))
        .unwrap();
    let gone = db.write(WriteBatch::new().upsert("old", vec![point(4, 4)]));
    assert!(matches!(gone, Err(Error::CollectionNotFound { .. })), "{gone:?}");
    for name in ["new", "alias"] {
        assert_eq!(db.collection(name).unwrap().count(None).unwrap(), 3);
    }
    // The name is free.
    let fresh = db.create_collection("old", config(2, Distance::Dot)).unwrap();
    assert_eq!((fresh.count(None).unwrap(), c.count(None).unwrap()), (0, 3));
    assert_eq!(db.aliases(), [("alias".to_owned(), "new".to_owned())]);
}
