//! What is left after a power cut or with a failing disk? Scripts on a simulated disk, cut at every call.
//!
//! Each script is run once to count the disk's mutating calls, then again with the power going at each of them. What
//! is found afterwards must be everything acknowledged under `Sync`, whole batches only, in the order of the log, and
//! nothing else (`torture/`).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use vdb::{Control, Database, Durability, Error, Point, Select, WriteBatch};
use vdb_tests::Numbers;
use vdb_tests::effort::{each, effort, setting};
use vdb_tests::oracle::{Dump, Op, OracleDatabase, Step, database};
use vdb_tests::torture::script::{self, Action};
use vdb_tests::torture::{Scratch, Tally, case, crash, fault};
use vdb_vfs::Disk;
use vdb_vfs::sim::SimDisk;

/// The first seed of random scripts.
fn first_seed() -> u64 {
    setting("VDB_SEED", 0)
}

/// The seeds of so many random scripts, or of more with more effort.
fn seeds(scripts: u64) -> Vec<u64> {
    (first_seed()..first_seed() + scripts * effort()).collect()
}

fn crash_everywhere(name: &str, script: &[Action], stride: u64) {
    let (scratch, tally) = (Scratch::new(), &mut Tally::default());
    let calls = crash::count_calls(script, &scratch);
    for n in (calls % stride..calls).step_by(stride as usize) {
        crash::cut_at(name, script, n, &scratch, tally);
    }
}

#[test]
fn a_power_cut_at_any_call_of_a_script_loses_nothing_acknowledged() {
    crash_everywhere("scripted", &script::scripted(), 1);
}

#[test]
fn a_power_cut_while_log_files_and_memtables_change_loses_nothing_acknowledged() {
    crash_everywhere("bulky", &script::bulky(), 1);
}

#[test]
fn a_power_cut_in_a_random_script_loses_nothing_acknowledged() {
    each(&seeds(24), |&seed| {
        crash_everywhere(&format!("random script {seed}"), &script::random(seed, 24), 11);
    });
}

#[test]
fn a_failing_call_anywhere_in_a_script_is_reported_and_loses_nothing_acknowledged() {
    let (script, scratch, tally) = (script::scripted(), Scratch::new(), &mut Tally::default());
    for n in 0..crash::count_calls(&script, &scratch) {
        fault::fail_at("scripted", &script, n, &scratch, tally);
    }
}

#[test]
fn a_failing_call_in_a_random_script_is_reported_and_loses_nothing_acknowledged() {
    each(&seeds(12), |&seed| {
        let (scratch, tally) = (Scratch::new(), &mut Tally::default());
        let script = script::random(seed, 24);
        for n in (seed % 13..crash::count_calls(&script, &scratch)).step_by(13) {
            fault::fail_at(&format!("random script {seed}"), &script, n, &scratch, tally);
        }
    });
}

#[test]
fn a_disk_that_fills_up_anywhere_in_a_script_takes_writes_again_and_loses_nothing_acknowledged() {
    let (script, scratch, tally) = (script::scripted(), Scratch::new(), &mut Tally::default());
    for n in 0..crash::count_calls(&script, &scratch) {
        fault::full_at("scripted", &script, n, 1 + n % 9, &scratch, tally);
    }
}

/// What `vdb-torture crash` does by the million, a thousand times: `VDB_SEED` is its `--seed`.
#[test]
fn a_thousand_crashes_of_all_kinds_lose_nothing_acknowledged() {
    let (scratch, mut tally) = (Scratch::new(), Tally::default());
    let mut seed = first_seed();
    while tally.crashes() < 1_000 * effort() {
        tally += case::play(seed, &scratch);
        seed += 1;
    }
    println!("{tally:?}");
}

fn is_full(error: &Error) -> bool {
    // Said by the disk, the log or a segment, or of the write buffer that cannot be flushed.
    error.to_string().contains("no space")
}

fn bulky_point(id: u64, bytes: usize) -> Point {
    let mut point = script::point(id, id + 1);
    point.payload.insert("text".to_owned(), "y".repeat(bytes).into());
    point
}

#[test]
fn a_full_disk_refuses_writes_keeps_reads_and_takes_writes_again_when_there_is_space() {
    let disk = SimDisk::new(1);
    let db = script::open(&disk).unwrap();
    let collection = db.create_collection("a", script::config()).unwrap();
    let mut numbers = Numbers::new(5);
    let mut there = Vec::new();
    let mut id = 0;
    for round in 0..12 {
        disk.set_capacity(Some(disk.used() + numbers.below(200_000)));
        let mut refused = 0;
        for _ in 0..60 {
            id += 1;
            match collection.upsert(vec![bulky_point(id, 5_000)]) {
                Ok(_) => there.push(id),
                Err(error) => {
                    assert!(is_full(&error), "round {round}: {error}");
                    refused += 1;
                    if refused == 3 {
                        break;
                    }
                }
            }
            if id % 16 == 0
                && let Err(error) = collection.flush()
            {
                assert!(is_full(&error), "round {round}: flush: {error}");
            }
        }
        assert!(refused > 0, "round {round}: the disk was never full");
        assert_eq!(
            collection.count(None).unwrap(),
            there.len() as u64,
            "round {round}"
        );
        let last = *there.last().unwrap();
        assert_eq!(
            collection.get(&[last.into()], &Select::payload()).unwrap().len(),
            1
        );

        // The disk may be found full by whoever opens next, too.
        if round % 4 == 3 {
            let crashed = disk.crash(round);
            let db = script::open(&crashed).unwrap();
            assert_eq!(
                db.collection("a").unwrap().count(None).unwrap(),
                there.len() as u64,
                "round {round}"
            );
        }

        disk.set_capacity(None);
        collection.flush().unwrap();
        id += 1;
        collection.upsert(vec![bulky_point(id, 5_000)]).unwrap();
        there.push(id);
    }
    drop((collection, db));
    for seed in 0..4 {
        let db = script::open(&disk.crash(seed)).unwrap();
        let found = Dump::read(&db).unwrap();
        assert!(
            found.collections["a"]
                .points
                .keys()
                .copied()
                .eq(there.iter().map(|&id| id.into()))
        );
    }
}

#[test]
fn a_failed_sync_of_the_log_ends_writing_and_shows_nothing_of_what_it_was_for() {
    let disk = SimDisk::new(3);
    let db = script::open(&disk).unwrap();
    let collection = db.create_collection("a", script::config()).unwrap();
    collection.upsert(vec![script::point(1, 1)]).unwrap();
    disk.fail_sync(disk.syncs());
    let failed = collection.upsert(vec![script::point(2, 2)]);
    assert!(matches!(failed, Err(Error::Poisoned(_))), "{failed:?}");
    // The disk is fine again, but nobody knows what it has forgotten.
    for durability in [Durability::Sync, Durability::Buffered, Durability::None] {
        let steps = [Step::Write("a".to_owned(), script::points(3..4, 3))];
        let refused = db
            .submit(database::batch(&steps), durability)
            .and_then(|t| t.wait_visible());
        assert!(
            matches!(refused, Err(Error::Poisoned(_))),
            "{durability:?}: {refused:?}"
        );
    }
    assert!(matches!(db.sync(), Err(Error::Poisoned(_))));
    assert!(collection.flush().is_err());
    assert_eq!(collection.count(None).unwrap(), 1);
    assert_eq!(
        collection
            .get(&[1.into(), 2.into()], &Select::all())
            .unwrap()
            .len(),
        1
    );
    drop((collection, db));
    for seed in 0..16 {
        let db = script::open(&disk.crash(seed)).unwrap();
        let collection = db.collection("a").unwrap();
        assert!(collection.get(&[1.into()], &Select::all()).unwrap().len() == 1);
        assert!(collection.count(None).unwrap() <= 2);
        collection.upsert(vec![script::point(9, 9)]).unwrap();
    }
}

#[test]
fn a_number_given_to_a_weak_write_is_not_given_again_after_a_power_cut() {
    for seed in 0..32 {
        let disk = SimDisk::new(seed);
        let db = script::open(&disk).unwrap();
        let weak = |name: &str, id: u64| {
            let steps = [Step::Write(name.to_owned(), script::points(id..id + 1, id))];
            let ticket = db.submit(database::batch(&steps), Durability::None).unwrap();
            ticket.wait_visible().unwrap();
            ticket.result().sequence()
        };
        for name in ["a", "b"] {
            db.create_collection(name, script::config()).unwrap();
        }
        weak("a", 1);
        let last = (1..5).map(|id| weak("b", id)).max().unwrap();
        let after = script::open(&disk.crash(seed)).unwrap();
        let next = after
            .collection("b")
            .unwrap()
            .upsert(vec![script::point(7, 7)])
            .unwrap()
            .sequence();
        assert!(next > last, "seed {seed}: {next} is given again, {last} was seen");
    }
}

#[test]
fn a_closed_database_does_not_touch_its_files_again() {
    let disk = SimDisk::new(0);
    let db = script::open(&disk).unwrap();
    let collection = db.create_collection("a", script::config()).unwrap();
    collection
        .upsert(vec![script::point(1, 1), script::point(2, 2)])
        .unwrap();
    db.clone().close().unwrap();
    let calls = disk.calls();
    assert!(matches!(collection.flush(), Err(Error::Closed)));
    assert!(matches!(
        collection.optimize(&Control::none()),
        Err(Error::Closed)
    ));
    assert!(matches!(
        collection.upsert(vec![script::point(3, 3)]),
        Err(Error::Closed)
    ));
    assert!(matches!(
        collection.create_payload_index("k", vdb::PayloadIndexKind::Keyword),
        Err(Error::Closed)
    ));
    assert!(matches!(
        db.create_collection("b", script::config()),
        Err(Error::Closed)
    ));
    assert!(matches!(db.drop_collection("a"), Err(Error::Closed)));
    assert!(matches!(collection.count(None), Err(Error::Closed)));
    assert_eq!(disk.calls(), calls);
}

#[test]
fn closing_waits_for_nothing_but_the_disk() {
    let disk = SimDisk::new(0);
    let db = script::open(&disk).unwrap();
    let collection = db.create_collection("a", script::config()).unwrap();
    collection.upsert(vec![script::point(1, 1)]).unwrap();
    let payload = json!({"x": 1}).as_object().unwrap().clone();
    collection.set_payload(payload, vec![1u64]).unwrap();
    let start = Instant::now();
    drop((collection, db));
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "the interval of the syncing thread is an hour"
    );
}

#[test]
fn a_record_that_fills_a_memtable_while_it_is_replayed_stays_whole() {
    let disk = SimDisk::new(0);
    let roomy = Database::builder()
        .background(false)
        .open_disk(Arc::new(disk.clone()))
        .unwrap();
    let collection = roomy.create_collection("a", script::config()).unwrap();
    collection.upsert(vec![script::point(1, 1)]).unwrap();
    let payload = json!({"late": true}).as_object().unwrap().clone();
    let batch = WriteBatch::new()
        .upsert("a", vec![bulky_point(2, 50_000)])
        .set_payload("a", payload, vec![1u64]);
    roomy.write(batch).unwrap();
    let mut disk = disk.restart();
    for _ in 0..3 {
        let db = script::open(&disk).unwrap();
        let collection = db.collection("a").unwrap();
        // Replaying has filled a memtable; once it is flushed, the log is not needed for it.
        let limit = Instant::now() + Duration::from_secs(20);
        while collection.info().unwrap().segments.is_empty() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(2));
        }
        let late = collection.get(&[1.into()], &Select::payload()).unwrap().remove(0);
        assert_eq!(late.payload.unwrap().get("late"), Some(&json!(true)));
        disk = disk.crash(1);
    }
}

#[test]
fn the_log_keeps_the_oldest_record_that_is_in_no_segment() {
    let disk = SimDisk::new(0);
    let builder = Database::builder().log_segment_bytes(0).background(false);
    let db = builder.open_disk(Arc::new(disk.clone())).unwrap();
    // Each of these records fills a log file.
    for name in ["a", "b"] {
        let collection = db.create_collection(name, script::config()).unwrap();
        collection.upsert(vec![bulky_point(1, 200_000)]).unwrap();
    }
    db.collection("b")
        .unwrap()
        .upsert(vec![bulky_point(2, 200_000)])
        .unwrap();
    db.collection("b").unwrap().flush().unwrap();
    for seed in 0..4 {
        let db = script::open(&disk.crash(seed)).unwrap();
        let counted = |name| db.collection(name).unwrap().count(None).unwrap();
        assert_eq!((counted("a"), counted("b")), (1, 2), "seed {seed}");
    }
}

#[test]
fn the_log_keeps_what_a_refused_collection_has_in_no_segment() {
    let disk = SimDisk::new(0);
    let open = |disk: &SimDisk| {
        let builder = Database::builder().log_segment_bytes(0).background(false);
        builder.open_disk(Arc::new(disk.clone())).unwrap()
    };
    let db = open(&disk);
    for name in ["a", "b"] {
        let collection = db.create_collection(name, script::config()).unwrap();
        collection.upsert(vec![bulky_point(1, 200_000)]).unwrap();
    }
    db.close().unwrap();
    let names = disk.list("collections/00000002").unwrap();
    let manifest = names.iter().find(|name| !name.ends_with(".old")).unwrap();
    let flip = || {
        let path = format!("collections/00000002/{manifest}");
        disk.flip_bits(&path, 0, 1).unwrap();
    };
    flip();
    let db = open(&disk);
    assert!(db.collection("b").is_err());
    let a = db.collection("a").unwrap();
    a.upsert(vec![bulky_point(2, 200_000)]).unwrap();
    a.flush().unwrap();
    drop((a, db));
    flip();
    assert_eq!(open(&disk).collection("b").unwrap().count(None).unwrap(), 1);
}

#[test]
fn rows_that_die_while_they_are_merged_are_there_for_the_log_to_end_them_again() {
    assert!((0..).find(|&at| !die_in_a_merge(at, false)) > Some(2));
}

#[test]
fn rows_that_die_and_are_flushed_as_dead_while_they_are_merged_stay_dead() {
    assert!((0..).find(|&at| !die_in_a_merge(at, true)) > Some(2));
}

/// Changes rows when a merge asks for the `at`-th time whether it is cancelled, and brings that into segments at once, or
/// leaves it to the log. False when a merge does not ask so often.
fn die_in_a_merge(at: u32, flushed: bool) -> bool {
    let disk = SimDisk::new(0);
    let db = script::open(&disk).unwrap();
    let collection = db.create_collection("a", script::config()).unwrap();
    let mut state = OracleDatabase::default();
    state.create("a", script::config());
    let state = Mutex::new(state);
    let write = |op: Op| {
        let steps = [Step::Write("a".to_owned(), op)];
        db.write(database::batch(&steps)).unwrap();
        state.lock().unwrap().apply(&steps).unwrap();
    };
    for start in [0, 10] {
        write(script::points(start..start + 10, 1));
        collection.flush().unwrap();
    }
    let payload = json!({"late": true}).as_object().unwrap().clone();
    let late = Mutex::new(vec![
        Op::SetPayload(payload, script::ids(&[5, 15]), None),
        Op::Delete(script::ids(&[7])),
        script::points(12..13, 2),
        Op::DeleteVectors(vec!["side".to_owned()], script::ids(&[13])),
    ]);
    let asked = AtomicU32::new(0);
    let interrupt = || {
        if asked.fetch_add(1, Ordering::Relaxed) == at {
            let now = std::mem::take(&mut *late.lock().unwrap());
            now.into_iter().for_each(write);
            if flushed {
                collection.flush().unwrap();
            }
        }
        false
    };
    collection
        .optimize(&Control::new(&interrupt, &|_, _| ()))
        .unwrap();
    let expected = Dump::expect(&state.lock().unwrap());
    assert_eq!(expected.difference(&Dump::read(&db).unwrap()), None);
    for seed in 0..4 {
        let db = script::open(&disk.crash(seed)).unwrap();
        assert_eq!(
            expected.difference(&Dump::read(&db).unwrap()),
            None,
            "asked {at} times, seed {seed}"
        );
    }
    late.lock().unwrap().is_empty()
}
