//! What is asked of a repair as a whole; what it makes of each kind of damage is tested on whole databases.

use std::fs;
use std::path::Path;

use serde_json::json;
use vdb_index::Control;
use vdb_storage::manifest::NUMBER_END;
use vdb_storage::points::{PointsReader, PointsWriter};
use vdb_vfs::{Disk, OsDisk};

use crate::fixture::files_below;
use crate::{
    Collection, CollectionConfig, Database, Distance, Error, Point, RepairReport, Select, VectorParams,
    Vectors, plan_repair, repair, verify,
};

fn make(path: &Path) {
    let db = Database::builder().background(false).open(path).unwrap();
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    let c = db.create_collection("c", config).unwrap();
    c.upsert((0..10u64).map(|id| Point::new(id, [1.0, id as f32])).collect())
        .unwrap();
    c.flush().unwrap();
    c.delete(vec![4u64]).unwrap();
    db.close().unwrap();
}

#[test]
fn the_new_database_is_there_in_full_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    make(&old);
    let before: Vec<Vec<u8>> = files_below(&old)
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let stop = Control::new(&|| true, &|_, _| ());
    assert!(matches!(repair(&old, &new, &stop), Err(Error::Cancelled)));
    assert_eq!(names(), ["old"]);

    // What a process that was killed has left may as well be somebody's: it is not touched.
    make(&dir.path().join("new.partial"));
    let refused = repair(&old, &new, &Control::none()).unwrap_err().to_string();
    assert!(
        refused.contains("new.partial") && refused.contains("in the way"),
        "{refused}"
    );
    assert!(
        verify(dir.path().join("new.partial"), &Control::none())
            .unwrap()
            .is_sound()
    );
    fs::remove_dir_all(dir.path().join("new.partial")).unwrap();
    let report = repair(&old, &new, &Control::none()).unwrap();
    assert_eq!(names(), ["new", "old"]);
    assert!(report.is_complete(), "{report:?}");
    assert_eq!((report.points(), report.collections[0].number), (9, 1));
    assert!(verify(&new, &Control::none()).unwrap().is_sound());
    let db = Database::open(&new).unwrap();
    let c = db.collection("c").unwrap();
    assert_eq!((c.count(None).unwrap(), c.info().unwrap().last_sequence), (9, 2));
    // What is there is not touched.
    let refused = repair(&old, &new, &Control::none()).unwrap_err().to_string();
    assert!(refused.contains("it exists"), "{refused}");
    db.close().unwrap();
    let after: Vec<Vec<u8>> = files_below(&old)
        .into_iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert_eq!(after, before);
}

#[test]
fn numbers_past_any_that_can_be_become_the_last_one() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    make(&old);
    let disk = OsDisk::open(&old, false).unwrap();
    let collection = "collections/00000001";
    let path = format!("{collection}/seg-00000001.points");
    let reader = PointsReader::open(&disk, &path).unwrap();
    let mut identity = reader.identity().clone();
    identity.max_seq = u64::MAX;
    let points: Vec<_> = reader
        .iter_from(0)
        .map(|(row, id, version)| (id, if row == 0 { u64::MAX } else { version }))
        .collect();
    drop(reader);
    PointsWriter::write(&disk, &path, identity, points).unwrap();
    // Nothing but the file itself says then what it covers.
    for name in disk.list(collection).unwrap() {
        if name.starts_with("manifest") {
            disk.remove(&format!("{collection}/{name}")).unwrap();
        }
    }
    let report = repair(&old, &new, &Control::none()).unwrap();
    assert_eq!(report.points(), 9);
    assert!(verify(&new, &Control::none()).unwrap().is_sound());
    let db = Database::open(&new).unwrap();
    let c = db.collection("c").unwrap();
    assert_eq!(c.info().unwrap().last_sequence, NUMBER_END - 1);
    assert!(matches!(
        c.upsert(vec![Point::new(1, [1.0, 2.0])]),
        Err(Error::Limit { .. })
    ));
}

#[test]
fn what_another_build_has_written_is_left_to_it() {
    for (version, advice) in [(1u16, "older vdb"), (999, "newer vdb")] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("old");
        make(&path);
        for file in files_below(&path) {
            let mut bytes = fs::read(&file).unwrap();
            if bytes.starts_with(b"VDB\0MANI") {
                bytes[8..10].copy_from_slice(&version.to_le_bytes());
                let crc = crc32fast::hash(&bytes[..60]);
                bytes[60..64].copy_from_slice(&crc.to_le_bytes());
                fs::write(&file, bytes).unwrap();
            }
        }
        for refused in [
            plan_repair(&path, &Control::none()).map(drop),
            repair(&path, dir.path().join("new"), &Control::none()).map(drop),
        ] {
            let said = refused.unwrap_err().to_string();
            assert!(said.contains(advice), "{said}");
        }
        assert!(!dir.path().join("new").exists());
    }
}

#[test]
fn a_plan_says_what_a_repair_would_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old");
    make(&old);
    let vectors = files_below(&old)
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(".vec"))
        .unwrap();
    fs::remove_file(&vectors).unwrap();
    let before = files_below(dir.path());
    let plan = plan_repair(&old, &Control::none()).unwrap();
    assert_eq!(files_below(dir.path()), before);
    assert_eq!(
        (plan.points(), plan.losses.len()),
        (9, 1),
        "the log has them: {plan:?}"
    );
    assert_eq!(plan.losses[0].file, vectors.to_string_lossy());
    assert_eq!(
        repair(&old, dir.path().join("new"), &Control::none()).unwrap(),
        plan
    );
}

#[test]
fn a_place_that_will_not_do_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let old = dir.path().join("old");
    make(&old);
    let none = Control::none();
    fs::create_dir(dir.path().join("empty")).unwrap();
    for target in ["old", "old/inside", "empty", "no/such", ".."] {
        assert!(repair(&old, dir.path().join(target), &none).is_err(), "{target}");
    }
    // By whatever way: here through another directory, there by a link.
    let old_link = dir.path().join("link");
    std::os::unix::fs::symlink(&old, &old_link).unwrap();
    for target in [dir.path().join("empty/../old/inside"), old_link.join("inside")] {
        let refused = repair(&old, &target, &none).unwrap_err().to_string();
        assert!(refused.contains("cannot lie inside"), "{refused}");
    }
    fs::create_dir(dir.path().join("mine.partial")).unwrap();
    fs::write(dir.path().join("mine.partial/thesis"), "important").unwrap();
    let refused = repair(&old, dir.path().join("mine"), &none)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("mine.partial"), "{refused}");
    let refused = repair(dir.path().join("empty"), dir.path().join("new"), &none).unwrap_err();
    assert!(matches!(refused, Error::NotADatabase { .. }), "{refused}");
    assert!(!dir.path().join("new").exists() && !dir.path().join("new.partial").exists());
}

#[test]
fn the_log_says_who_is_dead_where_the_tombstones_cannot() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    make(&old);
    let db = Database::open(&old).unwrap();
    // The deletion is in a file of tombstones from here on; the log has it still.
    db.collection("c")
        .unwrap()
        .upsert(vec![Point::new(20, [1.0, 2.0])])
        .unwrap();
    db.collection("c").unwrap().flush().unwrap();
    db.close().unwrap();
    let tombstones: Vec<_> = files_below(&old)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains(".tomb"))
        .collect();
    assert_eq!(tombstones.len(), 1, "{:?}", files_below(&old));
    let mut bytes = fs::read(&tombstones[0]).unwrap();
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(&tombstones[0], bytes).unwrap();

    let report = repair(&old, &new, &Control::none()).unwrap();
    assert!(!report.is_complete(), "{report:?}");
    let c = Database::open(&new).unwrap().collection("c").unwrap();
    assert_eq!(c.count(None).unwrap(), 10);
    assert!(c.get(&[4u64.into()], &Select::default()).unwrap().is_empty());
}

/// The vector of points whose records are to be damaged.
const MARK: [f32; 2] = [7.25, 9.5];

/// Does to an empty collection what `write` does, damages every record of the log that holds [`MARK`], and repairs. Returns
/// the report with the points 1 and 2, where they are kept: their vectors, and whether the payload was set.
fn repaired(write: impl FnOnce(&Collection)) -> (RepairReport, Vec<(u64, Vec<f32>, bool)>) {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let db = Database::builder().background(false).open(&old).unwrap();
    let config = CollectionConfig::new(VectorParams::new(2, Distance::Dot));
    write(&db.create_collection("c", config).unwrap());
    db.close().unwrap();
    let mark: Vec<u8> = MARK.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut marked = 0;
    for log in files_below(&old.join("wal")) {
        let mut bytes = fs::read(&log).unwrap();
        let found: Vec<usize> = bytes
            .windows(8)
            .enumerate()
            .filter(|(_, found)| *found == mark)
            .map(|(at, _)| at)
            .collect();
        marked += found.len();
        found.into_iter().for_each(|at| bytes[at] ^= 1);
        fs::write(&log, bytes).unwrap();
    }
    assert_eq!(marked, 1);
    let report = repair(&old, &new, &Control::none()).unwrap();
    assert!(verify(&new, &Control::none()).unwrap().is_sound());
    let c = Database::open(&new).unwrap().collection("c").unwrap();
    let kept = c
        .get(&[1u64.into(), 2u64.into()], &Select::all())
        .unwrap()
        .into_iter()
        .map(|found| {
            let id = if found.id == 1.into() { 1 } else { 2 };
            let vectors = found.vectors.unwrap();
            let set = found.payload.unwrap().contains_key("set");
            (id, vectors.dense("").unwrap().to_vec(), set)
        });
    (report, kept.collect())
}

fn put(c: &Collection, id: u64, vector: [f32; 2]) {
    c.upsert(vec![Point::new(id, vector)]).unwrap();
}

fn set(c: &Collection, id: u64) {
    let payload = json!({"set": true}).as_object().unwrap().clone();
    c.set_payload(payload, vec![id]).unwrap();
}

fn assert_lost(write: impl FnOnce(&Collection)) {
    let (report, kept) = repaired(write);
    assert_eq!(kept, [], "{report:?}");
    assert!(
        report.losses.iter().any(|loss| loss.ids == [1.into()]),
        "{report:?}"
    );
}

#[test]
fn a_payload_is_never_joined_to_vectors_that_a_lost_record_may_have_replaced() {
    // A life that ended before: in the log, and in tombstones.
    assert_lost(|c| {
        put(c, 1, [1.0, 2.0]);
        c.flush().unwrap();
        c.delete(vec![1u64]).unwrap();
        put(c, 1, MARK);
        set(c, 1);
    });
    assert_lost(|c| {
        put(c, 1, [1.0, 2.0]);
        c.flush().unwrap();
        c.delete(vec![1u64]).unwrap();
        c.flush().unwrap();
        put(c, 1, MARK);
        set(c, 1);
        set(c, 1);
    });
    // One that was put anew without an end: in a segment, and in the log.
    assert_lost(|c| {
        put(c, 1, [1.0, 2.0]);
        c.flush().unwrap();
        put(c, 1, MARK);
        set(c, 1);
    });
    assert_lost(|c| {
        put(c, 1, [1.0, 2.0]);
        put(c, 1, MARK);
        set(c, 1);
    });
    assert_lost(|c| {
        put(c, 1, [1.0, 2.0]);
        set(c, 1);
        c.delete(vec![1u64]).unwrap();
        put(c, 1, MARK);
        set(c, 1);
    });
}

#[test]
fn a_payload_is_joined_to_vectors_that_no_lost_record_can_have_replaced() {
    let first = (1, vec![1.0, 2.0], true);
    // What is lost came before the flush, so it is in the segment.
    let (report, kept) = repaired(|c| {
        put(c, 1, [1.0, 2.0]);
        put(c, 2, MARK);
        c.flush().unwrap();
        set(c, 1);
    });
    assert_eq!(kept, [first.clone(), (2, MARK.to_vec(), false)], "{report:?}");
    assert!(report.is_complete(), "{report:?}");
    // It came before the point was put, and after its payload was changed.
    let (report, kept) = repaired(|c| {
        put(c, 2, MARK);
        put(c, 1, [1.0, 2.0]);
        set(c, 1);
    });
    assert_eq!(kept, std::slice::from_ref(&first), "{report:?}");
    let (report, kept) = repaired(|c| {
        put(c, 1, [1.0, 2.0]);
        c.flush().unwrap();
        set(c, 1);
        put(c, 2, MARK);
    });
    assert_eq!(kept, [first], "{report:?}");
}

#[test]
fn a_newest_manifest_that_was_removed_is_missed_and_what_it_named_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    make(&old);
    let builder = || Database::builder().background(false);
    let db = builder().open(&old).unwrap();
    let c = db.collection("c").unwrap();
    c.upsert((20..25u64).map(|id| Point::new(id, [2.0, 2.0])).collect())
        .unwrap();
    c.flush().unwrap();
    set(&c, 1);
    c.delete(vec![21u64]).unwrap();
    c.flush().unwrap();
    // From here on only the log has it.
    set(&c, 20);
    c.delete(vec![2u64]).unwrap();
    db.close().unwrap();
    let manifests = || {
        let files = files_below(&old.join("collections"));
        files
            .into_iter()
            .filter(|path| path.to_string_lossy().contains("manifest-"))
            .collect::<Vec<_>>()
    };
    let spare = manifests()
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(".old"))
        .unwrap();
    let newest = manifests()
        .into_iter()
        .find(|path| !path.to_string_lossy().ends_with(".old"))
        .unwrap();
    fs::remove_file(newest).unwrap();

    let left = manifests();
    for _ in 0..2 {
        let refused = builder()
            .open(&old)
            .unwrap()
            .collection("c")
            .unwrap_err()
            .to_string();
        assert!(
            refused.contains("the newest manifest is missing") && refused.contains(spare.to_str().unwrap()),
            "{refused}"
        );
    }
    assert_eq!(manifests(), left);
    let found = verify(&old, &Control::none()).unwrap();
    assert!(found.has_lost_data());
    assert!(
        found
            .problems
            .iter()
            .any(|p| p.what.contains("the newest manifest is missing") && p.what.contains(".old")),
        "{found:?}"
    );

    let report = repair(&old, &new, &Control::none()).unwrap();
    assert_eq!(report.losses.len(), 1, "{report:?}");
    let told = &report.losses[0].what;
    for part in [
        "newest manifest is missing",
        "stands in for it",
        "segment 3, which no manifest names, is kept",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(report.is_complete(), "{report:?}");
    let c = Database::open(&new).unwrap().collection("c").unwrap();
    assert_eq!(c.count(None).unwrap(), 12);
    let kept = c
        .get(
            &[1u64.into(), 20u64.into(), 2u64.into(), 21u64.into()],
            &Select::payload(),
        )
        .unwrap();
    assert_eq!(kept.len(), 2);
    assert!(
        kept.iter()
            .all(|point| point.payload.as_ref().unwrap().contains_key("set"))
    );
}

/// Removes the newest manifest of the only collection; with `all`, those before it too.
fn remove_manifests(old: &Path, all: bool) {
    let files = files_below(&old.join("collections"));
    let names = files.iter().map(|path| (path, path.to_string_lossy()));
    let doomed = names.filter(|(_, name)| name.contains("manifest-") && (all || !name.ends_with(".old")));
    doomed.for_each(|(path, _)| fs::remove_file(path).unwrap());
}

/// Ten points with two vectors in a segment, then what `write` does, a manifest that is lost, and a repair.
fn repaired_without_manifest(all: bool, write: impl FnOnce(&Collection)) -> (RepairReport, Collection) {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (dir.path().join("old"), dir.path().join("new"));
    let db = Database::builder().background(false).open(&old).unwrap();
    let params = VectorParams::new(2, Distance::Dot);
    let config = CollectionConfig::new(params.clone()).vector("own", params);
    let c = db.create_collection("c", config).unwrap();
    let vectors = |id: u64| Vectors::from([1.0, id as f32]).with("own", [2.0, id as f32]);
    c.upsert((0..10).map(|id| Point::new(id, vectors(id))).collect())
        .unwrap();
    c.flush().unwrap();
    write(&c);
    db.close().unwrap();
    remove_manifests(&old, all);
    let report = repair(&old, &new, &Control::none()).unwrap();
    assert!(verify(&new, &Control::none()).unwrap().is_sound());
    let c = Database::open(&new).unwrap().collection("c").unwrap();
    (report, c)
}

#[track_caller]
fn assert_told(report: &RepairReport, part: &str) {
    let told = report.losses.iter().filter(|loss| loss.what.contains(part));
    assert_eq!(told.count(), 1, "{report:?}");
}

#[test]
fn points_stay_whose_vectors_were_dropped_after_the_manifest_that_is_left() {
    let (report, c) = repaired_without_manifest(false, |c| {
        assert!(c.delete_vector("own").unwrap());
    });
    assert_told(&report, "dropped since, or lost");
    assert_eq!((c.count(None).unwrap(), report.points()), (10, 10));
    let kept = c
        .get(&[3.into()], &Select::all())
        .unwrap()
        .remove(0)
        .vectors
        .unwrap();
    assert_eq!(kept.dense(""), Some(&[1.0, 3.0][..]));
    assert_eq!(kept.get("own"), None);
}

#[test]
fn points_stay_whose_vectors_are_younger_than_the_manifest_that_is_left() {
    let (report, c) = repaired_without_manifest(false, |c| {
        let params = VectorParams::new(1, Distance::Dot);
        assert!(c.create_vector("more", params).unwrap());
        let vectors = |id: u64| Vectors::from([5.0, id as f32]).with("more", [6.0]);
        c.upsert((8..12).map(|id| Point::new(id, vectors(id))).collect())
            .unwrap();
    });
    assert_told(
        &report,
        "the log has 4 vectors under names that were created after the manifest",
    );
    assert_eq!(c.count(None).unwrap(), 12);
    let kept = c
        .get(&[9.into()], &Select::all())
        .unwrap()
        .remove(0)
        .vectors
        .unwrap();
    assert_eq!(kept.dense(""), Some(&[5.0, 9.0][..]));
}

#[test]
fn of_the_schemas_that_segments_carry_the_last_counts() {
    let (report, c) = repaired_without_manifest(true, |c| {
        // The numbers of vectors and payload indexes are the same before and after.
        assert!(c.delete_vector("own").unwrap());
        c.upsert(vec![Point::new(20, [1.0, 2.0])]).unwrap();
        c.flush().unwrap();
    });
    assert_eq!(c.count(None).unwrap(), 11, "{report:?}");
    assert_eq!(c.config().vectors.len(), 1, "{report:?}");
}
