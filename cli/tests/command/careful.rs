//! What could destroy something, or leave something behind, and does not.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use crate::harness::{Place, ids, is_untouched, npy};
use serde_json::json;

#[test]
fn rows_that_are_numbered_take_no_places_unasked() {
    let place = Place::four_points();
    let csv = place.file("rows.csv", "key,v0,v1\n7,1,0\n8,0,1\n");
    let vectors = place.file("v.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0]]));
    for file in [&csv, &vectors] {
        let message = place.vdb(&["load", "db", "points", file]).failed_with(1);
        assert!(
            message.contains("4 points") && message.contains("--start-id"),
            "{message}"
        );
    }
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 4}));
    place
        .vdb(&["load", "db", "points", &vectors, "--start-id", "0"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 5}));

    let message = place
        .vdb(&["load", "db", "points", &csv, "--id-column", "doc_id"])
        .failed_with(1);
    assert!(message.contains("\"key\", \"v0\", \"v1\""), "{message}");
    let message = place
        .vdb(&["load", "db", "points", "rows.fvecs", "--id-column", "key"])
        .failed_with(2);
    assert!(message.contains("--id-column is for CSV"), "{message}");
    place
        .vdb(&["load", "db", "points", &csv, "--id-column", "key"])
        .succeeded();
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 7}));

    // A file with ids after one without.
    let message = place
        .vdb(&["load", "db", "mixed", &vectors, "rows.jsonl"])
        .failed_with(1);
    assert!(
        message.contains("rows.jsonl:1") && message.contains("--start-id"),
        "{message}"
    );
}

#[test]
fn a_csv_file_read_wrongly_is_refused_as_a_whole() {
    let place = Place::four_points();
    let csv = place.file("rows.csv", "id;v0;v1\n7;1;0\n");
    let message = place.vdb(&["load", "db", "points", &csv]).failed_with(1);
    assert!(
        message.contains("no vector column") && message.contains("--delimiter"),
        "{message}"
    );
    let open = place.file("open.csv", "id,v0,v1,w\n7,1,0,\"oops\n8,1,0,x\n");
    let message = place.vdb(&["load", "db", "points", &open]).failed_with(1);
    assert!(
        message.contains(&format!("{open}:2")) && message.contains("quote opened on line 2"),
        "{message}"
    );
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 4}));

    let bare = place.file("bare.csv", "id\tname\n9\tup\n");
    let load = [
        "load",
        "db",
        "points",
        &bare,
        "--no-vectors",
        "--delimiter",
        r"\t",
    ];
    place.vdb(&load).succeeded();
    assert_eq!(
        place.json(&["get", "db", "points", "9"])["points"][0]["payload"],
        json!({"name": "up"})
    );
}

#[test]
fn numbers_that_bytes_cannot_hold_are_refused_unless_cut_on_request() {
    let place = Place::new();
    let file = place.file("v.npy", npy(&[&[1.0, 255.0], &[0.5, 1.0]]));
    let load = [
        "load",
        "db",
        "c",
        &file,
        "--element",
        "u8",
        "--distance",
        "euclid",
    ];
    let message = place.vdb(&load).failed_with(1);
    assert!(
        message.contains("row 1: vector[0]: 0.5") && message.contains("--cast"),
        "{message}"
    );
    let answer = place.json(&[&load[..], &["--cast"]].concat());
    assert_eq!(answer["rows"], json!(2));
    let whole = place.file("w.npy", npy(&[&[0.0, 255.0]]));
    let load = [
        "load",
        "db",
        "whole",
        &whole,
        "--element",
        "u8",
        "--distance",
        "euclid",
    ];
    place.vdb(&load).succeeded();
}

#[test]
fn what_fails_leaves_nothing_in_the_way_of_the_next_try() {
    let place = Place::new();
    let bad = place.file(
        "bad.jsonl",
        "{\"id\": 1, \"vector\": [1, 2]}\n{\"id\": 2, \"vector\": [1]}\n",
    );
    place.vdb(&["load", "db", "c", &bad]).failed_with(1);
    assert!(is_untouched(&place.path("db")));
    let good = place.file("good.jsonl", "{\"id\": 1, \"vector\": [1, 2]}\n");
    place.vdb(&["load", "db", "a/b", &good]).failed_with(1);
    assert!(is_untouched(&place.path("db")));
    place.vdb(&["create", "db", "a/b", "--dim", "2"]).failed_with(1);
    assert!(is_untouched(&place.path("db")));

    place.vdb(&["load", "db", "there", &good]).succeeded();
    place.vdb(&["load", "db", "c", &bad]).failed_with(1);
    let list = place.json(&["collections", "list", "db"]);
    assert_eq!(list["collections"].as_array().unwrap().len(), 1);

    place.vdb(&["snapshot", "db", "copy"]).succeeded();
    let restore = ["restore", "new", "copy", "--name", "absent"];
    place.vdb(&restore).failed_with(1);
    assert!(is_untouched(&place.path("new")));
}

#[test]
fn a_database_that_cannot_be_made_says_why() {
    let place = Place::new();
    let long = "x".repeat(300);
    let message = place.vdb(&["create", &long]).failed_with(1);
    assert!(!message.contains("there is no database here"), "{message}");
    place.file("file", "x");
    for command in [
        &["create", "file/db"][..],
        &["count", "file", "c"],
        &["create", "file"],
    ] {
        let message = place.vdb(command).failed_with(1);
        assert!(
            message.contains("file") && !message.contains("there is no database here"),
            "{message}"
        );
    }
}

#[test]
fn the_demo_replaces_nothing_but_itself() {
    let place = Place::four_points();
    let message = place.vdb(&["demo", "--db", "db", "--fresh"]).failed_with(1);
    assert!(
        message.contains("points") && message.contains("not made by the demo"),
        "{message}"
    );
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 4}));
}

#[test]
fn options_beside_named_vectors_are_their_defaults() {
    let place = Place::new();
    let create = ["create", "db", "c", "--vector", "a:4", "--vector", "b:4:dot"];
    place
        .vdb(&[&create[..], &["--distance", "euclid", "--element", "f16"]].concat())
        .succeeded();
    let vectors = place.json(&["info", "db", "c"])["vectors"].clone();
    let seen = |at: usize| (vectors[at]["distance"].clone(), vectors[at]["element"].clone());
    assert_eq!(seen(0), (json!("euclid"), json!("f16")));
    assert_eq!(seen(1), (json!("dot"), json!("f16")));
    assert!(
        place
            .vdb(&["create", "db", "d", "--vector", ":4"])
            .failed_with(2)
            .contains("--dim")
    );
}

#[test]
fn a_load_that_is_interrupted_keeps_what_it_wrote_and_says_so() {
    let place = Place::new();
    let mut load = place
        .command(&["load", "db", "c", "-", "--batch", "1"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = load.stdin.take().unwrap();
    input
        .write_all(b"{\"id\": 1, \"vector\": [1, 0]}\n{\"id\": 2, \"vector\": [1, 0]}\n")
        .unwrap();
    // Nothing tells from outside how far the load is once it has begun.
    while !place.path("db").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1500));
    let pid = load.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let ended = load.wait_with_output().unwrap();
    drop(input);
    let message = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{message}");
    assert!(
        message.contains("interrupted: the first 2 rows are in c and durable"),
        "{message}"
    );
    assert_eq!(ids(&place.json(&["scroll", "db", "c"])), ["1", "2"]);
}

#[test]
fn a_database_in_use_is_waited_for_on_request() {
    let place = Place::four_points();
    let mut load = place
        .command(&["load", "db", "points", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = load.stdin.take().unwrap();
    input.write_all(b"{\"id\": 9, \"vector\": [1, 0]}\n").unwrap();
    let held = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        let ended = place.vdb(&["delete", "db", "points", "77"]);
        ended.code != 0 && ended.failed_with(1).contains("--wait")
    });
    assert!(held);
    // Reading need not wait, and disturbs nobody.
    let count = place.json(&["count", "db", "points"]);
    assert!(
        count == json!({"count": 4}) || count == json!({"count": 5}),
        "{count}"
    );
    assert_eq!(ids(&place.json(&["get", "db", "points", "1"])), ["1"]);
    assert_eq!(
        place.json(&["delete", "db", "points", "1", "--dry-run"]),
        json!({"would_delete": 1})
    );
    assert_eq!(
        place.json(&["collections", "list", "db"])["collections"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let waiting = place
        .command(&["delete", "db", "points", "1", "--wait", "30", "--json"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    drop(input);
    assert!(load.wait_with_output().unwrap().status.success());
    let deleted = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(deleted.stdout).unwrap(), "{\"deleted\":1}\n");
    assert_eq!(place.json(&["count", "db", "points"]), json!({"count": 4}));
}
