//! Protobuf messages to the engine's types and back.
//!
//! | file | what it holds |
//! |---|---|
//! | `rejection.rs` | why a message cannot be understood, and where in it |
//! | `ids.rs` | ids of points |
//! | `payload.rs` | payload values as JSON, which parts of them come back |
//! | `vectors.rs` | vectors written, read and asked for, today's form and those before it |
//! | `filter.rs` | filters and their conditions |
//! | `points.rs` | writes |
//! | `inference.rs` | texts in the place of vectors, and whether a message has any |
//! | `cluster.rs` | what is said of clusters |
//! | `query.rs`, `legacy.rs` | queries, and the calls that were there before them |
//! | `formula.rs` | formulas |
//! | `collections/` | settings of collections |
//! | `indexes.rs` | payload indexes |
//! | `results.rs` | what calls answer |
//!
//! Every field of every message is read. What is said of clusters is checked for its form and, where it could change
//! nothing on one machine, has no effect; what there is no counterpart for is refused by name.

pub(super) mod cluster;
pub(super) mod collections;
pub(super) mod filter;
pub(super) mod formula;
pub(super) mod ids;
pub(super) mod indexes;
pub(super) mod inference;
pub(super) mod legacy;
pub(super) mod payload;
pub(super) mod points;
pub(super) mod query;
pub(super) mod rejection;
pub(super) mod results;
pub(super) mod vectors;
