use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AggregateRequest, Aggregates, Bucket, Histogram, Sum};
use crate::collection::Collection;
use crate::compose::facet::FacetValue;
use crate::compose::value::ValueKind;
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::db::Database;
use crate::error::Error;
use crate::filter::{Condition, Filter};
use crate::limits::MAX_BUCKETS;
use crate::payload::PayloadIndexKind;
use crate::point::Point;

/// Points with these payloads, some in a segment and some in memory.
fn collection(payloads: &[Value]) -> (Database, Collection) {
    let db = Database::builder().background(false).open_in_memory().unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |(id, payload): (u64, &Value)| Point::new(id, [1.0]).payload(payload.clone()).unwrap();
    let points: Vec<Point> = (0u64..).zip(payloads).map(point).collect();
    for (n, half) in points.chunks(points.len().div_ceil(2).max(1)).enumerate() {
        c.upsert(half.to_vec()).unwrap();
        if n == 0 {
            c.flush().unwrap();
        }
    }
    (db, c)
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![value.clone()]
        }
    }
}

/// The numbers of the model are small halves: every sum of them is exact.
fn plain(payloads: &[&Value], width: f64) -> Aggregates {
    let numbers =
        |payload: &Value| -> Vec<f64> { list(&payload["v"]).iter().filter_map(Value::as_f64).collect() };
    let values: Vec<f64> = payloads.iter().flat_map(|payload| numbers(payload)).collect();
    let whole = values.iter().all(|x| x.fract() == 0.0);
    let json = |x: f64| {
        if x.fract() == 0.0 {
            json!(x as i64)
        } else {
            json!(x)
        }
    };
    let sum: f64 = values.iter().sum();
    let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
    for x in &values {
        *buckets.entry((x / width).floor() as i64).or_default() += 1;
    }
    let bucket = |(n, count): (i64, u64)| Bucket {
        from: n as f64 * width,
        to: (n + 1) as f64 * width,
        count,
    };
    let any = !values.is_empty();
    Aggregates {
        points: payloads
            .iter()
            .filter(|payload| !numbers(payload).is_empty())
            .count() as u64,
        values: values.len() as u64,
        min: any.then(|| json(values.iter().copied().fold(f64::MAX, f64::min))),
        max: any.then(|| json(values.iter().copied().fold(f64::MIN, f64::max))),
        sum: any.then_some(if whole {
            Sum::Integer(sum as i128)
        } else {
            Sum::Float(sum)
        }),
        avg: any.then(|| sum / values.len() as f64),
        distinct: Some(
            values
                .iter()
                .map(|x| (x * 2.0) as i64)
                .collect::<BTreeSet<_>>()
                .len() as u64,
        ),
        histogram: Some(buckets.into_iter().map(bucket).collect()),
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-4i64..5).prop_map(Value::from),
        (-8i8..9).prop_map(|x| json!(f64::from(x) / 2.0)),
        Just(json!("x")),
        Just(Value::Null),
        Just(json!(true)),
    ]
}

fn payload() -> impl Strategy<Value = Value> {
    let v = prop_oneof![
        value(),
        prop::collection::vec(value(), 0..4).prop_map(Value::from)
    ];
    let g = prop_oneof![
        Just(Value::Null),
        (0i64..3).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
        prop::collection::vec(0i64..3, 0..3).prop_map(Value::from),
    ];
    (v, g, any::<bool>()).prop_map(|(v, g, even)| json!({"v": v, "g": g, "even": even}))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn values_come_to_what_counting_them_gives(
        payloads in prop::collection::vec(payload(), 0..30),
        index in any::<bool>(),
        filtered in any::<bool>(),
        width in prop_oneof![Just(0.5), Just(1.0), Just(3.0)],
    ) {
        let (_db, c) = collection(&payloads);
        if index {
            c.create_payload_index("v", PayloadIndexKind::Float).unwrap();
        }
        let mut request = AggregateRequest::new("v")
            .distinct()
            .histogram(Histogram::Width { width, offset: 0.0 })
            .group_by("g")
            .limit(100);
        if filtered {
            request = request.filter(Filter::must([Condition::matches("even", true)]));
        }
        let matching: Vec<&Value> = payloads.iter().filter(|p| !filtered || p["even"] == true).collect();
        let answer = c.aggregate(&request).unwrap();
        prop_assert_eq!(&answer.total, &plain(&matching, width));

        let mut members: BTreeMap<FacetValue, Vec<&Value>> = BTreeMap::new();
        for payload in &matching {
            let values: BTreeSet<FacetValue> = list(&payload["g"]).iter().filter_map(|g| match g {
                Value::Number(n) => Some(FacetValue::Integer(n.as_i64()?)),
                Value::String(text) => Some(FacetValue::String(text.clone())),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
            }).collect();
            values.into_iter().for_each(|value| members.entry(value).or_default().push(payload));
        }
        let mut expected: Vec<_> = members
            .into_iter()
            .map(|(value, payloads)| (value, plain(&payloads, width)))
            .filter(|(_, aggregates)| aggregates.points > 0)
            .collect();
        expected.sort_by_key(|(_, aggregates)| std::cmp::Reverse(aggregates.points));
        let groups: Vec<_> = answer.groups.into_iter().map(|group| (group.value, group.aggregates)).collect();
        prop_assert_eq!(&groups, &expected);
        request.limit = 2;
        expected.truncate(2);
        let fewer: Vec<_> = c.aggregate(&request).unwrap().groups.into_iter().map(|g| (g.value, g.aggregates)).collect();
        prop_assert_eq!(fewer, expected);
    }
}

#[test]
fn sums_neither_overflow_nor_lose_what_is_small() {
    let (_db, c) = collection(&[json!({"v": [u64::MAX, u64::MAX, i64::MIN]}), json!({"v": 1})]);
    let total = c.aggregate(&AggregateRequest::new("v")).unwrap().total;
    let exact = i128::from(u64::MAX) * 2 + i128::from(i64::MIN) + 1;
    assert_eq!(total.sum, Some(Sum::Integer(exact)));
    assert_eq!(
        (total.min, total.max),
        (Some(json!(i64::MIN)), Some(json!(u64::MAX)))
    );

    let (_db, c) = collection(&[json!({"v": 1e300}), json!({"v": [0.5, 1]}), json!({"v": -1e300})]);
    let total = c.aggregate(&AggregateRequest::new("v")).unwrap().total;
    assert_eq!((total.sum, total.avg), (Some(Sum::Float(1.5)), Some(0.375)));
}

#[test]
fn datetimes_fall_into_buckets_to_the_microsecond() {
    let times = [
        "2024-05-01",
        "2024-05-01T23:59:59.999999Z",
        "2024-05-02T01:00:00+01:00",
        "9999-12-31T23:59:59.999999Z",
        "x",
    ];
    let (_db, c) = collection(&times.map(|at| json!({"at": at})));
    let day = 86_400.0;
    let request = AggregateRequest::new("at").kind(ValueKind::Datetimes);
    let daily = request.clone().histogram(Histogram::Width {
        width: day,
        offset: 0.0,
    });
    let total = c.aggregate(&daily).unwrap().total;
    assert_eq!((total.values, total.sum), (4, None));
    assert_eq!(total.min, Some(json!("2024-05-01T00:00:00Z")));
    let first = 19_844.0 * day;
    let last = 2_932_896.0 * day;
    let bucket = |from: f64, count| Bucket {
        from,
        to: from + day,
        count,
    };
    assert_eq!(
        total.histogram.unwrap(),
        [bucket(first, 2), bucket(first + day, 1), bucket(last, 1)]
    );
    let edges = request.histogram(Histogram::Edges(vec![first, first + day, last + day]));
    let counts = c.aggregate(&edges).unwrap().total.histogram.unwrap();
    assert_eq!(
        counts.iter().map(|bucket| bucket.count).collect::<Vec<_>>(),
        [2, 2]
    );
}

#[test]
fn edges_take_what_lies_between_them() {
    let (_db, c) = collection(&(0..10).map(|v| json!({"v": v})).collect::<Vec<_>>());
    let edges = Histogram::Edges(vec![2.0, 3.0, 3.5, 7.0]);
    let total = c
        .aggregate(&AggregateRequest::new("v").histogram(edges))
        .unwrap()
        .total;
    let counts: Vec<_> = total
        .histogram
        .unwrap()
        .iter()
        .map(|bucket| bucket.count)
        .collect();
    assert_eq!(counts, [1, 1, 3]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (_db, c) = collection(&[json!({"v": 1})]);
    let with = |histogram| AggregateRequest::new("v").histogram(histogram);
    let width = |width, offset| with(Histogram::Width { width, offset });
    for request in [
        width(0.0, 0.0),
        width(-1.0, 0.0),
        width(f64::NAN, 0.0),
        width(f64::INFINITY, 0.0),
        width(1.0, f64::NAN),
        width(1e-7, 0.0).kind(ValueKind::Datetimes),
        width(1.0, 1e300).kind(ValueKind::Datetimes),
        width(1.0, 0.0).kind(ValueKind::Strings),
        with(Histogram::Edges(vec![1.0])),
        with(Histogram::Edges(vec![1.0, 1.0])),
        with(Histogram::Edges(vec![1.0, f64::NAN])),
        AggregateRequest::new("v").limit(0),
    ] {
        let refused = c.aggregate(&request);
        assert!(
            matches!(refused, Err(Error::InvalidRequest(_))),
            "{request:?}: {refused:?}"
        );
    }
    let many = with(Histogram::Edges((0..MAX_BUCKETS + 2).map(|n| n as f64).collect()));
    assert!(matches!(c.aggregate(&many), Err(Error::Limit { .. })));
    assert!(matches!(
        c.aggregate(&AggregateRequest::new("[")),
        Err(Error::Filter(_))
    ));
}

#[test]
fn too_many_groups_or_values_are_refused_before_they_fill_the_memory() {
    let db = Database::builder()
        .background(false)
        .answer_bytes(20_000)
        .open_in_memory()
        .unwrap();
    let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    let point = |id: u64| Point::new(id, [1.0]).payload(json!({"v": id, "g": id % 3}));
    c.upsert((0..1000).map(point).collect::<Result<_, _>>().unwrap())
        .unwrap();
    assert_eq!(
        c.aggregate(&AggregateRequest::new("v").group_by("g"))
            .unwrap()
            .groups
            .len(),
        3
    );
    for request in [
        AggregateRequest::new("v").group_by("v"),
        AggregateRequest::new("v").distinct(),
    ] {
        assert!(matches!(c.aggregate(&request), Err(Error::Limit { .. })));
    }
}
