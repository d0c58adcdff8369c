//! What can go wrong with the log.

use std::sync::Arc;

use crate::Lsn;

/// The result of a log call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refused append, a failed disk, or a log that is not what was written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk is full. The append was taken back: the log is as it was before, and writing goes on once there is
    /// space again.
    #[error("{path}: no space left for the log; nothing of the write was kept")]
    NoSpace {
        /// The log file.
        path: String,
    },
    /// A body longer than one frame may hold. Nothing was written.
    #[error("a log record of {bytes} bytes is too large (the limit is {max}): write it in smaller batches")]
    TooLarge {
        /// Length of the body.
        bytes: u64,
        /// Greatest length of a body.
        max: u32,
    },
    /// Bytes that are known to have been synced cannot be read back: the log is damaged beyond a torn tail.
    #[error("{path}: the log is damaged at offset {offset}: {what}")]
    Corrupt {
        /// Which file.
        path: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What was expected, what was found, and which LSNs are lost.
        what: String,
    },
    /// A log file is gone.
    #[error("{path}: this log file is missing; with it the records {first} to {last} are lost")]
    Missing {
        /// The file that should be there.
        path: String,
        /// First LSN it held.
        first: Lsn,
        /// Last LSN it held.
        last: Lsn,
    },
    /// An earlier write or sync of this handle failed, so what the disk holds is unknown: nothing more is written or
    /// acknowledged until the log has been opened anew.
    #[error("the log takes no more writes because an earlier one failed: {cause}")]
    Poisoned {
        /// The failure.
        cause: Arc<Error>,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// The disk refused a call.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A failed disk call; shared, because every writer that waited for one sync gets the same failure.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct DiskError(Arc<vdb_vfs::Error>);

impl DiskError {
    /// The failure itself.
    pub fn get(&self) -> &vdb_vfs::Error {
        &self.0
    }
}

impl From<vdb_vfs::Error> for Error {
    fn from(error: vdb_vfs::Error) -> Self {
        Error::Disk(DiskError(Arc::new(error)))
    }
}

impl Error {
    /// True when the disk was full and nothing worse.
    pub(crate) fn is_no_space(&self) -> bool {
        match self {
            Error::NoSpace { .. } => true,
            Error::Disk(error) => matches!(error.get(), vdb_vfs::Error::NoSpace { .. }),
            Error::TooLarge { .. }
            | Error::Corrupt { .. }
            | Error::Missing { .. }
            | Error::Poisoned { .. }
            | Error::Closed => false,
        }
    }

    /// True when the log's files are damaged or missing, rather than the disk or the call at fault.
    pub fn is_damage(&self) -> bool {
        matches!(self, Error::Corrupt { .. } | Error::Missing { .. })
    }
}
