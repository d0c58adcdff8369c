//! Unpacked collections enter the catalog, all in one swap.

use std::sync::Arc;

use vdb_storage::manifest::{AliasRecord, Catalog, CollectionManifest, CollectionRecord, ManifestStore};
use vdb_sys::sync::atomic::Ordering;
use vdb_vfs::path;

use super::RestoreMode;
use crate::catalog::{check_free, find};
use crate::core::{Core, past_lost};
use crate::error::{Error, Result};
use crate::layout::is_manifest;
use crate::layout::{CATALOG_DIR, COLLECTIONS_DIR, collection_dir};
use crate::shared::Shared;

/// A collection that has been checked and is to come under a name.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// Where its files are; they are moved from there.
    pub(super) dir: String,
    pub(super) manifest: CollectionManifest,
}

/// Refuses names that are taken. Returns the collection that makes way.
pub(super) fn check_names(
    catalog: &Catalog,
    name: &str,
    aliases: &[String],
    mode: RestoreMode,
) -> Result<Option<u32>> {
    let replaced = find(catalog, name)
        .map(|c| c.id)
        .filter(|_| mode == RestoreMode::Replace);
    if replaced.is_none() {
        check_free(catalog, name)?;
    }
    for alias in aliases {
        // An alias may be pointed elsewhere; a collection does not make way for one.
        if mode == RestoreMode::New || find(catalog, alias).is_some() {
            check_free(catalog, alias)?;
        }
    }
    Ok(replaced)
}

/// What a collection becomes.
struct Place {
    id: u32,
    replaced: Option<u32>,
    /// The last sequence number of the collection that is replaced.
    last_seq: u64,
}

impl Shared {
    /// Gives collections their numbers and commits them under their names. When this fails nothing has changed.
    pub(super) fn install(&self, incoming: Vec<Incoming>, mode: RestoreMode) -> Result<Vec<Arc<Core>>> {
        let mut catalog = self.catalog.lock();
        self.check_writable()?;
        let mut places = Vec::with_capacity(incoming.len());
        let mut next_id = catalog.next_collection_id;
        for item in &incoming {
            let replaced = check_names(&catalog, &item.name, &item.aliases, mode)?;
            places.push(Place {
                id: next_id,
                replaced,
                last_seq: 0,
            });
            next_id = next_id.checked_add(1).ok_or(Error::Limit {
                what: "collections ever created",
                limit: u32::MAX as usize,
                found: u32::MAX as usize,
            })?;
        }
        // The numbers are taken first: rows in a directory whose number no catalog has given would look, after a
        // crash, like those of a collection whose catalog is missing.
        self.change_catalog(&mut catalog, |next| {
            next.next_collection_id = next_id;
            Ok(())
        })?;
        for place in &mut places {
            place.last_seq = place.replaced.map_or(0, |id| self.stop_writers(id));
        }
        let installed = incoming
            .iter()
            .zip(&places)
            .try_for_each(|(item, place)| self.fill(item, place))
            .and_then(|()| Ok(self.disk.sync_dir(COLLECTIONS_DIR)?))
            .and_then(|()| {
                places
                    .iter()
                    .map(|place| self.load_core(place.id))
                    .collect::<Result<Vec<_>>>()
            })
            .and_then(|cores| {
                self.change_catalog(&mut catalog, |next| {
                    incoming
                        .iter()
                        .zip(&places)
                        .for_each(|(item, place)| enter(next, item, place));
                    Ok(cores)
                })
            });
        let cores = match installed {
            Ok(cores) => cores,
            Err(error) => {
                self.abandon(&places, &catalog);
                return Err(error);
            }
        };
        for replaced in places.iter().filter_map(|place| place.replaced) {
            self.forget(replaced);
        }
        cores.iter().for_each(|core| self.admit(core.clone()));
        Ok(cores)
    }

    /// What was to be replaced takes writes again, and what was to replace it goes.
    fn abandon(&self, places: &[Place], catalog: &Catalog) {
        for core in places.iter().filter_map(|place| self.opened(place.replaced?)) {
            core.replaced.store(false, Ordering::Release);
        }
        // Unless a catalog that names them may be on the medium: then the next opening decides.
        let generations = ManifestStore::<Catalog>::new(self.disk.clone(), CATALOG_DIR).generations();
        if generations.is_ok_and(|there| there.last() == Some(&catalog.generation)) {
            for place in places {
                let _ = self.disk.remove_dir_all(&collection_dir(place.id));
            }
        }
    }

    /// Moves the files of a collection into its directory and writes its manifest.
    fn fill(&self, item: &Incoming, place: &Place) -> Result<()> {
        let dir = collection_dir(place.id);
        // A crash may have left files of a collection that was never committed.
        self.disk.remove_dir_all(&dir)?;
        self.disk.create_dir_all(&dir)?;
        for name in self
            .disk
            .list(&item.dir)?
            .into_iter()
            .filter(|name| !is_manifest(name))
        {
            self.disk
                .rename(&path::join(&item.dir, &name), &path::join(&dir, &name))?;
        }
        let revisions = item.manifest.segments.iter().flat_map(|s| &s.components);
        let manifest = CollectionManifest {
            collection_id: place.id,
            // Above all revisions: files are named by the generation that they are made for, and one that failed
            // must not share its name with the next.
            generation: u64::from(revisions.map(|c| c.revision).max().unwrap_or(0)) + 1,
            // Nothing that is in the log by now is about this collection.
            flushed_lsn: 0,
            weak: false,
            // Whoever remembers a version of the replaced collection shall not meet it again on another state.
            seq_floor: item.manifest.seq_floor.max(place.last_seq),
            ..item.manifest.clone()
        };
        ManifestStore::new(self.disk.clone(), dir).commit(&manifest)?;
        Ok(())
    }

    fn opened(&self, id: u32) -> Option<Arc<Core>> {
        self.cores.read().get(&id).cloned()
    }

    /// Ends the writing to a collection that makes way, and returns its last sequence number, as far as it can be
    /// known without opening it: what is damaged can be replaced too. The catalog's lock is held.
    fn stop_writers(&self, id: u32) -> u64 {
        if let Some(core) = self.opened(id) {
            let _sequencer = self.sequencer.lock();
            core.replaced.store(true, Ordering::Release);
            return core.last_seq();
        }
        let store = ManifestStore::<CollectionManifest>::new(self.disk.clone(), collection_dir(id));
        let newest = store.load().ok().flatten();
        // Records in the log, or commits that can no longer be read, may have gone further.
        let skips =
            newest.as_ref().is_some_and(|manifest| manifest.weak) && self.unskipped.load(Ordering::Acquire);
        let unknown = skips || newest.is_none() || self.damaged.lock().contains_key(&id);
        let spare = || store.load_spare(store.spares().ok()?.pop()?).ok();
        let known = newest.or_else(spare).map_or(0, |manifest| manifest.seq_floor);
        if unknown { past_lost(known) } else { known }
    }
}

/// Enters a collection into a catalog.
fn enter(catalog: &mut Catalog, item: &Incoming, place: &Place) {
    catalog.collections.retain(|c| Some(c.id) != place.replaced);
    // The newest number is the greatest: the list stays in order.
    catalog.collections.push(CollectionRecord {
        id: place.id,
        name: item.name.clone(),
    });
    for alias in catalog
        .aliases
        .iter_mut()
        .filter(|a| Some(a.collection_id) == place.replaced)
    {
        alias.collection_id = place.id;
    }
    for name in &item.aliases {
        catalog.aliases.retain(|a| a.name != *name);
        catalog.aliases.push(AliasRecord {
            name: name.clone(),
            collection_id: place.id,
        });
    }
}
