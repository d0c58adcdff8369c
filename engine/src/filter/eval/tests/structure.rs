//! Paths, nested objects, clauses, ids and vectors.

use std::cell::Cell;

use serde_json::{Value, json};
use vdb_storage::{PointId, ValueError, payload::ObjectRef};

use super::check;
use crate::filter::{
    CompiledFilter, Condition, Filter, PointSource,
    fixture::{Doc, NoTexts},
};

#[test]
fn paths_step_into_objects_and_only_brackets_step_into_arrays_of_objects() {
    let at = |path: &str| json!({"key": path, "match": {"value": 1}});
    check(
        &at("a.b"),
        &[json!({"a": {"b": 1}}), json!({"a": {"b": [2, 1]}})],
        &[json!({"a": [{"b": 1}]}), json!({"a.b": 1}), json!({"a": 1})],
    );
    check(
        &at("a[].b"),
        &[json!({"a": [{"b": 2}, 5, {"b": 1}]}), json!({"a": [{"b": [1]}]})],
        &[json!({"a": {"b": 1}}), json!({"a": [[{"b": 1}]]})],
    );
    check(
        &at("a[1]"),
        &[json!({"a": [2, 1]}), json!({"a": [2, [1]]})],
        &[json!({"a": [1, 2]}), json!({"a": [1]}), json!({"a": 1})],
    );
    check(
        &at("a[]"),
        &[json!({"a": [2, 1]}), json!({"a": [[1]]})],
        &[json!({"a": 1}), json!({"a": [[[1]]]})],
    );
    check(&at("a"), &[json!({"a": [1]})], &[json!({"a": [[1]]})]);
    check(
        &at("a[][].b[0]"),
        &[json!({"a": [[], [{"b": [1, 2]}]]})],
        &[json!({"a": [[{"b": [2, 1]}]]})],
    );
    check(
        &at("\"x.y\".z"),
        &[json!({"x.y": {"z": 1}})],
        &[json!({"x": {"y": {"z": 1}}})],
    );
}

#[test]
fn emptiness_at_a_fanned_out_path_asks_all_elements() {
    let empty = json!({"is_empty": {"key": "a[].b"}});
    check(
        &empty,
        &[
            json!({"a": [{"b": null}, {"b": []}, {}]}),
            json!({"a": []}),
            json!({}),
        ],
        &[json!({"a": [{}, {"b": 1}]})],
    );
    let null = json!({"is_null": {"key": "a[].b"}});
    check(
        &null,
        &[json!({"a": [{"b": 1}, {"b": null}]})],
        &[json!({"a": [{}, {"b": 1}]}), json!({})],
    );
}

#[test]
fn a_nested_filter_has_to_hold_for_one_single_object() {
    let nested = json!({"nested": {"key": "a", "filter": {"must": [
        {"key": "food", "match": {"value": "meat"}}, {"key": "likes", "match": {"value": true}},
    ]}}});
    check(
        &nested,
        &[json!({"a": [{"food": "leaves", "likes": false}, {"food": "meat", "likes": true}]})],
        &[
            json!({"a": [{"food": "leaves", "likes": true}, {"food": "meat", "likes": false}]}),
            json!({"a": {"food": "meat", "likes": true}}),
            json!({"a": []}),
            json!({}),
            json!({"a": ["meat"]}),
        ],
    );
}

#[test]
fn a_nested_key_means_the_same_with_and_without_brackets() {
    for key in ["a.b", "a.b[]"] {
        let nested =
            json!({"nested": {"key": key, "filter": {"must": [{"key": "c", "match": {"value": 1}}]}}});
        check(
            &nested,
            &[json!({"a": {"b": [{"c": 1}]}})],
            &[json!({"a": [{"b": [{"c": 1}]}]})],
        );
    }
}

#[test]
fn an_empty_nested_filter_wants_an_object() {
    let nested = json!({"nested": {"key": "a", "filter": {}}});
    check(
        &nested,
        &[json!({"a": [1, {}]})],
        &[
            json!({"a": [1, null]}),
            json!({"a": []}),
            json!({"a": {}}),
            json!({}),
        ],
    );
}

#[test]
fn negation_inside_a_nested_filter_asks_for_one_object_without_it() {
    let nested =
        json!({"nested": {"key": "a", "filter": {"must_not": [{"key": "b", "match": {"value": 1}}]}}});
    check(
        &nested,
        &[json!({"a": [{"b": 1}, {"b": 2}]}), json!({"a": [{}]})],
        &[json!({"a": [{"b": 1}]}), json!({})],
    );
}

#[test]
fn nested_filters_nest() {
    let nested = json!({"nested": {"key": "a", "filter": {"must": [
        {"key": "x", "match": {"value": 1}},
        {"nested": {"key": "b", "filter": {"must": [{"key": "c", "range": {"gt": 1}}, {"key": "d", "is_empty": true}]}}},
    ]}}});
    check(
        &nested,
        &[json!({"a": [{"x": 1, "b": [{"c": 2}]}]})],
        &[json!({"a": [{"x": 1, "b": [{"c": 2, "d": 1}, {"c": 1}]}, {"x": 2, "b": [{"c": 2}]}]})],
    );
}

#[test]
fn ids_and_vectors_hold_for_no_nested_object() {
    for inner in [json!({"has_id": [1]}), json!({"has_vector": "image"})] {
        let nested = |clause: &str| json!({"nested": {"key": "a", "filter": {clause: [inner]}}});
        check(&nested("must"), &[], &[json!({"a": [{}]})]);
        check(&nested("must_not"), &[json!({"a": [{}]})], &[json!({"a": []})]);
    }
}

#[test]
fn empty_clauses_do_not_constrain_except_in_a_nested_filter() {
    let any = [json!({}), json!({"a": 1})];
    for filter in [
        json!({}),
        json!({"must": []}),
        json!({"should": []}),
        json!({"must_not": []}),
        json!({"should": null, "must": null}),
        json!({"min_should": {"conditions": [], "min_count": 2}}),
    ] {
        check(&filter, &any, &[]);
    }
    check(
        &json!({"should": [], "must": [{"key": "a", "match": {"value": 1}}]}),
        &[json!({"a": 1})],
        &[json!({})],
    );

    let object = [json!({"a": [{"b": 1}]})];
    let nested = |filter: Value| json!({"nested": {"key": "a", "filter": filter}});
    check(&nested(json!({"must": [], "must_not": []})), &object, &[]);
    check(&nested(json!({"should": []})), &[], &object);
    check(&nested(json!({"must": [{"should": []}]})), &[], &object);
    check(
        &nested(json!({"min_should": {"conditions": [], "min_count": 1}})),
        &[],
        &object,
    );
}

#[test]
fn clauses_are_all_required() {
    let is = |path: &str| json!({"key": path, "match": {"value": 1}});
    let filter = json!({"must": is("a"), "should": [is("b"), is("c")], "must_not": [is("d")]});
    check(
        &filter,
        &[
            json!({"a": 1, "b": 1}),
            json!({"a": 1, "c": 1, "d": 2}),
            json!({"a": 1, "b": 1, "c": 1}),
        ],
        &[
            json!({"a": 1}),
            json!({"b": 1}),
            json!({"a": 1, "b": 1, "d": 1}),
            json!({}),
        ],
    );
}

#[test]
fn min_should_counts_conditions() {
    let is = |path: &str| json!({"key": path, "match": {"value": 1}});
    let least =
        |count: u64| json!({"min_should": {"conditions": [is("a"), is("b"), is("c")], "min_count": count}});
    let (one, two, all) = (
        json!({"b": 1}),
        json!({"a": 1, "c": 1}),
        json!({"a": 1, "b": 1, "c": 1}),
    );
    check(&least(1), &[one.clone(), two.clone(), all.clone()], &[json!({})]);
    check(&least(2), &[two.clone(), all.clone()], &[one.clone(), json!({})]);
    let few = [one.clone(), two.clone()];
    check(&least(3), std::slice::from_ref(&all), &few);
    check(&least(4), &[], &[one, two, all]);
    check(&least(u64::MAX), &[], &[json!({"a": 1, "b": 1, "c": 1})]);
}

#[test]
fn filters_nest_in_conditions() {
    let is = |path: &str| json!({"key": path, "match": {"value": 1}});
    let filter = json!({"should": [{"must": [is("a"), is("b")]}, {"must_not": [is("c")]}]});
    check(
        &filter,
        &[json!({"a": 1, "b": 1, "c": 1}), json!({})],
        &[json!({"a": 1, "c": 1})],
    );
}

#[test]
fn ids_match_by_value_and_not_by_text() {
    let mut doc = Doc::new(&json!({}));
    let has = |ids: Value| json!({"must": [{"has_id": ids}]});
    assert!(doc.matches(&has(json!([5, 1, 3]))));
    assert!(!doc.matches(&has(json!([5, 3]))));
    assert!(!doc.matches(&has(json!([]))));
    let uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    doc.id = PointId::Uuid(uuid.parse().unwrap());
    for form in [
        uuid,
        "6BA7B8109DAD11D180B400C04FD430C8",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
    ] {
        assert!(doc.matches(&has(json!([7, form]))), "{form}");
    }
}

#[test]
fn vectors_match_by_name() {
    let doc = Doc::new(&json!({}));
    for (name, has) in [("", true), ("image", true), ("text", false)] {
        assert_eq!(
            doc.matches(&json!({"must": [{"has_vector": name}]})),
            has,
            "{name:?}"
        );
    }
}

#[test]
fn a_payload_is_read_once_and_only_when_a_condition_asks_for_it() {
    struct Counting(Cell<u32>);
    impl PointSource for Counting {
        fn id(&self) -> PointId {
            PointId::Num(1)
        }
        fn payload(&self) -> Result<ObjectRef<'_>, ValueError> {
            self.0.set(self.0.get() + 1);
            ObjectRef::from_payload(&[])
        }
        fn has_vector(&self, _: &str) -> bool {
            true
        }
    }
    let read = |filter: Filter| {
        let point = Counting(Cell::new(0));
        CompiledFilter::new(&filter, &NoTexts)
            .unwrap()
            .matches(&point)
            .unwrap();
        point.0.get()
    };
    assert_eq!(read(Filter::must([Condition::has_id([1_u64])])), 0);
    assert_eq!(
        read(Filter::must([
            Condition::has_id([2_u64]),
            Condition::is_empty("a")
        ])),
        0
    );
    assert_eq!(
        read(Filter::must([Condition::is_empty("a"), Condition::is_empty("b")])),
        1
    );
}

#[test]
fn a_damaged_payload_is_an_error_and_not_an_answer() {
    let mut doc = Doc::new(&json!({"a": "some text"}));
    doc.payload.truncate(doc.payload.len() - 3);
    let filter = CompiledFilter::new(&Filter::must([Condition::matches("a", "x")]), &NoTexts).unwrap();
    assert!(filter.matches(&doc).is_err());
    let by_id = CompiledFilter::new(&Filter::must([Condition::has_id([1_u64])]), &NoTexts).unwrap();
    assert!(by_id.matches(&doc).unwrap());
}

#[test]
fn compiling_refuses_what_a_builder_lets_through() {
    let refused = |filter: &Filter| CompiledFilter::new(filter, &NoTexts).unwrap_err().to_string();
    assert_eq!(
        refused(&Filter::must([
            Condition::has_vector(""),
            Condition::matches("a..b", 1)
        ])),
        "must[1].key: \"a..b\" is not a payload path: expected a key at byte 2 (keys with other characters need double quotes)"
    );
    assert_eq!(
        refused(&Filter::should([Condition::nested("[]", Filter::default())]))
            .split(": ")
            .next(),
        Some("should[0].nested.key")
    );
    assert_eq!(
        refused(&Filter::min_should(0, [])),
        "min_should.min_count: expected 1 or more, found 0"
    );
    let mut deep = Filter::default();
    for _ in 0..70 {
        deep = Filter::must([deep.into()]);
    }
    assert!(refused(&deep).ends_with("too large: levels of filters within a filter: at most 64, got 65"));
    let wide = Filter::must(std::iter::repeat_n(Condition::has_vector(""), 65_537));
    assert_eq!(
        refused(&wide),
        "must: too large: conditions in a filter: at most 65536, got 65537"
    );
    let long = Filter::must([Condition::matches_any("a", vec![0; (1 << 20) + 1])]);
    assert!(refused(&long).starts_with(
        "must[0].match.any: too large: values in the lists of a filter: at most 1048576, got 1048577"
    ));
}

#[test]
fn a_filter_without_conditions_is_known_as_such() {
    let unconditional = |json: Value| {
        CompiledFilter::new(&Filter::from_json(&json).unwrap(), &NoTexts)
            .unwrap()
            .is_unconditional()
    };
    assert!(unconditional(json!({})));
    assert!(unconditional(json!({"should": [], "must": []})));
    assert!(!unconditional(json!({"must": [{}]})));
    assert!(!unconditional(json!({"must_not": [{"has_id": []}]})));
}
