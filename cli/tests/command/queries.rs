//! Queries, counts, reads: what goes in comes out, in the shapes that scripts rely on.

use crate::harness::{Place, ids, npy};
use serde_json::{Value, json};

const WEST: &str = "6f1b8f86-58a0-4c3a-9d7e-0a1b2c3d4e5f";

#[test]
fn a_vector_finds_the_nearest_points_best_first() {
    let place = Place::four_points();
    let answer = place.json(&["query", "db", "points", "--vector", "[1, 0.1]", "--limit", "2"]);
    assert_eq!(ids(&answer), ["1", "3"]);
    let first = &answer["points"][0];
    assert_eq!(first["payload"], json!({"name": "east", "n": 1, "warm": true}));
    assert!(first["score"].as_f64().unwrap() > 0.99);
    assert_eq!(
        first.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["id", "score", "payload"]
    );
    assert_eq!(answer.as_object().unwrap().len(), 1);
}

#[test]
fn options_of_a_query_narrow_and_widen_the_answer() {
    let place = Place::four_points();
    let query = |more: &[&str]| {
        let mut all = vec!["query", "db", "points", "--vector", "[1, 0]"];
        all.extend(more);
        place.json(&all)
    };
    assert_eq!(ids(&query(&["--offset", "1", "--limit", "1"])), ["3"]);
    assert_eq!(ids(&query(&["--threshold", "-0.5"])), ["1", "3", "2"]);
    assert_eq!(ids(&query(&["--exact"])), ids(&query(&["--ef", "50"])));
    let filter = r#"{"must": [{"key": "n", "range": {"gte": 2}}]}"#;
    assert_eq!(ids(&query(&["--filter", filter])), ["3", "2"]);
    let whole = query(&["--with-vectors", "--no-payload", "--limit", "1"]);
    assert_eq!(whole["points"][0]["vector"], json!([1.0, 0.0]));
    assert!(whole["points"][0].get("payload").is_none());
}

#[test]
fn a_width_of_the_beam_is_refused_where_no_graph_is_walked() {
    let place = Place::four_points();
    let both = [
        "query", "db", "points", "--vector", "[1, 0]", "--exact", "--ef", "50",
    ];
    let message = place.vdb(&both).failed_with(2);
    assert!(
        message.contains("--ef") && message.contains("--exact"),
        "{message}"
    );
}

#[test]
fn a_command_that_runs_out_of_time_says_so_by_its_exit_code() {
    let place = Place::four_points();
    let vector = ["query", "db", "points", "--vector", "[1, 0]"];
    let commands: [&[&str]; 5] = [
        &vector,
        &["query", "db", "points", "--id", "1"],
        &["query", "db", "points", "--match", "name=east"],
        &["count", "db", "points"],
        &["scroll", "db", "points", "--all"],
    ];
    for command in commands {
        let ended = place.vdb(&[command, &["--timeout", "0"]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (124, ""), "{command:?}");
        assert!(
            ended.stderr.contains("took longer than the 0ns of --timeout"),
            "{}",
            ended.stderr
        );
        place.vdb(&[command, &["--timeout", "3600"]].concat()).succeeded();
    }
    let refused = place.vdb(&[&vector[..], &["--timeout", "-1"]].concat());
    assert_eq!(refused.code, 2);
}

#[test]
fn a_query_by_a_point_leaves_that_point_out() {
    let place = Place::four_points();
    let by_id = place.json(&["query", "db", "points", "--id", "1", "--limit", "2"]);
    assert_eq!(ids(&by_id), ["3", "2"]);
    let by_uuid = place.json(&["query", "db", "points", "--id", WEST]);
    assert_eq!(ids(&by_uuid), ["2", "3", "1"]);
    let away = place.json(&[
        "query", "db", "points", "--id", "1", "--unlike", "2", "--unlike", WEST,
    ]);
    assert_eq!(ids(&away), ["3"]);
    let to_nothing = ["query", "db", "points", "--vector", "[1, 0]", "--unlike", "2"];
    assert!(place.vdb(&to_nothing).failed_with(2).contains("--unlike"));
    let by_name = place.json(&["query", "db", "points", "--match", "name=east", "--limit", "2"]);
    assert_eq!(by_name, by_id);
    let by_number = place.json(&["query", "db", "points", "--match", "n=2", "--offset", "1"]);
    assert_eq!(ids(&by_number), ["1", WEST]);
    let by_truth = place.json(&["query", "db", "points", "--match", "warm=true", "--limit", "2"]);
    assert_eq!(by_truth, by_id);
}

#[test]
fn a_file_of_vectors_is_answered_line_by_line() {
    let place = Place::four_points();
    let file = place.file("queries.npy", npy(&[&[1.0, 0.0], &[0.0, 1.0], &[-1.0, 0.0]]));
    let ended = place
        .vdb(&[
            "query",
            "db",
            "points",
            "--vectors",
            &file,
            "--limit",
            "1",
            "--json",
        ])
        .succeeded();
    let answers: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        answers
            .iter()
            .map(|answer| ids(answer).remove(0))
            .collect::<Vec<_>>(),
        ["1", "2", WEST]
    );
}

#[test]
fn people_get_tables() {
    let place = Place::four_points();
    let ended = place
        .vdb(&["query", "db", "points", "--match", "name=east"])
        .succeeded();
    let mut lines = ended.stdout.lines();
    let header = lines.next().unwrap();
    assert!(
        ["id", "score", "name"]
            .iter()
            .all(|column| header.contains(column)),
        "{header}"
    );
    assert!(lines.next().unwrap().contains("north-east"));
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
}

#[test]
fn points_are_counted_all_or_by_filter() {
    let place = Place::four_points();
    let ended = place.vdb(&["count", "db", "points", "--json"]).succeeded();
    assert_eq!(ended.stdout, "{\"count\":4}\n");
    let filter = r#"{"must": [{"has_id": [1, 3]}]}"#;
    assert_eq!(
        place.json(&["count", "db", "points", "--filter", filter]),
        json!({"count": 2})
    );
    assert_eq!(place.vdb(&["count", "db", "points"]).succeeded().stdout, "4\n");
}

#[test]
fn points_are_read_by_id_and_missing_ones_are_told() {
    let place = Place::four_points();
    let answer = place.json(&["get", "db", "points", "3", WEST, "--with-vectors"]);
    assert_eq!(ids(&answer), ["3", WEST]);
    assert_eq!(answer["points"][1]["payload"], json!({"name": "west"}));
    assert_eq!(answer["points"][1]["vector"], json!([-1.0, 0.0]));

    let ended = place.vdb(&["get", "db", "points", "1", "77", "--json"]);
    assert_eq!(ids(&serde_json::from_str(&ended.stdout).unwrap()), ["1"]);
    assert!(ended.failed_with(1).contains("77"));
}

#[test]
fn scrolling_goes_on_where_the_last_page_ended() {
    let place = Place::four_points();
    let first = place.json(&["scroll", "db", "points", "--limit", "3"]);
    assert_eq!(ids(&first), ["1", "2", "3"]);
    assert_eq!(first["next_offset"], json!(WEST));
    let second = place.json(&["scroll", "db", "points", "--limit", "3", "--offset", WEST]);
    assert_eq!(ids(&second), [WEST]);
    assert_eq!(second["next_offset"], Value::Null);
}

#[test]
fn what_scroll_exports_load_reads() {
    let place = Place::four_points();
    let export = place
        .vdb(&["scroll", "db", "points", "--all", "--with-vectors", "--json"])
        .succeeded()
        .stdout;
    assert_eq!(export.lines().count(), 4);
    place
        .vdb_with_stdin(&["load", "db", "copy", "-"], export.as_bytes())
        .succeeded();
    let original = place.json(&[
        "query",
        "db",
        "points",
        "--vector",
        "[0.3, 0.4]",
        "--with-vectors",
    ]);
    let copy = place.json(&["query", "db", "copy", "--vector", "[0.3, 0.4]", "--with-vectors"]);
    assert_eq!(original, copy);
}

#[test]
fn points_are_deleted_by_id_or_by_filter() {
    let place = Place::four_points();
    let filter = r#"{"must": [{"key": "n", "range": {"lt": 3}}]}"#;
    let dry = place.json(&["delete", "db", "points", "--filter", filter, "--dry-run"]);
    assert_eq!(dry, json!({"would_delete": 2}));
    assert_eq!(
        place.json(&["delete", "db", "points", "--filter", filter]),
        json!({"deleted": 2})
    );
    assert_eq!(
        place.json(&["delete", "db", "points", WEST, "4000"]),
        json!({"deleted": 1})
    );
    assert_eq!(ids(&place.json(&["scroll", "db", "points"])), ["3"]);
    let text = place
        .vdb(&["query", "db", "points", "--vector", "[1, 0]"])
        .succeeded()
        .stdout;
    assert_eq!(text.lines().count(), 2);
}
