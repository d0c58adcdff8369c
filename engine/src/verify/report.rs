//! What was found, and what errors say of it.

use std::fmt;

/// What a problem costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is lost and nothing is wrong: something interrupted has left it, and the next opening deals with it.
    Leftover,
    /// Nothing is lost: what is damaged is not needed any more.
    Spare,
    /// Nothing is lost: the file can be made again from others.
    Derived,
    /// Nothing is wrong, but this build cannot read the file.
    OtherVersion,
    /// Data is damaged or missing.
    Primary,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Leftover => "leftover",
            Severity::Spare => "spare",
            Severity::Derived => "derived",
            Severity::OtherVersion => "other version",
            Severity::Primary => "primary",
        })
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the collection that it concerns, where it concerns one whose name is known.
    pub collection: Option<String>,
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
        if let Some(collection) = &self.collection {
            write!(f, " (collection {collection:?})")?;
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

    /// True when there are files of another version, newer or older, which this build cannot check.
    pub fn has_files_of_other_versions(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::OtherVersion)
    }

    /// True when data is damaged or missing.
    pub fn has_lost_data(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Primary)
    }
}
