//! Back-pressure by bytes.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

/// Bytes that all memtables of a database hold, and the bound at which writers wait for the flusher.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    limit: usize,
    stuck: Mutex<Option<String>>,
    freed: Condvar,
}

impl Budget {
    /// Writers wait while `limit` bytes or more are held.
    pub(crate) fn new(limit: usize) -> Self {
        Budget {
            used: AtomicUsize::new(0),
            limit,
            stuck: Mutex::new(None),
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
        let _guard = self.stuck.lock();
        self.used.fetch_sub(bytes, Ordering::AcqRel);
        self.freed.notify_all();
    }

    /// Says that the flusher cannot make progress (`Some`) or can again: those who would wait are told instead.
    pub(crate) fn set_stuck(&self, why: Option<String>) {
        *self.stuck.lock() = why;
        self.freed.notify_all();
    }

    /// Why the flusher is stuck, if it is.
    pub(crate) fn stuck(&self) -> Option<String> {
        self.stuck.lock().clone()
    }

    /// Blocks while too much is held.
    ///
    /// # Errors
    /// When the flusher is stuck, since waiting would not end.
    pub(crate) fn wait(&self) -> Result<()> {
        if self.used() < self.limit {
            return Ok(());
        }
        let mut stuck = self.stuck.lock();
        while self.used() >= self.limit {
            if let Some(why) = &*stuck {
                return Err(Error::WriteBufferFull { why: why.clone() });
            }
            self.freed.wait(&mut stuck);
        }
        Ok(())
    }
}
