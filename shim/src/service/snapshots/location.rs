//! Where a snapshot is to be found: a file of ours, or a URL.

use std::path::{Path, PathBuf};

use super::Scope;
use super::place;
use crate::service::error::{Result, ServiceError};

/// A URL that is fetched. It may have secrets in it: see [`Source::shown`].
#[derive(Clone, PartialEq, Eq)]
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

    /// The URL as it may be told: without what may be secret of it, a name and a password and what is asked for behind the path.
    pub(super) fn shown(&self) -> String {
        let url = self.0.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}{path}")
    }
}

/// Refuses what is neither a URL that can be fetched nor that of a file, before anybody looks for it. The snapshot of a shard may be
/// the name alone of one of its own.
pub(super) fn check(location: &str, is_of_shard: bool) -> Result<()> {
    if Source::parse(location).is_some() || (is_of_shard && is_name(location)) {
        return Ok(());
    }
    path_of(location).map(drop)
}

fn is_name(location: &str) -> bool {
    !location.is_empty() && !location.contains([':', '/'])
}

/// The path in the URL of a file.
fn path_of(location: &str) -> Result<PathBuf> {
    let Some(rest) = location.strip_prefix("file://") else {
        let text = match location.split_once(':') {
            Some((scheme, _)) => {
                let scheme: String = scheme.chars().take(32).collect();
                format!("URL with scheme {scheme} is not supported: `file`, `http` and `https` are")
            }
            None => "The location is no URL: use file:///path/of/the/file, http:// or https://".to_owned(),
        };
        return Err(ServiceError::bad_request(text));
    };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(ServiceError::bad_request(
            "Invalid snapshot URI, file path must be absolute or on localhost",
        ));
    }
    percent_decoded(path).map(PathBuf::from)
}

/// The file of a location, which must be in the directory of snapshots. That of a shard may be the name alone of one of its
/// own.
pub(super) fn local(root: &Path, of: &Scope, location: &str) -> Result<PathBuf> {
    if matches!(of, Scope::Shard(_)) && is_name(location) {
        return place::file(root, of, location);
    }
    let path = path_of(location)?;
    let outside = || {
        ServiceError::forbidden(format!(
            "Snapshot file {path:?} is not in the directory of snapshots"
        ))
    };
    let missing = || ServiceError::bad_request(format!("Snapshot file {path:?} does not exist"));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        for (url, shown) in [
            ("http://a/b.snapshot", "http://a/b.snapshot"),
            ("https://u:p@w@a:1/b?sig=secret&x=/y@z", "https://a:1/b"),
            ("https://u:p@a?sig=secret", "https://a"),
            ("https://a#secret", "https://a"),
        ] {
            assert_eq!(Source::parse(url).unwrap().shown(), shown);
        }
    }
}
