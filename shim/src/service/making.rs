//! Collections that are being made, where there may only be so many of them.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Inner;
use super::error::{Result, ServiceError};

/// The names of collections that are being made: they count before they are there, or as many as are made at once would be too many.
#[derive(Debug, Default)]
pub(super) struct Making(Mutex<Vec<String>>);

/// The place of a collection among those that there may be.
#[derive(Debug)]
pub(super) struct Place<'a> {
    making: &'a Making,
    name: String,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut names = self.making.0.lock();
        if let Some(at) = names.iter().position(|name| *name == self.name) {
            names.swap_remove(at);
        }
    }
}

impl Inner {
    /// A place for a collection of this name, to be held until it is there or will not be. What is there already has one; `None`
    /// where there may be any number.
    ///
    /// # Errors
    /// [`BadRequest`](super::ErrorKind::BadRequest) where there is none left.
    pub(super) fn place_for(&self, name: &str) -> Result<Option<Place<'_>>> {
        let Some(max) = self.options.max_collections else {
            return Ok(None);
        };
        let mut making = self.making.0.lock();
        let there = self.database.collections();
        let is_there = |name: &str| there.binary_search_by(|known| known.as_str().cmp(name)).is_ok();
        let (has_place, taken) = {
            let coming = making.iter().map(String::as_str);
            let coming: BTreeSet<&str> = coming.filter(|name| !is_there(name)).collect();
            let has_place = is_there(name) || coming.contains(name);
            (has_place, there.len() + coming.len())
        };
        // That a name is an alias is told by whoever makes the collection.
        if taken >= max && !has_place && !self.database.exists(name) {
            return Err(ServiceError::bad_request(format!(
                "Can't create collection with name {name}. The limit of collections is reached: there may be {max} \
                 (storage.max_collections)"
            )));
        }
        making.push(name.to_owned());
        Ok(Some(Place {
            making: &self.making,
            name: name.to_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vdb::{AliasChange, Database};

    use crate::service::settings::CollectionSettings;
    use crate::service::{ErrorKind, Location, Recovery, Result, Service, ServiceOptions, SnapshotsOf};

    fn service(max: usize, snapshots: &std::path::Path) -> Service {
        let mut options = ServiceOptions::new(snapshots);
        options.max_collections = Some(max);
        Service::new(Database::builder().open_in_memory().unwrap(), options)
    }

    async fn create(service: &Service, name: &str) -> Result<bool> {
        let settings = json!({"vectors": {"size": 2, "distance": "Dot"}});
        let settings: CollectionSettings = serde_json::from_value(settings).unwrap();
        service.create_collection(name, settings).await
    }

    #[tokio::test]
    async fn collections_that_are_being_made_count() {
        let service = service(2, "unused".as_ref());
        create(&service, "a").await.unwrap();
        let making = service.inner.place_for("b").unwrap();
        let refused = create(&service, "c").await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::BadRequest);
        assert!(
            refused.message.contains("name c") && refused.message.contains('2'),
            "{refused}"
        );
        // Of two that make the same one is too late, which is not said to be a matter of places.
        assert!(service.inner.place_for("b").is_ok());
        assert_eq!(
            create(&service, "a").await.unwrap_err().kind,
            ErrorKind::AlreadyExists
        );
        drop(making);
        create(&service, "c").await.unwrap();
        let alias = AliasChange::Create {
            alias: "other".to_owned(),
            collection: "a".to_owned(),
        };
        service.update_aliases(vec![alias]).await.unwrap();
        let taken = create(&service, "other").await.unwrap_err();
        assert_eq!(taken.kind, ErrorKind::BadInput, "{taken}");
        assert_eq!(
            create(&service, "d").await.unwrap_err().kind,
            ErrorKind::BadRequest
        );
        service.delete_collection("a").await.unwrap();
        create(&service, "d").await.unwrap();
    }

    #[tokio::test]
    async fn a_snapshot_makes_no_collection_beyond_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let service = service(1, directory.path());
        create(&service, "a").await.unwrap();
        let of = SnapshotsOf::Collection("a");
        let made = service.create_snapshot(of, true).await.unwrap().unwrap();
        let file = service.snapshot_file(of, &made.name).await.unwrap().path;
        let recover = async |name: &str| {
            let from = Recovery::Location(Location {
                url: format!("file://{}", file.display()),
                api_key: None,
                shard: false,
            });
            service.recover_snapshot(name, from, None).await
        };
        let refused = recover("b").await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::BadRequest, "{refused}");
        assert!(refused.message.contains("max_collections"), "{refused}");
        assert_eq!(service.list_collections().await.unwrap(), ["a"]);
        // What is there is replaced.
        assert_eq!(recover("a").await, Ok(true));
        service.delete_collection("a").await.unwrap();
        assert_eq!(recover("b").await, Ok(true));
    }
}
