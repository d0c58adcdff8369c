//! What can be wrong with a pickle.

use std::io;

/// A pickle that cannot be used. Nothing of it was run.
#[derive(Debug, thiserror::Error)]
#[error("byte {offset}: {problem}")]
pub struct PickleError {
    /// The byte at which the opcode begins that cannot be followed.
    pub offset: u64,
    /// What is wrong.
    #[source]
    pub problem: PickleProblem,
}

/// What is wrong with a pickle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PickleProblem {
    /// Reading failed.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
    /// The file ends before the pickle does.
    #[error("the file ends inside {inside}: it was cut short, or never written to its end; take another copy")]
    Truncated {
        /// What was being read.
        inside: &'static str,
    },
    /// A byte that is no opcode.
    #[error("{code:#04x} is no opcode of a pickle: this is no pickle, or a damaged one")]
    NoOpcode {
        /// The byte.
        code: u8,
    },
    /// An opcode that plain data does not need.
    #[error("the opcode {name} ({what}) is not followed: what is read here never has it")]
    Refused {
        /// Python's name for it.
        name: &'static str,
        /// What it would do.
        what: &'static str,
    },
    /// A class or function that is not on the list.
    #[error("names {class}, which is none of the classes of {format}; it was not imported, and nothing was run")]
    UnknownClass {
        /// Module and name, with a dot between.
        class: String,
        /// What the list of classes is of.
        format: &'static str,
    },
    /// A newer protocol than those that are read.
    #[error("the pickle is of protocol {found}; 0 to 5 are read")]
    Protocol {
        /// What it says.
        found: u8,
    },
    /// A length that runs past the end of the file.
    #[error("{what} of {length} bytes where the file has {left} left: the file is damaged or cut short")]
    Length {
        /// What has that length.
        what: &'static str,
        /// What the pickle says.
        length: u64,
        /// Bytes after it.
        left: u64,
    },
    /// A bound of [`Limits`](super::Limits).
    #[error("more than {limit} {what}, the most that is taken from a pickle")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The opcodes contradict each other: damage, or no Python wrote them.
    #[error("{0}: the pickle is damaged")]
    Malformed(&'static str),
    /// A memo entry that is not there.
    #[error("fetches entry {index} of the memo, which is not there: the pickle is damaged")]
    NoEntry {
        /// The entry.
        index: u64,
    },
    /// Bytes that should be text and are not.
    #[error("{0}: the pickle is damaged")]
    Text(&'static str),
}

impl PickleProblem {
    /// The same at a byte.
    pub(super) fn at(self, offset: u64) -> PickleError {
        PickleError { offset, problem: self }
    }
}

pub(super) type Outcome<T> = Result<T, PickleProblem>;
