//! How does a segment lie on disk?
//!
//! A collection is a directory of segments, each a set of files that never change once they are written, and a
//! manifest that says which of them count. Writers stream a file out, readers look into a mapping of it.
//!
//! ```text
//! rows in order of their ids --> PointsWriter, VectorsWriter, PayloadWriter --> seg-*  \
//! deleted rows ----------------> tombstone::write -----------------------------> seg-*  +--> manifest: the commit
//!                                                                                      /
//! PointsReader: id -> row    VectorsReader: row -> vector    PayloadReader: row -> payload <-- mapped seg-*
//! ```
//!
//! All files are frames (`vdb_vfs::frame`): opening one checks what it is in constant time, verifying one reads
//! all of it. Each layout is described in the `format.rs` of its folder.
//!
//! | file | answers |
//! |---|---|
//! | `error.rs` | what can go wrong? |
//! | `codec.rs` | how do small structured records become bytes? |
//! | `id.rs` | what is a point called, and what is the order of points? |
//! | `schema.rs` | what does a collection hold? |
//! | `component.rs` | which files does a segment have, and what are they called? |
//! | `section.rs` | how are meta and sections of a file read as records and numbers? |
//! | `points/` | which row has which id and version? |
//! | `vectors/` | where is the vector of a row? |
//! | `multi/` | what is the multivector of a row? |
//! | `sparse/` | what is the sparse vector of a row? |
//! | `payload/` | what is the payload of a row, and how is JSON kept so that one key is found fast? |
//! | `tombstone/` | which rows are deleted? |
//! | `manifest/` | which segments count, and which collections are there? |
//!
//! Each of these uses only what stands above it. May depend on: `vdb-sys`, `vdb-vfs`.

#![forbid(unsafe_code)]

pub mod codec;
pub mod component;
#[cfg(test)]
mod damage;
pub mod error;
pub mod id;
pub mod manifest;
pub mod multi;
pub mod payload;
pub mod points;
pub mod schema;
mod section;
pub mod sparse;
pub mod tombstone;
pub mod vectors;

pub use component::{Component, SegmentFile};
pub use error::{Error, Result, ValueError};
pub use id::PointId;
