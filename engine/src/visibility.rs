//! Which log sequence number readers may see up to.

use std::collections::VecDeque;

use vdb_sys::sync::atomic::{AtomicU64, Ordering};
use vdb_sys::sync::{Condvar, Mutex};
use vdb_wal::Lsn;

use crate::error::{Error, Result};

/// Advances the readers' horizon in log order: a write that waits for a sync holds back all that follow it, so
/// that nothing is ever seen that a crash could still take from under it.
#[derive(Debug)]
pub(crate) struct Visibility {
    visible: AtomicU64,
    state: Mutex<State>,
    advanced: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Applied writes that wait for a sync, ascending.
    unsynced: VecDeque<Lsn>,
    applied: Lsn,
    poisoned: Option<String>,
}

impl Visibility {
    pub(crate) fn new(visible: Lsn) -> Self {
        Visibility {
            visible: AtomicU64::new(visible),
            state: Mutex::new(State {
                applied: visible,
                ..State::default()
            }),
            advanced: Condvar::new(),
        }
    }

    /// The horizon.
    pub(crate) fn get(&self) -> Lsn {
        self.visible.load(Ordering::Acquire)
    }

    /// Notes that a write is in the memtables. Called in log order.
    pub(crate) fn applied(&self, lsn: Lsn, waits_for_sync: bool) {
        let mut state = self.state.lock();
        state.applied = lsn;
        if waits_for_sync {
            state.unsynced.push_back(lsn);
        } else {
            self.advance(&mut state);
        }
    }

    /// Notes that everything up to `synced` is on the medium.
    pub(crate) fn synced(&self, synced: Lsn) {
        let mut state = self.state.lock();
        while state.unsynced.front().is_some_and(|&lsn| lsn <= synced) {
            state.unsynced.pop_front();
        }
        self.advance(&mut state);
    }

    fn advance(&self, state: &mut State) {
        let horizon = state.unsynced.front().map_or(state.applied, |&lsn| lsn - 1);
        if horizon > self.visible.load(Ordering::Relaxed) {
            self.visible.store(horizon, Ordering::Release);
            self.advanced.notify_all();
        }
    }

    /// Moves the horizon to `lsn`, back too. For those who only read, who may find that what they follow was put back.
    pub(crate) fn set(&self, lsn: Lsn) {
        self.state.lock().applied = lsn;
        self.visible.store(lsn, Ordering::Release);
    }

    /// Fails those who wait, now and later.
    pub(crate) fn poison(&self, why: &str) {
        self.state.lock().poisoned.get_or_insert_with(|| why.to_owned());
        self.advanced.notify_all();
    }

    /// Blocks until readers see `lsn`.
    pub(crate) fn wait(&self, lsn: Lsn) -> Result<()> {
        if self.get() >= lsn {
            return Ok(());
        }
        let mut state = self.state.lock();
        while self.get() < lsn {
            if let Some(why) = &state.poisoned {
                return Err(Error::Poisoned(why.clone()));
            }
            self.advanced.wait(&mut state);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
