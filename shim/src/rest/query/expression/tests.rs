use serde_json::json;

use super::*;

#[test]
fn depth_is_bounded() {
    let nested = |levels: usize| (0..levels).fold(json!("$score"), |inner, _| json!({ "neg": inner }));
    assert!(read_formula(nested(MAX_FORMULA_DEPTH - 1), None, "formula").is_ok());
    assert!(read_formula(nested(MAX_FORMULA_DEPTH), None, "formula").is_err());
}

#[test]
fn parts_are_bounded() {
    let sum = |parts: usize| json!({ "sum": vec![1; parts] });
    assert!(read_formula(sum(MAX_FORMULA_PARTS - 1), None, "formula").is_ok());
    assert!(read_formula(sum(MAX_FORMULA_PARTS), None, "formula").is_err());
}

#[test]
fn what_is_no_operator_is_a_condition() {
    let one = read_formula(json!({"key": "a", "match": {"value": 1}}), None, "formula").unwrap();
    let nested = read_formula(
        json!({"must": [{"key": "a", "match": {"value": 1}}]}),
        None,
        "formula",
    )
    .unwrap();
    assert!(one != nested);
    assert!(read_formula(json!({"no_operator": 1}), None, "formula").is_err());
    assert!(read_formula(json!({"sum": 1}), None, "formula").is_err());
}

#[test]
fn other_keys_are_passed_over() {
    let read = |formula| read_formula(formula, None, "formula").unwrap();
    assert_eq!(read(json!({"more": 1, "neg": 2})), read(json!({"neg": 2})));
    let lax = json!({"key": "a", "match": {"value": 1}, "neg": 2});
    assert_eq!(read(lax), read(json!({"key": "a", "match": {"value": 1}})));
}

#[test]
fn what_is_wrong_with_a_condition_is_told_with_its_place() {
    for (formula, place) in [
        (json!({"key": "k"}), "query.formula"),
        (json!({"sum": [1, {"key": "k"}]}), "query.formula.sum[1]"),
        (
            json!({"neg": {"div": {"left": 1, "right": {"must": [{"key": "k"}]}}}}),
            "query.formula.neg.div.right.must[0]",
        ),
        (
            json!({"gauss_decay": {"x": {"max": [{"key": "k"}]}}}),
            "query.formula.gauss_decay.x.max[0]",
        ),
    ] {
        let refused = read_formula(formula, None, "query.formula").unwrap_err();
        let text = format!("{refused:?}");
        assert!(text.contains(&format!("[{place}: At least one")), "{text}");
    }
}
