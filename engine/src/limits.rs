//! How large anything may be that a caller names. Beyond a limit a call fails with [`Error::Limit`](crate::Error::Limit),
//! which says what is limited, to how much, and what was asked for; names that are too long with
//! [`Error::InvalidName`](crate::Error::InvalidName), paths with [`Error::Filter`](crate::Error::Filter). Nothing is cut to
//! fit. The parameters of a graph have their ranges with them ([`HnswParams::validate`](crate::HnswParams::validate)).

/// Largest dimension of a vector.
pub const MAX_DIMENSION: usize = 65_536;
/// Most values of a sparse vector.
pub const MAX_SPARSE_VALUES: usize = vdb_storage::sparse::MAX_NONZEROS;
/// Most numbers of a multivector: its vectors times their dimension.
pub const MAX_MULTIVECTOR_NUMBERS: usize = vdb_storage::multi::MAX_NUMBERS;
/// Longest collection or alias name, in characters.
pub const MAX_COLLECTION_NAME: usize = 255;
/// Longest vector name, in bytes.
pub const MAX_VECTOR_NAME: usize = 200;
/// Most named vectors in a collection.
pub const MAX_VECTORS: usize = 256;
/// Most collections in a database.
pub const MAX_COLLECTIONS: usize = 10_000;
/// Most aliases in a database, and most changes of aliases in one call.
pub const MAX_ALIASES: usize = 10_000;
/// Most bytes that the settings of a collection take as they are stored, metadata and hints included.
pub const MAX_SETTINGS_BYTES: usize = 256 << 10;
/// Most bytes that the schema of a collection takes as it is stored: vectors, payload indexes with their options (lists of stop
/// words above all), settings. Every segment carries it in a place that holds a megabyte.
pub const MAX_SCHEMA_BYTES: usize = 768 << 10;
/// Most payload indexes of a collection.
pub const MAX_PAYLOAD_INDEXES: usize = 1_000;
/// Longest payload path, in bytes.
pub const MAX_PATH_BYTES: usize = 4_096;
/// Most steps of a payload path. Payloads are no deeper than that, and walking a path recurses once a step.
pub const MAX_PATH_STEPS: usize = 64;
/// Most paths or vector names in one operation or selector: each is compared with every key that it leads to.
pub const MAX_PATHS: usize = 4_096;
/// Deepest nesting of objects and arrays in a payload, itself included.
pub const MAX_PAYLOAD_DEPTH: usize = vdb_storage::payload::MAX_DEPTH;
/// Most bytes of a payload as it is stored, which is somewhat less than its JSON.
pub const MAX_PAYLOAD_BYTES: usize = 64 << 20;
/// Most points that one operation gives by id or in full, and most operations and points of a batch. A filter may match
/// any number; what an operation makes of the points must fit [`MAX_BATCH_BYTES`]: about thirty million deletions. An operation
/// in steps ([`Collection::apply_in_steps`](crate::Collection::apply_in_steps)) has no such bound.
pub const MAX_BATCH_POINTS: usize = 1_000_000;
/// Most bytes that the effects of one batch take: in the log, where each has 33 bytes, 6 more a vector, its payload and its
/// vectors; and in memory, where a change of a payload takes the vectors of its point along, which the log does not have.
pub const MAX_BATCH_BYTES: usize = vdb_wal::MAX_BODY_BYTES as usize;
/// Most results a request may ask for or skip, and most ids that it may give.
pub const MAX_LIMIT: usize = 10_000_000;
/// Widest beam of an approximate search.
pub const MAX_EF: usize = 1_000_000;
/// Most searches in one batch.
pub const MAX_BATCH_REQUESTS: usize = 65_536;
/// Deepest nesting of filters within a filter.
pub const MAX_FILTER_DEPTH: usize = 64;
/// Most conditions in one filter, at all depths together.
pub const MAX_FILTER_CONDITIONS: usize = 65_536;
/// Most values and ids in the lists of one filter, all together.
pub const MAX_FILTER_VALUES: usize = 1 << 20;
/// Most bytes of the paths of one filter, each with those of the nested conditions around it: that is how a condition finds its
/// index, and a few nested conditions would make much of a short filter.
pub const MAX_FILTER_PATH_BYTES: usize = 4 << 20;
/// Most points in the rings of one polygon of a filter: what every position that is asked about is compared with. They
/// count among [`MAX_FILTER_VALUES`] as well.
pub const MAX_POLYGON_POINTS: usize = 65_536;
/// Most rings of one polygon, the outer one included.
pub const MAX_POLYGON_RINGS: usize = 4_096;
/// Bytes that the answer to one call may take, unless
/// [`DatabaseBuilder::answer_bytes`](crate::DatabaseBuilder::answer_bytes) says otherwise.
pub const DEFAULT_ANSWER_BYTES: usize = 1 << 30;
/// Deepest nesting of expressions in a formula.
pub const MAX_FORMULA_DEPTH: usize = 64;
/// Most expressions in one formula, at all depths together.
pub const MAX_FORMULA_PARTS: usize = 4_096;
/// Deepest nesting of prefetches within a query, itself not counted.
pub const MAX_PREFETCH_DEPTH: usize = 64;
/// Most prefetches of one query, at all depths together.
pub const MAX_PREFETCHES: usize = 1_024;
/// Most examples of one query: each is compared with every point that is scored.
pub const MAX_EXAMPLES: usize = 4_096;
/// Most candidates that results are chosen from so that they differ: each is compared with each that is chosen.
pub const MAX_MMR_CANDIDATES: usize = 16_384;
/// Most tokens of a phrase: each is looked for at every place where the phrase can start.
pub const MAX_PHRASE_TOKENS: usize = 1_024;
/// Most different tokens of a query by text: each is looked up in every segment.
pub const MAX_TEXT_TOKENS: usize = 4_096;
/// Most keys of one order.
pub const MAX_SORT_KEYS: usize = 16;
/// Most buckets of a histogram whose edges are given.
pub const MAX_BUCKETS: usize = 65_536;
/// Most points of a distance matrix: each is compared with each other.
pub const MAX_MATRIX_SAMPLE: usize = 16_384;
