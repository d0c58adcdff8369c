//! What is passed over, and what is refused in which words.

use serde_json::{Value, json};

use super::{Server, ids};

async fn payload(server: &Server, id: u64) -> Value {
    server.get(&format!("/collections/c/points/{id}")).await.result()["payload"].clone()
}

#[tokio::test]
async fn points_that_are_there_are_written_beside_those_that_are_not() {
    let server = Server::with_points().await;
    let path = "/collections/c/points";
    let set = |x: u64| json!({"payload": {"x": x}, "points": [77, 1, 78]});
    let missing = "Not found: No point with id 77 found";
    let waited = server.post(&format!("{path}/payload?wait=true"), set(1)).await;
    assert_eq!(waited.error(404), missing);
    assert_eq!(payload(&server, 1).await["x"], 1);
    let unasked = server.post(&format!("{path}/payload"), set(2)).await.result();
    assert_eq!(unasked["status"], "acknowledged");
    let vectors = json!({"points": [{"id": 77, "vector": [1, 1]}, {"id": 2, "vector": [7, 7]}]});
    let updated = server.put(&format!("{path}/vectors?wait=true"), vectors).await;
    assert_eq!(updated.error(404), missing);
    assert_eq!(payload(&server, 1).await["x"], 2);
    let two = server.get(&format!("{path}/2")).await.result();
    assert_eq!(two["vector"], json!([7.0, 7.0]));
    let drop = json!({"vector": [""], "points": [77, 3]});
    let dropped = server
        .post(&format!("{path}/vectors/delete?wait=true"), drop)
        .await;
    assert_eq!(dropped.error(404), missing);
    assert_eq!(
        server.get(&format!("{path}/3")).await.result()["vector"],
        json!({})
    );
}

#[tokio::test]
async fn vectors_are_deleted_of_ids_and_of_what_a_filter_finds() {
    let server = Server::with_points().await;
    let path = "/collections/c/points";
    let delete = format!("{path}/vectors/delete?wait=true");
    let neither = server.post(&delete, json!({"vector": [""]})).await.error(400);
    assert_eq!(neither, "Bad request: No filter or points provided");
    let hawks = json!({"must": {"key": "word", "match": {"value": "hawk"}}});
    let both = json!({"vector": [""], "points": [1], "filter": hawks});
    server.post(&delete, both).await.result();
    for (id, vector) in [(1, json!({})), (2, json!({})), (3, json!([0.1, 0.9]))] {
        let found = server.get(&format!("{path}/{id}")).await.result();
        if id < 3 {
            assert_eq!(found["vector"], vector, "{id}");
        } else {
            assert!(found["vector"].is_array());
        }
    }
}

#[tokio::test]
async fn keys_that_are_not_known_are_not_minded() {
    let server = Server::with_points().await;
    let batch = json!({"operations": [{"clear_payload": {"points": [1]}, "more": 1}]});
    server
        .post("/collections/c/points/batch?wait=true", batch)
        .await
        .result();
    assert_eq!(payload(&server, 1).await, json!({}));
    let none = json!({"operations": [{"more": 1}]});
    server.post("/collections/c/points/batch", none).await.error(400);
    let foreign =
        json!({"type": "keyword", "lookup": false, "range": false, "lowercase": "x", "tokenizer": 1});
    let index = json!({"field_name": "k", "field_schema": foreign});
    server.put("/collections/c/index?wait=true", index).await.result();
    let told = server.get("/collections/c").await.result();
    assert_eq!(told["payload_schema"]["k"]["params"], json!({"type": "keyword"}));
    let index = json!({"field_name": "n", "field_schema": {"type": "integer", "more": 1}});
    server.put("/collections/c/index?wait=true", index).await.result();
    // Nor are options of other kinds of indexes.
    let index = json!({"field_name": "word", "field_schema": {"type": "keyword", "range": false, "tokenizer": "word"}});
    server.put("/collections/c/index?wait=true", index).await.result();
    let info = server.get("/collections/c").await.result();
    assert_eq!(
        info["payload_schema"]["word"]["params"],
        json!({"type": "keyword"})
    );
    let codes = json!({"vectors": {"size": 2, "distance": "Dot"}, "quantization_config": {"binary": {}, "always_ram": true}});
    server.put("/collections/coded", codes).await.result();
    let alias =
        json!({"actions": [{"create_alias": {"collection_name": "c", "alias_name": "other"}, "more": 1}]});
    server.post("/collections/aliases", alias).await.result();
    let vector = json!({"dense": {"size": 2, "distance": "Dot"}, "more": 1});
    server.put("/collections/c/vectors/more", vector).await.result();
    let groups = json!({"query": [1, 0], "group_by": "word", "offset": 1});
    let groups = server
        .post("/collections/c/points/query/groups", groups)
        .await
        .result();
    let hits: usize = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| ids(&group["hits"]).len())
        .sum();
    assert_eq!(hits, 2);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_its_place() {
    let server = Server::with_points().await;
    let id = server.get("/collections/c/points/abc").await.error(400);
    assert_eq!(id, "Wrong input: Can not recognize \"abc\" as point id");
    let sparse = json!({"batch": {"ids": [1], "vectors": {"s": [{"indices": [1, 1], "values": [1, 2]}]}}});
    let sparse = server.put("/collections/c/points", sparse).await.error(422);
    assert!(
        sparse.contains("batch.vectors.?.indices: must be unique"),
        "{sparse}"
    );
    let name = server.get("/collections/a%2Fb").await.error(422);
    assert!(
        name.starts_with("Validation error in path parameters: [collection_name: "),
        "{name}"
    );
    let model = json!({"points": [{"id": 1, "vector": {"text": "owl", "model": ""}}]});
    server.put("/collections/c/points", model).await.error(422);
    let batch = json!({"operations": [
        {"upsert": {"points": [{"id": 1, "vector": [1, 0]}]}},
        {"update_vectors": {"points": []}},
    ]});
    let batch = server.post("/collections/c/points/batch", batch).await.error(422);
    assert_eq!(
        batch,
        "Validation error in JSON body: [operations[1].update_vectors.points: must specify points to update]"
    );
    let filter = json!({"operations": [{"delete": {"filter": {"must": [{"key": "k"}]}}}]});
    let filter = server
        .post("/collections/c/points/batch", filter)
        .await
        .error(422);
    assert!(
        filter.contains("[operations[0].delete.filter.must[0]: At least"),
        "{filter}"
    );
    let formula = json!({"prefetch": {"query": [1, 0]}, "query": {"formula": {"sum": [1, {"key": "k"}]}}});
    let formula = server
        .post("/collections/c/points/query", formula)
        .await
        .error(422);
    assert!(
        formula.contains("[internal.query.formula.sum[1]: At least"),
        "{formula}"
    );
}

#[tokio::test]
async fn shapes_that_are_not_known_are_told_in_words_of_the_interface() {
    let server = Server::with_points().await;
    let order = |order: Value| ("points/scroll", json!({ "order_by": order }));
    let defaults =
        json!({"prefetch": {"query": [1, 0]}, "query": {"formula": "zz", "defaults": {"zz": "x"}}});
    for ((path, body), part) in [
        (order(json!({"key": "n", "direction": "DESC"})), "`asc` or `desc`"),
        (
            (
                "points/query/groups",
                json!({"query": [1, 0], "group_by": "n", "with_lookup": {}}),
            ),
            "the name of a collection",
        ),
        (
            ("points/scroll", json!({"shard_key": {}})),
            "expected a shard key",
        ),
        (
            ("points/scroll", json!({"with_vector": 5})),
            "a list of names of vectors",
        ),
        (
            ("points/query", json!({"query": {"indices": [-1], "values": [1]}})),
            "`-1`, expected u32",
        ),
        (("points/query", defaults), "the default of zz must be a number"),
    ] {
        let text = server
            .post(&format!("/collections/c/{path}"), body)
            .await
            .error(400);
        assert!(text.contains(part), "{text}");
        assert!(
            !text.contains("untagged enum") && !text.contains("Payload("),
            "{text}"
        );
    }
    let create = json!({"vectors": {"size": 2, "distance": "Dot"}, "quantization_config": 5});
    let text = server.put("/collections/q", create).await.error(400);
    assert!(
        text.contains("one of `scalar`, `product`") && !text.contains("Given"),
        "{text}"
    );
}

#[tokio::test]
async fn a_prefetch_without_a_query_is_points_in_the_order_of_their_ids() {
    let server = Server::with_points().await;
    let prefetch = json!({"prefetch": {"limit": 3}, "query": [0, 1]});
    let found = server
        .post("/collections/c/points/query", prefetch)
        .await
        .result();
    assert_eq!(ids(&found["points"]), [3, 2, 1]);
}

#[tokio::test]
async fn nested_prefetches_are_read_in_a_moment_or_refused() {
    let server = Server::with_points().await;
    let nested = |levels: usize, bottom: Value| {
        (0..levels).fold(bottom, |inner, _| json!({"prefetch": [inner], "query": [1, 0]}))
    };
    let path = "/collections/c/points/query";
    let wrong = nested(50, json!({"query": [1, 0], "limit": "many"}));
    server.post(path, wrong).await.error(400);
    server.post(path, nested(60, json!([[[1]]]))).await.error(400);
    // One object needs fewer levels of JSON than a list of one.
    let deep = (0..70).fold(
        json!({"query": [1, 0]}),
        |inner, _| json!({"prefetch": inner, "query": [1, 0]}),
    );
    server.post(path, deep).await.error(400);
    server
        .post(path, nested(5, json!({"query": [1, 0]})))
        .await
        .result();
}

#[tokio::test]
async fn quotas_are_told_again() {
    let server = Server::new();
    let config = |quotas: Value| quotas["config"].clone();
    let quotas = || server.get("/quotas");
    assert_eq!(config(quotas().await.result()), json!({"enabled": false}));
    let limits = json!({"max_disk_usage_percent": 90});
    assert_eq!(server.put("/quotas", limits).await.result(), true);
    let told = json!({"enabled": false, "max_disk_usage_percent": 90});
    assert_eq!(config(quotas().await.result()), told);
    server
        .put("/quotas", json!({"max_disk_usage_percent": 0}))
        .await
        .error(422);
    assert_eq!(config(quotas().await.result()), told);
    for path in [
        "/cluster/telemetry",
        "/cluster/metadata/keys",
        "/cluster/metadata/keys/a",
    ] {
        server.get(path).await.error(405);
    }
    let telemetry = server.get("/telemetry?details_level=1").await.result();
    assert_eq!(telemetry["quota"]["config"], told);
    assert!(telemetry["hardware"]["collection_data"].is_object());
}
