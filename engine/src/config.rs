//! What a user sets: distances, vector parameters, collection and database options, durability.

mod settings;
pub(crate) mod vectors;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};
use vdb_sys::element::Element;
use vdb_sys::kernel::{Kernel, Metric};

use crate::clock::Clock;
use crate::error::{Error, Result, within};
use crate::limits::{DEFAULT_ANSWER_BYTES, MAX_VECTORS};
use crate::settings::{HnswConfig, OptimizerConfig, QuantizationConfig, StrictMode};
use crate::ttl::Ttl;

use vectors::{MultiVectorComparator, SparseVectorParams};

/// How the nearness of two vectors is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    /// Cosine of the angle: larger is nearer. `f32` and `f16` vectors are normalised when written.
    Cosine,
    /// Inner product: larger is nearer.
    Dot,
    /// Euclidean distance (the root is taken): smaller is nearer.
    Euclid,
    /// Sum of absolute differences: smaller is nearer.
    Manhattan,
}

impl Distance {
    /// Every distance, in the order of their codes on disk.
    pub const ALL: [Distance; 4] = [
        Distance::Cosine,
        Distance::Dot,
        Distance::Euclid,
        Distance::Manhattan,
    ];

    /// True when a larger score is a nearer point.
    pub fn larger_is_nearer(self) -> bool {
        matches!(self, Distance::Cosine | Distance::Dot)
    }

    /// The lower-case name, as [`FromStr`](std::str::FromStr) reads it.
    pub fn name(self) -> &'static str {
        match self {
            Distance::Cosine => "cosine",
            Distance::Dot => "dot",
            Distance::Euclid => "euclid",
            Distance::Manhattan => "manhattan",
        }
    }

    /// The code on disk.
    pub(crate) fn code(self) -> u8 {
        match self {
            Distance::Cosine => 0,
            Distance::Dot => 1,
            Distance::Euclid => 2,
            Distance::Manhattan => 3,
        }
    }

    /// The distance of a code on disk.
    pub(crate) fn from_code(code: u8) -> Option<Distance> {
        Distance::ALL.get(usize::from(code)).copied()
    }

    /// The public score of an internal one (larger is nearer, squared for Euclid).
    pub(crate) fn public_score(self, internal: f32) -> f32 {
        match self {
            Distance::Cosine | Distance::Dot => internal,
            Distance::Euclid => (-internal).max(0.0).sqrt(),
            Distance::Manhattan => (-internal).max(0.0),
        }
    }

    /// The metric that scores vectors of this distance as they are stored.
    pub(crate) fn metric(self, element: Element) -> Metric {
        match (self, element) {
            (Distance::Cosine, Element::U8) => Metric::CosineU8,
            (Distance::Cosine | Distance::Dot, _) => Metric::Dot,
            (Distance::Euclid, _) => Metric::L2,
            (Distance::Manhattan, _) => Metric::L1,
        }
    }
}

impl std::fmt::Display for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Distance {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        let lower = s.to_ascii_lowercase();
        Distance::ALL
            .into_iter()
            .find(|d| d.name() == lower)
            .ok_or_else(|| {
                Error::InvalidRequest(format!(
                    "unknown distance {s:?}: use cosine, dot, euclid or manhattan"
                ))
            })
    }
}

/// Parameters of one named vector of a collection.
///
/// ```
/// use vdb::{Distance, Element, HnswParams, VectorParams};
///
/// let params = VectorParams::new(384, Distance::Cosine)
///     .element(Element::F16)
///     .hnsw(HnswParams { m: 24, ..HnswParams::default() });
/// assert_eq!(params.row_bytes(), 768);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct VectorParams {
    /// Numbers in a vector, 1 to [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    pub size: usize,
    /// How nearness is measured.
    pub distance: Distance,
    /// How a number is stored.
    pub element: Element,
    /// Parameters of its graphs; those that are not said are the collection's.
    pub hnsw: HnswConfig,
    /// What walks of its graphs read; as the collection says where it is not said.
    pub quantization: Option<QuantizationConfig>,
    /// A point has any number of such vectors under the name, compared like this; by default it has one.
    pub multivector: Option<MultiVectorComparator>,
}

impl VectorParams {
    /// `f32` vectors of `size` numbers, whose graphs are built as the collection says.
    pub fn new(size: usize, distance: Distance) -> Self {
        VectorParams {
            size,
            distance,
            element: Element::F32,
            hnsw: HnswConfig::default(),
            quantization: None,
            multivector: None,
        }
    }

    /// Stores numbers as `element`: `f16` rounds, `u8` casts (saturating).
    #[must_use]
    pub fn element(mut self, element: Element) -> Self {
        self.element = element;
        self
    }

    /// A point has any number of such vectors under the name.
    #[must_use]
    pub fn multivector(mut self, comparator: MultiVectorComparator) -> Self {
        self.multivector = Some(comparator);
        self
    }

    /// Bytes of one stored vector; of a multivector, of one of its vectors.
    pub fn row_bytes(&self) -> usize {
        self.size * self.element.size()
    }

    /// Scores what is returned: points that look equally far are.
    pub(crate) fn kernel(&self) -> Kernel {
        self.similarity().by_root()
    }

    /// Scores what other scores are made of: squared distances as they are.
    pub(crate) fn similarity(&self) -> Kernel {
        Kernel::new(self.distance.metric(self.element), self.element)
    }

    /// True when vectors are brought to unit length before they are stored.
    pub(crate) fn normalises(&self) -> bool {
        self.distance == Distance::Cosine && self.element != Element::U8
    }
}

/// What a collection holds.
///
/// ```
/// use vdb::{CollectionConfig, Distance, VectorParams};
///
/// let one = CollectionConfig::new(VectorParams::new(384, Distance::Cosine));
/// let two = CollectionConfig::default()
///     .vector("title", VectorParams::new(384, Distance::Cosine))
///     .vector("image", VectorParams::new(512, Distance::Euclid));
/// assert_eq!(two.vectors.len(), 2);
/// # let _ = one;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionConfig {
    /// Named vectors, in the order they were added; the default vector has the name `""`.
    pub vectors: Vec<(String, VectorParams)>,
    /// Named sparse vectors, in the order they were added. No name is empty, nor that of another vector.
    pub sparse_vectors: Vec<(String, SparseVectorParams)>,
    /// When segments are indexed and merged.
    pub optimizer: OptimizerConfig,
    /// How graphs are built, where a vector does not say.
    pub hnsw: HnswConfig,
    /// What graph walks read of vectors, where a vector does not say.
    pub quantization: Option<QuantizationConfig>,
    /// What requests may ask; anything by default.
    pub strict_mode: Option<StrictMode>,
    /// What the user wants to have with the collection. With the hints at most
    /// [`MAX_SETTINGS_BYTES`](crate::MAX_SETTINGS_BYTES).
    pub metadata: Map<String, Value>,
    /// What a front end has to tell again and means nothing here.
    pub hints: Map<String, Value>,
    /// Which points end by themselves; none by default.
    pub ttl: Option<Ttl>,
}

impl CollectionConfig {
    /// One unnamed vector a point.
    pub fn new(params: VectorParams) -> Self {
        CollectionConfig::default().vector("", params)
    }

    /// Adds a named vector.
    #[must_use]
    pub fn vector(mut self, name: impl Into<String>, params: VectorParams) -> Self {
        self.vectors.push((name.into(), params));
        self
    }

    /// Adds a named sparse vector.
    #[must_use]
    pub fn sparse_vector(mut self, name: impl Into<String>, params: SparseVectorParams) -> Self {
        self.sparse_vectors.push((name.into(), params));
        self
    }

    /// Sets when segments are indexed and merged.
    #[must_use]
    pub fn optimizer(mut self, optimizer: OptimizerConfig) -> Self {
        self.optimizer = optimizer;
        self
    }

    /// Says which points end by themselves.
    #[must_use]
    pub fn ttl(mut self, ttl: Ttl) -> Self {
        self.ttl = Some(ttl);
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if let Some(ttl) = &self.ttl {
            ttl.validate()?;
        }
        let count = self.vectors.len() + self.sparse_vectors.len();
        within("named vectors in a collection", MAX_VECTORS, count)?;
        let mut names = BTreeSet::new();
        for (name, params) in &self.vectors {
            vectors::check_dense(name, params)?;
            if !names.insert(name) {
                return Err(vectors::given_twice(name));
            }
        }
        for (name, _) in &self.sparse_vectors {
            vectors::check_sparse(name)?;
            if !names.insert(name) {
                return Err(vectors::given_twice(name));
            }
        }
        self.hnsw.validate()?;
        self.quantization
            .as_ref()
            .map_or(Ok(()), QuantizationConfig::validate)?;
        self.strict_mode.as_ref().map_or(Ok(()), StrictMode::validate)?;
        self.optimizer.validate()
    }
}

/// When a write is acknowledged, and what an acknowledged write can still lose.
///
/// Whatever the level, a write survives the death of the process, a batch is atomic, and a later
/// [`Sync`](Durability::Sync) write covers all writes before it.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Durability, Point, VectorParams};
///
/// let db = Database::builder().durability(Durability::Buffered).open_in_memory()?;
/// let c = db.create_collection("birds", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// c.upsert(vec![Point::new(1, [0.1, 0.9])])?;
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Acknowledged once its log record is synced. Survives power loss. The default.
    #[default]
    Sync,
    /// Acknowledged once it is in the operating system's cache; synced in the background within
    /// [`DatabaseBuilder::sync_interval`](crate::DatabaseBuilder::sync_interval). Power loss can take the writes
    /// acknowledged within that time.
    Buffered,
    /// Acknowledged like [`Buffered`](Durability::Buffered) but never synced on its own account: power loss can
    /// take every such write since the last sync of any kind.
    None,
}

/// Settings of an open database.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) durability: Durability,
    pub(crate) write_buffer: usize,
    pub(crate) threads: usize,
    pub(crate) sync_interval: Duration,
    pub(crate) log_segment_bytes: u64,
    pub(crate) create: bool,
    pub(crate) background: bool,
    /// How long a read may take that does not say.
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) answer_bytes: usize,
    /// How often points are looked for whose time is past.
    pub(crate) sweep_interval: Duration,
    pub(crate) clock: Clock,
    /// Whether requests are held to the strict mode of their collections.
    pub(crate) strict_mode: bool,
    /// From how many rows on a payload value gets a graph, where it is not as everywhere.
    pub(crate) partition_rows: Option<u32>,
}

impl Options {
    /// Bytes at which a memtable is frozen. Small enough that a flush goes on beside the writes that follow, and that
    /// searches of rows that only memory has stay cheap.
    pub(crate) fn memtable_share(&self) -> usize {
        self.write_buffer / 4
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            durability: Durability::Sync,
            write_buffer: 64 << 20,
            threads: 0,
            sync_interval: Duration::from_millis(100),
            log_segment_bytes: 64 << 20,
            create: true,
            background: true,
            read_timeout: None,
            answer_bytes: DEFAULT_ANSWER_BYTES,
            sweep_interval: Duration::from_secs(60),
            clock: Clock::default(),
            strict_mode: true,
            partition_rows: None,
        }
    }
}
