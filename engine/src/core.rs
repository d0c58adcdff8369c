//! One open collection: its tables, its counters, its manifest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use vdb_storage::SegmentFile;
use vdb_storage::manifest::{CollectionManifest, ManifestStore, NUMBER_END};
use vdb_sys::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use vdb_sys::sync::{Instant, Mutex, RwLock};
use vdb_vfs::DynDisk;
use vdb_vfs::replace::TEMP_SUFFIX;
use vdb_wal::Lsn;

use crate::activity::Activity;
use crate::error::{Error, Result};
use crate::layout::collection_dir;
use crate::memtable::Memtable;
use crate::rates::Rates;
use crate::schema::Schema;
use crate::segment::Segment;
use crate::tables::{Tables, View};
use crate::visibility::Visibility;

/// Weak writes that may be unsynced at a time. Recovery skips this many sequence numbers where some may be lost,
/// so that none is ever given twice.
pub(crate) const WEAK_WINDOW: u64 = 1 << 20;

/// Between two attempts to flush what is set aside, where somebody writes to it: its files may be back.
const ASIDE_RETRY: Duration = Duration::from_secs(30);

/// Why a collection's memtables cannot become segments, and when that is to be tried again.
#[derive(Debug)]
struct Aside {
    why: String,
    again: Instant,
}

/// The last sequence number that may have been given, where weak writes behind `last` may be lost.
pub(crate) fn past_lost(last: u64) -> u64 {
    // There are no numbers behind these: the collection takes no more writes then, so none is given twice.
    last.saturating_add(WEAK_WINDOW).min(NUMBER_END - 1)
}

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
    /// Another collection is about to take its place and its sequence numbers: it takes no more writes. Set under the
    /// sequencer's lock.
    pub(crate) replaced: AtomicBool,
    /// Why it takes no more writes: what its memtables hold cannot become a segment, however much room there is, and they are
    /// taken out of the write buffer. Changed under the sequencer's lock.
    aside: Mutex<Option<Aside>>,
    /// Commits that have failed, maybe by a sync of the directory.
    pub(crate) failed_commits: AtomicU64,
    /// A write of weak durability is known, by the medium too, to have been accepted since the database was opened.
    pub(crate) weak: AtomicBool,
    /// Held by whatever changes the manifest, across its commit and the change of tables that follows.
    pub(crate) manifest: Mutex<CollectionManifest>,
    /// The next number of a segment; one that a failed job took is not given again.
    pub(crate) next_segment: AtomicU64,
    /// Held by an operation that takes its points in several steps: one of those at a time.
    pub(crate) stepping: Mutex<()>,
    /// Held by a flush, so that memtables become segments in their order.
    pub(crate) flushing: Mutex<()>,
    /// Held by a job that replaces or completes segments.
    pub(crate) optimizing: Mutex<()>,
    /// Callers who wait for the background job to make way.
    pub(crate) foreground: AtomicU32,
    /// When the last memtable became a segment, and the one before.
    pub(crate) flushes: Mutex<[Option<Instant>; 2]>,
    pub(crate) activity: Activity,
    /// Counts the changes of the schema that call off what is being built in the background.
    pub(crate) settings: AtomicU32,
    /// How much may be asked yet, where the settings limit it.
    pub(crate) rates: Rates,
}

impl Core {
    /// Opens a collection as its manifest has it, and removes what no manifest names. What is only in the log is not in
    /// it yet.
    pub(crate) fn open(disk: &DynDisk, id: u32, last_lsn: Lsn) -> Result<Core> {
        let core = Core::load(disk, id)?;
        core.check_log(disk, last_lsn)?;
        core.sweep(disk)?;
        Ok(core)
    }

    /// As [`open`](Self::open), without a change to the directory.
    pub(crate) fn load(disk: &DynDisk, id: u32) -> Result<Core> {
        let dir = collection_dir(id);
        let store = ManifestStore::<CollectionManifest>::new(disk.clone(), dir.clone());
        let damaged = |what: String| Error::Damaged {
            file: disk.display(&dir),
            what,
        };
        let manifest = store
            .load()?
            .ok_or_else(|| damaged("the manifest is missing".into()))?;
        if manifest.collection_id != id {
            return Err(damaged(format!(
                "the manifest is that of collection {}",
                manifest.collection_id
            )));
        }
        let schema = Arc::new(Schema::from_record(&manifest.schema, &disk.display(&dir))?);
        let open = |record| Segment::open(disk, &dir, &schema, record).map(Arc::new);
        let segments = manifest
            .segments
            .iter()
            .cloned()
            .map(open)
            .collect::<Result<_>>()?;
        let active = Arc::new(Memtable::new(&schema));
        let next_seq = manifest.seq_floor + 1;
        let tables = Tables {
            schema,
            active,
            frozen: Vec::new(),
            segments,
        };
        Ok(Core {
            id: manifest.collection_id,
            dir,
            tables: RwLock::new(Arc::new(tables)),
            next_seq: AtomicU64::new(next_seq),
            dropped: AtomicBool::new(false),
            replaced: AtomicBool::new(false),
            aside: Mutex::default(),
            failed_commits: AtomicU64::new(0),
            weak: AtomicBool::new(false),
            next_segment: AtomicU64::new(manifest.next_segment_id),
            manifest: Mutex::new(manifest),
            stepping: Mutex::new(()),
            flushing: Mutex::new(()),
            optimizing: Mutex::new(()),
            foreground: AtomicU32::new(0),
            flushes: Mutex::default(),
            activity: Activity::default(),
            settings: AtomicU32::new(0),
            rates: Rates::default(),
        })
    }

    /// Fails when the log ends before what the segments have of it.
    pub(crate) fn check_log(&self, disk: &DynDisk, last_lsn: Lsn) -> Result<()> {
        let flushed = self.manifest.lock().flushed_lsn;
        if flushed <= last_lsn {
            return Ok(());
        }
        Err(Error::Damaged {
            file: disk.display(&self.dir),
            what: format!(
                "it has seen the log up to record {flushed}, the log ends at {last_lsn}: log files are missing"
            ),
        })
    }

    /// Removes what interrupted jobs have left in the directory.
    fn sweep(&self, disk: &DynDisk) -> Result<()> {
        // Its first manifest was durable before a catalog named the collection.
        ManifestStore::<CollectionManifest>::new(disk.clone(), self.dir.clone()).settle()?;
        let named: BTreeSet<String> = self
            .manifest
            .lock()
            .segments
            .iter()
            .flat_map(|s| s.files())
            .map(|f| f.to_string())
            .collect();
        for name in disk.list(&self.dir)? {
            let is_stray = SegmentFile::parse(&name).is_some() && !named.contains(&name);
            if is_stray || name.ends_with(TEMP_SUFFIX) {
                match disk.remove(&format!("{}/{name}", self.dir)) {
                    // Gone is what it was to be, whoever has removed it.
                    Ok(()) | Err(vdb_vfs::Error::NotFound { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Becomes what `newer` is: the same collection, read later by one who does not write. Readers who have begun go on
    /// with what they have.
    pub(crate) fn become_newer(&self, newer: &Core) {
        *self.tables.write() = newer.tables();
        *self.manifest.lock() = newer.manifest.lock().clone();
        let next_seq = newer.next_seq.load(Ordering::Acquire);
        self.next_seq.store(next_seq, Ordering::Release);
    }

    /// Skips the numbers that weak writes may have lost, where recovery had no room to commit that.
    pub(crate) fn skip_weak(&self) {
        let mut held = self.manifest.lock();
        if held.weak {
            (held.seq_floor, held.weak) = (past_lost(held.seq_floor), false);
            self.next_seq.fetch_max(held.seq_floor + 1, Ordering::AcqRel);
        }
    }

    /// Fails for a collection that takes no more writes. The sequencer's lock is held.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.dropped.load(Ordering::Acquire) || self.replaced.load(Ordering::Acquire) {
            return Err(Error::CollectionNotFound {
                name: format!("#{} (dropped or replaced meanwhile)", self.id),
            });
        }
        Ok(())
    }

    /// Why its memtables cannot become segments, if that is so.
    pub(crate) fn aside(&self) -> Option<String> {
        self.aside.lock().as_ref().map(|aside| aside.why.clone())
    }

    /// Whether it is time to try once more what has failed.
    pub(crate) fn is_aside_long(&self) -> bool {
        let aside = self.aside.lock();
        aside
            .as_ref()
            .is_some_and(|aside| aside.again.saturating_duration_since(Instant::now()).is_zero())
    }

    /// True when its memtables cannot become segments.
    pub(crate) fn is_aside(&self) -> bool {
        self.aside.lock().is_some()
    }

    /// Says that its memtables cannot become segments, and why, or that they can. The sequencer's lock is held.
    pub(crate) fn set_aside(&self, why: Option<String>) {
        let now = Instant::now();
        self.set_aside_until(why, now.checked_add(ASIDE_RETRY).unwrap_or(now));
    }

    fn set_aside_until(&self, why: Option<String>, again: Instant) {
        *self.aside.lock() = why.map(|why| Aside { why, again });
    }

    /// Bytes of its memtables that the write buffer has been told of and counts.
    pub(crate) fn counted_bytes(&self) -> usize {
        match self.is_aside() {
            true => 0,
            false => self.tables().settled_bytes(),
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

    /// Replaces the tables. The sequencer's lock is held, except where nobody else writes: while the database is being
    /// opened, and while repair fills a new one.
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

    /// Freezes the active memtable if it holds at least `bytes`; answers whether. The sequencer's lock is held, except
    /// while the database is being opened.
    pub(crate) fn rotate_full(&self, bytes: usize) -> bool {
        let full = self.tables().active.bytes() >= bytes;
        if full {
            self.rotate();
        }
        full
    }

    /// Notes that a memtable has become a segment.
    pub(crate) fn note_flush(&self) {
        let mut flushes = self.flushes.lock();
        *flushes = [Some(Instant::now()), flushes[0]];
    }

    /// True when so many of the last flushes, at most two, were less than `time` ago.
    pub(crate) fn has_flushed(&self, times: usize, time: Duration) -> bool {
        let flushes = self.flushes.lock();
        flushes
            .get(times - 1)
            .is_some_and(|at| at.is_some_and(|at| at.elapsed() < time))
    }

    /// Sequence number of the last operation.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq.load(Ordering::Acquire) - 1
    }
}

#[cfg(test)]
mod tests;
