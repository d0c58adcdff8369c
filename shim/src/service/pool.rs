//! Blocking work of the engine, kept off the threads that serve connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::error::{ErrorKind, Result, ServiceError};

/// Calls that may be at work at once. A search keeps one processor busy, a write mostly waits for a sync that it shares with
/// others, so many more of these are let in. What is only told about collections does not stand behind long searches.
#[derive(Debug)]
pub(super) struct Pool {
    read_threads: usize,
    reads: Arc<Semaphore>,
    glances: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    long_writes: Arc<Semaphore>,
    transfers: Arc<Semaphore>,
}

/// Writes that wait for one sync together.
const WRITES: usize = 128;

/// Writes to any number of points: those to one collection wait for each other, and must not keep all others waiting meanwhile.
const LONG_WRITES: usize = 32;

/// Files that are fetched from elsewhere.
const TRANSFERS: usize = 4;

/// Calls that look at what a collection is, not at its points.
const GLANCES: usize = 16;

impl Pool {
    pub(super) fn new(threads: usize) -> Self {
        let read_threads = threads.max(1);
        Pool {
            read_threads,
            reads: Arc::new(Semaphore::new(read_threads)),
            glances: Arc::new(Semaphore::new(GLANCES)),
            writes: Arc::new(Semaphore::new(WRITES)),
            long_writes: Arc::new(Semaphore::new(LONG_WRITES)),
            transfers: Arc::new(Semaphore::new(TRANSFERS)),
        }
    }

    /// Reads at once.
    pub(super) fn read_threads(&self) -> usize {
        self.read_threads
    }

    /// The turn of a read, if one is free now.
    pub(super) fn free_turn(&self) -> Option<OwnedSemaphorePermit> {
        self.reads.clone().try_acquire_owned().ok()
    }

    /// Runs a read, which waits for its turn until `deadline`. It is told when nobody waits for it any more.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        work: impl FnOnce(&Abandoned) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        watched(self.reads.clone(), deadline, work).await
    }

    /// As [`read`](Self::read), for work that looks at no points.
    pub(super) async fn glance<T: Send + 'static>(
        &self,
        deadline: Option<Instant>,
        work: impl FnOnce(&Abandoned) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        watched(self.glances.clone(), deadline, work).await
    }

    /// Runs a write to its end, whether or not somebody waits for it.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        to_its_end(&self.writes, work).await
    }

    /// As [`write`](Self::write), for one that may have to take many points.
    pub(super) async fn write_long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        to_its_end(&self.long_writes, work).await
    }

    /// As [`write`](Self::write), for work that waits for others on the network.
    pub(super) async fn transfer<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        to_its_end(&self.transfers, work).await
    }
}

async fn to_its_end<T: Send + 'static>(
    gate: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    if let Ok(turn) = gate.clone().try_acquire_owned() {
        // On its thread at once, and from there on it ends whoever waits.
        return joined(start(turn, work).await)?;
    }
    joined(tokio::spawn(run(gate.clone(), None, work)).await)?
}

fn joined<T>(outcome: std::result::Result<T, tokio::task::JoinError>) -> Result<T> {
    outcome.map_err(|error| {
        if error.is_panic() {
            ServiceError::internal("the call failed unexpectedly")
        } else {
            shutting_down()
        }
    })
}

fn shutting_down() -> ServiceError {
    ServiceError::internal("the service is shutting down")
}

async fn watched<T: Send + 'static>(
    gate: Arc<Semaphore>,
    deadline: Option<Instant>,
    work: impl FnOnce(&Abandoned) -> Result<T> + Send + 'static,
) -> Result<T> {
    let flag = Abandoned(Arc::new(AtomicBool::new(false)));
    let guard = Guard(flag.clone());
    let done = run(gate, deadline, move || work(&flag)).await;
    drop(guard);
    done
}

async fn run<T: Send + 'static>(
    gate: Arc<Semaphore>,
    deadline: Option<Instant>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let turn = gate.acquire_owned();
    let turn = match deadline {
        None => turn.await,
        Some(deadline) => tokio::time::timeout_at(deadline.into(), turn)
            .await
            .map_err(|_| {
                ServiceError::new(
                    ErrorKind::Timeout,
                    "the call waited for its turn behind others for as long as it may take: give it more time, or ask \
                     for less at once",
                )
            })?,
    };
    let permit = turn.map_err(|_| shutting_down())?;
    joined(start(permit, work).await)?
}

/// Starts work on a thread where it may block. Its turn ends with it.
fn start<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> JoinHandle<Result<T>> {
    tokio::task::spawn_blocking(move || {
        let outcome = work();
        drop(turn);
        outcome
    })
}

/// Whether the caller of a read has gone away.
#[derive(Clone, Debug)]
pub(super) struct Abandoned(Arc<AtomicBool>);

impl Abandoned {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets the flag when the future that holds it is dropped.
struct Guard(Abandoned);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
