//! What was kept, and what was not.

use std::fmt;

use vdb_storage::PointId;

/// Something that could not be read, and what is lost with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The name of the collection that it concerns, where it concerns one whose name is known.
    pub collection: Option<String>,
    /// The file or directory, as a person would type it.
    pub file: String,
    /// Where in the file, in bytes, where that is known.
    pub offset: Option<u64>,
    /// What was expected and what was found, and what was made of it.
    pub what: String,
    /// Points that are lost, ascending.
    pub ids: Vec<PointId>,
    /// How many points more are lost whose ids are not known; `None` where their number is not known either.
    pub unnamed: Option<u64>,
}

impl Loss {
    /// True when all that was in the damaged place was found elsewhere, or was not needed.
    pub fn is_harmless(&self) -> bool {
        self.ids.is_empty() && self.unnamed == Some(0)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(offset) = self.offset {
            write!(f, " at offset {offset}")?;
        }
        if let Some(collection) = &self.collection {
            write!(f, " (collection {collection:?})")?;
        }
        write!(f, ": {}: ", self.what)?;
        if self.is_harmless() {
            return f.write_str("no point is lost with it");
        }
        let mut and = "";
        if !self.ids.is_empty() {
            let shown: Vec<String> = self.ids.iter().take(SHOWN).map(ToString::to_string).collect();
            let more = match self.ids.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            write!(f, "lost with it: {}{more}", shown.join(", "))?;
            and = ", and ";
        }
        match self.unnamed {
            Some(0) => Ok(()),
            Some(rows) => write!(f, "{and}{rows} points whose ids are not known"),
            None => write!(f, "{and}an unknown number of writes"),
        }
    }
}

/// How many ids are shown to people.
const SHOWN: usize = 10;

/// A collection in the repaired database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairedCollection {
    /// Its name, or one that was made up where the name is lost.
    pub name: String,
    /// The number that named its directory.
    pub number: u32,
    /// The points that were kept.
    pub points: u64,
}

/// What [`repair`](crate::repair()) has kept and what it has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// The collections, in the order they were created.
    pub collections: Vec<RepairedCollection>,
    /// Files that were read, as far as they can be.
    pub files: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// The process that has the database open, by what its lock file says; what it writes meanwhile may be missing.
    pub holder: Option<u32>,
    /// What could not be read, in the order it was found.
    pub losses: Vec<Loss>,
}

impl RepairReport {
    /// True when nothing is lost that was written, as far as can be told.
    pub fn is_complete(&self) -> bool {
        self.losses.iter().all(Loss::is_harmless)
    }

    /// Points that were kept.
    pub fn points(&self) -> u64 {
        self.collections.iter().map(|c| c.points).sum()
    }

    /// Points that are known to be lost; there may be more where a [`Loss`] does not know their number.
    pub fn lost_points(&self) -> u64 {
        let one = |loss: &Loss| loss.ids.len() as u64 + loss.unnamed.unwrap_or(0);
        self.losses.iter().map(one).sum()
    }
}
