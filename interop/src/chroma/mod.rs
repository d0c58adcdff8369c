//! Directories of Chroma's `PersistentClient`: a SQLite file, and a folder of HNSW files a collection.
//!
//! ```text
//! chroma.sqlite3 -> store.rs (collections) -> tables.rs (metadata) -> records.rs (ids, documents) -> Point
//! HNSW folder    -> hnsw.rs (vectors by label) -> vectors.rs (which id has which, with the log on top) -^
//! ```
//!
//! A collection has two segments, and both follow one log, `embeddings_queue`. The metadata segment is tables:
//! `embeddings` has a row a record, `embedding_metadata` one a key. The vector segment is the folder, up to the record of
//! the log that `max_seq_id` says; what follows in the log is not in the folder yet.
//!
//! Tried on stores that versions from 0.4.3 to 1.5 wrote. Versions before 0.5 note in the folder's pickle how far it is, and
//! those before 0.4.15 have neither databases nor booleans.
//!
//! A record's id is any text. One that is a UUID becomes the point's id; else the id is the UUID of version 5 of the text
//! in a namespace of its own, and the payload keeps the text. Keys of metadata become keys of the payload; the document
//! and the rest get keys that no record of the collection uses.

mod hnsw;
mod log;
mod records;
mod store;
mod tables;
mod vectors;

pub use records::ChromaPoints;
pub use store::{ChromaCollection, ChromaStore};

#[cfg(test)]
mod tests;
