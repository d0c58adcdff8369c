//! Opening a database, and what can be done with it as a whole.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vdb_index::Control;
use vdb_sys::sync::Mutex;
use vdb_vfs::{DynDisk, MemDisk, OsDisk};

use crate::background;
use crate::catalog::AliasChange;
use crate::clock::Clock;
use crate::collection::Collection;
use crate::config::{CollectionConfig, Durability, Options};
use crate::error::{Error, Result};
use crate::filter::Datetime;
use crate::handle::Handle;
use crate::info::DatabaseInfo;
use crate::shared::Shared;
use crate::strict;
use crate::write::batch::WriteBatch;
use crate::write::ticket::{Ticket, WriteResult};

/// Settings of a database that is about to be opened.
///
/// ```
/// use vdb::{Database, Durability};
///
/// let dir = tempfile::tempdir().unwrap();
/// let db = Database::builder()
///     .durability(Durability::Buffered)
///     .write_buffer(16 << 20)
///     .open(dir.path().join("db"))?;
/// assert!(db.collections().is_empty());
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DatabaseBuilder {
    options: Options,
}

impl DatabaseBuilder {
    /// When writes that do not say otherwise are acknowledged. [`Durability::Sync`] by default.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// Bytes that rows may take in memory before they become segments, over all collections; twice this much
    /// before writers wait. 64 MiB by default, at least 64 KiB. One write is taken in as a whole, whatever room there is: up to
    /// [`MAX_BATCH_BYTES`](crate::MAX_BATCH_BYTES) more.
    #[must_use]
    pub fn write_buffer(mut self, bytes: usize) -> Self {
        self.options.write_buffer = bytes.max(64 << 10);
        self
    }

    /// Threads for building graphs, and as many for batches of searches and large scans; 0, the default, takes one a core.
    /// At most 1,024.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads.min(1_024);
        self
    }

    /// Within what time a [`Durability::Buffered`] write is synced. 100 ms by default.
    #[must_use]
    pub fn sync_interval(mut self, interval: Duration) -> Self {
        self.options.sync_interval = interval;
        self
    }

    /// Size of a log file. 64 MiB by default, at least 64 KiB.
    #[must_use]
    pub fn log_segment_bytes(mut self, bytes: u64) -> Self {
        self.options.log_segment_bytes = bytes.max(64 << 10);
        self
    }

    /// Whether a database is created where there is none. True by default.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.options.create = create;
        self
    }

    /// Whether segments are merged and indexed, points deleted whose time is past, and graphs (of 4 MiB and more, as long as half
    /// of the memory holds them) read ahead when a collection is opened, in the background. True by default; without it only [`Collection::optimize`] and [`Collection::sweep`] do so, and
    /// what a search reads of a graph is read when it is needed: best for a process that asks a question or two and ends.
    #[must_use]
    pub fn background(mut self, background: bool) -> Self {
        self.options.background = background;
        self
    }

    /// How often points are looked for whose time is past, in collections with a [`Ttl`](crate::Ttl) that are open. 60 s by
    /// default, at least 1 ms.
    #[must_use]
    pub fn sweep_interval(mut self, interval: Duration) -> Self {
        self.options.sweep_interval = interval.max(Duration::from_millis(1));
        self
    }

    /// Where the time of day comes from, by which points end ([`Ttl`](crate::Ttl)): the system's clock by default. Nothing
    /// else asks it.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> Datetime + Send + Sync + 'static) -> Self {
        self.options.clock = Clock::new(now);
        self
    }

    /// How long a read may take that does not say so itself, else it fails with [`Error::Timeout`] within milliseconds. No
    /// limit by default. Writes, and long work such as [`Collection::optimize`], take theirs from a
    /// [`Control`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use vdb::{CollectionConfig, Database, Distance, Error, SearchRequest, VectorParams};
    ///
    /// let db = Database::builder().read_timeout(Duration::ZERO).open_in_memory()?;
    /// let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// assert!(matches!(c.count(None), Err(Error::Timeout { .. })));
    /// let patient = SearchRequest::new([1.0]).timeout(Duration::from_secs(5));
    /// assert!(c.search(&patient)?.is_empty());
    /// # Ok::<_, vdb::Error>(())
    /// ```
    #[must_use]
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.options.read_timeout = Some(limit);
        self
    }

    /// Bytes of memory that the answer to one call may take, with what leads to it: candidates, decoded payloads,
    /// vectors, as far as they can be told. A call that would take more fails with [`Error::Limit`].
    /// [`DEFAULT_ANSWER_BYTES`](crate::DEFAULT_ANSWER_BYTES) by default.
    #[must_use]
    pub fn answer_bytes(mut self, bytes: usize) -> Self {
        self.options.answer_bytes = bytes;
        self
    }

    /// Whether requests are held to the [strict mode](crate::StrictMode) of their collections. True by default. Without it a program can
    /// bring in data or put it in order whatever the limits of a collection are, and these stay as they are for all others.
    ///
    /// ```
    /// use vdb::{CollectionConfig, Database, Distance, Point, StrictMode, VectorParams};
    ///
    /// let limits = StrictMode { enabled: Some(true), upsert_max_batchsize: Some(1), ..StrictMode::default() };
    /// let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot)).strict_mode(limits);
    /// let points = || vec![Point::new(1, [0.5]), Point::new(2, [0.5])];
    /// let held = Database::builder().open_in_memory()?;
    /// assert!(held.create_collection("c", config.clone())?.upsert(points()).is_err());
    /// let free = Database::builder().strict_mode(false).open_in_memory()?;
    /// assert!(free.create_collection("c", config)?.upsert(points()).is_ok());
    /// # Ok::<_, vdb::Error>(())
    /// ```
    #[must_use]
    pub fn strict_mode(mut self, is_kept: bool) -> Self {
        self.options.strict_mode = is_kept;
        self
    }

    /// From how many rows on a payload value gets a graph of its own. For tests, whose collections are small.
    #[doc(hidden)]
    #[must_use]
    pub fn partition_rows(mut self, rows: u32) -> Self {
        self.options.partition_rows = Some(rows.max(1));
        self
    }

    /// Opens the database in a directory.
    ///
    /// # Errors
    /// When the directory holds something else or a newer format, when another process has it open (the error
    /// says which), when the disk fails, or when data that must be there is damaged.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        let path = path.as_ref();
        let disk = OsDisk::open(path, self.options.create)?;
        self.open_disk(Arc::new(disk))
    }

    /// Opens an empty database in memory, gone when the last handle is dropped.
    ///
    /// # Errors
    /// When threads cannot be started.
    pub fn open_in_memory(self) -> Result<Database> {
        self.open_disk(Arc::new(MemDisk::new()))
    }

    /// Opens the database on any disk: a simulated one, for instance.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use vdb::Database;
    /// use vdb::disk::{DynDisk, MemDisk};
    ///
    /// let disk: DynDisk = Arc::new(MemDisk::new());
    /// Database::builder().open_disk(disk.clone())?.close()?;
    /// assert!(Database::builder().create(false).open_disk(disk)?.collections().is_empty());
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_disk(self, disk: DynDisk) -> Result<Database> {
        let shared = crate::recovery::open(disk, self.options)?;
        let mut threads: Vec<Thread> = vec![
            ("vdb-sync", |shared| background::syncer::run(shared)),
            ("vdb-flush", |shared| background::flusher::run(shared)),
        ];
        if shared.options.background {
            threads.push(("vdb-optimize", |shared| background::optimizer::run(shared)));
            threads.push(("vdb-grow", |shared| background::grower::run(shared)));
            threads.push(("vdb-sweep", background::sweeper::run));
        }
        start(shared, &threads)
    }

    /// Opens the database in a directory for reading only, whether or not another process has it open for writing.
    /// See [`Database::open_read_only`]. Of the settings, those of reads matter: [`threads`](Self::threads),
    /// [`read_timeout`](Self::read_timeout), [`answer_bytes`](Self::answer_bytes), [`strict_mode`](Self::strict_mode), and
    /// [`background`](Self::background): without it, what is in memory is searched by scan alone.
    ///
    /// # Errors
    /// As [`Database::open_read_only`].
    pub fn open_read_only(self, path: impl AsRef<Path>) -> Result<Database> {
        let disk = OsDisk::open(path.as_ref(), false)?;
        self.open_disk_read_only(Arc::new(disk))
    }

    /// As [`open_read_only`](Self::open_read_only), on any disk. Nothing on it is changed.
    ///
    /// # Errors
    /// As [`Database::open_read_only`].
    pub fn open_disk_read_only(self, disk: DynDisk) -> Result<Database> {
        let shared = crate::refresh::open(disk, self.options)?;
        let mut threads: Vec<Thread> = Vec::new();
        if shared.options.background {
            threads.push(("vdb-grow", |shared| background::grower::run(shared)));
        }
        start(shared, &threads)
    }
}

/// Name and body of a thread.
type Thread = (&'static str, fn(&Arc<Shared>));

/// Starts the threads of a database. Should one fail to start, the others end with the handle.
fn start(shared: Shared, threads: &[Thread]) -> Result<Database> {
    let handle = Handle {
        shared: Arc::new(shared),
        threads: Mutex::new(Vec::new()),
    };
    for &(name, body) in threads {
        let shared = handle.shared.clone();
        let thread = vdb_sys::sync::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || body(&shared))
            .map_err(|e| Error::InvalidRequest(format!("cannot start a background thread: {e}")))?;
        handle.threads.lock().push(thread);
    }
    Ok(Database {
        handle: Arc::new(handle),
    })
}

/// An open database: collections and aliases in one directory, one log, one writer process.
///
/// Cheap to clone and safe to share between threads. Dropping the last handle, of the database or of any of its
/// collections, closes it.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Point, SearchRequest, VectorParams};
///
/// let dir = tempfile::tempdir().unwrap();
/// let db = Database::open(dir.path().join("db"))?;
/// let words = db.create_collection("words", CollectionConfig::new(VectorParams::new(2, Distance::Cosine)))?;
/// words.upsert(vec![Point::new(1, [1.0, 0.1]), Point::new(2, [0.1, 1.0])])?;
/// let hits = words.search(&SearchRequest::new([1.0, 0.0]).limit(1))?;
/// assert_eq!(hits[0].id, 1.into());
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) handle: Arc<Handle>,
}

impl Database {
    /// Opens the database in a directory, creating it where there is none, with default settings.
    ///
    /// # Errors
    /// As [`DatabaseBuilder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Database::builder().open(path)
    }

    /// Opens the database in a directory for reading only. It writes nothing and takes no lock, so it works beside
    /// the one process that writes, on a read-only medium, and in a directory where this user may not write.
    ///
    /// What is seen is what had been written when the database was opened, batches whole: every write that had been
    /// acknowledged by then, and perhaps some that were about to be. [`refresh`](Self::refresh) brings in what
    /// came later. All collections are opened at once, and what the writer has in memory is read from its log into
    /// memory of this process. The files that are mapped stay readable whatever the writer does.
    ///
    /// So a reader may see a write that is in the log and not yet synced. At [`Durability::Sync`] its writer has not been told
    /// of it then, and does not show it yet. After a power cut it may be gone, as if it had never been, though a reader has
    /// seen it; the end of a process takes nothing. What cannot be undone should be done because of an acknowledgement,
    /// not because of what a reader saw.
    ///
    /// Calls that would change something fail with [`Error::ReadOnly`].
    ///
    /// ```
    /// use vdb::{CollectionConfig, Database, Distance, Error, Point, VectorParams};
    ///
    /// let dir = tempfile::tempdir().unwrap();
    /// let writer = Database::open(dir.path())?;
    /// let words = writer.create_collection("words", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
    /// words.upsert(vec![Point::new(1, [1.0, 0.0])])?;
    ///
    /// // In this process or another one:
    /// let reader = Database::open_read_only(dir.path())?;
    /// let seen = reader.collection("words")?;
    /// assert_eq!(seen.count(None)?, 1);
    /// words.upsert(vec![Point::new(2, [0.0, 1.0])])?;
    /// assert_eq!(seen.count(None)?, 1);
    /// assert!(reader.refresh()?);
    /// assert_eq!(seen.count(None)?, 2);
    /// assert!(matches!(seen.delete(vec![vdb::PointId::Num(1)]), Err(Error::ReadOnly)));
    /// # Ok::<_, Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no database, when the disk fails, when data that must be there is damaged, and
    /// [`Error::Changing`] when the writer is always faster.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Database> {
        Database::builder().open_read_only(path)
    }

    /// Settings to change before opening.
    pub fn builder() -> DatabaseBuilder {
        DatabaseBuilder::default()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Creates an empty collection.
    ///
    /// # Errors
    /// When the name is taken or not allowed, when the configuration is not valid, or when the disk fails.
    pub fn create_collection(&self, name: &str, config: CollectionConfig) -> Result<Collection> {
        let core = self.shared().create_collection(name, config)?;
        Ok(Collection::new(self.handle.clone(), core, name))
    }

    /// A handle to the collection of that name or alias.
    ///
    /// # Errors
    /// When there is none, or when it cannot be opened because its files are damaged.
    pub fn collection(&self, name: &str) -> Result<Collection> {
        let core = self.shared().core(name)?;
        Ok(Collection::new(self.handle.clone(), core, name))
    }

    /// As [`collection`](Self::collection), for one that is open already: never waits for the disk, nor for others who create
    /// or drop collections. `None` where there is none of that name, and where the first call is still to open it.
    pub fn open_collection(&self, name: &str) -> Option<Collection> {
        let core = self.shared().open_core(name)?;
        Some(Collection::new(self.handle.clone(), core, name))
    }

    /// Names of all collections, sorted.
    pub fn collections(&self) -> Vec<String> {
        self.shared().collection_names()
    }

    /// True when a collection or alias of that name exists.
    pub fn exists(&self, name: &str) -> bool {
        self.shared().roster.find(name).is_some()
    }

    /// Drops a collection with its aliases. False when there is none of that name (an alias does not count).
    ///
    /// # Errors
    /// When the disk fails.
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        self.shared().drop_collection(name)
    }

    /// Gives a collection another name; its aliases stay with it.
    ///
    /// # Errors
    /// When there is no collection of the old name, or the new one is taken or not allowed.
    pub fn rename_collection(&self, from: &str, to: &str) -> Result<()> {
        self.shared().rename_collection(from, to)
    }

    /// Changes several aliases in one atomic step, in order.
    ///
    /// # Errors
    /// As the single calls; then nothing has changed.
    pub fn update_aliases(&self, changes: &[AliasChange]) -> Result<()> {
        self.shared().update_aliases(changes)
    }

    /// Makes `alias` stand for a collection; an alias that exists is pointed elsewhere.
    ///
    /// # Errors
    /// When there is no such collection (another alias does not count), or the alias is the name of a collection or
    /// not allowed.
    pub fn create_alias(&self, alias: &str, collection: &str) -> Result<()> {
        self.update_aliases(&[AliasChange::Create {
            alias: alias.to_owned(),
            collection: collection.to_owned(),
        }])
    }

    /// Removes an alias; one that does not exist is fine.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn delete_alias(&self, alias: &str) -> Result<()> {
        self.update_aliases(&[AliasChange::Delete {
            alias: alias.to_owned(),
        }])
    }

    /// Renames an alias.
    ///
    /// # Errors
    /// When it does not exist, or the new name is the name of a collection or not allowed.
    pub fn rename_alias(&self, from: &str, to: &str) -> Result<()> {
        self.update_aliases(&[AliasChange::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        }])
    }

    /// All aliases with the collections they stand for, sorted by alias.
    pub fn aliases(&self) -> Vec<(String, String)> {
        self.shared().aliases()
    }

    /// Writes a batch and waits as the database's durability says.
    ///
    /// # Errors
    /// When any operation is refused, nothing of the batch takes effect.
    pub fn write(&self, batch: WriteBatch) -> Result<WriteResult> {
        self.submit(batch, self.shared().options.durability)?
            .acknowledge()
    }

    /// As [`write`](Self::write), watched: `control` may stop it while the points of its filters are being found.
    ///
    /// # Errors
    /// As [`write`](Self::write), and [`Error::Cancelled`] or [`Error::Timeout`] when `control` says so before the batch is in
    /// the log; nothing of it takes effect.
    pub fn write_with(&self, batch: WriteBatch, control: &Control<'_>) -> Result<WriteResult> {
        let shared = self.shared();
        let entries = shared.bind(batch)?;
        strict::admit_writes(&shared.options, &entries)?;
        shared
            .submit(entries, shared.options.durability, control)?
            .acknowledge()
    }

    /// Puts a batch in its place in the order and into the log without waiting for the disk.
    ///
    /// # Errors
    /// When any operation is refused, nothing of the batch takes effect.
    pub fn submit(&self, batch: WriteBatch, durability: Durability) -> Result<Ticket> {
        let shared = self.shared();
        shared.wal()?;
        let entries = shared.bind(batch)?;
        strict::admit_writes(&shared.options, &entries)?;
        shared.submit(entries, durability, &Control::none())
    }

    /// Brings a database that was opened [for reading only](Self::open_read_only) up to what has been written by now;
    /// true when there was anything. Writes that are not synced yet, and so not acknowledged, may be among it: see there
    /// what a power cut means for them. Handles to collections go on: those of renamed ones too, while those of dropped
    /// ones fail, and those of damaged ones until a refresh finds them sound. Reads that have begun finish on what they
    /// saw, and all collections move on in one step.
    ///
    /// A database that is open for writing has nothing to bring in.
    ///
    /// # Errors
    /// As [`open_read_only`](Self::open_read_only). What was seen before is still seen then.
    pub fn refresh(&self) -> Result<bool> {
        crate::refresh::refresh(self.shared()).map_err(Error::with_advice)
    }

    /// Sizes of the database as a whole.
    pub fn info(&self) -> DatabaseInfo {
        crate::info::of_database(self.shared())
    }

    /// Makes every write so far survive a power cut, whatever its level.
    ///
    /// # Errors
    /// When the sync fails.
    pub fn sync(&self) -> Result<()> {
        self.shared().sync_to(self.shared().wal()?.last_lsn())
    }

    /// Closes the database for all its handles and reports what failed, if anything did. Acknowledged writes do
    /// not depend on it. Reads and writes through handles that are left fail with [`Error::Closed`]: somebody else may
    /// have the directory by then.
    ///
    /// # Errors
    /// When the last sync fails.
    pub fn close(self) -> Result<()> {
        self.handle.close()
    }
}
