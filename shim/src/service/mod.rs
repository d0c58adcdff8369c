//! What each call means, in the engine's terms: the one place that REST and gRPC share.
//!
//! ```text
//! wire -> Service -> pool.rs (threads of its own) -> vdb
//! ```
//!
//! | file | what |
//! |---|---|
//! | `error.rs` | errors in the classes and words that clients know |
//! | `access.rs` | API keys |
//! | `pool.rs` | blocking work, off the threads that serve connections |
//! | `settings/` | what a collection is to be, as clients say it |
//! | `collections.rs`, `describe.rs` | collections and aliases; what is told of one |
//! | `names.rs` | which names collections and aliases may have |
//! | `write.rs`, `indexes.rs`, `named_vectors.rs` | writes of points; payload indexes; vectors that come and go |
//! | `query.rs`, `read.rs` | queries and groups; everything else that reads points |
//! | `snapshots/` | files of snapshots |
//!
//! Calls take engine types ([`vdb::QueryRequest`], [`vdb::Operation`] ...), except settings of collections, which have more to
//! them than the engine knows.

mod access;
mod collections;
mod describe;
mod error;
mod indexes;
mod named_vectors;
mod names;
mod pool;
mod query;
mod read;
pub mod settings;
mod snapshots;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vdb::{Collection, Control, Database};

pub use access::{Access, Keys};
pub use describe::{CollectionDescription, ConfigDescription, IndexDescription, ParamsDescription, Warning};
pub use error::{ErrorKind, Problems, Result, ServiceError};
pub use named_vectors::NamedVectorSettings;
pub use query::{GroupHits, GroupsRequest, WithLookup};
pub use read::{ReadOptions, ScrollAnswer, ScrollAsk, ScrolledPoint};
pub use snapshots::{Incoming, Recovery, SnapshotDescription, SnapshotFile, SnapshotsOf, check_checksum};
pub use write::{Ordering, UpdateResult, UpdateStatus, WriteOptions};

use names::check_name;
use pool::{Abandoned, Pool};
use snapshots::Names;

/// The version of Qdrant whose interface this is. Clients compare it with their own.
pub const QDRANT_VERSION: &str = "1.19.0";

/// What `GET /` tells as the commit. Clients look at its length only.
pub const QDRANT_COMMIT: &str = "74f3e85b00000000000000000000000000000000";

/// What `GET /` and the health check call the service.
pub const QDRANT_TITLE: &str = "qdrant - vector search engine";

/// How long a read may take that does not say.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(60);

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

/// Settings of the service.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Where snapshots are. Made when the first one is.
    pub snapshots: PathBuf,
    /// Reads at once; 0 for twice as many as there are processors.
    pub threads: usize,
    /// How long a read may take that does not say.
    pub read_timeout: Duration,
    /// Most collections; none by default.
    pub max_collections: Option<usize>,
}

impl ServiceOptions {
    /// Default settings, with snapshots in this directory.
    pub fn new(snapshots: impl Into<PathBuf>) -> Self {
        ServiceOptions {
            snapshots: snapshots.into(),
            threads: 0,
            read_timeout: DEFAULT_READ_TIMEOUT,
            max_collections: None,
        }
    }
}

/// A database as clients of Qdrant see it. Cheap to clone. Its calls need a tokio runtime, whose threads they never block.
#[derive(Clone, Debug)]
pub struct Service {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    pool: Pool,
    options: ServiceOptions,
    peer: u64,
    started: Started,
    /// Snapshots that are being made.
    names: Names,
}

#[derive(Clone, Copy, Debug)]
struct Started {
    at: Instant,
    wall: jiff::Timestamp,
}

impl Service {
    /// Serves a database.
    pub fn new(database: Database, options: ServiceOptions) -> Self {
        let processors = std::thread::available_parallelism().map_or(4, usize::from);
        let threads = if options.threads == 0 {
            2 * processors
        } else {
            options.threads
        };
        // Clients that keep it in a signed or floating number must not lose any of it.
        let peer = uuid::Uuid::new_v4().as_u64_pair().0 >> 12;
        Service {
            inner: Arc::new(Inner {
                database,
                pool: Pool::new(threads),
                options,
                peer,
                started: Started {
                    at: Instant::now(),
                    wall: jiff::Timestamp::now(),
                },
                names: Names::default(),
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

    /// Runs a read of a collection within its time, which begins now, off the threads that serve connections.
    async fn on_collection<T: Send + 'static>(
        &self,
        collection: &str,
        options: ReadOptions,
        work: impl FnOnce(&Inner, &Collection, &Control<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let time = Allowed::from_now(options.timeout.unwrap_or(self.inner.options.read_timeout));
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
        let time = Allowed::from_now(self.inner.options.read_timeout);
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
        let time = Allowed::from_now(self.inner.options.read_timeout);
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
}

impl Allowed {
    fn from_now(limit: Duration) -> Self {
        Allowed {
            from: Instant::now(),
            limit,
        }
    }

    /// When it is over; never, where that is beyond what clocks can tell.
    fn end(self) -> Option<Instant> {
        self.from.checked_add(self.limit)
    }

    fn left(self) -> Duration {
        self.limit.saturating_sub(self.from.elapsed())
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
        work(self, &collection, &control)
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
