//! Payload indexes and vectors that the schema no longer has leave the manifest.

use std::collections::BTreeSet;
use std::sync::Arc;

use vdb_storage::manifest::{CollectionManifest, SchemaRecord, SegmentRecord};
use vdb_storage::{Component, SegmentFile};

use crate::segment::Segment;

/// The numbers of what a schema has.
pub(super) struct Kept {
    vectors: BTreeSet<u16>,
    payload_indexes: BTreeSet<u16>,
}

impl Kept {
    pub(super) fn by(schema: &SchemaRecord) -> Self {
        let vectors = schema.vectors.iter().map(|vector| vector.number);
        let sparse = schema.sparse_vectors.iter().map(|vector| vector.number);
        Kept {
            vectors: vectors.chain(sparse).collect(),
            payload_indexes: schema.payload_indexes.iter().map(|index| index.number).collect(),
        }
    }

    fn is_dropped(&self, component: Component) -> bool {
        match component {
            Component::PayloadIndex(number) => !self.payload_indexes.contains(&number),
            Component::Vectors(number)
            | Component::Graph(number)
            | Component::Sparse(number)
            | Component::SparseIndex(number)
            | Component::Multi(number)
            | Component::Partitions(number) => !self.vectors.contains(&number),
            Component::Points | Component::Payload | Component::Tombstones => false,
        }
    }
}

/// Takes all payload indexes and vectors but those `kept` out of a segment's record, and answers their files.
pub(super) fn forget_dropped(record: &mut SegmentRecord, kept: &Kept) -> Vec<SegmentFile> {
    let dropped = |component: Component| kept.is_dropped(component);
    let files = record.files().filter(|file| dropped(file.component)).collect();
    record
        .components
        .retain(|record| !record.component().is_some_and(dropped));
    files
}

/// The segment as it is without what is not `kept`.
pub(super) fn without_dropped(segment: &Arc<Segment>, kept: &Kept) -> Arc<Segment> {
    let mut record = segment.record.clone();
    match forget_dropped(&mut record, kept).is_empty() {
        true => segment.clone(),
        false => Arc::new(segment.with_record(record)),
    }
}

/// Takes what was dropped out of a manifest, that too which a job has built meanwhile, and answers the files.
pub(super) fn forget_all_dropped(next: &mut CollectionManifest) -> Vec<SegmentFile> {
    let kept = Kept::by(&next.schema);
    next.segments
        .iter_mut()
        .flat_map(|record| forget_dropped(record, &kept))
        .collect()
}

#[cfg(test)]
mod tests;
