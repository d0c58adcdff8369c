use serde_json::json;

use super::*;

fn types(payloads: &[Json]) -> Vec<(String, FieldType)> {
    let mut survey = PayloadSurvey::default();
    for payload in payloads {
        survey.note(payload.as_object().unwrap());
    }
    survey.fields().map(|(key, of)| (key.to_owned(), of)).collect()
}

/// The type of a field with these values, each in a point of its own.
fn of(values: &[Json]) -> FieldType {
    let payloads: Vec<Json> = values.iter().map(|value| json!({"a": value})).collect();
    types(&payloads)[0].1
}

#[test]
fn a_field_is_of_the_narrowest_type_that_has_all_of_its_values() {
    use FieldType::{List, Value};
    let large = json!(1u64 << 63);
    for (values, expected) in [
        (
            vec![json!(true), json!(null), json!(false)],
            Value(Scalar::Boolean),
        ),
        (vec![json!(1), json!(-2)], Value(Scalar::Integer)),
        (vec![json!(1), json!(2)], Value(Scalar::Integer)),
        (vec![json!(1), large.clone()], Value(Scalar::Unsigned)),
        (vec![json!(-1), large.clone()], FieldType::Json),
        (vec![json!(1.0), json!(-0.0)], Value(Scalar::Float)),
        (vec![json!(1), json!(1.0)], FieldType::Json),
        (vec![json!("a"), json!("")], Value(Scalar::Text)),
        (vec![json!("a"), json!(1)], FieldType::Json),
        (vec![json!([]), json!(["a", null])], List(Scalar::Text)),
        (vec![json!([]), json!([null])], List(Scalar::Text)),
        (vec![json!([3]), json!([large])], List(Scalar::Unsigned)),
        (vec![json!([1, 2.5])], FieldType::Json),
        (vec![json!([[1]])], FieldType::Json),
        (vec![json!([{"b": 1}])], FieldType::Json),
        (vec![json!({"b": 1})], FieldType::Json),
        (vec![json!(1), json!([1])], FieldType::Json),
        (vec![json!(null)], FieldType::Json),
    ] {
        assert_eq!(of(&values), expected, "{values:?}");
    }
}

#[test]
fn columns_come_as_their_fields_do_and_do_not_become_too_many() {
    let found = types(&[json!({"b": 1}), json!({"a": "x", "b": 2})]);
    let names: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, ["b", "a"]);

    let mut survey = PayloadSurvey::default();
    let long = "k".repeat(MOST_KEY_BYTES + 1);
    survey.note(json!({long: 1}).as_object().unwrap());
    assert!(survey.has_others() && survey.fields().count() == 0);
    for key in 0..2 * MOST_FIELDS {
        survey.note(json!({key.to_string(): key}).as_object().unwrap());
    }
    assert_eq!(survey.fields().count(), MOST_FIELDS);
}

#[test]
fn null_is_told_apart_where_the_column_would_not() {
    let mut survey = PayloadSurvey::default();
    survey.note(json!({"a": null, "b": 1}).as_object().unwrap());
    assert!(!survey.has_nulls(), "JSON has a null of its own");
    survey.note(json!({"b": null}).as_object().unwrap());
    assert!(survey.has_nulls());
}
