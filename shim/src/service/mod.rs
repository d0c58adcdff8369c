//! What each call means, in the engine's terms: the one place that REST and gRPC share.
//!
//! ```text
//! wire -> Service -> pool.rs (threads of its own) -> vdb
//! ```
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | errors in the classes and words that clients know |
//! | `access/` | who may do what: keys, tokens, what each call needs |
//! | `callers.rs` | the service as somebody sees it |
//! | `quotas/` | how much of the machine may be taken |
//! | `pool.rs`, `brief.rs` | blocking work, off the threads that serve connections; reads that are too short for that |
//! | `settings/` | what a collection is to be, as clients say it |
//! | `collections.rs`, `describe.rs`, `survey.rs` | collections and aliases; what is told of one, and of all |
//! | `names.rs` | which names collections and aliases may have |
//! | `write.rs`, `indexes.rs`, `named_vectors.rs` | writes of points; payload indexes; vectors that come and go |
//! | `query.rs`, `read.rs` | queries and groups; everything else that reads points |
//! | `snapshots/` | files of snapshots |
//! | `issues.rs` | what somebody had better mend |
//!
//! Calls take engine types ([`vdb::QueryRequest`], [`vdb::Operation`] ...), except settings of collections, which have more to
//! them than the engine knows.

pub mod access;
mod brief;
mod callers;
mod collections;
mod describe;
mod error;
mod indexes;
mod issues;
mod named_vectors;
mod names;
mod pool;
mod query;
mod quotas;
mod read;
pub mod settings;
mod snapshots;
mod survey;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vdb::{Collection, Control, Database};

pub use access::{Access, Caller, Keys};
pub(crate) use describe::colour;
pub use describe::{CollectionDescription, ConfigDescription, IndexDescription, ParamsDescription, Warning};
pub use error::{ErrorKind, Problems, Result, ServiceError};
pub use issues::Issue;
pub use named_vectors::NamedVectorSettings;
pub use query::{GroupHits, GroupsRequest, WithLookup};
pub use quotas::{Probe, QuotaExceeded, QuotaLimits, QuotaUsage, SystemProbe};
pub use read::{ReadOptions, ScrollAnswer, ScrollAsk, ScrolledPoint};
pub use snapshots::{
    Incoming, Location, PartVersion, Recovery, Room, ShardManifest, SnapshotActivity, SnapshotDescription,
    SnapshotFile, SnapshotsOf, check_checksum, sweep_snapshots,
};
pub use survey::Surveyed;
pub use write::{Ordering, UpdateResult, UpdateStatus, WriteOptions};

use crate::tally::Tallies;
use brief::Brief;
use issues::Issues;
use names::check_name;
use pool::{Abandoned, Pool};
use quotas::Quotas;
use settings::CollectionDefaults;
use snapshots::{Activities, Names};

/// The version of Qdrant whose interface this is. Clients compare it with their own.
pub const QDRANT_VERSION: &str = "1.19.0";

/// What `GET /` tells as the commit. Clients look at its length only.
pub const QDRANT_COMMIT: &str = "74f3e85b00000000000000000000000000000000";

/// What `GET /` and the health check call the service.
pub const QDRANT_TITLE: &str = "qdrant - vector search engine";

/// How long a read may take that does not say.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// From which time on a call is slow, where nobody says.
pub const DEFAULT_SLOW: Duration = Duration::from_millis(1_200);

/// What directories of snapshots are called, behind the name of the database's.
const SNAPSHOTS: &str = ".snapshots";

/// Where the snapshots of the database of this directory are, unless somebody says otherwise: beside it, as they may not lie
/// in it.
pub fn snapshots_beside(database: &Path) -> PathBuf {
    // A trailing slash would put it inside.
    let mut name = database.components().as_path().as_os_str().to_owned();
    name.push(SNAPSHOTS);
    name.into()
}

/// What files of quotas are called, behind the name of the database's.
const QUOTAS: &str = ".quotas.json";

/// Where the quotas are kept that clients of the database of this directory have set: beside it, too.
pub fn quotas_beside(database: &Path) -> PathBuf {
    let mut name = database.components().as_path().as_os_str().to_owned();
    name.push(QUOTAS);
    name.into()
}

/// Settings of the service.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Where snapshots are. Made when the first one is.
    pub snapshots: PathBuf,
    /// Reads at once; 0 for twice as many as there are processors.
    pub threads: usize,
    /// How long a read may take that does not say.
    pub read_timeout: Duration,
    /// Calls that take this time or more are told in the log.
    pub slow: Duration,
    /// Most collections; none by default.
    pub max_collections: Option<usize>,
    /// What collections are created with that do not say.
    pub collections: CollectionDefaults,
    /// Reads that end within this time are done by the thread that asks for them; others begin again elsewhere when it is
    /// over. No time by default: for servers, whose threads have nothing else to do.
    pub brief: Duration,
    /// Where the database lies, to see how full that is; `None` for one in memory.
    pub directory: Option<PathBuf>,
    /// How much of the machine may be taken, until a client says otherwise.
    pub quotas: QuotaLimits,
    /// The file that what a client says of it is kept in; `None` forgets it with the service.
    pub quotas_file: Option<PathBuf>,
}

impl ServiceOptions {
    /// Default settings, with snapshots in this directory.
    pub fn new(snapshots: impl Into<PathBuf>) -> Self {
        ServiceOptions {
            snapshots: snapshots.into(),
            threads: 0,
            read_timeout: DEFAULT_READ_TIMEOUT,
            slow: DEFAULT_SLOW,
            max_collections: None,
            collections: CollectionDefaults::default(),
            brief: Duration::ZERO,
            directory: None,
            quotas: QuotaLimits::default(),
            quotas_file: None,
        }
    }
}

/// A database as clients of Qdrant see it. Cheap to clone. Its calls need a tokio runtime, whose threads they do not block for
/// longer than [`ServiceOptions::brief`].
#[derive(Clone, Debug)]
pub struct Service {
    inner: Arc<Inner>,
    /// Whom it is for.
    caller: Caller,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    pool: Pool,
    brief: Brief,
    rest: Arc<Tallies>,
    grpc: Arc<Tallies>,
    options: ServiceOptions,
    quotas: Quotas,
    peer: u64,
    started: Started,
    /// Snapshots that are being made.
    names: Names,
    activities: Activities,
    issues: Issues,
}

#[derive(Clone, Copy, Debug)]
struct Started {
    at: Instant,
    wall: jiff::Timestamp,
}

impl Service {
    /// Serves a database to whoever holds it, who may do everything; [`on_behalf_of`](Self::on_behalf_of) is for others.
    pub fn new(database: Database, options: ServiceOptions) -> Self {
        let probe = SystemProbe::new(options.directory.clone());
        Service::with_probe(database, options, Box::new(probe))
    }

    /// As [`new`](Self::new), where something else tells how much of the machine is in use.
    pub fn with_probe(database: Database, options: ServiceOptions, probe: Box<dyn Probe>) -> Self {
        let processors = std::thread::available_parallelism().map_or(4, usize::from);
        let threads = if options.threads == 0 {
            2 * processors
        } else {
            options.threads
        };
        // Clients that keep it in a signed or floating number must not lose any of it.
        let peer = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
        let quotas = Quotas::new(options.quotas, options.quotas_file.clone(), probe);
        Service {
            caller: Caller::with(Access::Manage),
            inner: Arc::new(Inner {
                database,
                pool: Pool::new(threads),
                brief: Brief::new(options.brief),
                rest: Arc::default(),
                grpc: Arc::default(),
                options,
                quotas,
                peer,
                started: Started {
                    at: Instant::now(),
                    wall: jiff::Timestamp::now(),
                },
                names: Names::default(),
                activities: Activities::default(),
                issues: Issues::default(),
            }),
        }
    }

    /// The database that is served.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    /// What this node is called in answers about clusters.
    pub fn peer_id(&self) -> u64 {
        self.inner.peer
    }

    /// How long it has been serving.
    pub fn uptime(&self) -> Duration {
        self.inner.started.at.elapsed()
    }

    /// When it began to serve.
    pub fn started(&self) -> jiff::Timestamp {
        self.inner.started.wall
    }

    /// Most collections, if there is such a limit.
    pub fn max_collections(&self) -> Option<usize> {
        self.inner.options.max_collections
    }

    /// Reads at once.
    pub fn search_threads(&self) -> usize {
        self.inner.pool.read_threads()
    }

    /// From which time on a call is told in the log as a slow one.
    pub(crate) fn slow(&self) -> Duration {
        self.inner.options.slow
    }

    /// How REST was answered.
    pub(crate) fn rest_tallies(&self) -> &Arc<Tallies> {
        &self.inner.rest
    }

    /// How gRPC was answered.
    pub(crate) fn grpc_tallies(&self) -> &Arc<Tallies> {
        &self.inner.grpc
    }

    /// As [`on_collection`](Self::on_collection), for what may be done in no time: then it is done here. Else it begins again.
    async fn soon<T: Send + 'static>(
        &self,
        collection: &str,
        options: ReadOptions,
        mut work: impl FnMut(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(options, self.inner.options.read_timeout);
        if let Some(outcome) = self.inner.briefly(collection, time, &mut work) {
            return outcome;
        }
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .read(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// Runs a read of a collection within its time, which begins now, off the threads that serve connections.
    async fn on_collection<T: Send + 'static>(
        &self,
        collection: &str,
        options: ReadOptions,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(options, self.inner.options.read_timeout);
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .read(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// As [`on_collection`](Self::on_collection), for what is told of a collection without a look at its points.
    async fn about_collection<T: Send + 'static>(
        &self,
        collection: &str,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(ReadOptions::default(), self.inner.options.read_timeout);
        let (inner, name) = (self.inner.clone(), collection.to_owned());
        self.inner
            .pool
            .glance(time.end(), move |abandoned| {
                inner.within(&name, time, abandoned, work)
            })
            .await
    }

    /// Looks at what collections there are.
    async fn about_all<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::of(ReadOptions::default(), self.inner.options.read_timeout);
        let inner = self.inner.clone();
        self.inner.pool.glance(time.end(), move |_| work(&inner)).await
    }

    /// Runs work to its end, whoever waits for it, off the threads that serve connections.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        self.inner.pool.write(move || work(&inner)).await
    }
}

/// The time that a call may take, waiting for its turn included.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    from: Instant,
    limit: Duration,
    /// Whether its caller says so.
    asked: bool,
}

impl Allowed {
    /// From now on, and as long as the service has it where the caller does not say.
    fn of(options: ReadOptions, default: Duration) -> Self {
        Allowed {
            from: Instant::now(),
            limit: options.timeout.unwrap_or(default),
            asked: options.timeout.is_some(),
        }
    }

    /// When it is over; never, where that is beyond what clocks can tell.
    fn end(self) -> Option<Instant> {
        self.from.checked_add(self.limit)
    }

    fn left(self) -> Duration {
        self.limit.saturating_sub(self.from.elapsed())
    }

    /// Refuses more time than the collection lets callers ask for.
    fn check(self, collection: &Collection) -> Result<()> {
        if self.asked {
            collection.check_timeout(self.limit)?;
        }
        Ok(())
    }
}

impl Inner {
    /// Runs a read that has its turn in the time that is left.
    fn within<T>(
        &self,
        name: &str,
        time: Allowed,
        abandoned: &Abandoned,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T>,
    ) -> Result<T> {
        let cancel = || abandoned.is_set();
        let control = Control::cancelled_by(&cancel).timeout(time.left());
        let collection = self.collection(name)?;
        time.check(&collection)?;
        work(self, &collection, &control)
    }

    /// What a read gives if it is done in no time, and need not wait for anything.
    fn briefly<T>(
        &self,
        name: &str,
        time: Allowed,
        work: &mut impl FnMut(&Inner, &Collection, &Control<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        if !self.brief.is_due() {
            return None;
        }
        // What is begun twice would count twice.
        let collection = self
            .database
            .open_collection(name)
            .filter(|c| !c.counts_reads())?;
        let _turn = self.pool.free_turn()?;
        self.brief.attempt(time.left(), |control| {
            time.check(&collection)?;
            work(self, &collection, control)
        })
    }

    /// The collection of that name or alias.
    fn collection(&self, name: &str) -> Result<Collection> {
        check_name(name)?;
        Ok(self.database.collection(name)?)
    }

    /// The collection that an alias stands for; else the name itself.
    fn resolve(&self, name: &str) -> String {
        let aliases = self.database.aliases();
        let target = aliases.into_iter().find(|(alias, _)| alias == name);
        target.map_or_else(|| name.to_owned(), |(_, collection)| collection)
    }
}

#[cfg(test)]
mod tests;
