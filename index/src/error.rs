//! What can go wrong here.

/// The one error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's cancel probe said so; nothing was kept.
    #[error("cancelled")]
    Cancelled,
    /// A graph addresses its rows with 30 bits.
    #[error("a graph holds at most {limit} rows, not {rows}")]
    TooManyRows {
        /// Rows of the matrix.
        rows: u32,
        /// The most a graph takes.
        limit: u32,
    },
    /// A payload index addresses its pairs of value and row with 32 bits.
    #[error("a payload index holds at most {limit} pairs of value and row, not {pairs}")]
    TooManyPairs {
        /// Pairs to be written.
        pairs: u64,
        /// The most that one file takes.
        limit: u64,
    },
    /// An inverted index numbers its values with 32 bits.
    #[error("an index of sparse vectors holds at most {limit} values, not {nonzeros}")]
    TooManyNonzeros {
        /// Values to be written.
        nonzeros: u64,
        /// The most that one file takes.
        limit: u64,
    },
    /// What was given as a sparse vector is none.
    #[error(
        "no sparse vector at its place {at}: dimensions ascend, each is there once, and values are finite numbers"
    )]
    SparseVector {
        /// The first place that is wrong.
        at: usize,
    },
    /// What was found as the multivector of a row is none.
    #[error("the multivector of row {row} has {bytes} bytes, expected vectors of {vector}")]
    MultiVector {
        /// The row.
        row: u32,
        /// Bytes of all of its vectors.
        bytes: usize,
        /// Bytes of one.
        vector: usize,
    },
    /// A build parameter outside its range.
    #[error("{parameter} is {value}, which is not in {range}")]
    BadParameter {
        /// Its name.
        parameter: &'static str,
        /// Its value.
        value: u64,
        /// What is accepted.
        range: &'static str,
    },
    /// The disk refused, or a file is damaged; the error says where.
    #[error(transparent)]
    Disk(#[from] vdb_vfs::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
