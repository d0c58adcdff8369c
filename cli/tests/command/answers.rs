//! What commands say: advice in errors, values from files, text of others.

use crate::harness::{COMMANDS, Place, ids, npy};
use serde_json::{Value, json};

#[test]
fn help_is_a_command_too() {
    let place = Place::new();
    assert!(place.vdb(&["help"]).succeeded().stdout.contains("Exit codes"));
    assert!(
        place
            .vdb(&["help", "query"])
            .succeeded()
            .stdout
            .contains("values_count")
    );
}

#[test]
fn every_command_describes_its_json() {
    let place = Place::new();
    for command in COMMANDS {
        let help = place.vdb(&[command, "--help"]).succeeded().stdout;
        assert!(
            help.contains("with --json") || help.contains("With --json"),
            "{command}"
        );
    }
    for command in [&["completions", "bash", "--json"][..], &["man", "--json"]] {
        assert!(place.vdb(command).failed_with(2).contains("--json"));
    }
}

#[test]
fn long_values_come_from_files_and_are_cut_in_errors() {
    let place = Place::four_points();
    place.file("vector.json", "[1, 0.1]");
    place.file("filter.json", r#"{"must": [{"key": "n", "range": {"gte": 2}}]}"#);
    let query = [
        "query",
        "db",
        "points",
        "--vector",
        "@vector.json",
        "--filter",
        "@filter.json",
    ];
    assert_eq!(ids(&place.json(&query)), ["3", "2"]);
    let piped = place
        .vdb_with_stdin(&["query", "db", "points", "--vector", "-", "--json"], b"[1, 0.1]")
        .succeeded();
    let answer: Value = serde_json::from_str(&piped.stdout).unwrap();
    assert_eq!(ids(&answer)[0], "1");

    let long = format!("[{} x]", "1,".repeat(5000));
    let message = place
        .vdb(&["query", "db", "points", "--vector", &long])
        .failed_with(2);
    assert!(
        message.len() < 400 && message.contains("--vector") && message.contains("JSON array"),
        "{message}"
    );
    let message = place
        .vdb(&["count", "db", "points", "--filter", "@absent.json"])
        .failed_with(2);
    assert!(message.contains("absent.json: cannot be read"), "{message}");
}

#[test]
fn a_file_of_vectors_may_be_piped_and_of_any_name() {
    let place = Place::four_points();
    let vectors = npy(&[&[1.0, 0.0]]);
    let query = [
        "query",
        "db",
        "points",
        "--vectors",
        "-",
        "--format",
        "npy",
        "--limit",
        "1",
        "--json",
    ];
    let ended = place.vdb_with_stdin(&query, &vectors).succeeded();
    assert!(ended.stdout.contains("\"id\":1"), "{}", ended.stdout);
    let message = place
        .vdb(&["query", "db", "points", "--vectors", "absent.npy"])
        .failed_with(1);
    assert!(message.contains("--vectors: absent.npy"), "{message}");
}

#[test]
fn floats_and_null_are_matched() {
    let place = Place::new();
    let rows = br#"{"id": 1, "vector": [1, 0], "payload": {"s": 1.5, "n": null}}
{"id": 2, "vector": [1, 1], "payload": {"s": 2.0, "n": 1}}"#;
    place.vdb_with_stdin(&["load", "db", "c", "-"], rows).succeeded();
    for (value, other) in [("s=1.5", "2"), ("s=2", "1"), ("n=null", "2")] {
        assert_eq!(ids(&place.json(&["query", "db", "c", "--match", value])), [other]);
    }
}

#[test]
fn an_index_of_another_kind_is_replaced_on_request_only() {
    let place = Place::four_points();
    let answer = place.json(&["index", "db", "points", "n", "--kind", "integer"]);
    assert_eq!((&answer["held"], &answer["points"]), (&json!(3), &json!(4)));
    let message = place.vdb(&["index", "db", "points", "n"]).failed_with(1);
    assert!(
        message.contains("integer") && message.contains("--replace"),
        "{message}"
    );
    let text = place
        .vdb(&["index", "db", "points", "n", "--replace"])
        .succeeded()
        .stdout;
    assert!(text.contains("0 of 4 points have text there"), "{text}");
    for (field, kind, held) in [
        ("warm", "bool", 2),
        ("name", "datetime", 0),
        ("name", "keyword", 4),
    ] {
        let answer = place.json(&["index", "db", "points", field, "--kind", kind, "--replace"]);
        assert_eq!(answer["held"], json!(held), "{field}");
    }
}

#[test]
fn aliases_are_told_from_collections() {
    let place = Place::four_points();
    place
        .vdb_with_stdin(&["load", "db", "other", "-"], b"{\"vector\": [1]}")
        .succeeded();
    place
        .vdb(&["collections", "alias", "db", "now", "points"])
        .succeeded();
    let moved = place
        .vdb(&["collections", "alias", "db", "now", "other"])
        .succeeded();
    assert!(moved.stdout.contains("no longer for points"), "{}", moved.stdout);
    let message = place.vdb(&["collections", "drop", "db", "now"]).failed_with(1);
    assert!(message.contains("alias of other"), "{message}");

    place
        .vdb(&["snapshot", "db", "copy", "--collection", "points"])
        .succeeded();
    let message = place
        .vdb(&["restore", "db", "copy", "--name", "now", "--replace"])
        .failed_with(1);
    assert!(message.contains("alias of other"), "{message}");
    let message = place.vdb(&["restore", "db", "db"]).failed_with(1);
    assert!(message.contains("a database, not a snapshot"), "{message}");
}

#[test]
fn a_snapshot_goes_where_it_can() {
    let place = Place::four_points();
    let message = place.vdb(&["snapshot", "db", "-"]).failed_with(2);
    assert!(message.contains("standard output"), "{message}");
    assert!(!place.path("-").exists());
    let message = place.vdb(&["snapshot", "db", "no/such/copy"]).failed_with(1);
    assert!(message.contains("there is no directory no/such"), "{message}");
}

#[test]
fn a_damaged_collection_is_told_below_the_table() {
    let place = Place::four_points();
    place
        .vdb_with_stdin(&["load", "db", "sound", "-"], b"{\"vector\": [1]}")
        .succeeded();
    let collections = std::fs::read_dir(place.path("db/collections")).unwrap();
    let mut dirs: Vec<_> = collections.map(|entry| entry.unwrap().path()).collect();
    dirs.sort();
    for entry in std::fs::read_dir(&dirs[0]).unwrap() {
        let file = entry.unwrap().path();
        if file
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("manifest")
        {
            std::fs::write(file, "not a manifest").unwrap();
        }
    }
    for command in [&["info", "db"][..], &["collections", "list", "db"]] {
        let text = place.vdb(command).succeeded().stdout;
        let row = text.lines().find(|line| line.starts_with(" points")).unwrap();
        assert!(row.contains("damaged"), "{text}");
        assert!(
            text.contains("\n- points: ") && text.contains("vdb verify"),
            "{text}"
        );
    }
    let message = place.vdb(&["snapshot", "db", "copy"]).failed_with(1);
    assert!(message.contains("--collection"), "{message}");
}

#[test]
fn text_of_others_moves_no_cursor() {
    let place = Place::new();
    let row = "{\"id\": 1, \"vector\": [1], \"payload\": {\"k\\u001b[31m\": \"v\\u202e\\u001b]0;t\\u0007\"}}";
    place
        .vdb_with_stdin(&["load", "db", "a\u{1b}[2Jb\u{202e}", "-"], row.as_bytes())
        .succeeded();
    let commands: [&[&str]; 5] = [
        &["info", "db"],
        &["collections", "list", "db"],
        &["info", "db", "a\u{1b}[2Jb\u{202e}"],
        &["scroll", "db", "a\u{1b}[2Jb\u{202e}"],
        &["count", "db", "\u{1b}[2J"],
    ];
    for command in commands {
        let ended = place.vdb(command);
        let text = ended.stdout + &ended.stderr;
        assert!(
            !text.contains(['\u{1b}', '\u{202e}', '\u{7}']),
            "{command:?}: {text:?}"
        );
    }
}

#[test]
fn what_waits_for_an_index_says_so() {
    let place = Place::new();
    let rows: String = (0..12_000)
        .map(|id| format!("{{\"id\": {id}, \"vector\": [1, {id}]}}\n"))
        .collect();
    let file = place.file("rows.jsonl", rows);
    place.vdb(&["load", "db", "c", &file, "--no-index"]).succeeded();
    // A snapshot makes segments of all rows, and no graph.
    place.vdb(&["snapshot", "db", "copy"]).succeeded();
    let text = place.vdb(&["info", "db"]).succeeded().stdout;
    assert!(text.contains("needs `vdb index`"), "{text}");
    place.vdb(&["index", "db", "c"]).succeeded();
    assert!(place.vdb(&["info", "db"]).succeeded().stdout.contains("ready"));
    let text = place.vdb(&["info", "db", "c"]).succeeded().stdout;
    assert!(text.contains("graph m 16, ef_construct 200"), "{text}");
}
