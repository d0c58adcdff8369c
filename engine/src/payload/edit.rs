//! Changes of a payload.

use std::mem;

use serde_json::{Map, Value};

use crate::filter::{PathStep, PayloadPath};

/// Merges the fields of `source` into `payload`: a field is replaced whole, and removed where `source` has null.
///
/// With `at`, the object at that path is the target instead. Keys on the way are created, and what is no object is
/// replaced by one; but arrays are neither created nor grown: `[n]` leads to an element that exists, `[]` to all
/// there are, and a path that thereby leads nowhere changes nothing.
pub(crate) fn set(payload: &mut Map<String, Value>, source: &Map<String, Value>, at: Option<&PayloadPath>) {
    let Some(path) = at else {
        return merge(payload, source);
    };
    // As a value, so that the walk starts from where it goes on.
    let mut root = Value::Object(mem::take(payload));
    set_at(&mut root, path.steps(), source);
    if let Value::Object(changed) = root {
        *payload = changed;
    }
}

/// Removes what `path` leads to: a field from its object, all elements of an array for `[]`. One element of an array
/// is not removed, since that would move the others: `a[0]` changes nothing.
pub(crate) fn delete(payload: &mut Map<String, Value>, path: &PayloadPath) {
    let mut root = Value::Object(mem::take(payload));
    delete_at(&mut root, path.steps());
    if let Value::Object(changed) = root {
        *payload = changed;
    }
}

fn merge(target: &mut Map<String, Value>, source: &Map<String, Value>) {
    for (key, value) in source {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            target.insert(key.clone(), value.clone());
        }
    }
}

fn set_at(node: &mut Value, path: &[PathStep], source: &Map<String, Value>) {
    let Some((step, rest)) = path.split_first() else {
        if let Some(target) = object_of(node) {
            merge(target, source);
        }
        return;
    };
    match step {
        PathStep::Key(key) => {
            if let Some(next) = node.get_mut(key) {
                set_at(next, rest, source);
            } else if rest.iter().all(|step| matches!(step, PathStep::Key(_)))
                && let Some(object) = object_of(node)
            {
                set_at(object.entry(key).or_insert(Value::Null), rest, source);
            }
        }
        PathStep::Index(index) => {
            if let Some(next) = element(node, *index) {
                set_at(next, rest, source);
            }
        }
        PathStep::All => {
            for next in node.as_array_mut().into_iter().flatten() {
                set_at(next, rest, source);
            }
        }
    }
}

fn delete_at(node: &mut Value, path: &[PathStep]) {
    match path {
        [] | [PathStep::Index(_)] => {}
        [PathStep::Key(key)] => {
            if let Some(object) = node.as_object_mut() {
                object.shift_remove(key);
            }
        }
        [PathStep::All] => {
            if let Some(items) = node.as_array_mut() {
                items.clear();
            }
        }
        [PathStep::Key(key), rest @ ..] => {
            if let Some(next) = node.get_mut(key) {
                delete_at(next, rest);
            }
        }
        [PathStep::Index(index), rest @ ..] => {
            if let Some(next) = element(node, *index) {
                delete_at(next, rest);
            }
        }
        [PathStep::All, rest @ ..] => {
            for next in node.as_array_mut().into_iter().flatten() {
                delete_at(next, rest);
            }
        }
    }
}

fn element(node: &mut Value, index: u64) -> Option<&mut Value> {
    node.as_array_mut()?.get_mut(usize::try_from(index).ok()?)
}

/// The object that `node` is, or is made into; never `None`.
fn object_of(node: &mut Value) -> Option<&mut Map<String, Value>> {
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    node.as_object_mut()
}

#[cfg(test)]
mod tests;
