use serde_json::json;

use super::{Current, Resolver, Room};

use crate::config::{CollectionConfig, Distance, Durability, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter};
use crate::limits::MAX_BATCH_POINTS;
use crate::point::{Payload, Point, Select, Vectors};
use crate::query::allowance::Allowance;
use crate::write::batch::{Operation, WriteBatch};
use crate::write::prepare::prepare;

fn config() -> CollectionConfig {
    CollectionConfig::new(VectorParams::new(1, Distance::Dot))
}

fn payload(value: serde_json::Value) -> Payload {
    value.as_object().unwrap().clone()
}

#[test]
fn a_filter_may_match_more_points_than_an_operation_may_name() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let all = MAX_BATCH_POINTS as u64 + 1;
    let points = |ids: std::ops::Range<u64>| ids.map(|id| Point::new(id, Vectors::default())).collect();
    c.upsert(points(0..all / 2)).unwrap();
    c.flush().unwrap();
    c.upsert(points(all / 2..all)).unwrap();
    c.flush().unwrap();
    c.clear_payload(Filter::default()).unwrap();
    c.flush().unwrap();
    c.delete(Filter::default()).unwrap();
    assert_eq!(c.count(None).unwrap(), 0);
}

#[test]
fn what_a_filter_makes_too_large_for_the_log_is_refused_with_advice() {
    let error = Error::from(vdb_wal::Error::TooLarge {
        bytes: (1 << 30) + 1,
        max: 1 << 30,
    });
    assert!(matches!(&error, Error::Limit { limit, found, .. } if found - limit == 1));
    assert!(error.to_string().contains("match fewer points"), "{error}");
}

#[test]
fn a_change_of_payloads_counts_the_vectors_that_applying_it_copies() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let wide = CollectionConfig::new(VectorParams::new(256, Distance::Dot));
    let c = db.create_collection("c", wide).unwrap();
    c.upsert((0..100).map(|id| Point::new(id, vec![1.0; 256])).collect())
        .unwrap();
    c.flush().unwrap();
    let resolve = |most: usize| {
        let (tables, allowance) = (c.core().tables(), Allowance::unlimited());
        let set = Operation::SetPayload {
            payload: payload(json!({"x": 1})),
            target: Filter::default().into(),
            key: None,
        };
        let prepared = prepare(&tables.schema, set).unwrap();
        let mut resolver = Resolver::new(tables, false, &allowance);
        resolver.resolve(prepared, c.core().id, 1, &mut Room::new(most))
    };
    // A hundred vectors of 1,024 bytes; what the log gets are some 40 bytes a point.
    let error = resolve(100 * 1_024).unwrap_err();
    assert!(matches!(error, Error::Limit { limit: 102_400, .. }), "{error}");
    assert!(error.to_string().contains("apply_in_steps"), "{error}");
    assert_eq!(resolve(100 * 1_100).unwrap().effects.len(), 100);
}

#[test]
fn a_batch_looks_the_vectors_of_changed_payloads_up_where_they_are() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(vec![Point::new(1, [5.0])]).unwrap();
    c.flush().unwrap();
    let (tables, allowance) = (c.core().tables(), Allowance::unlimited());
    let mut resolver = Resolver::new(tables.clone(), true, &allowance);
    let mut room = Room::new(usize::MAX);
    for value in [1, 2] {
        let set = Operation::SetPayload {
            payload: payload(json!({ "x": value })),
            target: Filter::default().into(),
            key: None,
        };
        let prepared = prepare(&tables.schema, set).unwrap();
        resolver.resolve(prepared, c.core().id, value, &mut room).unwrap();
    }
    let stored = tables.latest(1.into()).unwrap();
    let stored = stored.vector(0).unwrap().unwrap();
    let current = resolver.current(1.into());
    assert!(matches!(current, Some(Current::Staged(_))));
    let seen = current
        .as_ref()
        .unwrap()
        .sound_vector(1.into(), 0)
        .unwrap()
        .unwrap();
    assert!(std::ptr::eq(seen, stored));
    assert!(current.unwrap().has_vector(0));

    // And what comes of such a batch has them.
    let set = |value: i64| payload(json!({ "x": value }));
    let batch = WriteBatch::new()
        .set_payload("c", set(1), Filter::default())
        .upsert("c", vec![Point::new(2, [6.0])])
        .set_payload("c", set(2), Filter::default())
        .set_payload("c", set(3), Filter::must([Condition::has_vector("")]));
    assert_eq!(db.write(batch).unwrap().points, 6);
    let found = c.get(&[1.into(), 2.into()], &Select::all()).unwrap();
    let vectors: Vec<_> = found.iter().map(|point| point.vectors.clone().unwrap()).collect();
    assert_eq!(vectors, [Vectors::from([5.0]), Vectors::from([6.0])]);
    assert!(found.iter().all(|point| point.payload == Some(set(3))));
}

#[test]
fn operations_of_a_batch_see_those_before_them_through_filters() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    let point = |id: u64, x: i64| Point::new(id, [1.0]).payload(json!({ "x": x })).unwrap();
    c.upsert(vec![point(1, 1), point(2, 2)]).unwrap();
    let x = |value: i64| Filter::must([Condition::matches("x", value)]);
    let batch = WriteBatch::new()
        .upsert("c", vec![point(3, 1), point(4, 3)])
        .set_payload("c", payload(json!({"x": 2})), x(1))
        .delete("c", vec![4u64])
        .set_payload("c", payload(json!({"y": true})), x(2))
        .set_payload("c", payload(json!({"z": true})), x(3));
    db.write(batch).unwrap();
    let seen = c
        .count(Some(&Filter::must([Condition::matches("y", true)])))
        .unwrap();
    assert_eq!((seen, c.count(None).unwrap()), (3, 3));
}

#[test]
fn operations_on_existing_points_name_the_first_that_is_not_there() {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let c = db.create_collection("c", config()).unwrap();
    c.upsert(vec![Point::new(1, [1.0]), Point::new(3, [1.0])])
        .unwrap();
    let set = |ids: Vec<u64>| Operation::SetPayload {
        payload: payload(json!({"x": 1})),
        target: ids.into(),
        key: None,
    };
    let strict = c.submit(set(vec![1, 2, 3]), Durability::Sync);
    assert!(matches!(strict, Err(Error::PointNotFound { .. })));
    let ticket = c
        .submit_on_existing(set(vec![1, 4, 3, 2]), Durability::Sync)
        .unwrap();
    ticket.wait_visible().unwrap();
    assert_eq!(ticket.result().missing, Some(4.into()));
    let x = Filter::must([Condition::matches("x", 1)]);
    assert_eq!(c.count(Some(&x)).unwrap(), 2);
    let vectors = Operation::UpdateVectors {
        points: vec![(9.into(), [5.0].into()), (3.into(), [7.0].into())],
        update_filter: None,
    };
    let ticket = c.submit_on_existing(vectors, Durability::Sync).unwrap();
    ticket.wait_visible().unwrap();
    assert_eq!(ticket.result().missing, Some(9.into()));
    let found = c.get(&[3.into()], &Select::all()).unwrap();
    assert_eq!(found[0].vectors, Some([7.0].into()));
    let ticket = c.submit_on_existing(set(vec![1]), Durability::Sync).unwrap();
    ticket.wait_visible().unwrap();
    assert_eq!(ticket.result().missing, None);
}
