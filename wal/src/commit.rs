//! Group commit: many writers, one sync.
//!
//! Whoever needs a record synced and finds nobody at it becomes the leader: it syncs the file once, for everything
//! written up to that moment, while the others wait and writers go on appending. Those who came too late for this
//! sync find the next leader among themselves. One sync at a time, always: a failed one is reported by the system to
//! one caller only, so two at once could let a failure pass as success.
//!
//! A failed sync poisons the log for good. The system may have dropped the dirty pages, so a second sync that
//! succeeds would prove nothing (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use vdb_vfs::File;

use crate::Lsn;
use crate::error::{Error, Result};

/// What has been written and what has been synced.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    synced: AtomicU64,
    written: AtomicU64,
    turn: Mutex<Turn>,
    done: Condvar,
}

#[derive(Debug)]
struct Turn {
    file: Arc<dyn File>,
    leading: bool,
    poison: Option<Arc<Error>>,
}

impl GroupCommit {
    /// Starts with everything up to `last` synced; what comes next is written to `file`.
    pub(crate) fn new(file: Arc<dyn File>, last: Lsn) -> Self {
        GroupCommit {
            synced: AtomicU64::new(last),
            written: AtomicU64::new(last),
            turn: Mutex::new(Turn {
                file,
                leading: false,
                poison: None,
            }),
            done: Condvar::new(),
        }
    }

    pub(crate) fn synced(&self) -> Lsn {
        self.synced.load(Ordering::Acquire)
    }

    pub(crate) fn written(&self) -> Lsn {
        self.written.load(Ordering::Acquire)
    }

    /// The record `lsn` is in the file; the caller writes one at a time.
    pub(crate) fn wrote(&self, lsn: Lsn) {
        self.written.store(lsn, Ordering::Release);
    }

    /// Later records go to `file`; the caller has synced all earlier ones and writes none meanwhile.
    pub(crate) fn switch(&self, file: Arc<dyn File>) {
        self.turn.lock().file = file;
    }

    /// Fails once the log is poisoned.
    pub(crate) fn check(&self) -> Result<()> {
        self.turn.lock().check()
    }

    /// Refuses everything from now on because of `cause`; the first cause stays. Returns what the caller is to fail with.
    pub(crate) fn poison(&self, cause: Error) -> Error {
        let mut turn = self.turn.lock();
        let error = turn.set_poison(cause);
        drop(turn);
        self.done.notify_all();
        error
    }

    /// Returns once everything up to `lsn` is synced. An LSN that was not written yet means all that was.
    pub(crate) fn sync(&self, lsn: Lsn) -> Result<()> {
        let lsn = lsn.min(self.written());
        if self.synced() >= lsn {
            return Ok(());
        }
        let mut turn = self.turn.lock();
        loop {
            if self.synced() >= lsn {
                return Ok(());
            }
            turn.check()?;
            if turn.leading {
                self.done.wait(&mut turn);
            } else {
                turn = self.lead(turn)?;
            }
        }
    }

    /// Syncs the file even when no record waits for it.
    pub(crate) fn sync_now(&self) -> Result<()> {
        let mut turn = self.turn.lock();
        while turn.leading {
            self.done.wait(&mut turn);
        }
        turn.check()?;
        self.lead(turn).map(drop)
    }

    fn lead<'a>(
        &'a self,
        mut turn: parking_lot::MutexGuard<'a, Turn>,
    ) -> Result<parking_lot::MutexGuard<'a, Turn>> {
        turn.leading = true;
        let file = turn.file.clone();
        // Under the lock that `switch` takes: what is written by now is in this file, or was synced in an earlier one.
        let written = self.written();
        drop(turn);
        let outcome = file.sync_data();
        let mut turn = self.turn.lock();
        turn.leading = false;
        let outcome = match outcome {
            Ok(()) => {
                self.synced.fetch_max(written, Ordering::AcqRel);
                Ok(())
            }
            Err(error) => Err(turn.set_poison(error.into())),
        };
        self.done.notify_all();
        outcome.map(|()| turn)
    }
}

impl Turn {
    fn check(&self) -> Result<()> {
        match &self.poison {
            None => Ok(()),
            Some(cause) => Err(Error::Poisoned { cause: cause.clone() }),
        }
    }

    fn set_poison(&mut self, cause: Error) -> Error {
        let cause = self.poison.get_or_insert_with(|| Arc::new(cause)).clone();
        Error::Poisoned { cause }
    }
}

#[cfg(test)]
mod tests;
