//! Databases, collections, indexes, the command line itself.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::harness::{COMMANDS, Place, is_untouched};
use serde_json::json;

#[test]
fn databases_and_collections_are_created_once() {
    let place = Place::new();
    place.vdb(&["create", "db"]).succeeded();
    assert!(place.vdb(&["create", "db"]).failed_with(1).contains("already"));
    assert_eq!(
        place.json(&["collections", "list", "db"]),
        json!({"collections": []})
    );
    place
        .vdb(&[
            "create",
            "db",
            "c",
            "--dim",
            "3",
            "--distance",
            "manhattan",
            "--m",
            "8",
        ])
        .succeeded();
    let info = place.json(&["info", "db", "c"]);
    assert_eq!(info["vectors"][0]["size"], json!(3));
    assert_eq!(info["vectors"][0]["distance"], json!("manhattan"));
    assert_eq!(info["vectors"][0]["hnsw"]["m"], json!(8));
    assert!(
        place
            .vdb(&["create", "db", "c", "--dim", "3"])
            .failed_with(1)
            .contains("taken")
    );
    let long = "x".repeat(300);
    assert!(
        place
            .vdb(&["create", "db", &long, "--dim", "3"])
            .failed_with(1)
            .contains("name")
    );
    place.vdb(&["create", "db", "c2", "--dim", "0"]).failed_with(2);
}

#[test]
fn commands_that_read_create_no_database() {
    let place = Place::new();
    let commands: [&[&str]; 12] = [
        &["query", "db", "c", "--id", "1"],
        &["get", "db", "c", "1"],
        &["scroll", "db", "c"],
        &["count", "db", "c"],
        &["delete", "db", "c", "1"],
        &["info", "db"],
        &["collections", "list", "db"],
        &["collections", "drop", "db", "c"],
        &["index", "db", "c"],
        &["compact", "db", "c"],
        &["verify", "db"],
        &["snapshot", "db", "copy"],
    ];
    for command in commands {
        let message = place.vdb(command).failed_with(1);
        assert!(
            message.contains("there is no database here"),
            "{command:?}: {message}"
        );
        assert!(is_untouched(&place.path("db")), "{command:?}");
    }
}

#[test]
fn a_directory_of_something_else_is_left_alone() {
    let place = Place::new();
    std::fs::create_dir(place.path("photos")).unwrap();
    place.file("photos/holiday.jpg", "x");
    for command in [
        &["count", "photos", "c"][..],
        &["create", "photos", "c", "--dim", "2"],
    ] {
        let message = place.vdb(command).failed_with(1);
        assert!(message.contains("not a vdb database"), "{message}");
    }
    assert!(
        place
            .vdb(&["demo", "--db", "photos", "--fresh"])
            .failed_with(1)
            .contains("not a vdb database")
    );
    assert_eq!(std::fs::read_dir(place.path("photos")).unwrap().count(), 1);
}

#[test]
fn a_database_in_use_is_refused_with_the_holder() {
    let place = Place::four_points();
    // A load that waits for its input has the database open once it has seen the first row.
    let mut load = place
        .command(&["load", "db", "points", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = load.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"{\"id\": 9, \"vector\": [1, 0]}\n").unwrap();
    let refused = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let ended = place.vdb(&["delete", "db", "points", "77"]);
        (ended.code != 0).then(|| ended.failed_with(1))
    });
    drop(input);
    assert!(load.wait_with_output().unwrap().status.success());
    let message = refused.unwrap();
    assert!(message.contains("already open by process"), "{message}");
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 5}));
}

#[test]
fn unknown_collections_are_answered_with_the_known_ones() {
    let place = Place::four_points();
    let message = place.vdb(&["count", "db", "pionts"]).failed_with(1);
    assert!(
        message.contains("pionts") && message.contains("there is points"),
        "{message}"
    );
}

#[test]
fn collections_are_renamed_aliased_and_dropped() {
    let place = Place::four_points();
    place
        .vdb(&["collections", "alias", "db", "now", "points"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "now"]), json!({"count": 4}));
    place
        .vdb(&["collections", "rename", "db", "points", "places"])
        .succeeded();
    let list = place.json(&["collections", "list", "db"]);
    assert_eq!(
        list,
        json!({"collections": [{"name": "places", "points": 4, "aliases": ["now"]}]})
    );
    place.vdb(&["collections", "unalias", "db", "now"]).succeeded();
    place.vdb(&["collections", "unalias", "db", "now"]).failed_with(1);
    place.vdb(&["count", "db", "now"]).failed_with(1);
    place.vdb(&["collections", "drop", "db", "places"]).succeeded();
    assert!(
        place
            .vdb(&["collections", "drop", "db", "places"])
            .failed_with(1)
            .contains("places")
    );
}

#[test]
fn payload_fields_are_indexed_and_dropped() {
    let place = Place::four_points();
    assert_eq!(
        place.json(&["index", "db", "points", "n", "--kind", "integer"])["kind"],
        json!("integer")
    );
    place.vdb(&["index", "db", "points", "name"]).succeeded();
    let indexes = place.json(&["info", "db", "points"])["payload_indexes"].clone();
    assert_eq!(
        indexes,
        json!([
            {"field": "n", "kind": "integer", "params": "integer"},
            {"field": "name", "kind": "keyword", "params": "keyword"},
        ])
    );
    let filter = r#"{"must": [{"key": "n", "range": {"gte": 2}}]}"#;
    assert_eq!(
        place.json(&["count", "db", "points", "--filter", filter]),
        json!({"count": 2})
    );
    place.vdb(&["index", "db", "points", "n", "--drop"]).succeeded();
    assert!(
        place
            .vdb(&["index", "db", "points", "n", "--drop"])
            .failed_with(1)
            .contains("name")
    );
}

#[test]
fn compaction_drops_deleted_rows() {
    let place = Place::four_points();
    place.vdb(&["delete", "db", "points", "1", "2"]).succeeded();
    let answer = place.json(&["compact", "db", "points"]);
    assert_eq!(answer["after"]["dead_rows"], json!(0));
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 2}));
    place.vdb(&["index", "db", "points"]).succeeded();
}

#[test]
fn snapshots_come_back_under_their_names_and_others() {
    let place = Place::four_points();
    for to in ["copy", "copy.tar"] {
        let answer = place.json(&["snapshot", "db", to]);
        assert_eq!(answer["collections"][0]["points"], json!(4));
        place.vdb(&["snapshot", "db", to]).failed_with(1);
        assert!(
            place
                .vdb(&["restore", "db", to])
                .failed_with(1)
                .contains("--replace")
        );
        let new = format!("new-{to}");
        let restored = place.json(&["restore", &new, to]);
        assert_eq!(
            restored,
            json!({"collections": [{"name": "points", "points": 4}]})
        );
        let query = ["points", "--match", "name=east"];
        let ask = |db: &str| place.json(&[&["query", db][..], &query].concat());
        assert_eq!(ask(&new), ask("db"));
    }
    assert!(place.path("copy.tar").is_file() && place.path("copy").is_dir());

    place
        .vdb(&["snapshot", "db", "one.tar", "--collection", "points"])
        .succeeded();
    place.vdb(&["delete", "db", "points", "1"]).succeeded();
    place
        .vdb(&["restore", "db", "one.tar", "--name", "old"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "old"]), json!({"count": 4}));
    place
        .vdb(&["restore", "db", "one.tar", "--name", "points", "--replace"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 4}));
}

#[test]
fn what_is_no_snapshot_leaves_no_database_behind() {
    let place = Place::new();
    let file = place.file("rows.tar", "no tar");
    for from in [file.as_str(), "missing"] {
        let message = place.vdb(&["restore", "db", from]).failed_with(1);
        assert!(message.contains(from), "{message}");
        assert!(is_untouched(&place.path("db")));
    }
}

#[test]
fn verification_tells_sound_from_damaged() {
    let place = Place::four_points();
    let sound = place.json(&["verify", "db"]);
    assert_eq!((&sound["sound"], &sound["problems"]), (&json!(true), &json!([])));
    assert!(
        place
            .vdb(&["verify", "db"])
            .succeeded()
            .stdout
            .ends_with("sound\n")
    );

    let largest = largest_file(&place.path("db/collections")).unwrap().1;
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    std::fs::write(&largest, bytes).unwrap();
    let ended = place.vdb(&["verify", "db", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["sound"], json!(false), "{report}");
    assert_ne!(report["problems"], json!([]));
    ended.failed_with(1);
    place.vdb(&["verify", "rows.jsonl"]).failed_with(1);
}

/// The largest file below a directory, with its length.
fn largest_file(dir: &Path) -> Option<(u64, PathBuf)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter_map(|path| {
        if path.is_dir() {
            largest_file(&path)
        } else {
            Some((path.metadata().unwrap().len(), path))
        }
    });
    files.max()
}

#[test]
fn mistakes_on_the_command_line_end_with_code_2() {
    let place = Place::four_points();
    let mistakes: [(&[&str], &str); 16] = [
        (
            &["query", "db", "points", "--vector", "[1, 2]", "--limit", "0"],
            "limit",
        ),
        (&["query", "db", "points", "--id", "1", "--ef", "-3"], "from 1 to"),
        (
            &["query", "db", "points", "--id", "1", "--threshold", "inf"],
            "finite",
        ),
        (&["scroll", "db", "points", "--limit", "-1"], "from 1 to"),
        (
            &["bench", "search", "--data", "x.npy", "--threads", "2000"],
            "cores",
        ),
        (&["qery"], "query"),
        (&["query", "db", "points"], "--vector"),
        (&["query", "db", "points", "--id", "1", "--vector", "[1]"], "--id"),
        (&["query", "db", "points", "--vector", "1,2"], "JSON array"),
        (&["query", "db", "points", "--id", "x"], "UUID"),
        (&["query", "db", "points", "--match", "owl"], "KEY=VALUE"),
        (&["count", "db", "points", "--filter", "{"], "JSON"),
        (
            &["count", "db", "points", "--filter", r#"{"must": [{"key": 3}]}"#],
            "must[0]",
        ),
        (
            &["load", "db", "points", "rows.jsonl", "--distance", "cosin"],
            "cosine",
        ),
        (&["load", "db", "points", "rows.jsonl", "--batch", "0"], "batch"),
        (&["delete", "db", "points"], "--filter"),
    ];
    for (arguments, hint) in mistakes {
        let message = place.vdb(arguments).failed_with(2);
        assert!(message.contains(hint), "{arguments:?}: {message}");
    }
}

#[test]
fn what_the_engine_refuses_ends_with_code_1() {
    let place = Place::four_points();
    let refused: [(&[&str], &str); 5] = [
        (
            &["query", "db", "points", "--vector", "[1, 2, 3]"],
            "must have 2 numbers, got 3; give as many as that",
        ),
        (
            &["query", "db", "points", "--vector", "[1, 2]", "--using", "image"],
            "image",
        ),
        (&["query", "db", "points", "--id", "50"], "no point with id 50"),
        (&["query", "db", "points", "--match", "name=south"], "south"),
        (&["index", "db", "points", "a..b"], "a..b"),
    ];
    for (arguments, hint) in refused {
        let message = place.vdb(arguments).failed_with(1);
        assert!(message.contains(hint), "{arguments:?}: {message}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let rows: String = (0..20_000)
        .map(|id| format!("{{\"id\": {id}, \"vector\": [1, {id}]}}\n"))
        .collect();
    place
        .vdb_with_stdin(&["load", "db", "c", "-", "--no-index"], rows.as_bytes())
        .succeeded();
    let mut scroll = place
        .command(&["scroll", "db", "c", "--all", "--json"])
        .spawn()
        .unwrap();
    let mut start = [0; 64];
    scroll.stdout.take().unwrap().read_exact(&mut start).unwrap();
    let output = scroll.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn every_command_explains_itself_with_examples() {
    let place = Place::new();
    for command in COMMANDS.into_iter().chain(["bench", "completions", "man"]) {
        let help = place.vdb(&[command, "--help"]).succeeded().stdout;
        assert!(
            help.contains("Example") && help.contains(&format!("vdb {command}")),
            "{command}: {help}"
        );
    }
    assert!(place.vdb(&["--help"]).succeeded().stdout.contains("Exit codes"));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            place
                .vdb(&["completions", shell])
                .succeeded()
                .stdout
                .contains("collections")
        );
    }
    assert!(place.vdb(&["man"]).succeeded().stdout.contains(".TH vdb"));
    place.vdb(&["man", "--dir", "pages"]).succeeded();
    assert!(place.path("pages/vdb-query.1").is_file());
}
