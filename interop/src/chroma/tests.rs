use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};
use vdb::{Distance, Point, Vector};

use super::records::point_id;
use super::*;
use crate::qdrant::ImportOptions;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/interop")
}

fn expected() -> Vec<Json> {
    let mut all = Vec::new();
    for file in ["chroma.json", "chroma_0.4.3.json", "chroma_0.4.24.json"] {
        let text = std::fs::read_to_string(fixtures().join("expected").join(file)).unwrap();
        let said: Json = serde_json::from_str(&text).unwrap();
        all.extend(said["files"].as_array().unwrap().iter().cloned());
    }
    all
}

fn numbers(value: &Json) -> Vec<f32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_f64().unwrap() as f32)
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::write(target, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

/// Every file of a directory with its content.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            all.insert(path, bytes);
        }
    }
    all
}

fn check(row: &Json, point: &Point, file: &str) {
    let id = row["id"].as_str().unwrap();
    let mut payload: Map<String, Json> = row["metadata"].as_object().cloned().unwrap_or_default();
    if let Some(document) = row["document"].as_str() {
        let taken = payload.contains_key("document");
        let key = if taken { "chroma_document" } else { "document" };
        assert_eq!(
            point.payload.get(key).and_then(Json::as_str),
            Some(document),
            "{file}: {id}"
        );
        payload.insert(key.to_owned(), document.into());
    }
    payload.insert("chroma_id".to_owned(), id.into());
    // What the library answers has no addresses.
    let mut stored = point.payload.clone();
    if id == "with_uri" {
        assert_eq!(stored.shift_remove("uri"), Some("file:///data/x.png".into()));
    }
    let found: BTreeMap<_, _> = stored.iter().collect();
    assert_eq!(found, payload.iter().collect(), "{file}: {id}");
    let Some(Vector::Dense(vector)) = point.vectors.0.get("") else {
        panic!("{file}: {id} has {:?}", point.vectors);
    };
    let expected = numbers(&row["embedding"]);
    assert_eq!(vector.len(), expected.len());
    for (a, b) in vector.iter().zip(&expected) {
        assert!(
            (a - b).abs() < 1e-6,
            "{file}: {id}: {vector:?}, expected {expected:?}"
        );
    }
}

#[test]
fn every_record_comes_with_what_the_library_answers() {
    let mut collections = 0;
    for entry in expected() {
        let file = entry["file"].as_str().unwrap();
        let dir = fixtures().join(file);
        let before = contents(&dir);
        assert!(ChromaStore::is_at(&dir));
        let store = ChromaStore::open(&dir).unwrap();
        let listed = entry["collections"].as_array().unwrap();
        let mut names: Vec<&str> = listed.iter().map(|one| one["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(store.names(), names, "{file}");
        for one in listed {
            collections += 1;
            let name = one["name"].as_str().unwrap();
            let collection = store
                .collection(name, ImportOptions::default(), &mut |_, _| true)
                .unwrap();
            let metadata = one["metadata"].as_object().cloned().unwrap_or_default();
            let found = &collection.described().config.metadata;
            assert_eq!(
                found.iter().collect::<BTreeMap<_, _>>(),
                metadata.iter().collect(),
                "{file}: {name}"
            );
            let rows = one["rows"].as_array().unwrap();
            assert_eq!(collection.points() as usize, rows.len(), "{file}: {name}");
            assert_eq!(collection.with_vectors(), collection.points());
            match &collection.described().config.vectors[..] {
                [(_, params)] => {
                    let distance = match one["space"].as_str().unwrap() {
                        "l2" => Distance::Euclid,
                        "ip" => Distance::Dot,
                        "cosine" => Distance::Cosine,
                        other => panic!("{other}"),
                    };
                    assert_eq!(params.distance, distance, "{file}: {name}");
                }
                none => assert!(none.is_empty() && rows.is_empty(), "{file}: {name}"),
            }
            let points: Vec<Point> = collection.into_points().unwrap().map(Result::unwrap).collect();
            let by_id: BTreeMap<_, _> = points.iter().map(|point| (point.id, point)).collect();
            assert_eq!(by_id.len(), rows.len());
            for row in rows {
                check(
                    row,
                    by_id[&point_id(row["id"].as_str().unwrap())],
                    &format!("{file}: {name}"),
                );
            }
        }
        assert!(before == contents(&dir), "{file} was written to");
    }
    assert!(collections >= 16, "{collections}");
}

#[test]
fn ids_that_are_uuids_stay_so() {
    let uuid = "5c56c793-69f3-4fbf-87e6-c4bf54c28c26";
    assert_eq!(point_id(uuid).to_string(), uuid);
    assert_ne!(point_id(&uuid.to_uppercase()).to_string(), uuid);
    // Whoever imports again must come to the same points.
    assert_eq!(
        point_id("doc-1").to_string(),
        "6d306651-d9f3-5022-af20-db087b2f59d7"
    );
}

#[test]
fn a_store_in_the_middle_of_a_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixtures().join("chroma/store"), dir.path());
    std::fs::write(dir.path().join("chroma.sqlite3-journal"), b"half").unwrap();
    let error = ChromaStore::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("in the middle of a write"), "{error}");
}

#[test]
fn a_store_that_is_written_to_meanwhile_is_told() {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixtures().join("chroma/store"), dir.path());
    let store = ChromaStore::open(dir.path()).unwrap();
    let collection = store
        .collection("posts", ImportOptions::default(), &mut |_, _| true)
        .unwrap();
    let file = std::fs::File::options()
        .append(true)
        .open(dir.path().join("chroma.sqlite3"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9))
        .unwrap();
    let points: Vec<_> = collection.into_points().unwrap().collect();
    let (last, others) = points.split_last().unwrap();
    assert!(others.iter().all(Result::is_ok) && others.len() == 30);
    let told = last.as_ref().unwrap_err().to_string();
    assert!(told.contains("written to while it was read"), "{told}");
}

/// A copy of the store of the newest version, and changed by this.
fn changed(statements: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixtures().join("chroma/store"), dir.path());
    let connection = rusqlite::Connection::open(dir.path().join("chroma.sqlite3")).unwrap();
    connection.execute_batch(statements).unwrap();
    connection.close().unwrap();
    dir
}

#[test]
fn numbers_that_payloads_cannot_hold_need_a_word() {
    let lossy = ImportOptions {
        lossy: true,
        ..ImportOptions::default()
    };
    let read = |dir: &Path, options| {
        let store = ChromaStore::open(dir).unwrap();
        store.collection("posts", options, &mut |_, _| true)
    };
    let of_point = "INSERT INTO embedding_metadata (id, key, float_value) \
         SELECT min(e.id), 'wide', 9e999 FROM embeddings e JOIN segments s ON s.id = e.segment_id \
         JOIN collections c ON c.id = s.collection WHERE c.name = 'posts';";
    let of_collection = "INSERT INTO collection_metadata (collection_id, key, float_value) \
         SELECT id, 'wide', -9e999 FROM collections WHERE name = 'posts';";
    // Python writes what JSON does not have into the log.
    let of_log = "INSERT INTO embeddings_queue (operation, topic, id, metadata) \
         SELECT 2, 'persistent://a/b/' || id, 'late', '{\"wide\": NaN, \"near\": 1}' FROM collections WHERE name = 'posts';";
    for (statement, told) in [
        (of_point, "metadata.wide: inf"),
        (of_collection, "metadata.wide: -inf"),
        (of_log, "its metadata: NaN"),
    ] {
        let dir = changed(statement);
        let error = read(dir.path(), ImportOptions::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(told) && error.contains("--lossy"), "{error}");
        let collection = read(dir.path(), lossy).unwrap();
        let warnings = collection.described().warnings.join("; ");
        assert!(
            warnings.contains("1 values that a payload cannot hold"),
            "{warnings}"
        );
        let metadata = &collection.described().config.metadata;
        assert_eq!(
            metadata.get("wide"),
            (statement == of_collection).then_some(&Json::Null)
        );
        let points: Vec<Point> = collection.into_points().unwrap().map(Result::unwrap).collect();
        let wide = points.iter().filter_map(|point| point.payload.get("wide"));
        assert!(
            wide.eq((statement == of_point).then_some(&Json::Null)),
            "{statement}"
        );
        let late = points.iter().find(|point| point.id == point_id("late"));
        let near = late.map(|point| point.payload["near"].clone());
        assert_eq!(near, (statement == of_log).then(|| 1.into()));
    }
}

#[test]
fn a_log_is_read_for_vectors_whatever_its_metadata_are() {
    // The tables have followed the log, and what it said of metadata is nothing to read again.
    let dir = changed("UPDATE embeddings_queue SET metadata = '{\"wide\": NaN}';");
    let before = read_all(&fixtures().join("chroma/store")).unwrap();
    assert_eq!(read_all(dir.path()).unwrap(), before);
}

#[test]
fn damage_is_an_error_or_harmless_but_never_a_panic() {
    let source = fixtures().join("chroma/store");
    let dir = tempfile::tempdir().unwrap();
    copy(&source, dir.path());
    let mut refused = 0;
    for (path, bytes) in contents(dir.path()) {
        let is_sqlite = path.extension().is_some_and(|ending| ending == "sqlite3");
        // Pages of tables for SQLite, every byte of the rest that has meaning.
        let step = if is_sqlite { 16_411 } else { 613 };
        let places = (0..bytes.len()).step_by(step).map(|at| (at, false));
        let cuts = [bytes.len() / 3, bytes.len().saturating_sub(1)].map(|at| (at, true));
        for (at, is_cut) in places.chain(cuts) {
            let mut changed = bytes.clone();
            if is_cut {
                changed.truncate(at);
            } else {
                changed[at] ^= 0xFF;
            }
            std::fs::write(&path, &changed).unwrap();
            refused += usize::from(read_all(dir.path()).is_err());
        }
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(refused > 20, "{refused}");
    read_all(dir.path()).unwrap();
}

fn read_all(dir: &Path) -> Result<u64, crate::RowError> {
    let store = ChromaStore::open(dir)?;
    let mut points = 0;
    for name in store.names() {
        points += store
            .collection(name, ImportOptions::default(), &mut |_, _| true)?
            .points();
    }
    Ok(points)
}
