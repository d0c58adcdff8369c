//! Figures about collections.

use vdb::{Status, VectorInfo};

use super::super::collections::hidden;
use super::super::exposition::{Exposition, Kind};
use crate::service::Surveyed;

pub(super) fn of_collections(text: &mut Exposition<'_>, collections: &[Surveyed], anonymous: bool) {
    let shown = |name: &str| {
        if anonymous { hidden(name) } else { name.to_owned() }
    };
    let named: Vec<(String, &Surveyed)> = collections.iter().map(|one| (shown(&one.name), one)).collect();
    let mut gauge = |name: &str, help: &str, of: &dyn Fn(&Surveyed) -> u64| {
        text.head(name, Kind::Gauge, help);
        for (id, one) in &named {
            text.line(name, &[("id", id)], of(one));
        }
    };
    gauge(
        "collection_points",
        "approximate amount of points per collection",
        &|one| one.info.points,
    );
    gauge(
        "collection_running_optimizations",
        "number of currently running optimization tasks",
        &|one| u64::from(one.info.progress.is_some()),
    );
    // What is written is seen at once, whether or not it has an index.
    gauge(
        "collection_update_queue_length",
        "number of pending operations in update queues per collection",
        &|_| 0,
    );
    gauge(
        "collection_update_queue_deferred_points",
        "number of points currently hidden during read operations as they're not yet optimized",
        &|_| 0,
    );
    gauge(
        "snapshot_creation_running",
        "amount of snapshot creations that are currently running",
        &|one| one.snapshots.creating,
    );
    gauge(
        "snapshot_recovery_running",
        "amount of snapshot recovery operations currently running",
        &|one| one.snapshots.recovering,
    );
    // There is nowhere to transfer them to, or from.
    gauge(
        "collection_shard_transfer_incoming",
        "incoming shard transfers currently running",
        &|_| 0,
    );
    gauge(
        "collection_shard_transfer_outgoing",
        "outgoing shard transfers currently running",
        &|_| 0,
    );
    gauge(
        "vdb_collection_segments",
        "segments in files per collection",
        &|one| one.info.segments.len() as u64,
    );
    gauge(
        "vdb_collection_file_bytes",
        "bytes of the files of segments per collection",
        &|one| one.info.disk_bytes,
    );
    gauge(
        "vdb_collection_memtable_bytes",
        "bytes of rows in no segment yet per collection",
        &|one| one.info.memtable_bytes as u64,
    );
    gauge(
        "vdb_collection_failing",
        "1 where the last work in the background failed",
        &|one| u64::from(one.info.status == Status::Failing),
    );
    text.head(
        "snapshot_created_total",
        Kind::Counter,
        "total amount of snapshots created",
    );
    for (id, one) in &named {
        text.line("snapshot_created_total", &[("id", id)], one.snapshots.created);
    }
    // Every shard has one copy, and it is there.
    let copies = u8::from(!named.is_empty());
    for (name, help, value) in [
        (
            "collection_active_replicas_min",
            "minimum number of active replicas across all shards",
            copies,
        ),
        (
            "collection_active_replicas_max",
            "maximum number of active replicas across all shards",
            copies,
        ),
        (
            "collection_dead_replicas",
            "total amount of shard replicas in non-active state",
            0,
        ),
    ] {
        text.single(name, Kind::Gauge, help, value);
    }
    // One of them calls the collection so, the other so.
    let mut of_vectors = |name: &str, label: &str, help: &str, of: fn(&VectorInfo) -> u64| {
        text.head(name, Kind::Gauge, help);
        for (id, one) in &named {
            for of_name in &one.info.vectors {
                let vector = shown(&of_name.name);
                text.line(name, &[(label, id), ("vector", &vector)], of(of_name));
            }
        }
    };
    of_vectors(
        "collection_vectors",
        "collection",
        "approximate amount of vectors grouped by vector name",
        |of_name| of_name.vectors,
    );
    of_vectors(
        "collection_indexed_only_excluded_points",
        "id",
        "amount of points excluded in indexed_only requests",
        |of_name| of_name.waiting,
    );
}
