//! Files of snapshots: made, listed, fetched, removed, and recovered from.
//!
//! A snapshot is the engine's tar file of a collection, or of all of them. It lies in a directory of the collection below that
//! of the service, with its SHA-256 beside it.
//!
//! | file | what |
//! |---|---|
//! | `activity.rs` | how many are being made and recovered from |
//! | `place.rs` | which directory and which file; names of users never lead elsewhere |
//! | `checksum.rs` | the SHA-256 of a file, and where it is kept |
//! | `location.rs`, `fetch.rs` | where a snapshot is to be found; those on other servers |
//! | `room.rs` | room for files on their way in |
//! | `partial.rs` | what one node has of a shard, to be compared with what another has |
//! | `recover.rs` | collections from snapshots |

mod activity;
mod checksum;
mod fetch;
mod location;
mod partial;
mod place;
mod recover;
mod room;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{ErrorKind, Result, ServiceError};
use super::{Inner, Service, check_name};

pub(super) use activity::Activities;
pub use activity::SnapshotActivity;
pub use partial::{PartVersion, ShardManifest};
pub(super) use place::Names;
pub use recover::{Incoming, Location, Recovery, check_checksum, check_recovery};
pub use room::Room;

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All collections.
    Full,
    /// One, by its own name.
    Collection(String),
    /// Its only shard.
    Shard(String),
}

impl Scope {
    /// The collection that it is of, if it is one.
    fn collection(&self) -> Option<&str> {
        match self {
            Scope::Full => None,
            Scope::Collection(name) | Scope::Shard(name) => Some(name),
        }
    }
}

/// A snapshot as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotDescription {
    /// The name of its file.
    pub name: String,
    /// When it was made, in UTC.
    pub creation_time: Option<String>,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub checksum: Option<String>,
}

/// A file to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
}

/// Whose snapshots a call is about: those of everything, of a collection, or of its only shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotsOf<'a> {
    /// All collections together.
    Everything,
    /// A collection, by name or alias.
    Collection(&'a str),
    /// The shard of a collection; there is only that of the number 0.
    Shard(&'a str, u32),
}

impl Service {
    /// Takes a snapshot, of a moment between two writes, while reads and writes go on. Without `wait` it is taken in the
    /// background, and the answer is `None`.
    ///
    /// # Errors
    /// When there is no such collection or shard, or the disk fails.
    pub async fn create_snapshot(
        &self,
        of: SnapshotsOf<'_>,
        wait: bool,
    ) -> Result<Option<SnapshotDescription>> {
        let scope = self.scope(of).await?;
        let service = self.clone();
        let work = async move { service.to_the_end(move |inner| create(inner, &scope)).await };
        if wait {
            return work.await.map(Some);
        }
        // Whoever does not wait is not told how it ends: the list of snapshots is, and the log.
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(%error, "taking a snapshot");
            }
        });
        Ok(None)
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// When there is no such collection or shard, or the disk fails.
    pub async fn list_snapshots(&self, of: SnapshotsOf<'_>) -> Result<Vec<SnapshotDescription>> {
        let scope = self.scope(of).await?;
        self.to_the_end(move |inner| list(&place::directory(&inner.options.snapshots, &scope)))
            .await
    }

    /// Removes one.
    ///
    /// # Errors
    /// When there is none of that name, or the disk fails.
    pub async fn delete_snapshot(&self, of: SnapshotsOf<'_>, name: &str) -> Result<bool> {
        let (scope, name) = (self.scope(of).await?, name.to_owned());
        self.to_the_end(move |inner| {
            let path = place::file(&inner.options.snapshots, &scope, &name)?;
            fs::remove_file(&path).map_err(|error| failed("removing", &path, &error))?;
            checksum::forget(&path);
            Ok(true)
        })
        .await
    }

    /// The file of one.
    ///
    /// # Errors
    /// When there is none of that name.
    pub async fn snapshot_file(&self, of: SnapshotsOf<'_>, name: &str) -> Result<SnapshotFile> {
        let (scope, name) = (self.scope(of).await?, name.to_owned());
        self.to_the_end(move |inner| {
            let path = place::file(&inner.options.snapshots, &scope, &name)?;
            let size = fs::metadata(&path)
                .map_err(|error| failed("reading", &path, &error))?
                .len();
            Ok(SnapshotFile { path, name, size })
        })
        .await
    }

    /// Takes a snapshot that is to be sent and not kept: it is gone when what is returned is dropped.
    ///
    /// # Errors
    /// When there is no such collection or shard, or the disk fails.
    pub async fn passing_snapshot(&self, of: SnapshotsOf<'_>) -> Result<(Incoming, SnapshotFile)> {
        let scope = self.scope(of).await?;
        self.to_the_end(move |inner| {
            let passing = Incoming::new(&inner.options.snapshots)?;
            let path = passing.path();
            write(inner, &scope, &path)?;
            let size = fs::metadata(&path)
                .map_err(|error| failed("reading", &path, &error))?
                .len();
            let name = place::name(&scope, inner.peer, jiff::Timestamp::now());
            Ok((passing, SnapshotFile { path, name, size }))
        })
        .await
    }

    /// A directory for files that are on their way in, on the file system of the snapshots.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn incoming(&self) -> Result<Incoming> {
        self.to_the_end(|inner| Incoming::new(&inner.options.snapshots))
            .await
    }

    async fn scope(&self, of: SnapshotsOf<'_>) -> Result<Scope> {
        let (name, scope): (&str, fn(String) -> Scope) = match of {
            SnapshotsOf::Everything => return Ok(Scope::Full),
            SnapshotsOf::Collection(name) => (name, Scope::Collection),
            SnapshotsOf::Shard(name, 0) => (name, Scope::Shard),
            SnapshotsOf::Shard(_, shard) => {
                return Err(ServiceError::not_found(format!("Shard {shard} not found")));
            }
        };
        check_name(name)?;
        let name = name.to_owned();
        self.about_all(move |inner| {
            if !inner.database.exists(&name) {
                return Err(ServiceError::no_collection(&name));
            }
            Ok(scope(inner.resolve(&name)))
        })
        .await
    }
}

fn create(inner: &Inner, scope: &Scope) -> Result<SnapshotDescription> {
    let _under_way = inner.activities.creating(scope);
    let directory = place::directory(&inner.options.snapshots, scope);
    fs::create_dir_all(&directory).map_err(|error| failed("making", &directory, &error))?;
    let reserved = inner
        .names
        .reserve(&directory, scope, inner.peer, jiff::Timestamp::now());
    let path = reserved.path();
    write(inner, scope, path)?;
    // A snapshot without its checksum is as good: it is made when it is asked for.
    checksum::keep(path);
    inner.activities.created(scope);
    describe(path)
}

/// Writes the snapshot of something to a file.
fn write(inner: &Inner, scope: &Scope, path: &Path) -> Result<()> {
    let control = vdb::Control::none();
    let written = match scope {
        Scope::Full => inner.database.snapshot_to_tar(path, &control),
        Scope::Collection(name) | Scope::Shard(name) => {
            inner.collection(name)?.snapshot_to_tar(path, &control)
        }
    };
    written
        .map(drop)
        .map_err(|error| without_place(error.into(), path))
}

fn list(directory: &Path) -> Result<Vec<SnapshotDescription>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("listing", directory, &error)),
    };
    let mut snapshots = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| failed("listing", directory, &error))?
            .path();
        if place::is_snapshot(&path) {
            snapshots.push(describe(&path)?);
        }
    }
    snapshots.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(snapshots)
}

fn describe(path: &Path) -> Result<SnapshotDescription> {
    let metadata = fs::metadata(path).map_err(|error| failed("reading", path, &error))?;
    let modified = metadata.modified().ok();
    let time = modified.and_then(|time| jiff::Timestamp::try_from(time).ok());
    Ok(SnapshotDescription {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        creation_time: time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S").to_string()),
        size: metadata.len(),
        checksum: checksum::of(path),
    })
}

/// Removes what files on their way in have left behind in this directory of snapshots when their process was killed. For the
/// one that has its database to itself, before it serves it.
///
/// # Errors
/// When the directory cannot be listed, or something in it cannot be removed.
pub fn sweep_snapshots(root: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let left = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(place::INCOMING.as_bytes());
        if left && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The same error about a file by its name alone: where on the server it lies is no business of clients.
fn without_place(mut error: ServiceError, path: &Path) -> ServiceError {
    let directory = path.parent().unwrap_or(path);
    // The engine tells it as it was given, from the root on, or without links.
    let spelled = [
        directory.canonicalize(),
        std::path::absolute(directory),
        Ok(directory.to_owned()),
    ];
    for directory in spelled.into_iter().flatten() {
        let inside = directory.join("").display().to_string();
        if !inside.is_empty() {
            error.message = error.message.replace(&inside, "");
        }
    }
    error
}

/// The error of a failed call on a file of snapshots.
fn failed(doing: &str, path: &Path, error: &io::Error) -> ServiceError {
    let kind = if error.kind() == io::ErrorKind::StorageFull {
        ErrorKind::OutOfStorage
    } else if error.kind() == io::ErrorKind::NotFound {
        ErrorKind::NotFound
    } else {
        ErrorKind::Internal
    };
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let told = ServiceError::new(kind, format!("{doing} {file} of the snapshots: {error}"));
    without_place(told, path)
}

#[cfg(test)]
mod tests;
