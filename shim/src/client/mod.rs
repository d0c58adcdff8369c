//! The client of a Rust program, on a directory or on a server.
//!
//! [`Qdrant`] has the methods of the official client, with the same arguments and answers, and two back ends: an engine in this
//! process, and the official client. What changes between a laptop and a cluster is the text that it is opened with.
//!
//! ```
//! use qdrant_client::qdrant::{CreateCollectionBuilder, Distance, PointStruct, QueryPointsBuilder};
//! use qdrant_client::qdrant::{UpsertPointsBuilder, VectorParamsBuilder};
//! use vdb_qdrant::Qdrant;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let client = Qdrant::in_memory()?; // or Qdrant::open("my.vdb")?, or Qdrant::connect("http://localhost:6334").await?
//! let vectors = VectorParamsBuilder::new(2, Distance::Cosine);
//! client.create_collection(CreateCollectionBuilder::new("birds").vectors_config(vectors)).await?;
//! let owl = PointStruct::new(1, vec![0.9, 0.1], [("name", "owl".into())]);
//! client.upsert_points(UpsertPointsBuilder::new("birds", vec![owl]).wait(true)).await?;
//! let found = client.query(QueryPointsBuilder::new("birds").query(vec![1.0, 0.0])).await?;
//! assert_eq!(found.result.len(), 1);
//! # Ok::<_, qdrant_client::QdrantError>(())
//! # }).unwrap();
//! ```
//!
//! | file | what |
//! |---|---|
//! | `calls.rs` | the list of the calls, and the methods made of it |
//! | `embedded.rs` | the engine in this process |
//! | `resolve.rs` | which back end it is to be |
//! | `blocking.rs` | the same methods without `async` |

pub mod blocking;
mod calls;
mod embedded;
mod resolve;

use std::path::Path;
use std::pin::Pin;

pub use qdrant_client::QdrantError;
pub use resolve::{BackEnd, Environment, OpenOptions};

use embedded::Embedded;

/// The result of a call of a client.
pub type QdrantResult<T> = Result<T, QdrantError>;

/// A call under way. Boxed where it is made, so that what it takes to carry it out is compiled with this crate, once, and not with
/// every program that awaits it.
type Call<'a, T> = Pin<Box<dyn Future<Output = QdrantResult<T>> + Send + 'a>>;

/// A client on a directory, in memory, or on a server. Cheap to clone.
#[derive(Clone)]
pub struct Qdrant {
    inner: Inner,
    back_end: BackEnd,
}

#[derive(Clone)]
enum Inner {
    Embedded(Embedded),
    Remote(Box<qdrant_client::Qdrant>),
}

impl std::fmt::Debug for Qdrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Qdrant({})", self.back_end)
    }
}

impl Qdrant {
    /// On a directory, which is made if it is not there. Snapshots are beside it, where [`snapshots_beside`](crate::service::snapshots_beside) says.
    ///
    /// # Errors
    /// [`QdrantError::Io`] when another process has it open, or it cannot be read; it says which.
    pub fn open(path: impl AsRef<Path>) -> QdrantResult<Self> {
        let path = path.as_ref();
        Ok(Qdrant {
            inner: Inner::Embedded(Embedded::open(path)?),
            back_end: BackEnd::Directory(path.to_owned()),
        })
    }

    /// On a database that is open already, with the settings that it was opened with: for reading only, for instance. `path` is
    /// its directory, beside which snapshots are.
    ///
    /// # Errors
    /// [`QdrantError::Io`] when the system has no thread for it.
    pub fn on(database: vdb::Database, path: impl AsRef<Path>) -> QdrantResult<Self> {
        let path = path.as_ref();
        Ok(Qdrant {
            inner: Inner::Embedded(Embedded::of(database, path)?),
            back_end: BackEnd::Directory(path.to_owned()),
        })
    }

    /// In memory: what is written is gone with the last clone.
    ///
    /// # Errors
    /// [`QdrantError::Io`] when the system has no thread or no temporary directory for it.
    pub fn in_memory() -> QdrantResult<Self> {
        Ok(Qdrant {
            inner: Inner::Embedded(Embedded::in_memory()?),
            back_end: BackEnd::Memory,
        })
    }

    /// On what a text says: a URL is a server, `:memory:` is memory, everything else a directory. A server has to answer.
    ///
    /// # Errors
    /// When the server does not answer, or the directory cannot be opened.
    pub async fn connect(target: &str) -> QdrantResult<Self> {
        OpenOptions::new().target(target).open().await
    }

    /// On what is there, as [`OpenOptions`] finds it without being told anything.
    ///
    /// # Errors
    /// When `QDRANT_URL` names a server that does not answer, or `VDB_PATH` a directory that cannot be opened.
    pub async fn auto() -> QdrantResult<Self> {
        OpenOptions::new().open().await
    }

    /// A client of the official crate as it is, with whatever was set there.
    pub fn remote(client: qdrant_client::Qdrant) -> Self {
        let back_end = BackEnd::Server(client.config.uri.clone());
        Qdrant {
            inner: Inner::Remote(Box::new(client)),
            back_end,
        }
    }

    /// What it is on.
    pub fn back_end(&self) -> &BackEnd {
        &self.back_end
    }

    /// The engine in this process, for what Qdrant's calls have no words for; none of a server.
    pub fn database(&self) -> Option<&vdb::Database> {
        match &self.inner {
            Inner::Embedded(embedded) => Some(embedded.database()),
            Inner::Remote(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
