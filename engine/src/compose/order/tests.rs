use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::compare;
use crate::compose::kind::{OrderBy, Query};
use crate::compose::request::QueryRequest;
use crate::config::CollectionConfig;
use crate::db::Database;
use crate::filter::{Condition, Datetime, Filter};
use crate::payload::PayloadIndexKind;
use crate::point::{OrderValue, Point, PointId, ScoredPoint, Vectors};

fn value() -> impl Strategy<Value = OrderValue> {
    let integers = prop_oneof![
        any::<i64>(),
        -3i64..3,
        Just(i64::MAX),
        Just(i64::MIN),
        Just((1 << 53) + 1)
    ];
    let floats = prop_oneof![
        any::<f64>().prop_filter("a number", |x| !x.is_nan()),
        (-6i8..6).prop_map(|x| f64::from(x) / 2.0),
        Just(-0.0),
        Just((1i64 << 53) as f64),
        Just(i64::MAX as f64),
        Just(i64::MIN as f64),
    ];
    prop_oneof![
        integers.prop_map(OrderValue::Integer),
        floats.prop_map(OrderValue::Float),
        (0i64..3).prop_map(|micros| OrderValue::Datetime(Datetime::from_micros(micros).unwrap())),
    ]
}

#[test]
fn integers_are_not_rounded() {
    let beyond = i64::MAX as f64;
    assert_eq!(compare(i64::MAX.into(), beyond.into()), Ordering::Less);
    assert_eq!(
        compare(i64::MIN.into(), (i64::MIN as f64).into()),
        Ordering::Equal
    );
    assert_eq!(
        compare(((1i64 << 53) + 1).into(), ((1i64 << 53) as f64).into()),
        Ordering::Greater
    );
    assert_eq!(compare(0i64.into(), (-0.0).into()), Ordering::Equal);
    assert_eq!(compare(0.0.into(), (-0.0).into()), Ordering::Equal);
    assert_eq!(compare(2i64.into(), 2.5.into()), Ordering::Less);
    assert_eq!(compare((-2i64).into(), (-2.5).into()), Ordering::Greater);
}

proptest! {
    #[test]
    fn the_order_is_one(a in value(), b in value(), c in value()) {
        prop_assert_eq!(compare(a, b), compare(b, a).reverse());
        prop_assert_eq!(compare(a, a), Ordering::Equal);
        if compare(a, b).is_le() && compare(b, c).is_le() {
            prop_assert!(compare(a, c).is_le());
        }
        if compare(a, b).is_eq() {
            prop_assert_eq!(compare(a, c), compare(b, c));
        }
    }
}

/// Values around where floats no longer tell integers apart, values of other types, and none.
fn stored() -> impl Strategy<Value = Json> {
    let near = (1i64 << 53) - 2;
    let one = prop_oneof![
        (-2i64..3).prop_map(Json::from),
        (near..near + 5).prop_map(Json::from),
        (-4i8..5).prop_map(|x| json!(f64::from(x) / 2.0)),
        Just(json!((1u64 << 53) as f64)),
        Just(json!(u64::MAX)),
        Just(json!(i64::MIN)),
        Just(json!(true)),
        Just(Json::Null),
        prop_oneof![
            Just("2024-05-01"),
            Just("2024-05-01T00:00:00.000001Z"),
            Just("1969-12-31")
        ]
        .prop_map(Json::from),
    ];
    prop_oneof![4 => one.clone(), 1 => prop::collection::vec(one, 0..4).prop_map(Json::from)]
}

fn read(kind: PayloadIndexKind, value: &Json) -> Option<OrderValue> {
    match value {
        Json::Number(number) if kind != PayloadIndexKind::Datetime => match number.as_i64() {
            Some(integer) => Some(OrderValue::Integer(integer)),
            None if kind == PayloadIndexKind::Integer => None,
            None => number.as_f64().map(OrderValue::Float),
        },
        Json::String(text) if kind == PayloadIndexKind::Datetime => {
            Datetime::parse(text).map(OrderValue::Datetime)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            None
        }
    }
}

fn list(value: &Json) -> Vec<Json> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_order_by_an_index_is_that_of_the_payloads(
        values in prop::collection::vec((stored(), any::<bool>(), 0u8..5), 1..60),
        kind in prop_oneof![
            Just(PayloadIndexKind::Integer),
            Just(PayloadIndexKind::Float),
            Just(PayloadIndexKind::Datetime),
        ],
        descending in any::<bool>(),
        filtered in any::<bool>(),
        start in prop::option::of(value()),
        limit in 1usize..6,
    ) {
        let db = Database::builder().background(false).open_in_memory().unwrap();
        let c = db.create_collection("c", CollectionConfig::default()).unwrap();
        c.create_payload_index("v", kind).unwrap();
        let point = |(id, (value, keep, _)): (u64, &(Json, bool, u8))| {
            let payload = json!({"v": value, "keep": keep});
            Point::new(id, Vectors::default()).payload(payload).unwrap()
        };
        let points: Vec<Point> = (0u64..).zip(&values).map(point).collect();
        // Two segments and memory, each with rows of all over the order.
        for (n, part) in points.chunks(points.len().div_ceil(3)).enumerate() {
            c.upsert(part.to_vec()).unwrap();
            if n < 2 {
                c.flush().unwrap();
            }
        }
        let is_dead = |id: u64| values[id as usize].2 == 0;
        let dead: Vec<PointId> = (0..values.len() as u64).filter(|&id| is_dead(id)).map(PointId::from).collect();
        c.delete(dead).unwrap();

        let mut wanted: Vec<(OrderValue, PointId)> = Vec::new();
        for (id, (value, keep, _)) in (0u64..).zip(&values) {
            if is_dead(id) || (filtered && !keep) {
                continue;
            }
            let mut own: Vec<OrderValue> = list(value).iter().filter_map(|value| read(kind, value)).collect();
            own.sort_by(|a, b| compare(*a, *b));
            own.dedup_by(|a, b| compare(*a, *b).is_eq());
            wanted.extend(own.into_iter().map(|value| (value, id.into())));
        }
        let directed = |a: OrderValue, b: OrderValue| {
            if descending { compare(b, a) } else { compare(a, b) }
        };
        wanted.retain(|(value, _)| start.is_none_or(|start| directed(*value, start).is_ge()));
        wanted.sort_by(|(a, x), (b, y)| directed(*a, *b).then(x.cmp(y)));

        let mut by = OrderBy { descending, start_from: start, ..OrderBy::new("v") };
        let mut found: Vec<(OrderValue, PointId)> = Vec::new();
        loop {
            let mut request = QueryRequest::new(Query::OrderBy(by.clone())).limit(limit);
            if filtered {
                request = request.filter(Filter::must([Condition::matches("keep", true)]));
            }
            let page = c.query(&request).unwrap();
            let Some(last) = page.last() else { break };
            by = by.after_point(last);
            found.extend(page.iter().map(|hit| (hit.order.unwrap(), hit.id)));
        }
        prop_assert_eq!(found.len(), wanted.len(), "{:?}, not {:?}", found, wanted);
        for ((a, x), (b, y)) in found.iter().zip(&wanted) {
            prop_assert!(compare(*a, *b).is_eq() && x == y, "{:?}, not {:?}", found, wanted);
        }
    }
}

#[test]
fn a_point_without_a_place_in_the_order_leads_nowhere_else() {
    let placed = |order| ScoredPoint {
        id: PointId::Num(7),
        version: 1,
        score: 1.0,
        order,
        payload: None,
        vectors: None,
    };
    let order = OrderBy::new("n").after_point(&placed(Some(OrderValue::Integer(3))));
    assert_eq!(order.after, Some((OrderValue::Integer(3), PointId::Num(7))));
    assert_eq!(order.clone().after_point(&placed(None)), order);
}
