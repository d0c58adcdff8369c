//! What can go wrong.

use std::path::PathBuf;

use qdrant_client::QdrantError;
use tonic::Code;

/// The result of a part of a migration.
pub type Result<T, E = MigrateError> = std::result::Result<T, E>;

/// Why a migration stopped.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// What was asked for cannot be done as it stands.
    #[error("{0}")]
    Usage(String),
    /// A place cannot be opened.
    #[error("{place}: {problem}")]
    Open {
        /// The URL or directory.
        place: String,
        /// Why, and what to do.
        problem: String,
    },
    /// A call failed for good.
    #[error("{doing}: {problem}")]
    Call {
        /// What was being done, where.
        doing: String,
        /// What the other side says.
        problem: String,
    },
    /// The two sides do not fit each other, or no longer what the journal says of them.
    #[error("{0}")]
    Conflict(String),
    /// The journal cannot be used.
    #[error("{}: {problem}", path.display())]
    Journal {
        /// Its file.
        path: PathBuf,
        /// Why, and what to do.
        problem: String,
    },
    /// Somebody asked for the end; what was under way is done and in the journal.
    #[error("stopped: {0}")]
    Stopped(String),
}

impl MigrateError {
    /// Somebody asked for the end.
    pub(crate) fn stopped() -> Self {
        MigrateError::Stopped("what had been begun is done; the same command goes on from there".to_owned())
    }

    /// A call that failed while something was being done.
    pub(crate) fn call(doing: impl Into<String>, error: &QdrantError) -> Self {
        MigrateError::Call {
            doing: doing.into(),
            problem: told(error),
        }
    }
}

/// What an error says, without the headers of an answer and without codes that words say better.
pub(crate) fn told(error: &QdrantError) -> String {
    let (QdrantError::ResponseError { status } | QdrantError::ResourceExhaustedError { status, .. }) = error
    else {
        return error.to_string();
    };
    let (code, message) = (status.code(), status.message());
    let is = |known: &[Code]| known.contains(&code);
    if is(&[Code::Unauthenticated, Code::PermissionDenied]) {
        return format!(
            "the server refuses the key, or wants one ({message}): give it with --from-api-key or --to-api-key, or in \
             VDB_FROM_API_KEY or VDB_TO_API_KEY"
        );
    }
    if is(&[Code::NotFound, Code::InvalidArgument, Code::AlreadyExists]) {
        return message.to_owned();
    }
    format!("{message} ({code:?})")
}
