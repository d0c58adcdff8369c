//! One open collection: its tables, its counters, its manifest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, RwLock};
use vdb_storage::manifest::CollectionManifest;

use crate::activity::Activity;
use crate::memtable::Memtable;
use crate::tables::{Tables, View};
use crate::write::visibility::Visibility;

/// The state behind every handle of one collection.
#[derive(Debug)]
pub(crate) struct Core {
    /// Number of the collection; names its directory and its log records.
    pub(crate) id: u32,
    pub(crate) dir: String,
    tables: RwLock<Arc<Tables>>,
    /// The next sequence number. Written under the sequencer's lock.
    pub(crate) next_seq: AtomicU64,
    pub(crate) dropped: AtomicBool,
    /// A write of weak durability is known, by the medium too, to have been accepted since the database was opened.
    pub(crate) weak: AtomicBool,
    /// Held by whatever changes the manifest, across its commit and the change of tables that follows.
    pub(crate) manifest: Mutex<CollectionManifest>,
    /// The next number of a segment; one that a failed job took is not given again.
    pub(crate) next_segment: AtomicU64,
    /// Held by a flush, so that memtables become segments in their order.
    pub(crate) flushing: Mutex<()>,
    /// Held by a job that replaces or completes segments.
    pub(crate) optimizing: Mutex<()>,
    /// Callers who wait for the background job to make way.
    pub(crate) foreground: AtomicU32,
    pub(crate) last_flush: Mutex<Option<Instant>>,
    pub(crate) activity: Activity,
}

impl Core {
    pub(crate) fn new(dir: String, manifest: CollectionManifest, tables: Tables, next_seq: u64) -> Self {
        Core {
            id: manifest.collection_id,
            dir,
            tables: RwLock::new(Arc::new(tables)),
            next_seq: AtomicU64::new(next_seq),
            dropped: AtomicBool::new(false),
            weak: AtomicBool::new(false),
            next_segment: AtomicU64::new(manifest.next_segment_id),
            manifest: Mutex::new(manifest),
            flushing: Mutex::new(()),
            optimizing: Mutex::new(()),
            foreground: AtomicU32::new(0),
            last_flush: Mutex::new(None),
            activity: Activity::default(),
        }
    }

    pub(crate) fn tables(&self) -> Arc<Tables> {
        self.tables.read().clone()
    }

    /// What a reader that starts now sees.
    ///
    /// The horizon is read while the tables cannot change: every write at or below it is then in these tables,
    /// and no table among them has been cleaned of versions that it still shows.
    pub(crate) fn view(&self, visibility: &Visibility) -> View {
        let tables = self.tables.read();
        View {
            tables: tables.clone(),
            lsn: visibility.get(),
        }
    }

    /// Replaces the tables. The sequencer's lock is held, except while the database is being opened.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Tables)) {
        let mut tables = self.tables.write();
        let mut next = (**tables).clone();
        change(&mut next);
        *tables = Arc::new(next);
    }

    /// Freezes the active memtable, if it has anything. The sequencer's lock is held.
    pub(crate) fn rotate(&self) {
        self.change(|tables| {
            if !tables.active.is_empty() {
                let fresh = Arc::new(Memtable::new(&tables.schema));
                tables.frozen.push(std::mem::replace(&mut tables.active, fresh));
            }
        });
    }

    /// Sequence number of the last operation.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq.load(Ordering::Acquire) - 1
    }
}
