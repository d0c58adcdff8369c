//! Blocking work of the engine, kept off the threads that serve connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use super::error::{Result, ServiceError};

/// Calls that may be at work at once. A search keeps one processor busy, a write mostly waits for a sync that it shares with
/// others, so many more of these are let in.
#[derive(Debug)]
pub(super) struct Pool {
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

/// Writes that wait for one sync together.
const WRITES: usize = 128;

impl Pool {
    pub(super) fn new(threads: usize) -> Self {
        Pool {
            reads: Arc::new(Semaphore::new(threads.max(1))),
            writes: Arc::new(Semaphore::new(WRITES)),
        }
    }

    /// Runs a read. It is told when nobody waits for it any more.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Abandoned) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let flag = Abandoned(Arc::new(AtomicBool::new(false)));
        let guard = Guard(flag.clone());
        let done = run(self.reads.clone(), move || work(&flag)).await;
        drop(guard);
        done
    }

    /// Runs a write to its end, whether or not somebody waits for it.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        joined(tokio::spawn(run(self.writes.clone(), work)).await)?
    }
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

async fn run<T: Send + 'static>(
    gate: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = gate.acquire_owned().await.map_err(|_| shutting_down())?;
    let task = tokio::task::spawn_blocking(move || {
        let outcome = work();
        drop(permit);
        outcome
    });
    joined(task.await)?
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
