//! `vdb export` into every format, what `vdb import` makes of it again, and what Ctrl-C leaves of both.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output};

use serde_json::{Value, json};

use crate::harness::{Place, names, npy};

const UUID: &str = "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f";

/// Every point of a collection as a line of JSON.
fn lines(place: &Place, db: &str, collection: &str) -> String {
    let out = format!("{db}-{collection}.lines");
    place
        .vdb(&["export", db, collection, &out, "--format", "jsonl", "--force"])
        .succeeded();
    fs::read_to_string(place.path(&out)).unwrap()
}

#[test]
fn a_directory_for_faiss_comes_back_with_its_ids() {
    let place = Place::four_points();
    let message = place
        .vdb(&["export", "db", "points", "store", "--format", "faiss"])
        .failed_with(1);
    assert!(
        message.contains(UUID) && message.contains("--id-key"),
        "{message}"
    );
    assert!(
        !names(&place.path(""))
            .iter()
            .any(|name| name.contains("vdb-export"))
    );

    let export = [
        "export", "db", "points", "store", "--format", "faiss", "--id-key", "own",
    ];
    let answer = place.json(&export);
    assert_eq!(answer["files"][0]["points"], 4);
    assert_eq!(names(&place.path("store")), ["index.faiss", "metadata.pkl"]);
    assert!(place.vdb(&export).failed_with(1).contains("--force"));
    place.vdb(&[&export[..], &["--force"]].concat()).succeeded();
    place
        .vdb(&[
            "import",
            "store",
            "db2",
            "--collection",
            "points",
            "--id-key",
            "own",
            "--distance",
            "cosine",
        ])
        .succeeded();
    assert_eq!(lines(&place, "db2", "points"), lines(&place, "db", "points"));
    // What is not ours is not replaced.
    fs::write(place.path("store/notes.txt"), "mine").unwrap();
    let message = place.vdb(&[&export[..], &["--force"]].concat()).failed_with(1);
    assert!(message.contains("notes.txt"), "{message}");

    // Ids that are positions, or numbers, need no key.
    for (ids, name) in [([0, 1], "positions"), ([5, 70], "numbers")] {
        let rows = ids
            .map(|id| format!("{{\"id\": {id}, \"vector\": [1, {id}]}}\n"))
            .concat();
        let file = place.file(&format!("{name}.jsonl"), rows);
        place
            .vdb(&["load", "db", name, &file, "--distance", "manhattan"])
            .succeeded();
        place
            .vdb(&["export", "db", name, name, "--format", "faiss"])
            .succeeded();
        place.vdb(&["import", name, "db2"]).succeeded();
        assert_eq!(lines(&place, "db2", name), lines(&place, "db", name));
    }
}

#[test]
fn a_matrix_leaves_nothing_out_unasked() {
    let place = Place::four_points();
    let export = ["export", "db", "points", "out.npy", "--format", "npy"];
    let message = place.vdb(&export).failed_with(1);
    assert!(
        message.contains("point 1 would be row 0") && message.contains("--rows"),
        "{message}"
    );
    place
        .vdb(&[&export[..], &["--rows", "beside.jsonl"]].concat())
        .succeeded();
    place
        .vdb(&["load", "db2", "points", "out.npy", "--rows", "beside.jsonl"])
        .succeeded();
    assert_eq!(lines(&place, "db2", "points"), lines(&place, "db", "points"));
    place
        .vdb(&[&export[..], &["--lossy", "--force"]].concat())
        .succeeded();
    place.vdb(&["load", "db2", "bare", "out.npy"]).succeeded();
    assert_eq!(place.json(&["count", "db2", "bare"]), json!({"count": 4}));
    let message = place
        .vdb(&[
            "export", "db", "points", "x.backup", "--format", "backup", "--lossy",
        ])
        .failed_with(2);
    assert!(message.contains("--lossy is for"), "{message}");
    // Of several vectors one has to be named.
    let two = place.file("two.jsonl", r#"{"id": 0, "vector": {"a": [1, 2], "b": [3]}}"#);
    place.vdb(&["load", "db", "two", &two]).succeeded();
    let message = place
        .vdb(&["export", "db", "two", "two.npy", "--format", "npy"])
        .failed_with(1);
    assert!(
        message.contains("\"a\", \"b\"") && message.contains("--using"),
        "{message}"
    );
    place
        .vdb(&[
            "export", "db", "two", "two.npy", "--format", "npy", "--using", "b",
        ])
        .succeeded();
}

#[test]
fn rows_can_be_looked_at_before_they_are_imported() {
    let place = Place::new();
    let file = place.file("rows.jsonl", "{\"id\": 1, \"vector\": [1, 2]}\n{\"id\": 2}\n");
    let answer = place.json(&["import", &file, "db", "--dry-run", "--distance", "dot"]);
    assert_eq!(answer["collections"][0]["points"], 2);
    assert_eq!(answer["collections"][0]["with_vectors"], 1);
    let message = place
        .vdb(&["import", &file, "db", "--require-vectors"])
        .failed_with(1);
    assert!(message.contains("1 of its 2 points"), "{message}");
    let bad = place.file(
        "bad.jsonl",
        "{\"id\": 1, \"vector\": [1, 2]}\n{\"id\": 2, \"vector\": [1]}\n",
    );
    let message = place.vdb(&["import", &bad, "db", "--dry-run"]).failed_with(1);
    assert!(
        message.contains("bad.jsonl:2") && message.contains("nothing was imported"),
        "{message}"
    );
    assert!(!place.path("db").exists());
    place
        .vdb(&["import", &file, "db", "--distance", "dot"])
        .succeeded();
    place.vdb(&["import", &file, "db", "--resume"]).succeeded();
    assert_eq!(place.json(&["count", "db", "rows"]), json!({"count": 2}));
}

#[test]
fn numbers_beyond_64_bits_are_not_rounded_unasked() {
    let place = Place::new();
    let rows = "{\"id\": 1, \"vector\": [1, 2], \"payload\": {\"a\": {\"n\": [1e300, 36893488147419103232]}, \"s\": \"36893488147419103232\"}}\n";
    let file = place.file("wide.jsonl", rows);
    let message = place.vdb(&["import", &file, "db"]).failed_with(1);
    assert!(
        message.contains("payload.a.n[1]: 36893488147419103232") && message.contains("--lossy"),
        "{message}"
    );
    assert_eq!(place.json(&["import", &file, "db", "--lossy"])["changed"], 1);
    let answer = place.json(&["get", "db", "wide", "1"]);
    assert_eq!(
        answer["points"][0]["payload"]["a"]["n"][1],
        json!(36_893_488_147_419_103_232.0)
    );
}

#[test]
fn points_without_the_vector_are_left_out_and_counted_when_asked() {
    let place = Place::new();
    let rows = "{\"id\": 0, \"vector\": [1, 2]}\n{\"id\": 1}\n{\"id\": 2, \"vector\": [3, 4]}\n";
    let file = place.file("rows.jsonl", rows);
    place
        .vdb(&["load", "db", "rows", &file, "--distance", "dot"])
        .succeeded();
    for (format, to) in [("npy", "out.npy"), ("faiss", "store")] {
        let export = ["export", "db", "rows", to, "--format", format];
        let message = place.vdb(&export).failed_with(1);
        assert!(
            message.contains("point 1") && message.contains("--lossy"),
            "{message}"
        );
        let answer = place.json(&[&export[..], &["--lossy"]].concat());
        let file = &answer["files"][0];
        assert_eq!((&file["points"], &file["left_out"]), (&json!(2), &json!(1)));
    }
    place
        .vdb(&["import", "store", "db2", "--collection", "rows"])
        .succeeded();
    let kept = "{\"id\":0,\"vector\":[1.0,2.0]}\n{\"id\":2,\"vector\":[3.0,4.0]}\n";
    assert_eq!(lines(&place, "db2", "rows"), kept);
    place.vdb(&["load", "db2", "matrix", "out.npy"]).succeeded();
    assert_eq!(place.json(&["count", "db2", "matrix"]), json!({"count": 2}));
}

#[test]
fn a_dry_run_looks_at_the_collection_that_is_there() {
    let place = Place::new();
    let rows = place.file("rows.jsonl", "{\"id\": 1, \"vector\": [1, 2]}\n");
    place.vdb(&["import", &rows, "db"]).succeeded();
    place
        .vdb(&["export", "db", "rows", "rows.backup", "--format", "backup"])
        .succeeded();
    let dry = |file: &str| place.vdb(&["import", file, "db", "--collection", "rows", "--dry-run"]);
    let longer = place.file("longer.jsonl", "{\"id\": 2, \"vector\": [1, 2, 3]}\n");
    let message = dry(&longer).failed_with(1);
    assert!(
        message.contains("3 numbers where the collection has 2"),
        "{message}"
    );
    let numbered = place.file("numbered.jsonl", "{\"vector\": [1, 2]}\n");
    assert!(dry(&numbered).failed_with(1).contains("--start-id"));
    // Rows of payloads alone fit the collection, and could not make one.
    let payloads = place.file("payloads.jsonl", "{\"id\": 2, \"payload\": {\"a\": 1}}\n");
    dry(&payloads).succeeded();
    let message = place
        .vdb(&["import", &payloads, "db", "--dry-run"])
        .failed_with(1);
    assert!(
        message.contains("no vector in it tells the dimension"),
        "{message}"
    );
    assert!(dry("rows.backup").failed_with(1).contains("--resume"));
    assert_eq!(place.json(&["count", "db", "rows"]), json!({"count": 1}));
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_read_twice() {
    let place = Place::new();
    let pipe = place.path("rows.jsonl");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let message = place
        .vdb(&["import", "rows.jsonl", "db", "--require-vectors"])
        .failed_with(2);
    assert!(message.contains("no regular file"), "{message}");
}

#[test]
fn options_that_do_nothing_are_refused() {
    let place = Place::four_points();
    place
        .vdb(&["export", "db", "points", "p.backup", "--format", "backup"])
        .succeeded();
    for (options, part) in [
        (
            &["--vector-column", "a"][..],
            "--vector-column is for files of rows",
        ),
        (&["--distance", "dot"][..], "--distance is for indexes of FAISS"),
        (&["--id-key", "a"][..], "--id-key is for indexes of FAISS"),
    ] {
        let import = [&["import", "p.backup", "db2"][..], options].concat();
        let message = place.vdb(&import).failed_with(2);
        assert!(message.contains(part), "{message}");
    }
    place.file("rows.fvecs", [1u8, 0, 0, 0, 0, 0, 0, 0]);
    for (option, name) in [
        ("--number-rows", None),
        ("--leave-out", Some("a")),
        ("--text-ids", Some("a")),
    ] {
        let import: Vec<&str> = ["import", "rows.fvecs", "db2", option]
            .into_iter()
            .chain(name)
            .collect();
        let message = place.vdb(&import).failed_with(2);
        assert!(
            message.contains(&format!("{option} is for CSV, Parquet")),
            "{message}"
        );
    }
}

#[test]
fn a_snapshot_is_exported_as_its_database_is() {
    let place = Place::four_points();
    place
        .vdb(&["collections", "alias", "db", "current", "points"])
        .succeeded();
    place.vdb(&["snapshot", "db", "whole.tar"]).succeeded();
    place
        .vdb(&["snapshot", "db", "one", "--collection", "points"])
        .succeeded();
    let export =
        |from: &str, name: &str, to: &str| place.vdb(&["export", from, name, to, "--format", "backup"]);
    export("db", "points", "points.backup").succeeded();
    let expected = fs::read(place.path("points.backup")).unwrap();
    for (at, (from, name)) in [
        ("whole.tar", "points"),
        ("whole.tar", "current"),
        ("one", "points"),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("{at}.backup");
        export(from, name, &to).succeeded();
        assert!(fs::read(place.path(&to)).unwrap() == expected, "{from} {name}");
    }
    let all = ["export", "whole.tar", "--all", "out", "--format", "jsonl"];
    assert_eq!(place.json(&all)["files"][0]["points"], 4);
    let message = export("one", "nothing", "n.backup").failed_with(1);
    assert!(
        message.contains("no collection \"nothing\"; it has points"),
        "{message}"
    );
    let damaged = place.file("damaged.tar", &fs::read(place.path("whole.tar")).unwrap()[..2000]);
    export(&damaged, "points", "d.backup").failed_with(1);
    let left = names(&place.path(""));
    assert!(!left.iter().any(|name| name.contains("vdb-export")), "{left:?}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_says_how_to_get_it() {
    let place = Place::four_points();
    let export = ["export", "db", "points", "p.parquet", "--format", "parquet"];
    assert!(place.vdb(&export).failed_with(1).contains("--features parquet"));
    let file = place.file("x.parquet", "PAR1");
    assert!(
        place
            .vdb(&["import", &file, "db"])
            .failed_with(1)
            .contains("--features parquet")
    );
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_says_what_its_collection_is_like() {
    let place = Place::four_points();
    place
        .vdb(&["export", "db", "points", "p.parquet", "--format", "parquet"])
        .succeeded();
    place.vdb(&["import", "p.parquet", "db2"]).succeeded();
    assert_eq!(lines(&place, "db2", "p"), lines(&place, "db", "points"));
    let rows = place.file("dots.jsonl", r#"{"id": 0, "vector": {"a": [1, 2]}}"#);
    place
        .vdb(&["load", "db", "dots", &rows, "--distance", "dot"])
        .succeeded();
    place
        .vdb(&["export", "db", "dots", "dots.parquet", "--format", "parquet"])
        .succeeded();
    let answer = place.json(&["import", "dots.parquet", "db2", "--dry-run"]);
    assert_eq!(answer["collections"][0]["points"], 1);
    place.vdb(&["import", "dots.parquet", "db2"]).succeeded();
    assert_eq!(lines(&place, "db2", "dots"), lines(&place, "db", "dots"));
}

#[cfg(feature = "parquet")]
#[test]
fn what_a_parquet_file_says_is_compared_with_the_collection() {
    let place = Place::new();
    for (name, distance, vector) in [
        ("dots", "dot", "[1, 2]"),
        ("l2", "euclid", "[3, 4]"),
        ("long", "dot", "[1, 2, 3]"),
    ] {
        let rows = place.file(
            &format!("{name}.jsonl"),
            format!("{{\"id\": 1, \"vector\": {vector}}}"),
        );
        place
            .vdb(&["load", "db", name, &rows, "--distance", distance])
            .succeeded();
        let file = format!("{name}.parquet");
        place
            .vdb(&["export", "db", name, &file, "--format", "parquet"])
            .succeeded();
    }
    let message = place.vdb(&["load", "db", "dots", "l2.parquet"]).failed_with(1);
    assert!(
        message.contains("l2.parquet: its vectors compare by euclid") && message.contains("--distance dot"),
        "{message}"
    );
    place
        .vdb(&["load", "db", "dots", "l2.parquet", "--distance", "dot"])
        .succeeded();
    let message = place.vdb(&["load", "db", "dots", "long.parquet"]).failed_with(1);
    assert!(
        message.contains("long.parquet: its vectors have 3 numbers"),
        "{message}"
    );
    // So are files among each other, before a row is written.
    let message = place
        .vdb(&["load", "db2", "new", "dots.parquet", "l2.parquet"])
        .failed_with(1);
    assert!(
        message.contains("l2.parquet: its vectors compare by euclid"),
        "{message}"
    );
    assert!(!place.path("db2").exists());
}

/// A collection that takes a while: `big` in `db`, with rows of 48 numbers.
fn big(place: &Place, rows: usize) {
    let rows: Vec<Vec<f32>> = (0..rows)
        .map(|row| (0..48).map(|at| (row * 31 + at * 7) as f32 % 97.0).collect())
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let file = place.file("big.npy", npy(&rows));
    let load = [
        "load",
        "db",
        "big",
        &file,
        "--distance",
        "dot",
        "--no-index",
        "--durability",
        "none",
    ];
    place.vdb(&load).succeeded();
}

/// Sends Ctrl-C as soon as `has_begun`, and says how the command ended.
fn interrupted(mut child: Child, has_begun: impl Fn() -> bool) -> Output {
    while !has_begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    // One that has ended already is told by its exit code.
    let pid = child.id().to_string();
    let _ = Command::new("kill").args(["-INT", &pid]).output();
    child.wait_with_output().unwrap()
}

#[test]
fn an_export_that_is_interrupted_leaves_nothing() {
    let place = Place::new();
    big(&place, 20_000);
    let out = place.path("out");
    fs::create_dir(&out).unwrap();
    for (format, to) in [
        ("jsonl", "out/big.jsonl"),
        ("backup", "out/big.backup"),
        ("faiss", "out/big"),
    ] {
        let child = place
            .command(&["export", "db", "big", to, "--format", format])
            .spawn()
            .unwrap();
        let ended = interrupted(child, || fs::read_dir(&out).unwrap().next().is_some());
        let message = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(130), "{format}: {message}");
        assert!(message.contains("interrupted"), "{message}");
        assert_eq!(names(&out), Vec::<String>::new(), "{format}");
    }
}

/// Bytes of all files in a directory.
pub(crate) fn bytes(dir: PathBuf) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(of) if of.is_dir() => bytes(entry.path()),
            Ok(of) => of.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn an_import_that_is_interrupted_keeps_what_it_wrote_and_goes_on() {
    let place = Place::new();
    let rows = 20_000;
    big(&place, rows);
    place
        .vdb(&["export", "db", "big", "big.backup", "--format", "backup"])
        .succeeded();
    let import = ["import", "big.backup", "db2", "--no-index"];
    let child = place.command(&import).spawn().unwrap();
    // A few batches of 1,000 rows are there.
    let ended = interrupted(child, || bytes(place.path("db2")) > 3 * 1000 * 48 * 4);
    let message = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{message}");
    assert!(message.contains("--resume completes it"), "{message}");
    let count = |place: &Place| place.json(&["count", "db2", "big"])["count"].as_u64().unwrap();
    let there = count(&place);
    assert!(
        there > 0 && there < rows as u64 && there.is_multiple_of(1000),
        "{there}"
    );
    assert!(place.vdb(&import).failed_with(1).contains("--resume"));
    place.vdb(&[&import[..], &["--resume"]].concat()).succeeded();
    assert_eq!(count(&place), rows as u64);
    let same = lines(&place, "db2", "big") == lines(&place, "db", "big");
    assert!(same);
    let value: Value = place.json(&["verify", "db2"]);
    assert!(value.is_object());
}
