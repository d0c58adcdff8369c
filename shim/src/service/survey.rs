//! What is told of all collections at once, for telemetry and metrics.

use vdb::{CollectionInfo, DatabaseInfo};

use super::describe::ConfigDescription;
use super::error::Result;
use super::settings::kept;
use super::snapshots::SnapshotActivity;
use super::{Inner, Service};

/// A collection, as far as it can be told without a look at its points.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// Its name.
    pub name: String,
    /// What the engine tells.
    pub info: CollectionInfo,
    /// Its settings, with what was not given.
    pub config: ConfigDescription,
    /// What goes on with its snapshots.
    pub snapshots: SnapshotActivity,
}

impl Service {
    /// All collections that can be read and the caller may see, by name; those that are damaged or were dropped meanwhile are
    /// left out.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn survey(&self) -> Result<Vec<Surveyed>> {
        let access = self.access().clone();
        self.about_all(move |inner| {
            let names = inner.database.collections().into_iter();
            let seen = names.filter(|name| access.sees(name));
            Ok(seen.filter_map(|name| look(inner, name)).collect())
        })
        .await
    }

    /// Sizes of the database as a whole, and what was done in the background.
    ///
    /// # Errors
    /// When others keep it waiting for too long.
    pub async fn database_info(&self) -> Result<DatabaseInfo> {
        self.about_all(|inner| Ok(inner.database.info())).await
    }
}

fn look(inner: &Inner, name: String) -> Option<Surveyed> {
    let collection = inner.database.collection(&name).ok()?;
    let info = collection.info().ok()?;
    let config = ConfigDescription::of(&kept::recall(&collection));
    let snapshots = inner.activities.of(&name);
    Some(Surveyed {
        name,
        info,
        config,
        snapshots,
    })
}
