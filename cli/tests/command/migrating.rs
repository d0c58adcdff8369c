//! Collections from one place to another, with the built binary on both sides.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Place, is_untouched};

/// `vdb serve` on a database of the place.
struct Server {
    child: Child,
    grpc: String,
}

impl Server {
    fn start(place: &Place, db: &str) -> Self {
        Server::with(place, db, &[])
    }

    fn with(place: &Place, db: &str, options: &[&str]) -> Self {
        let ports = [
            "serve",
            db,
            "--http-port",
            "0",
            "--grpc-port",
            "0",
            "--json",
            "--quiet",
        ];
        let mut child = place
            .command(&[&ports, options].concat())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let grpc = ready["grpc"].as_str().unwrap().to_owned();
        Server { child, grpc }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// So many points in the plane in `db`, `points`.
fn many(place: &Place, count: u32) {
    let row = |id: u32| format!("{{\"id\": {id}, \"vector\": [{id}, 1], \"payload\": {{\"n\": {id}}}}}\n");
    let file = place.file("rows.jsonl", (1..=count).map(row).collect::<String>());
    place
        .vdb(&["load", "db", "points", &file, "--distance", "dot"])
        .succeeded();
}

/// All points of a collection, without their versions, which count what was done here.
fn points(place: &Place, db: &str) -> Value {
    let page = place.json(&["scroll", db, "points", "--with-vectors", "--limit", "100000"]);
    let mut points = page["points"].clone();
    for point in points.as_array_mut().unwrap() {
        point.as_object_mut().unwrap().remove("version").unwrap();
    }
    points
}

#[test]
fn a_directory_goes_to_a_server_and_back() {
    let place = Place::four_points();
    place.vdb(&["index", "db", "points", "name"]).succeeded();
    let server = Server::start(&place, "far");
    let there = place.json(&[
        "migrate",
        "--from",
        "db",
        "--to",
        &server.grpc,
        "--verify",
        "full",
    ]);
    let one = &there["collections"][0];
    assert_eq!(
        (
            &one["name"],
            &one["action"],
            &one["copied"],
            &one["verified"]["compared"]
        ),
        (&json!("points"), &json!("create"), &json!(4), &json!(4))
    );
    let back = place
        .vdb(&["migrate", "--from", &server.grpc, "--to", "back"])
        .succeeded();
    assert!(
        back.stdout.contains("4 points copied") && back.stdout.contains("all the same"),
        "{}",
        back.stdout
    );
    assert_eq!(points(&place, "db"), points(&place, "back"));
    assert!(!place.path("back.migration").exists(), "it is over");
    // It is there already, and another name is free.
    let again = ["migrate", "--from", &server.grpc, "--to", "back"];
    assert!(place.vdb(&again).failed_with(1).contains("--existing"));
    let renamed = place.json(&[&again[..], &["--rename", "points=other"]].concat());
    assert_eq!(renamed["collections"][0]["target"], "other");
    let synced = place.json(&[&again[..], &["--existing", "sync"]].concat());
    assert_eq!(synced["collections"][0]["copied"], 0);
}

#[test]
fn a_plan_is_told_and_nothing_made() {
    let place = Place::four_points();
    let plan = ["migrate", "--from", "db", "--to", "new", "--dry-run"];
    let told = place.vdb(&plan).succeeded().stdout;
    assert!(told.contains("4 points, would be made"), "{told}");
    assert_eq!(place.json(&plan)["dry_run"], true);
    assert!(is_untouched(&place.path("new")) && is_untouched(&place.path("new.migration")));
}

#[test]
fn keys_come_from_the_environment_and_are_never_told() {
    let place = Place::four_points();
    let server = Server::with(&place, "far", &["--api-key", "s3cret-key"]);
    let command = ["migrate", "--from", "db", "--to", &server.grpc];
    let refused = place.vdb(&command).failed_with(1);
    assert!(refused.contains("VDB_TO_API_KEY"), "{refused}");
    let wrong = place
        .vdb(&[&command[..], &["--to-api-key", "wr0ng"]].concat())
        .failed_with(1);
    assert!(!wrong.contains("wr0ng"), "{wrong}");
    let ended = place
        .command(&command)
        .env("VDB_TO_API_KEY", "s3cret-key")
        .output()
        .unwrap();
    let all = [ended.stdout, ended.stderr].concat();
    let all = String::from_utf8(all).unwrap();
    assert!(ended.status.success() && !all.contains("s3cret"), "{all}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let place = Place::four_points();
    let server = "http://localhost:1";
    let cases: [(&[&str], i32, &str); 11] = [
        (
            &["--from", "db", "--to", "new", "--lossy"],
            2,
            "--lossy is for servers",
        ),
        (
            &["--from", "db", "--to", "new", "--retries", "3"],
            2,
            "--retries is for servers",
        ),
        (
            &["--from", "db", "--to", "new", "--timeout", "3"],
            2,
            "--timeout is for servers",
        ),
        (
            &["--from", "db", "--to", server, "--parallel", "3"],
            2,
            "--parallel is for servers that are read",
        ),
        (&["--from", "db", "--to", "db"], 2, "both"),
        (&["--from", "db", "--to", ":memory:"], 2, "memory"),
        (&["--from", "none", "--to", "new"], 1, "no database"),
        (
            &["--from", "db", "--to", "new", "--collection", "stones"],
            2,
            "points",
        ),
        (&["--from", "db", "--to", "new", "--shards", "3"], 2, "--shards"),
        (
            &["--from", "db", "--to", "new", "--existing", "eat"],
            2,
            "replace or sync",
        ),
        (
            &["--from", "db", "--to", "new", "--verify", "0"],
            2,
            "number of points",
        ),
    ];
    for (arguments, code, expected) in cases {
        let told = place.vdb(&[&["migrate"], arguments].concat()).failed_with(code);
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert!(is_untouched(&place.path("new")), "{arguments:?}");
    }
}

/// How many points a state says to be acknowledged; none where there is no state.
fn acknowledged(state: &Path) -> u64 {
    let Ok(text) = std::fs::read_to_string(state) else {
        return 0;
    };
    let state: Value = serde_json::from_str(&text).unwrap_or_default();
    let slices = &state["migration"]["collections"]["points"]["slices"];
    let slices = slices.as_array().cloned().unwrap_or_default();
    slices.iter().filter_map(|slice| slice["points"].as_u64()).sum()
}

/// Begins a migration one point a call, ends it by a signal once more of it is done than before, and gives its last words.
fn cut(place: &Place, from: &str, to: &str, state: &str, signal: &str) -> (Option<i32>, String) {
    let file = place.path(state);
    let before = acknowledged(&file);
    let migrate = [
        "migrate", "--from", from, "--to", to, "--state", state, "--batch", "1",
    ];
    // A directory is read in one go anyway.
    let slowly: &[&str] = if from.contains("://") {
        &["--parallel", "1"]
    } else {
        &[]
    };
    let mut child = place.command(&[&migrate[..], slowly].concat()).spawn().unwrap();
    while acknowledged(&file) <= before {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was cut");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    let kill = std::process::Command::new("kill").args([signal, &pid]).status();
    assert!(kill.unwrap().success());
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_migration_that_is_killed_goes_on_whichever_way_it_goes() {
    let place = Place::new();
    let count = 10_000;
    many(&place, count);
    let (one, other) = (Server::start(&place, "far"), Server::start(&place, "further"));
    let ways = [
        ("db", one.grpc.as_str(), "far"),
        (one.grpc.as_str(), other.grpc.as_str(), "further"),
        (other.grpc.as_str(), "back", "back"),
    ];
    for (from, to, directory) in ways {
        let state = format!("{directory}.state");
        let (code, _) = cut(&place, from, to, &state, "-KILL");
        assert_eq!(code, None);
        let (code, told) = cut(&place, from, to, &state, "-INT");
        assert_eq!(code, Some(130), "{told}");
        assert!(told.contains("the same command goes on"), "{told}");
        let go_on = [
            "migrate", "--from", from, "--to", to, "--state", &state, "--verify", "full",
        ];
        let done = place.json(&go_on);
        let one = &done["collections"][0];
        assert_eq!(
            (&one["action"], &one["verified"]["compared"]),
            (&json!("resume"), &json!(count))
        );
        assert!(one["copied"].as_u64().unwrap() < count.into());
        assert_eq!(points(&place, "db"), points(&place, directory), "{from} {to}");
        assert!(!place.path(&state).exists(), "it is over");
    }
    place.vdb(&["verify", "back"]).succeeded();
}
