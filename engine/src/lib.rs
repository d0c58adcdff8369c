//! An embedded, persistent vector database: Qdrant's data model in a library, without a server.
//!
//! - [`Database`]: a directory of collections and aliases, one log, one writer process, any number of readers.
//! - [`Collection`]: points with ids, named vectors (dense, sparse, multi) and JSON payloads; write, read, search, filter.
//! - [`WriteBatch`]: several writes, on several collections, that take effect together or not at all.
//! - [`Filter`]: conditions on payloads, in Rust or in Qdrant's JSON.
//!
//! ```
//! use vdb::{CollectionConfig, Condition, Database, Distance, Filter, Point, SearchRequest, VectorParams};
//! use serde_json::json;
//!
//! let dir = tempfile::tempdir().unwrap();
//! let db = Database::open(dir.path().join("my.vdb"))?;
//! let birds = db.create_collection("birds", CollectionConfig::new(VectorParams::new(3, Distance::Cosine)))?;
//! birds.upsert(vec![
//!     Point::new(1, [0.9, 0.1, 0.0]).payload(json!({"name": "owl", "night": true}))?,
//!     Point::new(2, [0.8, 0.2, 0.1]).payload(json!({"name": "hawk", "night": false}))?,
//! ])?;
//! let request = SearchRequest::new([1.0, 0.0, 0.0])
//!     .filter(Filter::must([Condition::matches("night", true)]))
//!     .with_payload(true);
//! let hits = birds.search(&request)?;
//! assert_eq!(hits[0].payload.as_ref().unwrap()["name"], "owl");
//! # Ok::<_, vdb::Error>(())
//! ```
//!
//! [`Error`] tells apart what a program may want to act on: [`Error::is_locked`], [`Error::is_no_space`],
//! [`Error::is_damage`] and so on.
//!
//! Whatever a caller names has a documented bound (the `MAX_` constants, [`Error::Limit`]; `docs/limits.md` lists them). A
//! read can be given a time ([`SearchRequest::timeout`], [`DatabaseBuilder::read_timeout`]) or a [`Control`] that stops it.
//!
//! An acknowledged write survives a power cut ([`Durability`] says what weaker levels can lose), every read sees
//! a consistent snapshot, and no call needs an async runtime.
//!
//! # How it works
//!
//! ```text
//! write:  WriteBatch -> sequencer -> log -> memtable          (write/)
//! then:   memtable -> segment -> merged segments with graphs  (maintenance/, on the threads of background/)
//! read:   view -> plan -> scan | postings | graph -> merge    (query/)
//! open:   lock -> catalog -> log -> manifests -> replay       (recovery.rs)
//! or:     catalog -> manifests -> log -> replay, read only    (refresh/)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `error.rs`, `expected.rs`, `limits.rs`, `names.rs`, `config.rs`, `point.rs` | errors, bounds, names, settings, points as a user sees them |
//! | `damage.rs` | how far damage to a file reaches, and how it is told |
//! | `filter/`, `payload/`, `vectors.rs` | conditions; payload paths, edits, selections; vectors in and out |
//! | `settings/`, `schema.rs` | what of a collection may be set and changed; what it holds, and what comes of its settings |
//! | `strict/` | what requests to a collection are held to |
//! | `paging.rs` | full vectors that may not be in memory |
//! | `partitions.rs` | which payload values get a graph of their own |
//! | `append_list.rs`, `live.rs`, `memtable.rs`, `deletions.rs`, `segment.rs`, `tables.rs` | where rows are, and what a reader sees of them |
//! | `layout.rs`, `directory.rs` | where things lie in a database's directory; whose it is, and what is left over in it |
//! | `ttl.rs`, `clock.rs` | points that end by themselves; the time of day |
//! | `activity.rs`, `counters.rs`, `visibility.rs`, `budget.rs`, `signal.rs` | what goes on; what was done; how far readers see; back-pressure; waking threads |
//! | `core.rs`, `shared.rs` | the state of an open collection, and of the database |
//! | `query/` | searching, scrolling, counting, fetching |
//! | `compose/` | queries of several parts: examples, prefetches, fusion, orders, samples; groups, facets, distance matrices |
//! | `score/`, `formula/` | scores made of scores; a caller's own |
//! | `write/` | the sequencer and the log's records |
//! | `maintenance/` | flush, merge, indexes |
//! | `background/` | threads, and back-pressure |
//! | `meter.rs`, `pin.rs`, `place.rs`, `backup/`, `verify/`, `repair/` | counting bytes; keeping files while the database goes on; paths of users, outside the database; snapshots and restoring them; reading everything to see whether it is sound; a new database of what a damaged one still has |
//! | `bm25.rs` | sparse vectors of texts |
//! | `catalog.rs`, `roster.rs`, `recovery.rs`, `recovery/`, `info.rs` | collections come and go; their names; opening; sizes |
//! | `model/` | tests of the protocols between threads, for a model checker |
//! | `follower.rs`, `refresh/` | opening for reading only, beside whoever writes, and following them |
//! | `setters.rs` | methods of requests that set one field each |
//! | `handle.rs`, `collection.rs`, `collection/`, `db.rs` | the handles, and closing |
//!
//! May depend on `vdb-wal`, `vdb-storage`, `vdb-index`, `vdb-text`, `vdb-vfs`, `vdb-sys`; the only crate that knows them all.

#![forbid(unsafe_code)]

mod activity;
mod append_list;
mod background;
mod backup;
pub mod bm25;
mod budget;
mod catalog;
mod clock;
mod collection;
mod compose;
mod config;
mod core;
mod counters;
mod damage;
mod db;
mod deletions;
mod directory;
mod error;
mod expected;
mod filter;
#[cfg(test)]
mod fixture;
mod follower;
mod formula;
mod handle;
mod info;
mod layout;
mod limits;
mod live;
mod maintenance;
mod memtable;
mod meter;
#[cfg(test)]
#[cfg(feature = "model")]
mod model;
mod names;
mod paging;
mod partitions;
mod payload;
mod pin;
mod place;
mod point;
mod query;
mod rates;
mod recovery;
mod refresh;
mod repair;
mod roster;
mod schema;
mod score;
mod segment;
mod setters;
mod settings;
mod shared;
mod signal;
mod strict;
mod tables;
mod ttl;
mod vectors;
mod verify;
mod visibility;
mod write;

/// How texts become tokens: for indexes of the kind text, and for [`bm25`].
pub mod text {
    pub use crate::payload::{StemmerOption, StopwordsOption, TextOptions};
    pub use vdb_text::{Language, Tokenizer};
}

/// What a database lies on: the real file system, memory, or a disk of one's own for
/// [`DatabaseBuilder::open_disk`].
pub mod disk {
    pub use vdb_vfs::{Disk, DynDisk, Error, File, FileSlice, FileView, LockGuard, MemDisk, OsDisk, Result};
}

pub use activity::{FinishedJob, Progress};
pub use backup::{RestoreMode, SnapshotCollection, SnapshotInfo, snapshot_info, verify_snapshot};
pub use catalog::AliasChange;
pub use collection::Collection;
pub use compose::aggregate::{
    AggregateAnswer, AggregateGroup, AggregateRequest, Aggregates, Bucket, Histogram, Sum,
};
pub use compose::facet::{FacetHit, FacetRequest, FacetValue};
pub use compose::groups::{Group, GroupId, GroupRequest};
pub use compose::kind::{ContextPair, FeedbackExample, OrderBy, Query, RecommendStrategy, VectorInput};
pub use compose::matrix::{DistanceMatrix, MatrixRequest};
pub use compose::request::{LookupFrom, Prefetch, QueryRequest};
pub use compose::sort::{SortCursor, SortFrom, SortKey, SortPage, SortRequest, SortedPoint};
pub use compose::value::ValueKind;
pub use config::vectors::{MultiVectorComparator, NamedVectorParams, SparseVectorParams};
pub use config::{CollectionConfig, Distance, Durability, VectorParams};
pub use counters::Work;
pub use db::{Database, DatabaseBuilder};
pub use error::{Error, Result};
pub use expected::Expected;
pub use filter::{
    Condition, ConditionPlan, Datetime, Filter, FilterError, GeoBoundingBox, GeoPoint, GeoPolygon, GeoRadius,
    Limits, MatchValue, MinShould, PathStep, PayloadPath, Predicate, ServedBy, Slice, ValueList,
};
pub use formula::{Decay, Expression, Formula, Variable};
pub use info::{CollectionInfo, DatabaseInfo, SegmentInfo, Status, VectorInfo};
pub use limits::{
    DEFAULT_ANSWER_BYTES, MAX_ALIASES, MAX_BATCH_BYTES, MAX_BATCH_POINTS, MAX_BATCH_REQUESTS, MAX_BUCKETS,
    MAX_COLLECTION_NAME, MAX_COLLECTIONS, MAX_DIMENSION, MAX_EF, MAX_EXAMPLES, MAX_FILTER_CONDITIONS,
    MAX_FILTER_DEPTH, MAX_FILTER_PATH_BYTES, MAX_FILTER_VALUES, MAX_FORMULA_DEPTH, MAX_FORMULA_PARTS,
    MAX_LIMIT, MAX_MATRIX_SAMPLE, MAX_MMR_CANDIDATES, MAX_MULTIVECTOR_NUMBERS, MAX_PATH_BYTES,
    MAX_PATH_STEPS, MAX_PATHS, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_DEPTH, MAX_PAYLOAD_INDEXES, MAX_PHRASE_TOKENS,
    MAX_POLYGON_POINTS, MAX_POLYGON_RINGS, MAX_PREFETCH_DEPTH, MAX_PREFETCHES, MAX_SCHEMA_BYTES,
    MAX_SETTINGS_BYTES, MAX_SORT_KEYS, MAX_SPARSE_VALUES, MAX_TEXT_TOKENS, MAX_VECTOR_NAME, MAX_VECTORS,
};
pub use payload::{
    MemoryPlacement, PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams, PayloadSelector,
};
pub use point::{
    OrderValue, Payload, Point, PointId, Record, ScoredPoint, Select, SparseVector, Vector, VectorSelector,
    Vectors,
};
pub use query::explain::{Access, Explanation, PartitionPlan, SearchedBy, SegmentPlan, VectorPlan};
pub use query::scroll::{ScrollPage, ScrollRequest};
pub use query::search::{AcornSearch, Idf, QuantizationSearch, QueryParams, SearchRequest};
pub use repair::{Loss, RepairReport, RepairedCollection, plan_repair, repair, repair_disk};
pub use score::{DEFAULT_RRF_K, Fusion};
pub use settings::{
    BinaryEncoding, CodePlacement, CollectionUpdate, Compression, HnswConfig, Modifier, OptimizerConfig,
    OptimizerUpdate, QuantizationConfig, QuantizationUpdate, QueryEncoding, SparseVectorUpdate, StrictMode,
    StrictModeUpdate, TurboBits, VectorUpdate,
};
pub use ttl::Ttl;
pub use vdb_index::Control;
pub use vdb_index::Error as IndexError;
pub use vdb_index::Quantization;
pub use vdb_index::hnsw::HnswParams;
pub use vdb_index::postings::Estimate;
pub use vdb_storage::{Error as StorageError, ValueError};
pub use vdb_sys::element::Element;
pub use vdb_sys::memory::resident_percent as resident_memory_percent;
pub use vdb_vfs::Error as DiskError;
pub use vdb_wal::Error as LogError;
pub use vectors::parse_element;
pub use verify::{Problem, Severity, VerifyReport, verify, verify_disk};
pub use write::batch::{Operation, Target, UpsertMode, WriteBatch};
pub use write::ticket::{Ticket, WriteResult};
