//! Writes of points.

use serde_json::{Value, json};

use super::Server;

async fn payload(server: &Server, id: u64) -> Value {
    server.get(&format!("/collections/c/points/{id}")).await.result()["payload"].clone()
}

#[tokio::test]
async fn what_is_not_waited_for_is_acknowledged() {
    let server = Server::with_points().await;
    let point = json!({"points": [{"id": 9, "vector": [0.0, 0.0]}]});
    let answer = server.put("/collections/c/points", point).await.result();
    assert_eq!(answer, json!({"operation_id": 2, "status": "acknowledged"}));
}

#[tokio::test]
async fn points_are_written_in_rows_and_in_columns() {
    let server = Server::with_points().await;
    let path = "/collections/c/points?wait=true&ordering=strong";
    let columns = json!({"batch": {
        "ids": [10, 11],
        "vectors": [[1, 2], [3, 4]],
        "payloads": [{"x": 1}, null],
    }});
    server.put(path, columns).await.result();
    assert_eq!(
        server.get("/collections/c/points/11").await.result(),
        json!({"id": 11, "payload": {}, "vector": [3.0, 4.0]})
    );
    let uneven = json!({"batch": {"ids": [10], "vectors": [[1, 2], [3, 4]]}});
    server.put(path, uneven).await.error(422);
    let neither = server.put(path, json!({"other": []})).await.error(400);
    assert!(neither.starts_with("Format error in JSON body: "), "{neither}");
    let only_new = json!({"points": [{"id": 10, "vector": [9, 9]}], "update_mode": "insert_only"});
    server.put(path, only_new).await.result();
    assert_eq!(payload(&server, 10).await, json!({"x": 1}));
    let condition = json!({"must": [{"key": "x", "match": {"value": 2}}]});
    let guarded = json!({"points": [{"id": 10, "vector": [9, 9]}], "update_filter": condition});
    server.put(path, guarded).await.result();
    assert_eq!(payload(&server, 10).await, json!({"x": 1}));
}

#[tokio::test]
async fn bad_points_are_refused_whether_or_not_they_are_waited_for() {
    let server = Server::with_points().await;
    for path in ["/collections/c/points", "/collections/c/points?wait=true"] {
        let short = json!({"points": [{"id": 1, "vector": [1.0]}]});
        assert_eq!(
            server.put(path, short).await.error(400),
            "Wrong input: Vector dimension error: expected dim: 2, got 1"
        );
        let named = json!({"points": [{"id": 1, "vector": {"other": [1.0, 2.0]}}]});
        assert_eq!(
            server.put(path, named).await.error(400),
            "Wrong input: Not existing vector name error: other"
        );
        for id in [json!("7"), json!(-1), json!(1.5), json!("no")] {
            let body = json!({"points": [{"id": id, "vector": [1, 2]}]});
            let text = server.put(path, body).await.error(400);
            assert!(text.starts_with("Format error in JSON body: "), "{text}");
        }
        let sparse = json!({"s": {"indices": [1, 1], "values": [1, 2]}});
        let text = server
            .put(path, json!({"points": [{"id": 1, "vector": sparse}]}))
            .await
            .error(422);
        assert!(text.contains("vector.?.indices: must be unique"), "{text}");
        let missing = server
            .put(&path.replace("/c/", "/none/"), json!({"points": []}))
            .await;
        assert_eq!(missing.error(404), "Not found: Collection `none` doesn't exist!");
    }
}

#[tokio::test]
async fn payloads_are_set_overwritten_and_deleted() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/payload?wait=true";
    let set = json!({"payload": {"n": null, "new": {"a": 1}}, "points": [1]});
    server.post(path, set).await.result();
    assert_eq!(
        payload(&server, 1).await,
        json!({"word": "owl", "tags": ["a", "b"], "new": {"a": 1}})
    );
    let below = json!({"payload": {"b": 2}, "points": [1], "key": "new"});
    server.post(path, below).await.result();
    assert_eq!(payload(&server, 1).await["new"], json!({"a": 1, "b": 2}));
    let owls = json!({"must": {"key": "word", "match": {"value": "owl"}}});
    server
        .put(path, json!({"payload": {"only": 1}, "filter": owls}))
        .await
        .result();
    assert_eq!(payload(&server, 1).await, json!({"only": 1}));
    assert_eq!(payload(&server, 3).await, json!({"only": 1}));
    let keys = json!({"keys": ["word", "none"], "points": [2]});
    server
        .post("/collections/c/points/payload/delete?wait=true", keys)
        .await
        .result();
    assert_eq!(payload(&server, 2).await, json!({"n": 2, "tags": ["b"]}));
    let clear = json!({"points": [2]});
    server
        .post("/collections/c/points/payload/clear?wait=true", clear)
        .await
        .result();
    assert_eq!(payload(&server, 2).await, json!({}));
    let nobody = server.post(path, json!({"payload": {}})).await.error(400);
    assert!(nobody.starts_with("Format error in JSON body: "), "{nobody}");
    let missing = json!({"payload": {"a": 1}, "points": [77]});
    assert_eq!(
        server.post(path, missing.clone()).await.error(404),
        "Not found: No point with id 77 found"
    );
    let unasked = server
        .post("/collections/c/points/payload", missing)
        .await
        .result();
    assert_eq!(unasked["status"], "acknowledged");
}

#[tokio::test]
async fn vectors_are_updated_and_deleted() {
    let server = Server::new();
    let named =
        json!({"vectors": {"a": {"size": 1, "distance": "Dot"}, "b": {"size": 1, "distance": "Dot"}}});
    server.put("/collections/c", named).await.result();
    let path = "/collections/c/points";
    let points = json!({"points": [{"id": 1, "vector": {"a": [1]}}]});
    server.put(&format!("{path}?wait=true"), points).await.result();
    let update = json!({"points": [{"id": 1, "vector": {"b": [2]}}]});
    server
        .put(&format!("{path}/vectors?wait=true"), update)
        .await
        .result();
    let vector = server.get(&format!("{path}/1")).await.result()["vector"].clone();
    assert_eq!(vector, json!({"a": [1.0], "b": [2.0]}));
    let drop = json!({"vector": ["a"], "points": [1]});
    server
        .post(&format!("{path}/vectors/delete?wait=true"), drop)
        .await
        .result();
    let vector = server.get(&format!("{path}/1")).await.result()["vector"].clone();
    assert_eq!(vector, json!({"b": [2.0]}));
    let unknown = json!({"vector": ["x"], "points": [1]});
    let text = server
        .post(&format!("{path}/vectors/delete?wait=true"), unknown)
        .await
        .error(400);
    assert_eq!(text, "Wrong input: Not existing vector name error: x");
    let empty = json!({"points": [{"id": 1, "vector": {}}]});
    server
        .put(&format!("{path}/vectors?wait=true"), empty)
        .await
        .error(422);
    let nobody = json!({"points": [{"id": 5, "vector": {"a": [1]}}]});
    server
        .put(&format!("{path}/vectors?wait=true"), nobody)
        .await
        .error(404);
    // All vectors gone: an empty map.
    let drop = json!({"vector": ["b"], "points": [1]});
    server
        .post(&format!("{path}/vectors/delete?wait=true"), drop)
        .await
        .result();
    assert_eq!(
        server.get(&format!("{path}/1")).await.result()["vector"],
        json!({})
    );
}

#[tokio::test]
async fn a_batch_is_carried_out_in_order() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/batch?wait=true";
    let operations = json!({"operations": [
        {"upsert": {"points": [{"id": 20, "vector": [1, 1], "payload": {"a": 1}}]}},
        {"set_payload": {"payload": {"b": 2}, "points": [20]}},
        {"delete_payload": {"keys": ["a"], "points": [20]}},
        {"delete": {"points": [1]}},
    ]});
    let results = server.post(path, operations).await.result();
    let ids: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["operation_id"].clone())
        .collect();
    assert_eq!(ids, [2, 3, 4, 5]);
    assert_eq!(payload(&server, 20).await, json!({"b": 2}));
    let broken = json!({"operations": [
        {"delete": {"points": [2]}},
        {"upsert": {"points": [{"id": 1, "vector": [1]}]}},
        {"delete": {"points": [3]}},
    ]});
    server.post(path, broken).await.error(400);
    let left = server
        .post("/collections/c/points", json!({"ids": [2, 3]}))
        .await
        .result();
    assert_eq!(super::ids(&left), [3]);
    server
        .post(path, json!({"operations": [{"explode": {}}]}))
        .await
        .error(400);
}

#[tokio::test]
async fn points_are_deleted_by_id_and_by_filter() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/delete?wait=true";
    server.post(path, json!({"points": [1, 999]})).await.result();
    server
        .post(path, json!({"filter": {"must": [{"has_id": [2]}]}}))
        .await
        .result();
    let count = server
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 2}));
    server.post(path, json!({})).await.error(400);
    server.post(path, json!({"filter": {}})).await.result();
    let count = server
        .post("/collections/c/points/count", json!({}))
        .await
        .result();
    assert_eq!(count, json!({"count": 0}));
}
