//! What comes back is what was there; what is not a sound snapshot changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use super::*;
use crate::fixture::files_below;
use crate::layout::TEMP_DIR;
use crate::{
    CollectionConfig, Condition, Distance, Error, Filter, Operation, OptimizerConfig, PayloadIndexKind,
    Point, PointId, Record, ScoredPoint, ScrollRequest, SearchRequest, Select, UpsertMode, VectorParams,
    WriteBatch,
};

mod hostile;
mod restored;

const DIM: usize = 8;

fn config() -> CollectionConfig {
    let optimizer = OptimizerConfig {
        index_min_rows: 40,
        ..OptimizerConfig::default()
    };
    CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine)).optimizer(optimizer)
}

fn vector(seed: u64) -> Vec<f32> {
    let mix = |i: u64| (seed * 31 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    (0..DIM as u64)
        .map(|i| mix(i) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

fn point(id: u64, generation: u64) -> Point {
    let payload = json!({"n": id, "generation": generation, "kind": format!("k{}", id % 3)});
    Point::new(id, vector(id * 1_000 + generation))
        .payload(payload)
        .unwrap()
}

fn points(ids: std::ops::Range<u64>, generation: u64) -> Vec<Point> {
    ids.map(|id| point(id, generation)).collect()
}

fn quiet() -> Database {
    Database::builder().background(false).open_in_memory().unwrap()
}

/// A collection with a graph, a payload index, tombstones, and rows in memory.
fn fill(db: &Database, name: &str) -> Collection {
    let c = db.create_collection(name, config()).unwrap();
    c.create_payload_index("kind", PayloadIndexKind::Keyword).unwrap();
    c.upsert(points(0..60, 0)).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.upsert(points(50..70, 1)).unwrap();
    c.flush().unwrap();
    c.delete(vec![PointId::Num(3), PointId::Num(55)]).unwrap();
    c.upsert(points(68..75, 2)).unwrap();
    c
}

fn everything(c: &Collection) -> Vec<Record> {
    let request = ScrollRequest::new().limit(100_000).select(Select::all());
    c.scroll(&request).unwrap().points
}

fn answers(c: &Collection) -> Vec<Vec<ScoredPoint>> {
    let kind = || Filter::must([Condition::matches("kind", "k1")]);
    let requests: Vec<SearchRequest> = (0..6)
        .flat_map(|seed| {
            let request = SearchRequest::new(vector(seed))
                .limit(12)
                .exact(true)
                .with_payload(true);
            [request.clone(), request.filter(kind())]
        })
        .collect();
    c.search_batch(&requests).unwrap()
}

fn no_staging(db: &Database) -> bool {
    let disk = &db.shared().disk;
    !disk.exists(TEMP_DIR).unwrap() || disk.list(TEMP_DIR).unwrap().is_empty()
}

#[test]
fn a_collection_comes_back_under_another_name_and_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder()
        .background(false)
        .open(dir.path().join("db"))
        .unwrap();
    let c = fill(&db, "words");
    db.create_alias("alias", "words").unwrap();
    let (before, found) = (everything(&c), answers(&c));
    let info = c.snapshot_to_dir(dir.path().join("d"), &Control::none()).unwrap();
    assert_eq!(info.collections[0].points, before.len() as u64);
    assert_eq!(
        (info.is_database, info.collections[0].aliases.clone()),
        (false, vec!["alias".to_owned()])
    );
    let by_alias = db.collection("alias").unwrap();
    assert_eq!(
        by_alias
            .snapshot_to_tar(dir.path().join("t"), &Control::none())
            .unwrap()
            .collections,
        info.collections
    );
    assert_eq!(snapshot_info(dir.path().join("d")).unwrap(), info);

    for source in ["d", "t"] {
        let source = dir.path().join(source);
        let name = format!("copy {}", source.display()).replace('/', " ");
        let copy = db
            .restore_collection(&source, &name, RestoreMode::New, &Control::none())
            .unwrap();
        assert_eq!(
            (everything(&copy), answers(&copy)),
            (before.clone(), found.clone())
        );
        assert_eq!(copy.info().unwrap().indexed_vectors, 60);
        assert_eq!(copy.config(), c.config());
        let taken = db.restore_collection(&source, &name, RestoreMode::New, &Control::none());
        assert!(matches!(taken, Err(Error::NameTaken { .. })));

        let now = db.collection("words").unwrap();
        now.delete(vec![PointId::Num(1), PointId::Num(2)]).unwrap();
        now.upsert(points(500..510, 9)).unwrap();
        let last = now.info().unwrap().last_sequence;
        let back = db
            .restore_collection(&source, "words", RestoreMode::Replace, &Control::none())
            .unwrap();
        assert_eq!(
            (everything(&back), answers(&back)),
            (before.clone(), found.clone())
        );
        assert!(matches!(now.count(None), Err(Error::CollectionNotFound { .. })));
        assert_eq!(
            everything(&db.collection("alias").unwrap()),
            before,
            "aliases follow"
        );
        let next = back.upsert(points(600..601, 0)).unwrap().sequences[0];
        assert_eq!(next, last + 1, "numbers go on");
        back.delete(vec![PointId::Num(600)]).unwrap();
    }
    assert!(no_staging(&db));
    db.close().unwrap();
    let db = Database::open(dir.path().join("db")).unwrap();
    let back = db.collection("words").unwrap();
    assert_eq!((everything(&back), answers(&back)), (before, found));
    assert!(
        crate::verify(dir.path().join("db"), &Control::none())
            .unwrap()
            .is_sound()
    );
}

#[test]
fn a_database_comes_back_whole_and_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    fill(&db, "a");
    fill(&db, "b");
    db.create_collection("empty", config()).unwrap();
    db.create_alias("x", "a").unwrap();
    let snapshot = dir.path().join("all.tar");
    let info = db.snapshot_to_tar(&snapshot, &Control::none()).unwrap();
    assert!(info.is_database);
    let before = everything(&db.collection("a").unwrap());

    let other = quiet();
    let names = other
        .restore_all(&snapshot, RestoreMode::New, &Control::none())
        .unwrap();
    assert_eq!(names, ["a", "b", "empty"]);
    assert_eq!(other.aliases(), [("x".to_owned(), "a".to_owned())]);
    assert_eq!(everything(&other.collection("x").unwrap()), before);
    assert_eq!(other.collection("empty").unwrap().count(None).unwrap(), 0);

    let taken = other.restore_all(&snapshot, RestoreMode::New, &Control::none());
    assert!(matches!(taken, Err(Error::NameTaken { .. })));
    other
        .collection("a")
        .unwrap()
        .delete(vec![PointId::Num(1)])
        .unwrap();
    other.create_collection("c", config()).unwrap();
    other.create_alias("x", "c").unwrap();
    other
        .restore_all(&snapshot, RestoreMode::Replace, &Control::none())
        .unwrap();
    assert_eq!(other.collections(), ["a", "b", "c", "empty"]);
    assert_eq!(everything(&other.collection("x").unwrap()), before);

    let single = quiet();
    assert!(
        single
            .restore_collection(&snapshot, "q", RestoreMode::New, &Control::none())
            .is_err()
    );
    let a = single
        .restore_collection(&snapshot, "a", RestoreMode::New, &Control::none())
        .unwrap();
    assert_eq!(everything(&a), before);
    single.create_collection("x", config()).unwrap();
    let clash = single.restore_all(&snapshot, RestoreMode::Replace, &Control::none());
    assert!(
        matches!(clash, Err(Error::NameTaken { .. })),
        "a collection does not make way for an alias"
    );
    assert_eq!(single.collections(), ["a", "x"]);
}

#[test]
fn snapshots_taken_while_others_write_hold_whole_batches_and_a_prefix_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder()
        .write_buffer(64 << 10)
        .open(dir.path().join("db"))
        .unwrap();
    for name in ["left", "right"] {
        db.create_collection(name, config()).unwrap();
    }
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let upsert = |points| Operation::Upsert {
        points,
        mode: UpsertMode::Upsert,
        update_filter: None,
    };
    std::thread::scope(|scope| {
        let _stop = StopOnDrop(&stop);
        scope.spawn(|| {
            for n in 0..100_000u64 {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                // Each batch replaces points of earlier ones too.
                let batch = WriteBatch::new()
                    .operation("left", upsert(vec![point(n, n), point(n % 7 + 1_000_000, n)]))
                    .operation("right", upsert(vec![point(n, n)]));
                db.submit(batch, crate::Durability::Buffered)
                    .unwrap()
                    .acknowledge()
                    .unwrap();
                acknowledged.store(n + 1, Ordering::Release);
            }
        });
        for round in 0..4u64 {
            while acknowledged.load(Ordering::Acquire) < round * 150 {
                std::thread::yield_now();
            }
            let least = acknowledged.load(Ordering::Acquire);
            let path = dir.path().join(format!("s{round}"));
            match round % 2 {
                0 => db.snapshot_to_dir(&path, &Control::none()).unwrap(),
                _ => db.snapshot_to_tar(&path, &Control::none()).unwrap(),
            };
            let other = quiet();
            other
                .restore_all(&path, RestoreMode::New, &Control::none())
                .unwrap();
            let (left, right) = (
                everything(&other.collection("left").unwrap()),
                everything(&other.collection("right").unwrap()),
            );
            let upto = right.len() as u64;
            assert!(upto >= least, "what was acknowledged before is in it");
            let number = |r: &Record| r.payload.as_ref().unwrap()["generation"].as_u64().unwrap();
            assert_eq!(
                right.iter().map(number).collect::<Vec<_>>(),
                (0..upto).collect::<Vec<_>>()
            );
            let (own, shared): (Vec<_>, Vec<_>) = left.iter().partition(|r| r.id < PointId::Num(1_000_000));
            assert_eq!(
                own.into_iter().map(number).collect::<Vec<_>>(),
                (0..upto).collect::<Vec<_>>()
            );
            let newest: BTreeMap<u64, u64> = (0..upto).map(|n| (n % 7, n)).collect();
            let newest: Vec<u64> = newest.into_values().collect();
            assert_eq!(shared.into_iter().map(number).collect::<Vec<_>>(), newest);
        }
    });
    assert!(no_staging(&db));
}

/// Ends the writer when the test ends, however it does.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn ordinary_tar_extracts_a_snapshot_and_packs_one() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let path = dir.path().join("snapshot.tar");
    c.snapshot_to_tar(&path, &Control::none()).unwrap();
    let unpacked = dir.path().join("unpacked");
    tar::Archive::new(fs::File::open(&path).unwrap())
        .unpack(&unpacked)
        .unwrap();
    let from_dir = db
        .restore_collection(&unpacked, "from dir", RestoreMode::New, &Control::none())
        .unwrap();
    assert_eq!(everything(&from_dir), everything(&c));

    let packed = dir.path().join("packed.tar");
    let mut builder = tar::Builder::new(fs::File::create(&packed).unwrap());
    builder.append_dir_all(".", &unpacked).unwrap();
    builder.finish().unwrap();
    let from_tar = db
        .restore_collection(&packed, "from tar", RestoreMode::New, &Control::none())
        .unwrap();
    assert_eq!(everything(&from_tar), everything(&c));
}

#[test]
fn a_place_that_is_taken_or_inside_the_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path().join("db")).unwrap();
    let c = db.create_collection("words", config()).unwrap();
    let taken = dir.path().join("taken");
    fs::write(&taken, b"mine").unwrap();
    let none = Control::none();
    for path in [
        taken.clone(),
        dir.path().join("db/collections/s"),
        dir.path().join("no/such"),
        "/".into(),
        "".into(),
    ] {
        assert!(c.snapshot_to_dir(&path, &none).is_err(), "{}", path.display());
        assert!(db.snapshot_to_tar(&path, &none).is_err(), "{}", path.display());
    }
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    fs::create_dir(dir.path().join("s.partial")).unwrap();
    let error = c
        .snapshot_to_dir(dir.path().join("s"), &none)
        .unwrap_err()
        .to_string();
    assert!(error.contains("s.partial"), "{error}");
    assert!(dir.path().join("s.partial").exists());
    db.drop_collection("words").unwrap();
    assert!(matches!(
        c.snapshot_to_dir(dir.path().join("z"), &none),
        Err(Error::CollectionNotFound { .. })
    ));
    assert!(!dir.path().join("z.partial").exists());
}

#[test]
fn cancelling_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let db = quiet();
    let c = fill(&db, "words");
    let whole = dir.path().join("whole");
    c.snapshot_to_dir(&whole, &Control::none()).unwrap();
    for after in 0..6 {
        let left = AtomicU64::new(after);
        let cancel = || {
            left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1))
                .is_err()
        };
        let control = Control::new(&cancel, &|_, _| ());
        let path = dir.path().join("s");
        assert!(matches!(
            c.snapshot_to_dir(&path, &control),
            Err(Error::Cancelled)
        ));
        left.store(after, Ordering::Release);
        assert!(matches!(
            c.snapshot_to_tar(&path, &control),
            Err(Error::Cancelled)
        ));
        left.store(after, Ordering::Release);
        let restored = db.restore_collection(&whole, "copy", RestoreMode::New, &control);
        assert!(matches!(restored, Err(Error::Cancelled)));
        assert_eq!(
            (fs::read_dir(dir.path()).unwrap().count(), db.collections().len()),
            (1, 1)
        );
        assert!(no_staging(&db));
    }
    let ended = vdb_sys::sync::Mutex::new((0, 0));
    let progress = |done, total| *ended.lock() = (done, total);
    c.snapshot_to_tar(dir.path().join("t"), &Control::new(&|| false, &progress))
        .unwrap();
    let (done, total) = *ended.lock();
    assert!(done == total && total > 0, "{done} of {total}");
}

#[test]
fn damaged_data_is_not_backed_up_but_derived_files_are_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder()
        .background(false)
        .open(dir.path().join("db"))
        .unwrap();
    let c = fill(&db, "words");
    c.flush().unwrap();
    let flip = |ending: &str| {
        let files = files_below(&dir.path().join("db/collections"));
        let path = files
            .into_iter()
            .find(|p| p.to_string_lossy().ends_with(ending))
            .unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
    };
    let before = everything(&c);
    flip(".hnsw");
    flip(".idx");
    let info = c.snapshot_to_dir(dir.path().join("s"), &Control::none()).unwrap();
    assert_eq!(info.collections[0].points, before.len() as u64);
    let other = quiet();
    let copy = other
        .restore_collection(dir.path().join("s"), "copy", RestoreMode::New, &Control::none())
        .unwrap();
    assert_eq!(
        (everything(&copy), copy.info().unwrap().indexed_vectors),
        (before, 0)
    );
    copy.optimize(&Control::none()).unwrap();
    assert!(copy.info().unwrap().indexed_vectors > 0);
    flip(".vec");
    let error = c
        .snapshot_to_tar(dir.path().join("t"), &Control::none())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(".vec") && error.contains("db/collections"),
        "it names the file itself: {error}"
    );
    assert!(!dir.path().join("t").exists() && !dir.path().join("t.partial").exists());
}

#[test]
fn what_a_crash_leaves_in_the_staging_directory_goes_at_the_next_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    Database::open(&path).unwrap().close().unwrap();
    let left = path.join(TEMP_DIR).join("snapshot-0/00000001");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("seg-00000001.points"), b"x").unwrap();
    assert_eq!(crate::verify(&path, &Control::none()).unwrap().problems.len(), 1);
    Database::open(&path).unwrap().close().unwrap();
    assert!(!path.join(TEMP_DIR).exists());
    assert!(
        crate::verify(&path, &Control::none())
            .unwrap()
            .problems
            .is_empty()
    );
}
