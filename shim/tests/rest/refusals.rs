//! What routes refuse, with which status and in which words.

mod parameters;
mod reads;

use serde_json::{Value, json};

use super::Server;

/// A server with a collection `c` of a dense and a sparse vector, a point 1, and an index of integers.
async fn server() -> Server {
    let server = Server::new();
    let create = json!({
        "vectors": {"": {"size": 2, "distance": "Dot"}, "other": {"size": 3, "distance": "Cosine"}},
        "sparse_vectors": {"s": {}},
    });
    server.put("/collections/c", create).await.result();
    let index = json!({"field_name": "n", "field_schema": "integer"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let point = json!({"points": [{"id": 1, "vector": [1, 0], "payload": {"n": 1}}]});
    server
        .put("/collections/c/points?wait=true", point)
        .await
        .result();
    server
}

const FORMAT: &str = "Format error in JSON body: ";
const RANGE: &str = "Validation error in JSON body: [";
const ABOVE_0: &str = "value 0 invalid, must be 1 or larger]";

/// Each body is refused with that status; the text of the error begins so, and has the other part in it.
async fn refused(method: &str, path: &str, cases: Vec<(Value, u16, &str, &str)>) {
    let server = server().await;
    for (body, status, start, part) in cases {
        let answer = server.raw(method, path, body.to_string()).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        let text = answer.error(status);
        assert!(
            text.starts_with(start) && text.contains(part),
            "{method} {path} {body}: {text}"
        );
    }
}

#[tokio::test]
async fn settings() {
    let long = "x".repeat(256);
    refused(
        "PUT",
        "/collections/new",
        vec![
            (json!(1), 400, FORMAT, ""),
            (
                json!({"vectors": {"size": 0, "distance": "Dot"}}),
                400,
                FORMAT,
                "nonzero",
            ),
            (
                json!({"vectors": {"size": 65_537, "distance": "Dot"}}),
                422,
                RANGE,
                "vectors.size: value 65537 invalid",
            ),
            (
                json!({"vectors": {"size": -1, "distance": "Dot"}}),
                400,
                FORMAT,
                "",
            ),
            (json!({"vectors": {"size": 2}}), 400, FORMAT, "distance"),
            (
                json!({"vectors": {"size": 2, "distance": "dot"}}),
                400,
                FORMAT,
                "dot",
            ),
            (
                json!({"vectors": {"size": 2, "distance": "Dot", "datatype": "int4"}}),
                400,
                FORMAT,
                "int4",
            ),
            (
                json!({"vectors": {"size": 2, "distance": "Dot", "memory": "pinned"}}),
                422,
                RANGE,
                "memory",
            ),
            (
                json!({"vectors": {"a/b": {"size": 2, "distance": "Dot"}}}),
                400,
                "Wrong input: ",
                "a/b",
            ),
            (
                json!({"vectors": {long: {"size": 2, "distance": "Dot"}}}),
                400,
                "Wrong input: ",
                "200",
            ),
            (json!({"sparse_vectors": {"": {}}}), 422, RANGE, "empty"),
            (
                json!({"vectors": {"a": {"size": 2, "distance": "Dot"}}, "sparse_vectors": {"a": {}}}),
                400,
                "Wrong input: ",
                "a",
            ),
            (
                json!({"shard_number": 0}),
                422,
                RANGE,
                "shard_number: value 0 invalid, must be 1 or larger",
            ),
            (json!({"replication_factor": 0}), 422, RANGE, ABOVE_0),
            (json!({"write_consistency_factor": 0}), 422, RANGE, ABOVE_0),
            (
                json!({"hnsw_config": {"ef_construct": 3}}),
                422,
                RANGE,
                "must be 4 or larger",
            ),
            (
                json!({"hnsw_config": {"full_scan_threshold": 9}}),
                422,
                RANGE,
                "must be 10 or larger",
            ),
            (json!({"hnsw_config": {"m": -1}}), 400, FORMAT, ""),
            (json!({"wal_config": {"wal_capacity_mb": 0}}), 422, RANGE, ABOVE_0),
            (
                json!({"optimizers_config": {"deleted_threshold": 1.5}}),
                422,
                RANGE,
                "value 1.5 invalid, must be from 0.0 to 1.0",
            ),
            (
                json!({"optimizers_config": {"vacuum_min_vector_number": 99}}),
                422,
                RANGE,
                "must be 100 or larger",
            ),
            (
                json!({"optimizers_config": {"max_segment_size": 0}}),
                422,
                RANGE,
                ABOVE_0,
            ),
            (
                json!({"quantization_config": {"scalar": {"type": "int8", "quantile": 0.4}}}),
                422,
                RANGE,
                "from 0.5 to 1",
            ),
            (
                json!({"quantization_config": {"scalar": {"type": "int4"}}}),
                400,
                FORMAT,
                "int4",
            ),
            (
                json!({"quantization_config": {"product": {}}}),
                400,
                FORMAT,
                "compression",
            ),
            (
                json!({"quantization_config": {"other": {}}}),
                400,
                FORMAT,
                "expected one of `scalar`, `product`, `binary`, `turbo`",
            ),
            (
                json!({"strict_mode_config": {"max_query_limit": 0}}),
                422,
                RANGE,
                ABOVE_0,
            ),
            (
                json!({"strict_mode_config": {"max_resident_memory_percent": 101}}),
                422,
                RANGE,
                "from 1 to 100",
            ),
            (
                json!({"strict_mode_config": {"sparse_config": {"s": {"max_length": 0}}}}),
                422,
                RANGE,
                ABOVE_0,
            ),
            (
                json!({"strict_mode_config": {"multivector_config": {"m": {"max_vectors": 0}}}}),
                422,
                RANGE,
                ABOVE_0,
            ),
        ],
    )
    .await;
    refused(
        "PATCH",
        "/collections/c",
        vec![
            (
                json!({"vectors": {"none": {}}}),
                400,
                "Wrong input: Not existing vector name error: none",
                "",
            ),
            (
                json!({"sparse_vectors": {"none": {}}}),
                400,
                "Wrong input: ",
                "none",
            ),
            (
                json!({"params": {"replication_factor": 0}}),
                400,
                FORMAT,
                "nonzero",
            ),
            (
                json!({"hnsw_config": {"ef_construct": 1}}),
                422,
                RANGE,
                "must be 4 or larger",
            ),
            (json!({"quantization_config": "disabled"}), 400, FORMAT, ""),
        ],
    )
    .await;
    refused(
        "PUT",
        "/collections/c/vectors/new",
        vec![
            (json!({}), 400, FORMAT, ""),
            (
                json!({"dense": {"size": 0, "distance": "Dot"}}),
                422,
                RANGE,
                "dense.size: value 0 invalid, must be from 1 to 65536",
            ),
            (
                json!({"dense": {"size": 65_537, "distance": "Dot"}}),
                422,
                RANGE,
                "dense.size: value 65537 invalid, must be from 1 to 65536",
            ),
            (json!({"sparse": {"modifier": "odd"}}), 400, FORMAT, "odd"),
        ],
    )
    .await;
}

#[tokio::test]
async fn names() {
    let server = server().await;
    let long = format!("/collections/{}", "x".repeat(256));
    for (path, part) in [
        (
            "/collections/a%3Cb",
            "collection_name: collection name cannot contain \"<\" char]",
        ),
        (
            "/collections/a%2Fb",
            "collection_name: collection name cannot contain \"/\" char]",
        ),
        (long.as_str(), "must be from 1 to 255 characters]"),
    ] {
        let text = server.put(path, json!({})).await.error(422);
        let start = "Validation error in path parameters: [";
        assert!(text.starts_with(start) && text.ends_with(part), "{path}: {text}");
    }
    let text = server.get(&long).await.error(422);
    assert!(
        text.starts_with("Validation error in path parameters: ["),
        "{text}"
    );
    let vector = json!({"dense": {"size": 2, "distance": "Dot"}});
    let text = server
        .put("/collections/c/vectors/a%3Ab", vector)
        .await
        .error(422);
    assert_eq!(
        text,
        "Validation error in path parameters: [vector_name: vector name cannot contain \":\" char]"
    );
    // What no new collection could be called is not there.
    server.get("/collections/a%3Cb").await.error(404);
    refused(
        "POST",
        "/collections/aliases",
        vec![
            (json!({}), 400, FORMAT, "actions"),
            (
                json!({"actions": [{"other": {}}]}),
                400,
                FORMAT,
                "expected one of `create_alias`",
            ),
            (
                json!({"actions": [{"create_alias": {"collection_name": "c", "alias_name": "a/b"}}]}),
                422,
                RANGE,
                "actions[0].create_alias.alias_name: collection name cannot contain \"/\" char]",
            ),
            (
                json!({"actions": [{"rename_alias": {"old_alias_name": "a", "new_alias_name": ""}}]}),
                422,
                RANGE,
                "actions[0].rename_alias.new_alias_name: ",
            ),
            (
                json!({"actions": [{"create_alias": {"collection_name": "c", "alias_name": "c"}}]}),
                409,
                "Wrong input: ",
                "already exists",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn writes() {
    const EMPTY: &str = "Bad request: Empty update request";
    const SHARD: &str = "Wrong input: Shard key \"k\" not found";
    let points = "/collections/c/points";
    refused(
        "PUT",
        points,
        vec![
            (json!({}), 400, FORMAT, ""),
            (json!({"points": []}), 400, EMPTY, ""),
            (json!({"batch": {"ids": [], "vectors": []}}), 400, EMPTY, ""),
            (json!({"points": [{"vector": [1, 2]}]}), 400, FORMAT, "id"),
            (json!({"points": [{"id": 1}]}), 400, FORMAT, "vector"),
            (json!({"points": [{"id": 1, "vector": "x"}]}), 400, FORMAT, ""),
            (
                json!({"points": [{"id": 1, "vector": []}]}),
                400,
                "Wrong input: Vector dimension error: ",
                "got 0",
            ),
            (
                json!({"points": [{"id": 1, "vector": [1, 2, 3]}]}),
                400,
                "Wrong input: Vector dimension error: ",
                "got 3",
            ),
            (
                json!({"points": [{"id": 1, "vector": {"none": [1, 2]}}]}),
                400,
                "Wrong input: Not existing vector name",
                "none",
            ),
            (
                json!({"points": [{"id": 1, "vector": {"s": [1, 2]}}]}),
                400,
                "Wrong input: ",
                "",
            ),
            (
                json!({"points": [{"id": 1, "vector": [[1, 2]]}]}),
                400,
                "Wrong input: ",
                "",
            ),
            (
                json!({"points": [{"id": 1, "vector": [[1, 2], [1]]}]}),
                422,
                RANGE,
                "points[0].vector.data: all vectors must have the same dimension, found vector with dimension 1",
            ),
            (
                json!({"points": [{"id": 1, "vector": {"s": {"indices": [1, 1], "values": [1, 2]}}}]}),
                422,
                RANGE,
                "points[0].vector.?.indices: must be unique",
            ),
            (
                json!({"points": [{"id": 1, "vector": {"s": {"indices": [1], "values": [1, 2]}}}]}),
                422,
                RANGE,
                "points[0].vector.?.values: must be the same length as indices",
            ),
            (
                json!({"batch": {"ids": [1], "vectors": [[1, 2]], "payloads": []}}),
                422,
                RANGE,
                "payloads",
            ),
            (
                json!({"points": [{"id": 1, "vector": {}}], "update_mode": "never"}),
                400,
                FORMAT,
                "never",
            ),
            (
                json!({"points": [{"id": 1, "vector": {}}], "update_filter": {"mast": []}}),
                400,
                FORMAT,
                "mast",
            ),
            (
                json!({"points": [{"id": 1, "vector": {}}], "shard_key": "k"}),
                400,
                SHARD,
                "",
            ),
        ],
    )
    .await;
    refused(
        "PUT",
        "/collections/c/points/vectors?wait=true",
        vec![
            (json!({"points": []}), 422, RANGE, "must specify points to update"),
            (
                json!({"points": [{"id": 1, "vector": []}]}),
                422,
                RANGE,
                "must specify vectors to update for point",
            ),
            (
                json!({"points": [{"id": 1, "vector": {}}]}),
                422,
                RANGE,
                "must specify vectors to update for point",
            ),
            (
                json!({"points": [{"id": 9, "vector": [1, 2]}]}),
                404,
                "Not found: No point with id 9 found",
                "",
            ),
        ],
    )
    .await;
    refused(
        "POST",
        "/collections/c/points/vectors/delete",
        vec![
            (json!({"points": [1]}), 400, FORMAT, "vector"),
            (
                json!({"vector": [], "points": [1]}),
                422,
                RANGE,
                "must specify vector names to delete",
            ),
            (
                json!({"vector": ["other"]}),
                400,
                "Bad request: No filter or points provided",
                "",
            ),
            (
                json!({"vector": ["none"], "points": [1]}),
                400,
                "Wrong input: Not existing vector name error: none",
                "",
            ),
        ],
    )
    .await;
    let neither = "Either list of point ids or filter must be provided";
    for (method, path, extra) in [
        (
            "POST",
            "/collections/c/points/payload",
            json!({"payload": {"a": 1}}),
        ),
        (
            "PUT",
            "/collections/c/points/payload",
            json!({"payload": {"a": 1}}),
        ),
        (
            "POST",
            "/collections/c/points/payload/delete",
            json!({"keys": ["a"]}),
        ),
        ("POST", "/collections/c/points/payload/clear", json!({})),
        ("POST", "/collections/c/points/delete", json!({})),
    ] {
        let with = |name: &str, value: Value| {
            let mut body = extra.clone();
            body[name] = value;
            body
        };
        let mut sharded = with("points", json!([1]));
        sharded["shard_key"] = json!(["k"]);
        let cases = vec![
            (extra.clone(), 400, FORMAT, neither),
            (with("points", json!([])), 400, EMPTY, ""),
            (with("points", json!(["x"])), 400, FORMAT, "x"),
            (
                with("filter", json!({"must": [{"key": "a"}]})),
                422,
                RANGE,
                "At least one field condition",
            ),
            (sharded, 400, SHARD, ""),
        ];
        refused(method, path, cases).await;
    }
    refused(
        "POST",
        "/collections/c/points/payload",
        vec![
            (json!({"points": [1]}), 400, FORMAT, "payload"),
            (json!({"payload": 1, "points": [1]}), 400, FORMAT, ""),
            (json!({"payload": {}, "points": [1], "key": ""}), 400, FORMAT, ""),
            (
                json!({"payload": {}, "points": [1], "key": "a..b"}),
                400,
                FORMAT,
                "a..b",
            ),
        ],
    )
    .await;
}
