//! Both sides of a migration, and what is known of them.

use std::sync::Arc;

use qdrant_client::qdrant as proto;

use crate::error::{MigrateError, Result};
use crate::options::Options;
use crate::patience::persist;
use crate::point::Point;
use crate::settings::Place;
use crate::store::Store;
use crate::watch::Watch;

/// The first version of Qdrant that knows slices of the id space.
const SLICES_SINCE: (u64, u64) = (1, 19);

/// What every part of a migration works with. Cheap to clone.
pub(crate) struct Sides<S, T> {
    pub(crate) source: Arc<S>,
    pub(crate) target: Arc<T>,
    pub(crate) options: Arc<Options>,
    pub(crate) watch: Watch,
    /// Whether each side knows slices.
    pub(crate) source_slices: bool,
    pub(crate) target_slices: bool,
}

impl<S, T> Clone for Sides<S, T> {
    fn clone(&self) -> Self {
        Sides {
            source: self.source.clone(),
            target: self.target.clone(),
            options: self.options.clone(),
            watch: self.watch.clone(),
            source_slices: self.source_slices,
            target_slices: self.target_slices,
        }
    }
}

impl<S: Store, T: Store> Sides<S, T> {
    pub(crate) async fn of(source: Arc<S>, target: Arc<T>, options: Options, watch: Watch) -> Result<Self> {
        let source_slices = knows_slices(&*source, &options, &watch).await?;
        let target_slices = knows_slices(&*target, &options, &watch).await?;
        Ok(Sides {
            source,
            target,
            options: Arc::new(options),
            watch,
            source_slices,
            target_slices,
        })
    }

    /// Where the collections will be.
    pub(crate) fn place(&self) -> Place {
        if self.target.database().is_some() {
            Place::Directory
        } else {
            Place::Server
        }
    }

    /// How many points a collection has, exactly.
    pub(crate) async fn count<C: Store>(&self, store: &C, collection: &str) -> Result<u64> {
        let message = proto::CountPoints {
            collection_name: collection.to_owned(),
            exact: Some(true),
            ..proto::CountPoints::default()
        };
        let doing = || format!("counting the points of {collection} of {}", store.shown());
        let call = || store.count(message.clone());
        let answer = persist(self.options.patience, &self.watch, doing, call).await?;
        answer
            .result
            .map(|result| result.count)
            .ok_or_else(|| MigrateError::Call {
                doing: doing(),
                problem: "the answer has no count".to_owned(),
            })
    }

    /// What is told of a collection.
    pub(crate) async fn info<C: Store>(&self, store: &C, collection: &str) -> Result<proto::CollectionInfo> {
        let doing = || format!("reading the settings of {collection} of {}", store.shown());
        let call = || store.collection_info(collection);
        let answer = persist(self.options.patience, &self.watch, doing, call).await?;
        answer.result.ok_or_else(|| MigrateError::Call {
            doing: doing(),
            problem: "the answer is empty".to_owned(),
        })
    }

    /// Ends with what has been done, if somebody asked for the end.
    pub(crate) fn go_on(&self) -> Result<()> {
        if self.watch.asked_to_stop() {
            return Err(MigrateError::stopped());
        }
        Ok(())
    }

    /// Names of all collections of a side, sorted.
    pub(crate) async fn collections<C: Store>(&self, store: &C) -> Result<Vec<String>> {
        let doing = || format!("listing the collections of {}", store.shown());
        let call = || store.list_collections();
        let answer = persist(self.options.patience, &self.watch, doing, call).await?;
        let mut names: Vec<String> = answer.collections.into_iter().map(|one| one.name).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Whether payloads go along as the engine has them, because both sides are in this process.
    pub(crate) fn are_exact(&self) -> bool {
        self.source.database().is_some() && self.target.database().is_some()
    }

    /// Whether a point of the source has an integer that is rounded on its way.
    ///
    /// # Errors
    /// When it has one, and nothing may be rounded.
    pub(crate) fn rounds(&self, collection: &str, point: &Point) -> Result<bool> {
        let Some(field) = point.beyond.as_ref().filter(|_| !self.are_exact()) else {
            return Ok(false);
        };
        if self.options.lossy {
            return Ok(true);
        }
        let is = if self.source.database().is_some() {
            "is an integer between 2^63 and 2^64, which would be rounded: messages have no place for it"
        } else {
            "is between 2^63 and 2^64, and if it was an integer, the message that it came in has rounded it"
        };
        Err(MigrateError::Conflict(format!(
            "point {} of {collection}: the payload field {field:?} {is}; --lossy takes such numbers along as floating point, \
             and counts the points",
            point.id
        )))
    }
}

async fn knows_slices<C: Store>(store: &C, options: &Options, watch: &Watch) -> Result<bool> {
    let doing = || format!("asking {} what it is", store.shown());
    let reply = persist(options.patience, watch, doing, || store.health_check()).await?;
    Ok(version(&reply.version).is_some_and(|version| version >= SLICES_SINCE))
}

/// The first two numbers of a version.
fn version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("1.19.0"), Some((1, 19)));
        assert_eq!(version("v1.20.1-dev"), Some((1, 20)));
        assert!(version("1.9.7") < version("1.19.0"));
        assert_eq!(version("newest"), None);
    }
}
