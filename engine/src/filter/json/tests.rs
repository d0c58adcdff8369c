use proptest::prelude::*;
use serde_json::{Value, json};
use vdb_storage::PointId;

use crate::filter::{Condition, Datetime, Filter, Limits, MatchValue, MinShould, Predicate, ValueList};

mod geo;

fn one(condition: Value) -> Condition {
    let filter = Filter::from_json(&json!({ "must": [condition] })).unwrap();
    filter.must.into_iter().next().unwrap()
}

fn refused(filter: Value) -> String {
    Filter::from_json(&filter).unwrap_err().to_string()
}

#[test]
fn every_shape_of_condition_is_read() {
    let at = |text: &str| text.parse::<Datetime>().unwrap();
    for (json, expected) in [
        (
            json!({"key": "a", "match": {"value": "x"}}),
            Condition::matches("a", "x"),
        ),
        (
            json!({"key": "a", "match": {"value": -3}}),
            Condition::matches("a", -3),
        ),
        (
            json!({"key": "a", "match": {"value": true}}),
            Condition::matches("a", true),
        ),
        (
            json!({"key": "a.b[]", "match": {"any": ["x", "y"]}}),
            Condition::matches_any("a.b[]", ["x", "y"]),
        ),
        (
            json!({"key": "a", "match": {"any": [1, 2]}}),
            Condition::matches_any("a", [1, 2]),
        ),
        (
            json!({"key": "a", "match": {"any": []}}),
            Condition::matches_any("a", [""; 0]),
        ),
        (
            json!({"key": "a", "match": {"except": ["x"]}}),
            Condition::matches_except("a", ["x"]),
        ),
        (
            json!({"key": "a", "match": {"except": [1]}}),
            Condition::matches_except("a", [1]),
        ),
        (
            json!({"key": "a", "match": {"text": "t"}}),
            Condition::text("a", "t"),
        ),
        (
            json!({"key": "a", "match": {"text_any": "t u"}}),
            Condition::text_any("a", "t u"),
        ),
        (
            json!({"key": "a", "match": {"phrase": "t u"}}),
            Condition::phrase("a", "t u"),
        ),
        (
            json!({"key": "a", "match": {"prefix": "t"}}),
            Condition::prefix("a", "t"),
        ),
        (
            json!({"key": "a", "match": {"substring": "t"}}),
            Condition::substring("a", "t"),
        ),
        (
            json!({"key": "a", "range": {"gte": 1, "lt": 2.5}}),
            Condition::range("a", 1.0..2.5),
        ),
        (
            json!({"key": "a", "range": {"gt": null, "lte": 7}}),
            Condition::range("a", ..=7.0),
        ),
        (
            json!({"key": "a", "range": {"gte": "2024-01-01"}}),
            Condition::datetime_range("a", at("2024-01-01")..),
        ),
        (
            json!({"key": "a", "values_count": {"gte": 1, "lte": 3}}),
            Condition::values_count("a", 1..=3),
        ),
        (
            json!({"key": "a", "is_empty": true}),
            Condition::Field {
                path: "a".into(),
                predicate: Predicate::IsEmpty(true),
            },
        ),
        (
            json!({"key": "a", "is_null": false}),
            Condition::Field {
                path: "a".into(),
                predicate: Predicate::IsNull(false),
            },
        ),
        (json!({"is_empty": {"key": "a"}}), Condition::is_empty("a")),
        (json!({"is_null": {"key": "a"}}), Condition::is_null("a")),
        (json!({"has_id": [1, 2]}), Condition::has_id([1_u64, 2])),
        (json!({"has_id": []}), Condition::has_id([0_u64; 0])),
        (json!({"has_vector": "image"}), Condition::has_vector("image")),
        (json!({"slice": {"total": 4, "index": 1}}), Condition::slice(4, 1)),
        (
            json!({"nested": {"key": "a", "filter": {"must": [{"key": "b", "match": {"value": 1}}]}}}),
            Condition::nested("a", Filter::must([Condition::matches("b", 1)])),
        ),
        (
            json!({"should": [{"is_null": {"key": "a"}}]}),
            Filter::should([Condition::is_null("a")]).into(),
        ),
        (json!({}), Filter::default().into()),
        (
            json!({"key": "a", "match": {"value": 1}, "range": null}),
            Condition::matches("a", 1),
        ),
        (
            json!({"key": "a", "match": {"value": 1, "any": null}}),
            Condition::matches("a", 1),
        ),
    ] {
        assert_eq!(one(json.clone()), expected, "{json}");
    }
}

#[test]
fn a_clause_is_a_list_or_one_condition() {
    let condition = json!({"has_id": [1]});
    for clause in ["must", "should", "must_not"] {
        let bare = Filter::from_json(&json!({clause: condition})).unwrap();
        assert_eq!(bare, Filter::from_json(&json!({clause: [condition]})).unwrap());
        assert_ne!(bare, Filter::default());
    }
    let least = json!({"min_should": {"conditions": [condition], "min_count": 1}});
    assert_eq!(
        Filter::from_json(&least).unwrap(),
        Filter::min_should(1, [Condition::has_id([1_u64])])
    );
}

#[test]
fn a_clause_that_is_null_is_absent_and_an_empty_should_is_not() {
    let null = json!({"must": null, "should": null, "must_not": null, "min_should": null});
    assert_eq!(Filter::from_json(&null).unwrap(), Filter::default());
    assert_eq!(
        Filter::from_json(&json!({"should": []})).unwrap().should,
        Some(vec![])
    );
}

#[test]
fn errors_name_the_place_and_what_is_there() {
    let must = |condition: Value| json!({"must": [{"has_id": [1]}, condition]});
    for (filter, message) in [
        (json!([]), "expected a filter object, found a list"),
        (json!({"musst": []}), "musst: unknown key in a filter"),
        (json!({"must": 7}), "must: expected a condition object, found 7"),
        (
            json!({"must_not": {"key": "a"}}),
            "must_not: a field condition needs one of match, range, values_count, is_empty, is_null",
        ),
        (
            must(json!({"key": "a", "range": {"gte": "x"}})),
            "must[1].range.gte: expected a number or a datetime, found \"x\"",
        ),
        (
            must(json!({"key": "a", "range": {"gte": 1, "lt": "x"}})),
            "must[1].range.lt: expected a number, found \"x\"",
        ),
        (
            must(json!({"key": "a", "range": {"gte": 1, "lt": "2024-01-01"}})),
            "must[1].range.lt: expected a number like the other limits, found \"2024-01-01\"",
        ),
        (
            must(json!({"key": "a", "range": {"gte": "2024-01-01", "lt": 1}})),
            "must[1].range.lt: expected a datetime like the other limits, found 1",
        ),
        (
            must(json!({"key": "a", "range": {"ge": 1}})),
            "must[1].range.ge: unknown key, expected lt, gt, gte, lte",
        ),
        (
            must(json!({"key": "a", "range": {"gte": true}})),
            "must[1].range.gte: expected a number, found true",
        ),
        (
            must(json!({"key": "a", "values_count": {"gte": -1}})),
            "must[1].values_count.gte: expected an integer of 0 or more, found -1",
        ),
        (
            must(json!({"key": "a", "values_count": {"gte": 1.5}})),
            "must[1].values_count.gte: expected an integer of 0 or more, found 1.5",
        ),
        (
            must(json!({"key": "a", "match": {"value": 1.0}})),
            "must[1].match.value: expected a string, a 64-bit integer or a boolean, found 1.0",
        ),
        (
            must(json!({"key": "a", "match": {"value": u64::MAX}})),
            "must[1].match.value: expected a string, a 64-bit integer or a boolean, found 18446744073709551615",
        ),
        (
            must(json!({"key": "a", "match": {"any": ["x", 1]}})),
            "must[1].match.any[1]: expected a string, found 1",
        ),
        (
            must(json!({"key": "a", "match": {"any": [1, "x"]}})),
            "must[1].match.any[1]: expected a 64-bit integer like the rest of the list, found \"x\"",
        ),
        (
            must(json!({"key": "a", "match": {"any": "x"}})),
            "must[1].match.any: expected a list, found \"x\"",
        ),
        (
            must(json!({"key": "a", "match": {"glob": "x"}})),
            "must[1].match.glob: unknown kind of match, expected an object with one of value, any, except, text, text_any, phrase, prefix, substring",
        ),
        (
            must(json!({"key": "a", "match": {"value": 1, "any": [1]}})),
            "must[1]: expected an object with one of value, any, except, text, text_any, phrase, prefix, substring",
        ),
        (
            must(json!({"key": "a", "match": {"value": 1}, "rang": {}})),
            "must[1]: unknown key \"rang\" in a field condition",
        ),
        (
            must(json!({"key": "a", "match": {"value": 1}, "range": {}})),
            "must[1]: more than one predicate: write a condition for each",
        ),
        (
            must(json!({"key": "a", "is_empty": "yes"})),
            "must[1].is_empty: expected true or false, found \"yes\"",
        ),
        (
            must(json!({"key": 1, "match": {"value": 1}})),
            "must[1].key: expected a string, found 1",
        ),
        (
            must(json!({"is_empty": {"key": "a", "x": 1}})),
            "must[1].is_empty: unknown key \"x\" in this condition",
        ),
        (must(json!({"is_null": {}})), "must[1].is_null: `key` is missing"),
        (
            must(json!({"is_null": true})),
            "must[1].is_null: expected an object with `key`, found true",
        ),
        (
            must(json!({"has_id": [1, "12"]})),
            "must[1].has_id[1]: expected a point id (an unsigned integer or a UUID), found \"12\"",
        ),
        (
            must(json!({"has_id": [-1]})),
            "must[1].has_id[0]: expected a point id (an unsigned integer or a UUID), found -1",
        ),
        (
            must(json!({"has_id": 1})),
            "must[1].has_id: expected a list, found 1",
        ),
        (
            must(json!({"has_vector": null})),
            "must[1].has_vector: expected a string, found null",
        ),
        (
            must(json!({"nested": {"key": "a"}})),
            "must[1].nested: `filter` is missing",
        ),
        (
            must(json!({"nested": {"key": "a", "filter": {"must": [{"key": "b"}]}}})),
            "must[1].nested.filter.must[0]: a field condition needs one of match, range, values_count, is_empty, is_null",
        ),
        (
            must(json!({"is_emty": {"key": "a"}})),
            "must[1].is_emty: unknown condition",
        ),
        (
            must(json!({"has_id": [1], "is_null": {"key": "a"}})),
            "must[1]: expected one condition, found the keys \"has_id\", \"is_null\"",
        ),
        (
            must(json!({"must": [], "key_": 1})),
            "must[1].key_: unknown key in a filter",
        ),
        (
            json!({"min_should": {"conditions": []}}),
            "min_should: `min_count` is missing",
        ),
        (
            json!({"min_should": {"conditions": [], "min_count": 0}}),
            "min_should.min_count: expected an integer of 1 or more, found 0",
        ),
        (
            json!({"min_should": {"conditions": {}, "min_count": 1}}),
            "min_should.conditions: expected a list, found an object",
        ),
    ] {
        assert_eq!(
            refused(filter.clone()),
            message.replace(
                "must[1]: expected an object with one",
                "must[1].match: expected an object with one"
            ),
            "{filter}"
        );
    }
    assert!(
        refused(must(json!({"key": "a..b", "match": {"value": 1}})))
            .starts_with("must[1].key: \"a..b\" is not a payload path")
    );
}

#[test]
fn depth_and_lengths_are_bounded() {
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({"must": deep});
    }
    assert!(refused(deep).ends_with("too large: levels of filters within a filter: at most 64, got 65"));
    let wide: Vec<Value> = vec![json!({"has_vector": ""}); 65_537];
    assert_eq!(
        refused(json!({"must": wide})),
        "must[65536]: too large: conditions in a filter: at most 65536, got 65537"
    );
    let long = vec![0; (1 << 20) + 1];
    assert!(refused(json!({"must": [{"has_id": long}]})).starts_with(
        "must[0].has_id: too large: values in the lists of a filter: at most 1048576, got 1048577"
    ));
}

fn limits<T: std::fmt::Debug + Clone>(
    value: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Limits<T>> {
    let limit = || proptest::option::of(value.clone());
    (limit(), limit(), limit(), limit()).prop_map(|(gt, gte, lt, lte)| Limits { gt, gte, lt, lte })
}

fn list() -> impl Strategy<Value = ValueList> {
    prop_oneof![
        proptest::collection::vec(".{0,4}", 0..4).prop_map(ValueList::Strings),
        proptest::collection::vec(any::<i64>(), 1..4).prop_map(ValueList::Integers),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let at = (Datetime::MIN.micros()..=Datetime::MAX.micros())
        .prop_map(|micros| Datetime::from_micros(micros).unwrap());
    let number = proptest::num::f64::NORMAL | proptest::num::f64::ZERO;
    prop_oneof![
        ".{0,4}".prop_map(|text| Predicate::Value(MatchValue::String(text))),
        any::<i64>().prop_map(|number| Predicate::Value(MatchValue::Integer(number))),
        any::<bool>().prop_map(|truth| Predicate::Value(MatchValue::Bool(truth))),
        list().prop_map(Predicate::Any),
        list().prop_map(Predicate::Except),
        ".{0,4}".prop_map(Predicate::Text),
        ".{0,4}".prop_map(Predicate::TextAny),
        ".{0,4}".prop_map(Predicate::Phrase),
        ".{0,4}".prop_map(Predicate::Prefix),
        ".{0,4}".prop_map(Predicate::Substring),
        limits(number).prop_map(Predicate::Range),
        (limits(at.clone()), at).prop_map(|(limits, at)| Predicate::Datetime(Limits {
            gte: Some(at),
            ..limits
        })),
        limits(any::<u64>()).prop_map(Predicate::ValuesCount),
        any::<bool>().prop_map(Predicate::IsEmpty),
        any::<bool>().prop_map(Predicate::IsNull),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let path = || "[a-c](\\.[a-c]|\\[\\]|\\[[0-2]\\]){0,3}";
    let id = prop_oneof![
        any::<u64>().prop_map(PointId::Num),
        any::<u128>().prop_map(|bits| PointId::Uuid(uuid::Uuid::from_u128(bits))),
    ];
    let leaf = prop_oneof![
        6 => (path(), predicate()).prop_map(|(path, predicate)| Condition::Field { path, predicate }),
        2 => (path(), geo::area()).prop_map(|(path, predicate)| Condition::Field { path, predicate }),
        1 => path().prop_map(Condition::is_empty),
        1 => path().prop_map(Condition::is_null),
        1 => (0_u32..5, 1_u32..5).prop_map(|(index, more)| Condition::slice(index + more, index)),
        1 => proptest::collection::vec(id, 0..4).prop_map(Condition::HasId),
        1 => ".{0,4}".prop_map(Condition::HasVector),
    ];
    leaf.prop_recursive(4, 32, 4, move |condition| {
        let list = || proptest::collection::vec(condition.clone(), 0..4);
        let least = (list(), 1_usize..5).prop_map(|(conditions, min_count)| MinShould {
            conditions,
            min_count,
        });
        let filter = (
            list(),
            proptest::option::of(list()),
            list(),
            proptest::option::of(least),
        )
            .prop_map(|(must, should, must_not, min_should)| Filter {
                must,
                should,
                must_not,
                min_should,
            });
        prop_oneof![
            filter.clone().prop_map(Condition::from),
            (path(), filter).prop_map(|(path, filter)| Condition::nested(path, filter)),
        ]
    })
}

/// JSON that is a filter nearly everywhere, with anything anywhere.
fn nearly_a_filter() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a\\[\\].\"]{0,4}".prop_map(Value::from),
        Just(json!("2024-01-01")),
    ];
    let keys = [
        "must",
        "should",
        "must_not",
        "min_should",
        "conditions",
        "min_count",
        "key",
        "match",
        "value",
        "any",
        "except",
        "text",
        "range",
        "gte",
        "lt",
        "values_count",
        "is_empty",
        "is_null",
        "has_id",
        "has_vector",
        "nested",
        "filter",
        "geo_radius",
        "geo_bounding_box",
        "geo_polygon",
        "center",
        "radius",
        "top_left",
        "bottom_right",
        "exterior",
        "interiors",
        "points",
        "lon",
        "lat",
        "slice",
        "total",
        "index",
        "other",
    ];
    leaf.prop_recursive(8, 64, 4, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::hash_map(proptest::sample::select(keys.to_vec()), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_survives_json(conditions in proptest::collection::vec(condition(), 0..4)) {
        let filter = Filter::must(conditions);
        prop_assert_eq!(Filter::from_json(&filter.to_json()).unwrap(), filter);
    }

    #[test]
    fn reading_any_json_never_panics_and_what_is_read_compiles(value in nearly_a_filter()) {
        if let Ok(filter) = Filter::from_json(&value) {
            prop_assert!(crate::filter::CompiledFilter::new(&filter, &crate::filter::fixture::NoTexts).is_ok());
        }
    }
}

#[test]
fn empty_lists_read_back_equal_whatever_type_they_were_of() {
    let of = |list: ValueList, predicate: fn(ValueList) -> Predicate| {
        Filter::must([Condition::Field {
            path: "a".into(),
            predicate: predicate(list),
        }])
    };
    for predicate in [Predicate::Any, Predicate::Except] {
        for list in [ValueList::Strings(Vec::new()), ValueList::Integers(Vec::new())] {
            let filter = of(list, predicate);
            assert_eq!(Filter::from_json(&filter.to_json()).unwrap(), filter);
        }
        let some = of(ValueList::Integers(vec![1]), predicate);
        assert_ne!(some, of(ValueList::Strings(Vec::new()), predicate));
    }
}
