//! Settings of a collection: shown, changed, said when it is created.

use serde_json::json;

use crate::harness::Place;

#[test]
fn settings_are_changed_and_shown() {
    let place = Place::four_points();
    let before = place.json(&["config", "db", "points"]);
    assert_eq!(before["settings"]["hnsw_config"], json!({}));
    let change = r#"{"hnsw_config": {"m": 9}, "quantization_config": {"turbo": {"bits": "bits2"}},
        "metadata": {"owner": "me"}, "strict_mode_config": {"enabled": true, "max_query_limit": 3}}"#;
    let after = place.json(&["config", "db", "points", "--set", change]);
    assert_eq!(after["settings"]["metadata"], json!({"owner": "me"}));
    assert_eq!(place.json(&["config", "db", "points"]), after);
    let info = place.json(&["info", "db", "points"]);
    assert_eq!(info["vectors"][0]["hnsw"]["m"], json!(9));
    let shown = place.vdb(&["config", "db", "points"]).succeeded().stdout;
    for line in [
        "hnsw_config.m: 9",
        "quantization_config.turbo.bits: \"bits2\"",
        "metadata.owner: \"me\"",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    // The limits hold for this program too.
    let refused = place
        .vdb(&["query", "db", "points", "--id", "1", "--limit", "4"])
        .failed_with(1);
    assert!(
        refused.contains("max_query_limit") || refused.contains("Limit exceeded"),
        "{refused}"
    );
    place
        .vdb(&[
            "config",
            "db",
            "points",
            "--set",
            r#"{"metadata": {"owner": null}}"#,
        ])
        .succeeded();
    assert_eq!(
        place.json(&["config", "db", "points"])["settings"]["metadata"],
        json!({})
    );
}

#[test]
fn settings_can_be_said_when_a_collection_is_created() {
    let place = Place::new();
    let set = r#"{"hnsw_config": {"m": 0}, "hints": {"params": {"shard_number": 1}}}"#;
    place
        .vdb(&["create", "db", "c", "--dim", "3", "--set", set])
        .succeeded();
    let told = place.json(&["config", "db", "c"]);
    assert_eq!(told["settings"]["hints"]["params"]["shard_number"], json!(1));
    assert_eq!(told["settings"]["hnsw_config"], json!({"m": 0}));
}

#[test]
fn settings_that_there_are_not_are_refused_by_name() {
    let place = Place::four_points();
    for (change, word) in [
        (r#"{"hnsw": {}}"#, "hnsw: unknown key"),
        (r#"{"hnsw_config": {"m": "many"}}"#, "hnsw_config.m"),
        ("{", "JSON"),
    ] {
        let message = place
            .vdb(&["config", "db", "points", "--set", change])
            .failed_with(2);
        assert!(message.contains(word), "{message}");
    }
    let vector = r#"{"vectors": {"no": {}}}"#;
    let message = place
        .vdb(&["config", "db", "points", "--set", vector])
        .failed_with(1);
    assert!(message.contains("\"no\""), "{message}");
}
