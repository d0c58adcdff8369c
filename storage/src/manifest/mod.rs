//! Which segments count, and which collections are there?
//!
//! Committing a manifest is the one moment at which a flush, a compaction, a schema change or a restored snapshot
//! takes effect: files it does not list do not exist, whatever the directory holds.
//!
//! | file | answers |
//! |---|---|
//! | `format.rs` | what do the records say, and when do they contradict themselves? |
//! | `store.rs` | how is one committed, and which one counts? |

mod format;
mod store;

pub use crate::schema::{
    HnswRecord, OptimizerRecord, PayloadIndexOptionsRecord, PayloadIndexRecord, SchemaRecord,
    SparseVectorRecord, VectorRecord,
};
pub use format::{
    AliasRecord, Catalog, CollectionManifest, CollectionRecord, ComponentRecord, ManifestRecord, NUMBER_END,
    SegmentRecord, generation_of,
};
pub use store::ManifestStore;

#[cfg(test)]
mod tests;
