//! Shapes of answers: which keys there are, and of what type.

#![expect(clippy::panic, reason = "a test that finds another shape has failed")]

use serde_json::Value;

/// Checks a value against a shape and says where it differs.
///
/// A text names types, with `|` between alternatives: `u64`, `i64`, `number`, `text`, `bool`, `null`, `id` (of a point), `any`.
/// A list of one shape is a list of such. An object has these keys and no other; one with `?` behind it may be missing, and `*`
/// stands for any number of keys.
#[track_caller]
pub(crate) fn fits(shape: &Value, value: &Value, what: &str) {
    if let Err(problem) = check(shape, value, "result") {
        panic!("{what}: {problem}\n{value:#}");
    }
}

fn check(shape: &Value, value: &Value, place: &str) -> Result<(), String> {
    let differs = || Err(format!("{place}: expected {shape}, found {value}"));
    match (shape, value) {
        (Value::String(types), _) => {
            if types.split('|').any(|name| is(name, value)) {
                Ok(())
            } else {
                differs()
            }
        }
        (Value::Array(of), Value::Array(items)) => {
            let of = of.first().unwrap();
            let mut items = items.iter().enumerate();
            items.try_for_each(|(number, item)| check(of, item, &format!("{place}[{number}]")))
        }
        (Value::Object(keys), Value::Object(map)) => {
            for (key, shape) in keys {
                let name = key.trim_end_matches('?');
                match map.get(name) {
                    _ if key == "*" => {}
                    Some(value) => check(shape, value, &format!("{place}.{name}"))?,
                    None if key.ends_with('?') => {}
                    None => return Err(format!("{place}: no {name}")),
                }
            }
            let known = |key: &String| keys.contains_key(key) || keys.contains_key(&format!("{key}?"));
            for (key, value) in map.iter().filter(|(key, _)| !known(key)) {
                match keys.get("*") {
                    Some(shape) => check(shape, value, &format!("{place}.{key}"))?,
                    None => return Err(format!("{place}: {key} is not known")),
                }
            }
            Ok(())
        }
        _ => differs(),
    }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "u64" => value.is_u64(),
        "i64" => value.is_i64(),
        "number" => value.is_number(),
        "text" => value.is_string(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        "id" => {
            value.is_u64()
                || value
                    .as_str()
                    .is_some_and(|text| uuid::Uuid::try_parse(text).is_ok())
        }
        "any" => true,
        other => panic!("no such type: {other}"),
    }
}
