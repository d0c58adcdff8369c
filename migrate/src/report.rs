//! What is told of a migration at its end.

use serde::Serialize;

/// What is done about a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made, and all points are copied.
    Create,
    /// An earlier run of this migration is gone on with.
    Resume,
    /// An earlier run of this migration has done it.
    Done,
    /// What is there is added to.
    Append,
    /// What is there is dropped, and made anew.
    Replace,
    /// What is there is made equal.
    Sync,
}

/// What came of a migration.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where from.
    pub from: String,
    /// Where to.
    pub to: String,
    /// Whether it is only what would be done.
    pub dry_run: bool,
    /// Each collection.
    pub collections: Vec<CollectionReport>,
    /// Aliases that were made, or would be.
    pub aliases: Vec<String>,
    /// Aliases that should have been made and were not; the warnings say why.
    pub aliases_missing: Vec<String>,
    /// What concerns no collection alone.
    pub warnings: Vec<String>,
}

impl Report {
    /// Whether nothing was found to be different at the target, or to be missing.
    pub fn is_sound(&self) -> bool {
        self.aliases_missing.is_empty() && self.collections.iter().all(CollectionReport::is_sound)
    }
}

/// What came of one collection.
#[derive(Clone, Debug, Serialize)]
pub struct CollectionReport {
    /// Its name at the source.
    pub name: String,
    /// Its name at the target.
    pub target: String,
    /// What was done, or would be.
    pub action: Action,
    /// Points of the source when it began.
    pub points: u64,
    /// Points that were written in this run.
    pub copied: u64,
    /// Points that were deleted to make the sides equal.
    pub deleted: u64,
    /// What was compared; none for a plan.
    pub verified: Option<Verified>,
    /// What could not be taken along, by name.
    pub warnings: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl CollectionReport {
    /// Whether nothing was found to be different at the target.
    pub fn is_sound(&self) -> bool {
        self.verified.as_ref().is_none_or(Verified::is_sound)
    }
}

/// What a comparison of both sides found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Points at the source.
    pub source_points: u64,
    /// How many fewer these are than there were when they were copied: a sign that the source was changed meanwhile, whoever did.
    pub source_lost: u64,
    /// Points at the target.
    pub target_points: u64,
    /// Whether there may be more at the target, because it was added to.
    pub more_allowed: bool,
    /// Points that were compared, value by value.
    pub compared: u64,
    /// Of these, those that the target does not have.
    pub missing: u64,
    /// Those that only the target has.
    pub extra: u64,
    /// Those that are not the same.
    pub differing: u64,
    /// The first of all these, in words.
    pub differences: Vec<String>,
    /// The checksum of what was compared, whatever its order, of the source.
    pub source_checksum: String,
    /// The same of the target.
    pub target_checksum: String,
}

impl Verified {
    /// Whether both sides are the same, as far as they were compared.
    pub fn is_sound(&self) -> bool {
        let counts = if self.more_allowed {
            self.target_points >= self.source_points
        } else {
            self.target_points == self.source_points
        };
        let kept = self.source_lost == 0 && self.missing == 0;
        counts && kept && self.differing == 0 && (self.more_allowed || self.extra == 0)
    }
}
