//! Collections from snapshots.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vdb::{Control, RestoreMode};

use super::{checksum, failed};
use crate::service::error::{ErrorKind, Result, ServiceError};
use crate::service::{Inner, Service, check_name};

/// A snapshot to make a collection of.
#[derive(Debug)]
pub enum Recovery {
    /// A URL: that of a file in the directory of snapshots.
    Location(String),
    /// A file that a client has sent.
    Received(Incoming),
}

/// A place for a file on its way in, removed with it when this is dropped: not before a recovery from it has ended, whoever
/// waits for that.
#[derive(Debug)]
pub struct Incoming(pub(super) TempDir);

impl Incoming {
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

impl Service {
    /// Makes a collection of a snapshot, in place of one that has the name.
    ///
    /// # Errors
    /// When the location is not one of our snapshots, when the file does not have the checksum that is given or is no
    /// sound snapshot of one collection. The collection is then as it was.
    pub async fn recover_snapshot(
        &self,
        collection: &str,
        from: Recovery,
        checksum: Option<String>,
    ) -> Result<bool> {
        check_name(collection)?;
        check_checksum(checksum.as_deref())?;
        let name = collection.to_owned();
        self.to_the_end(move |inner| recover(inner, &name, &from, checksum.as_deref()))
            .await
    }
}

fn recover(inner: &Inner, name: &str, from: &Recovery, expected: Option<&str>) -> Result<bool> {
    inner.quotas.admit()?;
    let path = match from {
        Recovery::Received(incoming) => incoming.path(),
        Recovery::Location(location) => located(&inner.options.snapshots, location)?,
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
    let name = inner.resolve(name);
    let info = vdb::snapshot_info(&path).map_err(|error| unusable(&error))?;
    if info.is_database {
        return Err(ServiceError::bad_request(
            "this is a snapshot of all collections; recover from one of a single collection",
        ));
    }
    let mode = if inner.database.exists(&name) {
        RestoreMode::Replace
    } else {
        RestoreMode::New
    };
    inner
        .database
        .restore_collection(&path, &name, mode, &Control::none())
        .map_err(|error| {
            if error.is_damage() {
                unusable(&error)
            } else {
                error.into()
            }
        })?;
    Ok(true)
}

fn unusable(error: &vdb::Error) -> ServiceError {
    ServiceError::bad_request(format!("the snapshot cannot be used: {error}"))
}

/// The file of a location, which must be in the directory of snapshots.
fn located(root: &Path, location: &str) -> Result<PathBuf> {
    let Some(rest) = location.strip_prefix("file://") else {
        let scheme = location.split_once(':').map_or("", |(scheme, _)| scheme);
        return Err(ServiceError::bad_request(format!(
            "Cannot recover from a location of scheme {scheme:?}: only `file` is supported; upload the snapshot instead"
        )));
    };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(ServiceError::bad_request(
            "Invalid snapshot location: a `file` URL must have an absolute path and no host but localhost",
        ));
    }
    let path = PathBuf::from(percent_decoded(path)?);
    let outside = || {
        ServiceError::forbidden(format!(
            "Snapshot file {} is not in the directory of snapshots",
            path.display()
        ))
    };
    let missing = || ServiceError::bad_request(format!("Snapshot file {} does not exist", path.display()));
    let root = root.canonicalize().map_err(|_| missing())?;
    // What is outside is not told apart from what is not there: nobody learns what other files there are.
    let inside = path.starts_with(&root) && !path.components().any(|part| part.as_os_str() == "..");
    let Ok(real) = path.canonicalize() else {
        return Err(if inside { missing() } else { outside() });
    };
    if !real.starts_with(&root) {
        return Err(outside());
    }
    if !real.is_file() {
        return Err(missing());
    }
    Ok(real)
}

fn percent_decoded(text: &str) -> Result<String> {
    let invalid = || ServiceError::bad_request("Invalid snapshot location: a broken % sequence");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err(invalid());
        };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| invalid())?);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}
