//! Reads that are soon done are done by the thread that serves the connection.
//!
//! To hand a read to another thread, and its answer back, takes two wake-ups: tens of microseconds, as long as many a search. So
//! it is begun where it is asked for, under a watch. Once that runs out, what was begun is thrown away, the read begins again
//! on a thread where it may take its time, and those that follow go there at once for a while: a service whose reads are long
//! pays a share of one in [`PASSES`] for the attempt. Only what waits for nobody is attempted: a collection that is open, a
//! turn that is free.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use vdb::Control;

use super::error::{Result, ServiceError};

/// Reads that are not attempted after one that took too long.
const PASSES: u32 = 32;

/// Whether reads are attempted, and how long an attempt may take.
#[derive(Debug)]
pub(super) struct Brief {
    limit: Duration,
    /// Reads to come that are not attempted.
    passes: AtomicU32,
}

impl Brief {
    /// Attempts that take so long; none where that is no time.
    pub(super) fn new(limit: Duration) -> Self {
        Brief {
            limit,
            passes: AtomicU32::new(0),
        }
    }

    /// Whether the read at hand is to be attempted.
    pub(super) fn is_due(&self) -> bool {
        if self.limit.is_zero() {
            return false;
        }
        let passes = self.passes.load(Ordering::Relaxed);
        // Of two at once both may count as one.
        self.passes.store(passes.saturating_sub(1), Ordering::Relaxed);
        passes == 0
    }

    /// What `work` gives if it does so in time. `left` is what its caller gives it.
    pub(super) fn attempt<T>(
        &self,
        left: Duration,
        work: impl FnOnce(&Control<'_>) -> Result<T>,
    ) -> Option<Result<T>> {
        let started = Instant::now();
        let over = AtomicBool::new(false);
        let cancel = || {
            let late = started.elapsed() >= self.limit;
            over.fetch_or(late, Ordering::Relaxed);
            late
        };
        let control = Control::cancelled_by(&cancel).timeout(left);
        // On a thread of its own it would fail alone, and so it does here.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&control)))
            .unwrap_or_else(|_| Err(ServiceError::internal("the call failed unexpectedly")));
        if started.elapsed() >= self.limit {
            self.passes.store(PASSES, Ordering::Relaxed);
        }
        (outcome.is_ok() || !over.load(Ordering::Relaxed)).then_some(outcome)
    }
}

#[cfg(test)]
mod tests;
