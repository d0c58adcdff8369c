//! What can go wrong, for callers to branch on and for people to read.

use vdb_index::Control;
use vdb_storage::PointId;

use crate::expected::Expected;
use crate::filter::{FilterError, Undecided};

/// The result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an engine call failed. Nothing of a refused write takes effect.
///
/// ```
/// use vdb::Database;
///
/// let dir = tempfile::tempdir().unwrap();
/// let db = Database::open(dir.path())?;
/// match Database::open(dir.path()) {
///     Err(error) if error.is_locked() => assert_eq!(error.locked_by(), Some(std::process::id())),
///     other => panic!("two writers: {other:?}"),
/// }
/// # drop(db);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No collection or alias of that name.
    #[error("there is no collection {name:?}")]
    CollectionNotFound {
        /// The name asked for.
        name: String,
    },
    /// A collection or alias of that name exists.
    #[error("the name {name:?} is already taken by {taken_by}")]
    NameTaken {
        /// The name asked for.
        name: String,
        /// `a collection` or `an alias`.
        taken_by: &'static str,
    },
    /// No alias of that name.
    #[error("there is no alias {name:?}")]
    AliasNotFound {
        /// The name asked for.
        name: String,
    },
    /// A name that the rules do not allow.
    #[error("invalid {what} name {name:?}: {why}")]
    InvalidName {
        /// Whose name.
        what: &'static str,
        /// The name, cut to 64 characters.
        name: String,
        /// Which rule it breaks.
        why: String,
    },
    /// The collection has no vector of that name.
    #[error("the collection has no vector named {name:?}; it has {known}")]
    UnknownVector {
        /// The name asked for.
        name: String,
        /// The names that exist, for the message.
        known: String,
    },
    /// A vector of the wrong length.
    #[error("{place}vector {vector:?} must have {expected} numbers, got {found}")]
    WrongDimension {
        /// Which point, empty for a query; ends in a space.
        place: String,
        /// The vector's name.
        vector: String,
        /// The collection's size.
        expected: usize,
        /// The length given.
        found: usize,
    },
    /// A vector of another kind than the collection's.
    #[error("{place}vector {vector:?} is {expected}, got a {found} vector")]
    WrongKind {
        /// Which point, empty for a query; ends in a space.
        place: String,
        /// The vector's name.
        vector: String,
        /// What the collection holds: `dense`, `sparse` or `multi`.
        expected: &'static str,
        /// What was given.
        found: &'static str,
    },
    /// A vector with a NaN or an infinity.
    #[error("{place}vector {vector:?} has {value} at index {index}: every number must be finite")]
    NotFinite {
        /// Which point, empty for a query; ends in a space.
        place: String,
        /// The vector's name.
        vector: String,
        /// Index of the number.
        index: usize,
        /// The number.
        value: f32,
    },
    /// A number too large for vectors stored in half precision.
    #[error("{place}vector {vector:?} has {value} at index {index}: f16 vectors hold numbers up to 65504")]
    OutOfRange {
        /// Which point, empty for a query; ends in a space.
        place: String,
        /// The vector's name.
        vector: String,
        /// Index of the number.
        index: usize,
        /// The number.
        value: f32,
    },
    /// A point that an operation needs is missing.
    #[error("there is no point with id {id}")]
    PointNotFound {
        /// The id asked for.
        id: PointId,
    },
    /// A point that is an example of a query has no vector of the name that it is about.
    #[error("point {id} has no vector {vector:?}, which the query takes for an example")]
    PointWithoutVector {
        /// The point.
        id: PointId,
        /// The name of the vector.
        vector: String,
    },
    /// A condition of a conditional write does not hold; nothing was written.
    #[error("point {id}: expected {expected}, found {}: nothing was written", Expected::of(*.found))]
    Conflict {
        /// The point.
        id: PointId,
        /// What the write asked for.
        expected: Expected,
        /// The version of the point that is there; none where there is no such point.
        found: Option<u64>,
    },
    /// A filter, payload path or selector that cannot be understood or is not supported.
    #[error(transparent)]
    Filter(FilterError),
    /// A payload that is damaged.
    #[error("payload: {0}")]
    Value(#[from] vdb_storage::ValueError),
    /// A request that cannot be carried out as it stands.
    #[error("{0}")]
    InvalidRequest(String),
    /// Something larger than a documented limit.
    #[error("too large: {what}: at most {limit}, got {found}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What was given.
        found: usize,
    },
    /// A directory that holds something else, or nothing.
    #[error("{path}: not a vdb database: {why}")]
    NotADatabase {
        /// The directory.
        path: String,
        /// What was expected.
        why: String,
    },
    /// An earlier sync failed: what reached the disk is unknown, so nothing more is acknowledged.
    #[error(
        "the database stopped accepting writes after a failed sync ({0}); close it, check the disk, and open it again"
    )]
    Poisoned(String),
    /// The write buffer is full and cannot be flushed; the write was refused and may be tried again.
    #[error("the write buffer is full and cannot be flushed: {why}; free some space and try again")]
    WriteBufferFull {
        /// Why the last flush failed.
        why: String,
    },
    /// The database handle was closed.
    #[error("the database is closed")]
    Closed,
    /// The database was opened for reading only.
    #[error("the database is open for reading only; to change it, open it for writing (`Database::open`)")]
    ReadOnly,
    /// The handle was taken along by a fork: the database is the parent's.
    #[error(
        "the database was opened by process {owner}, of which this one is a fork; it can only be changed there, or \
         opened anew once that has closed it"
    )]
    Forked {
        /// The process that opened it.
        owner: u32,
    },
    /// Another process changed the database again and again while it was being read.
    #[error("{path}: another process changed it each of the {attempts} times that it was read; try again")]
    Changing {
        /// The directory.
        path: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// Work was cancelled by its caller.
    #[error("cancelled")]
    Cancelled,
    /// Work took longer than its caller, or the database, allows. A read has answered nothing; of a write nothing took
    /// effect; what long work had finished stays.
    #[error(
        "{doing} took longer than the {limit:?} that it was given; allow more time, or ask for less at a time"
    )]
    Timeout {
        /// What was being done.
        doing: &'static str,
        /// The time that was given.
        limit: std::time::Duration,
    },
    /// An operation [in steps](crate::Collection::submit_in_steps) ended before it was through. What the steps before did stays;
    /// the operation may be carried out again.
    #[error("stopped after {points} points, which stay as they were written: {source}")]
    Unfinished {
        /// How many points were written or deleted.
        points: u64,
        /// Why no more were.
        source: Box<Error>,
    },
    /// A request that the strict mode of its collection does not allow. Nothing was done.
    #[error("{what}. Help: {help}")]
    StrictMode {
        /// The field of [`StrictMode`](crate::StrictMode) that it goes beyond.
        limit: &'static str,
        /// In what way.
        what: String,
        /// What to do.
        help: String,
    },
    /// More requests in a minute than the strict mode of their collection allows. Nothing was done.
    #[error("more than the {most} a minute of {limit}; try again in {} s", retry_after.as_secs_f64().ceil())]
    RateLimit {
        /// The field of [`StrictMode`](crate::StrictMode) that says how many.
        limit: &'static str,
        /// How many.
        most: u64,
        /// When there is room again, if nobody else takes it.
        retry_after: std::time::Duration,
    },
    /// Data that must be there is damaged or missing.
    #[error("{file}: damaged: {what}")]
    Damaged {
        /// Which file or collection.
        file: String,
        /// What is wrong and what is lost.
        what: String,
    },
    /// A failed disk call, a file of another format or version, a lock that is taken.
    #[error(transparent)]
    Disk(#[from] vdb_vfs::Error),
    /// A failure of the log.
    #[error(transparent)]
    Wal(vdb_wal::Error),
    /// A failure of a segment file or a manifest.
    #[error(transparent)]
    Storage(#[from] vdb_storage::Error),
    /// A failure of an index.
    #[error(transparent)]
    Index(vdb_index::Error),
}

impl From<Undecided> for Error {
    fn from(error: Undecided) -> Self {
        match error {
            Undecided::Damaged(damage) => damage.into(),
            Undecided::Stopped => Error::Cancelled,
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "these ask for a few of many variants, and new ones are not among them"
)]
impl Error {
    /// That there is no vector `name` among those that are `known`; `none` says that there are none at all.
    pub(crate) fn unknown_vector<'n>(name: &str, known: impl Iterator<Item = &'n str>, none: &str) -> Error {
        let known: Vec<String> = known.map(|known| format!("{known:?}")).collect();
        Error::UnknownVector {
            name: name.to_owned(),
            known: match known.is_empty() {
                true => none.to_owned(),
                false => known.join(", "),
            },
        }
    }

    /// The error of work that `control` stopped.
    pub(crate) fn stopped(control: &Control<'_>, doing: &'static str) -> Error {
        control
            .timed_out()
            .map_or(Error::Cancelled, |limit| Error::Timeout { doing, limit })
    }

    /// The outcome of long work that knows only that it was stopped.
    pub(crate) fn by<T>(outcome: Result<T>, control: &Control<'_>, doing: &'static str) -> Result<T> {
        outcome.map_err(|error| match error {
            Error::Cancelled => Error::stopped(control, doing),
            other => other,
        })
    }

    /// True when another process, or another handle of this one, has the database open.
    pub fn is_locked(&self) -> bool {
        matches!(self.disk(), Some(vdb_vfs::Error::Locked { .. }))
    }

    /// The process that has the database open, where that is why the call failed and it could be told.
    pub fn locked_by(&self) -> Option<u32> {
        match self.disk() {
            Some(vdb_vfs::Error::Locked { holder, .. }) => holder.as_ref().map(|holder| holder.pid),
            Some(_) | None => None,
        }
    }

    /// True when the disk is full. The call may succeed once there is room; deletions and reads go on meanwhile.
    pub fn is_no_space(&self) -> bool {
        matches!(self.disk(), Some(vdb_vfs::Error::NoSpace { .. }))
            || matches!(self.reason(), Error::Wal(vdb_wal::Error::NoSpace { .. }))
    }

    /// What stopped an operation in steps; for all else the error itself.
    pub fn reason(&self) -> &Error {
        match self {
            Error::Unfinished { source, .. } => source.reason(),
            _ => self,
        }
    }

    /// True when the file system is read-only, this user may not write there, or the database was opened for reading
    /// only.
    pub fn is_read_only(&self) -> bool {
        matches!(self.reason(), Error::ReadOnly)
            || matches!(self.disk(), Some(vdb_vfs::Error::ReadOnly { .. }))
    }

    /// True when a file was written by a newer version of this library.
    pub fn is_newer_format(&self) -> bool {
        matches!(self.disk(), Some(vdb_vfs::Error::Version { found, max, .. }) if found > max)
    }

    /// True when a file does not hold what was written to it, or is missing: a backup or `vdb verify` may help, trying
    /// again will not.
    pub fn is_damage(&self) -> bool {
        match self.reason() {
            Error::Damaged { .. } | Error::Value(_) => true,
            Error::Wal(error) if error.is_damage() => true,
            Error::Storage(error) if error.is_corruption() => true,
            _ => matches!(self.disk(), Some(vdb_vfs::Error::Corrupt { .. })),
        }
    }

    /// The failed disk call behind this, whichever part of the engine made it.
    pub fn disk(&self) -> Option<&vdb_vfs::Error> {
        fn of_storage(error: &vdb_storage::Error) -> Option<&vdb_vfs::Error> {
            match error {
                vdb_storage::Error::Disk(error) => Some(error),
                vdb_storage::Error::Manifest { source, .. } => of_storage(source),
                _ => None,
            }
        }
        match self.reason() {
            Error::Disk(error) | Error::Index(vdb_index::Error::Disk(error)) => Some(error),
            Error::Wal(vdb_wal::Error::Disk(error)) => Some(error.get()),
            Error::Storage(error) => of_storage(error),
            _ => None,
        }
    }
}

/// Refuses what is beyond a limit.
pub(crate) fn within(what: &'static str, limit: usize, found: usize) -> Result<()> {
    if found > limit {
        return Err(Error::Limit { what, limit, found });
    }
    Ok(())
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        if let FilterError::Limit {
            what, limit, found, ..
        } = error
        {
            Error::Limit { what, limit, found }
        } else {
            Error::Filter(error)
        }
    }
}

impl From<vdb_wal::Error> for Error {
    fn from(error: vdb_wal::Error) -> Self {
        if let vdb_wal::Error::Poisoned { cause } = &error {
            Error::Poisoned(cause.to_string())
        } else if matches!(error, vdb_wal::Error::Closed) {
            Error::Closed
        } else if let vdb_wal::Error::TooLarge { bytes, max } = error {
            Error::Limit {
                what: "bytes that one batch writes to the log (split it, or let its filter match fewer points)",
                limit: max as usize,
                found: usize::try_from(bytes).unwrap_or(usize::MAX),
            }
        } else {
            Error::Wal(error)
        }
    }
}

impl From<vdb_index::Error> for Error {
    fn from(error: vdb_index::Error) -> Self {
        if matches!(error, vdb_index::Error::Cancelled) {
            Error::Cancelled
        } else {
            Error::Index(error)
        }
    }
}

#[cfg(test)]
mod tests;
