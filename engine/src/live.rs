//! The graph over the vectors of a memtable, and when it is to grow.
//!
//! It is immutable: growing makes another one, over all vectors that are there by then, and puts it in its place. A
//! reader takes the one that is there, walks it, and scans the vectors that came after it. It is a view of rows that
//! the log has, so nothing of it is ever written to the disk as it is.

use std::sync::Arc;
use std::time::Duration;

use vdb_index::hnsw::Graph;
use vdb_sys::sync::RwLock;
use vdb_sys::sync::atomic::{AtomicU32, Ordering};
use vdb_wal::Lsn;

use crate::schema::DenseSchema;

/// Vectors of fewer bytes than this behind the graph are scanned, in about 30 us, and not worth another graph...
const STEP_BYTES: usize = 1_536 << 10;
/// ...nor are fewer than this, however long.
const STEP_ROWS: usize = 512;
/// A further graph has at least this share more rows: making it anew costs about as much as inserting a tenth of its rows.
const STEP_SHARE: u32 = 8;
/// A memtable that is full in less time than this goes to its segment before a graph would be of use.
const LEAST_LIFE: Duration = Duration::from_secs(2);

/// A graph over the first vectors of a memtable.
#[derive(Debug)]
pub(crate) struct LiveGraph {
    pub(crate) graph: Graph,
    /// When the youngest row of it was born: readers of that time and later see all that have not died.
    pub(crate) born: Lsn,
}

/// The graph over the vectors of one name, if there is one yet.
#[derive(Debug)]
pub(crate) struct Live {
    graph: RwLock<Option<Arc<LiveGraph>>>,
    step: u32,
    /// With so many vectors the graph should grow.
    next: AtomicU32,
    /// With so many vectors the writer says so; it does once.
    said: AtomicU32,
}

impl Live {
    /// No graph yet. There will be none over fewer rows than segments get graphs for.
    pub(crate) fn new(vector: &DenseSchema, index_min_rows: u32) -> Self {
        let step = (STEP_BYTES / vector.params.row_bytes().max(1)).max(STEP_ROWS);
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        let next = step.max(index_min_rows);
        Live {
            graph: RwLock::new(None),
            step,
            next: AtomicU32::new(next),
            said: AtomicU32::new(next),
        }
    }

    /// The graph as it is now.
    pub(crate) fn graph(&self) -> Option<Arc<LiveGraph>> {
        self.graph.read().clone()
    }

    /// True when the graph should grow over that many vectors.
    pub(crate) fn wants(&self, vectors: u32) -> bool {
        vectors >= self.next.load(Ordering::Relaxed)
    }

    /// As [`wants`](Self::wants), for the writer, who is to wake the grower: true once for each graph.
    pub(crate) fn asks(&self, vectors: u32) -> bool {
        vectors >= self.said.load(Ordering::Relaxed) && vectors >= self.said.swap(u32::MAX, Ordering::Relaxed)
    }

    /// Puts a graph over more vectors in place.
    pub(crate) fn set(&self, graph: LiveGraph) {
        let rows = graph.graph.len();
        *self.graph.write() = Some(Arc::new(graph));
        let step = self.step.max(rows / STEP_SHARE);
        let next = rows.saturating_add(step);
        self.next.store(next, Ordering::Relaxed);
        self.said.store(next, Ordering::Relaxed);
    }
}

/// True when a memtable that came to hold `bytes` within `age` takes so long to hold `full` that a graph is of use.
pub(crate) fn lives_on(age: Duration, bytes: usize, full: usize) -> bool {
    age.as_secs_f64() * full as f64 >= LEAST_LIFE.as_secs_f64() * bytes as f64
}
