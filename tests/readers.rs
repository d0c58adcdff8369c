//! What does a reader see of a database that somebody else is writing to, and does it leave everything alone?
//!
//! Writer and reader share a simulated disk, and take turns at its calls: a reader looks at every call that the writer
//! makes, and the writer goes on at calls that the reader makes. What is seen must be one of the states that the
//! script went through in the meantime, whole, and none that is older than what was seen before. `processes` has a
//! writer in a process of its own.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "readers/chronicle.rs"]
mod chronicle;
#[path = "readers/processes.rs"]
mod processes;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chronicle::Chronicle;
use serde_json::json;
use vdb::disk::DynDisk;
use vdb::{
    Control, Database, Durability, Error, PayloadIndexKind, Point, PointId, RestoreMode, Select, WriteBatch,
    verify,
};
use vdb_tests::Numbers;
use vdb_tests::oracle::Dump;
use vdb_tests::torture::script::{self, Action};
use vdb_tests::watched::{Call, WatchedDisk};
use vdb_vfs::Disk;
use vdb_vfs::sim::SimDisk;

/// A disk on which any change ends the test.
fn untouched(disk: &SimDisk) -> DynDisk {
    Arc::new(WatchedDisk::new(Arc::new(disk.clone()), |call| {
        assert_eq!(call, Call::Reads, "a reader changed the disk");
    }))
}

fn read_only(disk: DynDisk) -> vdb::Result<Database> {
    script::builder().open_disk_read_only(disk)
}

/// Looks at a database again and again: anew each time, and with one reader that follows.
struct Watcher {
    disk: SimDisk,
    chronicle: Arc<Chronicle>,
    follower: Option<Database>,
    /// The state that each saw last.
    seen: [usize; 2],
}

impl Watcher {
    fn look(&mut self) {
        let from = self.chronicle.done();
        let fresh = match read_only(untouched(&self.disk)) {
            Ok(fresh) => fresh,
            // Until the writer has made it.
            Err(Error::NotADatabase { .. }) if from == 0 => return,
            Err(error) => panic!("{error}"),
        };
        self.seen[0] = self.chronicle.recognise(&fresh, self.seen[0].max(from));

        let from = self.chronicle.done();
        let follower = self
            .follower
            .get_or_insert_with(|| read_only(untouched(&self.disk)).unwrap());
        follower.refresh().unwrap();
        self.seen[1] = self.chronicle.recognise(follower, self.seen[1].max(from));
    }
}

/// Runs a script, and has readers look before every change of the disk.
fn look_at_every_call(script: Vec<Action>, stride: u64) {
    let disk = SimDisk::new(0);
    let chronicle = Arc::new(Chronicle::of(script));
    let watcher = Mutex::new(Watcher {
        disk: disk.clone(),
        chronicle: chronicle.clone(),
        follower: None,
        seen: [0, 0],
    });
    let calls = AtomicU64::new(0);
    let watched = WatchedDisk::new(Arc::new(disk), move |call| {
        if call == Call::Changes && calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(stride) {
            watcher.lock().unwrap().look();
        }
    });
    let db = script::builder().open_disk(Arc::new(watched)).unwrap();
    while chronicle.step(&db) {}
    db.close().unwrap();
}

#[test]
fn a_reader_at_any_call_of_a_writer_sees_whole_actions_in_their_order() {
    look_at_every_call(script::scripted(), 1);
}

#[test]
fn a_reader_at_any_call_sees_whole_actions_while_log_files_and_memtables_change() {
    look_at_every_call(script::bulky(), 1);
}

#[test]
fn a_reader_at_any_call_of_a_random_script_sees_whole_actions_in_their_order() {
    for seed in 0..6 {
        look_at_every_call(script::random(seed, 30), 5);
    }
}

/// A writer that goes on while a reader is at its calls.
struct Meddler {
    db: Database,
    chronicle: Chronicle,
    disk: SimDisk,
}

impl Meddler {
    fn new(script: Vec<Action>) -> Meddler {
        let disk = SimDisk::new(0);
        Meddler {
            db: script::open(&disk).unwrap(),
            chronicle: Chronicle::of(script),
            disk,
        }
    }

    /// A disk for readers, whose calls let the writer go on by so many actions as `turn` says.
    fn disk(self: &Arc<Self>, turn: impl Fn() -> u64 + Send + Sync + 'static) -> DynDisk {
        let meddler = self.clone();
        let within = AtomicBool::new(false);
        Arc::new(WatchedDisk::new(untouched(&self.disk), move |_| {
            if !within.swap(true, Ordering::AcqRel) {
                for _ in 0..turn() {
                    meddler.chronicle.step(&meddler.db);
                }
                within.store(false, Ordering::Release);
            }
        }))
    }
}

#[test]
fn a_writer_that_goes_on_at_the_calls_of_a_reader_does_not_confuse_it() {
    for seed in 0..24 {
        let meddler = Arc::new(Meddler::new(script::random(seed, 120)));
        let numbers = Mutex::new(Numbers::new(seed));
        let rest = [4, 12, 40][seed as usize % 3];
        let disk = meddler.disk(move || {
            let mut numbers = numbers.lock().unwrap();
            if numbers.below(rest) == 0 {
                1 + numbers.below(3)
            } else {
                0
            }
        });
        let follower = read_only(disk.clone()).unwrap();
        let mut seen = meddler.chronicle.recognise(&follower, 0);
        while !meddler.chronicle.is_over() {
            let from = meddler.chronicle.done();
            follower.refresh().unwrap();
            seen = meddler.chronicle.recognise(&follower, seen.max(from));
            let from = meddler.chronicle.done();
            let fresh = read_only(disk.clone()).unwrap();
            meddler.chronicle.recognise(&fresh, from);
        }
        follower.refresh().unwrap();
        assert_eq!(
            Dump::read(&follower).unwrap(),
            Dump::read(&meddler.db).unwrap(),
            "seed {seed}"
        );
    }
}

/// At each call of a reader in turn, a writer does all that is left of a script after `first` actions.
fn meddle_at_every_call(script: &[Action], first: usize) {
    for n in 0.. {
        let meddler = Arc::new(Meddler::new(script.to_vec()));
        for _ in 0..first {
            meddler.chronicle.step(&meddler.db);
        }
        let calls = Arc::new(AtomicU64::new(0));
        let counted = calls.clone();
        let left = script.len() as u64;
        let disk = meddler.disk(move || left * u64::from(counted.fetch_add(1, Ordering::Relaxed) == n));
        let from = meddler.chronicle.done();
        let reader = read_only(disk).unwrap();
        meddler.chronicle.recognise(&reader, from);
        if calls.load(Ordering::Relaxed) <= n {
            assert!(n > 30, "{n} calls");
            break;
        }
    }
}

#[test]
fn segments_and_log_files_that_go_at_any_call_of_a_reader_do_not_confuse_it() {
    let flushes = vec![Action::Flush("a"), Action::Flush("b")];
    // The names of collections stay, so that nothing else tells that something happened.
    let script = [script::bulky(), flushes.clone(), script::bulky(), flushes].concat();
    for first in [5, 9, 12] {
        meddle_at_every_call(&script, first);
    }
}

#[test]
fn collections_that_come_and_go_at_any_call_of_a_reader_do_not_confuse_it() {
    for first in [6, 18] {
        meddle_at_every_call(&script::scripted(), first);
    }
}

#[test]
fn a_reader_of_what_a_crash_has_left_sees_what_recovery_makes_of_it() {
    let chronicle = Chronicle::of(script::scripted());
    let whole = SimDisk::new(0);
    let db = script::open(&whole).unwrap();
    while chronicle.step(&db) {}
    drop(db);
    for n in (0..whole.calls()).step_by(3) {
        let disk = SimDisk::new(0);
        disk.crash_at(n);
        let chronicle = Chronicle::of(script::scripted());
        if let Ok(db) = script::open(&disk) {
            while !disk.is_dead() && chronicle.step(&db) {}
        }
        let found = disk.crash(n);
        let seen = read_only(untouched(&found)).and_then(|db| Dump::read(&db));
        let recovered = Dump::read(&script::open(&found).unwrap()).unwrap();
        match seen {
            Ok(seen) => assert_eq!(recovered.difference(&seen), None, "power cut at call {n}"),
            Err(error) => {
                assert!(matches!(error, Error::NotADatabase { .. }), "call {n}: {error}");
                assert_eq!(recovered, Dump::default());
            }
        }
    }
}

/// A collection of three points, two of them in a segment.
fn small(disk: &SimDisk) -> Database {
    let db = script::open(disk).unwrap();
    let c = db.create_collection("c", script::config()).unwrap();
    c.upsert(vec![script::point(1, 1), script::point(2, 1)]).unwrap();
    c.flush().unwrap();
    c.upsert(vec![script::point(3, 1)]).unwrap();
    db
}

#[test]
fn whatever_would_change_something_is_refused_by_a_reader() {
    let disk = SimDisk::new(0);
    let writer = small(&disk);
    let scratch = tempfile::tempdir().unwrap();
    let snapshot = scratch.path().join("snapshot");
    writer.snapshot_to_dir(&snapshot, &Control::none()).unwrap();
    let c = writer.collection("c").unwrap();
    c.upsert(vec![script::point(4, 1)]).unwrap();

    let db = read_only(untouched(&disk)).unwrap();
    let c = db.collection("c").unwrap();
    let none = &Control::none();
    let batch = || WriteBatch::new().upsert("c", vec![script::point(4, 1)]);
    let refused: Vec<(&str, vdb::Result<()>)> = vec![
        ("create", db.create_collection("d", script::config()).map(drop)),
        ("drop", db.drop_collection("c").map(drop)),
        ("drop what is not there", db.drop_collection("x").map(drop)),
        ("rename", db.rename_collection("c", "d")),
        ("alias", db.create_alias("e", "c")),
        ("no alias", db.delete_alias("e")),
        ("write", db.write(batch()).map(drop)),
        ("submit", db.submit(batch(), Durability::None).map(drop)),
        ("sync", db.sync()),
        ("upsert", c.upsert(vec![script::point(4, 1)]).map(drop)),
        ("delete", c.delete(vec![PointId::Num(1)]).map(drop)),
        ("flush", c.flush()),
        ("optimize", c.optimize(none)),
        ("index", c.create_payload_index("k", PayloadIndexKind::Keyword)),
        ("no index", c.drop_payload_index("k").map(drop)),
        (
            "snapshot",
            db.snapshot_to_dir(scratch.path().join("a"), none).map(drop),
        ),
        ("tar", c.snapshot_to_tar(scratch.path().join("b"), none).map(drop)),
        (
            "restore",
            db.restore_all(&snapshot, RestoreMode::Replace, none).map(drop),
        ),
        (
            "restore one",
            db.restore_collection(&snapshot, "c", RestoreMode::Replace, none)
                .map(drop),
        ),
    ];
    for (what, outcome) in refused {
        assert!(matches!(outcome, Err(Error::ReadOnly)), "{what}: {outcome:?}");
    }
    assert!(!scratch.path().join("a").exists());
    assert!(db.verify(none).unwrap().is_sound());
    assert_eq!((c.count(None).unwrap(), c.info().unwrap().segments.len()), (4, 2));
    assert!(db.info().log_bytes > 0 && db.info().memtable_bytes > 0);
    assert!(!db.refresh().unwrap(), "nothing has happened");
    db.close().unwrap();
    assert!(matches!(c.count(None), Err(Error::Closed)));
}

#[test]
fn handles_follow_renames_and_notice_drops_and_views_outlive_files() {
    let disk = SimDisk::new(0);
    let writer = small(&disk);
    let reader = read_only(untouched(&disk)).unwrap();
    let c = reader.collection("c").unwrap();

    writer.rename_collection("c", "d").unwrap();
    writer.create_alias("alias", "d").unwrap();
    let d = writer.collection("d").unwrap();
    d.upsert(vec![script::point(4, 2)]).unwrap();
    d.optimize(&Control::none()).unwrap();
    d.delete(vec![PointId::Num(1)]).unwrap();
    // The files that it reads from are gone by now.
    assert_eq!(
        (reader.collections(), c.count(None).unwrap()),
        (vec!["c".to_owned()], 3)
    );
    assert!(c.get(&[4.into()], &Select::all()).unwrap().is_empty());
    assert!(reader.refresh().unwrap());
    assert_eq!(
        (reader.collections(), c.count(None).unwrap()),
        (vec!["d".to_owned()], 3)
    );
    assert_eq!(c.get(&[4.into(), 1.into()], &Select::all()).unwrap().len(), 1);
    assert!(reader.exists("alias") && !reader.exists("c"));

    writer.drop_collection("d").unwrap();
    writer.create_collection("c", script::config()).unwrap();
    assert_eq!(c.count(None).unwrap(), 3, "still what was read");
    reader.refresh().unwrap();
    assert!(matches!(c.count(None), Err(Error::CollectionNotFound { .. })));
    assert_eq!(reader.collection("c").unwrap().count(None).unwrap(), 0);
}

#[test]
fn a_restored_collection_takes_the_place_of_another_in_one_step() {
    let scratch = tempfile::tempdir().unwrap();
    let snapshot = scratch.path().join("snapshot");
    small(&SimDisk::new(0))
        .snapshot_to_dir(&snapshot, &Control::none())
        .unwrap();

    let disk = SimDisk::new(0);
    let looked = Arc::new(Mutex::new(Vec::new()));
    let (watched, seen) = (disk.clone(), looked.clone());
    let writer = WatchedDisk::new(Arc::new(disk.clone()), move |call| {
        if call == Call::Changes
            && let Ok(reader) = read_only(untouched(&watched))
            && let Ok(c) = reader.collection("c")
        {
            seen.lock().unwrap().push(c.count(None).unwrap());
        }
    });
    let db = script::builder().open_disk(Arc::new(writer)).unwrap();
    let c = db.create_collection("c", script::config()).unwrap();
    c.upsert(vec![script::point(7, 7)]).unwrap();
    looked.lock().unwrap().clear();
    db.restore_all(&snapshot, RestoreMode::Replace, &Control::none())
        .unwrap();
    let mut seen = looked.lock().unwrap().clone();
    seen.dedup();
    assert_eq!(seen, [1, 3]);
}

#[test]
fn damage_to_one_collection_keeps_no_other_from_being_read() {
    let disk = SimDisk::new(0);
    let db = small(&disk);
    let other = db.create_collection("other", script::config()).unwrap();
    other.upsert(vec![script::point(1, 1)]).unwrap();
    let reader = read_only(untouched(&disk)).unwrap();
    let c = reader.collection("c").unwrap();
    db.close().unwrap();

    let dyn_disk: DynDisk = Arc::new(disk.clone());
    let names = dyn_disk.list("collections/00000001").unwrap();
    let points = names.iter().find(|name| name.ends_with(".points")).unwrap();
    dyn_disk
        .remove(&format!("collections/00000001/{points}"))
        .unwrap();
    // It goes on with what it has, and a new one refuses no more than it must.
    assert!(!reader.refresh().unwrap());
    assert_eq!(c.count(None).unwrap(), 3);
    let fresh = read_only(untouched(&disk)).unwrap();
    let error = fresh.collection("c").unwrap_err();
    assert!(error.is_damage() && error.to_string().contains(points), "{error}");
    assert_eq!(fresh.collection("other").unwrap().count(None).unwrap(), 1);

    dyn_disk.remove_dir_all("wal").unwrap();
    let error = read_only(untouched(&disk)).unwrap_err();
    assert!(
        error.is_damage() && error.to_string().contains("the log is missing"),
        "{error}"
    );
    assert!(reader.refresh().unwrap_err().is_damage());
    assert_eq!(c.count(None).unwrap(), 3, "what was read stays");
}

#[test]
fn a_handle_to_a_damaged_collection_works_again_once_it_is_sound() {
    let disk = SimDisk::new(0);
    let db = small(&disk);
    let reader = read_only(untouched(&disk)).unwrap();
    let c = reader.collection("c").unwrap();
    let written = db.collection("c").unwrap();
    for n in 4..6u64 {
        written.upsert(vec![script::point(n, 1)]).unwrap();
        written.flush().unwrap();
        let names = disk.list("collections/00000001").unwrap();
        let newest = names
            .iter()
            .filter(|name| name.ends_with(".points"))
            .max()
            .unwrap();
        let path = format!("collections/00000001/{newest}");
        let bytes = disk.map(&path).unwrap().to_vec();
        disk.remove(&path).unwrap();
        reader.refresh().unwrap();
        assert!(c.count(None).unwrap_err().is_damage());
        assert!(reader.collection("c").unwrap_err().is_damage());

        disk.create(&path).unwrap().write_all_at(&bytes, 0).unwrap();
        assert!(reader.refresh().unwrap());
        assert_eq!(c.count(None).unwrap(), n);
        assert_eq!(reader.collection("c").unwrap().count(None).unwrap(), n);
        // It goes on following.
        written.upsert(vec![script::point(n + 10, 1)]).unwrap();
        reader.refresh().unwrap();
        assert_eq!(c.count(None).unwrap(), n + 1);
        written.delete(vec![PointId::Num(n + 10)]).unwrap();
    }
    // One that is dropped while it is damaged is gone.
    written.flush().unwrap();
    let names = disk.list("collections/00000001").unwrap();
    for name in names.iter().filter(|name| name.ends_with(".points")) {
        disk.remove(&format!("collections/00000001/{name}")).unwrap();
    }
    written.upsert(vec![script::point(7, 1)]).unwrap();
    written.flush().unwrap();
    reader.refresh().unwrap();
    assert!(c.count(None).unwrap_err().is_damage());
    db.drop_collection("c").unwrap();
    reader.refresh().unwrap();
    assert!(matches!(c.count(None), Err(Error::CollectionNotFound { .. })));
}

/// Copies a directory from one disk to another.
fn copy(from: &SimDisk, to: &SimDisk, dir: &str) {
    to.create_dir_all(dir).unwrap();
    for name in from.list(dir).unwrap() {
        let path = vdb_vfs::path::join(dir, &name);
        if from.list(&path).is_ok() {
            copy(from, to, &path);
        } else {
            let bytes = from.map(&path).unwrap();
            to.create(&path).unwrap().write_all_at(&bytes, 0).unwrap();
        }
    }
}

#[test]
fn a_database_that_was_put_back_is_read_anew() {
    let disk = SimDisk::new(0);
    let db = small(&disk);
    let before = disk.restart();
    let c = db.collection("c").unwrap();
    c.upsert((10..20).map(|id| script::point(id, 2)).collect())
        .unwrap();
    db.close().unwrap();
    // Another one at the same place: the same numbers, other records.
    let other = script::open(&before).unwrap();
    let c = other.collection("c").unwrap();
    for id in 30..34 {
        c.upsert(vec![script::point(id, 3)]).unwrap();
    }
    let expected = Dump::read(&other).unwrap();
    other.close().unwrap();

    let reader = read_only(untouched(&disk)).unwrap();
    assert_eq!(reader.collection("c").unwrap().count(None).unwrap(), 13);
    for dir in ["catalog", "collections", "wal"] {
        disk.remove_dir_all(dir).unwrap();
    }
    copy(&before, &disk, "");
    assert!(reader.refresh().unwrap());
    assert_eq!(expected.difference(&Dump::read(&reader).unwrap()), None);
}

#[test]
fn a_real_directory_is_left_as_it_is_and_need_not_be_writable() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = Database::open(&path).unwrap();
    let c = db.create_collection("c", script::config()).unwrap();
    c.upsert(vec![
        Point::new(1, [1.0, 0.0, 0.0]).payload(json!({"a": 1})).unwrap(),
    ])
    .unwrap();
    c.flush().unwrap();
    c.upsert(vec![Point::new(2, [1.0, 0.0, 0.0])]).unwrap();
    db.close().unwrap();
    std::fs::remove_file(path.join("lock")).unwrap();

    let all = || {
        let mut found = processes::files_below(&path);
        found.sort();
        found
    };
    let set_writable = |writable: bool| {
        for (at, bytes) in all() {
            let mode = match (bytes.is_some(), writable) {
                (false, true) => 0o755,
                (false, false) => 0o555,
                (true, true) => 0o644,
                (true, false) => 0o444,
            };
            std::fs::set_permissions(at, PermissionsExt::from_mode(mode)).unwrap();
        }
    };
    set_writable(false);
    let before = all();
    let reader = Database::open_read_only(&path).unwrap();
    assert_eq!(reader.collection("c").unwrap().count(None).unwrap(), 2);
    assert!(!reader.refresh().unwrap());
    assert!(verify(&path, &Control::none()).unwrap().is_sound());
    drop(reader);
    assert_eq!(all(), before);
    set_writable(true);
}

#[test]
fn nothing_is_made_where_there_is_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    assert!(Database::open_read_only(&missing).is_err());
    assert!(!missing.exists());
    let error = Database::open_read_only(dir.path()).unwrap_err();
    assert!(matches!(error, Error::NotADatabase { .. }), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
