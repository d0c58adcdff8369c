use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

/// The well-formed inputs that fuzzing starts from.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let files = std::fs::read_dir(directory).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_sound_input_is_understood_and_any_other_is_not() {
    let read = |name: &str, bytes: &str| {
        let (_, read) = bodies().find(|(known, _)| *known == name).expect(name);
        read(bytes.as_bytes())
    };
    assert!(read("query", r#"{"query": [1, 2], "filter": {"must": []}}"#));
    assert!(!read("query", r#"{"query": [1, 2], "limit": 0}"#));
    assert!(read("upsert", r#"{"points": [{"id": 1, "vector": [1]}]}"#));
    assert!(!read("upsert", r#"{"points": 1}"#));
    assert!(read(
        "create collection",
        r#"{"vectors": {"size": 2, "distance": "Dot"}}"#
    ));
    assert!(!read(
        "create collection",
        r#"{"vectors": {"size": 0, "distance": "Dot"}}"#
    ));
    for (name, read) in bodies().chain(messages()) {
        assert!(!read(&[0xff; 8]), "{name}");
    }
}

#[test]
fn every_seed_is_understood_by_some_call() {
    for (path, bytes) in seeds("rest_body") {
        assert!(bodies().any(|(_, read)| read(&bytes)), "{}", path.display());
    }
    for (path, bytes) in seeds("grpc_message") {
        assert!(messages().any(|(_, read)| read(&bytes)), "{}", path.display());
    }
}

/// Places of all values below one.
fn places(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                places(item, format!("{at}/{number}"), all);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, format!("{at}/{key}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all.push(at);
}

#[test]
fn whatever_stands_in_the_place_of_a_value_is_read_to_an_end() {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let odd = [
        json!(null),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!([]),
        json!({"": {}}),
        deep,
    ];
    for (_, bytes) in seeds("rest_body") {
        let sound: Value = serde_json::from_slice(&bytes).unwrap();
        let mut all = Vec::new();
        places(&sound, String::new(), &mut all);
        for place in all {
            for value in &odd {
                let mut changed = sound.clone();
                *changed.pointer_mut(&place).unwrap() = value.clone();
                let bytes = changed.to_string().into_bytes();
                for (_, read) in bodies() {
                    read(&bytes);
                }
            }
        }
    }
}

#[test]
fn whatever_becomes_of_a_byte_is_read_to_an_end() {
    for (_, sound) in seeds("grpc_message") {
        for at in 0..sound.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, sound[at] ^ 8] {
                let mut changed = sound.clone();
                changed[at] = value;
                for (_, read) in messages() {
                    read(&changed);
                    read(&changed[..at]);
                }
            }
        }
    }
}
