//! What requests may ask of a collection.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fields::{Fields, put, short};
use crate::error::{Error, Result};

/// Limits that requests to a collection are held to, beside those of the library that hold for all. Nothing is limited unless
/// [`enabled`](Self::enabled) is true; what is `None` is not limited. A request that goes beyond a limit is refused with
/// [`Error::StrictMode`], or [`Error::RateLimit`] where it may come again later,
/// before anything is done.
///
/// ```
/// use vdb::{CollectionConfig, CollectionUpdate, Database, Distance, Error, SearchRequest, StrictMode, VectorParams};
///
/// let strict = StrictMode { enabled: Some(true), max_query_limit: Some(100), ..StrictMode::default() };
/// let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot)).strict_mode(strict);
/// let c = Database::builder().open_in_memory()?.create_collection("c", config)?;
/// let refused = c.search(&SearchRequest::new([0.5]).limit(1_000));
/// assert!(matches!(refused, Err(Error::StrictMode { limit: "max_query_limit", .. })));
/// // The limit stays; from now on nobody is held to it.
/// let lenient = StrictMode { enabled: Some(false), ..StrictMode::default() };
/// c.update_config(&CollectionUpdate::new().strict_mode(lenient))?;
/// assert!(c.search(&SearchRequest::new([0.5]).limit(1_000))?.is_empty());
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrictMode {
    /// Whether requests are held to any of this.
    pub enabled: Option<bool>,
    /// Most results of a query, a prefetch, a page or a facet; of all groups or all pairs together.
    pub max_query_limit: Option<u64>,
    /// Longest time in seconds that a request may give itself. One that gives none has the database's.
    pub max_timeout: Option<u64>,
    /// False: what a read filters by, orders by, groups by or puts into a formula must have an index that fits.
    pub unindexed_filtering_retrieve: Option<bool>,
    /// False: the same for filters of writes.
    pub unindexed_filtering_update: Option<bool>,
    /// Widest beam of a search.
    pub search_max_hnsw_ef: Option<u64>,
    /// False: searches may not ask to be exact, and queries not be of vectors that are to have no graph (`m` is 0).
    pub search_allow_exact: Option<bool>,
    /// Greatest oversampling of a search.
    pub search_max_oversampling: Option<f32>,
    /// Most points of one upsert, or of one update of vectors.
    pub upsert_max_batchsize: Option<u64>,
    /// Most requests of a batch.
    pub search_max_batchsize: Option<u64>,
    /// Once vectors take so many bytes, none are written until some are deleted and their room is given back.
    pub max_collection_vector_size_bytes: Option<u64>,
    /// The same for payloads.
    pub max_collection_payload_size_bytes: Option<u64>,
    /// Once there are so many points, none are upserted.
    pub max_points_count: Option<u64>,
    /// Requests that read, a minute. Each of a batch counts.
    pub read_rate_limit: Option<u64>,
    /// Points that are written, a minute, as far as writes name them; one that names none counts as one.
    pub write_rate_limit: Option<u64>,
    /// Most conditions of a filter, at all depths together.
    pub filter_max_conditions: Option<u64>,
    /// Most values or ids in the list of one condition.
    pub condition_max_size: Option<u64>,
    /// Most payload indexes.
    pub max_payload_index_count: Option<u64>,
    /// Once the process has more than this part of the machine's memory, in percent, no points are upserted and no vectors or
    /// payloads set. Not where the system does not tell.
    pub max_resident_memory_percent: Option<u64>,
    /// Most vectors of a multivector, by name of the vector.
    pub max_vectors: BTreeMap<String, u64>,
    /// Most numbers of a sparse vector, by name of the vector.
    pub max_length: BTreeMap<String, u64>,
}

/// The key of the limits of multivectors, by name.
pub(super) const MAX_VECTORS: &str = "multivector_config";
/// The key of the limits of sparse vectors, by name.
pub(super) const MAX_LENGTH: &str = "sparse_config";
/// Limits that are whole numbers.
const LIMITS: usize = 14;
/// Limits that are true or false.
const FLAGS: usize = 4;

impl StrictMode {
    fn limits(&mut self) -> [(&'static str, &mut Option<u64>); LIMITS] {
        [
            ("max_query_limit", &mut self.max_query_limit),
            ("max_timeout", &mut self.max_timeout),
            ("search_max_hnsw_ef", &mut self.search_max_hnsw_ef),
            ("upsert_max_batchsize", &mut self.upsert_max_batchsize),
            ("search_max_batchsize", &mut self.search_max_batchsize),
            (
                "max_collection_vector_size_bytes",
                &mut self.max_collection_vector_size_bytes,
            ),
            (
                "max_collection_payload_size_bytes",
                &mut self.max_collection_payload_size_bytes,
            ),
            ("max_points_count", &mut self.max_points_count),
            ("read_rate_limit", &mut self.read_rate_limit),
            ("write_rate_limit", &mut self.write_rate_limit),
            ("filter_max_conditions", &mut self.filter_max_conditions),
            ("condition_max_size", &mut self.condition_max_size),
            ("max_payload_index_count", &mut self.max_payload_index_count),
            (
                "max_resident_memory_percent",
                &mut self.max_resident_memory_percent,
            ),
        ]
    }

    fn flags(&mut self) -> [(&'static str, &mut Option<bool>); FLAGS] {
        [
            ("enabled", &mut self.enabled),
            (
                "unindexed_filtering_retrieve",
                &mut self.unindexed_filtering_retrieve,
            ),
            ("unindexed_filtering_update", &mut self.unindexed_filtering_update),
            ("search_allow_exact", &mut self.search_allow_exact),
        ]
    }

    /// True when requests are held to it.
    pub fn is_enabled(&self) -> bool {
        self.enabled == Some(true)
    }

    /// Takes in what is said in `change`; the rest stays.
    pub fn merge(&mut self, change: &StrictMode) {
        let mut change = change.clone();
        for ((_, held), (_, given)) in self.limits().into_iter().zip(change.limits()) {
            *held = given.or(*held);
        }
        for ((_, held), (_, given)) in self.flags().into_iter().zip(change.flags()) {
            *held = given.or(*held);
        }
        self.search_max_oversampling = change.search_max_oversampling.or(self.search_max_oversampling);
        self.max_vectors.append(&mut change.max_vectors);
        self.max_length.append(&mut change.max_length);
    }

    /// Takes back a limit, by its name in the JSON form; false when there is none of that name.
    pub(super) fn unset(&mut self, name: &str) -> bool {
        match name {
            "search_max_oversampling" => self.search_max_oversampling = None,
            MAX_VECTORS => self.max_vectors.clear(),
            MAX_LENGTH => self.max_length.clear(),
            _ => {
                if let Some((_, limit)) = self.limits().into_iter().find(|(of, _)| *of == name) {
                    *limit = None;
                    return true;
                }
                let flag = self.flags().into_iter().find(|(of, _)| *of == name);
                return flag.map(|(_, flag)| *flag = None).is_some();
            }
        }
        true
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |name: &str, what: &str| {
            Err(Error::InvalidRequest(format!(
                "strict mode: {name} must be {what}"
            )))
        };
        // What could not be asked any more at all would be a mistake.
        for (name, limit) in [
            ("max_query_limit", self.max_query_limit),
            ("max_timeout", self.max_timeout),
            ("max_points_count", self.max_points_count),
            ("read_rate_limit", self.read_rate_limit),
            ("write_rate_limit", self.write_rate_limit),
            ("max_resident_memory_percent", self.max_resident_memory_percent),
        ] {
            if limit == Some(0) {
                return refuse(name, "at least 1");
            }
        }
        if self
            .max_vectors
            .values()
            .chain(self.max_length.values())
            .any(|&most| most == 0)
        {
            return refuse("max_vectors or max_length", "at least 1");
        }
        if self
            .max_resident_memory_percent
            .is_some_and(|percent| percent > 100)
        {
            return refuse("max_resident_memory_percent", "at most 100");
        }
        if self
            .search_max_oversampling
            .is_some_and(|most| !most.is_finite() || most < 0.0)
        {
            return refuse("search_max_oversampling", "a number from 0");
        }
        Ok(())
    }

    /// The JSON form, which has Qdrant's names: what was said.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut copy = self.clone();
        let mut said = Map::new();
        copy.flags()
            .into_iter()
            .for_each(|(name, flag)| put(&mut said, name, *flag));
        copy.limits()
            .into_iter()
            .for_each(|(name, limit)| put(&mut said, name, *limit));
        put(
            &mut said,
            "search_max_oversampling",
            self.search_max_oversampling.map(short),
        );
        let named = |limits: &BTreeMap<String, u64>, key: &str| {
            let each = limits
                .iter()
                .map(|(name, most)| (name.clone(), json!({ key: most })));
            (!limits.is_empty()).then(|| Value::Object(each.collect()))
        };
        put(&mut said, MAX_VECTORS, named(&self.max_vectors, "max_vectors"));
        put(&mut said, MAX_LENGTH, named(&self.max_length, "max_length"));
        said
    }

    /// From the JSON form.
    ///
    /// # Errors
    /// When it is none, has a key that is unknown, or a limit that makes no sense.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(Fields::new("strict_mode_config", value)?)
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self> {
        let mut read = StrictMode::default();
        for (name, flag) in read.flags() {
            *flag = fields.flag(name)?;
        }
        for (name, limit) in read.limits() {
            *limit = fields.unsigned(name)?;
        }
        read.search_max_oversampling = fields.number("search_max_oversampling")?;
        for (name, mut of) in fields.named_unless_null(MAX_VECTORS)? {
            if let Some(most) = of.unsigned("max_vectors")? {
                read.max_vectors.insert(name.to_owned(), most);
            }
            of.finish()?;
        }
        for (name, mut of) in fields.named_unless_null(MAX_LENGTH)? {
            if let Some(most) = of.unsigned("max_length")? {
                read.max_length.insert(name.to_owned(), most);
            }
            of.finish()?;
        }
        fields.finish()?;
        read.validate()?;
        Ok(read)
    }
}
