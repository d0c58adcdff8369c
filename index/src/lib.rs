//! Which rows are near a query, and which rows match a condition?
//!
//! Everything here speaks of `u32` rows of one matrix ([`vdb_sys::element::MatrixView`]): no ids, no payloads,
//! no files but its own. Two ways lead to the nearest rows, and one each to those nearest to a
//! query of several vectors and to a sparse one:
//!
//! - [`flat`] scores every allowed row with the canonical kernel. Exact, and the oracle of everything else.
//! - [`hnsw`] walks a graph on codes of a few bits ([`quant`]) and rescores the best candidates with the same canonical
//!   kernel, so that a row has one score however it was found.
//! - [`multi`] compares rows of several vectors: by a scan, exactly, or by a graph over one vector made of each row.
//! - [`sparse`] reads what the bounds of an inverted index do not rule out. Exact.
//!
//! ```text
//! build:  matrix -> quant (codes) -> hnsw::build -> Graph -> write -> file
//! search: file -> hnsw walk on codes -> candidates -> canonical kernel on the full vectors -> TopK
//! filter: postings (roaring bitmaps) -> RowSet -> RowFilter -> flat | hnsw
//! ```
//!
//! Files, bottom up; a module imports only from those above it:
//!
//! | file | what it holds |
//! |---|---|
//! | `error.rs` | the one error enum |
//! | `control.rs` | cancel probe and progress sink of long work |
//! | `rowset.rs` | the allowed-row predicate used by every search |
//! | `rows.rs` | sets of rows as filters make them: lists or bits |
//! | `topk.rs` | bounded heap with a fixed tie order |
//! | `full.rs` | where full vectors lie |
//! | `flat.rs` | exact scan |
//! | `mix.rs` | where what looks random comes from |
//! | `codes/` | codes of rows and queries, and their scoring |
//! | `quant/` | how vectors become codes |
//! | `hnsw/` | the graph: build, file, search, check |
//! | `multi/` | rows of several vectors: exact scan, search by a graph over encodings |
//! | `postings/` | payload value to rows |
//! | `sparse/` | sparse vectors: inverted index, pruned search |
//!
//! May depend on `vdb-sys` (kernels, aligned buffers) and `vdb-vfs` (files); never on `storage`, `wal` or above.

#![forbid(unsafe_code)]

mod error;
#[cfg(test)]
mod fixture;
mod mix;

pub mod codes;
pub mod control;
pub mod flat;
pub mod full;
pub mod hnsw;
pub mod multi;
pub mod postings;
pub mod quant;
pub mod rows;
pub mod rowset;
pub mod sparse;
pub mod topk;

pub use control::Control;
pub use error::{Error, Result};
use mix::mix;
pub use quant::Quantization;
pub use rows::RowSet;
pub use rowset::{RowBits, RowFilter};
pub use topk::TopK;
