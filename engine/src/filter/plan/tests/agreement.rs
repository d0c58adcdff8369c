//! Plans of random filters over random payloads and indexes, against evaluating every row.

use proptest::prelude::*;
use serde_json::{Value, json};
use vdb_index::RowSet;
use vdb_index::postings::{Estimate, Kind};

use super::Segment;
use crate::filter::{
    Candidates, CompiledFilter, Condition, Datetime, Filter, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius,
    IndexLookup, Limits, MinShould, Predicate, ValueList, candidates, estimate,
};
use crate::payload::PayloadIndexParams;

const PATHS: [&str; 5] = ["a", "b", "a.b", "a[].b", "a[]"];
const TEXTS: [&str; 11] = [
    "x xy y z",
    "z Y, x",
    "x",
    "xy",
    "y z",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "2025-06-01T12:00:00+02:00",
    "",
    "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "67E55044-10B1-426F-9247-BB680E5FE0C8",
];

fn scalar() -> impl Strategy<Value = Value> + Clone {
    prop_oneof![
        2 => Just(Value::Null),
        4 => (0_i64..3).prop_map(Value::from),
        2 => prop_oneof![Just(1.0), Just(1.5), Just(-0.0), Just(1e19)].prop_map(Value::from),
        1 => prop_oneof![Just(u64::MAX), Just(1_u64 << 63), Just(i64::MAX as u64), Just(i64::MAX as u64 - 1)].prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        3 => (-2_i32..3, -2_i32..3).prop_map(|(lon, lat)| json!({"lon": lon, "lat": f64::from(lat) / 2.0, "a": lat})),
        1 => Just(json!({"lon": 1, "lat": 90.5})),
        4 => proptest::sample::select(TEXTS.to_vec()).prop_map(Value::from),
    ]
}

/// Objects whose fields are often lists, and often lists of such objects: what nested conditions look into.
fn payload() -> impl Strategy<Value = Value> {
    let list = |item: BoxedStrategy<Value>| proptest::collection::vec(item, 0..4).prop_map(Value::from);
    let value =
        prop_oneof![3 => scalar(), 1 => list(scalar().boxed()), 1 => list(list(scalar().boxed()).boxed())];
    let inner = object(value.clone().boxed());
    let value = prop_oneof![
        3 => value,
        1 => inner.clone(),
        3 => list(prop_oneof![4 => inner, 1 => scalar()].boxed()),
    ];
    object(value.boxed())
}

fn object(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> + Clone {
    let field = || proptest::option::weighted(0.8, value.clone());
    (field(), field()).prop_map(|fields| {
        let named = [("a", fields.0), ("b", fields.1)];
        Value::Object(
            named
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect(),
        )
    })
}

fn limits<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Limits<T>> {
    let limit = || proptest::option::weighted(0.4, value.clone());
    (limit(), limit(), limit(), limit()).prop_map(|(gt, gte, lt, lte)| Limits { gt, gte, lt, lte })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let text = || proptest::sample::select(TEXTS.to_vec()).prop_map(str::to_owned);
    let list = || {
        prop_oneof![
            proptest::collection::vec(text(), 0..4).prop_map(ValueList::Strings),
            proptest::collection::vec(0_i64..3, 1..4).prop_map(ValueList::Integers),
        ]
    };
    let at = proptest::sample::select(vec!["2024-01-01", "2025-01-01"])
        .prop_map(|text| text.parse::<Datetime>().unwrap());
    let number = prop_oneof![
        (-3_i32..5).prop_map(f64::from),
        Just(1.5),
        Just(1e19),
        Just(9.223_372_036_854_776e18)
    ];
    prop_oneof![
        2 => text().prop_map(|text| Predicate::Value(text.into())),
        2 => (0_i64..3).prop_map(|number| Predicate::Value(number.into())),
        1 => any::<bool>().prop_map(|truth| Predicate::Value(truth.into())),
        2 => list().prop_map(Predicate::Any),
        2 => list().prop_map(Predicate::Except),
        1 => text().prop_map(Predicate::Text),
        1 => text().prop_map(Predicate::TextAny),
        1 => text().prop_map(Predicate::Phrase),
        1 => text().prop_map(Predicate::Prefix),
        1 => text().prop_map(Predicate::Substring),
        2 => limits(number).prop_map(Predicate::Range),
        2 => limits(at).prop_map(Predicate::Datetime),
        3 => area(),
        1 => limits(0_u64..4).prop_map(Predicate::ValuesCount),
        1 => any::<bool>().prop_map(Predicate::IsEmpty),
        1 => any::<bool>().prop_map(Predicate::IsNull),
    ]
}

/// Areas about as large as the distances between the positions in payloads, many with a position on their edge.
fn area() -> impl Strategy<Value = Predicate> {
    let point = (-6_i32..7, -6_i32..7).prop_map(|(lon, lat)| GeoPoint {
        lon: f64::from(lon) / 2.0,
        lat: f64::from(lat) / 2.0,
    });
    let ring = proptest::collection::vec(point.clone(), 3..6).prop_map(|mut ring| {
        ring.push(ring[0]);
        ring
    });
    prop_oneof![
        (point.clone(), point.clone()).prop_map(|(top_left, bottom_right)| Predicate::GeoBoundingBox(
            GeoBoundingBox {
                top_left,
                bottom_right
            }
        )),
        (point, 0_u32..7).prop_map(|(center, degrees)| {
            Predicate::GeoRadius(GeoRadius {
                center,
                radius: f64::from(degrees) * 50_000.0,
            })
        }),
        (ring.clone(), proptest::collection::vec(ring, 0..2))
            .prop_map(|(exterior, interiors)| Predicate::GeoPolygon(GeoPolygon { exterior, interiors })),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let path = || proptest::sample::select(PATHS.to_vec()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        12 => (path(), predicate()).prop_map(|(path, predicate)| Condition::Field { path, predicate }),
        1 => proptest::collection::vec(98_u64..140, 0..4).prop_map(Condition::has_id),
        1 => proptest::sample::select(vec!["image", "text"]).prop_map(Condition::has_vector),
        1 => (0_u32..3).prop_map(|index| Condition::slice(3, index)),
    ];
    let condition = leaf.prop_recursive(3, 12, 3, move |condition| {
        prop_oneof![
            clauses(condition.clone()).prop_map(Condition::from),
            (
                proptest::sample::select(vec!["a", "a", "b", "a.b"]),
                clauses(condition)
            )
                .prop_map(|(path, filter)| Condition::nested(path, filter)),
        ]
    });
    clauses(condition)
}

/// Filters of one clause mostly, since others narrow what is asked of each.
fn clauses(condition: impl Strategy<Value = Condition> + Clone) -> impl Strategy<Value = Filter> {
    let list = |len: std::ops::Range<usize>| proptest::collection::vec(condition.clone(), len);
    let least = || {
        (list(0..4), 1_usize..4).prop_map(|(conditions, min_count)| MinShould {
            conditions,
            min_count,
        })
    };
    let some_least = proptest::option::weighted(0.3, least());
    prop_oneof![
        4 => list(1..3).prop_map(Filter::must),
        2 => list(0..4).prop_map(Filter::should),
        2 => list(1..3).prop_map(Filter::must_not),
        2 => least().prop_map(|least| Filter { min_should: Some(least), ..Filter::default() }),
        1 => (list(0..3), proptest::option::weighted(0.3, list(0..3)), list(0..3), some_least).prop_map(
            |(must, should, must_not, min_should)| Filter { must, should, must_not, min_should }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn plans_and_estimates_agree_with_evaluating_every_row(
        payloads in proptest::collection::vec(payload(), 1..40),
        kinds in proptest::collection::vec(proptest::option::weighted(0.7, 0..Kind::ALL.len()), PATHS.len()),
        filters in proptest::collection::vec(filter(), 1..8),
    ) {
        let params = |kind: usize| PayloadIndexParams::from(Kind::ALL[kind]);
        let indexes: Vec<_> = PATHS.iter().zip(&kinds).filter_map(|(path, kind)| {
            Some((*path, params((*kind)?)))
        }).collect();
        let segment = Segment::with(&payloads, &indexes);
        for filter in &filters {
            let compiled = CompiledFilter::new(filter, &segment).unwrap();
            let matching = segment.matching(&compiled);
            let planned = candidates(&compiled, &segment).unwrap();
            match &planned {
                Candidates::Exact(rows) => prop_assert_eq!(rows, &matching, "{}", filter.to_json()),
                Candidates::Between { certain, possible: rows } => {
                    prop_assert!(certain.clone().minus(&matching).is_empty(), "{:?} {:?} {}", certain, matching, filter.to_json());
                    prop_assert!(matching.clone().minus(rows).is_empty(), "{:?} {:?} {}", rows, matching, filter.to_json());
                    prop_assert!(rows.max().is_none_or(|row| row < segment.rows()));
                }
                Candidates::Unknown => {}
            }
            let Estimate { min, expected, max } = estimate(&compiled, &segment).unwrap();
            prop_assert!(min <= expected && expected <= max, "{min} {expected} {max} {}", filter.to_json());
            prop_assert!((min..=max).contains(&matching.len()), "{min} {} {max} {}", matching.len(), filter.to_json());
        }
    }
}

#[test]
fn plans_agree_with_evaluating_every_row_however_uuids_are_spelled() {
    let spellings = [
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "67E55044-10B1-426F-9247-BB680E5FE0C8",
        "67e5504410b1426f9247bb680e5fe0c8",
        "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
    ];
    let [lower, upper, plain, _] = spellings;
    let other = "67e55044-10b1-426f-9247-bb680e5fe0c9";
    let mut payloads = spellings.map(|text| json!({ "a": text })).to_vec();
    payloads.extend([
        json!({"a": "wren"}),
        json!({"a": 7}),
        json!({ "a": other }),
        json!({"a": [lower, "wren"]}),
        json!({"a": [upper, other]}),
        json!({"a": [7, plain]}),
        json!({"a": null}),
        json!({}),
    ]);
    let segment = Segment::new(&payloads, &[("a", Kind::Uuid)]);
    let mut asked = Vec::new();
    for text in spellings {
        let one = vec![0, 1, 2, 3, 7, 8, 9];
        asked.extend([
            (json!({ "value": text }), one.clone()),
            (json!({ "any": [text] }), one),
            (json!({ "any": [text, other] }), vec![0, 1, 2, 3, 6, 7, 8, 9]),
            (json!({ "except": [text] }), vec![4, 5, 6, 7, 8, 9]),
            (json!({ "except": [text, other] }), vec![4, 5, 7, 9]),
        ]);
    }
    // Of these lists not every text is a UUID, so that they are texts.
    asked.extend([
        (json!({"any": [upper, "wren"]}), vec![1, 4, 7, 8]),
        (json!({"except": [upper, "wren"]}), vec![0, 2, 3, 5, 6, 7, 8, 9]),
        (json!({"value": "wren"}), vec![4, 7]),
    ]);
    for (wanted, rows) in asked {
        let others: Vec<u32> = (0..segment.rows()).filter(|row| !rows.contains(row)).collect();
        for (clause, rows) in [("must", &rows), ("must_not", &others)] {
            let filter = json!({ clause: [{"key": "a", "match": wanted}] });
            let compiled = CompiledFilter::new(&Filter::from_json(&filter).unwrap(), &segment).unwrap();
            let matching = segment.matching(&compiled);
            assert_eq!(matching, rows.iter().copied().collect::<RowSet>(), "{filter}");
            match candidates(&compiled, &segment).unwrap() {
                Candidates::Exact(rows) => assert_eq!(rows, matching, "{filter}"),
                Candidates::Between { certain, possible } => {
                    assert!(certain.minus(&matching).is_empty(), "{filter}");
                    assert!(matching.clone().minus(&possible).is_empty(), "{filter}");
                }
                // Nothing is ruled out where the index, which has no texts but UUIDs, is sure of no row.
                Candidates::Unknown => assert_eq!(clause, "must_not", "{filter}"),
            }
            let Estimate { min, max, .. } = estimate(&compiled, &segment).unwrap();
            assert!((min..=max).contains(&matching.len()), "{min} {max} {filter}");
        }
    }
}
