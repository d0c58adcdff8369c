//! One script and its mishaps, all of one seed.

use std::ops::AddAssign;

use vdb_vfs::sim::SimDisk;

use super::script::{self, Action};
use super::{Faults, Scratch, crash, fault, run};
use crate::Numbers;

/// How often what has happened, with everything found afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Power cuts at a call of a script, or after a script with a fault.
    pub in_script: u64,
    /// Power cuts right after a recovery.
    pub after_recovery: u64,
    /// Power cuts after a recovered database was written to.
    pub after_writing: u64,
    /// Power cuts at a call of a recovery.
    pub in_recovery: u64,
    /// Processes killed at a call of a script; the power cuts that follow are counted above.
    pub kills: u64,
    /// Calls that change the disk and failed.
    pub failed_calls: u64,
    /// Other calls that failed.
    pub failed_reads: u64,
    /// Disks that were full for a while.
    pub full_disks: u64,
}

impl Tally {
    /// Power cuts in all.
    pub fn crashes(&self) -> u64 {
        self.in_script + self.after_recovery + self.after_writing + self.in_recovery
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        let Tally {
            in_script,
            after_recovery,
            after_writing,
            in_recovery,
            kills,
            failed_calls,
            failed_reads,
            full_disks,
        } = other;
        self.in_script += in_script;
        self.after_recovery += after_recovery;
        self.after_writing += after_writing;
        self.in_recovery += in_recovery;
        self.kills += kills;
        self.failed_calls += failed_calls;
        self.failed_reads += failed_reads;
        self.full_disks += full_disks;
    }
}

/// Calls of a script that are met by a mishap.
const CALLS: u64 = 16;

/// Runs the script that `seed` stands for, with a mishap at some of its calls: power cuts in most cases, failing
/// calls, a full disk.
///
/// # Panics
/// When anything acknowledged is lost, or anything is found that nobody wrote.
pub fn play(seed: u64, scratch: &Scratch) -> Tally {
    let numbers = &mut Numbers::new(seed);
    let script = choose(numbers);
    let name = format!("seed {seed}");
    let mut tally = Tally::default();
    match numbers.below(8) {
        0 => {
            let disk = SimDisk::new(0);
            drop(run(&disk, &script, Faults::None, scratch));
            for n in spread(disk.reads(), numbers) {
                fault::fail_read_at(&name, &script, n, scratch, &mut tally);
            }
        }
        mishap => {
            let calls = crash::count_calls(&script, scratch);
            for n in spread(calls, numbers) {
                match mishap {
                    1 => fault::fail_at(&name, &script, n, scratch, &mut tally),
                    2 => {
                        let most = *numbers.pick(&[2, 8, 40]);
                        let long = 1 + numbers.below(most);
                        fault::full_at(&name, &script, n, long, scratch, &mut tally);
                    }
                    _ => crash::cut_at(&name, &script, n, scratch, &mut tally),
                }
            }
        }
    }
    tally
}

fn choose(numbers: &mut Numbers) -> Vec<Action> {
    match numbers.below(64) {
        0 => script::scripted(),
        1 => script::bulky(),
        _ => {
            let len = 4 + numbers.below(28) as usize;
            script::random(numbers.bits(), len)
        }
    }
}

/// Some numbers below `calls`, about as far from one another, from a random start.
fn spread(calls: u64, numbers: &mut Numbers) -> impl Iterator<Item = u64> + use<> {
    let stride = calls.div_ceil(CALLS).max(1);
    (numbers.below(stride)..calls).step_by(stride as usize)
}
