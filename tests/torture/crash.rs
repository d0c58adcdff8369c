//! The power goes at a call, or the process alone dies there; what is found is compared; then the power goes again.

use vdb::Database;
use vdb_vfs::sim::SimDisk;

use super::case::Tally;
use super::perform::{Faults, Scratch, run};
use super::script::{self, Action};
use super::told::Told;
use crate::oracle::{Dump, Op, OracleDatabase, Step, database};

/// Opens what a crash has left and compares; then writes, crashes once more, and compares again.
///
/// # Panics
/// When anything acknowledged is lost, or anything is found that nobody wrote.
pub fn check_recovery(
    disk: &SimDisk,
    told: &Told,
    seed: u64,
    context: &dyn Fn() -> String,
    tally: &mut Tally,
) {
    check_found(&disk.crash(seed), told, seed, context, tally);
    tally.in_script += 1;
}

/// The same for the disk that the next process finds when this one is killed: what it left unsynced is seen, and is not to be
/// relied on.
///
/// # Panics
/// As [`check_recovery`].
pub fn check_kill(disk: &SimDisk, told: &Told, seed: u64, context: &dyn Fn() -> String, tally: &mut Tally) {
    check_found(&disk.restart(), told, seed, context, tally);
    tally.kills += 1;
}

fn check_found(found: &SimDisk, told: &Told, seed: u64, context: &dyn Fn() -> String, tally: &mut Tally) {
    let db = script::open(found).unwrap_or_else(|e| panic!("{}: {e}", context()));
    let mut state = told.recognise(&db, context);
    told.check_sequences(&db, &state, context);

    // What was once seen stays, without anyone closing the database.
    let again = script::open(&found.crash(seed + 1)).unwrap_or_else(|e| panic!("{}: {e}", context()));
    assert_eq!(
        Dump::expect(&state).difference(&Dump::read(&again).unwrap()),
        None,
        "{}: seen and gone",
        context()
    );
    drop(again);
    tally.after_recovery += 1;

    write_on(&db, &mut state, seed, context);
    drop(db);
    let db = script::open(&found.crash(seed + 2)).unwrap_or_else(|e| panic!("{}: {e}", context()));
    let difference = Dump::expect(&state).difference(&Dump::read(&db).unwrap());
    assert_eq!(difference, None, "{}: after writing on", context());
    tally.after_writing += 1;
}

/// Writes to every collection of a database that was recovered, flushes some.
fn write_on(db: &Database, state: &mut OracleDatabase, seed: u64, context: &dyn Fn() -> String) {
    for name in state.names.keys().cloned().collect::<Vec<_>>() {
        let collection = db.collection(&name).unwrap();
        let steps = [
            Step::Write(name.clone(), script::points(3..5, seed)),
            Step::Write(name.clone(), Op::Delete(script::ids(&[5, 6]))),
        ];
        let steps = script::fitted(&steps, state);
        state.get_mut(&name).unwrap().next_seq = collection.info().unwrap().last_sequence + 1;
        db.write(database::batch(&steps))
            .unwrap_or_else(|e| panic!("{}: {e}", context()));
        state.apply(&steps).unwrap();
        if seed.is_multiple_of(2) {
            collection
                .flush()
                .unwrap_or_else(|e| panic!("{}: {e}", context()));
        }
    }
}

/// Cuts the power once more, while what the first cut has left is being recovered.
///
/// # Panics
/// As [`check_recovery`].
pub fn check_crash_in_recovery(
    disk: &SimDisk,
    told: &Told,
    seed: u64,
    context: &dyn Fn() -> String,
    tally: &mut Tally,
) {
    let calls = {
        let whole = disk.crash(seed);
        let db = script::open(&whole).unwrap_or_else(|e| panic!("{}: {e}", context()));
        let calls = whole.calls();
        drop(db);
        calls
    };
    let found = disk.crash(seed);
    found.crash_at(seed % calls.max(1));
    // The cut may come after the opening has finished, in a thread behind it.
    drop(script::open(&found));
    let db = script::open(&found.crash(seed + 7)).unwrap_or_else(|e| panic!("{}: {e}", context()));
    told.recognise(&db, context);
    tally.in_recovery += 1;
}

/// How many calls that change the disk a script makes when nothing goes wrong, closing included.
///
/// # Panics
/// When what the script wrote is not what the next process finds.
pub fn count_calls(script: &[Action], scratch: &Scratch) -> u64 {
    let disk = SimDisk::new(0);
    let (told, db) = run(&disk, script, Faults::None, scratch);
    // Closing is part of the script, and must not matter.
    drop(db);
    let calls = disk.calls();
    let db = script::open(&disk.restart()).unwrap();
    assert_eq!(
        Dump::expect(told.present()).difference(&Dump::read(&db).unwrap()),
        None
    );
    calls
}

/// Cuts the power at call `n` of a script, and checks two of the disks that may be found, and the one that is found when the process
/// dies there instead.
///
/// # Panics
/// As [`check_recovery`].
pub fn cut_at(name: &str, script: &[Action], n: u64, scratch: &Scratch, tally: &mut Tally) {
    let disk = SimDisk::new(0);
    disk.crash_at(n);
    let (told, db) = run(&disk, script, Faults::None, scratch);
    drop(db);
    for seed in [n * 10, n * 10 + 5] {
        let context = || format!("{name}, power cut at call {n}, seed {seed}");
        check_recovery(&disk, &told, seed, &context, tally);
        if n.is_multiple_of(3) {
            check_crash_in_recovery(&disk, &told, seed, &context, tally);
        }
    }
    let context = || format!("{name}, killed at call {n}");
    check_kill(&disk, &told, n * 10, &context, tally);
}
