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
//! | `turns.rs` | how calls are carried out |
//! | `pool.rs`, `brief.rs` | blocking work, off the threads that serve connections; reads that are too short for that |
//! | `settings/` | what a collection is to be, as clients say it |
//! | `collections.rs`, `describe.rs`, `survey.rs` | collections and aliases; what is told of one, and of all |
//! | `names.rs`, `making.rs` | which names collections and aliases may have; how many collections there may be |
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
mod making;
mod named_vectors;
mod names;
mod pool;
mod query;
mod quotas;
mod read;
pub mod settings;
mod snapshots;
mod survey;
mod turns;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vdb::{Collection, Database};

pub use access::{Access, Caller, Keys};
pub(crate) use describe::colour;
pub use describe::{CollectionDescription, ConfigDescription, IndexDescription, ParamsDescription, Warning};
pub use error::{ErrorKind, Problems, Result, ServiceError};
pub use issues::Issue;
pub use named_vectors::NamedVectorSettings;
pub(crate) use query::check_batch;
pub use query::{GroupHits, GroupsRequest, WithLookup};
pub use quotas::{Probe, QuotaExceeded, QuotaLimits, QuotaUsage, SystemProbe};
pub use read::{ReadOptions, ScrollAnswer, ScrollAsk, ScrolledPoint};
pub use snapshots::{
    Incoming, Location, PartVersion, Recovery, Room, ShardManifest, SnapshotActivity, SnapshotDescription,
    SnapshotFile, SnapshotsOf, check_checksum, check_recovery, sweep_snapshots,
};
pub use survey::Surveyed;
pub use write::{Ordering, UpdateResult, UpdateStatus, WriteOptions};

use crate::tally::Tallies;
use brief::Brief;
use issues::Issues;
use making::Making;
use names::check_name;
use pool::Pool;
use quotas::Quotas;
use settings::CollectionDefaults;
use settings::kept::Changes;
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
    /// Collections that are being made.
    making: Making,
    issues: Issues,
    changes: Changes,
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
                making: Making::default(),
                issues: Issues::default(),
                changes: Changes::default(),
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
}

impl Inner {
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
