//! Payload indexes that the schema no longer has leave the manifest.

use std::collections::BTreeSet;

use vdb_storage::manifest::{CollectionManifest, SchemaRecord, SegmentRecord};
use vdb_storage::{Component, SegmentFile};

/// The numbers of the payload indexes of a schema.
pub(super) fn kept(schema: &SchemaRecord) -> BTreeSet<u16> {
    schema.payload_indexes.iter().map(|index| index.number).collect()
}

/// Takes all payload indexes but those `kept` out of a segment's record, and answers their files.
pub(super) fn forget_dropped(record: &mut SegmentRecord, kept: &BTreeSet<u16>) -> Vec<SegmentFile> {
    let dropped = |component: Component| match component {
        Component::PayloadIndex(number) => !kept.contains(&number),
        Component::Points
        | Component::Payload
        | Component::Tombstones
        | Component::Vectors(_)
        | Component::Graph(_)
        | Component::Sparse(_)
        | Component::SparseIndex(_)
        | Component::Multi(_) => false,
    };
    let files = record.files().filter(|file| dropped(file.component)).collect();
    record
        .components
        .retain(|record| !record.component().is_some_and(dropped));
    files
}

/// Takes dropped payload indexes out of a manifest, those too that a job has built meanwhile, and answers their files.
pub(super) fn forget_all_dropped(next: &mut CollectionManifest) -> Vec<SegmentFile> {
    let kept = kept(&next.schema);
    next.segments
        .iter_mut()
        .flat_map(|record| forget_dropped(record, &kept))
        .collect()
}
