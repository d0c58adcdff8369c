//! What was found, and what errors say of it.

use std::fmt;

use crate::error::Error;

/// What a problem costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is lost and nothing is wrong: something interrupted has left it, and the next opening deals with it.
    Leftover,
    /// Nothing is lost: the file can be made again from others.
    Derived,
    /// Data is damaged or missing.
    Primary,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Leftover => "leftover",
            Severity::Derived => "derived",
            Severity::Primary => "primary",
        })
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or directory, as a person would type it.
    pub file: String,
    /// Where in the file, in bytes, where that is known.
    pub offset: Option<u64>,
    /// What was expected and what was found.
    pub what: String,
    /// What it costs.
    pub severity: Severity,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(offset) = self.offset {
            write!(f, " at offset {offset}")?;
        }
        write!(f, ": {} ({}): {}", self.what, self.severity, self.advice)
    }
}

/// What [`verify`](crate::verify()) and [`Database::verify`](crate::Database::verify) have read and found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Collections.
    pub collections: u64,
    /// Files that were read to their end.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Rows of all segments, deleted ones included.
    pub rows: u64,
    /// Sound records of the log.
    pub log_records: u64,
    /// The process that has the database open, by what its lock file says; one that was killed stays there.
    pub holder: Option<u32>,
    /// What is not as it should be, in the order it was found.
    pub problems: Vec<Problem>,
}

impl VerifyReport {
    /// True when everything that was written can be read: there may be leftovers, but no damage.
    pub fn is_sound(&self) -> bool {
        self.problems
            .iter()
            .all(|problem| problem.severity == Severity::Leftover)
    }

    /// True when data is damaged or missing.
    pub fn has_lost_data(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Primary)
    }
}

/// File, offset and message of an error.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other errors speak for themselves"
)]
pub(crate) fn describe(error: &Error) -> (Option<String>, Option<u64>, String) {
    use vdb_storage::Error as Storage;
    match error {
        Error::Damaged { file, what } => (Some(file.clone()), None, what.clone()),
        Error::Disk(error)
        | Error::Storage(Storage::Disk(error))
        | Error::Index(vdb_index::Error::Disk(error)) => describe_disk(error),
        Error::Wal(vdb_wal::Error::Disk(error)) => describe_disk(error.get()),
        Error::Wal(vdb_wal::Error::Corrupt { path, offset, what }) => {
            (Some(path.clone()), Some(*offset), what.clone())
        }
        Error::Wal(vdb_wal::Error::Missing { path, first, last }) => (
            Some(path.clone()),
            None,
            format!("the file is missing; with it the records {first} to {last} are lost"),
        ),
        Error::Storage(Storage::Manifest { path, source, .. }) => {
            (Some(path.clone()), None, source.to_string())
        }
        Error::Storage(Storage::NoSuchRow { path, .. }) => (Some(path.clone()), None, error.to_string()),
        other => (None, None, other.to_string()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other errors speak for themselves"
)]
fn describe_disk(error: &vdb_vfs::Error) -> (Option<String>, Option<u64>, String) {
    use vdb_vfs::Error::{Corrupt, Io, NotFound, ReadOnly, Version};
    match error {
        Corrupt { path, offset, what } => (Some(path.clone()), Some(*offset), what.clone()),
        NotFound { path } => (Some(path.clone()), None, "it is missing".to_owned()),
        Io { path, op, source } => (Some(path.clone()), None, format!("cannot {op}: {source}")),
        ReadOnly { path, .. } | Version { path, .. } => (Some(path.clone()), None, error.to_string()),
        other => (None, None, other.to_string()),
    }
}
