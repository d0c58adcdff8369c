use serde_json::json;

use crate::config::{CollectionConfig, Distance, Durability, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter};
use crate::limits::MAX_BATCH_POINTS;
use crate::point::{Payload, Point, Select, Vectors};
use crate::write::batch::{Operation, WriteBatch};

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
