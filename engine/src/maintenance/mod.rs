//! How do rows get from memory into segments, and segments into better ones?
//!
//! Each job writes files, then commits them with one manifest swap, then changes the tables that readers start
//! from. A job that fails or is cancelled removes its files, unless its commit may have reached the medium.
//!
//! | file | what |
//! |---|---|
//! | `write_segment.rs` | rows in the order of their ids become the files of a segment |
//! | `fresh.rs` | files of a job that has not been committed |
//! | `dropped.rs` | payload indexes and vectors that were dropped leave the manifest |
//! | `commit.rs` | tombstones, manifest swap |
//! | `flush.rs` | a frozen memtable becomes a segment |
//! | `policy.rs` | which job is next (pure) |
//! | `grown.rs` | which older graph a graph is grown from |
//! | `over.rs` | what a graph is built over |
//! | `grow.rs` | memtables get graphs |
//! | `merge.rs` | several segments become one |
//! | `sparse.rs` | inverted indexes over sparse vectors |
//! | `derive.rs` | graphs and indexes that a segment lacks |
//! | `schema.rs` | another schema is committed: vectors come and go, settings change |
//! | `payload_index.rs` | payload indexes come and go |
//! | `partitions.rs` | graphs among the rows of single payload values |
//! | `sweep.rs` | points whose time is past are deleted |
//! | `optimize.rs` | the jobs in their order, in the foreground |

pub(crate) mod commit;
pub(crate) mod derive;
mod dropped;
pub(crate) mod flush;
pub(crate) mod fresh;
pub(crate) mod grow;
mod grown;
pub(crate) mod merge;
pub(crate) mod optimize;
mod over;
mod partitions;
pub(crate) mod payload_index;
pub(crate) mod policy;
pub(crate) mod schema;
mod sparse;
pub(crate) mod sweep;
pub(crate) mod write_segment;
