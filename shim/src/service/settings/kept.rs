//! Where settings are kept: what the engine tells whole in its own configuration alone, the others, as they were given, among the
//! hints of the collection.

use std::hash::{DefaultHasher, Hash, Hasher};

use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use vdb::{Collection, CollectionConfig, CollectionUpdate};

use super::super::error::{Result, ServiceError};
use super::CollectionSettings;

/// The key of the hints.
const KEY: &str = "qdrant";

/// Locks for collections, each for some of them.
const LOCKS: usize = 64;

/// Changes of settings, one at a time for each collection: what is kept is read, changed, and written as a whole, and another
/// change in between would be undone.
#[derive(Debug)]
pub(in super::super) struct Changes([Mutex<()>; LOCKS]);

impl Default for Changes {
    fn default() -> Self {
        Changes(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Changes {
    /// To be held from before settings are [recalled](recall) until they are kept.
    pub(in super::super) fn to(&self, collection: &Collection) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        collection.name().hash(&mut hasher);
        self.0[(hasher.finish() % LOCKS as u64) as usize].lock()
    }
}

/// The settings of a collection. Where the engine was told otherwise since, by other means, they are the engine's.
pub(in super::super) fn recall(collection: &Collection) -> CollectionSettings {
    of(&collection.config())
}

pub(super) fn of(config: &CollectionConfig) -> CollectionSettings {
    let given = config.hints.get(KEY).cloned();
    let given = given.and_then(|given| serde_json::from_value(given).ok());
    let mut settings: CollectionSettings = given.unwrap_or_default();
    settings.take_over(config);
    settings
}

/// Keeps changed settings that the engine has no place for.
///
/// # Errors
/// When they take too much room, or the disk fails.
pub(in super::super) fn keep(collection: &Collection, settings: &CollectionSettings) -> Result<()> {
    let before = collection.config();
    let update = CollectionUpdate::new().hints(hints(Some(&before), settings)?);
    Ok(collection.update_config(&update)?)
}

/// The change to the hints of a collection that makes them say these settings.
pub(super) fn hints(
    before: Option<&CollectionConfig>,
    settings: &CollectionSettings,
) -> Result<Map<String, Value>> {
    let after = value(&others(settings))?;
    let before = before.and_then(|config| config.hints.get(KEY));
    let change = before.map_or_else(|| after.clone(), |before| merge_patch(before, &after));
    Ok(Map::from_iter([(KEY.to_owned(), change)]))
}

/// The settings without what the engine tells whole, which nobody would look for here.
fn others(settings: &CollectionSettings) -> CollectionSettings {
    let mut others = settings.clone();
    others.metadata = None;
    others.strict_mode_config = None;
    others.quantization_config = None;
    for vector in others.vectors.0.values_mut() {
        vector.quantization_config = None;
    }
    others
}

/// What merged into `before` makes `after` of it (RFC 7396): what is gone is null.
fn merge_patch(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let mut patch: Map<String, Value> = gone.map(|key| (key.clone(), Value::Null)).collect();
    for (key, value) in after {
        match before.get(key) {
            Some(known) if known == value => {}
            Some(known) => drop(patch.insert(key.clone(), merge_patch(known, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    Value::Object(patch)
}

/// A setting as JSON.
pub(super) fn value(setting: &impl Serialize) -> Result<Value> {
    serde_json::to_value(setting)
        .map_err(|error| ServiceError::internal(format!("a setting has no JSON: {error}")))
}

/// A setting from the engine's JSON of it, which has the same names; `None` where it says nothing that clients know.
pub(super) fn read<T: DeserializeOwned>(said: impl Into<Value>) -> Option<T> {
    let said = said.into();
    if said == json!({}) {
        return None;
    }
    serde_json::from_value(said).ok()
}
