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
    let put = &short["requests"]["rest"]["responses"]["PUT /collections/{collection}/points"]["200"];
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
