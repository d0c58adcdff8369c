//! How large anything may be that a caller names.

/// Largest dimension of a vector.
pub const MAX_DIMENSION: usize = 65_536;
/// Longest collection or alias name, in characters.
pub const MAX_COLLECTION_NAME: usize = 255;
/// Longest vector name, in bytes.
pub const MAX_VECTOR_NAME: usize = 200;
/// Most named vectors in a collection.
pub const MAX_VECTORS: usize = 256;
/// Most points that one operation gives by id or in full. A filter may match any number; what an operation makes of
/// the points must fit one record of the log, 1 GiB: about thirty million deletions.
pub const MAX_BATCH_POINTS: usize = 1_000_000;
/// Most results a request may ask for or skip.
pub const MAX_LIMIT: usize = 10_000_000;
/// Widest beam of an approximate search.
pub const MAX_EF: usize = 1_000_000;
