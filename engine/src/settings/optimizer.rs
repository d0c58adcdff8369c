//! When segments are indexed and merged.

use serde_json::{Map, Value};

use super::fields::{Fields, put, short};
use crate::error::{Error, Result};

/// Bytes of a kilobyte.
const KILOBYTE: u64 = 1024;

/// When the segments of a collection are indexed and merged in the background.
///
/// Sizes are counted in rows. Whoever has them in kilobytes of vectors gives them so ([`indexing_threshold`], [`max_segment_size`]);
/// each vector has its own number of rows then.
///
/// [`indexing_threshold`]: Self::indexing_threshold
/// [`max_segment_size`]: Self::max_segment_size
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, OptimizerConfig, VectorParams};
///
/// // Rows are replaced often: give back their room early, and scan segments of up to 10,000 rows.
/// let often = OptimizerConfig { deleted_share: 0.05, index_min_rows: 10_000, ..OptimizerConfig::default() };
/// let config = CollectionConfig::new(VectorParams::new(3, Distance::Dot)).optimizer(often.clone());
/// let db = Database::builder().open_in_memory()?;
/// assert_eq!(db.create_collection("prices", config)?.info()?.config.optimizer, often);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerConfig {
    /// Segments of at least this many rows get a graph, or an inverted index over sparse vectors; smaller ones are scanned.
    pub index_min_rows: u32,
    /// The same in kilobytes of vectors, which counts before it; 0: none are built any more, those that are there stay.
    pub indexing_threshold: Option<u64>,
    /// Merges never make a segment of more rows than this.
    pub max_segment_rows: u32,
    /// The same in kilobytes of all vectors of a row, which counts before it. Of multivectors and sparse vectors their mean length
    /// so far counts.
    pub max_segment_size: Option<u64>,
    /// A segment is rewritten when more than this share of its rows is deleted: 0 to 1...
    pub deleted_share: f32,
    /// ...and it has at least this many rows.
    pub vacuum_min_rows: u32,
    /// Segments of about the same size that trigger a merge, at least 2.
    pub merge_fan_in: u32,
    /// 0: no segment is merged, rewritten or indexed in the background, and no graph grows over what is in memory; only
    /// [`optimize`](crate::Collection::optimize) does it. What was written becomes segments all the same, and points end
    /// ([`Ttl`](crate::Ttl)). Other numbers are kept as hints: one job at a time uses the threads of the database.
    pub max_optimization_threads: Option<u32>,
    /// A hint, kept and told again: how many segments there are follows from their sizes.
    pub default_segment_number: Option<u32>,
    /// A hint, kept and told again: writes are safe in the log, and become segments by size.
    pub flush_interval_sec: Option<u64>,
    /// A hint, kept and told again: what was written is always found.
    pub prevent_unoptimized: Option<bool>,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig {
            index_min_rows: 2_000,
            indexing_threshold: None,
            max_segment_rows: 50_000_000,
            max_segment_size: None,
            deleted_share: 0.2,
            vacuum_min_rows: 0,
            merge_fan_in: 4,
            max_optimization_threads: None,
            default_segment_number: None,
            flush_interval_sec: None,
            prevent_unoptimized: None,
        }
    }
}

/// How many rows of so many bytes are that many kilobytes or more.
pub(crate) fn rows_of(kilobytes: u64, row_bytes: usize) -> u32 {
    let rows = kilobytes
        .saturating_mul(KILOBYTE)
        .div_ceil((row_bytes as u64).max(1));
    u32::try_from(rows).unwrap_or(u32::MAX)
}

impl OptimizerConfig {
    /// Segments of at least this many rows get a graph, or an inverted index, over vectors of so many bytes; `None` where none
    /// does.
    pub(crate) fn index_min_rows(&self, row_bytes: usize) -> Option<u32> {
        match self.indexing_threshold {
            Some(0) => None,
            Some(kilobytes) => Some(rows_of(kilobytes, row_bytes)),
            None => Some(self.index_min_rows),
        }
    }

    /// Most rows of a segment, where all vectors of a row take so many bytes.
    pub(crate) fn max_segment_rows(&self, row_bytes: usize) -> u32 {
        match self.max_segment_size {
            Some(kilobytes) if row_bytes > 0 => rows_of(kilobytes, row_bytes).max(1),
            Some(_) | None => self.max_segment_rows,
        }
    }

    /// True when nothing is to be done unless a caller asks for it.
    pub(crate) fn is_idle(&self) -> bool {
        self.max_optimization_threads == Some(0)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::InvalidRequest(format!("optimizer: {what}")));
        if !(0.0..=1.0).contains(&self.deleted_share) {
            return refuse(format!(
                "deleted_share must be 0 to 1, got {}",
                self.deleted_share
            ));
        }
        if self.merge_fan_in < 2 {
            return refuse(format!(
                "merge_fan_in must be at least 2, got {}",
                self.merge_fan_in
            ));
        }
        if self.max_segment_rows == 0 {
            return refuse("max_segment_rows must be at least 1".to_owned());
        }
        if self.max_segment_size == Some(0) {
            return refuse("max_segment_size must be at least 1 kilobyte".to_owned());
        }
        Ok(())
    }

    /// The JSON form, in Qdrant's names where it has them.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut said = Map::new();
        put(&mut said, "index_min_rows", Some(self.index_min_rows));
        put(&mut said, "indexing_threshold", self.indexing_threshold);
        put(&mut said, "max_segment_rows", Some(self.max_segment_rows));
        put(&mut said, "max_segment_size", self.max_segment_size);
        put(&mut said, "deleted_threshold", Some(short(self.deleted_share)));
        put(&mut said, "vacuum_min_vector_number", Some(self.vacuum_min_rows));
        put(&mut said, "merge_fan_in", Some(self.merge_fan_in));
        put(
            &mut said,
            "max_optimization_threads",
            self.max_optimization_threads,
        );
        put(&mut said, "default_segment_number", self.default_segment_number);
        put(&mut said, "flush_interval_sec", self.flush_interval_sec);
        put(&mut said, "prevent_unoptimized", self.prevent_unoptimized);
        said
    }
}

/// A change of an [`OptimizerConfig`]: what is given replaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimizerUpdate {
    /// Counts before a threshold in kilobytes that was set earlier.
    pub index_min_rows: Option<u32>,
    /// In kilobytes; 0: no more graphs.
    pub indexing_threshold: Option<u64>,
    /// Counts before a size in kilobytes that was set earlier.
    pub max_segment_rows: Option<u32>,
    /// In kilobytes.
    pub max_segment_size: Option<u64>,
    /// 0 to 1.
    pub deleted_share: Option<f32>,
    /// Rows.
    pub vacuum_min_rows: Option<u32>,
    /// At least 2.
    pub merge_fan_in: Option<u32>,
    /// `Some(None)` takes back what was set.
    pub max_optimization_threads: Option<Option<u32>>,
    /// A hint.
    pub default_segment_number: Option<u32>,
    /// A hint.
    pub flush_interval_sec: Option<u64>,
    /// A hint.
    pub prevent_unoptimized: Option<bool>,
}

fn set<T: Copy>(held: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *held = given;
    }
}

impl OptimizerUpdate {
    pub(crate) fn apply(&self, held: &mut OptimizerConfig) {
        if self.index_min_rows.is_some() {
            held.indexing_threshold = None;
        }
        if self.max_segment_rows.is_some() {
            held.max_segment_size = None;
        }
        set(&mut held.index_min_rows, self.index_min_rows);
        set(&mut held.max_segment_rows, self.max_segment_rows);
        set(&mut held.deleted_share, self.deleted_share);
        set(&mut held.vacuum_min_rows, self.vacuum_min_rows);
        set(&mut held.merge_fan_in, self.merge_fan_in);
        set(&mut held.max_optimization_threads, self.max_optimization_threads);
        held.indexing_threshold = self.indexing_threshold.or(held.indexing_threshold);
        held.max_segment_size = self.max_segment_size.or(held.max_segment_size);
        held.default_segment_number = self.default_segment_number.or(held.default_segment_number);
        held.flush_interval_sec = self.flush_interval_sec.or(held.flush_interval_sec);
        held.prevent_unoptimized = self.prevent_unoptimized.or(held.prevent_unoptimized);
    }

    /// From the JSON form, which has the keys of [`OptimizerConfig::to_json`]; `max_optimization_threads` may be `"auto"`.
    ///
    /// # Errors
    /// When it is none, or has a key that is unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(Fields::new("optimizers_config", value)?)
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self> {
        const THREADS: &str = "max_optimization_threads";
        let max_optimization_threads = match fields.value(THREADS) {
            Some(Value::String(word)) if word == "auto" => Some(None),
            _ => fields.unsigned(THREADS)?.map(Some),
        };
        let update = OptimizerUpdate {
            index_min_rows: fields.unsigned("index_min_rows")?,
            indexing_threshold: fields.unsigned("indexing_threshold")?,
            max_segment_rows: fields.unsigned("max_segment_rows")?,
            max_segment_size: fields.unsigned("max_segment_size")?,
            deleted_share: fields.number("deleted_threshold")?,
            vacuum_min_rows: fields.unsigned("vacuum_min_vector_number")?,
            merge_fan_in: fields.unsigned("merge_fan_in")?,
            max_optimization_threads,
            default_segment_number: fields.unsigned("default_segment_number")?,
            flush_interval_sec: fields.unsigned("flush_interval_sec")?,
            prevent_unoptimized: fields.flag("prevent_unoptimized")?,
        };
        fields.finish()?;
        Ok(update)
    }
}
