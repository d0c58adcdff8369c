//! What a caller asks for.

use crate::patience::Patience;

/// What happens to a collection that is at the target already, and is not of this migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// The migration does not begin.
    #[default]
    Refuse,
    /// Points are written into it; those of the same id are replaced, others stay.
    Append,
    /// It is dropped and made anew.
    Replace,
    /// It is made equal to the source: what differs is copied, what the source does not have is deleted.
    Sync,
}

/// What is compared once the points are copied. Counts always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Nothing but counts.
    None,
    /// About so many points, the same every time.
    Sample(u64),
    /// Every point.
    Full,
}

/// How many points are compared where nobody says.
const SAMPLE: u64 = 1_000;

impl Default for Verification {
    fn default() -> Self {
        Verification::Sample(SAMPLE)
    }
}

/// What is to be migrated, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// These collections; all if there are none.
    pub collections: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
    /// New names, for old ones.
    pub rename: Vec<(String, String)>,
    /// Put before the names of collections that are not renamed.
    pub prefix: String,
    /// What happens to collections that are there.
    pub existing: Existing,
    /// Whether the caller knows that both sides are two places, which then is not proved before a collection of the target is changed.
    pub two_places: bool,
    /// What is compared at the end.
    pub verification: Verification,
    /// Whether aliases of what is migrated are made, too.
    pub aliases: bool,
    /// Whether integers of 2^63 and more may be rounded, where messages are on the way that have no place for them.
    pub lossy: bool,
    /// Tell what would be done, and write nothing.
    pub dry_run: bool,
    /// Slices of a collection that are copied at once, where the source knows slices.
    pub parallel: u32,
    /// Most points of a call.
    pub batch_points: u32,
    /// About how many bytes a call may have.
    pub batch_bytes: usize,
    /// Shards of new collections; as many as the source has where nobody says.
    pub shards: Option<u32>,
    /// Copies of each shard.
    pub replicas: Option<u32>,
    /// Copies that must have a write.
    pub write_consistency: Option<u32>,
    /// Whether a server builds graphs only once the points are there.
    pub defer_graphs: bool,
    /// How failures that may pass are met.
    pub patience: Patience,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            collections: Vec::new(),
            exclude: Vec::new(),
            rename: Vec::new(),
            prefix: String::new(),
            existing: Existing::default(),
            two_places: false,
            verification: Verification::default(),
            aliases: true,
            lossy: false,
            dry_run: false,
            parallel: 4,
            batch_points: 4_096,
            batch_bytes: 4 << 20,
            shards: None,
            replicas: None,
            write_consistency: None,
            defer_graphs: true,
            patience: Patience::default(),
        }
    }
}
