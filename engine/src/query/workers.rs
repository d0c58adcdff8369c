//! Threads that answer together.

use std::sync::OnceLock;

use rayon::prelude::*;
use vdb_sys::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Error, Result};

/// The threads of batches and of large scans. They are their own: a search must not wait for a graph that is being built.
/// Started when they are first needed.
#[derive(Debug)]
pub(crate) struct Workers {
    threads: usize,
    /// `None` where threads cannot be had: callers do their work themselves.
    pool: OnceLock<Option<rayon::ThreadPool>>,
    /// Calls that use them now.
    calls: AtomicUsize,
}

impl Workers {
    /// So many threads; 0 for one a core.
    pub(crate) fn new(threads: usize) -> Self {
        Workers {
            threads,
            pool: OnceLock::new(),
            calls: AtomicUsize::new(0),
        }
    }

    /// True when no call uses the threads, so that one alone may be worth splitting.
    pub(crate) fn are_free(&self) -> bool {
        self.calls.load(Ordering::Relaxed) == 0
    }

    /// Runs `work` where [`fold`] and [`map`] find the threads; tells it whether there are several.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce(bool) -> T + Send) -> T {
        let start = || {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(self.threads);
            builder
                .thread_name(|i| format!("vdb-search-{i}"))
                .build()
                .ok()
                .filter(|pool| pool.current_num_threads() > 1)
        };
        let Some(pool) = self.pool.get_or_init(start) else {
            return work(false);
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let _leave = Leave(&self.calls);
        pool.install(|| work(true))
    }
}

/// One call less, however it ends.
struct Leave<'a>(&'a AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What `each` makes of the items, in their order; of several that fail, the error of the first that was not stopped for
/// another's sake.
pub(crate) fn map<I: Sync, T: Send>(
    several: bool,
    items: &[I],
    each: impl Fn(&I) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    if several && items.len() > 1 {
        let mut made: Vec<Result<T>> = items.par_iter().map(each).collect();
        let has_failed = |one: &Result<T>| matches!(one, Err(error) if !matches!(error, Error::Cancelled));
        if let Some(at) = made.iter().position(has_failed) {
            made.swap(0, at);
        }
        return made.into_iter().collect();
    }
    items.iter().map(each).collect()
}

/// Shows all pieces to one state, or to several that are merged. Which piece goes where must not matter.
pub(crate) fn fold<P: Send, T: Send>(
    several: bool,
    pieces: Vec<P>,
    new: impl Fn() -> T + Sync + Send,
    each: impl Fn(&mut T, P) -> Result<()> + Sync + Send,
    merge: impl Fn(&mut T, T) + Sync + Send,
) -> Result<T> {
    if several && pieces.len() > 1 {
        return pieces
            .into_par_iter()
            .try_fold(&new, |mut state, piece| {
                each(&mut state, piece)?;
                Ok(state)
            })
            .try_reduce(&new, |mut one, other| {
                merge(&mut one, other);
                Ok(one)
            });
    }
    let mut state = new();
    for piece in pieces {
        each(&mut state, piece)?;
    }
    Ok(state)
}
