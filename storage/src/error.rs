//! What can go wrong between a segment and its files.

/// The result of reading or writing a segment.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed read or write of the files of a collection. Paths are as a person would type them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk failed, or a file does not hold what was written: damage, a foreign file, a format version of
    /// another build. Damage found by this crate and damage found below it come alike, as
    /// [`vdb_vfs::Error::Corrupt`].
    #[error(transparent)]
    Disk(#[from] vdb_vfs::Error),
    /// The newest manifest cannot be read.
    #[error("{path}: the newest manifest cannot be read{}", previous_hint(previous.as_deref()))]
    Manifest {
        /// The file that cannot be read.
        path: String,
        /// The file of the generation before it, when it exists. It may read well, but what was committed
        /// after it is not in it.
        previous: Option<String>,
        /// Why it cannot be read.
        #[source]
        source: Box<Error>,
    },
    /// The manifest that counts is not there, though the one before it is.
    #[error(
        "{dir}: the newest manifest is missing; what was committed after {previous} cannot be told without it"
    )]
    ManifestMissing {
        /// The directory that it should be in.
        dir: String,
        /// The file of the generation before it.
        previous: String,
    },
    /// A manifest was about to be committed over one that is as new or newer.
    #[error("{path}: generation {generation} cannot follow generation {newest}")]
    StaleGeneration {
        /// The file that would have been written.
        path: String,
        /// The generation it was to have.
        generation: u64,
        /// The generation that is there.
        newest: u64,
    },
    /// Text that is neither a number nor a UUID.
    #[error("{text:?} is not a point id: ids are whole numbers from 0 to 18446744073709551615 or UUIDs")]
    InvalidId {
        /// The text as given.
        text: String,
    },
    /// Objects and arrays of a payload nest too deep.
    #[error("the payload nests deeper than {limit} levels")]
    TooDeep {
        /// How many levels are allowed.
        limit: usize,
    },
    /// The bytes of a payload are not what was written.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// A record is too large for its file, or cannot be encoded.
    #[error("cannot encode a record: {reason}")]
    Encode {
        /// Why.
        reason: String,
    },
    /// A record that contradicts itself was about to be written.
    #[error("refusing to write {path}: {reason}")]
    Invalid {
        /// The file that would have been written.
        path: String,
        /// The contradiction.
        reason: String,
    },
    /// A row that the segment does not have was asked for.
    #[error("{path}: row {row} was asked for, the file has {rows}")]
    NoSuchRow {
        /// Which file.
        path: String,
        /// The row asked for.
        row: u32,
        /// How many rows there are.
        rows: u32,
    },
}

impl Error {
    /// True when a file holds something other than what was written to it, by damage or because it is foreign.
    /// Failures of the medium and files of other format versions are not that.
    pub fn is_corruption(&self) -> bool {
        match self {
            Error::Disk(vdb_vfs::Error::Corrupt { .. }) | Error::Value(_) => true,
            Error::Manifest { source, .. } => source.is_corruption(),
            Error::ManifestMissing { .. } => true,
            Error::Disk(_)
            | Error::StaleGeneration { .. }
            | Error::InvalidId { .. }
            | Error::TooDeep { .. }
            | Error::Encode { .. }
            | Error::Invalid { .. }
            | Error::NoSuchRow { .. } => false,
        }
    }

    /// Damage in `path` at `offset`; `what` says what was expected and what was found.
    pub(crate) fn corrupt(path: &str, offset: u64, what: impl Into<String>) -> Self {
        Error::Disk(vdb_vfs::Error::Corrupt {
            path: path.to_owned(),
            offset,
            what: what.into(),
        })
    }
}

/// The bytes of a payload are not what was written. Small, because walking a payload may return it at each step;
/// whoever knows the file says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged payload: expected {what}")]
pub struct ValueError {
    pub(crate) what: &'static str,
}

fn previous_hint(previous: Option<&str>) -> String {
    match previous {
        Some(file) => format!("; the generation before it is in {file}"),
        None => "; no earlier generation is kept".to_owned(),
    }
}
