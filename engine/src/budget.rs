//! Back-pressure by bytes.

use vdb_sys::sync::atomic::{AtomicUsize, Ordering};
use vdb_sys::sync::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::signal::Signal;

/// Bytes that all memtables of a database hold, and the bound at which writers wait for the flusher.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Why the flusher makes no progress.
    stuck: Option<String>,
    /// It will make none any more.
    closed: bool,
}

impl Budget {
    /// Writers wait while `limit` bytes or more are held.
    pub(crate) fn new(limit: usize) -> Self {
        Budget {
            used: AtomicUsize::new(0),
            limit,
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }

    pub(crate) fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::AcqRel);
    }

    pub(crate) fn free(&self, bytes: usize) {
        let _guard = self.state.lock();
        // Fewer than none would be taken for so many that writers wait forever.
        let less = |used: usize| Some(used.saturating_sub(bytes));
        let _ = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.freed.notify_all();
    }

    /// Says that the flusher cannot make progress (`Some`) or can again: those who would wait are told instead.
    pub(crate) fn set_stuck(&self, why: Option<String>) {
        self.state.lock().stuck = why;
        self.freed.notify_all();
    }

    /// Ends all waiting, now and later.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.freed.notify_all();
    }

    /// Why the flusher is stuck, if it is.
    pub(crate) fn stuck(&self) -> Option<String> {
        self.state.lock().stuck.clone()
    }

    /// Blocks while too much is held, having woken the flusher.
    ///
    /// # Errors
    /// When the flusher is stuck or the database closed, since waiting would not end.
    pub(crate) fn wait(&self, flusher: &Signal) -> Result<()> {
        if self.used() < self.limit {
            return Ok(());
        }
        flusher.wake();
        let mut state = self.state.lock();
        while self.used() >= self.limit {
            if state.closed {
                return Err(Error::Closed);
            }
            if let Some(why) = &state.stuck {
                return Err(Error::WriteBufferFull { why: why.clone() });
            }
            self.freed.wait(&mut state);
        }
        Ok(())
    }
}
