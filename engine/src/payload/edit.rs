//! Changes of a payload: worked out once an operation, then made to each of its points in time that grows with the
//! payload and the change, not with their product.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;

use serde_json::{Map, Value};
use vdb_storage::payload::encode_payload;

use crate::error::{Error, Result, within};
use crate::filter::{PathStep, PayloadPath};
use crate::limits::MAX_PAYLOAD_BYTES;

/// Fields to merge into a payload: each is replaced whole, and removed where the source has null.
///
/// With a path, the object there is the target instead, and the way to it is made: what is no object where a key leads
/// on is replaced by one, what is no array where `[n]` or `[]` leads on by an empty one. Arrays are not grown: `[n]`
/// leads to an element that exists, `[]` to all there are.
pub(crate) struct Merge {
    set: Vec<(String, Value)>,
    /// Bytes that an object of these fields takes as it is stored.
    bytes: usize,
    removed: HashSet<String>,
    at: Option<PayloadPath>,
}

/// Bytes that a merge has added to one payload: `[]` leads to any number of places, each of which gets all of the fields. Each
/// counts with the least that it can take as it is stored, so what is refused would not be a payload.
#[derive(Default)]
struct Added(usize);

impl Added {
    fn add(&mut self, bytes: usize) -> Result<()> {
        self.0 = self.0.saturating_add(bytes);
        let what = "bytes of a payload (a change by a key with `[]` writes its fields to every element)";
        within(what, MAX_PAYLOAD_BYTES, self.0)
    }
}

impl Merge {
    /// # Errors
    /// When the fields would not be a payload by themselves.
    pub(crate) fn new(source: Map<String, Value>, at: Option<PayloadPath>) -> Result<Self> {
        let (removed, set): (Map<_, _>, Map<_, _>) =
            source.into_iter().partition(|(_, value)| value.is_null());
        Ok(Merge {
            bytes: encoded(&set)?.len(),
            set: set.into_iter().collect(),
            removed: removed.into_iter().map(|(key, _)| key).collect(),
            at,
        })
    }

    /// # Errors
    /// When more comes of it than a payload may be. The payload is then left half changed.
    pub(crate) fn apply(&self, payload: &mut Map<String, Value>) -> Result<()> {
        match &self.at {
            None => {
                self.merge(payload);
                Ok(())
            }
            Some(path) => as_value(payload, |root| {
                self.apply_at(root, path.steps(), &mut Added::default())
            }),
        }
    }

    fn apply_at(&self, node: &mut Value, path: &[PathStep], added: &mut Added) -> Result<()> {
        let Some((step, rest)) = path.split_first() else {
            if let Some(target) = object_of(node) {
                added.add(self.bytes)?;
                self.merge(target);
            }
            return Ok(());
        };
        match step {
            PathStep::Key(key) => {
                let Some(object) = object_of(node) else {
                    return Ok(());
                };
                if !object.contains_key(key) {
                    added.add(key.len())?;
                }
                self.apply_at(object.entry(key).or_insert(Value::Null), rest, added)
            }
            PathStep::Index(index) => {
                let index = usize::try_from(*index).ok();
                match array_of(node).and_then(|items| items.get_mut(index?)) {
                    Some(next) => self.apply_at(next, rest, added),
                    None => Ok(()),
                }
            }
            PathStep::All => {
                let mut items = array_of(node).into_iter().flatten();
                items.try_for_each(|next| self.apply_at(next, rest, added))
            }
        }
    }

    fn merge(&self, target: &mut Map<String, Value>) {
        // One pass: taking keys out one by one moves those behind them each time.
        if !self.removed.is_empty() {
            target.retain(|key, _| !self.removed.contains(key));
        }
        for (key, value) in &self.set {
            target.insert(key.clone(), value.clone());
        }
    }
}

/// Paths whose values are removed: a field from its object, all elements of an array for `[]`. One element of an array
/// is not removed, since that would move the others: `a[0]` changes nothing.
///
/// The paths as a tree, so that each object is looked at once however many of its fields go. Nesting is bounded by the
/// number of steps in a path.
#[derive(Default)]
pub(crate) struct Removal {
    keys: HashMap<String, Branch>,
    elements: BTreeMap<u64, Removal>,
    all: Option<Box<Branch>>,
}

/// What becomes of the values behind one step.
#[derive(Default)]
struct Branch {
    /// They go, and whatever is in them.
    gone: bool,
    within: Removal,
}

impl Removal {
    pub(crate) fn new(paths: &[PayloadPath]) -> Self {
        let mut root = Removal::default();
        for path in paths {
            root.add(path.steps());
        }
        root
    }

    fn add(&mut self, path: &[PathStep]) {
        let Some((step, rest)) = path.split_first() else {
            return;
        };
        let branch = match step {
            PathStep::Index(_) if rest.is_empty() => return,
            PathStep::Index(index) => return self.elements.entry(*index).or_default().add(rest),
            PathStep::Key(key) => self.keys.entry(key.clone()).or_default(),
            PathStep::All => self.all.get_or_insert_default(),
        };
        branch.gone |= rest.is_empty();
        branch.within.add(rest);
    }

    pub(crate) fn apply(&self, payload: &mut Map<String, Value>) {
        if self.keys.values().any(|branch| branch.gone) {
            payload.retain(|key, _| !self.keys.get(key).is_some_and(|branch| branch.gone));
        }
        if payload.len() < self.keys.len() {
            for (key, value) in payload.iter_mut() {
                if let Some(branch) = self.keys.get(key) {
                    branch.within.apply_to(value);
                }
            }
        } else {
            for (key, branch) in &self.keys {
                if let Some(value) = payload.get_mut(key) {
                    branch.within.apply_to(value);
                }
            }
        }
    }

    fn apply_to(&self, node: &mut Value) {
        match node {
            Value::Object(fields) => self.apply(fields),
            Value::Array(items) => self.apply_to_array(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn apply_to_array(&self, items: &mut Vec<Value>) {
        if let Some(branch) = &self.all {
            if branch.gone {
                return items.clear();
            }
            items.iter_mut().for_each(|item| branch.within.apply_to(item));
        }
        for (index, within) in &self.elements {
            // Ascending: behind the first that is not there, none is.
            let Some(item) = usize::try_from(*index).ok().and_then(|at| items.get_mut(at)) else {
                return;
            };
            within.apply_to(item);
        }
    }
}

/// A payload as it is stored; the empty one takes no bytes.
///
/// # Errors
/// When it is deeper or larger than a payload may be.
pub(crate) fn encoded(payload: &Map<String, Value>) -> Result<Vec<u8>> {
    let levels = "levels of objects and arrays in a payload";
    encoded_within(payload, levels, "bytes of a payload", MAX_PAYLOAD_BYTES)
}

/// An object as payloads are stored, of `most` bytes at most; `levels` and `bytes` say what there may not be too many of.
///
/// # Errors
/// When it is deeper or larger than that.
pub(crate) fn encoded_within(
    object: &Map<String, Value>,
    levels: &'static str,
    bytes: &'static str,
    most: usize,
) -> Result<Vec<u8>> {
    let encoded = match encode_payload(object) {
        Err(vdb_storage::Error::TooDeep { limit }) => {
            return Err(Error::Limit {
                what: levels,
                limit,
                // Encoding ends where it becomes too much.
                found: limit + 1,
            });
        }
        outcome => outcome?,
    };
    within(bytes, most, encoded.len())?;
    Ok(encoded)
}

/// Lends a payload as a value, so that a walk starts from where it goes on.
fn as_value(payload: &mut Map<String, Value>, change: impl FnOnce(&mut Value) -> Result<()>) -> Result<()> {
    let mut root = Value::Object(mem::take(payload));
    change(&mut root)?;
    if let Value::Object(changed) = root {
        *payload = changed;
    }
    Ok(())
}

/// The object that `node` is, or is made into; never `None`.
fn object_of(node: &mut Value) -> Option<&mut Map<String, Value>> {
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    node.as_object_mut()
}

/// The array that `node` is, or is made into; never `None`.
fn array_of(node: &mut Value) -> Option<&mut Vec<Value>> {
    if !node.is_array() {
        *node = Value::Array(Vec::new());
    }
    node.as_array_mut()
}

#[cfg(test)]
mod tests;
