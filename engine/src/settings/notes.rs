//! Metadata and hints: JSON of the user's, kept and told again.

use serde_json::{Map, Value};

/// Takes a change of metadata in: keys at the top level are set; a null removes its key.
pub(crate) fn merge_metadata(metadata: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (key, value) in change {
        if value.is_null() {
            metadata.remove(key);
        } else {
            metadata.insert(key.clone(), value.clone());
        }
    }
}

/// Takes a change of hints in, as a JSON merge patch (RFC 7396): objects are merged at every level, a null removes its key,
/// anything else replaces.
pub(crate) fn merge_hints(hints: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (key, value) in change {
        match value {
            Value::Null => drop(hints.remove(key)),
            Value::Object(change) => {
                let held = hints.entry(key.clone()).or_insert(Value::Null);
                if !held.is_object() {
                    *held = Value::Object(Map::new());
                }
                if let Value::Object(held) = held {
                    merge_hints(held, change);
                }
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                hints.insert(key.clone(), value.clone());
            }
        }
    }
}
