//! What a conditional write expects of a point.

use std::fmt;

/// What a conditional batch expects of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The point does not exist.
    Absent,
    /// The point exists.
    Present,
    /// The point exists and was last touched by the operation with this sequence number.
    Version(u64),
}

impl Expected {
    /// Whether a point of this version, or none, is what was expected.
    pub(crate) fn holds(self, found: Option<u64>) -> bool {
        match self {
            Expected::Absent => found.is_none(),
            Expected::Present => found.is_some(),
            Expected::Version(version) => found == Some(version),
        }
    }

    /// What was found, in the same words.
    pub(crate) fn of(found: Option<u64>) -> Self {
        found.map_or(Expected::Absent, Expected::Version)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Absent => f.write_str("no point"),
            Expected::Present => f.write_str("a point"),
            Expected::Version(version) => write!(f, "version {version}"),
        }
    }
}
