use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{SortCursor, SortFrom, SortKey, SortRequest, SortedPoint};
use crate::collection::Collection;
use crate::compose::value::ValueKind;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Datetime, Filter};
use crate::limits::MAX_SORT_KEYS;
use crate::payload::PayloadIndexKind;
use crate::point::{Point, PointId, Select};

/// Points with these payloads and their place in the list as ids, some in a segment and some in memory.
fn collection(payloads: &[Value]) -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |(id, payload): (u64, &Value)| Point::new(id, [1.0]).payload(payload.clone()).unwrap();
    let mut points: Vec<Point> = (0u64..).zip(payloads).map(point).collect();
    let later = points.split_off(points.len() / 2);
    if !points.is_empty() {
        c.upsert(points).unwrap();
        c.flush().unwrap();
    }
    if !later.is_empty() {
        c.upsert(later).unwrap();
    }
    (db, c)
}

/// A value as the contract says it is compared: its rank, and then a number or a text.
fn plain(kind: ValueKind, value: &Value) -> Option<(u8, f64, String)> {
    match (kind, value) {
        (ValueKind::Any, Value::Bool(truth)) => Some((0, f64::from(u8::from(*truth)), String::new())),
        (ValueKind::Any | ValueKind::Numbers, Value::Number(n)) => {
            Some((1, n.as_f64().unwrap() + 0.0, String::new()))
        }
        (ValueKind::Any | ValueKind::Strings, Value::String(text)) => Some((3, 0.0, text.clone())),
        (ValueKind::Datetimes, Value::String(text)) => {
            Datetime::parse(text).map(|at| (2, at.micros() as f64, String::new()))
        }
        _ => None,
    }
}

fn first(key: &SortKey, payload: &Value) -> Option<(u8, f64, String)> {
    let values = match &payload[&key.path] {
        Value::Array(items) => items.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![payload[&key.path].clone()]
        }
    };
    let counted = values.iter().filter_map(|value| plain(key.kind, value));
    let by = |a: &(u8, f64, String), b: &(u8, f64, String)| a.partial_cmp(b).unwrap();
    if key.descending {
        counted.max_by(by)
    } else {
        counted.min_by(by)
    }
}

/// The whole order, the plain way.
fn ids_in_order(keys: &[SortKey], payloads: &[Value]) -> Vec<PointId> {
    let mut ids: Vec<usize> = (0..payloads.len())
        .filter(|&id| first(&keys[0], &payloads[id]).is_some())
        .collect();
    ids.sort_by(|&a, &b| {
        for key in keys {
            let order = match (first(key, &payloads[a]), first(key, &payloads[b])) {
                (Some(a), Some(b)) if key.descending => b.partial_cmp(&a).unwrap(),
                (Some(a), Some(b)) => a.partial_cmp(&b).unwrap(),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        a.cmp(&b)
    });
    ids.into_iter().map(|id| PointId::from(id as u64)).collect()
}

fn ids(points: &[SortedPoint]) -> Vec<PointId> {
    points.iter().map(|point| point.record.id).collect()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-2i64..3).prop_map(Value::from),
        (-3i8..4).prop_map(|x| json!(f64::from(x) / 2.0)),
        any::<bool>().prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        prop_oneof![
            Just("2024-05-01"),
            Just("2024-05-01T02:00:00+02:00"),
            Just("2023-01-01T00:00:00Z")
        ]
        .prop_map(Value::from),
    ]
}

fn payload() -> impl Strategy<Value = Value> {
    let field = || prop_oneof![4 => value(), 1 => prop::collection::vec(value(), 0..3).prop_map(Value::from)];
    (field(), field(), field()).prop_map(|(a, b, c)| json!({"a": a, "b": b, "c": c}))
}

fn key() -> impl Strategy<Value = SortKey> {
    let kind = prop_oneof![
        Just(ValueKind::Any),
        Just(ValueKind::Numbers),
        Just(ValueKind::Datetimes),
        Just(ValueKind::Strings)
    ];
    ("[abc]", any::<bool>(), kind).prop_map(|(path, descending, kind)| SortKey {
        path,
        descending,
        kind,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_in_both_directions_are_the_order_cut_in_pieces(
        payloads in prop::collection::vec(payload(), 0..30),
        keys in prop::collection::vec(key(), 1..4),
        limit in 1usize..7,
        index in any::<bool>(),
    ) {
        let (_db, c) = collection(&payloads);
        if index {
            c.create_payload_index("a", PayloadIndexKind::Integer).unwrap();
            c.create_payload_index("b", PayloadIndexKind::Datetime).unwrap();
            c.create_payload_index("c", PayloadIndexKind::Float).unwrap();
        }
        let expected = ids_in_order(&keys, &payloads);
        let request = SortRequest::new(keys).limit(limit);
        let mut seen = Vec::new();
        let mut pages = Vec::new();
        let mut at = request.clone();
        loop {
            let page = c.sort(&at).unwrap();
            seen.extend(ids(&page.points));
            prop_assert_eq!(page.previous.is_some(), seen.len() > page.points.len() && !page.points.is_empty());
            pages.push(page.points);
            match page.next {
                Some(next) => at = request.clone().after(next),
                None => break,
            }
        }
        prop_assert_eq!(&seen, &expected);

        let mut from_end = Vec::new();
        let mut at = SortRequest { page: SortFrom::End, ..request.clone() };
        loop {
            let page = c.sort(&at).unwrap();
            prop_assert_eq!(page.next.is_some(), !from_end.is_empty());
            let mut before = ids(&page.points);
            before.append(&mut from_end);
            from_end = before;
            match page.previous {
                Some(previous) => at = request.clone().before(previous),
                None => break,
            }
        }
        prop_assert_eq!(&from_end, &expected);

        // Back from where a page began is the page before it.
        for pair in pages.windows(2) {
            let back = c.sort(&request.clone().before(pair[1][0].cursor())).unwrap();
            prop_assert_eq!(&back.points, &pair[0]);
        }
    }
}

#[test]
fn a_cursor_holds_its_place_when_its_point_is_gone() {
    let (_db, c) = collection(&(0..10).map(|n| json!({"n": n})).collect::<Vec<_>>());
    let request = SortRequest::new([SortKey::new("n")]).limit(3);
    let next = c.sort(&request).unwrap().next.unwrap();
    c.delete(vec![next.id]).unwrap();
    let page = c.sort(&request.after(next)).unwrap();
    assert_eq!(ids(&page.points), [3u64, 4, 5].map(PointId::from));
}

#[test]
fn filters_and_selections_hold() {
    let (_db, c) = collection(
        &(0..10)
            .map(|n| json!({"n": n, "even": n % 2 == 0}))
            .collect::<Vec<_>>(),
    );
    let request = SortRequest::new([SortKey::new("n").descending()])
        .filter(Filter::must([Condition::matches("even", true)]))
        .select(Select::default())
        .limit(2);
    let page = c.sort(&request).unwrap();
    assert_eq!(ids(&page.points), [8u64, 6].map(PointId::from));
    assert_eq!(page.points[0].record.payload, None);
    assert_eq!(page.points[0].values, [json!(8)]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (_db, c) = collection(&[json!({"n": 1})]);
    let key = || SortKey::new("n").kind(ValueKind::Numbers);
    let cursor = |values: &[Value]| SortCursor {
        values: values.to_vec(),
        id: 1.into(),
    };
    for (request, why) in [
        (SortRequest::new([]), "at least one key"),
        (SortRequest::new([key()]).limit(0), "at least 1"),
        (SortRequest::new([key()]).after(cursor(&[])), "of another order"),
        (
            SortRequest::new([key()]).after(cursor(&[json!("x")])),
            "no value of that key",
        ),
        (
            SortRequest::new([key()]).before(cursor(&[Value::Null])),
            "no value of that key",
        ),
    ] {
        let refused = c.sort(&request).unwrap_err();
        assert!(
            matches!(&refused, Error::InvalidRequest(what) if what.contains(why)),
            "{refused}"
        );
    }
    let many = SortRequest::new((0..=MAX_SORT_KEYS).map(|_| key()));
    assert!(matches!(c.sort(&many), Err(Error::Limit { .. })));
}
