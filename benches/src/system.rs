//! What is measured: something that answers nearest-neighbour questions, and the settings it is asked with.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::error::Result;

/// How much a search may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// What the system does when it is not told.
    Default,
    /// A beam of this width.
    Ef(usize),
    /// Every row is compared.
    Exact,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Default => f.write_str("default"),
            Setting::Ef(ef) => write!(f, "ef={ef}"),
            Setting::Exact => f.write_str("exact"),
        }
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Setting::Default),
            "exact" => Ok(Setting::Exact),
            _ => text
                .parse()
                .ok()
                .filter(|ef| *ef > 0)
                .map(Setting::Ef)
                .ok_or_else(|| format!("{text}: expected a width of the beam, default or exact")),
        }
    }
}

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
