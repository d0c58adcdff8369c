//! Sizes, settings and what goes on in the background.

use vdb_sys::sync::atomic::Ordering;

use crate::activity::Progress;
use crate::config::CollectionConfig;
use crate::core::Core;
use crate::error::Result;
use crate::payload::PayloadIndexParams;
use crate::query::allowance::Allowance;
use crate::shared::{Log, Shared};
use crate::tables::View;

/// Sizes of a whole database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseInfo {
    /// Collections, those not opened yet included.
    pub collections: usize,
    /// Bytes of the log: what the next opening may have to read.
    pub log_bytes: u64,
    /// Bytes that were appended to the log since the database was opened, by this handle's process.
    pub log_appended_bytes: u64,
    /// Bytes of rows that are in no segment yet, over all collections.
    pub memtable_bytes: usize,
    /// Why rows cannot be brought into segments, if that is so: writers are refused once the write buffer is full.
    pub flush_failure: Option<String>,
}

pub(crate) fn of_database(shared: &Shared) -> DatabaseInfo {
    let (log_bytes, log_appended_bytes, memtable_bytes) = match &shared.log {
        Log::Writer(wal) => (wal.bytes(), wal.appended_bytes(), shared.budget.used()),
        Log::Reader(follower) => {
            let log_bytes = follower.log_bytes.load(Ordering::Relaxed);
            let cores = shared.open_cores();
            let in_memory = cores.iter().map(|core| core.tables().memtable_bytes()).sum();
            (log_bytes, 0, in_memory)
        }
    };
    DatabaseInfo {
        collections: shared.catalog.lock().collections.len(),
        log_bytes,
        log_appended_bytes,
        memtable_bytes,
        flush_failure: shared.budget.stuck(),
    }
}

/// A segment of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Its number.
    pub id: u64,
    /// Rows, dead ones included.
    pub rows: u32,
    /// Rows that have been deleted or replaced.
    pub dead_rows: u32,
    /// Vectors that a graph or an inverted index searches, over all names.
    pub indexed_vectors: u64,
    /// Bytes of its files.
    pub disk_bytes: u64,
}

/// Whether everything is in its best place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is left to do.
    Ready,
    /// Work is under way or due in the background; answers are complete meanwhile.
    Optimizing,
    /// Work in the background failed and will be tried again; answers are complete meanwhile.
    Failing,
}

/// Sizes, settings and background work of a collection.
///
/// ```
/// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
/// # let db = Database::builder().open_in_memory()?;
/// # let birds = db.create_collection("birds", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// birds.upsert((0..10).map(|id| Point::new(id, [0.1, 0.9])).collect())?;
/// birds.flush()?;
/// let info = birds.info()?;
/// assert_eq!((info.points, info.segments.len()), (10, 1));
/// assert_eq!(info.last_failure, None);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionInfo {
    /// Whether everything is in its best place.
    pub status: Status,
    /// Points.
    pub points: u64,
    /// Vectors that a graph or an inverted index searches, over all names.
    pub indexed_vectors: u64,
    /// Sequence number of the last operation.
    pub last_sequence: u64,
    /// Segments, in the order they were made.
    pub segments: Vec<SegmentInfo>,
    /// Bytes of rows that are in no segment yet.
    pub memtable_bytes: usize,
    /// Bytes of the files of all segments.
    pub disk_bytes: u64,
    /// What the collection was created with.
    pub config: CollectionConfig,
    /// Indexed payload paths, and what their indexes were created with.
    pub payload_indexes: Vec<(String, PayloadIndexParams)>,
    /// The job in the background, if there is one.
    pub progress: Option<Progress>,
    /// Why the last job in the background failed, if it did.
    pub last_failure: Option<String>,
}

pub(crate) fn collect(shared: &Shared, core: &Core, view: &View) -> Result<CollectionInfo> {
    let tables = &view.tables;
    let segment = |s: &std::sync::Arc<crate::segment::Segment>| SegmentInfo {
        id: s.record.id,
        rows: s.rows(),
        dead_rows: s.deletions.dead_total(),
        indexed_vectors: (tables.schema.vectors())
            .filter(|&(slot, _)| s.is_indexed(slot))
            .map(|(slot, _)| u64::from(s.rows_with_vector(slot)))
            .sum(),
        disk_bytes: s.record.components.iter().map(|c| c.len).sum(),
    };
    let segments: Vec<SegmentInfo> = tables.segments.iter().map(segment).collect();
    let damage = || tables.segments.iter().find_map(|s| s.damage());
    let last_failure = damage()
        .or_else(|| core.activity.failure())
        .or_else(|| shared.budget.stuck());
    let progress = core.activity.progress();
    let pending = !tables.frozen.is_empty() || crate::maintenance::optimize::is_due(core);
    let status = match (&last_failure, &progress) {
        (Some(_), None) => Status::Failing,
        (_, Some(_)) => Status::Optimizing,
        (None, None) if pending => Status::Optimizing,
        (None, None) => Status::Ready,
    };
    Ok(CollectionInfo {
        status,
        points: crate::query::matching::count(view, None, &Allowance::unlimited())?,
        indexed_vectors: segments.iter().map(|s| s.indexed_vectors).sum(),
        last_sequence: core.last_seq(),
        memtable_bytes: tables.memtable_bytes(),
        disk_bytes: segments.iter().map(|s| s.disk_bytes).sum(),
        segments,
        config: tables.schema.config(),
        payload_indexes: tables
            .schema
            .payload_indexes
            .iter()
            .map(|i| (i.path.clone(), i.params))
            .collect(),
        progress,
        last_failure,
    })
}
