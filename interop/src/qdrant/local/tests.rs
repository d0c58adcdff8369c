use std::fs;

use serde_json::Value as Json;

use super::*;
use crate::qdrant::fixtures::{assert_same, expected, is_beyond_json, path};

fn always() -> impl FnMut(u64, u64) -> bool {
    |_, _| true
}

#[test]
fn directories_of_every_version_yield_what_is_stored_in_them() {
    let mut read = 0;
    for entry in expected("qdrant_local") {
        let dir = entry["file"].as_str().unwrap();
        let store = LocalStore::open(&path(dir)).unwrap();
        let aliases: BTreeMap<String, String> = serde_json::from_value(entry["aliases"].clone()).unwrap();
        assert_eq!(store.aliases(), &aliases);
        for collection in entry["collections"].as_array().unwrap() {
            let name = collection["name"].as_str().unwrap();
            let stored = collection["stored"].as_array().unwrap();
            let lossy = stored.iter().any(|point| is_beyond_json(&point["payload"]));
            let options = ImportOptions {
                lossy,
                ..ImportOptions::default()
            };
            let found = store.collection(name, options, &mut always());
            let found = found.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(found.points(), stored.len() as u64);
            let points: Vec<Point> = found.into_points().unwrap().map(Result::unwrap).collect();
            for (point, stored) in points.iter().zip(stored).filter(|_| !lossy) {
                assert_same(point, stored, &format!("{dir}/{name}"));
            }
            read += 1;
        }
    }
    assert!(read > 20, "{read} collections");
}

#[test]
fn nothing_is_written_beside_the_files() {
    let source = path("qdrant_local/store/collection/named_two");
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("collection/odd name?#%");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(source.join("storage.sqlite"), folder.join("storage.sqlite")).unwrap();
    let meta: Json =
        serde_json::from_slice(&fs::read(path("qdrant_local/store/meta.json")).unwrap()).unwrap();
    let meta =
        serde_json::json!({"collections": {"odd name?#%": meta["collections"]["named_two"]}, "aliases": {}});
    fs::write(dir.path().join("meta.json"), meta.to_string()).unwrap();
    let store = LocalStore::open(dir.path()).unwrap();
    let read = store
        .collection("odd name?#%", ImportOptions::default(), &mut always())
        .unwrap();
    assert!(read.points() > 0);
    let names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["storage.sqlite"]);
    fs::write(folder.join("storage.sqlite-wal"), "pages").unwrap();
    let error = store
        .collection("odd name?#%", ImportOptions::default(), &mut always())
        .unwrap_err();
    assert!(error.to_string().contains("in the middle of a write"), "{error}");
}

#[test]
fn damaged_files_and_foreign_names_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("collection/one");
    fs::create_dir_all(&folder).unwrap();
    let meta = serde_json::json!({
        "collections": {"one": {"vectors": {"size": 2, "distance": "Cosine"}}, "../one": {"vectors": {}}, "gone": {"vectors": {}}},
    });
    fs::write(dir.path().join("meta.json"), meta.to_string()).unwrap();
    let store = LocalStore::open(dir.path()).unwrap();
    let read = |name: &str| {
        store
            .collection(name, ImportOptions::default(), &mut always())
            .unwrap_err()
            .to_string()
    };
    assert!(
        read("../one").contains("no name of a folder"),
        "{}",
        read("../one")
    );
    assert!(read("gone").contains("cannot be read"), "{}", read("gone"));
    assert!(read("other").contains("no configuration"), "{}", read("other"));
    let sound = fs::read(path("qdrant_local/store/collection/named_two/storage.sqlite")).unwrap();
    for bytes in [&b"no database"[..], &sound[..sound.len() / 2], &sound] {
        // The sound file has vectors that this collection has not.
        fs::write(folder.join("storage.sqlite"), bytes).unwrap();
        let error = read("one");
        assert!(error.contains("storage.sqlite"), "{error}");
    }
    fs::write(dir.path().join("meta.json"), "{\"collections\": []}").unwrap();
    assert!(LocalStore::open(dir.path()).is_err());
}

#[test]
fn a_file_that_is_written_to_meanwhile_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("collection/named_two");
    fs::create_dir_all(&folder).unwrap();
    for file in ["meta.json", "collection/named_two/storage.sqlite"] {
        fs::copy(path("qdrant_local/store").join(file), dir.path().join(file)).unwrap();
    }
    let read = LocalStore::open(dir.path())
        .unwrap()
        .collection("named_two", ImportOptions::default(), &mut always())
        .unwrap();
    let file = File::options()
        .append(true)
        .open(folder.join("storage.sqlite"))
        .unwrap();
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9))
        .unwrap();
    let last = read.into_points().unwrap().last().unwrap();
    let told = last.unwrap_err().to_string();
    assert!(told.contains("written to while it was read"), "{told}");
}
