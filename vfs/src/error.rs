//! What can go wrong between the engine and the disk.

use std::io;

use crate::holder::Holder;

/// The result of a disk call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed disk call, or bytes that are not what they should be. Paths are as a person would type them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory that should exist does not.
    #[error("{path}: not found")]
    NotFound {
        /// Where.
        path: String,
    },
    /// The medium is full; nothing of the call took effect that the caller may rely on.
    #[error("{path}: no space left on the device (while trying to {op})")]
    NoSpace {
        /// Where.
        path: String,
        /// What was tried.
        op: &'static str,
    },
    /// The medium or the directory does not allow writing.
    #[error("{path}: cannot {op}: the file system is read-only or permission is denied")]
    ReadOnly {
        /// Where.
        path: String,
        /// What was tried.
        op: &'static str,
    },
    /// Another process, or another handle of this one, holds the lock.
    #[error("{path}: already open by {}", shown(holder.as_ref()))]
    Locked {
        /// The lock file.
        path: String,
        /// Who holds it, when that could be read.
        holder: Option<Holder>,
    },
    /// A path that could leave the disk's root, or that no file can have.
    #[error("{path:?} is not a valid path inside a database")]
    InvalidPath {
        /// The path as given.
        path: String,
    },
    /// Bytes that are not what was written: damage, or a foreign file.
    #[error("{path}: damaged or not a vdb file: {what} at offset {offset}")]
    Corrupt {
        /// Which file.
        path: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What was expected and what was found.
        what: String,
    },
    /// A file of a format version that this build does not know.
    #[error(
        "{path}: {kind} format version {found} is not supported (this build reads {min} to {max}): {}",
        advice(*found, *min)
    )]
    Version {
        /// Which file.
        path: String,
        /// Which kind of file.
        kind: &'static str,
        /// The version in the file.
        found: u16,
        /// Oldest version that can be read.
        min: u16,
        /// Newest version that can be read.
        max: u16,
    },
    /// Any other failure of the operating system.
    #[error("{path}: cannot {op}: {source}")]
    Io {
        /// Where.
        path: String,
        /// What was tried.
        op: &'static str,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
}

fn advice(found: u16, min: u16) -> &'static str {
    if found < min {
        "open it with the older vdb that wrote it, and load what it has into a new database"
    } else {
        "open it with a newer vdb"
    }
}

fn shown(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another process".to_owned(), Holder::to_string)
}

impl Error {
    /// Sorts a system error into the variants that callers tell apart.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the list of kinds is the system's and open-ended"
    )]
    pub fn io(path: impl Into<String>, op: &'static str, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::NotFound => Error::NotFound { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::NoSpace { path, op },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Error::ReadOnly { path, op }
            }
            _ => Error::Io { path, op, source },
        }
    }
}
