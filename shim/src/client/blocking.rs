//! The same methods without `async`, for programs that have no runtime.
//!
//! ```
//! use vdb_qdrant::blocking::Qdrant;
//!
//! let client = Qdrant::in_memory()?;
//! assert!(!client.collection_exists("birds")?);
//! # Ok::<_, qdrant_client::QdrantError>(())
//! ```

use std::io;
use std::path::Path;
use std::sync::Arc;

use qdrant_client::QdrantError;
use qdrant_client::qdrant as proto;
use tokio::runtime::{Builder, Handle, Runtime};

use super::calls::{every_alias_call, every_bare_call, every_call};
use super::{BackEnd, OpenOptions, QdrantResult};

/// A client whose calls return when they are done. Not for async code, whose threads must not wait: there its calls fail.
#[derive(Clone, Debug)]
pub struct Qdrant {
    client: super::Qdrant,
    runtime: Arc<Background>,
}

/// A runtime that may be dropped anywhere.
#[derive(Debug)]
struct Background(Option<Runtime>);

impl Background {
    fn new() -> QdrantResult<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vdb-blocking")
            .enable_all()
            .build()?;
        Ok(Background(Some(runtime)))
    }

    fn wait<T>(&self, work: impl Future<Output = QdrantResult<T>>) -> QdrantResult<T> {
        let refused = |text: &str| QdrantError::Io(io::Error::other(text));
        if Handle::try_current().is_ok() {
            return Err(refused(
                "a blocking client was called from async code: use vdb_qdrant::Qdrant there, or a thread of its own",
            ));
        }
        let runtime = self.0.as_ref().ok_or_else(|| refused("the client is closed"))?;
        runtime.block_on(work)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Qdrant {
    /// As [`Qdrant::open`](super::Qdrant::open).
    ///
    /// # Errors
    /// As there.
    pub fn open(path: impl AsRef<Path>) -> QdrantResult<Self> {
        Self::of(super::Qdrant::open(path)?)
    }

    /// As [`Qdrant::in_memory`](super::Qdrant::in_memory).
    ///
    /// # Errors
    /// As there.
    pub fn in_memory() -> QdrantResult<Self> {
        Self::of(super::Qdrant::in_memory()?)
    }

    /// As [`Qdrant::connect`](super::Qdrant::connect).
    ///
    /// # Errors
    /// As there.
    pub fn connect(target: &str) -> QdrantResult<Self> {
        Self::with(&OpenOptions::new().target(target))
    }

    /// As [`OpenOptions::open`].
    ///
    /// # Errors
    /// As there.
    pub fn with(options: &OpenOptions) -> QdrantResult<Self> {
        let runtime = Arc::new(Background::new()?);
        let client = runtime.wait(options.open())?;
        Ok(Qdrant { client, runtime })
    }

    /// The same client without `async`.
    ///
    /// # Errors
    /// [`QdrantError::Io`] when the system has no thread for it.
    pub fn of(client: super::Qdrant) -> QdrantResult<Self> {
        Ok(Qdrant {
            client,
            runtime: Arc::new(Background::new()?),
        })
    }

    /// What it is on.
    pub fn back_end(&self) -> &BackEnd {
        self.client.back_end()
    }

    /// The client for async code.
    pub fn client(&self) -> &super::Qdrant {
        &self.client
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident) -> $answer:ident, $part:ident.$call:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub fn $name(&self, request: impl Into<proto::$message>) -> QdrantResult<proto::$answer> {
                self.runtime.wait(self.client.$name(request))
            })+
        }
    };
}

every_call!(methods);

macro_rules! bare_methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident) -> $answer:ident, $part:ident.$call:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub fn $name(&self) -> QdrantResult<proto::$answer> {
                self.runtime.wait(self.client.$name())
            })+
        }
    };
}

every_bare_call!(bare_methods);

macro_rules! alias_methods {
    ($($(#[$doc:meta])+ $name:ident($message:ident), $action:ident;)+) => {
        impl Qdrant {
            $($(#[$doc])+
            ///
            /// # Errors
            /// What the server, or the engine in its place, says.
            pub fn $name(
                &self,
                request: impl Into<proto::$message>,
            ) -> QdrantResult<proto::CollectionOperationResponse> {
                self.runtime.wait(self.client.$name(request))
            })+
        }
    };
}

every_alias_call!(alias_methods);

impl Qdrant {
    /// Whether a collection exists.
    ///
    /// # Errors
    /// What the server, or the engine in its place, says.
    pub fn collection_exists(
        &self,
        request: impl Into<proto::CollectionExistsRequest>,
    ) -> QdrantResult<bool> {
        self.runtime.wait(self.client.collection_exists(request))
    }

    /// Several discoveries; [`query_batch`](Self::query_batch) does this and more.
    ///
    /// # Errors
    /// What the server, or the engine in its place, says.
    pub fn discover_batch(
        &self,
        request: &proto::DiscoverBatchPoints,
    ) -> QdrantResult<proto::DiscoverBatchResponse> {
        self.runtime.wait(self.client.discover_batch(request))
    }

    /// Writes whole points, `chunk_size` a call.
    ///
    /// # Errors
    /// As the call of the same name of [`Qdrant`](super::Qdrant::upsert_points_chunked).
    pub fn upsert_points_chunked(
        &self,
        request: impl Into<proto::UpsertPoints>,
        chunk_size: usize,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        self.runtime
            .wait(self.client.upsert_points_chunked(request, chunk_size))
    }

    /// Copies the file of a snapshot of a collection.
    ///
    /// # Errors
    /// As the call of the same name of [`Qdrant`](super::Qdrant::download_snapshot).
    pub fn download_snapshot(&self, download: impl Into<proto::SnapshotDownload>) -> QdrantResult<()> {
        self.runtime.wait(self.client.download_snapshot(download))
    }

    /// A client that sends a header with every call to a server.
    #[must_use]
    pub fn with_header(&self, key: impl Into<String>, value: impl Into<String>) -> Self {
        Qdrant {
            client: self.client.with_header(key, value),
            runtime: self.runtime.clone(),
        }
    }
}
