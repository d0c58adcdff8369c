use serde_json::json;

use super::*;

fn nested(levels: usize) -> Payload {
    let mut value = json!(1);
    for _ in 0..levels {
        value = json!({ "in": value });
    }
    let Value::Object(map) = value else {
        panic!("an object")
    };
    map
}

#[test]
fn deep_payloads_are_told_from_ordinary_ones() {
    assert!(!is_deep(&nested(DEEP)));
    assert!(is_deep(&nested(DEEP + 1)));
}

#[test]
fn the_weight_of_a_payload_grows_with_its_text() {
    let Value::Object(small) = json!({"a": "x"}) else {
        panic!("an object")
    };
    let Value::Object(large) = json!({"a": ["x".repeat(1000)]}) else {
        panic!("an object")
    };
    assert!(weight(&large) >= weight(&small) + 999);
}
