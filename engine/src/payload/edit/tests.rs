use serde_json::{Map, Value, json};

use super::{Merge, Removal};
use crate::error::Error;
use crate::limits::MAX_PAYLOAD_BYTES;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// `payload` after merging `source` at `path`.
fn after_set(payload: Value, path: &str, source: Value) -> Value {
    let mut payload = map(payload);
    let path = (!path.is_empty()).then(|| path.parse().unwrap());
    Merge::new(map(source), path)
        .unwrap()
        .apply(&mut payload)
        .unwrap();
    Value::Object(payload)
}

fn after_delete(payload: Value, path: &str) -> Value {
    let mut payload = map(payload);
    Removal::new(&[path.parse().unwrap()]).apply(&mut payload);
    Value::Object(payload)
}

#[test]
fn setting_merges_top_level_fields_and_replaces_their_values_whole() {
    assert_eq!(
        after_set(json!({"a": 1, "b": {"x": 1}}), "", json!({"b": {"y": 2}, "c": 3})),
        json!({"a": 1, "b": {"y": 2}, "c": 3})
    );
}

#[test]
fn setting_null_removes_a_field_and_keeps_the_order_of_the_others() {
    let changed = after_set(json!({"a": 1, "b": 2, "c": 3}), "", json!({"a": null, "x": null}));
    assert_eq!(changed, json!({"b": 2, "c": 3}));
    assert_eq!(changed.to_string(), r#"{"b":2,"c":3}"#);
}

#[test]
fn nulls_below_the_top_level_of_the_source_are_values() {
    assert_eq!(
        after_set(json!({}), "", json!({"a": {"b": null}})),
        json!({"a": {"b": null}})
    );
}

#[test]
fn setting_at_a_path_creates_the_objects_on_the_way() {
    assert_eq!(
        after_set(json!({}), "a.b", json!({"c": 1})),
        json!({"a": {"b": {"c": 1}}})
    );
    assert_eq!(
        after_set(json!({"a": {"x": 1}}), "a.b", json!({"c": 1})),
        json!({"a": {"x": 1, "b": {"c": 1}}})
    );
    assert_eq!(
        after_set(json!({}), "\"a.b\"", json!({"c": 1})),
        json!({"a.b": {"c": 1}})
    );
}

#[test]
fn setting_at_a_path_replaces_what_is_no_object() {
    for other in [json!(null), json!(5), json!("x"), json!([1, 2])] {
        assert_eq!(
            after_set(json!({"a": other}), "a", json!({"c": 1})),
            json!({"a": {"c": 1}})
        );
        assert_eq!(
            after_set(json!({"a": other}), "a.b", json!({"c": 1})),
            json!({"a": {"b": {"c": 1}}})
        );
    }
}

#[test]
fn setting_at_a_path_merges_and_deletes_in_the_target() {
    assert_eq!(
        after_set(json!({"a": {"x": 1, "y": 2}}), "a", json!({"x": null, "z": 3})),
        json!({"a": {"y": 2, "z": 3}})
    );
    assert_eq!(after_set(json!({}), "a", json!({"x": null})), json!({"a": {}}));
}

#[test]
fn setting_at_an_index_needs_the_element_to_exist() {
    let doc = json!({"a": [{"x": 1}, 2]});
    assert_eq!(
        after_set(doc.clone(), "a[0]", json!({"y": 1})),
        json!({"a": [{"x": 1, "y": 1}, 2]})
    );
    assert_eq!(
        after_set(doc.clone(), "a[1]", json!({"y": 1})),
        json!({"a": [{"x": 1}, {"y": 1}]})
    );
    assert_eq!(
        after_set(doc.clone(), "a[1].b", json!({"y": 1})),
        json!({"a": [{"x": 1}, {"b": {"y": 1}}]})
    );
    assert_eq!(after_set(doc.clone(), "a[2]", json!({"y": 1})), doc);
    assert_eq!(
        after_set(doc.clone(), "a[18446744073709551615]", json!({"y": 1})),
        doc
    );
}

#[test]
fn setting_at_brackets_writes_to_every_element() {
    assert_eq!(
        after_set(json!({"a": [{"x": 1}, 2]}), "a[]", json!({"y": 1})),
        json!({"a": [{"x": 1, "y": 1}, {"y": 1}]})
    );
    assert_eq!(
        after_set(json!({"a": [{"b": {"x": 1}}, {}]}), "a[].b", json!({"y": 1})),
        json!({"a": [{"b": {"x": 1, "y": 1}}, {"b": {"y": 1}}]})
    );
}

#[test]
fn setting_at_a_path_through_what_is_no_array_makes_an_empty_one() {
    let doc = json!({"s": "x"});
    let after = |path| after_set(doc.clone(), path, json!({"k": 1}));
    assert_eq!(after("a[]"), json!({"s": "x", "a": []}));
    assert_eq!(after("a[0]"), json!({"s": "x", "a": []}));
    assert_eq!(after("a.b[0]"), json!({"s": "x", "a": {"b": []}}));
    assert_eq!(after("a[].b"), json!({"s": "x", "a": []}));
    assert_eq!(after("s[]"), json!({"s": []}));
    assert_eq!(after("s.b[]"), json!({"s": {"b": []}}));
    assert_eq!(
        after_set(json!({"a": {"x": 1}}), "a[0].c", json!({"k": 1})),
        json!({"a": []})
    );
    let empty = json!({"a": []});
    assert_eq!(after_set(empty.clone(), "a[]", json!({"k": 1})), empty);
}

#[test]
fn fields_or_keys_that_every_element_gets_are_refused_before_they_fill_the_memory() {
    let many = json!({"a": vec![0; 100_000]});
    let text = "x".repeat(1 << 20);
    // 100 GB, and 300 MB of keys.
    let long = format!("a[].{}.b", "k".repeat(3_000));
    for (path, source) in [("a[]", json!({"x": text})), (&long, json!({"x": 1}))] {
        let merge = Merge::new(map(source), Some(path.parse().unwrap())).unwrap();
        let error = merge.apply(&mut map(many.clone())).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Limit {
                    limit: MAX_PAYLOAD_BYTES,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("every element"), "{error}");
    }
    // What fits is not refused: 60 elements of a megabyte each.
    let few = json!({"a": vec![0; 60]});
    let changed = after_set(few, "a[]", json!({"x": text}));
    let stored = super::encoded(&map(changed)).unwrap();
    assert!(stored.len() > 60 << 20);
}

#[test]
fn fields_that_are_no_payload_by_themselves_are_refused() {
    let mut deep = json!(1);
    for _ in 0..70 {
        deep = json!({ "a": deep });
    }
    assert!(matches!(Merge::new(map(deep), None), Err(Error::Limit { .. })));
}

#[test]
fn deleting_removes_a_field_wherever_the_path_leads() {
    let doc = json!({"a": {"b": 1, "c": 2}, "d": [{"e": 1}, {"e": 2, "f": 3}, 4]});
    assert_eq!(after_delete(doc.clone(), "a"), json!({"d": doc["d"]}));
    assert_eq!(
        after_delete(doc.clone(), "a.b"),
        json!({"a": {"c": 2}, "d": doc["d"]})
    );
    assert_eq!(
        after_delete(doc.clone(), "d[].e"),
        json!({"a": doc["a"], "d": [{}, {"f": 3}, 4]})
    );
    assert_eq!(
        after_delete(doc.clone(), "d[1].e"),
        json!({"a": doc["a"], "d": [{"e": 1}, {"f": 3}, 4]})
    );
    for nowhere in ["x", "a.x", "a.b.c", "a[]", "d.e", "d[9].e", "a[0].b"] {
        assert_eq!(after_delete(doc.clone(), nowhere), doc, "{nowhere}");
    }
}

#[test]
fn deleting_an_element_changes_nothing_and_deleting_all_empties_the_array() {
    let doc = json!({"a": [1, 2]});
    assert_eq!(after_delete(doc.clone(), "a[0]"), doc);
    assert_eq!(after_delete(doc, "a[]"), json!({"a": []}));
    assert_eq!(
        after_delete(json!({"a": [[1], [2]]}), "a[][]"),
        json!({"a": [[], []]})
    );
}

#[test]
fn deleting_several_paths_is_deleting_one_after_another() {
    let doc = json!({
        "a": {"b": 1, "c": {"d": 2, "e": [1, 2]}}, "f": [{"g": 1, "h": 2}, {"g": [3], "h": 4}, 5], "i": [[1], [2]],
    });
    let all = [
        "a", "a.b", "a.c", "a.c.d", "a.c.e[]", "f[]", "f[].g", "f[].g[]", "f[0].h", "f[1].g", "f[7].g",
        "f[0]", "i[]", "i[][]", "i[0][]", "x", "a.x.y",
    ];
    for first in all {
        for second in all {
            let one_by_one = after_delete(after_delete(doc.clone(), first), second);
            let mut together = map(doc.clone());
            Removal::new(&[first, second].map(|path| path.parse().unwrap())).apply(&mut together);
            assert_eq!(Value::Object(together), one_by_one, "{first} and {second}");
        }
    }
}

#[test]
fn removing_many_keys_takes_one_pass() {
    let keys: Vec<String> = (0..80_000).map(|n| format!("k{n}")).collect();
    let many =
        |value: Value| -> Map<String, Value> { keys.iter().map(|k| (k.clone(), value.clone())).collect() };
    let start = std::time::Instant::now();
    let mut payload = many(json!(1));
    Merge::new(many(Value::Null), None)
        .unwrap()
        .apply(&mut payload)
        .unwrap();
    assert!(payload.is_empty());
    let mut payload = many(json!(1));
    Removal::new(&keys.iter().map(|k| k.parse().unwrap()).collect::<Vec<_>>()).apply(&mut payload);
    assert!(payload.is_empty());
    // Key by key it took a minute.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
