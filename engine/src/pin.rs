//! Files that stay while the database goes on.
//!
//! A merge removes the files it has replaced, a commit old tombstones, a drop everything. A hard link keeps the
//! bytes, whatever happens to the first name. Links are made under the lock of the manifest that names the files,
//! so that files and manifest agree.

use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::SegmentFile;
use vdb_storage::manifest::{Catalog, CollectionManifest, ManifestRecord};
use vdb_sys::sync::MutexGuard;
use vdb_sys::sync::atomic::{AtomicU64, Ordering};
use vdb_vfs::{DynDisk, path};

use crate::core::Core;
use crate::error::{Error, Result};
use crate::layout::{TEMP_DIR, file_path};
use crate::maintenance::flush;
use crate::memtable::Memtable;
use crate::schema::Schema;
use crate::shared::Shared;

/// Tells the staging directories of this process apart; the process id tells them from those of others: one that has
/// closed the database may still be about to remove its own.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A directory inside the database that goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Staging {
    disk: DynDisk,
    dir: String,
}

impl Staging {
    pub(crate) fn new(shared: &Shared, what: &str) -> Result<Staging> {
        shared.check_writable()?;
        let disk = &shared.disk;
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = format!("{TEMP_DIR}/{what}-{process}-{number}");
        disk.remove_dir_all(&dir)?;
        disk.create_dir_all(&dir)?;
        Ok(Staging {
            disk: disk.clone(),
            dir,
        })
    }

    pub(crate) fn dir(&self) -> &str {
        &self.dir
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now is removed at the next open.
        let _ = self.disk.remove_dir_all(&self.dir);
    }
}

/// Collections at one moment, as files that stay.
#[derive(Debug)]
pub(super) struct Pinned {
    /// Holds the links.
    pub(super) _staging: Staging,
    pub(super) collections: Vec<PinnedCollection>,
}

#[derive(Debug)]
pub(super) struct PinnedCollection {
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// Where the links are.
    pub(super) dir: String,
    /// Where the files are.
    pub(super) real: String,
    pub(super) schema: Arc<Schema>,
    /// As it would be had the log never been.
    pub(super) manifest: CollectionManifest,
}

/// Pins one collection, or all of them at one place in the log.
pub(super) fn pin(shared: &Shared, only: Option<u32>, control: &Control<'_>) -> Result<Pinned> {
    shared.check_writable()?;
    // Most of what is in memory goes to the disk before anybody has to wait.
    let ids = wanted(&shared.catalog.lock(), only)?;
    for id in ids {
        let core = {
            let catalog = shared.catalog.lock();
            // One that was dropped meanwhile is not wanted any more.
            if !holds(&catalog, id) {
                continue;
            }
            shared.core_by_id(id)?
        };
        if core.tables().first_unflushed().is_some() {
            let flushed = flush::flush_all(shared, &core);
            if holds(&shared.catalog.lock(), id) {
                flushed?;
            }
        }
        if control.is_cancelled() {
            return Err(Error::Cancelled);
        }
    }
    let staging = Staging::new(shared, "snapshot")?;
    // From here on collections neither come nor go, and only the memtables frozen here become segments: what is
    // pinned is what the log had brought about at one place.
    let catalog = shared.catalog.lock();
    let ids = wanted(&catalog, only)?;
    let cores: Vec<Arc<Core>> = ids
        .into_iter()
        .map(|id| shared.core_by_id(id))
        .collect::<Result<_>>()?;
    let turns: Vec<MutexGuard<'_, ()>> = cores.iter().map(|core| core.flushing.lock()).collect();
    let frozen = freeze(shared, &cores)?;
    let pinned = cores
        .iter()
        .zip(frozen)
        .map(|(core, Frozen { tables, last_seq })| {
            tables.iter().try_for_each(|table| {
                shared
                    .counters
                    .flushes
                    .count(|| flush::flush_one(shared, core, table))
            })?;
            flush::take_in(shared, core);
            link(shared, &catalog, core, last_seq, &staging)
        });
    let collections = pinned.collect::<Result<_>>();
    drop(turns);
    drop(catalog);
    // What it did not come to flush is the flusher's again.
    shared.flusher.wake();
    Ok(Pinned {
        collections: collections?,
        _staging: staging,
    })
}

fn holds(catalog: &Catalog, id: u32) -> bool {
    catalog.collections.iter().any(|c| c.id == id)
}

fn wanted(catalog: &Catalog, only: Option<u32>) -> Result<Vec<u32>> {
    let all = catalog.collections.iter().map(|c| c.id);
    match only {
        None => Ok(all.collect()),
        Some(id) if holds(catalog, id) => Ok(vec![id]),
        Some(id) => Err(Error::CollectionNotFound {
            name: format!("#{id} (dropped meanwhile)"),
        }),
    }
}

/// What a collection had in memory at the moment of the snapshot.
struct Frozen {
    tables: Vec<Arc<Memtable>>,
    last_seq: u64,
}

/// Freezes the memtables of all at one place in the log.
fn freeze(shared: &Shared, cores: &[Arc<Core>]) -> Result<Vec<Frozen>> {
    let sequencer = shared.sequencer.lock();
    if sequencer.closed {
        return Err(Error::Closed);
    }
    let freeze = |core: &Arc<Core>| {
        core.rotate();
        Frozen {
            tables: core.tables().frozen.clone(),
            last_seq: core.last_seq(),
        }
    };
    Ok(cores.iter().map(freeze).collect())
}

fn link(
    shared: &Shared,
    catalog: &Catalog,
    core: &Core,
    last_seq: u64,
    staging: &Staging,
) -> Result<PinnedCollection> {
    let dir = path::join(staging.dir(), &format!("{:08x}", core.id));
    shared.disk.create_dir_all(&dir)?;
    let held = core.manifest.lock();
    for file in held.segments.iter().flat_map(|s| s.files()) {
        shared.disk.hard_link(&file.path(&core.dir), &file.path(&dir))?;
    }
    let mut manifest = held.clone();
    let schema = core.tables().schema.clone();
    drop(held);
    // Numbers that recovery skipped stay skipped.
    manifest.seq_floor = manifest.seq_floor.max(last_seq);
    (manifest.generation, manifest.flushed_lsn, manifest.weak) = (1, 0, false);
    let name = catalog
        .collections
        .iter()
        .find(|c| c.id == core.id)
        .map(|c| c.name.clone())
        .unwrap_or_default();
    let aliases = catalog
        .aliases
        .iter()
        .filter(|a| a.collection_id == core.id)
        .map(|a| a.name.clone())
        .collect();
    Ok(PinnedCollection {
        name,
        aliases,
        dir,
        real: core.dir.clone(),
        schema,
        manifest,
    })
}

/// Links all that the present manifest of a collection names, and its manifests, into a directory of their own.
/// What is missing is left out: whoever reads there will notice.
pub(crate) fn link_for_reading(shared: &Shared, core: &Core) -> Result<Staging> {
    let staging = Staging::new(shared, "verify")?;
    let held = core.manifest.lock();
    let manifests = shared
        .disk
        .list(&core.dir)?
        .into_iter()
        .filter(|name| name.starts_with(CollectionManifest::STEM));
    let files = held
        .segments
        .iter()
        .flat_map(|s| s.files())
        .map(|file: SegmentFile| file.to_string());
    for name in manifests.chain(files) {
        match shared
            .disk
            .hard_link(&path::join(&core.dir, &name), &path::join(staging.dir(), &name))
        {
            Err(vdb_vfs::Error::NotFound { .. }) => {}
            linked => linked?,
        }
    }
    Ok(staging)
}

/// The path of a file of a collection in a staging directory.
pub(super) fn staged_path(staging: &Staging, collection: u32, name: &str) -> String {
    path::join(staging.dir(), &file_path(collection, name))
}
