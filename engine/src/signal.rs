//! Waking a thread, and telling it to stop.

use std::time::Duration;

use vdb_sys::sync::atomic::{AtomicU64, Ordering};
use vdb_sys::sync::{Condvar, Instant, Mutex};
use vdb_wal::Lsn;

#[derive(Debug, Default)]
struct State {
    woken: bool,
    stopped: bool,
}

/// A flag that a thread sleeps on. A wake that comes before the sleep is not lost.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

impl Signal {
    pub(crate) fn wake(&self) {
        // Only the first wake since the thread last looked has to reach it: one that pauses is not to be stirred by
        // every write.
        if !std::mem::replace(&mut self.state.lock().woken, true) {
            self.changed.notify_all();
        }
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stopped = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state.lock().stopped
    }

    /// Lets `time` pass, or less when the thread should end; a wake does not cut it short and is not lost.
    pub(crate) fn pause(&self, time: Duration) {
        let until = Instant::now().checked_add(time);
        let mut state = self.state.lock();
        while !state.stopped {
            match until {
                Some(until) => {
                    if self.changed.wait_until(&mut state, until).timed_out() {
                        return;
                    }
                }
                // Longer than any clock runs.
                None => self.changed.wait(&mut state),
            }
        }
    }

    /// Sleeps until woken, stopped, or for `limit`. False when the thread should end.
    pub(crate) fn sleep(&self, limit: Option<Duration>) -> bool {
        let mut state = self.state.lock();
        while !state.woken && !state.stopped {
            match limit {
                Some(limit) => {
                    if self.changed.wait_for(&mut state, limit).timed_out() {
                        break;
                    }
                }
                None => self.changed.wait(&mut state),
            }
        }
        state.woken = false;
        !state.stopped
    }
}

/// What the syncing thread is told.
#[derive(Debug, Default)]
pub(crate) struct Syncer {
    pub(crate) signal: Signal,
    pub(crate) wanted: AtomicU64,
}

impl Syncer {
    /// Notes that a write should be on the medium within the interval.
    pub(crate) fn note(&self, lsn: Lsn) {
        let before = self.wanted.fetch_max(lsn, Ordering::AcqRel);
        if before < lsn {
            self.signal.wake();
        }
    }
}
