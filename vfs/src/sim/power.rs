//! Which call fails, and how.

use std::collections::BTreeSet;
use std::io;

use super::random::Random;
use crate::mem::shown;
use crate::{Error, Result};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Passes,
    /// It takes effect, but nobody is told: the power goes.
    Dies,
    /// The medium reports an error.
    Fails,
}

#[derive(Debug)]
pub(super) struct Power {
    seed: u64,
    pub(super) random: Random,
    pub(super) calls: u64,
    pub(super) syncs: u64,
    pub(super) crash_at: Option<u64>,
    pub(super) dead: bool,
    pub(super) failing_calls: BTreeSet<u64>,
    pub(super) failing_syncs: BTreeSet<u64>,
    pub(super) capacity: Option<u64>,
}

impl Power {
    pub(super) fn new(seed: u64) -> Self {
        Power {
            seed,
            random: Random::new(seed),
            calls: 0,
            syncs: 0,
            crash_at: None,
            dead: false,
            failing_calls: BTreeSet::new(),
            failing_syncs: BTreeSet::new(),
            capacity: None,
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Counts a mutating call and says what becomes of it; an error on a disk that is dead already.
    pub(super) fn enter(&mut self, path: &str, op: &'static str) -> Result<Fate> {
        if self.dead {
            return Err(failed(path, op, Fate::Dies));
        }
        let n = self.calls;
        self.calls += 1;
        Ok(if self.crash_at.is_some_and(|at| n >= at) {
            self.dead = true;
            Fate::Dies
        } else if self.failing_calls.contains(&n) {
            Fate::Fails
        } else {
            Fate::Passes
        })
    }

    /// As `enter`, for a sync.
    pub(super) fn enter_sync(&mut self, path: &str, op: &'static str) -> Result<Fate> {
        let fate = self.enter(path, op)?;
        let n = self.syncs;
        self.syncs += 1;
        Ok(if fate == Fate::Passes && self.failing_syncs.contains(&n) {
            Fate::Fails
        } else {
            fate
        })
    }
}

pub(super) fn failed(path: &str, op: &'static str, fate: Fate) -> Error {
    let what = if fate == Fate::Dies {
        "simulated crash"
    } else {
        "simulated input/output error"
    };
    Error::Io {
        path: shown(path),
        op,
        source: io::Error::other(what),
    }
}
