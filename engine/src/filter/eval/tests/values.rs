//! What each predicate says of the values at its path.

use std::sync::Arc;

use serde_json::{Value, json};

use super::check;
use crate::filter::{
    CompiledFilter, Condition, Filter, FilterError, Limits, Predicate, TextAnalysis, TextFields, ValueList,
    fixture::{Doc, NoTexts},
};
use crate::limits::MAX_FILTER_VALUES;

fn field(predicate: Value) -> Value {
    let Value::Object(mut map) = predicate else {
        panic!("not an object")
    };
    map.insert("key".into(), "a".into());
    Value::Object(map)
}

fn matches(kind: &str, value: Value) -> Value {
    field(json!({ "match": { kind: value } }))
}

/// An index of UUIDs on the path `a`.
struct Uuids;

impl TextFields for Uuids {
    fn text_analysis(&self, _path: &str) -> Option<&Arc<TextAnalysis>> {
        None
    }

    fn has_uuids(&self, path: &str) -> bool {
        path == "a"
    }
}

#[test]
fn uuids_are_themselves_in_any_spelling_where_there_is_an_index_of_them() {
    let spellings = [
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "67E55044-10B1-426F-9247-BB680E5FE0C8",
        "67e5504410b1426f9247bb680e5fe0c8",
        "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
        "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
    ];
    let holds = |condition: &Value, texts: &dyn TextFields, payload: &Value| {
        let filter = Filter::from_json(&json!({ "must": [condition] })).unwrap();
        let filter = CompiledFilter::new(&filter, texts).unwrap();
        filter.matches(&Doc::new(payload)).unwrap()
    };
    for wanted in spellings {
        for stored in spellings {
            let payload = json!({"a": ["owl", stored]});
            let (value, any) = (
                matches("value", json!(wanted)),
                matches("any", json!([wanted, spellings[0]])),
            );
            assert!(holds(&value, &Uuids, &payload) && holds(&any, &Uuids, &payload));
            assert_eq!(holds(&value, &NoTexts, &payload), wanted == stored);
            let except = matches("except", json!([wanted]));
            assert!(!holds(&except, &Uuids, &json!({ "a": stored })));
            assert!(holds(&except, &Uuids, &payload));
            // Not every text of this list is one, so that they are texts.
            let mixed = matches("any", json!([wanted, "wren"]));
            assert_eq!(holds(&mixed, &Uuids, &payload), wanted == stored);
        }
    }
    let other = json!({"a": "67e55044-10b1-426f-9247-bb680e5fe0c9", "b": spellings[1]});
    for kind in ["value", "text", "prefix"] {
        assert!(!holds(&matches(kind, json!(spellings[0])), &Uuids, &other));
    }
    let elsewhere = json!({"key": "b", "match": {"value": spellings[0]}});
    assert!(!holds(&elsewhere, &Uuids, &other));
    let except = matches("except", json!([spellings[1]]));
    for (payload, passes) in [
        (json!({"a": null}), false),
        (json!({}), false),
        (json!({"a": 1}), true),
        (other, true),
    ] {
        assert_eq!(holds(&except, &Uuids, &payload), passes, "{payload}");
    }
}

#[test]
fn a_list_counts_once_whether_or_not_all_its_texts_are_uuids() {
    let uuids = (0..600_000_u128).map(|number| uuid::Uuid::from_u128(number).to_string());
    let uuids: Vec<String> = uuids.collect();
    let mixed: Vec<String> = uuids.iter().cloned().chain(["wren".to_owned()]).collect();
    assert!(mixed.len() <= MAX_FILTER_VALUES && 2 * uuids.len() > MAX_FILTER_VALUES);
    let conditions = |list: &[String]| {
        [Predicate::Any, Predicate::Except].map(|of| Condition::Field {
            path: "a".into(),
            predicate: of(ValueList::Strings(list.to_vec())),
        })
    };
    for list in [&uuids, &mixed] {
        for condition in conditions(list) {
            assert!(CompiledFilter::new(&condition.into(), &Uuids).is_ok());
        }
        // Twice is more than there may be.
        let both = CompiledFilter::new(&Filter::must(conditions(list)), &Uuids);
        assert!(matches!(both, Err(FilterError::Limit { .. })));
    }
}

#[test]
fn a_string_matches_only_the_same_string() {
    check(
        &matches("value", json!("x")),
        &[
            json!({"a": "x"}),
            json!({"a": ["y", "x"]}),
            json!({"a": [1, null, "x"]}),
        ],
        &[
            json!({}),
            json!({"a": null}),
            json!({"a": "X"}),
            json!({"a": "xy"}),
            json!({"a": []}),
            json!({"a": [["x"]]}),
            json!({"a": {"x": "x"}}),
            json!({"b": "x"}),
        ],
    );
    check(
        &matches("value", json!("1")),
        &[json!({"a": "1"})],
        &[json!({"a": 1})],
    );
    check(
        &matches("value", json!("true")),
        &[json!({"a": "true"})],
        &[json!({"a": true})],
    );
    check(
        &matches("value", json!("")),
        &[json!({"a": ""})],
        &[json!({"a": null}), json!({})],
    );
}

#[test]
fn an_integer_matches_only_the_same_integer_of_integer_type() {
    check(
        &matches("value", json!(1)),
        &[json!({"a": 1}), json!({"a": [2, 1]})],
        &[
            json!({"a": 1.0}),
            json!({"a": "1"}),
            json!({"a": true}),
            json!({"a": 10}),
            json!({"a": null}),
        ],
    );
    check(
        &matches("value", json!(-5)),
        &[json!({"a": -5})],
        &[json!({"a": 5})],
    );
    check(
        &matches("value", json!(i64::MIN)),
        &[json!({"a": i64::MIN})],
        &[json!({"a": i64::MAX})],
    );
    // Neighbours that are one number to a float.
    check(
        &matches("value", json!(9_007_199_254_740_993_i64)),
        &[json!({"a": 9_007_199_254_740_993_i64})],
        &[json!({"a": 9_007_199_254_740_992_i64})],
    );
}

#[test]
fn a_stored_integer_above_64_signed_bits_never_matches() {
    check(&matches("value", json!(-1)), &[], &[json!({"a": u64::MAX})]);
    check(
        &matches("value", json!(i64::MAX)),
        &[json!({"a": i64::MAX})],
        &[json!({"a": 1_u64 << 63})],
    );
}

#[test]
fn a_boolean_matches_only_the_same_boolean() {
    check(
        &matches("value", json!(true)),
        &[json!({"a": true}), json!({"a": [false, true]})],
        &[
            json!({"a": false}),
            json!({"a": 1}),
            json!({"a": "true"}),
            json!({"a": null}),
            json!({}),
        ],
    );
}

#[test]
fn any_matches_one_of_a_list() {
    check(
        &matches("any", json!(["z", "x", "x", "y"])),
        &[json!({"a": "y"}), json!({"a": ["w", "z"]})],
        &[json!({"a": "w"}), json!({"a": ["w"]}), json!({"a": 1}), json!({})],
    );
    check(
        &matches("any", json!([3, 1, 2])),
        &[json!({"a": 2})],
        &[json!({"a": 4}), json!({"a": 2.0}), json!({"a": "2"})],
    );
}

#[test]
fn any_of_an_empty_list_matches_nothing() {
    check(
        &matches("any", json!([])),
        &[],
        &[json!({"a": "x"}), json!({"a": null}), json!({"a": []}), json!({})],
    );
}

#[test]
fn any_works_on_long_lists() {
    let list: Vec<String> = (0..5000).map(|number| format!("w{number}")).collect();
    check(
        &matches("any", json!(list)),
        &[json!({"a": "w4999"}), json!({"a": "w0"})],
        &[json!({"a": "w5000"})],
    );
}

#[test]
fn except_matches_a_value_outside_the_list() {
    check(
        &matches("except", json!(["x", "y"])),
        &[json!({"a": "z"}), json!({"a": ["x", "z"]})],
        &[json!({"a": "x"}), json!({"a": ["y", "x"]}), json!({"a": []})],
    );
    check(
        &matches("except", json!([1, 2])),
        &[json!({"a": 3}), json!({"a": [1, 3]}), json!({"a": u64::MAX})],
        &[json!({"a": 1}), json!({"a": [2, 2]})],
    );
}

#[test]
fn except_matches_values_of_other_types_but_not_null_or_missing() {
    for list in [json!(["x"]), json!([1])] {
        check(
            &matches("except", list),
            &[
                json!({"a": true}),
                json!({"a": 1.0}),
                json!({"a": {}}),
                json!({"a": {"x": 1}}),
                json!({"a": [["x"]]}),
                json!({"a": [null, false]}),
            ],
            &[
                json!({}),
                json!({"a": null}),
                json!({"a": [null]}),
                json!({"b": 2}),
            ],
        );
    }
    check(&matches("except", json!([1])), &[json!({"a": "1"})], &[]);
    check(&matches("except", json!(["1"])), &[json!({"a": 1})], &[]);
}

#[test]
fn except_of_an_empty_list_matches_any_value_but_null() {
    check(
        &matches("except", json!([])),
        &[
            json!({"a": "x"}),
            json!({"a": 0}),
            json!({"a": false}),
            json!({"a": {}}),
            json!({"a": [1]}),
        ],
        &[
            json!({}),
            json!({"a": null}),
            json!({"a": [null]}),
            json!({"a": []}),
        ],
    );
}

#[test]
fn text_and_phrase_are_case_sensitive_substrings() {
    for kind in ["text", "phrase"] {
        check(
            &matches(kind, json!("of the")),
            &[json!({"a": "king of the hill"}), json!({"a": ["no", "of the"]})],
            &[
                json!({"a": "OF THE"}),
                json!({"a": "of  the"}),
                json!({"a": ["of", "the"]}),
                json!({"a": 1}),
                json!({}),
            ],
        );
    }
}

#[test]
fn text_any_is_a_substring_of_any_piece() {
    check(
        &matches("text_any", json!(" king\tqueen ")),
        &[json!({"a": "kingdom"}), json!({"a": ["x", "a queen"]})],
        &[json!({"a": "King"}), json!({"a": "kin"}), json!({})],
    );
    check(
        &matches("text_any", json!("  ")),
        &[],
        &[json!({"a": "x"}), json!({"a": ""})],
    );
}

#[test]
fn prefix_compares_bytes_from_the_start_of_a_string() {
    check(
        &matches("prefix", json!("café")),
        &[json!({"a": "café"}), json!({"a": ["x", "cafés"]})],
        &[
            json!({"a": "cafe"}),
            json!({"a": "Café"}),
            json!({"a": "un café"}),
            json!({"a": 1}),
            json!({}),
        ],
    );
}

#[test]
fn a_range_compares_numbers_of_every_type() {
    check(
        &field(json!({"range": {"gte": 1, "lt": 2.5}})),
        &[
            json!({"a": 1}),
            json!({"a": 1.0}),
            json!({"a": 2}),
            json!({"a": 2.4999}),
            json!({"a": [9, 2]}),
        ],
        &[
            json!({"a": 0.999}),
            json!({"a": 2.5}),
            json!({"a": 3}),
            json!({"a": "2"}),
            json!({"a": true}),
            json!({"a": null}),
            json!({}),
        ],
    );
    check(
        &field(json!({"range": {"gt": 1}})),
        &[json!({"a": 1.1}), json!({"a": u64::MAX})],
        &[json!({"a": 1})],
    );
    check(
        &field(json!({"range": {"lte": -1e300}})),
        &[json!({"a": -1e301})],
        &[json!({"a": i64::MIN})],
    );
}

#[test]
fn one_value_has_to_be_within_all_limits() {
    check(
        &field(json!({"range": {"gt": 2, "lt": 8}})),
        &[json!({"a": [1, 5, 9]})],
        &[json!({"a": [1, 9]})],
    );
}

#[test]
fn a_range_without_limits_matches_every_number() {
    check(
        &field(json!({"range": {}})),
        &[json!({"a": 0}), json!({"a": [null, -1.5]})],
        &[json!({"a": "x"}), json!({})],
    );
}

#[test]
fn a_limit_that_is_not_a_number_is_met_by_nothing() {
    let predicate = Predicate::Range(Limits {
        gte: Some(f64::NAN),
        ..Limits::default()
    });
    let filter = Filter::must([Condition::Field {
        path: "a".into(),
        predicate,
    }]);
    assert!(
        !CompiledFilter::new(&filter, &NoTexts)
            .unwrap()
            .matches(&Doc::new(&json!({"a": 1})))
            .unwrap()
    );
}

#[test]
fn a_datetime_range_compares_the_times_that_strings_spell() {
    check(
        &field(json!({"range": {"gte": "2024-01-01", "lt": "2024-06-01T12:00:00+02:00"}})),
        &[
            json!({"a": "2024-01-01T00:00:00Z"}),
            json!({"a": "2024-06-01 09:59"}),
            json!({"a": "2024-06-01T04:59:59-0500"}),
            json!({"a": ["never", "2024-03-03"]}),
        ],
        &[
            json!({"a": "2023-12-31T23:59:59.999999Z"}),
            json!({"a": "2024-06-01T10:00:00Z"}),
            json!({"a": "20240301"}),
            json!({"a": 1_706_000_000}),
            json!({"a": null}),
            json!({}),
        ],
    );
}

#[test]
fn values_are_counted_as_elements_or_as_one() {
    let counted = |low: u64, high: u64| field(json!({"values_count": {"gte": low, "lte": high}}));
    check(
        &counted(0, 0),
        &[json!({}), json!({"a": null}), json!({"a": []})],
        &[json!({"a": 0}), json!({"a": [null]})],
    );
    check(
        &counted(1, 1),
        &[
            json!({"a": 0}),
            json!({"a": ""}),
            json!({"a": false}),
            json!({"a": {}}),
            json!({"a": {"x": 1, "y": 2}}),
            json!({"a": [null]}),
            json!({"a": [[1, 2]]}),
        ],
        &[json!({}), json!({"a": null}), json!({"a": [1, 2]})],
    );
    check(
        &counted(2, 9),
        &[json!({"a": [1, 1]}), json!({"a": [[], {}]})],
        &[json!({"a": [1]}), json!({"a": "xy"})],
    );
    check(
        &field(json!({"values_count": {"lt": 1}})),
        &[json!({})],
        &[json!({"a": 1})],
    );
}

#[test]
fn is_empty_means_missing_null_or_no_elements() {
    let empty = [json!({}), json!({"a": null}), json!({"a": []}), json!({"b": 1})];
    let filled = [
        json!({"a": [null]}),
        json!({"a": ""}),
        json!({"a": 0}),
        json!({"a": false}),
        json!({"a": {}}),
        json!({"a": [[]]}),
    ];
    check(&json!({"is_empty": {"key": "a"}}), &empty, &filled);
    check(&field(json!({"is_empty": true})), &empty, &filled);
    check(&field(json!({"is_empty": false})), &filled, &empty);
}

#[test]
fn is_null_means_some_value_is_null() {
    let null = [json!({"a": null}), json!({"a": [1, null]}), json!({"a": [null]})];
    let other = [
        json!({}),
        json!({"a": []}),
        json!({"a": 0}),
        json!({"a": ""}),
        json!({"a": {"x": null}}),
        json!({"a": [[null]]}),
    ];
    check(&json!({"is_null": {"key": "a"}}), &null, &other);
    check(&field(json!({"is_null": true})), &null, &other);
    check(&field(json!({"is_null": false})), &other, &null);
}
