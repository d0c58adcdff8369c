//! Vectors out of a FAISS index file, and a flat index for FAISS to load.
//!
//! ```text
//! file -> scan.rs (bounded numbers) -> layout.rs (where the codes and ids are) -> rows.rs (blocks of rows) -> Row
//! directory -> store.rs: all of it, checked, with the metadata beside it (metadata.rs, documents.rs) -> Point
//! points of ours -> export.rs -> write.rs (index.faiss), metadata.rs (metadata.pkl)
//! ```
//!
//! An index file is little endian, packed, without version or checksum. A *vector* is a u64 count and its elements; an
//! index is four characters that name its kind, a header, and a body:
//!
//! | header | type |
//! |---|---|
//! | dimension, rows | i32, i64 |
//! | two numbers that nothing reads | i64, i64 |
//! | trained | u8 |
//! | metric: 0 inner product, 1 L2, 2 L1 | i32 |
//! | argument, only of metrics above 1 | f32 |
//!
//! | kind | index | body |
//! |---|---|---|
//! | `IxFI`, `IxF2`, `IxFl` | flat, by inner product, L2, another metric | vector of f32 |
//! | `IxMp`, `IxM2` | flat or HNSW with ids | index, vector of i64 |
//! | `IHNf`, `IHNs` | HNSW over a flat one, over a scalar quantizer | five vectors of the graph, five i32, index |
//! | `IwFl` | inverted lists of full vectors | lists, probes: u64; index; direct map; lists |
//! | `IxSQ` | scalar quantizer | type, range: i32, f32; dimension, bytes a row: u64; vectors of f32 and u8 |
//!
//! A direct map is its kind (u8: none, an array, a hash table), a vector of i64, and for a hash table a vector of pairs of them.
//! Inverted lists are `ilar`, lists and bytes a row (u64), `full` and a vector of sizes or `sprs` and a vector of pairs
//! (list, size), then for each list that holds rows its codes and ids. An 8-bit code `c` stands for
//! `min + (c + 0.5) / 255 * span`, of the trained minima and spans.

mod scan;

mod documents;
mod layout;
mod metadata;
mod write;

mod rows;

mod store;

mod export;

pub use export::{FaissExport, FaissIds, FaissWriteError};
pub use layout::{FaissLayout, FaissMetric};
pub use rows::FaissRows;
pub use store::{FaissCollection, FaissOptions, FaissPoints};
pub use write::FaissWriter;

#[cfg(test)]
mod tests;
