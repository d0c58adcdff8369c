//! Where a snapshot is to be found: a file of ours, or a URL.

use std::path::{Path, PathBuf};

use super::Scope;
use super::place;
use crate::service::error::{Result, ServiceError};

/// A URL that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source(String);

impl Source {
    /// The URL, if it is one of `http` or `https`.
    pub(super) fn parse(location: &str) -> Option<Self> {
        let scheme = location.split_once("://")?.0;
        let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        known.then(|| Source(location.to_owned()))
    }

    pub(super) fn url(&self) -> &str {
        &self.0
    }
}

/// The file of a location, which must be in the directory of snapshots. That of a shard may be the name alone of one of its
/// own.
pub(super) fn local(root: &Path, of: &Scope, location: &str) -> Result<PathBuf> {
    if matches!(of, Scope::Shard(_)) && !location.contains([':', '/']) {
        return place::file(root, of, location);
    }
    let Some(rest) = location.strip_prefix("file://") else {
        let scheme = location.split_once(':').map_or("", |(scheme, _)| scheme);
        return Err(ServiceError::bad_request(format!(
            "Cannot recover from a location of scheme {scheme:?}: `file`, `http` and `https` are"
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
