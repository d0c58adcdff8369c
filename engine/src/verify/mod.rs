//! Is everything on the disk what was written, and if not, what is lost and what helps?
//!
//! ```text
//! catalog -> manifests -> files of segments -> log -> what nobody names
//! ```
//!
//! Every byte of every file is read and compared with its checksum; then ids, payloads, tombstones, graphs and
//! postings are looked at for their meaning, and files for being the ones that the manifest names. Bytes are read
//! before a mapping of them is touched, so that a sector that cannot be read is a problem in the report and not
//! the end of the process.
//!
//! | file | what |
//! |---|---|
//! | `report.rs` | what was found |
//! | `files.rs` | one file of a segment; restoring a snapshot goes through it too |
//! | `audit.rs` | collects problems and counts bytes, collection by collection |
//! | `log.rs` | the log, against the manifests |
//! | `stray.rs` | what no manifest names |
//! | `mod.rs` | a directory as it lies; an open database |

mod audit;
pub(crate) mod files;
mod log;
mod report;
mod stray;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::manifest::{Catalog, ManifestStore};
use vdb_storage::{Component, SegmentFile};
use vdb_vfs::{DynDisk, OsDisk};

pub use self::report::{Problem, Severity, VerifyReport};

use self::audit::{Audit, Place};
use crate::core::Core;
use crate::db::Database;
use crate::directory;
use crate::error::{Error, Result};
use crate::layout::{CATALOG_DIR, collection_dir};
use crate::pin;
use crate::shared::Shared;

/// Reads all of the database in a directory, as it lies, and says what is wrong with it.
///
/// Nothing is recovered first and nothing is modified, so a database that does not open can be looked at, and one
/// on a read-only medium. The lock is not taken: where [`VerifyReport::holder`] names a process, that process has
/// the database open (or died without closing it). A collection that changes meanwhile is looked at again, but
/// while somebody writes, [`Database::verify`] by the process that has it open is the better judge.
///
/// `control` is told bytes, file by file.
///
/// # Errors
/// When the directory is not there or not a database, and [`Error::Cancelled`]. Damage is in the report.
///
/// ```
/// use vdb::{Control, Database, verify};
///
/// let dir = tempfile::tempdir().unwrap();
/// Database::open(dir.path())?.close()?;
/// let report = verify(dir.path(), &Control::none())?;
/// report.problems.iter().for_each(|problem| println!("{problem}"));
/// assert!(report.is_sound());
/// # Ok::<_, vdb::Error>(())
/// ```
pub fn verify(path: impl AsRef<Path>, control: &Control<'_>) -> Result<VerifyReport> {
    verify_disk(Arc::new(OsDisk::open(path, false)?), control)
}

/// As [`verify`], on any disk.
///
/// # Errors
/// As [`verify`].
pub fn verify_disk(disk: DynDisk, control: &Control<'_>) -> Result<VerifyReport> {
    let names = disk.list("")?;
    if !names.iter().any(|name| name == CATALOG_DIR) {
        let why = format!("it has no {CATALOG_DIR:?}");
        return Err(Error::NotADatabase {
            path: disk.display(""),
            why,
        });
    }
    let mut audit = Audit::new(disk.clone(), control);
    audit.report.holder = directory::holder(&disk);
    let catalog = audit.catalog()?;
    let ids = match &catalog {
        Some(catalog) => catalog.collections.iter().map(|c| c.id).collect(),
        // Without a catalog every directory may be a collection.
        None => directory::collection_ids(&disk)?,
    };
    let mut plans = Vec::with_capacity(ids.len());
    for id in ids {
        let name = catalog.as_ref().and_then(|catalog| name_of(catalog, id));
        plans.extend(audit.plan(id, name, Place::real(&disk, &collection_dir(id)))?);
    }
    audit.expect_log()?;
    for plan in &plans {
        audit.expect_segments(&plan.manifest);
    }
    for plan in &mut plans {
        audit.collection(plan)?;
        audit.strays_of_collection(plan)?;
    }
    audit.log(catalog.as_ref(), &plans, false)?;
    audit.strays(catalog.as_ref(), &names)?;
    Ok(audit.finish())
}

/// What users call a collection.
fn name_of(catalog: &Catalog, id: u32) -> Option<String> {
    catalog
        .collections
        .iter()
        .find(|c| c.id == id)
        .map(|c| c.name.clone())
}

impl Database {
    /// Reads all of the database and says what is wrong with it, while reads and writes go on.
    ///
    /// A damaged graph or payload index that is found here is not used any more, and is built again in the
    /// background. Files that no manifest names are not reported: jobs under way are writing some. See also
    /// [`verify`](crate::verify()), for a database that is not open.
    ///
    /// `control` is told bytes, file by file.
    ///
    /// # Errors
    /// [`Error::Cancelled`], and when files cannot be linked or listed. Damage is in the report.
    pub fn verify(&self, control: &Control<'_>) -> Result<VerifyReport> {
        self.shared().verify(control)
    }
}

impl Shared {
    fn verify(&self, control: &Control<'_>) -> Result<VerifyReport> {
        self.check_open()?;
        if self.follower().is_some() {
            return verify_disk(self.disk.clone(), control);
        }
        let mut audit = Audit::new(self.disk.clone(), control);
        audit.report.holder = Some(std::process::id());
        let catalog = {
            let held = self.catalog.lock();
            audit.catalog()?;
            held.clone()
        };
        audit.expect_log()?;
        for core in self.open_cores() {
            audit.expect_segments(&core.manifest.lock());
        }
        let mut plans = Vec::with_capacity(catalog.collections.len());
        for entry in &catalog.collections {
            // Not open means that nobody changes its files, or that they are too damaged for that.
            let pinned = {
                let catalog = self.catalog.lock();
                if catalog.collections.iter().all(|c| c.id != entry.id) {
                    continue;
                }
                match self.core_by_id(entry.id) {
                    Ok(core) => Some((pin::link_for_reading(self, &core)?, core)),
                    Err(Error::Closed) => return Err(Error::Closed),
                    Err(_) => None,
                }
            };
            let real = collection_dir(entry.id);
            let place = match &pinned {
                Some((staging, _)) => Place::linked(&self.disk, staging.dir(), &real),
                None => Place::real(&self.disk, &real),
            };
            let Some(mut plan) = audit.plan(entry.id, Some(entry.name.clone()), place)? else {
                continue;
            };
            let damaged = audit.collection(&mut plan)?;
            if let Some((_, core)) = &pinned {
                self.stop_using(core, &damaged);
            }
            plans.push(plan);
        }
        audit.log(Some(&catalog), &plans, true)?;
        Ok(audit.finish())
    }

    /// Keeps searches from derived files that are damaged, and has them built again.
    fn stop_using(&self, core: &Core, damaged: &[SegmentFile]) {
        let tables = core.tables();
        for file in damaged {
            let Some(segment) = tables.segment(file.segment) else {
                continue;
            };
            match file.component {
                Component::Graph(slot) | Component::SparseIndex(slot) => {
                    segment.set_derived_damaged(usize::from(slot));
                }
                Component::Partitions(slot) => {
                    if let Some(vectors) = segment.vectors(usize::from(slot)) {
                        vectors.set_partitions_damaged();
                    }
                }
                Component::PayloadIndex(_) => segment.set_index_damaged(),
                Component::Points
                | Component::Payload
                | Component::Tombstones
                | Component::Vectors(_)
                | Component::Sparse(_)
                | Component::Multi(_) => {}
            }
        }
        if !damaged.is_empty() {
            self.optimizer.wake();
        }
    }
}

/// The manifests of the catalog.
fn catalog_store(disk: &DynDisk) -> ManifestStore<Catalog> {
    ManifestStore::new(disk.clone(), CATALOG_DIR)
}
