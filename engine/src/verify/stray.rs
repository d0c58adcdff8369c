//! What lies in the directory and is named by no catalog and no manifest.

use std::collections::BTreeSet;

use vdb_storage::SegmentFile;
use vdb_storage::manifest::{Catalog, CollectionManifest, ManifestRecord};
use vdb_vfs::path;
use vdb_vfs::replace::TEMP_SUFFIX;

use super::audit::{Audit, Plan, RESTORE};
use super::report::Severity;
use crate::directory::{holds_rows, list};
use crate::error::Result;
use crate::layout::TEMP_DIR;
use crate::layout::{CATALOG_DIR, COLLECTIONS_DIR, LOCK_FILE, LOG_DIR, collection_dir, collection_of};

const REMOVED: &str = "the next opening removes it";
const FOREIGN: &str = "the database does not touch it; move it away if it is not yours";

impl Audit<'_> {
    fn stray(&mut self, dir: &str, name: &str, what: &str, advice: &str) {
        let file = self.disk.display(&path::join(dir, name));
        self.note(file, what.to_owned(), Severity::Leftover, advice);
    }

    /// Files in the directory of a collection.
    pub(super) fn strays_of_collection(&mut self, plan: &Plan) -> Result<()> {
        let named: BTreeSet<String> = plan
            .manifest
            .segments
            .iter()
            .flat_map(|s| s.files())
            .map(|file| file.to_string())
            .collect();
        let dir = &plan.place.dir;
        for name in list(&self.disk, dir)?
            .iter()
            .filter(|name| !named.contains(*name))
        {
            if SegmentFile::parse(name).is_some() {
                self.stray(dir, name, "no manifest names it", REMOVED);
            } else if name.ends_with(TEMP_SUFFIX) {
                self.stray(dir, name, "its writing was interrupted", REMOVED);
            } else if !is_generation::<CollectionManifest>(name) {
                self.stray(dir, name, "it is no file of a collection", FOREIGN);
            }
        }
        Ok(())
    }

    /// Files elsewhere; `names` are those at the top.
    pub(super) fn strays(&mut self, catalog: Option<&Catalog>, names: &[String]) -> Result<()> {
        for name in names {
            if name == TEMP_DIR {
                if !list(&self.disk, TEMP_DIR)?.is_empty() {
                    self.stray(
                        "",
                        name,
                        "a snapshot or a restoration is under way, or was interrupted",
                        REMOVED,
                    );
                }
            } else if ![CATALOG_DIR, COLLECTIONS_DIR, LOG_DIR, LOCK_FILE].contains(&name.as_str()) {
                self.stray("", name, "it is no part of the database", FOREIGN);
            }
        }
        for name in list(&self.disk, CATALOG_DIR)? {
            if name.ends_with(TEMP_SUFFIX) {
                self.stray(CATALOG_DIR, &name, "its writing was interrupted", REMOVED);
            } else if !is_generation::<Catalog>(&name) {
                self.stray(CATALOG_DIR, &name, "it is no part of the catalog", FOREIGN);
            }
        }
        if let Some(catalog) = catalog {
            let known: BTreeSet<u32> = catalog.collections.iter().map(|c| c.id).collect();
            for name in list(&self.disk, COLLECTIONS_DIR)? {
                let Some(id) = collection_of(&name) else {
                    let what = "it is no directory of a collection";
                    self.stray(COLLECTIONS_DIR, &name, what, FOREIGN);
                    continue;
                };
                if known.contains(&id) {
                    continue;
                }
                if id >= catalog.next_collection_id && holds_rows(&self.disk, id) {
                    let file = self.disk.display(&collection_dir(id));
                    let what =
                        "it holds rows, and the catalog knows nothing of it: a newer catalog is missing";
                    self.note(file, what.to_owned(), Severity::Primary, RESTORE);
                } else {
                    self.stray(COLLECTIONS_DIR, &name, "the catalog does not name it", REMOVED);
                }
            }
        }
        Ok(())
    }
}

/// Whether a name may be that of a manifest. The store alone knows the full form.
fn is_generation<T: ManifestRecord>(name: &str) -> bool {
    name.strip_prefix(T::STEM)
        .is_some_and(|rest| rest.starts_with('-'))
        && !name.ends_with(TEMP_SUFFIX)
}
