//! How long work is stopped and watched.

use std::time::{Duration, Instant};

/// A cancel probe, a time limit and a progress sink, handed to every call that may take long.
///
/// Probe and sink are called from worker threads, the probe at least every few milliseconds: it should be as cheap as
/// loading an atomic.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::time::Duration;
/// use vdb_index::Control;
///
/// let stop = AtomicBool::new(false);
/// let cancelled = || stop.load(Ordering::Relaxed);
/// let progress = |done: u64, total: u64| println!("{done} of {total} rows");
/// let control = Control::new(&cancelled, &progress).timeout(Duration::from_secs(60));
/// assert!(!control.is_cancelled());
/// stop.store(true, Ordering::Relaxed); // by a signal handler, say
/// assert!(control.is_cancelled());
/// ```
#[derive(Clone, Copy)]
pub struct Control<'a> {
    cancel: &'a (dyn Fn() -> bool + Sync),
    progress: &'a (dyn Fn(u64, u64) + Sync),
    clock: &'a (dyn Fn() -> Instant + Sync),
    deadline: Option<Deadline>,
}

/// When work is to end, and how long it was given.
#[derive(Clone, Copy)]
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl<'a> Control<'a> {
    /// `cancel` answers whether to stop; `progress` is told how many of how many rows are done.
    pub fn new(cancel: &'a (dyn Fn() -> bool + Sync), progress: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self {
            cancel,
            progress,
            clock: &Instant::now,
            deadline: None,
        }
    }

    /// Never cancelled, watched by nobody.
    pub fn none() -> Self {
        Self::new(&|| false, &|_, _| ())
    }

    /// Stopped when `cancel` says so, watched by nobody.
    pub fn cancelled_by(cancel: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self::new(cancel, &|_, _| ())
    }

    /// The same with another clock, which must never go back: for programs that keep time themselves, and for tests.
    #[must_use]
    pub fn clock(mut self, clock: &'a (dyn Fn() -> Instant + Sync)) -> Self {
        self.clock = clock;
        self
    }

    /// The same for no longer than `limit` from now on; of several limits the one that ends first counts.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        // A limit beyond what the clock can say is none.
        if let Some(at) = (self.clock)().checked_add(limit)
            && self.deadline.is_none_or(|deadline| at < deadline.at)
        {
            self.deadline = Some(Deadline { at, limit });
        }
        self
    }

    /// Whether the work is to stop: its caller wants it to, or its time is up.
    pub fn is_cancelled(&self) -> bool {
        (self.cancel)() || self.timed_out().is_some()
    }

    /// The time that was given, once it is up.
    pub fn timed_out(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        ((self.clock)() >= deadline.at).then_some(deadline.limit)
    }

    /// Reports that `done` of `total` rows are done.
    pub fn report(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limit = self.deadline.map(|deadline| deadline.limit);
        f.debug_struct("Control")
            .field("timeout", &limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
