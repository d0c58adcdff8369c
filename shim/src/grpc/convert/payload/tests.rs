use proptest::prelude::*;
use serde_json::json;

use super::*;

fn message(kind: Kind) -> proto::Value {
    proto::Value { kind: Some(kind) }
}

#[test]
fn integers_and_doubles_stay_apart() {
    for (json, kind) in [
        (json!(2), Kind::IntegerValue(2)),
        (json!(2.0), Kind::DoubleValue(2.0)),
        (json!(i64::MIN), Kind::IntegerValue(i64::MIN)),
    ] {
        assert_eq!(value_to_proto(json.clone()), message(kind.clone()));
        assert_eq!(value(message(kind)).unwrap(), json);
    }
}

#[test]
fn an_integer_beyond_the_messages_becomes_the_nearest_double() {
    assert_eq!(
        value_to_proto(json!(u64::MAX)),
        message(Kind::DoubleValue(18_446_744_073_709_551_615.0))
    );
}

#[test]
fn a_value_without_a_kind_is_null() {
    assert_eq!(value(proto::Value { kind: None }).unwrap(), Value::Null);
}

#[test]
fn what_json_cannot_say_is_refused_with_its_place() {
    let list = proto::ListValue {
        values: vec![
            message(Kind::IntegerValue(1)),
            message(Kind::DoubleValue(f64::NAN)),
        ],
    };
    let map = HashMap::from([("a".to_owned(), message(Kind::ListValue(list)))]);
    let refused = payload(map).unwrap_err();
    assert_eq!(
        refused,
        Rejection::invalid("a[1]", "a number must be finite, got NaN")
    );
}

#[test]
fn depth_is_bounded() {
    let wrap = |inner| message(Kind::ListValue(proto::ListValue { values: vec![inner] }));
    let deep = (0..MAX_PAYLOAD_DEPTH + 2).fold(message(Kind::BoolValue(true)), |inner, _| wrap(inner));
    assert!(value(deep).is_err());
    let fits = (0..MAX_PAYLOAD_DEPTH - 1).fold(message(Kind::BoolValue(true)), |inner, _| wrap(inner));
    assert!(value(fits).is_ok());
}

#[test]
fn selectors_fall_back_to_what_the_call_returns() {
    assert_eq!(selector(None, true).unwrap(), PayloadSelector::All);
    let empty = proto::WithPayloadSelector {
        selector_options: None,
    };
    assert_eq!(selector(Some(empty), false).unwrap(), PayloadSelector::None);
    let of = |fields: &[&str]| proto::WithPayloadSelector {
        selector_options: Some(SelectorOptions::Include(proto::PayloadIncludeSelector {
            fields: fields.iter().map(|&field| field.to_owned()).collect(),
        })),
    };
    assert_eq!(
        selector(Some(of(&["a.b", "c[]"])), false).unwrap(),
        PayloadSelector::include(["a.b", "c[]"]).unwrap()
    );
    let refused = selector(Some(of(&["a", "[]"])), false).unwrap_err();
    assert!(
        format!("{refused:?}").contains("include.fields[1]"),
        "{refused:?}"
    );
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(".{0,4}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive_the_way_there_and_back(json in values()) {
        prop_assert_eq!(value(value_to_proto(json.clone())).unwrap(), json);
    }
}
