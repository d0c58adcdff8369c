//! The engine in this process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qdrant_client::QdrantError;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tonic::Status;
use vdb::Database;

use super::QdrantResult;
use crate::grpc::Api;
use crate::service::{Service, ServiceOptions, snapshots_beside};

/// A database, and a runtime of its own to call it from: callers may have any executor, or a runtime that cannot tell the time.
#[derive(Clone)]
pub(super) struct Embedded {
    shared: Arc<Shared>,
}

struct Shared {
    api: Api,
    service: Service,
    /// Always there, until the last client is dropped.
    runtime: Option<Runtime>,
    /// Where a database in memory has its snapshots; removed with it.
    _scratch: Option<TempDir>,
}

impl Embedded {
    pub(super) fn open(path: &Path) -> QdrantResult<Self> {
        Self::of(Database::open(path).map_err(failed)?, path)
    }

    /// On a database that is open, in this directory.
    pub(super) fn of(database: Database, path: &Path) -> QdrantResult<Self> {
        Self::on(database, snapshots_beside(path), None)
    }

    pub(super) fn in_memory() -> QdrantResult<Self> {
        let database = Database::builder().open_in_memory().map_err(failed)?;
        let scratch = tempfile::Builder::new().prefix("vdb-snapshots-").tempdir()?;
        Self::on(database, scratch.path().to_owned(), Some(scratch))
    }

    fn on(database: Database, snapshots: PathBuf, scratch: Option<TempDir>) -> QdrantResult<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("vdb-client")
            .enable_time()
            .build()?;
        let service = Service::new(database, ServiceOptions::new(snapshots));
        Ok(Embedded {
            shared: Arc::new(Shared {
                api: Api::new(&service),
                service,
                runtime: Some(runtime),
                _scratch: scratch,
            }),
        })
    }

    pub(super) fn database(&self) -> &Database {
        self.shared.service.database()
    }

    /// Carries out a call. Dropping the future stops a read; a write goes on to its end.
    pub(super) async fn call<T, F>(&self, call: impl FnOnce(Api) -> F) -> QdrantResult<T>
    where
        F: Future<Output = Result<T, Status>> + Send + 'static,
        T: Send + 'static,
    {
        let runtime = self.shared.runtime.as_ref().ok_or_else(closed)?;
        let mut task = StopsWhenDropped(runtime.spawn(call(self.shared.api.clone())));
        match (&mut task.0).await {
            Ok(answer) => Ok(answer?),
            Err(error) => Err(QdrantError::Io(io::Error::other(error))),
        }
    }
}

/// A task that nobody wants the answer of any more is stopped.
struct StopsWhenDropped<T>(JoinHandle<T>);

impl<T> Drop for StopsWhenDropped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A runtime must not wait for its threads on a thread of another one, which a client may well be dropped on.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn closed() -> QdrantError {
    QdrantError::Io(io::Error::other("the client is closed"))
}

fn failed(error: vdb::Error) -> QdrantError {
    QdrantError::Io(io::Error::other(error))
}
