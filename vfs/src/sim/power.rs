//! Which call fails, and how.

use std::collections::BTreeSet;
use std::io;

use super::fault::{Call, Effect, Fault};
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
    /// There is no room for more.
    Full,
    /// It does half of what it should and says so.
    Short,
}

#[derive(Debug)]
pub(super) struct Power {
    seed: u64,
    pub(super) random: Random,
    /// Calls that change the disk.
    pub(super) calls: u64,
    /// The others.
    pub(super) reads: u64,
    pub(super) syncs: u64,
    pub(super) crash_at: Option<u64>,
    pub(super) dead: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) failing_syncs: BTreeSet<u64>,
    pub(super) capacity: Option<u64>,
}

impl Power {
    pub(super) fn new(seed: u64) -> Self {
        Power {
            seed,
            random: Random::new(seed),
            calls: 0,
            reads: 0,
            syncs: 0,
            crash_at: None,
            dead: false,
            faults: Vec::new(),
            failing_syncs: BTreeSet::new(),
            capacity: None,
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether a call has to wait before it is looked at again.
    pub(super) fn stalls(&mut self, call: Call, path: &str) -> bool {
        let number = if call.reads() { self.reads } else { self.calls };
        !self.dead
            && self
                .faults
                .iter_mut()
                .any(|fault| fault.effect == Effect::Stall && fault.hits(call, path, number))
    }

    /// Counts a call and says what becomes of it; an error on a disk that is dead already.
    pub(super) fn enter(&mut self, call: Call, path: &str) -> Result<Fate> {
        if self.dead {
            return Err(failed(path, call, Fate::Dies));
        }
        let counter = if call.reads() {
            &mut self.reads
        } else {
            &mut self.calls
        };
        let n = *counter;
        *counter += 1;
        let sync = matches!(call, Call::Sync | Call::SyncDir).then_some(self.syncs);
        self.syncs += u64::from(sync.is_some());
        if !call.reads() && self.crash_at.is_some_and(|at| n >= at) {
            self.dead = true;
            return Ok(Fate::Dies);
        }
        if sync.is_some_and(|n| self.failing_syncs.contains(&n)) {
            return Ok(Fate::Fails);
        }
        let fate = |fault: &mut Fault| {
            let fate = match fault.effect {
                Effect::Error => Fate::Fails,
                Effect::Full => Fate::Full,
                Effect::Short => Fate::Short,
                Effect::Stall => return None,
            };
            fault.hits(call, path, n).then_some(fate)
        };
        Ok(self.faults.iter_mut().find_map(fate).unwrap_or(Fate::Passes))
    }
}

pub(super) fn failed(path: &str, call: Call, fate: Fate) -> Error {
    let source = match fate {
        Fate::Dies => io::Error::other("simulated crash"),
        Fate::Full => io::ErrorKind::StorageFull.into(),
        Fate::Fails | Fate::Passes | Fate::Short => io::Error::other("simulated input/output error"),
    };
    Error::io(shown(path), call.op(), source)
}
