//! The state behind every handle of one open database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vdb_storage::manifest::Catalog;
use vdb_sys::sync::atomic::{AtomicBool, Ordering};
use vdb_sys::sync::{Mutex, RwLock};
use vdb_vfs::{Ahead, DynDisk, LockGuard};
use vdb_wal::{Lsn, Wal};

use crate::budget::Budget;
use crate::config::Options;
use crate::core::Core;
use crate::counters::Counters;
use crate::error::{Error, Result};
use crate::follower::Follower;
use crate::query::workers::Workers;
use crate::roster::Roster;
use crate::signal::{Signal, Syncer};
use crate::visibility::Visibility;

/// State that only the holder of the sequencer's lock touches.
#[derive(Debug, Default)]
pub(crate) struct Sequencer {
    pub(crate) closed: bool,
    /// Why no more writes are taken: memory may no longer agree with the log.
    pub(crate) poisoned: Option<String>,
    /// Writes of weak durability since the last sync.
    pub(crate) weak_unsynced: u64,
}

/// Why a collection is refused.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    pub(crate) file: String,
    pub(crate) what: String,
    /// Its files are of another version, and nothing is wrong with them.
    pub(crate) version: bool,
}

/// What the database is to its log.
#[derive(Debug)]
pub(crate) enum Log {
    /// Its one writer.
    Writer(Box<Wal>),
    /// A reader of what others write.
    Reader(Follower),
}

/// State behind every handle of one open database.
///
/// Locks are taken in this order: a collection's stepping, catalog, a collection's flushing or optimizing, its manifest, the sequencer, its
/// tables.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: DynDisk,
    pub(crate) options: Options,
    pub(crate) log: Log,
    /// The process that opened the database.
    pub(crate) process: u32,
    /// For what a caller waits for.
    pub(crate) pool: rayon::ThreadPool,
    /// For searches.
    pub(crate) searchers: Workers,
    /// One thread for the graphs of memtables, which are not to wait for larger ones.
    pub(crate) grow_pool: rayon::ThreadPool,
    pub(crate) sequencer: Mutex<Sequencer>,
    pub(crate) visibility: Visibility,
    pub(crate) catalog: Mutex<Catalog>,
    /// The names in it.
    pub(crate) roster: Roster,
    /// Open collections by number; the others are opened when they are asked for.
    pub(crate) cores: RwLock<BTreeMap<u32, Arc<Core>>>,
    pub(crate) budget: Budget,
    /// Reads graphs into memory.
    ahead: Ahead,
    pub(crate) syncer: Syncer,
    pub(crate) flusher: Signal,
    pub(crate) optimizer: Signal,
    pub(crate) grower: Signal,
    pub(crate) sweeper: Signal,
    pub(crate) counters: Counters,
    pub(crate) stopping: AtomicBool,
    /// A write of weak durability has been accepted since the database was opened.
    pub(crate) weak: AtomicBool,
    /// Sequence numbers that were skipped for good are not on the medium: the next opening must skip them again.
    pub(crate) unskipped: AtomicBool,
    /// Collections that cannot be opened although the log has records of theirs, with what is lost.
    pub(crate) damaged: Mutex<BTreeMap<u32, Damage>>,
    /// None for a reader, who keeps nobody from writing.
    pub(crate) lock: Mutex<Option<LockGuard>>,
}

impl Shared {
    /// A database of which nothing is open yet.
    pub(crate) fn new(
        disk: DynDisk,
        log: Log,
        catalog: Catalog,
        lock: Option<LockGuard>,
        options: Options,
    ) -> Result<Shared> {
        let pool_of = |threads: usize, name: &'static str| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(move |i| format!("{name}-{i}"))
                .build()
                .map_err(|e| Error::InvalidRequest(format!("cannot start the thread pool: {e}")))
        };
        Ok(Shared {
            disk,
            log,
            process: std::process::id(),
            pool: pool_of(options.threads, "vdb-pool")?,
            searchers: Workers::new(options.threads),
            grow_pool: pool_of(1, "vdb-growing")?,
            sequencer: Mutex::new(Sequencer::default()),
            visibility: Visibility::new(0),
            roster: Roster::new(&catalog),
            catalog: Mutex::new(catalog),
            cores: RwLock::new(BTreeMap::new()),
            budget: Budget::new(options.write_buffer.saturating_mul(2)),
            ahead: Ahead::default(),
            syncer: Syncer::default(),
            flusher: Signal::default(),
            optimizer: Signal::default(),
            grower: Signal::default(),
            sweeper: Signal::default(),
            counters: Counters::default(),
            stopping: AtomicBool::new(false),
            weak: AtomicBool::new(false),
            unskipped: AtomicBool::new(false),
            damaged: Mutex::new(BTreeMap::new()),
            lock: Mutex::new(lock),
            options,
        })
    }

    /// The open collection of a name or alias; opened now if it was not.
    pub(crate) fn core(&self, name: &str) -> Result<Arc<Core>> {
        self.check_open()?;
        if let Some(core) = self.open_core(name) {
            return Ok(core);
        }
        let catalog = self.catalog.lock();
        let id = resolve(&catalog, name).ok_or_else(|| Error::CollectionNotFound {
            name: name.to_owned(),
        })?;
        self.core_by_id(id)
    }

    /// The open collections of names or aliases, all as they are at one moment: a change of aliases in one step is there for all
    /// or for none.
    ///
    /// # Errors
    /// When a name stands for nothing, or a collection does not open.
    pub(crate) fn cores_of<'n>(&self, names: &BTreeSet<&'n str>) -> Result<BTreeMap<&'n str, Arc<Core>>> {
        self.check_open()?;
        let ids = self.roster.find_all(names);
        {
            let open = self.cores.read();
            let found: BTreeMap<&str, Arc<Core>> = ids
                .iter()
                .filter_map(|(&name, id)| Some((name, open.get(id)?.clone())))
                .collect();
            if found.len() == names.len() {
                return Ok(found);
            }
        }
        let catalog = self.catalog.lock();
        let find = |&name: &&'n str| {
            let id = resolve(&catalog, name).ok_or_else(|| Error::CollectionNotFound {
                name: name.to_owned(),
            })?;
            Ok((name, self.core_by_id(id)?))
        };
        names.iter().map(find).collect()
    }

    /// The collection of a name or alias, if it is open. Waits for nobody.
    pub(crate) fn open_core(&self, name: &str) -> Option<Arc<Core>> {
        let id = self.roster.find(name)?;
        self.cores.read().get(&id).cloned()
    }

    /// The open collection of a number; opened now if it was not. The catalog's lock is held, or the database is
    /// being opened: nobody else opens or drops it meanwhile.
    pub(crate) fn core_by_id(&self, id: u32) -> Result<Arc<Core>> {
        // Opening removes files that no manifest names. Once the database is closed they may be those that the next
        // owner of the directory is writing; closing waits for whoever holds the catalog's lock.
        self.check_open()?;
        if let Some(core) = self.cores.read().get(&id) {
            return Ok(core.clone());
        }
        if let Some(damage) = self.damaged.lock().get(&id).cloned() {
            return Err(self.refusal(id, damage));
        }
        if self.follower().is_some() {
            // Whoever reads only has opened all that there are.
            return Err(Error::CollectionNotFound {
                name: format!("#{id}"),
            });
        }
        let core = self.load_core(id)?;
        self.admit(core.clone());
        Ok(core)
    }

    /// Reads what a collection consists of. Of one that is about to enter the catalog this is done first: what has
    /// been committed must not fail any more.
    pub(crate) fn load_core(&self, id: u32) -> Result<Arc<Core>> {
        let last_lsn = self.wal()?.last_lsn();
        let core = Core::open(&self.disk, id, last_lsn).map_err(Error::with_advice)?;
        if self.unskipped.load(Ordering::Acquire) {
            core.skip_weak();
        }
        Ok(Arc::new(core))
    }

    /// From now on a collection of the catalog is open.
    pub(crate) fn admit(&self, core: Arc<Core>) {
        self.read_ahead(&core);
        let ends = core.tables().schema.ttl.is_some();
        self.cores.write().insert(core.id, core);
        if ends {
            self.sweeper.wake();
        }
    }

    /// Asks for the graphs of a collection to be in memory before they are searched. Without work in the background none of
    /// this either: a process that asks one question and ends would only wait for the disk in between.
    pub(crate) fn read_ahead(&self, core: &Core) {
        if self.options.background {
            for segment in &core.tables().segments {
                segment
                    .graph_files()
                    .for_each(|(path, len)| self.ahead.read(&self.disk, &path, len));
            }
        }
    }

    /// Why a collection is refused. Even if it opened now, it would lack what the log has of it.
    pub(crate) fn refusal(&self, id: u32, damage: Damage) -> Error {
        let Damage { file, what, version } = damage;
        match version.then(|| Core::load(&self.disk, id)) {
            Some(Err(error)) => error.with_advice(),
            Some(Ok(_)) | None => Error::Damaged { file, what }.with_advice(),
        }
    }

    /// The log, for those who write to it: not for a database that is open for reading only, nor in a forked child,
    /// whose parent goes on writing.
    pub(crate) fn wal(&self) -> Result<&Wal> {
        match &self.log {
            Log::Reader(_) => Err(Error::ReadOnly),
            Log::Writer(_) if self.is_forked() => Err(Error::Forked { owner: self.process }),
            Log::Writer(wal) => Ok(wal),
        }
    }

    /// True in a child that a fork made of the process which opened the database: none of its threads are there.
    pub(crate) fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// What follows the writer of a database that is open for reading only.
    pub(crate) fn follower(&self) -> Option<&Follower> {
        match &self.log {
            Log::Reader(follower) => Some(follower),
            Log::Writer(_) => None,
        }
    }

    /// Fails unless files of the database may be changed.
    pub(crate) fn check_writable(&self) -> Result<()> {
        self.wal()?;
        self.check_open()
    }

    /// Fails once the database is being closed: no job may touch its files after that.
    pub(crate) fn check_open(&self) -> Result<()> {
        if self.stopping.load(Ordering::Acquire) {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    pub(crate) fn open_cores(&self) -> Vec<Arc<Core>> {
        self.cores.read().values().cloned().collect()
    }

    /// Makes everything up to `lsn` durable, and lets readers see what that allows.
    pub(crate) fn sync_to(&self, lsn: Lsn) -> Result<()> {
        let wal = self.wal()?;
        if wal.synced_lsn() < lsn {
            wal.sync(lsn).map_err(|e| self.log_error(e))?;
        }
        // Of many who waited for one sync the first moves the horizon for all.
        if self.visibility.get() < lsn {
            self.visibility.synced(wal.synced_lsn());
        }
        Ok(())
    }

    /// Turns an error of the log into ours; a failed sync ends all waiting.
    pub(crate) fn log_error(&self, error: vdb_wal::Error) -> Error {
        let error = Error::from(error);
        if let Error::Poisoned(why) = &error {
            self.visibility.poison(why);
        }
        error
    }

    /// Freezes the largest memtable when together they hold too much and none is about to become a segment. True when
    /// there is something for the flusher to do.
    pub(crate) fn relieve(&self) -> bool {
        if self.budget.used() < self.options.write_buffer {
            return false;
        }
        let _sequencer = self.sequencer.lock();
        let cores = self.open_cores();
        let cores = cores.into_iter().filter(|core| !core.is_aside());
        if cores.clone().any(|core| !core.tables().frozen.is_empty()) {
            return true;
        }
        let largest = cores.max_by_key(|core| core.tables().active.bytes());
        match largest.filter(|core| !core.tables().active.is_empty()) {
            Some(core) => {
                core.rotate();
                true
            }
            None => false,
        }
    }

    /// Bytes from which on the log is kept short by flushing what holds it back.
    fn log_bound(&self) -> u64 {
        let buffered = (self.options.write_buffer as u64).saturating_mul(4);
        buffered.max(self.options.log_segment_bytes.saturating_mul(2))
    }

    /// True when the log is to be shortened. Not while a collection is damaged: it may need any of it; nor while one holds it
    /// back for good.
    pub(crate) fn log_is_long(&self) -> bool {
        let is_long = |wal: &Wal| wal.bytes() > self.log_bound();
        let is_held = || self.cores.read().values().any(|core| core.is_aside());
        self.wal().is_ok_and(is_long) && self.damaged.lock().is_empty() && !is_held()
    }

    /// Fails for a collection whose memtables cannot become segments. The sequencer's lock is held.
    pub(crate) fn check_flushes(&self, core: &Core) -> Result<()> {
        let Some(what) = core.aside() else {
            return Ok(());
        };
        if core.is_aside_long() {
            self.flusher.wake();
        }
        let file = self.disk.display(&core.dir);
        Err(Error::Damaged { file, what }.with_advice())
    }

    /// Lets the log drop what every collection has in segments, and freezes the memtable that holds it back most
    /// when it has grown too long.
    pub(crate) fn trim_log(&self) -> Result<()> {
        let wal = self.wal()?;
        if !self.damaged.lock().is_empty() {
            return Ok(());
        }
        let (floor, oldest) = {
            // A record is in the log before it is in a memtable: between the two it would look flushed.
            let _sequencer = self.sequencer.lock();
            let unflushed = |core: Arc<Core>| Some((core.tables().first_unflushed()?, core));
            let oldest = self
                .open_cores()
                .into_iter()
                .filter_map(unflushed)
                .min_by_key(|(lsn, _)| *lsn);
            (oldest.as_ref().map_or(wal.last_lsn(), |(lsn, _)| lsn - 1), oldest)
        };
        wal.release(floor).map_err(|e| self.log_error(e))?;
        if let Some((_, core)) = oldest.filter(|_| self.log_is_long()) {
            let _sequencer = self.sequencer.lock();
            if core.tables().frozen.is_empty() {
                core.rotate();
                self.flusher.wake();
            }
        }
        Ok(())
    }
}

/// The number of the collection that a name or an alias stands for.
pub(crate) fn resolve(catalog: &Catalog, name: &str) -> Option<u32> {
    if let Some(entry) = catalog.collections.iter().find(|c| c.name == name) {
        return Some(entry.id);
    }
    catalog
        .aliases
        .iter()
        .find(|a| a.name == name)
        .map(|a| a.collection_id)
}
