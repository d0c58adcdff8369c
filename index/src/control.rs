//! How long work is stopped and watched.

/// A cancel probe and a progress sink, handed to every long job.
///
/// Both are called from worker threads, the probe at least every few milliseconds: it should be as cheap as
/// loading an atomic.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use vdb_index::Control;
///
/// let stop = AtomicBool::new(false);
/// let cancelled = || stop.load(Ordering::Relaxed);
/// let progress = |done: u64, total: u64| println!("{done} of {total} rows");
/// let control = Control::new(&cancelled, &progress);
/// stop.store(true, Ordering::Relaxed); // by a signal handler, say
/// assert!(control.is_cancelled());
/// ```
#[derive(Clone, Copy)]
pub struct Control<'a> {
    cancel: &'a (dyn Fn() -> bool + Sync),
    progress: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Control<'a> {
    /// `cancel` answers whether to stop; `progress` is told how many of how many rows are done.
    pub fn new(cancel: &'a (dyn Fn() -> bool + Sync), progress: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self { cancel, progress }
    }

    /// Never cancelled, watched by nobody.
    pub fn none() -> Self {
        Self {
            cancel: &|| false,
            progress: &|_, _| (),
        }
    }

    /// Whether the caller wants the work to stop.
    pub fn is_cancelled(&self) -> bool {
        (self.cancel)()
    }

    /// Reports that `done` of `total` rows are done.
    pub fn report(&self, done: u64, total: u64) {
        (self.progress)(done, total);
    }
}

impl std::fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}
