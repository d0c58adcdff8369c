//! What a node says of itself and of its cluster.

use serde_json::json;

use super::Server;

#[tokio::test]
async fn there_is_one_node() {
    let server = Server::with_points().await;
    assert_eq!(
        server.get("/cluster").await.result(),
        json!({"status": "disabled"})
    );
    server.post("/cluster/recover", json!({})).await.error(405);
    server.delete("/cluster/peer/1").await.error(405);
    let of = server.get("/collections/c/cluster").await.result();
    assert_eq!(of["shard_count"], 1);
    assert_eq!(
        of["local_shards"],
        json!([{"shard_id": 0, "points_count": 4, "state": "Active"}])
    );
    server.post("/collections/c/cluster", json!({})).await.error(405);
    assert_eq!(
        server.get("/collections/c/shards").await.result(),
        json!({"shard_keys": null})
    );
    server.get("/collections/none/cluster").await.error(404);
    server.get("/collections/none/shards").await.error(404);
}

#[tokio::test]
async fn what_there_is_not_is_told() {
    let server = Server::with_points().await;
    for (method, path, part) in [
        ("GET", "/logger", "log_level"),
        ("POST", "/logger", "log_level"),
        ("GET", "/debugger", "debugger"),
        ("PATCH", "/debugger", "debugger"),
        ("GET", "/profiler/slow_requests", "slow_query_secs"),
        ("GET", "/stacktrace", "debugger"),
        ("POST", "/audit/logs", "audit"),
        ("POST", "/collections/c/truncate_unapplied_wal", "acknowledged"),
        ("POST", "/collections/c/shards/0/points", "one shard"),
        ("POST", "/collections/c/shards/0/points/scroll", "one shard"),
        ("POST", "/collections/c/shards/0/points/count", "one shard"),
    ] {
        let text = server.raw(method, path, "{}").await.error(501);
        assert!(text.contains(part), "{method} {path}: {text}");
    }
    // There is a difference between that and what nobody has heard of.
    assert_eq!(server.get("/loggers").await.status, 404);
}

#[tokio::test]
async fn a_node_says_what_it_is() {
    let server = Server::with_points().await;
    let root = server.get("/").await.json();
    assert_eq!(root["title"], "qdrant - vector search engine");
    assert!(root["version"].as_str().unwrap().starts_with("1.19."));
    assert_eq!(root["commit"].as_str().unwrap().len(), 40);
    assert_eq!(server.get("/healthz").await.text(), "healthz check passed");
    assert_eq!(server.get("/livez").await.text(), "healthz check passed");
    assert_eq!(server.get("/readyz").await.text(), "all shards are ready");
    assert_eq!(server.get("/issues").await.result(), json!({"issues": []}));
    assert_eq!(server.delete("/issues").await.result(), true);
}

#[tokio::test]
async fn a_node_tells_what_it_has_done() {
    let server = Server::with_points().await;
    let short = server.get("/telemetry").await.result();
    assert_eq!(short["collections"], json!({"number_of_collections": 1}));
    let put = &short["requests"]["rest"]["responses"]["PUT /collections/{collection_name}/points"]["200"];
    assert_eq!(put["count"], 1);
    let long = server
        .get("/telemetry?details_level=2&anonymize=true")
        .await
        .result();
    assert_eq!(long["collections"]["collections"].as_array().unwrap().len(), 1);
    assert_ne!(long["collections"]["collections"][0]["id"], "c");
    let metrics = server.get("/metrics").await;
    assert!(
        metrics.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/plain")
    );
    let text = metrics.text();
    assert!(text.contains("collections_total 1\n"), "{text}");
    assert!(text.contains("collection_points{id=\"c\"} 4\n"), "{text}");
}

#[tokio::test]
async fn telemetry_goes_into_detail() {
    let server = Server::with_points().await;
    server.get("/collections/none").await.error(404);
    let at = async |level: u64| {
        let path = format!("/telemetry?details_level={level}&per_collection=true");
        server.get(&path).await.result()
    };
    let one = at(1).await;
    assert_eq!(one["collections"]["collections"][0]["vectors"], 4);
    assert_eq!(one["collections"]["collections"][0]["optimizers_status"], "ok");
    let deep = at(10).await;
    let collection = &deep["collections"]["collections"][0];
    assert_eq!(
        (&collection["id"], &collection["init_time_ms"]),
        (&json!("c"), &json!(0))
    );
    server.post("/collections/c/snapshots", json!({})).await.result();
    let snapshots = &at(1).await["collections"]["snapshots"];
    assert_eq!(
        *snapshots,
        json!([{"id": "c", "running_snapshots": 0, "running_snapshot_recovery": 0, "total_snapshot_creations": 1}])
    );
    let local = &collection["shards"][0]["local"];
    assert_eq!(
        (&local["num_points"], &local["num_vectors"]),
        (&json!(4), &json!(4))
    );
    assert_eq!(local["num_vectors_by_name"], json!({"": 4}));
    assert_eq!(local["status"], "green");
    let segments = local["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 1, "what is in memory");
    assert_eq!(segments[0]["info"]["num_points"], 4);
    assert_eq!(segments[0]["info"]["is_appendable"], true);
    if cfg!(target_os = "linux") {
        assert!(deep["memory"]["resident_bytes"].as_u64().unwrap() > 0);
    }
    let missing = &deep["requests"]["rest"]["responses"]["GET /collections/{collection_name}"]["404"];
    assert_eq!(missing["count"], 1);
    assert!(missing["last_responded"].is_string());
    let named = &deep["requests"]["rest"]["per_collection_responses"];
    assert_eq!(
        named["c"]["PUT /collections/{collection_name}/points"]["200"]["count"],
        1
    );
    assert!(named.get("none").is_none());
    server.get("/telemetry?timeout=0").await.error(422);
    server.delete("/collections/c").await.result();
    let gone = at(0).await;
    assert!(
        gone["requests"]["rest"]["per_collection_responses"]
            .get("c")
            .is_none()
    );
}

#[tokio::test]
async fn names_are_hidden_from_strangers() {
    let server = Server::new();
    let body = json!({
        "vectors": {
            "secret": {"size": 2, "distance": "Dot"},
            "secret rows": {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}},
        },
        "sparse_vectors": {"secret words": {}},
        "strict_mode_config": {
            "enabled": true,
            "multivector_config": {"secret rows": {"max_vectors": 3}},
            "sparse_config": {"secret words": {"max_length": 4}},
        },
        "metadata": {"of": "secret"},
    });
    server.put("/collections/secret", body).await.result();
    let points = json!({"points": [{"id": 1, "vector": {"secret": [1, 0]}}]});
    server
        .put("/collections/secret/points?wait=true", points)
        .await
        .result();
    for path in [
        "/telemetry?details_level=10&anonymize=true&per_collection=true",
        "/metrics?anonymize=true&per_collection=true",
    ] {
        let told = server.get(path).await.text();
        assert!(!told.contains("secret"), "{path}: {told}");
    }
    // Limits are told all the same.
    let path = "/telemetry?details_level=2&anonymize=true";
    let told = server.get(path).await.result();
    let limits = &told["collections"]["collections"][0]["config"]["strict_mode_config"];
    let of_rows = limits["multivector_config"].as_object().unwrap().values();
    assert!(of_rows.eq([&json!({"max_vectors": 3})]), "{limits}");
    let open = server.get("/metrics?per_collection=true").await.text();
    assert!(open.contains("collection=\"secret\""), "{open}");
}

#[tokio::test]
async fn metrics_are_as_monitors_read_them() {
    let server = Server::with_points().await;
    let text = server.get("/metrics").await.text();
    let mut heads = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# TYPE ") {
            let name = head.split(' ').next().unwrap();
            assert!(heads.insert(name.to_owned()), "{name} comes twice");
        }
    }
    for name in [
        "app_info",
        "collections_total",
        "collections_vector_total",
        "collection_points",
        "collection_vectors",
        "collection_indexed_only_excluded_points",
        "collection_shard_transfer_incoming",
        "collection_shard_transfer_outgoing",
        "collection_active_replicas_min",
        "collection_dead_replicas",
        "collection_update_queue_length",
        "snapshot_creation_running",
        "snapshot_created_total",
        "rest_responses_total",
        "rest_responses_fail_total",
        "rest_responses_avg_duration_seconds",
        "rest_responses_duration_seconds",
        "grpc_responses_total",
        "vdb_wal_syncs_total",
        "vdb_wal_syncs_seconds_total",
        "vdb_flushes_total",
        "vdb_memtable_bytes",
    ] {
        assert!(heads.contains(name), "{name}: {heads:?}");
    }
    let labels = "method=\"PUT\",endpoint=\"/collections/{collection_name}/points\",status=\"200\"";
    for line in [
        "collection_vectors{collection=\"c\",vector=\"\"} 4".to_owned(),
        "collection_indexed_only_excluded_points{id=\"c\",vector=\"\"} 0".to_owned(),
        format!("rest_responses_total{{{labels}}} 1"),
        format!("rest_responses_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 1"),
        format!("rest_responses_duration_seconds_count{{{labels}}} 1"),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let late = server.get("/metrics?timeout=0").await.error(422);
    assert!(
        late.starts_with("Validation error in query parameters: [timeout"),
        "{late}"
    );
}

#[tokio::test]
async fn segments_and_bytes_are_told() {
    let server = Server::with_points().await;
    let short = server.get("/collections/c/optimizations").await.result();
    assert_eq!(
        short.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["summary", "running"]
    );
    let long = server
        .get("/collections/c/optimizations?with=queued,idle_segments")
        .await
        .result();
    assert!(long["queued"].is_array() && long["idle_segments"].is_array() && long.get("completed").is_none());
    assert!(server.get("/collections/c/memory").await.result()["total"]["ram_bytes"].is_u64());
}

#[tokio::test]
async fn names_that_are_gone_are_not_counted_for() {
    let server = Server::with_points().await;
    let change = |actions| server.post("/collections/aliases", json!({ "actions": actions }));
    let create = |alias| json!({"create_alias": {"collection_name": "c", "alias_name": alias}});
    change(json!([create("a"), create("b"), create("d")]))
        .await
        .result();
    let counted = || async {
        let told = server.get("/telemetry?per_collection=true").await.result();
        let named = told["requests"]["rest"]["per_collection_responses"]
            .as_object()
            .cloned();
        let mut names: Vec<String> = named.unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    };
    for name in ["a", "b", "d"] {
        server.get(&format!("/collections/{name}")).await.result();
    }
    assert_eq!(counted().await, ["a", "b", "c", "d"]);
    let rename = json!({"rename_alias": {"old_alias_name": "b", "new_alias_name": "e"}});
    change(json!([{"delete_alias": {"alias_name": "a"}}, rename]))
        .await
        .result();
    assert_eq!(counted().await, ["c", "d"]);
    // An alias is no collection, and is not dropped as one.
    assert_eq!(server.delete("/collections/d").await.result(), false);
    assert_eq!(counted().await, ["c", "d"]);
    server.delete("/collections/c").await.result();
    assert!(counted().await.is_empty());
}

#[tokio::test]
async fn what_is_told_of_a_collection_is_not_held_to_its_limits() {
    let server = Server::with_points().await;
    let index = json!({"field_name": "n", "field_schema": "integer"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let strict =
        json!({"strict_mode_config": {"enabled": true, "read_rate_limit": 1, "filter_max_conditions": 0}});
    server.patch("/collections/c", strict).await.result();
    for _ in 0..3 {
        let told = server.get("/collections/c").await.result();
        assert_eq!(told["payload_schema"]["n"]["points"], 3);
        let cluster = server.get("/collections/c/cluster").await.result();
        assert_eq!(cluster["local_shards"][0]["points_count"], 4);
    }
    server
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    server
        .post("/collections/c/points/count", json!({}))
        .await
        .error(429);
}

#[tokio::test]
async fn jobs_of_the_background_are_told() {
    let server = Server::with_points().await;
    let path = "/collections/c/optimizations?with=queued,completed,idle_segments";
    let told = server.get(path).await.result();
    assert_eq!(told["completed"], json!([]));
    assert_eq!(told["queued"], json!([]));
    server.get(&format!("{path}&completed_limit=0")).await.result();
    server.get(&format!("{path}&completed_limit=-1")).await.error(400);
    server.get("/collections/none/optimizations").await.error(404);
    let path = "/collections/c/optimizations?with=queued,foo";
    let unknown = server.get(path).await.error(400);
    assert_eq!(
        unknown,
        "Format error in query parameters: with: there is no list \"foo\", only queued, completed, idle_segments"
    );
    server.get("/collections/c/optimizations?with=").await.result();
}
