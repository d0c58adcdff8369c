//! Settings that the engine has no place for, as they were given.
//!
//! The seam to the engine: `recall` and `remember` are all that others use, so where settings are kept is known here alone.
//! They live as long as the service does; after that, settings are what the engine's own configuration says.

use std::collections::HashMap;

use parking_lot::Mutex;
use vdb::Collection;

use super::settings::CollectionSettings;

/// Settings by the name of the collection.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    by_name: Mutex<HashMap<String, CollectionSettings>>,
}

impl Remembered {
    /// Keeps settings of a collection. The name must not be an alias.
    pub(super) fn remember(&self, name: &str, settings: CollectionSettings) {
        self.by_name.lock().insert(name.to_owned(), settings);
    }

    /// The settings of a collection, by its own name.
    pub(super) fn recall(&self, name: &str, collection: &Collection) -> CollectionSettings {
        let known = self.by_name.lock().get(name).cloned();
        known.unwrap_or_else(|| CollectionSettings::of_config(&collection.config()))
    }

    /// Lets go of those of a collection that is gone.
    pub(super) fn forget(&self, name: &str) {
        self.by_name.lock().remove(name);
    }
}
