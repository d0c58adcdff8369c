//! A change of what requests may ask of a collection.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fields::Fields;
use super::strict_mode::{MAX_LENGTH, MAX_VECTORS, StrictMode};
use crate::error::{Error, Result};

/// A change of the limits of a [`StrictMode`]: limits that are set replace, limits that are taken back are limits no more, the rest
/// stays.
///
/// ```
/// use serde_json::json;
/// use vdb::{CollectionUpdate, StrictMode, StrictModeUpdate};
///
/// let set = StrictMode { max_query_limit: Some(100), ..StrictMode::default() };
/// let update = StrictModeUpdate::from(set).unset("max_timeout").unset_max_length("words");
/// // The same in JSON, where null takes back.
/// let same = json!({"strict_mode_config": {"max_query_limit": 100, "max_timeout": null, "sparse_config": {"words": null}}});
/// assert_eq!(CollectionUpdate::from_json(&same)?, CollectionUpdate::new().strict_mode(update));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrictModeUpdate {
    /// What is given replaces.
    pub set: StrictMode,
    /// What is taken back, by its name in the JSON form; `multivector_config` and `sparse_config` for the limits of all vectors.
    pub unset: BTreeSet<String>,
    /// Named vectors whose [`max_vectors`](StrictMode::max_vectors) is taken back.
    pub unset_max_vectors: BTreeSet<String>,
    /// Named vectors whose [`max_length`](StrictMode::max_length) is taken back.
    pub unset_max_length: BTreeSet<String>,
}

impl From<StrictMode> for StrictModeUpdate {
    fn from(set: StrictMode) -> Self {
        StrictModeUpdate {
            set,
            ..StrictModeUpdate::default()
        }
    }
}

impl StrictModeUpdate {
    /// Takes back a limit, by its name in the JSON form.
    #[must_use]
    pub fn unset(mut self, limit: impl Into<String>) -> Self {
        self.unset.insert(limit.into());
        self
    }

    /// Takes back how many vectors a multivector of this name may have.
    #[must_use]
    pub fn unset_max_vectors(mut self, vector: impl Into<String>) -> Self {
        self.unset_max_vectors.insert(vector.into());
        self
    }

    /// Takes back how many numbers a sparse vector of this name may have.
    #[must_use]
    pub fn unset_max_length(mut self, vector: impl Into<String>) -> Self {
        self.unset_max_length.insert(vector.into());
        self
    }

    /// Changes `held`.
    ///
    /// # Errors
    /// For a name that no limit has; nothing is changed then.
    pub(crate) fn apply(&self, held: &mut StrictMode) -> Result<()> {
        let mut changed = held.clone();
        for name in &self.unset {
            if !changed.unset(name) {
                return Err(Error::InvalidRequest(format!(
                    "strict mode: there is no limit {name:?} to take back"
                )));
            }
        }
        let without = |limits: &mut BTreeMap<String, u64>, names: &BTreeSet<String>| {
            limits.retain(|name, _| !names.contains(name));
        };
        without(&mut changed.max_vectors, &self.unset_max_vectors);
        without(&mut changed.max_length, &self.unset_max_length);
        changed.merge(&self.set);
        *held = changed;
        Ok(())
    }

    /// From an object of the JSON form.
    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self> {
        let unset = fields.nulls().map(str::to_owned).collect();
        // The limit of one vector is taken back by its name, or by the limit under it.
        let mut nulls_of = |key, limit: &str| -> Result<BTreeSet<String>> {
            let of = fields.map(key)?.into_iter().flatten();
            let is_null = |value: &Value| value.is_null() || value.get(limit).is_some_and(Value::is_null);
            let nulls = of.filter(|(_, value)| is_null(value));
            Ok(nulls.map(|(name, _)| name.clone()).collect())
        };
        let unset_max_vectors = nulls_of(MAX_VECTORS, "max_vectors")?;
        let unset_max_length = nulls_of(MAX_LENGTH, "max_length")?;
        Ok(StrictModeUpdate {
            set: StrictMode::read(fields)?,
            unset,
            unset_max_vectors,
            unset_max_length,
        })
    }
}
