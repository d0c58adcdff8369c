//! Group commit: many writers, one sync.
//!
//! Whoever needs a record synced and finds nobody at it becomes the leader: it syncs the file once, for everything
//! written up to that moment, while the others wait and writers go on appending. Then it wakes those whose records are
//! safe, and of those who came too late for this sync one, which is the next leader. One sync at a time, always: a
//! failed one is reported by the system to one caller only, so two at once could let a failure pass as success.
//!
//! Writers that were released together tend to come back together. A leader gives those of the last sync a moment, half
//! as long as that sync took, so that one sync serves many of them and not the first alone (single vectors a second by 16
//! writers on 2 cores: 31,000 to 34,000 without, 39,000 to 45,000 with; a whole sync's time gave less).
//!
//! A failed sync poisons the log for good. The system may have dropped the dirty pages, so a second sync that
//! succeeds would prove nothing (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020).

use std::sync::Arc;
use std::time::Duration;

use vdb_sys::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use vdb_sys::sync::thread::{self, Thread};
use vdb_sys::sync::{Instant, Mutex, MutexGuard};
use vdb_vfs::File;

use crate::Lsn;
use crate::error::{Error, Result};

/// No leader gives others longer than this to come.
const LONGEST_WAIT: Duration = Duration::from_micros(500);

/// Syncs of the log since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Syncs {
    /// How many there were.
    pub done: u64,
    /// How many failed. The first poisons the log.
    pub failed: u64,
    /// How long they took, all together, failures included.
    pub time: Duration,
}

/// What has been written and what has been synced.
#[derive(Debug)]
pub(crate) struct GroupCommit {
    synced: AtomicU64,
    written: AtomicU64,
    /// Callers who wait for a sync or lead one.
    callers: AtomicUsize,
    /// Syncs so far, those that failed, and the nanoseconds that all of them took.
    syncs: AtomicU64,
    failed_syncs: AtomicU64,
    sync_nanos: AtomicU64,
    turn: Mutex<Turn>,
}

#[derive(Debug)]
struct Turn {
    file: Arc<dyn File>,
    leading: bool,
    waiting: Vec<Arc<Waiter>>,
    last: LastSync,
    poison: Option<Arc<Error>>,
}

/// A thread that sleeps until a sync has ended.
#[derive(Debug)]
struct Waiter {
    /// Up to here it needs records synced.
    lsn: Lsn,
    thread: Thread,
    woken: AtomicBool,
}

impl Waiter {
    fn sleep(&self) {
        while !self.woken.load(Ordering::Acquire) {
            thread::park();
        }
    }

    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// The sync before: how many callers there were at its end, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
struct LastSync {
    callers: usize,
    took: Duration,
}

impl GroupCommit {
    /// Starts with everything up to `last` synced; what comes next is written to `file`.
    pub(crate) fn new(file: Arc<dyn File>, last: Lsn) -> Self {
        GroupCommit {
            synced: AtomicU64::new(last),
            written: AtomicU64::new(last),
            callers: AtomicUsize::new(0),
            syncs: AtomicU64::new(0),
            failed_syncs: AtomicU64::new(0),
            sync_nanos: AtomicU64::new(0),
            turn: Mutex::new(Turn {
                file,
                leading: false,
                waiting: Vec::new(),
                last: LastSync::default(),
                poison: None,
            }),
        }
    }

    pub(crate) fn synced(&self) -> Lsn {
        self.synced.load(Ordering::Acquire)
    }

    pub(crate) fn written(&self) -> Lsn {
        self.written.load(Ordering::Acquire)
    }

    /// What syncs there were.
    pub(crate) fn syncs(&self) -> Syncs {
        Syncs {
            done: self.syncs.load(Ordering::Relaxed),
            failed: self.failed_syncs.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.sync_nanos.load(Ordering::Relaxed)),
        }
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
        let woken = std::mem::take(&mut turn.waiting);
        drop(turn);
        woken.iter().for_each(|waiter| waiter.wake());
        error
    }

    /// Returns once everything up to `lsn` is synced. An LSN that was not written yet means all that was.
    pub(crate) fn sync(&self, lsn: Lsn) -> Result<()> {
        let lsn = lsn.min(self.written());
        if self.synced() >= lsn {
            return Ok(());
        }
        self.callers.fetch_add(1, Ordering::AcqRel);
        let outcome = self.wait_or_lead(lsn);
        self.callers.fetch_sub(1, Ordering::AcqRel);
        outcome
    }

    fn wait_or_lead(&self, lsn: Lsn) -> Result<()> {
        loop {
            let turn = self.turn.lock();
            if self.synced() >= lsn {
                return Ok(());
            }
            turn.check()?;
            if turn.leading {
                wait(turn, lsn);
            } else {
                self.lead(turn)?;
            }
            // Those who wait are mostly woken because they are served: no need of the lock to see it.
            if self.synced() >= lsn {
                return Ok(());
            }
        }
    }

    /// Syncs the file even when no record waits for it.
    pub(crate) fn sync_now(&self) -> Result<()> {
        loop {
            let turn = self.turn.lock();
            turn.check()?;
            if !turn.leading {
                return self.lead(turn);
            }
            wait(turn, 0);
        }
    }

    fn lead(&self, mut turn: MutexGuard<'_, Turn>) -> Result<()> {
        turn.leading = true;
        let last = turn.last;
        drop(turn);
        self.let_others_come(last);
        let turn = self.turn.lock();
        let file = turn.file.clone();
        // Under the lock that `switch` takes: what is written by now is in this file, or was synced in an earlier one.
        let written = self.written();
        drop(turn);

        let started = Instant::now();
        let outcome = file.sync_data();
        let took = started.elapsed();
        let counter = match outcome {
            Ok(()) => &self.syncs,
            Err(_) => &self.failed_syncs,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.sync_nanos.fetch_add(nanos, Ordering::Relaxed);

        let mut turn = self.turn.lock();
        turn.leading = false;
        turn.last = LastSync {
            callers: self.callers.load(Ordering::Acquire),
            took,
        };
        let outcome = match outcome {
            Ok(()) => {
                self.synced.fetch_max(written, Ordering::AcqRel);
                Ok(())
            }
            Err(error) => Err(turn.set_poison(error.into())),
        };
        let woken = turn.end_wait(written);
        drop(turn);
        woken.iter().for_each(|waiter| waiter.wake());
        outcome
    }

    /// Waits until there are as many callers as at the end of the last sync, but less long than that took.
    fn let_others_come(&self, last: LastSync) {
        let limit = (last.took / 2).min(LONGEST_WAIT);
        let started = Instant::now();
        while self.callers.load(Ordering::Acquire) < last.callers && started.elapsed() < limit {
            thread::yield_now();
        }
    }
}

/// Sleeps until a sync has ended that served `lsn`, or until the caller is to lead the next.
fn wait(mut turn: MutexGuard<'_, Turn>, lsn: Lsn) {
    let waiter = Arc::new(Waiter {
        lsn,
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    turn.waiting.push(waiter.clone());
    drop(turn);
    waiter.sleep();
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

    /// Takes out who is to be woken after a sync up to `synced`: those whom it served and the next leader, or all when
    /// there will be no next sync.
    fn end_wait(&mut self, synced: Lsn) -> Vec<Arc<Waiter>> {
        if self.poison.is_some() {
            return std::mem::take(&mut self.waiting);
        }
        let mut woken: Vec<_> = self
            .waiting
            .extract_if(.., |waiter| waiter.lsn <= synced)
            .collect();
        if !self.waiting.is_empty() {
            // First, so that it syncs while the others are still waking up.
            woken.insert(0, self.waiting.remove(0));
        }
        woken
    }
}

#[cfg(test)]
mod tests;
