//! A sound store has no problems, and no byte of one can change unnoticed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::fixture::files_below;
use crate::{
    Collection, CollectionConfig, Distance, OptimizerConfig, PayloadIndexKind, Point, PointId, ScrollRequest,
    Select, VectorParams,
};

const DIM: usize = 8;

fn points(ids: std::ops::Range<u64>) -> Vec<Point> {
    let mix = |seed: u64| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let vector = |id: u64| (0..DIM as u64).map(|i| mix(id * 97 + i)).collect::<Vec<f32>>();
    ids.map(|id| {
        Point::new(id, vector(id))
            .payload(json!({"kind": format!("k{}", id % 3)}))
            .unwrap()
    })
    .collect()
}

fn open(path: &Path) -> Database {
    Database::builder()
        .background(false)
        .log_segment_bytes(64 << 10)
        .open(path)
        .unwrap()
}

/// A collection with a file of every kind, and with rows that are only in the log.
fn fill(db: &Database, name: &str) -> Collection {
    let optimizer = OptimizerConfig {
        index_min_rows: 40,
        ..OptimizerConfig::default()
    };
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine)).optimizer(optimizer);
    let c = db.create_collection(name, config).unwrap();
    c.create_payload_index("kind", PayloadIndexKind::Keyword).unwrap();
    c.upsert(points(0..80)).unwrap();
    c.optimize(&Control::none()).unwrap();
    c.delete(vec![PointId::Num(3)]).unwrap();
    c.upsert(points(100..110)).unwrap();
    c.flush().unwrap();
    c.upsert(points(200..205)).unwrap();
    c
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(dir)
        .into_iter()
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

fn find(dir: &Path, ending: &str) -> PathBuf {
    files_below(dir)
        .into_iter()
        .find(|p| p.to_string_lossy().ends_with(ending))
        .unwrap()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    // In place, so that mappings and links see it.
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[at..=at], at as u64).unwrap();
}

#[test]
fn a_sound_database_has_no_problems_open_or_closed_and_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    fill(&db, "a");
    fill(&db, "b");
    let live = db.verify(&Control::none()).unwrap();
    assert_eq!((live.problems.as_slice(), live.collections), ([].as_slice(), 2));
    assert_eq!(
        verify(&path, &Control::none()).unwrap().holder,
        Some(std::process::id())
    );
    db.close().unwrap();

    let before = contents(&path);
    let progress = vdb_sys::sync::Mutex::new(Vec::new());
    let tell = |done, total| progress.lock().push((done, total));
    let report = verify(&path, &Control::new(&|| false, &tell)).unwrap();
    assert_eq!(report.problems, []);
    assert!(report.is_sound() && !report.has_lost_data());
    assert_eq!(
        (report.holder, report.collections, report.rows),
        (None, 2, 2 * 90)
    );
    assert!(
        report.files >= 2 * 9 && report.bytes > 10_000 && report.log_records > 0,
        "{report:?}"
    );
    assert_eq!(contents(&path), before);
    let progress = progress.into_inner();
    assert!(
        progress.is_sorted() && progress.last().is_some_and(|(done, total)| done == total),
        "{progress:?}"
    );
    assert!(matches!(
        verify(&path, &Control::new(&|| true, &|_, _| ())),
        Err(Error::Cancelled)
    ));
}

#[test]
fn a_flipped_byte_in_any_file_is_reported_by_that_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    fill(&db, "a");
    db.close().unwrap();
    assert_eq!(verify(&path, &Control::none()).unwrap().problems, []);
    let mut endings = BTreeMap::new();
    for file in files_below(&path) {
        let len = fs::metadata(&file).unwrap().len() as usize;
        if len == 0 {
            continue;
        }
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let log = name.ends_with(".log") || name == "released";
        let newest = !["catalog-0000000000000001", "manifest-"]
            .iter()
            .any(|stem| name.starts_with(stem));
        for at in [0, 9, 30, 61, 64, 70, len / 4, len / 2, len * 3 / 4, len - 1] {
            flip(&file, at);
            let report = verify(&path, &Control::none()).unwrap();
            let shown = file.to_string_lossy();
            let mine: Vec<_> = report.problems.iter().filter(|p| p.file == shown).collect();
            assert!(!mine.is_empty(), "{shown} at {at}: {:?}", report.problems);
            let derived = name.ends_with(".hnsw") || name.ends_with(".idx");
            if derived {
                assert!(mine.iter().all(|p| p.severity == Severity::Derived), "{mine:?}");
                assert!(!report.is_sound() && !report.has_lost_data());
            } else if newest && !log {
                assert!(report.has_lost_data(), "{shown} at {at}: {:?}", report.problems);
            }
            flip(&file, at);
        }
        endings.insert(name.rsplit(['.', '-']).next().unwrap_or_default().to_owned(), ());
    }
    for kind in ["points", "payload", "vec", "hnsw", "idx", "log"] {
        assert!(endings.contains_key(kind), "{kind} is not among {endings:?}");
    }
    assert!(
        files_below(&path)
            .iter()
            .any(|p| p.to_string_lossy().contains(".tomb"))
    );
    assert_eq!(verify(&path, &Control::none()).unwrap().problems, []);
}

#[test]
fn missing_and_exchanged_files_and_strays_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    fill(&db, "a");
    db.close().unwrap();
    let problems = || verify(&path, &Control::none()).unwrap().problems;

    let file = find(&path, "1.payload");
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let found = problems();
    assert_eq!(
        (found.len(), found[0].severity, found[0].what.as_str()),
        (1, Severity::Primary, "it is missing")
    );
    // A sound file, but that of another segment.
    let other = files_below(&path)
        .into_iter()
        .rfind(|p| p.to_string_lossy().ends_with(".payload"))
        .unwrap();
    fs::copy(&other, &file).unwrap();
    assert!(
        problems().iter().any(|p| p.severity == Severity::Primary),
        "{:?}",
        problems()
    );
    fs::write(&file, bytes).unwrap();
    assert_eq!(problems(), []);

    let collection = file.parent().unwrap();
    for stray in [
        "seg-000000ff.points",
        "manifest-00000000000000ff.tmp",
        "notes.txt",
    ] {
        fs::write(collection.join(stray), b"x").unwrap();
    }
    fs::create_dir(path.join("collections/000000aa")).unwrap();
    fs::write(path.join("mine"), b"x").unwrap();
    let report = verify(&path, &Control::none()).unwrap();
    assert_eq!(report.problems.len(), 5, "{:?}", report.problems);
    assert!(report.is_sound() && report.problems.iter().all(|p| p.severity == Severity::Leftover));
    // The next opening removes what is its own, and nothing else.
    open(&path).collection("a").unwrap();
    let left: Vec<_> = problems().into_iter().map(|p| p.file).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].ends_with("notes.txt") && left[1].ends_with("mine"),
        "{left:?}"
    );
}

#[test]
fn a_lost_catalog_manifest_or_log_is_reported_and_the_rest_still_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    fill(&db, "a");
    fill(&db, "b");
    db.close().unwrap();
    let backup = contents(&path);
    let restore = || {
        for (file, bytes) in &backup {
            fs::write(file, bytes).unwrap();
        }
    };
    let report = || verify(&path, &Control::none()).unwrap();
    let catalog: Vec<_> = files_below(&path.join("catalog"));
    flip(catalog.last().unwrap(), 70);
    assert!(report().has_lost_data());
    assert_eq!(
        (report().collections, report().rows),
        (2, 180),
        "collections are checked by their directories"
    );
    restore();

    let a = path.join("collections/00000001");
    for file in files_below(&a)
        .iter()
        .filter(|p| p.to_string_lossy().contains("manifest-"))
    {
        fs::remove_file(file).unwrap();
    }
    let found = report();
    assert!(
        found
            .problems
            .iter()
            .any(|p| p.what.contains("manifest is missing")),
        "{:?}",
        found.problems
    );
    assert_eq!(found.rows, 90);
    restore();

    for file in files_below(&path.join("wal")) {
        fs::remove_file(file).unwrap();
    }
    let found = report();
    assert_eq!(
        found
            .problems
            .iter()
            .filter(|p| p.what.contains("log files are missing"))
            .count(),
        2
    );
    restore();
    assert_eq!(report().problems, []);
}

#[test]
fn an_open_database_reports_damage_where_the_files_are_and_mends_what_it_can() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    let c = fill(&db, "a");
    let graph = find(&path, ".hnsw");
    flip(&graph, fs::metadata(&graph).unwrap().len() as usize / 3);
    let report = db.verify(&Control::none()).unwrap();
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(
        (report.problems[0].file.as_str(), report.problems[0].severity),
        (graph.to_str().unwrap(), Severity::Derived)
    );
    assert_eq!(c.info().unwrap().indexed_vectors, 0, "it is not used any more");
    c.optimize(&Control::none()).unwrap();
    assert!(c.info().unwrap().indexed_vectors > 0);
    assert_eq!(db.verify(&Control::none()).unwrap().problems, []);

    let payload = find(&path, ".payload");
    flip(&payload, 70);
    let report = db.verify(&Control::none()).unwrap();
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    assert_eq!(
        (report.problems[0].file.as_str(), report.problems[0].severity),
        (payload.to_str().unwrap(), Severity::Primary)
    );
    assert!(report.problems[0].offset.is_some() && report.has_lost_data());
}

#[test]
fn damage_is_never_merged_into_files_with_fitting_checksums() {
    for ending in ["1.payload", "1.v0000.vec", "1.points"] {
        for background in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("db");
            fill(&open(&path), "a");
            let file = find(&path, ending);
            let shown = file.to_str().unwrap();
            flip(&file, 400);
            let db = Database::builder().background(background).open(&path).unwrap();
            let c = db.collection("a").unwrap();
            if background {
                // Many small segments, which the background would merge.
                for id in 300..330 {
                    c.upsert(points(id..id + 1)).unwrap();
                    c.flush().unwrap();
                }
                let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
                c.delete((0..60).map(PointId::Num).collect::<Vec<_>>()).unwrap();
                while c.info().unwrap().last_failure.is_none() {
                    assert!(std::time::Instant::now() < until, "{ending}: nothing was tried");
                    std::thread::sleep(std::time::Duration::from_millis(20));
                }
                let failure = c.info().unwrap().last_failure.unwrap();
                assert!(failure.contains(shown), "{failure}");
                assert!(failure.contains("vdb verify"), "{failure}");
            }
            let refused = c.optimize(&Control::none()).unwrap_err();
            assert!(
                matches!(&refused, Error::Damaged { file, .. } if file == shown),
                "{ending}: {refused:?}"
            );
            let report = db.verify(&Control::none()).unwrap();
            assert!(
                report.problems.iter().any(|p| p.file == shown),
                "{ending}: {:?}",
                report.problems
            );
            assert!(file.exists());
            // Put right, it is worked on again.
            flip(&file, 400);
            c.optimize(&Control::none()).unwrap();
            assert_eq!(db.verify(&Control::none()).unwrap().problems, []);
            assert_eq!(c.info().unwrap().last_failure.filter(|_| !background), None);
        }
    }
}

#[test]
fn no_graph_and_no_index_is_built_of_damage() {
    for (ending, graph) in [("1.v0000.vec", true), ("1.payload", false)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let db = open(&path);
        let mut config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine));
        config.optimizer.index_min_rows = 40;
        let c = db.create_collection("a", config).unwrap();
        c.upsert(points(0..80)).unwrap();
        c.flush().unwrap();
        let file = find(&path, ending);
        flip(&file, 70);
        let refused = match graph {
            true => c.optimize(&Control::none()),
            false => c.create_payload_index("kind", PayloadIndexKind::Keyword),
        };
        assert!(
            matches!(refused, Err(Error::Damaged { .. })),
            "{ending}: {refused:?}"
        );
        assert!(db.verify(&Control::none()).unwrap().has_lost_data());
    }
}

#[test]
fn an_open_database_is_found_sound_while_it_is_written_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder()
        .write_buffer(64 << 10)
        .log_segment_bytes(64 << 10)
        .open(dir.path().join("db"))
        .unwrap();
    let c = fill(&db, "a");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(std::sync::atomic::Ordering::Acquire) {
                    break;
                }
                c.upsert(points(n * 50..n * 50 + 100)).unwrap();
                if n % 8 == 7 {
                    c.optimize(&Control::none()).unwrap();
                }
            }
        });
        for _ in 0..10 {
            let report = db.verify(&Control::none()).unwrap();
            assert_eq!(report.problems, []);
        }
        stop.store(true, std::sync::atomic::Ordering::Release);
    });
    let request = ScrollRequest::new().limit(10).select(Select::all());
    assert_eq!(c.scroll(&request).unwrap().points.len(), 10);
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x"), b"x").unwrap();
    assert!(matches!(
        verify(dir.path(), &Control::none()),
        Err(Error::NotADatabase { .. })
    ));
    assert!(verify(dir.path().join("nowhere"), &Control::none()).is_err());
}

#[test]
fn every_file_is_blamed_once_with_advice_that_does_not_lose_data() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let db = open(&path);
    fill(&db, "words");
    db.close().unwrap();
    let problems = || verify(&path, &Control::none()).unwrap().problems;
    let damage = |what: &str, file: &Path| {
        let bytes = fs::read(file).unwrap();
        match what {
            "header" => flip(file, 9),
            "table" => flip(file, bytes.len() - 1),
            "length" => fs::write(file, &bytes[..bytes.len() - 1]).unwrap(),
            _ => fs::remove_file(file).unwrap(),
        }
    };
    for what in ["header", "table", "length", "missing"] {
        for (ending, severity) in [
            ("1.v0000.vec", Severity::Primary),
            ("1.points", Severity::Primary),
            (".hnsw", Severity::Derived),
            (".idx", Severity::Derived),
        ] {
            let file = find(&path, ending);
            let bytes = fs::read(&file).unwrap();
            damage(what, &file);
            let found = problems();
            assert_eq!(found.len(), 1, "{what} of {ending}: {found:?}");
            let problem = &found[0];
            assert_eq!(problem.file, file.to_str().unwrap());
            assert_eq!(problem.severity, severity);
            assert_eq!(problem.collection.as_deref(), Some("words"));
            assert!(problem.to_string().contains("words"), "{problem}");
            let removes = problem.advice.contains("remove");
            assert_eq!(
                removes,
                severity == Severity::Derived && what != "missing",
                "{what} of {ending}: {problem}"
            );
            fs::write(&file, bytes).unwrap();
        }
    }
    let spare = find(&path, ".old");
    flip(&spare, 70);
    let found = problems();
    assert_eq!((found.len(), found[0].severity), (1, Severity::Spare));
    assert!(!found[0].to_string().contains("derived"), "{}", found[0]);
    assert!(!verify(&path, &Control::none()).unwrap().has_lost_data());
}

#[test]
fn a_file_of_a_newer_version_is_neither_damaged_nor_to_be_removed() {
    for ending in ["1.v0000.vec", "1.points", ".hnsw", ".tomb", ".log"] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let db = open(&path);
        fill(&db, "words");
        db.close().unwrap();
        let file = files_below(&path)
            .into_iter()
            .find(|p| p.to_string_lossy().contains(ending))
            .unwrap();
        let mut bytes = fs::read(&file).unwrap();
        bytes[8..10].copy_from_slice(&999u16.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        fs::write(&file, bytes).unwrap();
        let report = verify(&path, &Control::none()).unwrap();
        let newer: Vec<_> = report
            .problems
            .iter()
            .filter(|p| p.severity == Severity::OtherVersion)
            .collect();
        assert_eq!(newer.len(), 1, "{ending}: {:?}", report.problems);
        let said = newer[0].to_string();
        assert_eq!(said.matches(file.to_str().unwrap()).count(), 1, "{said}");
        assert!(said.contains("999") && said.contains("a newer vdb"), "{said}");
        assert!(!said.contains("remove") && !said.contains("restore"), "{said}");
        assert!(report.has_files_of_other_versions());
        if ending != ".log" {
            assert_eq!(report.problems.len(), 1, "{ending}: {:?}", report.problems);
            assert!(!report.has_lost_data());
        }
    }
}
