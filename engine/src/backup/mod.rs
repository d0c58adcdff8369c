//! How is a consistent copy taken while writes go on, and how does it come back?
//!
//! ```text
//! snapshot: freeze memtables -> flush -> link files into tmp/ -> check and copy each -> index -> rename
//! restore:  index -> names and lengths -> copy into tmp/ -> check everything -> one swap of the catalog
//! ```
//!
//! A snapshot is a directory, or a tar file of the same contents: an index, and for each collection a manifest of
//! its own and the files that it names. It knows nothing of the log, and any database can take it in.
//!
//! Nothing that comes from a snapshot is believed. Paths are compared with those that its index allows, never
//! used; lengths are bounded by the index before a byte is copied; and only when every file has passed the checks
//! of [`verify`](crate::verify()) does anything of the database change.
//!
//! | file | what |
//! |---|---|
//! | `format.rs` | the index, and what a snapshot consists of |
//! | `save.rs` | pinned files are checked and copied |
//! | `target.rs` | a directory or a tar file that is being written |
//! | `source.rs` | a directory or a tar file that is being read |
//! | `check.rs` | a snapshot is read where it lies |
//! | `restore.rs` | unpacking and checking |
//! | `install.rs` | unpacked collections enter the catalog |

mod check;
mod format;
mod install;
mod restore;
mod save;
mod source;
mod target;
#[cfg(test)]
mod tests;

use std::path::Path;

use vdb_index::Control;

use self::target::Kind;
use crate::collection::Collection;
use crate::db::Database;
use crate::error::{Error, Result};
use crate::shared::Shared;
use crate::verify::VerifyReport;

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotInfo {
    /// It was taken of a whole database, and can be restored as one.
    pub is_database: bool,
    /// When it was taken: milliseconds since 1970, UTC.
    pub created_unix_ms: u64,
    /// The version of this library that took it.
    pub software: String,
    /// The collections, in the order they were created.
    pub collections: Vec<SnapshotCollection>,
}

/// A collection in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotCollection {
    /// Its name when the snapshot was taken.
    pub name: String,
    /// Its aliases when the snapshot was taken.
    pub aliases: Vec<String>,
    /// Its points.
    pub points: u64,
    /// Its files.
    pub files: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

/// What happens where something of that name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreMode {
    /// It is an error.
    New,
    /// A collection is replaced, in one step, and its aliases follow. An alias is pointed to what is restored.
    Replace,
}

/// Reads what a snapshot says of itself; its files are checked when it is restored.
///
/// # Errors
/// When `source` is not a snapshot, or its index is damaged.
pub fn snapshot_info(source: impl AsRef<Path>) -> Result<SnapshotInfo> {
    Ok(source::Source::open(source.as_ref())?.read_index()?.info())
}

/// Reads all of a snapshot, a directory or a tar file, and says what is wrong with it. Nothing is unpacked.
///
/// Every byte is compared with its checksum; what the bytes mean is checked when the snapshot is restored. Rows in
/// the report are points. `control` is told bytes.
///
/// # Errors
/// When nothing is there, and [`Error::Cancelled`]. Damage is in the report.
pub fn verify_snapshot(source: impl AsRef<Path>, control: &Control<'_>) -> Result<VerifyReport> {
    check::check(source.as_ref(), control)
}

const RESTORING: &str = "restoring a snapshot";

fn snapshot(
    shared: &Shared,
    collection: Option<u32>,
    path: &Path,
    kind: Kind,
    control: &Control<'_>,
) -> Result<SnapshotInfo> {
    let outcome = save::save(shared, collection, path, kind, control);
    Error::by(outcome, control, "taking a snapshot")
}

impl Collection {
    /// Copies the collection, as it is now, into a new directory, while reads and writes go on.
    ///
    /// Every file is checked before it is copied. Damaged graphs and payload indexes are left out, since they are
    /// built again after restoring; other damage is an error. The directory gets its name when all of it is on
    /// the medium; until then it has the suffix `.partial`. `control` is told bytes.
    ///
    /// ```
    /// use vdb::{CollectionConfig, Control, Database, Distance, Point, RestoreMode, VectorParams};
    ///
    /// let dir = tempfile::tempdir().unwrap();
    /// let db = Database::open(dir.path().join("db"))?;
    /// let words = db.create_collection("words", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
    /// words.upsert(vec![Point::new(1, [1.0, 0.0])])?;
    /// let backup = dir.path().join("backup");
    /// words.snapshot_to_dir(&backup, &Control::none())?;
    /// let copy = db.restore_collection(&backup, "copy", RestoreMode::New, &Control::none())?;
    /// assert_eq!(copy.count(None)?, 1);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// When `path` exists, lies in the database or has no parent directory; when primary data is damaged; when a
    /// disk fails; and [`Error::Cancelled`] or [`Error::Timeout`]. What was written is then removed.
    pub fn snapshot_to_dir(&self, path: impl AsRef<Path>, control: &Control<'_>) -> Result<SnapshotInfo> {
        snapshot(
            self.shared(),
            Some(self.core().id),
            path.as_ref(),
            Kind::Dir,
            control,
        )
    }

    /// As [`snapshot_to_dir`](Self::snapshot_to_dir), into one tar file, which any `tar` can list and extract.
    ///
    /// # Errors
    /// As [`snapshot_to_dir`](Self::snapshot_to_dir).
    pub fn snapshot_to_tar(&self, path: impl AsRef<Path>, control: &Control<'_>) -> Result<SnapshotInfo> {
        snapshot(
            self.shared(),
            Some(self.core().id),
            path.as_ref(),
            Kind::Tar,
            control,
        )
    }
}

impl Database {
    /// Copies all collections, as they are at one moment, into a new directory, while reads and writes go on: of a
    /// [`WriteBatch`](crate::WriteBatch) over several collections all is in it, or nothing.
    ///
    /// See [`Collection::snapshot_to_dir`] for the rest. It is taken by the process that has the database open for writing:
    /// what is in memory becomes segments first.
    ///
    /// # Errors
    /// As [`Collection::snapshot_to_dir`]; [`Error::ReadOnly`] where the database is open for reading only; also when a
    /// collection cannot be opened.
    pub fn snapshot_to_dir(&self, path: impl AsRef<Path>, control: &Control<'_>) -> Result<SnapshotInfo> {
        snapshot(self.shared(), None, path.as_ref(), Kind::Dir, control)
    }

    /// As [`snapshot_to_dir`](Self::snapshot_to_dir), into one tar file, which any `tar` can list and extract.
    ///
    /// # Errors
    /// As [`snapshot_to_dir`](Self::snapshot_to_dir).
    pub fn snapshot_to_tar(&self, path: impl AsRef<Path>, control: &Control<'_>) -> Result<SnapshotInfo> {
        snapshot(self.shared(), None, path.as_ref(), Kind::Tar, control)
    }

    /// Makes a collection of a snapshot, which is a directory or a tar file. Of a snapshot of a whole database,
    /// the collection of that name is taken.
    ///
    /// Everything is read and checked before anything of the database changes. Points keep their versions, and
    /// the next operation gets a greater number than all of the snapshot and of a collection that is replaced.
    /// Handles to a replaced collection find it dropped. `control` is told bytes.
    ///
    /// # Errors
    /// When the name is taken (with [`RestoreMode::New`]) or not allowed, when the source is not a snapshot or
    /// damaged in any way, when a disk fails, and [`Error::Cancelled`] or [`Error::Timeout`]. The database is
    /// then as it was.
    pub fn restore_collection(
        &self,
        source: impl AsRef<Path>,
        name: &str,
        mode: RestoreMode,
        control: &Control<'_>,
    ) -> Result<Collection> {
        let core = restore::restore_one(self.shared(), source.as_ref(), name, mode, control);
        let core = Error::by(core, control, RESTORING)?;
        Ok(Collection::new(self.handle.clone(), core, name))
    }

    /// Takes in all collections of a snapshot under their names, with their aliases, in one step: after a crash
    /// all of them are there or none. Collections and aliases that the snapshot does not have stay. Returns the
    /// names of the collections.
    ///
    /// See [`restore_collection`](Self::restore_collection) for the rest.
    ///
    /// # Errors
    /// As [`restore_collection`](Self::restore_collection), when any of the names is taken. With
    /// [`RestoreMode::Replace`] too, a collection does not replace an alias, nor an alias a collection.
    pub fn restore_all(
        &self,
        source: impl AsRef<Path>,
        mode: RestoreMode,
        control: &Control<'_>,
    ) -> Result<Vec<String>> {
        let outcome = restore::restore_all(self.shared(), source.as_ref(), mode, control);
        Error::by(outcome, control, RESTORING)
    }
}
