//! Files of a newer format, foreign files, files cut short, flipped bits.

use std::path::{Path, PathBuf};

use serde_json::json;
use vdb::{
    Control, Database, Distance, Error, Filter, PayloadIndexKind, ScrollRequest, SearchRequest, Select,
};
use vdb_tests::files::copy;
use vdb_tests::{Numbers, config, points};

/// A database with every kind of file: two collections, graphs, payload indexes, tombstones, a log.
fn make(path: &Path) {
    let db = Database::builder()
        .log_segment_bytes(0)
        .background(false)
        .threads(1)
        .open(path)
        .unwrap();
    for (name, seed) in [("a", 1), ("b", 2)] {
        let mut config = config(4, Distance::Euclid);
        config.optimizer.index_min_rows = 50;
        let c = db.create_collection(name, config).unwrap();
        c.create_payload_index("mod", PayloadIndexKind::Keyword).unwrap();
        c.upsert(points(0..200, 4, seed)).unwrap();
        c.optimize(&Control::none()).unwrap();
        c.delete(vec![3u64, 4, 5]).unwrap();
        c.upsert(points(200..220, 4, seed)).unwrap();
        c.flush().unwrap();
        c.upsert(points(220..230, 4, seed)).unwrap();
    }
    db.close().unwrap();
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path))
        } else {
            out.push(path)
        }
    }
    out.sort();
    out
}

fn open(path: &Path) -> Result<Database, Error> {
    Database::builder()
        .log_segment_bytes(0)
        .background(false)
        .threads(1)
        .open(path)
}

/// Reads a collection in every way, and says how many points it has.
fn read(db: &Database, name: &str) -> Result<u64, Error> {
    let c = db.collection(name)?;
    let all = c
        .scroll(&ScrollRequest::new().limit(1_000).select(Select::all()))?
        .points
        .len() as u64;
    let filter = Filter::from_json(&json!({"must": [{"key": "mod", "match": {"value": "m3"}}]})).unwrap();
    c.count(Some(&filter))?;
    for exact in [true, false] {
        let request = SearchRequest::new([0.1, 0.2, 0.3, 0.4])
            .limit(20)
            .exact(exact)
            .with_payload(true);
        c.search(&request)?;
        c.search(&request.filter(filter.clone()))?;
    }
    c.get(&[1.into(), 210.into(), 225.into()], &Select::all())?;
    Ok(all)
}

/// What happens when one file is changed: an error that says so, or an answer as if nothing had happened; and the
/// other collection is not touched by what is wrong with one.
fn check(path: &Path, file: &Path, what: &str) {
    let inside = |name: &str| {
        file.to_string_lossy()
            .contains(&format!("collections/0000000{name}"))
    };
    match open(path) {
        Err(error) => {
            assert!(
                !inside("1") && !inside("2"),
                "{what}: {}: {error}",
                file.display()
            );
            assert!(error.to_string().len() > 10);
        }
        Ok(db) => {
            for (name, number) in [("a", "1"), ("b", "2")] {
                match read(&db, name) {
                    Ok(found) => assert!(found <= 227, "{what}: {}: {found}", file.display()),
                    Err(error) => {
                        let blamed = inside(number) || file.to_string_lossy().contains("wal/");
                        assert!(blamed, "{what}: {}: {name}: {error}", file.display());
                    }
                }
            }
        }
    }
}

#[test]
fn a_file_cut_short_or_overwritten_is_reported_and_never_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    make(&whole);
    let numbers = &mut Numbers::new(1);
    for (n, file) in files(&whole).iter().enumerate() {
        let name = file.strip_prefix(&whole).unwrap();
        if name == Path::new("lock") {
            continue;
        }
        let bytes = std::fs::read(file).unwrap();
        let noise: Vec<u8> = (0..500).map(|_| numbers.bits() as u8).collect();
        let mut flipped = bytes.clone();
        for _ in 0..3 {
            let at = numbers.below(flipped.len().max(1) as u64) as usize;
            if let Some(byte) = flipped.get_mut(at) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        let cases = [
            ("empty", Vec::new()),
            ("a byte short", bytes[..bytes.len().saturating_sub(1)].to_vec()),
            ("half", bytes[..bytes.len() / 2].to_vec()),
            ("a few bytes", bytes[..bytes.len().min(70)].to_vec()),
            ("noise", noise),
            ("another file", std::fs::read(&files(&whole)[0]).unwrap()),
            ("flipped bits", flipped),
        ];
        for (i, (what, content)) in cases.into_iter().enumerate() {
            let path = dir.path().join(format!("{n}-{i}"));
            copy(&whole, &path);
            std::fs::write(path.join(name), content).unwrap();
            check(&path, name, what);
            std::fs::remove_dir_all(&path).unwrap();
        }
        let path = dir.path().join(format!("{n}-gone"));
        copy(&whole, &path);
        std::fs::remove_file(path.join(name)).unwrap();
        check(&path, name, "gone");
    }
}

#[test]
fn damage_to_a_graph_or_an_index_costs_time_and_no_answers() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    let mut damaged = 0;
    for file in files(dir.path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".hnsw") || name.ends_with(".idx") {
            let mut bytes = std::fs::read(&file).unwrap();
            bytes.truncate(80);
            std::fs::write(&file, bytes).unwrap();
            damaged += 1;
        }
    }
    assert!(damaged >= 4, "{:?}", files(dir.path()));
    let db = open(dir.path()).unwrap();
    for name in ["a", "b"] {
        assert_eq!(read(&db, name).unwrap(), 227);
        let c = db.collection(name).unwrap();
        assert_eq!(c.info().unwrap().indexed_vectors, 0);
        c.optimize(&Control::none()).unwrap();
        assert_eq!(c.info().unwrap().indexed_vectors, 227);
        assert_eq!(read(&db, name).unwrap(), 227);
    }
}

/// Writes a version number into a file of any kind, with a checksum that fits.
fn set_version(file: &Path, version: u16) {
    let mut bytes = std::fs::read(file).unwrap();
    // Magic, kind and version have kept their places since the first layout; log files have their own header.
    bytes[8..10].copy_from_slice(&version.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(file, bytes).unwrap();
}

fn newest(dir: &Path, part: &str) -> PathBuf {
    let found = files(dir)
        .into_iter()
        .rfind(|file| file.to_string_lossy().contains(part));
    found.unwrap_or_else(|| panic!("no {part} in {:?}", files(dir)))
}

#[test]
fn a_newest_manifest_or_catalog_that_is_gone_is_never_replaced_by_an_older_one() {
    for part in ["catalog", "manifest"] {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path());
        let newest = newest(dir.path(), part);
        std::fs::remove_file(&newest).unwrap();
        let error = open(dir.path()).and_then(|db| read(&db, "b")).unwrap_err();
        assert!(error.to_string().contains("missing"), "{part}: {error}");
        assert!(error.to_string().contains(".old"), "{part}: {error}");
    }
}

#[test]
fn files_of_a_newer_version_are_refused_with_both_versions() {
    for part in ["catalog/", ".log"] {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path());
        set_version(&newest(dir.path(), part), 999);
        let refused = open(dir.path()).unwrap_err();
        assert!(refused.to_string().contains("version 999"), "{part}: {refused}");
        assert!(refused.to_string().contains("newer"), "{part}: {refused}");
    }
    for part in ["manifest-", ".points", ".vec", ".payload", ".tomb"] {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path());
        set_version(&newest(&dir.path().join("collections/00000001"), part), 999);
        let db = open(dir.path()).unwrap();
        let refused = read(&db, "a").unwrap_err();
        assert!(refused.to_string().contains("999"), "{part}: {refused}");
        assert_eq!(read(&db, "b").unwrap(), 227, "{part}");
    }
}

#[test]
fn a_damaged_record_of_one_collection_leaves_the_others_and_keeps_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let open_small = || open(dir.path());
    {
        let db = open_small().unwrap();
        for name in ["a", "b"] {
            db.create_collection(name, config(4, Distance::Dot))
                .unwrap()
                .upsert(points(0..5, 4, 1))
                .unwrap();
        }
        db.collection("a").unwrap().upsert(points(5..9, 4, 2)).unwrap();
        db.close().unwrap();
    }
    // The body of the first record, which is `a`'s: behind the file's and the frame's headers.
    let log = newest(dir.path(), ".log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[64 + 40 + 20] ^= 0x10;
    std::fs::write(&log, bytes).unwrap();
    for round in 0..3 {
        let db = open_small().unwrap();
        let refused = db.collection("a").unwrap_err();
        assert!(
            matches!(refused, Error::Damaged { .. }),
            "round {round}: {refused:?}"
        );
        assert!(
            refused.to_string().contains("record 1"),
            "round {round}: {refused}"
        );
        let b = db.collection("b").unwrap();
        assert_eq!(b.count(None).unwrap(), 5 + round);
        b.upsert(points(100 + round..101 + round, 4, 3)).unwrap();
        b.flush().unwrap();
        db.close().unwrap();
    }
    let db = open_small().unwrap();
    assert!(db.drop_collection("a").unwrap());
    drop(db);
    assert_eq!(open_small().unwrap().collections(), ["b"]);
}
