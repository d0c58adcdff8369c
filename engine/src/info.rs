//! Sizes, settings and what goes on in the background.

use std::sync::Arc;

use vdb_storage::Component;
use vdb_sys::sync::atomic::Ordering;
use vdb_wal::Syncs;

use crate::activity::{FinishedJob, Progress};
use crate::config::CollectionConfig;
use crate::core::Core;
use crate::counters::Work;
use crate::error::Result;
use crate::payload::PayloadIndexParams;
use crate::query::allowance::Allowance;
use crate::segment::Segment;
use crate::shared::{Log, Shared};
use crate::tables::{Tables, View};

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
    /// Collections that are open: the others are opened when they are asked for.
    pub open_collections: usize,
    /// Syncs of the log since the database was opened.
    pub log_syncs: Work,
    /// Memtables that became segments since then.
    pub flushes: Work,
    /// Merges of segments since then.
    pub merges: Work,
    /// Segments that got graphs and payload indexes since then.
    pub derivations: Work,
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
    let log_syncs = match &shared.log {
        Log::Writer(wal) => {
            let Syncs { done, failed, time } = wal.syncs();
            Work { done, failed, time }
        }
        Log::Reader(_) => Work::default(),
    };
    DatabaseInfo {
        collections: shared.catalog.lock().collections.len(),
        log_bytes,
        log_appended_bytes,
        memtable_bytes,
        flush_failure: shared.budget.stuck(),
        open_collections: shared.cores.read().len(),
        log_syncs,
        flushes: shared.counters.flushes.work(),
        merges: shared.counters.merges.work(),
        derivations: shared.counters.derivations.work(),
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
    /// Vectors, over all names.
    pub vectors: u64,
    /// Bytes of vectors, about.
    pub vector_bytes: u64,
    /// Bytes of the file of payloads.
    pub payload_bytes: u64,
    /// Bytes of its files.
    pub disk_bytes: u64,
}

/// The vectors of one name, those of ended versions that are not merged away yet included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorInfo {
    /// The name.
    pub name: String,
    /// How many there are.
    pub vectors: u64,
    /// How many of them a graph or an inverted index searches.
    pub indexed: u64,
    /// How many of them wait for their graph: searches that say [`indexed_only`](crate::SearchRequest::indexed_only) leave them out.
    pub waiting: u64,
    /// Their bytes, about.
    pub bytes: u64,
}

/// Whether everything is in its best place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing is left to do.
    Ready,
    /// Work is under way or due in the background; answers are complete meanwhile.
    Optimizing,
    /// Work is due, and the settings of the collection keep the background from it (`max_optimization_threads` 0).
    Waiting,
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
    /// Its number: no other collection of the database ever has it, not even a later one of its name.
    pub number: u32,
    /// Whether everything is in its best place.
    pub status: Status,
    /// Points.
    pub points: u64,
    /// Vectors that a graph or an inverted index searches, over all names.
    pub indexed_vectors: u64,
    /// Sequence number of the last operation.
    pub last_sequence: u64,
    /// Vectors by name, in the order of the settings.
    pub vectors: Vec<VectorInfo>,
    /// Segments, in the order they were made.
    pub segments: Vec<SegmentInfo>,
    /// Bytes of rows that are in no segment yet.
    pub memtable_bytes: usize,
    /// Bytes of the files of all segments.
    pub disk_bytes: u64,
    /// What it holds, and its settings as they are now.
    pub config: CollectionConfig,
    /// Indexed payload paths, and what their indexes were created with.
    pub payload_indexes: Vec<(String, PayloadIndexParams)>,
    /// The job in the background, if there is one.
    pub progress: Option<Progress>,
    /// The last jobs that were done in the background since the collection was opened, the last one first; at most 16.
    pub finished: Vec<FinishedJob>,
    /// Why the last job in the background failed, if it did.
    pub last_failure: Option<String>,
}

pub(crate) fn collect(shared: &Shared, core: &Core, view: &View) -> Result<CollectionInfo> {
    let tables = &view.tables;
    let segment = |s: &Arc<Segment>| SegmentInfo {
        id: s.record.id,
        rows: s.rows(),
        dead_rows: s.deletions.dead_total(),
        indexed_vectors: (tables.schema.vectors())
            .filter(|&(slot, _)| s.is_indexed(slot))
            .map(|(slot, _)| u64::from(s.rows_with_vector(slot)))
            .sum(),
        vectors: (tables.schema.vectors())
            .map(|(slot, _)| u64::from(s.rows_with_vector(slot)))
            .sum(),
        vector_bytes: (tables.schema.vectors())
            .map(|(slot, _)| s.vector_bytes(slot) as u64)
            .sum(),
        payload_bytes: (s.record.component(Component::Payload)).map_or(0, |file| file.len),
        disk_bytes: s.record.components.iter().map(|c| c.len).sum(),
    };
    let segments: Vec<SegmentInfo> = tables.segments.iter().map(segment).collect();
    let damage = || tables.segments.iter().find_map(|s| s.damage());
    let last_failure = damage()
        .or_else(|| core.aside())
        .or_else(|| core.activity.failure())
        .or_else(|| shared.budget.stuck());
    let progress = core.activity.progress();
    let due = crate::maintenance::optimize::is_due(shared, core);
    let kept = tables.merging().is_idle();
    let status = match (&last_failure, &progress) {
        (Some(_), None) => Status::Failing,
        (_, Some(_)) => Status::Optimizing,
        (None, None) if !tables.frozen.is_empty() || (due && !kept) => Status::Optimizing,
        (None, None) if due => Status::Waiting,
        (None, None) => Status::Ready,
    };
    Ok(CollectionInfo {
        number: core.id,
        status,
        points: crate::query::matching::count(view, None, &Allowance::unlimited())?,
        indexed_vectors: segments.iter().map(|s| s.indexed_vectors).sum(),
        last_sequence: core.last_seq(),
        vectors: (tables.schema.vectors())
            .map(|(slot, vector)| of_vector(tables, slot, &vector.name))
            .collect(),
        memtable_bytes: tables.memtable_bytes(),
        disk_bytes: segments.iter().map(|s| s.disk_bytes).sum(),
        segments,
        config: tables.schema.config(),
        payload_indexes: tables
            .schema
            .payload_indexes
            .iter()
            .map(|i| (i.path.clone(), i.params.clone()))
            .collect(),
        progress,
        finished: core.activity.finished(),
        last_failure,
    })
}

fn of_vector(tables: &Tables, slot: usize, name: &str) -> VectorInfo {
    let mut info = VectorInfo {
        name: name.to_owned(),
        vectors: 0,
        indexed: 0,
        waiting: 0,
        bytes: 0,
    };
    let waiting = |vectors: u32, bytes: usize| match tables.schema.graph_over(slot, vectors, bytes) {
        Some(_) => u64::from(vectors),
        None => 0,
    };
    for segment in &tables.segments {
        let (vectors, bytes) = (segment.rows_with_vector(slot), segment.vector_bytes(slot));
        info.vectors += u64::from(vectors);
        info.bytes += bytes as u64;
        if segment.is_indexed(slot) {
            info.indexed += u64::from(vectors);
        } else {
            info.waiting += waiting(vectors, bytes);
        }
    }
    for table in tables.memtables() {
        info.bytes += table.vector_bytes(slot) as u64;
        if let Some(dense) = table.vectors(slot) {
            info.vectors += u64::from(dense.rows.len());
            // Those behind the graph that grows with the rows.
            let covered = dense.live.graph().map_or(0, |live| live.graph.len());
            let behind = dense.rows.len().saturating_sub(covered);
            info.waiting += waiting(behind, behind as usize * dense.rows.row_bytes());
        } else if let Some(ragged) = table.ragged(slot) {
            info.vectors += u64::from(ragged.len());
            info.waiting += waiting(ragged.len(), ragged.bytes());
        }
    }
    info
}
