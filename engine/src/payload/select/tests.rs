use serde_json::{Value, json};
use vdb_storage::payload::{ObjectRef, encode_payload};

use super::PayloadSelector;

fn selected(selector: Value, payload: &Value) -> Option<Value> {
    let bytes = encode_payload(payload.as_object().unwrap()).unwrap();
    let selector = PayloadSelector::from_json(&selector).unwrap();
    selector
        .apply(ObjectRef::from_payload(&bytes).unwrap())
        .unwrap()
        .map(Value::Object)
}

fn doc() -> Value {
    json!({"a": {"b": 1, "c": {"d": 2, "e": 3}}, "f": [{"g": 4, "h": 5}, {"h": 6}, 7], "i": null})
}

#[test]
fn true_selects_all_and_false_no_payload_at_all() {
    assert_eq!(selected(json!(true), &doc()), Some(doc()));
    assert_eq!(selected(json!(false), &doc()), None);
}

#[test]
fn included_paths_bring_what_is_on_the_way_and_all_below() {
    for (paths, expected) in [
        (json!(["a.c"]), json!({"a": {"c": {"d": 2, "e": 3}}})),
        (json!(["a.c.d", "i"]), json!({"a": {"c": {"d": 2}}, "i": null})),
        (json!(["a", "a.b"]), json!({"a": {"b": 1, "c": {"d": 2, "e": 3}}})),
        (json!(["f[].h"]), json!({"f": [{"h": 5}, {"h": 6}, 7]})),
        (json!(["f[]"]), json!({"f": doc()["f"]})),
        (json!(["a.b.x"]), json!({"a": {"b": 1}})),
        (json!(["a.x"]), json!({"a": {}})),
        (json!(["x"]), json!({})),
        (json!([]), json!({})),
    ] {
        assert_eq!(selected(paths.clone(), &doc()), Some(expected.clone()), "{paths}");
        assert_eq!(selected(json!({"include": paths}), &doc()), Some(expected));
    }
}

#[test]
fn elements_of_an_array_stand_at_brackets_only() {
    for path in ["f[0]", "f.g"] {
        assert_eq!(selected(json!([path]), &doc()), Some(json!({"f": []})));
        assert_eq!(selected(json!({"exclude": [path]}), &doc()), Some(doc()));
    }
}

#[test]
fn excluded_paths_take_away_all_below() {
    for (paths, expected) in [
        (json!(["a"]), json!({"f": doc()["f"], "i": null})),
        (json!(["a.c", "f", "i"]), json!({"a": {"b": 1}})),
        (json!(["f[].h", "a", "i"]), json!({"f": [{"g": 4}, {}, 7]})),
        (json!(["f[]", "a"]), json!({"f": [], "i": null})),
        (json!(["a.b.x", "x"]), doc()),
        (json!([]), doc()),
    ] {
        assert_eq!(
            selected(json!({"exclude": paths}), &doc()),
            Some(expected),
            "{paths}"
        );
    }
}

#[test]
fn selection_keeps_the_order_of_keys() {
    let selected = selected(json!(["i", "a.b"]), &doc()).unwrap();
    assert_eq!(selected.to_string(), r#"{"a":{"b":1},"i":null}"#);
}

#[test]
fn malformed_selectors_are_refused_with_the_place() {
    for (selector, said) in [
        (json!(null), "expected true, false, a list of paths"),
        (
            json!({"include": "a"}),
            "expected `include` or `exclude` with a list of paths",
        ),
        (
            json!({"include": [], "exclude": []}),
            "expected `include` or `exclude` with a list of paths",
        ),
        (json!({"includes": []}), "includes: unknown key"),
        (
            json!({"exclude": ["a", 1]}),
            "exclude[1]: expected a path as a string",
        ),
        (json!(["a", "b."]), "[1]: \"b.\" is not a payload path"),
    ] {
        let error = PayloadSelector::from_json(&selector).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}
