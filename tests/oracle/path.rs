//! Payload paths: what is at one, setting, deleting.

use serde_json::{Map, Value};
use vdb::Payload;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// A field of an object.
    Field(String),
    /// An element of an array.
    Nth(usize),
    /// All elements of an array.
    Each,
}

/// `a.b[0].c[].d`, without quoted keys.
pub fn parse(text: &str) -> Vec<At> {
    let mut steps = Vec::new();
    for part in text.split('.') {
        let (key, mut brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        steps.push(At::Field(key.to_owned()));
        while let Some(rest) = brackets.strip_prefix('[') {
            let (inside, after) = rest.split_once(']').unwrap();
            steps.push(if inside.is_empty() {
                At::Each
            } else {
                At::Nth(inside.parse().unwrap())
            });
            brackets = after;
        }
    }
    steps
}

/// What a path leads to, as written.
pub fn nodes<'a>(root: &'a Payload, path: &str) -> Vec<&'a Value> {
    let steps = parse(path);
    let Some((At::Field(first), rest)) = steps.split_first() else {
        return Vec::new();
    };
    let mut found: Vec<&Value> = root.get(first).into_iter().collect();
    for step in rest {
        let next = |value: &'a Value| -> Vec<&'a Value> {
            match (step, value) {
                (At::Field(key), Value::Object(map)) => map.get(key).into_iter().collect(),
                (At::Nth(n), Value::Array(items)) => items.get(*n).into_iter().collect(),
                (At::Each, Value::Array(items)) => items.iter().collect(),
                _ => Vec::new(),
            }
        };
        found = found.into_iter().flat_map(next).collect();
    }
    found
}

/// As [`nodes`], with the elements of an array in its place.
pub fn values<'a>(root: &'a Payload, path: &str) -> Vec<&'a Value> {
    let flat = |value: &'a Value| {
        value
            .as_array()
            .map_or_else(|| vec![value], |items| items.iter().collect())
    };
    nodes(root, path).into_iter().flat_map(flat).collect()
}

/// Calls `change` with what is at the path. With `create`, fields on the way that are missing are made, and what is no
/// object or array where the path needs one becomes one.
fn with(node: &mut Value, steps: &[At], create: bool, change: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return change(node);
    };
    if create {
        match step {
            At::Field(_) if !node.is_object() => *node = Value::Object(Map::new()),
            At::Nth(_) | At::Each if !node.is_array() => *node = Value::Array(Vec::new()),
            At::Field(_) | At::Nth(_) | At::Each => {}
        }
    }
    match step {
        At::Field(key) => {
            if let Some(map) = node.as_object_mut() {
                if create && !map.contains_key(key) {
                    map.insert(key.clone(), Value::Null);
                }
                if let Some(next) = map.get_mut(key) {
                    with(next, rest, create, change);
                }
            }
        }
        At::Nth(n) => {
            if let Some(item) = node.as_array_mut().and_then(|items| items.get_mut(*n)) {
                with(item, rest, create, change);
            }
        }
        At::Each => {
            for item in node.as_array_mut().into_iter().flatten() {
                with(item, rest, create, change);
            }
        }
    }
}

fn on_root(payload: &mut Payload, change: impl FnOnce(&mut Value)) {
    let mut root = Value::Object(std::mem::take(payload));
    change(&mut root);
    if let Value::Object(map) = root {
        *payload = map;
    }
}

/// Merges keys into the payload, or into the object at `key`; a null removes its key.
pub fn set(payload: &mut Payload, source: &Payload, key: Option<&str>) {
    let merge = &mut |target: &mut Value| {
        if !target.is_object() {
            *target = Value::Object(Map::new());
        }
        for (key, value) in source {
            let map = target.as_object_mut().unwrap();
            if value.is_null() {
                map.remove(key);
            } else {
                map.insert(key.clone(), value.clone());
            }
        }
    };
    on_root(payload, |root| {
        with(root, &key.map(parse).unwrap_or_default(), true, merge)
    });
}

/// Removes what is at a path: a field, or the elements of an array; a single element stays.
pub fn delete(payload: &mut Payload, path: &str) {
    let steps = parse(path);
    let (last, parent) = steps.split_last().unwrap();
    let remove = &mut |node: &mut Value| match (last, node) {
        (At::Field(key), Value::Object(map)) => {
            map.remove(key);
        }
        (At::Each, Value::Array(items)) => items.clear(),
        _ => {}
    };
    on_root(payload, |root| with(root, parent, false, remove));
}
