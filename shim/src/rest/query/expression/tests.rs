use serde_json::json;

use super::*;

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| (0..levels).fold(json!("$score"), |inner, _| json!({ "neg": inner }));
    assert!(read_formula(nested(MAX_FORMULA_DEPTH - 1), None).is_ok());
    assert!(read_formula(nested(MAX_FORMULA_DEPTH), None).is_err());
}

#[test]
fn parts_are_bounded() {
    let sum = |parts: usize| json!({ "sum": vec![1; parts] });
    assert!(read_formula(sum(MAX_FORMULA_PARTS - 1), None).is_ok());
    assert!(read_formula(sum(MAX_FORMULA_PARTS), None).is_err());
}

#[test]
fn what_is_no_operator_is_a_condition() {
    let one = read_formula(json!({"key": "a", "match": {"value": 1}}), None).unwrap();
    let nested = read_formula(json!({"must": [{"key": "a", "match": {"value": 1}}]}), None).unwrap();
    assert!(one != nested);
    assert!(read_formula(json!({"no_operator": 1}), None).is_err());
    assert!(read_formula(json!({"sum": 1}), None).is_err());
}

#[test]
fn other_keys_are_passed_over() {
    let read = |formula| read_formula(formula, None).unwrap();
    assert_eq!(read(json!({"more": 1, "neg": 2})), read(json!({"neg": 2})));
    let lax = json!({"key": "a", "match": {"value": 1}, "neg": 2});
    assert_eq!(read(lax), read(json!({"key": "a", "match": {"value": 1}})));
}
