//! What has been done in the background since the database was opened, and how long it took.

use std::time::Duration;

use vdb_sys::sync::Instant;
use vdb_sys::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Work of one kind that was done since the database was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How often it was done.
    pub done: u64,
    /// How often it failed; what was called off has not.
    pub failed: u64,
    /// How long it took, all together, failures included.
    pub time: Duration,
}

/// Counts work of one kind.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    done: AtomicU64,
    failed: AtomicU64,
    nanos: AtomicU64,
}

impl Counter {
    /// Does work and counts it.
    pub(crate) fn count<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let outcome = work();
        let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        match &outcome {
            Ok(_) => {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
            Err(Error::Cancelled | Error::Closed) => {}
            Err(_) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
        outcome
    }

    pub(crate) fn work(&self) -> Work {
        Work {
            done: self.done.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

/// Counters of a database.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Memtables that became segments.
    pub(crate) flushes: Counter,
    /// Segments that were merged.
    pub(crate) merges: Counter,
    /// Segments that got graphs and payload indexes.
    pub(crate) derivations: Counter,
}
