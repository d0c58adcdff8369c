//! Files of the real libraries, and what they hold.

use std::path::PathBuf;

use serde_json::Value as Json;
use vdb::{Point, Vector};

/// A file of `tests/data/interop`.
pub(super) fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/interop")).join(name)
}

/// What the files that `expected/NAME.json` speaks of hold.
pub(super) fn expected(name: &str) -> Vec<Json> {
    let text = std::fs::read(path(&format!("expected/{name}.json"))).unwrap();
    let mut all: Json = serde_json::from_slice(&text).unwrap();
    let Json::Array(files) = all["files"].take() else {
        panic!("a list of files")
    };
    files
}

/// Whether a payload has a value that JSON has not.
pub(super) fn is_beyond_json(value: &Json) -> bool {
    match value {
        Json::Array(items) => items.iter().any(is_beyond_json),
        Json::Object(map) => map.iter().any(|(key, value)| {
            matches!(key.as_str(), "$int" | "$float" | "$utf16") || is_beyond_json(value)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// Compares a point with what is expected of it, vectors to the last bit of a 32-bit number.
pub(super) fn assert_same(point: &Point, expected: &Json, file: &str) {
    let uuid = expected["id"]
        .as_str()
        .map(|text| text.parse::<vdb::PointId>().unwrap());
    let id = uuid.map_or(expected["id"].clone(), |uuid| serde_json::json!(uuid));
    assert_eq!(serde_json::json!(point.id), id, "{file}");
    let payload = expected["payload"].as_object().cloned().unwrap_or_default();
    assert_eq!(point.payload, payload, "{file}: payload of {id}");
    let one = expected["vector"].as_array();
    let named = match expected["vector"].as_object() {
        Some(named) => named.clone(),
        None => one
            .map(|one| (String::new(), one.clone().into()))
            .into_iter()
            .collect(),
    };
    assert_eq!(point.vectors.0.len(), named.len(), "{file}: vectors of {id}");
    for (name, expected) in named {
        let found = match &point.vectors.0[&name] {
            Vector::Dense(numbers) => wide(numbers),
            Vector::Multi(rows) => rows.iter().map(|row| wide(row)).collect(),
            Vector::Sparse(vector) => {
                serde_json::json!({"indices": vector.indices, "values": wide(&vector.values)})
            }
        };
        assert_eq!(found, narrowed(&expected), "{file}: vector {name:?} of {id}");
    }
}

fn wide(numbers: &[f32]) -> Json {
    numbers.iter().map(|number| f64::from(*number)).collect()
}

/// Floats rounded to 32 bits, as they are stored.
fn narrowed(value: &Json) -> Json {
    match value {
        Json::Number(number) if number.is_f64() => Json::from(f64::from(number.as_f64().unwrap() as f32)),
        Json::Array(items) => items.iter().map(narrowed).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), narrowed(value)))
            .collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => value.clone(),
    }
}
