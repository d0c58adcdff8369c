//! What `vdb import` and `vdb export` keep besides points, and what else they read: directories of rows, pipes, lines of others.

use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

use serde_json::json;
use vdb::{
    CollectionConfig, Database, Distance, PayloadIndexKind, PayloadIndexParams, Point, StrictMode,
    VectorParams,
};

#[cfg(unix)]
use crate::exporting::bytes;
use crate::harness::{Place, npy};

/// A collection that holds its requests to next to nothing, with indexes: `c` in `db`.
fn strict(dir: &Path) -> (CollectionConfig, Vec<(String, PayloadIndexParams)>) {
    let db = Database::builder().background(false).open(dir).unwrap();
    let params = VectorParams::new(2, Distance::Dot);
    let collection = db.create_collection("c", CollectionConfig::new(params)).unwrap();
    let points = (0..7u64).map(|id| {
        let point = Point::new(id, [id as f32, 1.0]);
        point
            .payload(json!({"k": "a", "t": "some words", "n": id}))
            .unwrap()
    });
    collection.upsert(points.collect()).unwrap();
    let texts =
        json!({"type": "text", "tokenizer": "whitespace", "lowercase": false, "phrase_matching": true});
    for (path, params) in [
        ("k", PayloadIndexParams::from(PayloadIndexKind::Keyword)),
        ("t", PayloadIndexParams::from_json(&texts).unwrap()),
    ] {
        collection.create_payload_index(path, params).unwrap();
    }
    let strict = StrictMode {
        enabled: Some(true),
        max_query_limit: Some(3),
        upsert_max_batchsize: Some(2),
        write_rate_limit: Some(5),
        ..StrictMode::default()
    };
    let update = vdb::CollectionUpdate::new().strict_mode(strict);
    collection.update_config(&update).unwrap();
    let said = (collection.config(), collection.payload_indexes());
    drop(collection);
    db.close().unwrap();
    said
}

#[test]
fn strict_mode_and_indexes_go_along_and_hold_nobody_up() {
    let place = Place::new();
    let (config, indexes) = strict(&place.path("db"));
    for format in ["jsonl", "backup"] {
        let to = format!("c.{format}");
        let answer = place.json(&["export", "db", "c", &to, "--format", format]);
        assert_eq!(answer["files"][0]["points"], 7, "{format}");
    }
    place.vdb(&["import", "c.backup", "db2"]).succeeded();
    let imported = || {
        let db = Database::builder()
            .background(false)
            .open_read_only(place.path("db2"))
            .unwrap();
        let collection = db.collection("c").unwrap();
        (collection.config(), collection.payload_indexes())
    };
    assert_eq!(imported(), (config.clone(), indexes.clone()));
    assert_eq!(place.json(&["count", "db2", "c"]), json!({"count": 7}));
    // Going on with it is not held to the limits either, and leaves them as they are.
    place.vdb(&["import", "c.backup", "db2", "--resume"]).succeeded();
    assert_eq!(imported(), (config, indexes));
}

#[test]
fn limits_that_a_collection_has_stay_when_an_import_goes_on() {
    let place = Place::new();
    strict(&place.path("db"));
    place
        .vdb(&["export", "db", "c", "c.backup", "--format", "backup"])
        .succeeded();
    place.vdb(&["import", "c.backup", "db2"]).succeeded();
    let db = Database::builder()
        .background(false)
        .open(place.path("db2"))
        .unwrap();
    let collection = db.collection("c").unwrap();
    let wider = StrictMode {
        max_query_limit: Some(9),
        ..StrictMode::default()
    };
    let update = vdb::CollectionUpdate::new().strict_mode(wider);
    collection.update_config(&update).unwrap();
    let set = collection.config();
    drop(collection);
    db.close().unwrap();
    place.vdb(&["import", "c.backup", "db2", "--resume"]).succeeded();
    let db = Database::builder()
        .background(false)
        .open_read_only(place.path("db2"))
        .unwrap();
    assert_eq!(db.collection("c").unwrap().config(), set);
}

#[cfg(unix)]
#[test]
fn limits_are_there_however_an_import_ends() {
    let place = Place::new();
    let rows = 20_000u64;
    let builder = || Database::builder().background(false);
    let db = builder().open(place.path("db")).unwrap();
    let params = VectorParams::new(48, Distance::Dot);
    let collection = db.create_collection("c", CollectionConfig::new(params)).unwrap();
    let points: Vec<Point> = (0..rows).map(|id| Point::new(id, vec![id as f32; 48])).collect();
    for points in points.chunks(5_000) {
        collection.upsert(points.to_vec()).unwrap();
    }
    let limits = StrictMode {
        enabled: Some(true),
        upsert_max_batchsize: Some(2),
        ..StrictMode::default()
    };
    let update = vdb::CollectionUpdate::new().strict_mode(limits.clone());
    collection.update_config(&update).unwrap();
    drop(collection);
    db.close().unwrap();
    place
        .vdb(&["export", "db", "c", "c.backup", "--format", "backup"])
        .succeeded();
    // Rows are added to one that has limits.
    let lines: String = (0..20)
        .map(|id| format!("{{\"id\": {id}, \"vector\": {:?}}}\n", vec![0.5; 48]))
        .collect();
    place.file("more.jsonl", lines);
    let more = ["import", "more.jsonl", "db", "--collection", "c", "--no-index"];
    assert_eq!(place.json(&more)["rows"], 20);
    // Killed while it writes into a new collection, and into one that is there.
    for options in [&[][..], &["--resume"]] {
        let before = bytes(place.path("db2"));
        let import = [&["import", "c.backup", "db2", "--no-index"][..], options].concat();
        let mut child = place.command(&import).spawn().unwrap();
        while bytes(place.path("db2")) < before + 3 * 1000 * 48 * 4 && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let db = builder().open_read_only(place.path("db2")).unwrap();
        let collection = db.collection("c").unwrap();
        assert!(collection.count(None).unwrap() > 0);
        assert_eq!(
            collection.config().strict_mode,
            Some(limits.clone()),
            "{options:?}"
        );
    }
    place
        .vdb(&["import", "c.backup", "db2", "--no-index", "--resume"])
        .succeeded();
    assert_eq!(place.json(&["count", "db2", "c"]), json!({"count": rows}));
}

#[test]
fn reads_of_a_minute_are_waited_for() {
    let place = Place::new();
    let db = Database::builder()
        .background(false)
        .open(place.path("db"))
        .unwrap();
    let collection = db
        .create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))
        .unwrap();
    let points = (0..305u64).map(|id| Point::new(id, [1.0]));
    collection.upsert(points.collect()).unwrap();
    // Five reads a second, once the first 300 are used up.
    let strict = StrictMode {
        enabled: Some(true),
        max_query_limit: Some(1),
        read_rate_limit: Some(300),
        ..StrictMode::default()
    };
    let update = vdb::CollectionUpdate::new().strict_mode(strict);
    collection.update_config(&update).unwrap();
    drop(collection);
    db.close().unwrap();
    let answer = place.json(&["export", "db", "c", "c.jsonl", "--format", "jsonl"]);
    assert_eq!(answer["files"][0]["points"], 305);
}

#[test]
fn lines_of_other_programs_are_read_once_their_keys_are_named() {
    let place = Place::new();
    let lines = concat!(
        "{\"_id\": 7, \"values\": [1, 2], \"metadata\": {\"a\": [1, null]}, \"text\": \"\u{e9}\"}\n",
        "{\"_id\": 8, \"values\": [3, 4], \"metadata\": {}}\n",
    );
    let file = place.file("others.jsonl", lines);
    let message = place.vdb(&["import", &file, "db"]).failed_with(1);
    assert!(
        message.contains("others.jsonl:1: _id") && message.contains("--vector-column"),
        "{message}"
    );
    let import = [
        "import",
        &file,
        "db",
        "--id-column",
        "_id",
        "--vector-column",
        "values",
        "--distance",
        "dot",
    ];
    let dry = place.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!(dry["collections"][0]["with_vectors"], 2);
    // What is left out has to be there, and not be what is asked for.
    for (key, part) in [("txt", "no column \"txt\""), ("values", "--leave-out")] {
        let message = place
            .vdb(&[&import[..], &["--leave-out", key]].concat())
            .failed_with(1);
        assert!(message.contains(part), "{message}");
    }
    place.vdb(&import).succeeded();
    let found = place.json(&["get", "db", "others", "7", "--with-vectors"]);
    let point = &found["points"][0];
    assert_eq!(point["vector"], json!([1.0, 2.0]));
    assert_eq!(
        point["payload"],
        json!({"metadata": {"a": [1, null]}, "text": "\u{e9}"})
    );
}

#[test]
fn a_directory_of_rows_is_one_collection() {
    let place = Place::new();
    let dir = place.path("rows");
    fs::create_dir(&dir).unwrap();
    for (name, first) in [("b.jsonl", 3), ("a.jsonl", 1)] {
        let line = |id: u32| format!("{{\"id\": {id}, \"vector\": [{id}, 1]}}\n");
        fs::write(dir.join(name), line(first) + &line(first + 1)).unwrap();
    }
    fs::write(dir.join("_SUCCESS"), "").unwrap();
    fs::write(dir.join(".a.jsonl.crc"), "x").unwrap();
    let dry = place.json(&["import", "rows", "db", "--dry-run"]);
    assert_eq!(dry["collections"][0]["points"], 4);
    place
        .vdb(&["import", "rows", "db", "--require-vectors"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "rows"]), json!({"count": 4}));
    // Of several formats none is meant.
    fs::write(dir.join("c.npy"), npy(&[&[1.0, 2.0]])).unwrap();
    let message = place.vdb(&["import", "rows", "db2"]).failed_with(1);
    assert!(message.contains("3 files of several formats"), "{message}");
    let empty = place.path("empty");
    fs::create_dir(&empty).unwrap();
    assert!(
        place
            .vdb(&["import", "empty", "db2"])
            .failed_with(1)
            .contains("nothing to import")
    );
    assert!(!place.path("db2").exists());
}

#[test]
fn files_of_a_directory_are_of_the_format_that_is_asked_for() {
    let place = Place::new();
    let dir = place.path("rows");
    fs::create_dir(&dir).unwrap();
    for (name, id) in [("part-0.txt", 1), ("part-1", 2), ("part-2.csv", 3)] {
        fs::write(
            dir.join(name),
            format!("{{\"id\": {id}, \"vector\": [{id}, 1]}}\n"),
        )
        .unwrap();
    }
    fs::write(dir.join("_SUCCESS"), "").unwrap();
    place
        .vdb(&["import", "rows", "db", "--format", "jsonl"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "rows"]), json!({"count": 3}));
}

#[test]
fn two_backups_of_one_name_are_not_poured_together() {
    let place = Place::four_points();
    place
        .vdb(&["export", "db", "points", "a.backup", "--format", "backup"])
        .succeeded();
    let dir = place.path("all");
    fs::create_dir(&dir).unwrap();
    for name in ["a.backup", "a.BACKUP"] {
        fs::copy(place.path("a.backup"), dir.join(name)).unwrap();
    }
    let message = place.vdb(&["import", "all", "db2", "--all"]).failed_with(1);
    assert!(message.contains("collection \"a\""), "{message}");
}

#[test]
fn standard_input_has_rows_and_needs_a_name() {
    let place = Place::new();
    let rows = b"{\"id\": 1, \"vector\": [1, 2]}\n";
    let message = place.vdb_with_stdin(&["import", "-", "db"], rows).failed_with(2);
    assert!(message.contains("--collection"), "{message}");
    place
        .vdb_with_stdin(&["import", "-", "db", "--collection", "c"], rows)
        .succeeded();
    assert_eq!(place.json(&["count", "db", "c"]), json!({"count": 1}));
}

#[cfg(unix)]
#[test]
fn what_is_read_more_than_once_or_named_at_the_end_is_no_pipe() {
    let place = Place::four_points();
    let pipe = place.path("p.backup");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let message = place.vdb(&["import", "p.backup", "db2"]).failed_with(1);
    assert!(message.contains("save it in one first"), "{message}");
    // A pipe, a link and a device are left as they are, whatever the user.
    std::os::unix::fs::symlink(place.path("elsewhere"), place.path("link")).unwrap();
    for to in ["p.backup", "link", "/dev/null"] {
        let export = ["export", "db", "points", to, "--format", "backup", "--force"];
        let message = place.vdb(&export).failed_with(1);
        assert!(message.contains("vdb scroll"), "{to}: {message}");
        assert!(!fs::symlink_metadata(place.path(to)).unwrap().is_file(), "{to}");
    }
    let message = place
        .vdb(&["export", "db", "points", "-", "--format", "jsonl"])
        .failed_with(2);
    assert!(message.contains("vdb scroll"), "{message}");
}

#[test]
fn a_pickle_of_another_wrapper_is_told_of() {
    let place = Place::new();
    let rows = place.file(
        "rows.jsonl",
        "{\"id\": 0, \"vector\": [1, 2], \"payload\": {\"a\": 1}}\n",
    );
    place
        .vdb(&["load", "db", "rows", &rows, "--distance", "dot"])
        .succeeded();
    place
        .vdb(&["export", "db", "rows", "store", "--format", "faiss"])
        .succeeded();
    fs::rename(place.path("store/metadata.pkl"), place.path("store/vectors.pkl")).unwrap();
    let answer = place.json(&["import", "store", "db2"]);
    let told = answer["collections"][0]["warnings"].to_string();
    assert!(told.contains("vectors.pkl"), "{told}");
}
