mod structure;
mod values;

use serde_json::{Value, json};

use crate::filter::fixture::Doc;

/// Checks a condition against payloads that satisfy it and payloads that do not.
fn check(condition: &Value, matching: &[Value], others: &[Value]) {
    let filter = json!({ "must": [condition] });
    for payload in matching {
        assert!(
            Doc::new(payload).matches(&filter),
            "{payload} should match {condition}"
        );
    }
    for payload in others {
        assert!(
            !Doc::new(payload).matches(&filter),
            "{payload} should not match {condition}"
        );
    }
}
