//! Where things lie below a database's directory.

use vdb_storage::manifest::{CollectionManifest, generation_of};
use vdb_vfs::path;

/// Directory of the log, below the database's.
pub(crate) const LOG_DIR: &str = "wal";
/// Directory of the catalog, below the database's.
pub(crate) const CATALOG_DIR: &str = "catalog";
/// The lock file of the database.
pub(crate) const LOCK_FILE: &str = "lock";
/// Directory of the collections, below the database's.
pub(crate) const COLLECTIONS_DIR: &str = "collections";
/// Directory of snapshots and restorations under way, below the database's. Removed at every opening.
pub(crate) const TEMP_DIR: &str = "tmp";

/// The directory of a collection.
pub(crate) fn collection_dir(id: u32) -> String {
    format!("{COLLECTIONS_DIR}/{id:08x}")
}

/// The collection whose directory has this name.
pub(crate) fn collection_of(name: &str) -> Option<u32> {
    let id = u32::from_str_radix(name, 16).ok()?;
    (collection_dir(id) == path::join(COLLECTIONS_DIR, name)).then_some(id)
}

/// The path of a file of a collection.
pub(crate) fn file_path(collection: u32, name: &str) -> String {
    path::join(&collection_dir(collection), name)
}

/// Whether a name in the directory of a collection is that of a manifest that may count.
pub(crate) fn is_manifest(name: &str) -> bool {
    generation_of::<CollectionManifest>(name).is_some()
}
