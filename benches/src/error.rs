//! What can go wrong while something is measured.

use std::path::{Path, PathBuf};

/// Why a measurement stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of vectors or payloads is not what it should be.
    #[error(transparent)]
    Rows(Box<vdb_interop::RowError>),
    /// The data cannot be split into queries and rows.
    #[error(transparent)]
    Split(#[from] vdb_measure::SplitError),
    /// Our database refused something.
    #[error("vdb: {0}")]
    Database(Box<vdb::Error>),
    /// Another system refused something.
    #[error("{system}: {message}")]
    Peer {
        /// Which one.
        system: String,
        /// What it said.
        message: String,
    },
    /// The data does not fit what is asked of it.
    #[error("{file}: {message}")]
    Data {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A program that was started did not do its work.
    #[error("{0}")]
    Program(String),
}

/// What a measurement comes to, or why it stopped.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<vdb_interop::RowError> for Error {
    fn from(error: vdb_interop::RowError) -> Self {
        Error::Rows(Box::new(error))
    }
}

impl From<vdb::Error> for Error {
    fn from(error: vdb::Error) -> Self {
        Error::Database(Box::new(error))
    }
}

impl Error {
    /// The data in `file` does not fit.
    pub fn data(file: &Path, message: impl Into<String>) -> Self {
        Error::Data {
            file: file.to_owned(),
            message: message.into(),
        }
    }

    /// What happened to `file`.
    pub fn file(file: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Error::File {
            file: file.to_owned(),
            source,
        }
    }

    /// What another system said.
    pub fn peer(system: &str, message: impl std::fmt::Display) -> Self {
        Error::Peer {
            system: system.to_owned(),
            message: message.to_string(),
        }
    }
}
