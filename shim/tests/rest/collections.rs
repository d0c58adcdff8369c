//! Collections, aliases, payload indexes.

use serde_json::json;

use super::Server;

#[tokio::test]
async fn a_collection_is_made_told_changed_and_dropped() {
    let server = Server::new();
    let body = json!({
        "vectors": {"size": 4, "distance": "Cosine"},
        "hnsw_config": {"m": 32},
        "optimizers_config": {"indexing_threshold": 0},
        "unknown": "ignored",
    });
    assert_eq!(server.put("/collections/c", body.clone()).await.result(), true);
    let taken = server.put("/collections/c", body).await.error(409);
    assert_eq!(taken, "Wrong input: Collection `c` already exists!");
    assert_eq!(
        server.get("/collections").await.result(),
        json!({"collections": [{"name": "c"}]})
    );
    let info = server.get("/collections/c").await.result();
    assert_eq!(
        info,
        json!({
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": 0,
            "points_count": 0,
            "segments_count": 1,
            "config": {
                "params": {
                    "vectors": {"size": 4, "distance": "Cosine"},
                    "shard_number": 1,
                    "replication_factor": 1,
                    "write_consistency_factor": 1,
                    "on_disk_payload": true,
                },
                "hnsw_config": {
                    "m": 32,
                    "ef_construct": 100,
                    "full_scan_threshold": 10000,
                    "max_indexing_threads": 0,
                    "on_disk": false,
                },
                "optimizer_config": {
                    "deleted_threshold": 0.2,
                    "vacuum_min_vector_number": 1000,
                    "default_segment_number": 0,
                    "max_segment_size": null,
                    "memmap_threshold": null,
                    "indexing_threshold": 0,
                    "flush_interval_sec": 5,
                    "max_optimization_threads": null,
                },
                "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1},
                "quantization_config": null,
            },
            "payload_schema": {},
            "update_queue": {"length": 0},
        })
    );
    let change = json!({"optimizers_config": {"deleted_threshold": 0.5}, "metadata": {"a": 1}});
    assert_eq!(server.patch("/collections/c", change).await.result(), true);
    let info = server.get("/collections/c").await.result();
    assert_eq!(info["config"]["optimizer_config"]["deleted_threshold"], 0.5);
    assert_eq!(info["config"]["metadata"], json!({"a": 1}));
    assert_eq!(server.delete("/collections/c").await.result(), true);
    assert_eq!(server.delete("/collections/c").await.result(), false);
    assert_eq!(
        server.get("/collections/c/exists").await.result(),
        json!({"exists": false})
    );
}

#[tokio::test]
async fn bad_collections_are_refused() {
    let server = Server::new();
    let missing = server.get("/collections/none").await.error(404);
    assert_eq!(missing, "Not found: Collection `none` doesn't exist!");
    server.patch("/collections/none", json!({})).await.error(404);
    let size = json!({"vectors": {"size": 70_000, "distance": "Dot"}});
    assert_eq!(
        server.put("/collections/c", size).await.error(422),
        "Validation error in JSON body: [vectors.size: value 70000 invalid, must be from 1 to 65536]"
    );
    let distance = json!({"vectors": {"size": 1, "distance": "Far"}});
    let text = server.put("/collections/c", distance).await.error(400);
    assert!(text.starts_with("Format error in JSON body: "), "{text}");
    let name = server.put("/collections/a%2Fb", json!({})).await.error(422);
    assert!(name.contains("collection"), "{name}");
    server.put("/collections/a%3Cb", json!({})).await.error(422);
    // No vectors at all are fine.
    assert_eq!(server.put("/collections/empty", json!({})).await.result(), true);
}

#[tokio::test]
async fn aliases_stand_for_collections() {
    let server = Server::with_points().await;
    let actions = |actions| json!({ "actions": actions });
    let create = json!([{"create_alias": {"collection_name": "c", "alias_name": "a"}}]);
    let change = server.post("/collections/aliases", actions(create)).await;
    assert_eq!(change.result(), true);
    let one = json!({"aliases": [{"alias_name": "a", "collection_name": "c"}]});
    assert_eq!(server.get("/aliases").await.result(), one);
    assert_eq!(server.get("/collections/c/aliases").await.result(), one);
    let count = server.post("/collections/a/points/count", json!({})).await;
    assert_eq!(count.result(), json!({"count": 4}));
    assert_eq!(server.get("/collections/a").await.result()["points_count"], 4);
    let rename = json!([{"rename_alias": {"old_alias_name": "x", "new_alias_name": "y"}}]);
    let text = server
        .post("/collections/aliases", actions(rename))
        .await
        .error(404);
    assert_eq!(text, "Not found: Alias x does not exists!");
    let same = json!([{"create_alias": {"collection_name": "c", "alias_name": "c"}}]);
    server
        .post("/collections/aliases", actions(same))
        .await
        .error(409);
    let gone = json!([{"create_alias": {"collection_name": "none", "alias_name": "b"}}]);
    let text = server
        .post("/collections/aliases", actions(gone))
        .await
        .error(404);
    assert_eq!(text, "Not found: Collection `none` doesn't exist!");
    let twice = json!([{"create_alias": {"collection_name": "a", "alias_name": "b"}}]);
    let text = server
        .post("/collections/aliases", actions(twice))
        .await
        .error(404);
    assert_eq!(
        text, "Not found: Collection `a` doesn't exist!",
        "an alias is none"
    );
    let named = server.put("/collections/a", json!({})).await.error(400);
    assert!(
        named.contains("Alias with the same name already exists"),
        "{named}"
    );
    let delete = json!([{"delete_alias": {"alias_name": "none"}}, {"delete_alias": {"alias_name": "a"}}]);
    server
        .post("/collections/aliases", actions(delete))
        .await
        .result();
    assert_eq!(server.get("/aliases").await.result(), json!({"aliases": []}));
}

#[tokio::test]
async fn payload_indexes_are_told_as_they_were_given() {
    let server = Server::with_points().await;
    let path = "/collections/c/index?wait=true";
    let made = server
        .put(path, json!({"field_name": "n", "field_schema": "integer"}))
        .await;
    assert_eq!(made.result()["status"], "completed");
    let full = json!({"type": "keyword", "is_tenant": true});
    server
        .put(path, json!({"field_name": "word", "field_schema": full}))
        .await
        .result();
    let schema = server.get("/collections/c").await.result()["payload_schema"].clone();
    assert_eq!(
        schema,
        json!({
            "n": {"data_type": "integer", "points": 3},
            "word": {"data_type": "keyword", "params": full, "points": 3},
        })
    );
    let none = server.put(path, json!({"field_name": "n"})).await.error(400);
    assert!(none.starts_with("Bad request: "), "{none}");
    let idle = json!({"type": "integer", "lookup": false, "range": false});
    server
        .put(path, json!({"field_name": "n", "field_schema": idle}))
        .await
        .error(422);
    server
        .put(path, json!({"field_name": "n", "field_schema": "odd"}))
        .await
        .error(400);
    server
        .put(path, json!({"field_name": "", "field_schema": "integer"}))
        .await
        .error(400);
    server
        .put(
            "/collections/none/index",
            json!({"field_name": "n", "field_schema": "integer"}),
        )
        .await
        .error(404);
    let dropped = server.delete("/collections/c/index/n?wait=true").await;
    assert_eq!(dropped.result()["status"], "completed");
    let schema = server.get("/collections/c").await.result()["payload_schema"].clone();
    assert!(schema.get("n").is_none());
}
