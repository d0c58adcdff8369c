//! Whose is a directory, and what in it is left over? Nothing that is not ours is touched.

use std::collections::BTreeSet;

use vdb_storage::SegmentFile;
use vdb_storage::manifest::{Catalog, CollectionManifest, ManifestStore, generation_of};
use vdb_vfs::DynDisk;
use vdb_vfs::holder::{Holder, MAX_TEXT};
use vdb_vfs::replace::TEMP_SUFFIX;

use crate::error::{Error, Result};
use crate::layout::{
    CATALOG_DIR, COLLECTIONS_DIR, LOCK_FILE, LOG_DIR, TEMP_DIR, collection_dir, collection_of,
};

/// The generation of the catalog of a new database.
const FIRST_CATALOG: u64 = 1;

/// Whether the directory of the log has a file of the log in it.
pub(crate) fn has_log(disk: &DynDisk) -> Result<bool> {
    Ok(disk.list(LOG_DIR)?.iter().any(|name| vdb_wal::is_log_file(name)))
}

/// What to say where a log must be and is not.
pub(crate) fn no_log(disk: &DynDisk) -> Error {
    Error::Damaged {
        file: disk.display(LOG_DIR),
        what: "the log is missing; what was in no segment yet is lost".to_owned(),
    }
}

/// Refuses a directory that holds something else, before anything is written to it.
pub(crate) fn refuse_foreign(disk: &DynDisk, create: bool) -> Result<()> {
    if has_catalog(disk) {
        return Ok(());
    }
    match check_unused(disk, create) {
        // Another process may have created it meanwhile; the lock will tell.
        Err(_) if has_catalog(disk) => Ok(()),
        checked => checked,
    }
}

/// A directory that is called like that of a catalog may be anybody's: what counts is what is in it.
fn has_catalog(disk: &DynDisk) -> bool {
    let store = ManifestStore::<Catalog>::new(disk.clone(), CATALOG_DIR);
    matches!(store.generations(), Ok(found) if !found.is_empty())
        || matches!(store.spares(), Ok(found) if !found.is_empty())
}

fn check_unused(disk: &DynDisk, create: bool) -> Result<()> {
    let names = disk.list("")?;
    let path = disk.display("");
    let ours = [LOCK_FILE, CATALOG_DIR, COLLECTIONS_DIR, LOG_DIR, TEMP_DIR];
    let holds = |dir: &str, ours: fn(&str) -> bool| {
        disk.list(dir)
            .is_ok_and(|inside| inside.iter().any(|name| ours(name)))
    };
    if names.iter().any(|n| n == CATALOG_DIR)
        && names.iter().all(|n| ours.contains(&n.as_str()))
        && (holds(LOG_DIR, vdb_wal::is_log_file)
            || holds(COLLECTIONS_DIR, |name| collection_of(name).is_some()))
    {
        return Err(Error::Damaged {
            file: disk.display(CATALOG_DIR),
            what: "the catalog is missing while the log or collections are there".into(),
        });
    }
    // An interrupted creation leaves empty directories, and perhaps the first catalog half written.
    let unfinished = |name: &str| match name {
        COLLECTIONS_DIR | LOG_DIR => disk.list(name).is_ok_and(|inside| inside.is_empty()),
        CATALOG_DIR => disk
            .list(name)
            .is_ok_and(|inside| inside.iter().all(|name| is_temp_catalog(name))),
        other => other == LOCK_FILE,
    };
    if let Some(stranger) = names.iter().find(|n| !unfinished(n)) {
        let why =
            format!("it holds {stranger:?} and no catalog of a database; choose an empty or new directory");
        return Err(Error::NotADatabase { path, why });
    }
    if !create {
        return Err(Error::NotADatabase {
            path,
            why: "it is empty".into(),
        });
    }
    Ok(())
}

fn is_temp_catalog(name: &str) -> bool {
    name.strip_suffix(TEMP_SUFFIX)
        .is_some_and(|name| generation_of::<Catalog>(name).is_some())
}

/// The newest catalog; the first one, where a database is being created, and whether that is so.
pub(crate) fn open_catalog(disk: &DynDisk) -> Result<(Catalog, bool)> {
    let store = ManifestStore::<Catalog>::new(disk.clone(), CATALOG_DIR);
    // Directories first, catalog last: without one, whatever else is there is an interrupted creation.
    for dir in [COLLECTIONS_DIR, LOG_DIR, CATALOG_DIR] {
        if !disk.exists(dir)? {
            disk.create_dir_all(dir)?;
        }
    }
    if let Some(catalog) = store.load()? {
        if catalog.generation == FIRST_CATALOG {
            // Nothing names the first one, as catalogs name collections: its creation may have been cut short.
            disk.sync_dir(CATALOG_DIR)?;
        }
        store.settle()?;
        return Ok((catalog, false));
    }
    disk.sync_dir("")?;
    // Number 0 marks log records of several collections.
    let catalog = Catalog {
        generation: FIRST_CATALOG,
        next_collection_id: 1,
        ..Catalog::default()
    };
    store.commit(&catalog)?;
    Ok((catalog, true))
}

/// Removes directories that no catalog names: collections that were being created or dropped, and what snapshots
/// and restorations were working on.
pub(crate) fn remove_strays(disk: &DynDisk, catalog: &Catalog) -> Result<()> {
    let known: BTreeSet<u32> = catalog.collections.iter().map(|c| c.id).collect();
    let strays: Vec<u32> = disk
        .list(COLLECTIONS_DIR)?
        .iter()
        .filter_map(|name| collection_of(name))
        .filter(|id| !known.contains(id))
        .collect();
    // All are looked at before the first is removed. Numbers are taken from the catalog before rows get a directory.
    if let Some(id) = strays
        .iter()
        .find(|&&id| id >= catalog.next_collection_id && holds_rows(disk, id))
    {
        let what = format!(
            "it knows nothing of {}, which holds rows: a newer catalog is missing",
            disk.display(&collection_dir(*id))
        );
        return Err(Error::Damaged {
            file: disk.display(CATALOG_DIR),
            what,
        });
    }
    for id in strays {
        let dir = collection_dir(id);
        // What is no directory is not ours, whatever its name.
        if disk.list(&dir).is_ok() {
            disk.remove_dir_all(&dir)?;
        }
    }
    disk.remove_dir_all(TEMP_DIR)?;
    vdb_vfs::replace::remove_temps(&**disk, CATALOG_DIR)?;
    Ok(())
}

/// The names in a directory; none where it is missing.
pub(crate) fn list(disk: &DynDisk, dir: &str) -> Result<Vec<String>> {
    match disk.list(dir) {
        Err(vdb_vfs::Error::NotFound { .. }) => Ok(Vec::new()),
        names => Ok(names?),
    }
}

/// The collections that have a directory.
pub(crate) fn collection_ids(disk: &DynDisk) -> Result<Vec<u32>> {
    let names = list(disk, COLLECTIONS_DIR)?;
    Ok(names.iter().filter_map(|name| collection_of(name)).collect())
}

/// The length of a file; 0 where it cannot be opened: a writer may have let go of it meanwhile.
pub(crate) fn len_of(disk: &DynDisk, path: &str) -> u64 {
    disk.open(path, false).and_then(|file| file.len()).unwrap_or(0)
}

/// Whether the directory of a collection has segments that count, as far as can be told.
pub(crate) fn holds_rows(disk: &DynDisk, id: u32) -> bool {
    let dir = collection_dir(id);
    match ManifestStore::<CollectionManifest>::new(disk.clone(), dir.clone()).load() {
        Ok(manifest) => manifest.is_some_and(|manifest| !manifest.segments.is_empty()),
        Err(_) => disk
            .list(&dir)
            .is_ok_and(|names| names.iter().any(|name| SegmentFile::parse(name).is_some())),
    }
}

/// The process id in the lock file: who has the database open, or died without closing it.
pub(crate) fn holder(disk: &DynDisk) -> Option<u32> {
    let file = disk.open(LOCK_FILE, false).ok()?;
    let mut text = [0; MAX_TEXT];
    let read = file.read_at(&mut text, 0).ok()?;
    Holder::parse(text.get(..read)?).map(|holder| holder.pid)
}
