//! Which directory and which file; names of users never lead elsewhere.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::Scope;
use crate::service::error::{Result, ServiceError};

/// What names of directories for incoming files begin with.
pub(super) const INCOMING: &str = ".incoming-";

/// What names of snapshots end with.
const SUFFIX: &str = ".snapshot";

/// Bytes of a collection's name that file systems take as part of a name, with what stands around it.
const NAME_BYTES: usize = 150;

/// The directory of the snapshots of something.
pub(super) fn directory(root: &Path, scope: &Scope) -> PathBuf {
    match scope {
        Scope::Full => root.to_owned(),
        Scope::Collection(name) => root.join(plain(name)),
        Scope::Shard(name) => root.join(plain(name)).join("shards").join("0"),
    }
}

/// The file of a snapshot that must exist.
pub(super) fn file(root: &Path, scope: &Scope, name: &str) -> Result<PathBuf> {
    let missing = || ServiceError::not_found(format!("Snapshot {name} not found"));
    let path = directory(root, scope).join(name);
    // One that is more than a name, or a link, is not of our making.
    let single = Path::new(name).components().count() == 1 && !name.contains(['/', '\\', '\0']);
    if !single || !is_snapshot(&path) {
        return Err(missing());
    }
    Ok(path)
}

/// Whether a path is that of a snapshot.
pub(super) fn is_snapshot(path: &Path) -> bool {
    let named = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.ends_with(SUFFIX) && name.len() > SUFFIX.len() && !name.starts_with('.'));
    named
        && path
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.file_type().is_file())
}

/// Names of snapshots that are being made. Their files come into being at the end: until then others must not take them.
#[derive(Debug, Default)]
pub(in crate::service) struct Names(Mutex<HashSet<PathBuf>>);

impl Names {
    /// A file that does not exist, named after the moment; where two are made in a second, the second one after the next.
    pub(super) fn reserve(&self, directory: &Path, scope: &Scope, peer: u64, now: Timestamp) -> Reserved<'_> {
        let mut seconds = now.as_second();
        loop {
            let at = Timestamp::from_second(seconds).unwrap_or(now);
            let path = directory.join(name(scope, peer, at));
            // Looked for under the lock: a file that is complete is there before its name is free again.
            let mut names = self.0.lock();
            if path.symlink_metadata().is_err() && names.insert(path.clone()) {
                return Reserved { names: self, path };
            }
            seconds += 1;
        }
    }
}

/// The name of a snapshot of a moment.
pub(super) fn name(scope: &Scope, peer: u64, at: Timestamp) -> String {
    let time = at.strftime("%Y-%m-%d-%H-%M-%S");
    match scope {
        Scope::Full => format!("full-snapshot-{time}{SUFFIX}"),
        Scope::Collection(name) => format!("{}-{peer}-{time}{SUFFIX}", plain(name)),
        Scope::Shard(name) => format!("{}-shard-0-{time}{SUFFIX}", plain(name)),
    }
}

/// A name that nobody else takes.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    names: &'a Names,
    path: PathBuf,
}

impl Reserved<'_> {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        self.names.0.lock().remove(&self.path);
    }
}

/// A collection's name as part of a path: the same, unless it would lead elsewhere, is too long for a file system, or has what the
/// engine writes no file with.
fn plain(name: &str) -> String {
    let hidden = name.starts_with(['.', '%']);
    if name.len() <= NAME_BYTES
        && !hidden
        && !name.contains(|c: char| ['/', '\\', ':'].contains(&c) || c.is_control())
    {
        return name.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    // No name that is kept as it is begins so.
    format!("%{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_lead_elsewhere() {
        let root = Path::new("/s");
        let of = |name: &str| directory(root, &Scope::Collection(name.to_owned()));
        assert_eq!(of("birds"), Path::new("/s/birds"));
        for name in [
            "..",
            ".",
            "a/../b",
            ".hidden",
            "%x",
            "a\nb",
            "a\u{85}b",
            "a:b",
            &"x".repeat(255),
        ] {
            let directory = of(name);
            assert_eq!(directory.parent(), Some(root), "{name}");
            assert!(directory.file_name().unwrap().to_str().unwrap().starts_with('%'));
        }
    }

    #[test]
    fn only_snapshots_are_found() {
        let root = tempfile::tempdir().unwrap();
        let scope = Scope::Collection("c".to_owned());
        let dir = directory(root.path(), &scope);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.snapshot"), b"x").unwrap();
        std::fs::write(dir.join("a.snapshot.checksum"), b"x").unwrap();
        std::fs::write(root.path().join("b.snapshot"), b"x").unwrap();
        assert!(file(root.path(), &scope, "a.snapshot").is_ok());
        for name in [
            "../b.snapshot",
            "a.snapshot.checksum",
            "c.snapshot",
            "",
            "..",
            "/etc/passwd",
        ] {
            assert!(file(root.path(), &scope, name).is_err(), "{name}");
        }
    }

    #[test]
    fn two_in_a_second_have_two_names() {
        let root = tempfile::tempdir().unwrap();
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        let names = Names::default();
        let reserve = || names.reserve(root.path(), &Scope::Full, 1, at);
        let name = |reserved: &Reserved<'_>| reserved.path().file_name().unwrap().to_owned();
        let first = reserve();
        // Both are under way.
        let second = reserve();
        assert_eq!(name(&first), "full-snapshot-2023-11-14-22-13-20.snapshot");
        assert_eq!(name(&second), "full-snapshot-2023-11-14-22-13-21.snapshot");
        std::fs::write(first.path(), b"x").unwrap();
        drop(first);
        drop(second);
        // One was made, the other was given up.
        assert_eq!(name(&reserve()), "full-snapshot-2023-11-14-22-13-21.snapshot");
    }
}
