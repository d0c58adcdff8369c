//! Calls fail, or the disk is full for a while: what the process sees, and what the next one finds.

use vdb::Database;
use vdb_vfs::sim::{Fault, SimDisk};

use super::case::Tally;
use super::crash::check_recovery;
use super::perform::{Faults, Scratch, run};
use super::script::{self, Action};
use super::told::Told;

/// Runs a script with one failing call, and checks what the process sees and what the next one finds.
///
/// # Panics
/// When anything acknowledged is lost, or anything that failed is seen.
pub fn fail_at(name: &str, script: &[Action], n: u64, scratch: &Scratch, tally: &mut Tally) {
    let disk = SimDisk::new(n);
    disk.fail_call(n);
    let (told, db) = run(&disk, script, Faults::One, scratch);
    drop(db);
    tally.failed_calls += 1;
    check_restart(
        &disk,
        &told,
        n,
        &format!("{name}, input/output error at call {n}"),
        tally,
    );
}

/// As [`fail_at`], for a call that changes nothing.
///
/// # Panics
/// As [`fail_at`].
pub fn fail_read_at(name: &str, script: &[Action], n: u64, scratch: &Scratch, tally: &mut Tally) {
    let disk = SimDisk::new(n);
    disk.inject(Fault::error().on_reads().at(n..n + 1));
    let (told, db) = run(&disk, script, Faults::One, scratch);
    drop(db);
    tally.failed_reads += 1;
    check_restart(
        &disk,
        &told,
        n,
        &format!("{name}, input/output error at read {n}"),
        tally,
    );
}

/// Runs a script on a disk that is full for `calls` calls from call `n` on. What was refused is not there, all else
/// is; when there is space again the same process writes on.
///
/// # Panics
/// As [`fail_at`], and when the database does not take writes again.
pub fn full_at(name: &str, script: &[Action], n: u64, calls: u64, scratch: &Scratch, tally: &mut Tally) {
    let disk = SimDisk::new(n);
    disk.inject(Fault::full().at(n..n + calls));
    let (told, db) = run(&disk, script, Faults::Before(n + calls), scratch);
    let context = format!("{name}, disk full at call {n} for {calls}");
    if disk.calls() > n {
        tally.full_disks += 1;
    }
    disk.heal();
    if let Some(db) = db {
        resume(&db, &context);
    }
    check_restart(&disk, &told, n, &context, tally);
}

/// A write is taken that leaves nothing behind.
fn resume(db: &Database, context: &str) {
    for name in db.collections() {
        let outcome = db.collection(&name).and_then(|c| c.delete(vec![u64::MAX]));
        if let Err(error) = outcome {
            panic!("{context}: there is space again, and {name} takes no writes: {error}");
        }
    }
}

fn check_restart(disk: &SimDisk, told: &Told, n: u64, context: &str, tally: &mut Tally) {
    let said = || context.to_owned();
    let db = script::open(&disk.restart()).unwrap_or_else(|e| panic!("{context}, restarted: {e}"));
    let state = told.recognise(&db, &said);
    told.check_sequences(&db, &state, &said);
    drop(db);
    check_recovery(disk, told, n, &|| format!("{context}, then a power cut"), tally);
}
