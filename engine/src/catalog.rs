//! Which collections and aliases exist: created, dropped, renamed by one swap of the catalog each.

use std::sync::Arc;

use vdb_storage::manifest::{AliasRecord, Catalog, CollectionManifest, CollectionRecord, ManifestStore};
use vdb_sys::sync::atomic::Ordering;

use crate::config::CollectionConfig;
use crate::core::Core;
use crate::error::{Error, Result, within};
use crate::layout::{CATALOG_DIR, COLLECTIONS_DIR, collection_dir};
use crate::limits::{MAX_ALIASES, MAX_COLLECTIONS};
use crate::names::check_collection_name;
use crate::schema::Schema;
use crate::shared::{Shared, resolve};

/// One change of aliases.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, VectorParams};
/// use vdb::AliasChange;
/// # let db = Database::builder().open_in_memory()?;
/// # let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
/// # db.create_collection("words_1", config.clone())?;
/// # db.create_collection("words_2", config)?;
/// # db.create_alias("words", "words_1")?;
/// // Whoever opens `words` gets the old collection or the new one, never none.
/// db.update_aliases(&[
///     AliasChange::Rename { from: "words".into(), to: "words_before".into() },
///     AliasChange::Create { alias: "words".into(), collection: "words_2".into() },
/// ])?;
/// assert!(db.aliases().contains(&("words".to_owned(), "words_2".to_owned())));
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasChange {
    /// Makes an alias stand for a collection, whether the alias exists or not.
    Create {
        /// The alias.
        alias: String,
        /// A collection; not another alias.
        collection: String,
    },
    /// Removes an alias; one that does not exist is fine.
    Delete {
        /// The alias.
        alias: String,
    },
    /// Renames an alias.
    Rename {
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
}

pub(crate) fn find<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a CollectionRecord> {
    catalog.collections.iter().find(|c| c.name == name)
}

pub(crate) fn check_free(catalog: &Catalog, name: &str) -> Result<()> {
    check_collection_name(name)?;
    if find(catalog, name).is_some() {
        return Err(Error::NameTaken {
            name: name.to_owned(),
            taken_by: "a collection",
        });
    }
    if catalog.aliases.iter().any(|a| a.name == name) {
        return Err(Error::NameTaken {
            name: name.to_owned(),
            taken_by: "an alias",
        });
    }
    Ok(())
}

/// Refuses a catalog that has grown beyond what it may hold.
fn check_size(before: &Catalog, next: &Catalog) -> Result<()> {
    if next.collections.len() > before.collections.len() {
        within(
            "collections in a database",
            MAX_COLLECTIONS,
            next.collections.len(),
        )?;
    }
    if next.aliases.len() > before.aliases.len() {
        within("aliases in a database", MAX_ALIASES, next.aliases.len())?;
    }
    Ok(())
}

impl Shared {
    /// Commits the catalog that `change` makes of the present one; nothing changes when it fails.
    pub(crate) fn change_catalog<T>(
        &self,
        catalog: &mut Catalog,
        change: impl FnOnce(&mut Catalog) -> Result<T>,
    ) -> Result<T> {
        self.check_writable()?;
        let mut next = catalog.clone();
        let out = change(&mut next)?;
        check_size(catalog, &next)?;
        next.generation += 1;
        let store = ManifestStore::new(self.disk.clone(), CATALOG_DIR);
        if let Err(error) = store.commit(&next) {
            self.take_back(&store, catalog, &next);
            return Err(error.into());
        }
        *catalog = next;
        self.roster.follow(catalog);
        Ok(out)
    }

    /// A catalog whose commit failed may be the newest on the medium all the same, and what it drops would be gone
    /// with the next open: puts the present one in front of it, or accepts no more writes.
    fn take_back(&self, store: &ManifestStore<Catalog>, catalog: &mut Catalog, failed: &Catalog) {
        if store
            .generations()
            .is_ok_and(|there| there.last() < Some(&failed.generation))
        {
            return;
        }
        let (generation, next_collection_id) = (failed.generation + 1, failed.next_collection_id);
        let present = Catalog {
            generation,
            next_collection_id,
            ..catalog.clone()
        };
        match store.commit(&present) {
            Ok(_) => *catalog = present,
            Err(error) => self.sequencer.lock().poisoned = Some(error.to_string()),
        }
    }

    pub(crate) fn create_collection(&self, name: &str, config: CollectionConfig) -> Result<Arc<Core>> {
        let schema = Schema::new(config)?.to_bounded_record()?;
        self.wal()?;
        let mut catalog = self.catalog.lock();
        self.check_open()?;
        check_free(&catalog, name)?;
        // Before anything of it is made.
        within(
            "collections in a database",
            MAX_COLLECTIONS,
            catalog.collections.len() + 1,
        )?;
        let id = catalog.next_collection_id;
        let dir = collection_dir(id);
        // A creation that failed may have left files of a collection that was never committed.
        self.disk.remove_dir_all(&dir)?;
        self.disk.create_dir_all(&dir)?;
        let manifest = CollectionManifest {
            collection_id: id,
            generation: 1,
            schema,
            // Nothing that is in the log by now is about this collection.
            flushed_lsn: 0,
            seq_floor: 0,
            weak: false,
            next_segment_id: 1,
            segments: Vec::new(),
        };
        let store = ManifestStore::new(self.disk.clone(), dir);
        // Until there are segments nothing else says what the vectors in the log are.
        store.keep_spare(&manifest)?;
        store.commit(&manifest)?;
        self.disk.sync_dir(COLLECTIONS_DIR)?;
        let core = self.load_core(id)?;
        self.change_catalog(&mut catalog, |next| {
            next.next_collection_id = id.checked_add(1).ok_or(Error::Limit {
                what: "collections ever created",
                limit: u32::MAX as usize,
                found: u32::MAX as usize,
            })?;
            let name = name.to_owned();
            next.collections.push(CollectionRecord { id, name });
            Ok(())
        })?;
        self.admit(core.clone());
        Ok(core)
    }

    /// Lets go of a collection that the catalog no longer has.
    pub(crate) fn forget(&self, id: u32) {
        self.damaged.lock().remove(&id);
        let core = self.cores.write().remove(&id);
        if let Some(core) = core {
            let _sequencer = self.sequencer.lock();
            core.dropped.store(true, Ordering::Release);
            self.budget.free(core.counted_bytes());
        }
        // Readers keep what they have mapped. A directory that cannot be removed now goes at the next open.
        let _ = self.disk.remove_dir_all(&collection_dir(id));
    }

    pub(crate) fn drop_collection(&self, name: &str) -> Result<bool> {
        self.wal()?;
        let mut catalog = self.catalog.lock();
        let Some(id) = find(&catalog, name).map(|c| c.id) else {
            return Ok(false);
        };
        self.change_catalog(&mut catalog, |next| {
            next.collections.retain(|c| c.id != id);
            next.aliases.retain(|a| a.collection_id != id);
            Ok(())
        })?;
        self.forget(id);
        Ok(true)
    }

    pub(crate) fn rename_collection(&self, from: &str, to: &str) -> Result<()> {
        self.wal()?;
        let mut catalog = self.catalog.lock();
        let id = find(&catalog, from).map(|c| c.id);
        let id = id.ok_or_else(|| Error::CollectionNotFound {
            name: from.to_owned(),
        })?;
        if from == to {
            return Ok(());
        }
        check_free(&catalog, to)?;
        self.change_catalog(&mut catalog, |next| {
            if let Some(entry) = next.collections.iter_mut().find(|c| c.id == id) {
                to.clone_into(&mut entry.name);
            }
            Ok(())
        })
    }

    pub(crate) fn update_aliases(&self, changes: &[AliasChange]) -> Result<()> {
        self.wal()?;
        within("changes of aliases in one call", MAX_ALIASES, changes.len())?;
        let mut catalog = self.catalog.lock();
        self.change_catalog(&mut catalog, |next| {
            for change in changes {
                change_alias(next, change)?;
            }
            Ok(())
        })
    }

    pub(crate) fn collection_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .catalog
            .lock()
            .collections
            .iter()
            .map(|c| c.name.clone())
            .collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn aliases(&self) -> Vec<(String, String)> {
        let catalog = self.catalog.lock();
        let name_of = |id| {
            catalog
                .collections
                .iter()
                .find(|c| c.id == id)
                .map(|c| c.name.clone())
        };
        let mut out: Vec<_> = catalog
            .aliases
            .iter()
            .filter_map(|a| Some((a.name.clone(), name_of(a.collection_id)?)))
            .collect();
        out.sort_unstable();
        out
    }
}

fn change_alias(catalog: &mut Catalog, change: &AliasChange) -> Result<()> {
    let check_not_collection = |catalog: &Catalog, name: &str| {
        check_collection_name(name)?;
        match find(catalog, name) {
            Some(_) => Err(Error::NameTaken {
                name: name.to_owned(),
                taken_by: "a collection",
            }),
            None => Ok(()),
        }
    };
    match change {
        AliasChange::Create { alias, collection } => {
            check_not_collection(catalog, alias)?;
            let target = find(catalog, collection).map(|c| c.id);
            let collection_id = target.ok_or_else(|| match resolve(catalog, collection) {
                Some(_) => Error::InvalidRequest(format!(
                    "{collection:?} is an alias: an alias can only stand for a collection"
                )),
                None => Error::CollectionNotFound {
                    name: collection.clone(),
                },
            })?;
            catalog.aliases.retain(|a| a.name != *alias);
            catalog.aliases.push(AliasRecord {
                name: alias.clone(),
                collection_id,
            });
        }
        AliasChange::Delete { alias } => catalog.aliases.retain(|a| a.name != *alias),
        AliasChange::Rename { from, to } => {
            check_not_collection(catalog, to)?;
            let at = catalog.aliases.iter().position(|a| a.name == *from);
            let at = at.ok_or_else(|| Error::AliasNotFound { name: from.clone() })?;
            let moved = catalog.aliases.remove(at);
            catalog.aliases.retain(|a| a.name != *to);
            catalog.aliases.push(AliasRecord {
                name: to.clone(),
                collection_id: moved.collection_id,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
