//! Does this build read what earlier builds have written?
//!
//! `golden/v1` is a database directory of the present formats, `golden/v1-snapshot` a snapshot of it, `golden/older-snapshot` one that
//! stays as it is. Both are copied
//! before they are used, and all that they hold is compared with what `content` says. When a format changes before 0.1.0 is tagged, write it anew with
//!
//! ```text
//! VDB_REGENERATE=1 cargo test -p vdb-tests --test whole in_full
//! ```
//!
//! and say so in the version history of that format. From 0.1.0 on, a directory that exists here is never written
//! again: a new version gets a new one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::json;
use vdb::{
    CollectionConfig, Control, Database, Distance, Element, Filter, Modifier, MultiVectorComparator,
    PayloadIndexKind, Point, PointId, RestoreMode, SearchRequest, SparseVector, SparseVectorParams,
    VectorParams, Vectors,
};
use vdb_tests::Numbers;
use vdb_tests::files::copy;
use vdb_tests::oracle::{Aim, Dump, Op, OracleDatabase, Step, database};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1")
}

/// A snapshot of the same database, with payload indexes of version 2.
fn older_snapshot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/older-snapshot")
}

fn golden_snapshot() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/v1-snapshot")
}

fn config(distance: Distance, element: Element) -> CollectionConfig {
    let mut config = CollectionConfig::new(VectorParams::new(4, distance).element(element)).vector(
        "side",
        VectorParams::new(2, Distance::Manhattan).element(Element::F32),
    );
    let several = VectorParams::new(2, Distance::Dot)
        .element(element)
        .multivector(MultiVectorComparator::MaxSim);
    config = config
        .vector("tokens", several)
        .sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf));
    config.optimizer.index_min_rows = 20;
    config
}

fn point(id: PointId, seed: u64) -> Point {
    let numbers = &mut Numbers::new(seed);
    // Eighths have the same value in every element type.
    let vector = |numbers: &mut Numbers, dim: u64| -> Vec<f32> {
        (0..dim).map(|_| numbers.below(64) as f32 / 8.0).collect()
    };
    let mut vectors = Vectors::default().with("", vector(numbers, 4));
    if numbers.one_in(2) {
        vectors = vectors.with("side", vector(numbers, 2));
    }
    if !numbers.one_in(3) {
        let rows: Vec<Vec<f32>> = (0..1 + numbers.below(2)).map(|_| vector(numbers, 2)).collect();
        vectors = vectors.with("tokens", rows);
    }
    if !numbers.one_in(4) {
        let values = vector(numbers, 3);
        let dimensions = [numbers.below(4) as u32, 7 + numbers.below(4) as u32, 1 << 30];
        vectors = vectors.with("words", SparseVector::new(dimensions, values));
    }
    let word = *numbers.pick(&["owl", "hawk", "wren"]);
    let payload = json!({
        "word": word, "n": numbers.below(9), "x": numbers.below(9) as f64 / 2.0, "yes": numbers.one_in(2),
        "at": format!("2024-0{}-01T00:00:00Z", 1 + numbers.below(9)),
        "deep": {"list": [1, -2, null, {"k": "v"}], "big": u64::MAX, "text": "naïve ☃"},
    });
    Point::new(id, vectors).payload(payload).unwrap()
}

fn id(n: u64) -> PointId {
    if n % 5 == 4 {
        PointId::Uuid(uuid::Uuid::from_u64_pair(n, !n))
    } else {
        n.into()
    }
}

const INDEXES: [(&str, PayloadIndexKind); 5] = [
    ("word", PayloadIndexKind::Keyword),
    ("n", PayloadIndexKind::Integer),
    ("x", PayloadIndexKind::Float),
    ("yes", PayloadIndexKind::Bool),
    ("at", PayloadIndexKind::Datetime),
];

/// What the golden database went through; done to the oracle, and with a database to that as well.
fn content(db: Option<&Database>) -> OracleDatabase {
    let mut oracle = OracleDatabase::default();
    let write = |oracle: &mut OracleDatabase, name: &str, op: Op| {
        let steps = [Step::Write(name.to_owned(), op)];
        oracle.apply(&steps).unwrap();
        if let Some(db) = db {
            db.write(database::batch(&steps)).unwrap();
        }
    };
    let points =
        |range: std::ops::Range<u64>, seed: u64| Op::upsert(range.map(|n| point(id(n), n + seed)).collect());
    for (name, distance, element) in [
        ("floats", Distance::Dot, Element::F32),
        ("halves", Distance::Euclid, Element::F16),
        ("bytes", Distance::Manhattan, Element::U8),
    ] {
        oracle.create(name, config(distance, element));
        if let Some(db) = db {
            db.create_collection(name, config(distance, element)).unwrap();
        }
        write(&mut oracle, name, points(0..24, 1));
        for (path, kind) in if name == "floats" {
            &INDEXES[..]
        } else {
            &INDEXES[..1]
        } {
            oracle.get_mut(name).unwrap().create_index(path, *kind);
            if let Some(db) = db {
                db.collection(name)
                    .unwrap()
                    .create_payload_index(path, *kind)
                    .unwrap();
            }
        }
        if let Some(db) = db {
            db.collection(name).unwrap().optimize(&Control::none()).unwrap();
        }
        write(&mut oracle, name, Op::Delete(Aim::Ids(vec![id(3), id(4), id(5)])));
        write(&mut oracle, name, points(20..28, 2));
        if let Some(db) = db {
            db.collection(name).unwrap().flush().unwrap();
        }
        // Only in the log.
        write(
            &mut oracle,
            name,
            Op::DeleteVectors(vec!["side".to_owned()], Aim::Ids(vec![id(8), id(9)])),
        );
        let payload = json!({"late": true}).as_object().unwrap().clone();
        write(
            &mut oracle,
            name,
            Op::SetPayload(payload, Aim::Ids(vec![id(9), id(27)]), None),
        );
    }
    oracle.alias("alias", "halves");
    if let Some(db) = db {
        db.create_alias("alias", "halves").unwrap();
    }
    oracle
}

pub(crate) fn open(dir: &Path) -> Database {
    let builder = Database::builder()
        .create(false)
        .background(false)
        .threads(1)
        .log_segment_bytes(0);
    builder
        .open(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
}

/// Writes a directory anew, if that is asked for. Whether it is.
pub(crate) fn regenerate(dir: &Path, fill: impl FnOnce(&Database)) -> bool {
    if std::env::var_os("VDB_REGENERATE").is_none() {
        return false;
    }
    let _ = std::fs::remove_dir_all(dir);
    let builder = Database::builder()
        .background(false)
        .threads(1)
        .log_segment_bytes(0);
    let db = builder.open(dir).unwrap();
    fill(&db);
    db.close().unwrap();
    // The zeros that the log writes ahead need not be kept.
    for entry in std::fs::read_dir(dir.join("wal")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let end = bytes
            .iter()
            .rposition(|&byte| byte != 0)
            .map_or(0, |last| (last + 1).next_multiple_of(8));
        std::fs::write(&path, &bytes[..end]).unwrap();
    }
    true
}

#[test]
fn the_golden_database_reads_in_full() {
    let anew = regenerate(&golden(), |db| drop(content(Some(db))));
    let dir = tempfile::tempdir().unwrap();
    copy(&golden(), dir.path());
    if anew {
        let _ = std::fs::remove_dir_all(golden_snapshot());
        // Of a copy: a snapshot brings into segments what is to stay in the log here.
        let dir = tempfile::tempdir().unwrap();
        copy(&golden(), dir.path());
        open(dir.path())
            .snapshot_to_dir(golden_snapshot(), &Control::none())
            .unwrap();
    }
    let expected = Dump::expect(&content(None));
    let db = open(dir.path());
    assert_eq!(Dump::read(&db).unwrap().difference(&expected), None);
    for name in db.collections() {
        let c = db.collection(&name).unwrap();
        let info = c.info().unwrap();
        assert_eq!(
            (info.segments.len(), info.indexed_vectors > 0),
            (2, true),
            "{name}: {info:?}"
        );
        assert!(
            info.segments.iter().any(|s| s.dead_rows > 0) && info.memtable_bytes > 0,
            "{name}: {info:?}"
        );
        for query in [[1.0, 2.0, 3.0, 4.0], [7.0, 0.0, 0.5, 2.0]] {
            let request = SearchRequest::new(query).limit(8).ef(64);
            let near = c.search(&request).unwrap();
            assert_eq!(near, c.search(&request.exact(true)).unwrap(), "{name}");
        }
    }
    let floats = db.collection("floats").unwrap();
    for (filter, expected) in [
        (
            json!({"must": [{"key": "word", "match": {"value": "owl"}}]}),
            "owl",
        ),
        (
            json!({"must_not": [{"key": "yes", "match": {"value": true}}]}),
            "not yes",
        ),
        (json!({"must": [{"key": "n", "range": {"gte": 3, "lt": 6}}]}), "n"),
        (json!({"must": [{"key": "x", "range": {"gt": 1.5}}]}), "x"),
        (
            json!({"must": [{"key": "at", "range": {"gte": "2024-04-01"}}]}),
            "at",
        ),
    ] {
        let found = floats.count(Some(&Filter::from_json(&filter).unwrap())).unwrap();
        let matching = content(None).get("floats").unwrap().matching(Some(&filter)).len() as u64;
        assert!(matching > 0);
        assert_eq!(found, matching, "{expected}");
    }
}

#[test]
fn the_golden_database_can_be_written_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    copy(&golden(), dir.path());
    let mut expected = content(None);
    {
        let db = open(dir.path());
        for name in db.collections() {
            let steps = [Step::Write(
                name.clone(),
                Op::upsert(vec![point(id(50), 50), point(id(7), 51)]),
            )];
            db.write(database::batch(&steps)).unwrap();
            expected.apply(&steps).unwrap();
            db.collection(&name).unwrap().optimize(&Control::none()).unwrap();
        }
    }
    let db = open(dir.path());
    assert_eq!(
        Dump::read(&db).unwrap().difference(&Dump::expect(&expected)),
        None
    );
}

#[test]
fn the_golden_snapshot_is_restored() {
    restores(&golden_snapshot());
}

/// What is derived is made again rather than read.
#[test]
fn a_snapshot_with_derived_files_of_an_older_version_is_restored() {
    restores(&older_snapshot());
}

fn restores(snapshot: &Path) {
    let dir = tempfile::tempdir().unwrap();
    copy(snapshot, &dir.path().join("snapshot"));
    let db = Database::builder()
        .background(false)
        .threads(1)
        .open(dir.path().join("db"))
        .unwrap();
    db.restore_all(dir.path().join("snapshot"), RestoreMode::New, &Control::none())
        .unwrap();
    let found = Dump::read(&db).unwrap();
    assert_eq!(found.difference(&Dump::expect(&content(None))), None);
}
