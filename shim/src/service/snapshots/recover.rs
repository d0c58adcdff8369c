//! Collections from snapshots.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::TempDir;
use vdb::{Control, RestoreMode};

use super::fetch::{Fetched, fetch};
use super::location::{self, Source, local};
use super::partial::ShardManifest;
use super::room::Room;
use super::{Scope, checksum, failed, place, without_place};
use crate::service::error::{ErrorKind, Result, ServiceError};
use crate::service::{Inner, Service, check_name};

/// A snapshot to make a collection of.
#[derive(Debug)]
pub enum Recovery {
    /// One that lies somewhere.
    Location(Location),
    /// A file that a client has sent.
    Received(Incoming),
    /// What another server has of a shard, unless that is what this manifest says.
    Peer(Location, ShardManifest),
}

/// Where a snapshot lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// A URL: that of a file in the directory of snapshots, or one of `http` or `https`. Where that of a shard is asked for, the
    /// name of one of its snapshots will do.
    pub url: String,
    /// The key that another server is shown.
    pub api_key: Option<String>,
    /// It is that of the shard.
    pub shard: bool,
}

/// A place for a file on its way in, removed with it when this is dropped: not before a recovery from it has ended, whoever
/// waits for that.
#[derive(Debug)]
pub struct Incoming(TempDir);

impl Incoming {
    /// A new one, on the file system of the snapshots.
    pub(super) fn new(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root).map_err(|error| failed("making", root, &error))?;
        tempfile::Builder::new()
            .prefix(place::INCOMING)
            .tempdir_in(root)
            .map(Incoming)
            .map_err(|error| failed("writing to", root, &error))
    }

    /// Watches how much the file leaves free.
    pub fn room(&self) -> Room {
        Room::new(self.0.path())
    }

    /// Where the file is to be.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("snapshot.tar")
    }
}

/// Refuses what is no checksum.
///
/// # Errors
/// When there is one and it is not well-formed.
pub fn check_checksum(text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if !checksum::is_wellformed(text) => Err(ServiceError::validation(
            "checksum",
            "must be a SHA-256 checksum in hexadecimal",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Refuses what no collection can be made of, before anybody looks for it.
///
/// # Errors
/// When nothing can have the name, the checksum is not well-formed, or the location is none that a snapshot can have.
pub fn check_recovery(collection: &str, from: &Recovery, checksum: Option<&str>) -> Result<()> {
    check_name(collection)?;
    check_checksum(checksum)?;
    match from {
        Recovery::Location(from) => location::check(&from.url, from.shard),
        Recovery::Received(_) | Recovery::Peer(..) => Ok(()),
    }
}

impl Location {
    /// Where another server that is at `url` tells of a shard of a collection.
    ///
    /// # Errors
    /// When the URL is none that calls can be sent to.
    pub fn of_peer(url: &str, api_key: Option<String>, collection: &str, shard: u32) -> Result<Location> {
        if Source::parse(url).is_none() || url.contains(['?', '#']) {
            return Err(ServiceError::bad_request(
                "the URL of the other server must be of http or https, and end with its path",
            ));
        }
        let base = url.trim_end_matches('/');
        let name = utf8_percent_encode(collection, NON_ALPHANUMERIC);
        Ok(Location {
            url: format!("{base}/collections/{name}/shards/{shard}/snapshot/partial/create"),
            api_key,
            shard: true,
        })
    }
}

impl Service {
    /// Makes a collection of a snapshot, in place of one that has the name. `priority` of a request makes no difference: it
    /// says which of several copies counts.
    ///
    /// # Errors
    /// When the location is not one of our snapshots nor that of another server that gives it, when the file does not have the checksum that is given or is no
    /// sound snapshot of one collection. The collection is then as it was.
    pub async fn recover_snapshot(
        &self,
        collection: &str,
        from: Recovery,
        checksum: Option<String>,
    ) -> Result<bool> {
        check_recovery(collection, &from, checksum.as_deref())?;
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        let remote = match &from {
            Recovery::Location(location) | Recovery::Peer(location, _) => {
                Source::parse(&location.url).is_some()
            }
            Recovery::Received(_) => false,
        };
        let work = move || recover(&inner, &name, &from, checksum.as_deref());
        if remote {
            // Writes do not wait for servers elsewhere.
            self.inner.pool.transfer(work).await
        } else {
            self.inner.pool.write(work).await
        }
    }
}

fn recover(inner: &Inner, name: &str, from: &Recovery, expected: Option<&str>) -> Result<bool> {
    inner.quotas.admit()?;
    let asked = name;
    let name: &str = &inner.resolve(asked);
    // Nobody waits for a file to be told then.
    let _place = inner.place_for(name)?;
    let _under_way = inner.activities.recovering(name);
    let root = &inner.options.snapshots;
    // Kept until the collection is there.
    let mut fetched = None;
    let mut bring = |source: &Source, from: &Location, body: Option<&[u8]>| -> Result<Option<PathBuf>> {
        let incoming = fetched.insert(Incoming::new(root)?);
        let path = incoming.path();
        let key = from.api_key.as_deref();
        Ok(match fetch(source, key, body, &path, &mut incoming.room())? {
            Fetched::Whole => Some(path),
            Fetched::Unchanged => None,
        })
    };
    let path = match from {
        Recovery::Received(incoming) => Some(incoming.path()),
        Recovery::Location(location) => match Source::parse(&location.url) {
            Some(source) => bring(&source, location, None)?,
            None => {
                let of = name.to_owned();
                let of = if location.shard {
                    Scope::Shard(of)
                } else {
                    Scope::Collection(of)
                };
                Some(local(root, &of, &location.url)?)
            }
        },
        Recovery::Peer(location, manifest) => {
            let source = Source::parse(&location.url)
                .ok_or_else(|| ServiceError::bad_request("the other server has no URL of http or https"))?;
            let manifest = serde_json::to_vec(manifest)
                .map_err(|error| ServiceError::internal(format!("a manifest has no JSON: {error}")))?;
            bring(&source, location, Some(&manifest))?
        }
    };
    let Some(path) = path else {
        return Ok(true);
    };
    if let Some(expected) = expected {
        let found = checksum::compute(&path).map_err(|error| failed("reading", &path, &error))?;
        if !found.eq_ignore_ascii_case(expected) {
            return Err(ServiceError::new(
                ErrorKind::Checksum,
                format!("Snapshot checksum mismatch: expected {expected}, got {found}"),
            ));
        }
    }
    let info = vdb::snapshot_info(&path).map_err(|error| without_place(unusable(&error), &path))?;
    if info.is_database {
        return Err(ServiceError::bad_request(
            "this is a snapshot of all collections; recover from one of a single collection",
        ));
    }
    // An alias may have been given to another collection while the file came.
    let name: &str = &inner.resolve(asked);
    let _place = inner.place_for(name)?;
    let mode = if inner.database.exists(name) {
        RestoreMode::Replace
    } else {
        RestoreMode::New
    };
    inner
        .database
        .restore_collection(&path, name, mode, &Control::none())
        .map_err(|error| {
            let told = if error.is_damage() {
                unusable(&error)
            } else {
                error.into()
            };
            without_place(told, &path)
        })?;
    Ok(true)
}

fn unusable(error: &vdb::Error) -> ServiceError {
    ServiceError::bad_request(format!("the snapshot cannot be used: {error}"))
}
