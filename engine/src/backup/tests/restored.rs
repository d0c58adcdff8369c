//! Restoring is all or nothing, and what is there then goes on.

use std::fs;
use std::sync::Arc;

use vdb_vfs::sim::SimDisk;

use super::*;
use crate::fixture::files_below;

#[test]
fn a_crash_while_restoring_leaves_all_of_the_old_or_all_of_the_new() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = dir.path().join("s");
    let source = quiet();
    for name in ["a", "b"] {
        let c = source.create_collection(name, config()).unwrap();
        c.upsert(points(0..4, 1)).unwrap();
    }
    source.snapshot_to_dir(&snapshot, &Control::none()).unwrap();

    let open = |disk: &SimDisk| {
        Database::builder()
            .background(false)
            .open_disk(Arc::new(disk.clone()))
    };
    let generations = |db: &Database| -> Vec<u64> {
        let of = |name| everything(&db.collection(name).unwrap());
        let number = |r: Record| r.payload.unwrap()["generation"].as_u64().unwrap();
        ["a", "b"]
            .into_iter()
            .flat_map(|name| of(name).into_iter().map(number))
            .collect()
    };
    let mut seen = [0, 0];
    for step in 0.. {
        let disk = SimDisk::new(step);
        let db = open(&disk).unwrap();
        for name in ["a", "b"] {
            let c = db.create_collection(name, config()).unwrap();
            c.upsert(points(0..4, 0)).unwrap();
            c.flush().unwrap();
        }
        disk.crash_at(disk.calls() + step);
        let outcome = db.restore_all(&snapshot, RestoreMode::Replace, &Control::none());
        let dead = disk.is_dead();
        let after = disk.crash(step);
        drop(db);
        let db = open(&after).unwrap();
        let found = generations(&db);
        assert!(
            found == [0; 8] || found == [1; 8],
            "after {step} calls: {found:?}"
        );
        assert!(outcome.is_err() || found == [1; 8]);
        assert!(no_staging(&db));
        seen[found[0] as usize] += 1;
        if !dead {
            assert!(outcome.is_ok());
            break;
        }
    }
    assert!(seen[0] > 10 && seen[1] > 1, "{seen:?}");
}

#[test]
fn a_restored_collection_names_no_file_twice_after_a_failed_commit() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    for id in 10..20 {
        c.delete(vec![PointId::Num(id)]).unwrap();
        c.flush().unwrap();
    }
    c.snapshot_to_dir(dir.path().join("s"), &Control::none()).unwrap();
    let copy = db
        .restore_collection(dir.path().join("s"), "copy", RestoreMode::New, &Control::none())
        .unwrap();
    let manifest = copy.core().manifest.lock().clone();
    let greatest = manifest
        .segments
        .iter()
        .flat_map(|s| &s.components)
        .map(|c| u64::from(c.revision));
    let greatest = greatest.max().unwrap();
    assert!(greatest > 3 && manifest.generation > greatest, "{manifest:?}");
}

#[test]
fn a_failed_restoration_leaves_a_collection_that_takes_writes() {
    let dir = tempfile::tempdir().unwrap();
    let backup = dir.path().join("s");
    let open = |disk: &SimDisk| {
        Database::builder()
            .background(false)
            .open_disk(Arc::new(disk.clone()))
            .unwrap()
    };
    let run = |fail: Option<u64>| {
        let disk = SimDisk::new(3);
        let db = open(&disk);
        let c = db.create_collection("words", config()).unwrap();
        c.upsert(points(0..5, 0)).unwrap();
        if !backup.exists() {
            c.snapshot_to_dir(&backup, &Control::none()).unwrap();
        }
        let before = disk.calls();
        if let Some(n) = fail {
            disk.fail_call(before + n);
        }
        let restored = db.restore_collection(&backup, "words", RestoreMode::Replace, &Control::none());
        let calls = disk.calls() - before;
        if restored.is_err() {
            match c.upsert(points(7..8, 1)) {
                Ok(_) => assert_eq!(c.count(None).unwrap(), 6),
                Err(error) => assert!(matches!(error, Error::Poisoned(_)), "{error}"),
            }
        }
        calls
    };
    for n in (0..run(None)).step_by(3) {
        run(Some(n));
    }
}

#[test]
fn a_damaged_collection_is_replaced_by_one_that_goes_on_behind_what_its_log_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let open = || Database::builder().background(false).open(&path).unwrap();
    let db = open();
    let c = db.create_collection("words", config()).unwrap();
    c.upsert(points(0..5, 0)).unwrap();
    c.snapshot_to_dir(dir.path().join("s"), &Control::none()).unwrap();
    for id in 0..20 {
        c.upsert(points(id..id + 1, 1)).unwrap();
    }
    let last = c.info().unwrap().last_sequence;
    db.close().unwrap();
    let file = files_below(&path)
        .into_iter()
        .find(|file| file.to_string_lossy().ends_with(".points"))
        .unwrap();
    fs::write(file, b"no points").unwrap();
    let db = open();
    assert!(db.collection("words").is_err());
    let restored = db
        .restore_collection(
            dir.path().join("s"),
            "words",
            RestoreMode::Replace,
            &Control::none(),
        )
        .unwrap();
    let next = restored.upsert(points(0..1, 2)).unwrap().sequence();
    assert!(next > last, "{next} after {last}");
}
