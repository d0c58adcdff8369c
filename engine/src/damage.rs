//! Errors about files that are not as they should be: how far they reach, and how they are told.

use vdb_storage::PointId;
use vdb_vfs::DynDisk;
use vdb_wal::Lsn;

use crate::error::Error;
use crate::layout::LOG_DIR;
use crate::shared::Damage;

impl Error {
    /// True when files are not what was written, missing, or of another version: whoever they belong to is refused, and
    /// what does not need them goes on.
    pub(crate) fn is_confined(&self) -> bool {
        let of_disk = |error: &vdb_vfs::Error| {
            use vdb_vfs::Error::{Corrupt, NotFound, Version};
            matches!(error, Corrupt { .. } | Version { .. } | NotFound { .. })
        };
        matches!(self, Error::Damaged { .. })
            || matches!(self, Error::Storage(error) if error.is_corruption())
            || matches!(self, Error::Storage(vdb_storage::Error::Disk(error)) if of_disk(error))
            || matches!(self, Error::Disk(error) if of_disk(error))
            || matches!(self, Error::Wal(error) if error.is_damage())
    }

    /// True for what makes the flush of a collection fail and is about that collection alone: its files, or what is in its
    /// memtables. The disk as a whole, and the log, are everybody's.
    pub(crate) fn is_of_one_collection(&self) -> bool {
        let is_of_rows = matches!(
            self,
            Error::Value(_) | Error::Limit { .. } | Error::InvalidRequest(_) | Error::Filter(_)
        );
        let is_of_files = matches!(self, Error::Storage(_) | Error::Index(_)) && self.disk().is_none();
        is_of_rows || is_of_files || self.is_confined() && !matches!(self, Error::Wal(_))
    }

    /// True when a file was written by another build: nothing is wrong with it.
    pub(crate) fn is_version(&self) -> bool {
        matches!(self.disk(), Some(vdb_vfs::Error::Version { .. }))
    }

    /// The same damage as one error that names the file; what is no damage stays as it is.
    pub(crate) fn into_damaged(self) -> Error {
        if !self.is_confined() || self.is_version() {
            return self;
        }
        match tell(&self) {
            (Some(file), what) => Error::Damaged { file, what },
            (None, _) => self,
        }
    }

    /// The same damage, for whoever meets it when opening: with what helps.
    pub(crate) fn with_advice(self) -> Error {
        let mut error = self.into_damaged();
        if let Error::Damaged { what, .. } = &mut error
            && !what.ends_with(ADVICE)
        {
            *what = format!("{what}; {ADVICE}");
        }
        error
    }
}

/// What helps against damage.
const ADVICE: &str = "run `vdb verify` to see all that is wrong, and restore from a snapshot, or `vdb repair` to keep what can be read";

impl Damage {
    /// What an error says; it is about the log where it does not say which file it is about.
    pub(crate) fn of(error: &Error, disk: &DynDisk) -> Damage {
        let (file, what) = tell(error);
        Damage {
            file: file.unwrap_or_else(|| disk.display(LOG_DIR)),
            what,
            version: error.is_version(),
        }
    }
}

/// What errors about a record itself name as their file: who reads it knows which one it lies in.
pub(crate) const RECORD: &str = "log";

/// What an error says of a record of the log, as damage to the log, `file`. It may be about a file that the record needs.
pub(crate) fn in_record(lsn: Lsn, error: &Error, file: String) -> Error {
    let (found, what) = tell(error);
    let place = found
        .filter(|found| found != RECORD)
        .map_or_else(String::new, |found| format!("{found}: "));
    Error::Damaged {
        file,
        what: format!("record {lsn}: {place}{what}"),
    }
}

/// The same damage, as a write meets it that was to take something over from a point.
pub(crate) fn at_point(id: PointId, error: Error) -> Error {
    let mut error = error.with_advice();
    if let Error::Damaged { what, .. } = &mut error {
        *what = format!("what is stored of point {id} would be copied, and is not what was written: {what}");
    }
    error
}

/// File and message of an error; the message says where in the file.
fn tell(error: &Error) -> (Option<String>, String) {
    let (file, offset, what) = describe(error);
    let at = offset.map_or_else(String::new, |offset| format!(" at offset {offset}"));
    (file, format!("{what}{at}"))
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
        Error::Storage(Storage::Manifest {
            path,
            previous,
            source,
        }) => {
            let (offset, what) = match &**source {
                Storage::Disk(error) => {
                    let (_, offset, what) = describe_disk(error);
                    (offset, what)
                }
                other => (None, other.to_string()),
            };
            let hint = match previous {
                Some(previous) => format!("{what}; the generation before it is in {previous}"),
                None => what,
            };
            (Some(path.clone()), offset, hint)
        }
        Error::Storage(Storage::ManifestMissing { dir, previous }) => {
            let what = format!(
                "the newest manifest is missing; what was committed after {previous} cannot be told without it"
            );
            (Some(dir.clone()), None, what)
        }
        Error::Storage(Storage::NoSuchRow { path, .. }) => (Some(path.clone()), None, error.to_string()),
        other => (None, None, other.to_string()),
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other errors speak for themselves"
)]
pub(crate) fn describe_disk(error: &vdb_vfs::Error) -> (Option<String>, Option<u64>, String) {
    use vdb_vfs::Error::{Corrupt, Io, NotFound, ReadOnly, Version};
    match error {
        Corrupt { path, offset, what } => (Some(path.clone()), Some(*offset), what.clone()),
        NotFound { path } => (Some(path.clone()), None, "it is missing".to_owned()),
        Io { path, op, source } => (Some(path.clone()), None, format!("cannot {op}: {source}")),
        Version {
            path,
            kind,
            found,
            min,
            max,
        } => {
            let what =
                format!("{kind} format version {found} is not supported (this build reads {min} to {max})");
            (Some(path.clone()), None, what)
        }
        ReadOnly { path, .. } => (Some(path.clone()), None, error.to_string()),
        other => (None, None, other.to_string()),
    }
}
