//! What is measured: something that answers nearest-neighbour questions.

use serde_json::Value;
use vdb_measure::{Line, Setting};

use crate::error::Result;

/// A question in words that every system has.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is near.
    pub vector: &'a [f32],
    /// How many neighbours.
    pub limit: usize,
    /// How much may be spent.
    pub setting: Setting,
    /// Which rows count, in Qdrant's JSON.
    pub filter: Option<&'a Value>,
}

/// A system in this process, loaded and indexed.
pub trait System {
    /// A question as the system takes it.
    type Request: Clone;

    /// Name and parameters, as tables show them.
    fn name(&self) -> &str;

    /// Makes a question ready; not timed.
    fn request(&self, question: &Question<'_>) -> Result<Self::Request>;

    /// The ids of the neighbours; timed.
    fn ask(&self, request: Self::Request) -> Result<Vec<u64>>;
}

/// What making a database took, where it can be told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Made {
    /// Seconds for writing the rows.
    pub load_s: Option<f64>,
    /// Seconds for merging segments before the index is built.
    pub merge_s: Option<f64>,
    /// Seconds for the index; with merging where the system does not tell.
    pub build_s: Option<f64>,
    /// Most anonymous memory meanwhile, in megabytes.
    pub peak_anon_mb: Option<f64>,
}

impl Made {
    /// A line with it.
    pub fn line(&self) -> Line {
        Line {
            load_s: self.load_s,
            merge_s: self.merge_s,
            build_s: self.build_s,
            make_rss_anon_mb: self.peak_anon_mb,
            ..Line::default()
        }
    }
}
