//! Every route: the shape of what it answers, and what it refuses.

use serde_json::{Value, json};

use super::Server;
use super::shape::fits;

/// A server with a collection `c` that has all kinds of vectors and indexes, an alias `a` of it, and a collection `d`.
async fn server() -> Server {
    let server = Server::new();
    let create = json!({
        "vectors": {
            "": {"size": 2, "distance": "Dot"},
            "many": {"size": 2, "distance": "Cosine", "multivector_config": {"comparator": "max_sim"}},
            "far": {"size": 2, "distance": "Euclid", "datatype": "float16", "on_disk": true},
        },
        "sparse_vectors": {"s": {"modifier": "idf", "index": {"full_scan_threshold": 100}}},
        "quantization_config": {"scalar": {"type": "int8"}},
        "strict_mode_config": {"enabled": true, "max_query_limit": 10_000},
        "metadata": {"owner": "birds"},
    });
    server.put("/collections/c", create).await.result();
    let other = json!({"vectors": {"size": 2, "distance": "Dot"}});
    server.put("/collections/d", other).await.result();
    let alias = json!({"actions": [{"create_alias": {"collection_name": "c", "alias_name": "a"}}]});
    server.post("/collections/aliases", alias).await.result();
    for (field, schema) in [
        ("n", json!("integer")),
        ("word", json!({"type": "keyword", "is_tenant": true})),
        (
            "text",
            json!({"type": "text", "tokenizer": "word", "stopwords": "english"}),
        ),
        ("f", json!("float")),
        ("yes", json!("bool")),
        ("at", json!("geo")),
        ("when", json!("datetime")),
        ("uuid", json!("uuid")),
    ] {
        let index = json!({"field_name": field, "field_schema": schema});
        server.put("/collections/c/index?wait=true", index).await.result();
    }
    let points = json!({"points": [
        {"id": 1, "vector": {"": [1, 0], "many": [[1, 0], [0, 1]], "far": [1, 1], "s": {"indices": [3, 1], "values": [1, 2]}},
            "payload": {"n": 1, "word": "owl", "text": "the owl sat", "when": "2024-05-01T00:00:00Z", "yes": true}},
        {"id": 2, "vector": {"": [0, 1], "far": [2, 1]}, "payload": {"n": 2, "word": "hawk", "f": 0.5}},
        {"id": "c56a4180-65aa-42ec-a945-5fd21dec0538", "vector": [0.5, 0.5], "payload": {"n": 3, "word": "owl"}},
        {"id": 4, "vector": {}, "payload": {"n": null, "at": {"lon": 1, "lat": 2}}},
    ]});
    server
        .put("/collections/c/points?wait=true", points)
        .await
        .result();
    let one = json!({"points": [{"id": 1, "vector": [1, 0], "payload": {"title": "one"}}]});
    server.put("/collections/d/points?wait=true", one).await.result();
    server
}

fn record() -> Value {
    json!({"id": "id", "payload?": {"*": "any"}, "vector?": "any", "order_value?": "number"})
}

fn hit() -> Value {
    json!({
        "id": "id", "version": "u64", "score": "number", "payload?": {"*": "any"}, "vector?": "any", "order_value?": "number",
    })
}

fn hits() -> Value {
    json!({ "points": [hit()] })
}

fn groups() -> Value {
    json!({"groups": [{"id": "u64|text", "hits": [hit()], "lookup?": record()}]})
}

fn update() -> Value {
    json!({"operation_id": "u64", "status": "text"})
}

fn graph() -> Value {
    json!({
        "m": "u64", "ef_construct": "u64", "full_scan_threshold": "u64", "max_indexing_threads": "u64", "on_disk?": "bool",
        "memory?": "text", "payload_m?": "u64", "inline_storage?": "bool",
    })
}

fn vector() -> Value {
    json!({
        "size": "u64", "distance": "text", "hnsw_config?": "any", "quantization_config?": "any", "on_disk?": "bool",
        "memory?": "text", "datatype?": "text", "multivector_config?": {"comparator": "text"},
    })
}

fn info() -> Value {
    json!({
        "status": "text",
        "optimizer_status": "text",
        "indexed_vectors_count": "u64",
        "points_count": "u64",
        "segments_count": "u64",
        "update_queue": {"length": "u64"},
        "payload_schema": {"*": {"data_type": "text", "params?": {"type": "text", "*": "any"}, "points": "u64"}},
        "config": {
            "params": {
                "vectors": {"*": vector()},
                "sparse_vectors?": {"*": {"modifier?": "text", "index?": {"*": "any"}}},
                "shard_number": "u64",
                "replication_factor": "u64",
                "write_consistency_factor": "u64",
                "on_disk_payload?": "bool",
                "read_fan_out_factor?": "u64",
            },
            "hnsw_config": graph(),
            "optimizer_config": {
                "deleted_threshold": "number", "vacuum_min_vector_number": "u64", "default_segment_number": "u64",
                "max_segment_size": "null|u64", "memmap_threshold": "null|u64", "indexing_threshold": "null|u64",
                "flush_interval_sec": "u64", "max_optimization_threads": "null|u64", "prevent_unoptimized?": "bool",
            },
            "wal_config": {"wal_capacity_mb": "u64", "wal_segments_ahead": "u64", "wal_retain_closed": "u64"},
            "quantization_config": {"scalar": {"type": "text", "*": "any"}},
            "strict_mode_config?": {"*": "any"},
            "metadata?": {"*": "any"},
        },
    })
}

/// A call, and the shape of its result.
type Call = (&'static str, &'static str, Value, Value);

fn reads() -> Vec<Call> {
    let one = "bool";
    vec![
        (
            "GET",
            "/collections",
            json!(null),
            json!({"collections": [{"name": "text"}]}),
        ),
        ("GET", "/collections/c", json!(null), info()),
        ("GET", "/collections/a", json!(null), info()),
        (
            "GET",
            "/collections/c/exists",
            json!(null),
            json!({"exists": one}),
        ),
        (
            "GET",
            "/collections/none/exists",
            json!(null),
            json!({"exists": one}),
        ),
        ("GET", "/aliases", json!(null), aliases()),
        ("GET", "/collections/c/aliases", json!(null), aliases()),
        ("GET", "/collections/none/aliases", json!(null), aliases()),
        (
            "GET",
            "/collections/c/cluster",
            json!(null),
            json!({
                "peer_id": "u64", "shard_count": "u64", "remote_shards": ["any"], "shard_transfers": ["any"],
                "local_shards": [{"shard_id": "u64", "points_count": "u64", "state": "text"}],
            }),
        ),
        (
            "GET",
            "/collections/c/shards",
            json!(null),
            json!({"shard_keys": "null"}),
        ),
        ("GET", "/cluster", json!(null), json!({"status": "text"})),
        ("GET", "/issues", json!(null), json!({"issues": ["any"]})),
        ("GET", "/collections/c/points/1", json!(null), record()),
        (
            "GET",
            "/collections/c/points/1?consistency=majority&timeout=3",
            json!(null),
            record(),
        ),
        (
            "POST",
            "/collections/c/points",
            json!({"ids": [1, 2, 9], "with_vector": ["far"], "with_payload": {"exclude": ["n"]}}),
            json!([record()]),
        ),
        (
            "POST",
            "/collections/c/points/scroll",
            json!({"limit": 1, "filter": {"must_not": {"is_null": {"key": "n"}}}, "offset": null, "order_by": null}),
            json!({"points": [record()], "next_page_offset": "null|id"}),
        ),
        (
            "POST",
            "/collections/c/points/scroll",
            json!({"order_by": {"key": "n", "start_from": 1.5}, "with_vector": true}),
            json!({"points": [record()], "next_page_offset": "null"}),
        ),
        (
            "POST",
            "/collections/c/points/count",
            json!({"exact": false, "filter": null}),
            json!({"count": "u64"}),
        ),
        (
            "POST",
            "/collections/c/facet",
            json!({"key": "word", "exact": true}),
            json!({"hits": [{"value": "text|i64|bool", "count": "u64"}]}),
        ),
        (
            "POST",
            "/collections/c/facet",
            json!({"key": "yes"}),
            json!({"hits": [{"value": "bool", "count": "u64"}]}),
        ),
        (
            "POST",
            "/collections/c/facet",
            json!({"key": "n"}),
            json!({"hits": [{"value": "i64", "count": "u64"}]}),
        ),
        (
            "POST",
            "/collections/c/points/search/matrix/pairs",
            json!({"using": "far"}),
            json!({"pairs": [{"a": "id", "b": "id", "score": "number"}]}),
        ),
        (
            "POST",
            "/collections/c/points/search/matrix/offsets",
            json!({"sample": 2, "limit": 1}),
            json!({"offsets_row": ["u64"], "offsets_col": ["u64"], "scores": ["number"], "ids": ["id"]}),
        ),
        (
            "GET",
            "/collections/c/optimizations?with=queued,completed,idle_segments",
            json!(null),
            optimizations(),
        ),
        ("GET", "/collections/c/snapshots", json!(null), json!(["any"])),
        ("GET", "/snapshots", json!(null), json!(["any"])),
        (
            "GET",
            "/collections/c/shards/0/snapshots",
            json!(null),
            json!(["any"]),
        ),
    ]
}

fn aliases() -> Value {
    json!({"aliases": [{"alias_name": "text", "collection_name": "text"}]})
}

fn optimizations() -> Value {
    let segment = json!({"uuid": "id", "points_count": "u64"});
    json!({
        "summary": {
            "queued_optimizations": "u64", "queued_segments": "u64", "queued_points": "u64", "idle_segments": "u64",
        },
        "running": [{"uuid": "id", "optimizer": "text", "status": "any", "segments": [segment], "progress": "any"}],
        "queued": ["any"],
        "completed": ["any"],
        "idle_segments": [segment],
    })
}

fn queries() -> Vec<Call> {
    let query = |body: Value| ("POST", "/collections/c/points/query", body, hits());
    let prefetch =
        json!([{"query": [1, 0]}, {"query": {"indices": [1], "values": [1]}, "using": "s"}, {"limit": 2}]);
    vec![
        query(json!({})),
        query(
            json!({"query": null, "filter": null, "params": null, "with_payload": null, "with_vector": null}),
        ),
        query(json!({"query": [1, 0], "with_payload": true, "with_vectors": true})),
        query(json!({"query": [[1, 0], [0, 1]], "using": "many", "with_vector": ["many"]})),
        query(
            json!({"query": {"indices": [1], "values": [1]}, "using": "s", "params": {"idf": {"corpus": {}}}}),
        ),
        query(json!({"query": 1, "using": "far", "lookup_from": {"collection": "d", "vector": ""}})),
        query(json!({"query": {"order_by": "n"}, "using": "nothing that is minded"})),
        query(json!({"query": {"sample": "random"}, "score_threshold": 2})),
        query(json!({"prefetch": prefetch, "query": {"fusion": "rrf"}})),
        query(json!({"prefetch": prefetch, "query": {"formula": {"max": ["$score", {"acosh": 2}]}}})),
        query(json!({"prefetch": {"prefetch": prefetch, "query": {"fusion": "dbsf"}}, "query": [1, 0]})),
        (
            "POST",
            "/collections/c/points/query/batch",
            json!({"searches": [{"query": [1, 0]}, {}]}),
            json!([hits()]),
        ),
        (
            "POST",
            "/collections/c/points/query/batch",
            json!({"searches": []}),
            json!([hits()]),
        ),
        (
            "POST",
            "/collections/c/points/query/groups",
            json!({"query": [1, 0], "group_by": "n", "with_lookup": {"collection": "d", "with_vectors": true}}),
            groups(),
        ),
        (
            "POST",
            "/collections/c/points/query/groups",
            json!({"group_by": "word", "with_lookup": null}),
            groups(),
        ),
        (
            "POST",
            "/collections/c/points/search",
            json!({"vector": [1, 0], "top": 2, "offset": null}),
            json!([hit()]),
        ),
        (
            "POST",
            "/collections/c/points/search",
            json!({"vector": {"name": "s", "vector": {"indices": [1], "values": [1]}}, "limit": 2}),
            json!([hit()]),
        ),
        (
            "POST",
            "/collections/c/points/search/batch",
            json!({"searches": [{"vector": [1, 0], "limit": 1}]}),
            json!([[hit()]]),
        ),
        (
            "POST",
            "/collections/c/points/search/groups",
            json!({"vector": [1, 0], "group_by": "word", "limit": 2, "group_size": 1}),
            groups(),
        ),
        (
            "POST",
            "/collections/c/points/recommend",
            json!({"positive": [1, [0, 1]], "negative": [], "limit": 2, "strategy": "best_score"}),
            json!([hit()]),
        ),
        (
            "POST",
            "/collections/c/points/recommend/batch",
            json!({"searches": [{"positive": [1], "limit": 2}]}),
            json!([[hit()]]),
        ),
        (
            "POST",
            "/collections/c/points/recommend/groups",
            json!({"positive": [1], "group_by": "n", "limit": 2, "group_size": 1}),
            groups(),
        ),
        (
            "POST",
            "/collections/c/points/discover",
            json!({"target": 1, "context": [{"positive": 1, "negative": 2}], "limit": 3, "score_threshold": 1e9}),
            json!([hit()]),
        ),
        (
            "POST",
            "/collections/c/points/discover/batch",
            json!({"searches": [{"context": [{"positive": 1, "negative": 2}], "limit": 3}]}),
            json!([[hit()]]),
        ),
    ]
}

fn writes() -> Vec<Call> {
    let w = update;
    vec![
        (
            "PUT",
            "/collections/c/points",
            json!({"points": [{"id": 7, "vector": [1, 1]}]}),
            w(),
        ),
        (
            "PUT",
            "/collections/c/points?wait=true&ordering=medium&timeout=5",
            json!({"batch": {"ids": [8, 9], "vectors": {"far": [[1, 1], [2, 2]], "": [[1, 0], [0, 1]]}, "payloads": [null, {}]}}),
            w(),
        ),
        (
            "PUT",
            "/collections/c/points?wait=true",
            json!({"batch": {"ids": [10], "vectors": {"many": [[[1, 0]]]}}, "update_mode": "upsert", "update_filter": null}),
            w(),
        ),
        (
            "PUT",
            "/collections/c/points/vectors",
            json!({"points": [{"id": 7, "vector": {"far": [0, 0]}}]}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/vectors/delete",
            json!({"vector": ["far"], "points": [7]}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/payload",
            json!({"payload": {"x": 1}, "points": [7], "key": "deep.er"}),
            w(),
        ),
        (
            "PUT",
            "/collections/c/points/payload",
            json!({"payload": {"x": 1}, "filter": {}, "key": "no.thing"}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/payload/delete",
            json!({"keys": ["x", "a.b"], "points": [7]}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/payload/clear",
            json!({"points": [7]}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/delete",
            json!({"filter": {"must": [{"has_id": [7]}]}}),
            w(),
        ),
        (
            "POST",
            "/collections/c/points/batch?wait=true",
            json!({"operations": [
                {"upsert": {"points": [{"id": 7, "vector": {}}]}},
                {"upsert": {"batch": {"ids": [8], "vectors": [[1, 1]]}}},
                {"update_vectors": {"points": [{"id": 7, "vector": {"far": [0, 1]}}]}},
                {"delete_vectors": {"points": [7], "vector": ["far"]}},
                {"set_payload": {"payload": {"a": 1}, "points": [7]}},
                {"overwrite_payload": {"payload": {"b": 1}, "filter": {}}},
                {"delete_payload": {"keys": ["b"], "points": [7]}},
                {"clear_payload": {"filter": {}}},
                {"delete": {"points": [7]}},
            ]}),
            json!([update()]),
        ),
        (
            "POST",
            "/collections/c/points/batch",
            json!({"operations": []}),
            json!([update()]),
        ),
        (
            "PUT",
            "/collections/c/index?wait=true",
            json!({"field_name": "a.b[].c", "field_type": "keyword"}),
            w(),
        ),
        ("DELETE", "/collections/c/index/a.b[].c", json!(null), w()),
        ("DELETE", "/collections/c/index/none", json!(null), w()),
        (
            "PUT",
            "/collections/c/vectors/new",
            json!({"dense": {"size": 3, "distance": "Cosine", "datatype": null}}),
            w(),
        ),
        (
            "PUT",
            "/collections/c/vectors/thin?wait=true",
            json!({"sparse": {"modifier": "idf"}}),
            w(),
        ),
        ("DELETE", "/collections/c/vectors/new", json!(null), w()),
        (
            "PATCH",
            "/collections/c?timeout=5",
            json!({
                "vectors": {"": {"hnsw_config": {"m": 8}, "quantization_config": "Disabled"}, "far": {"on_disk": false}},
                "sparse_vectors": {"s": {"index": {"on_disk": true}}},
                "optimizers_config": {"max_optimization_threads": "auto"},
                "hnsw_config": {"ef_construct": 50}, "params": {"replication_factor": 1, "read_fan_out_factor": 0},
                "metadata": {"owner": null},
            }),
            json!("bool"),
        ),
        ("GET", "/collections/c", json!(null), info()),
        (
            "POST",
            "/collections/aliases",
            json!({"actions": [{"delete_alias": {"alias_name": "a"}}]}),
            json!("bool"),
        ),
        (
            "POST",
            "/collections/aliases",
            json!({"actions": []}),
            json!("bool"),
        ),
        ("DELETE", "/issues", json!(null), json!("bool")),
        ("DELETE", "/collections/d", json!(null), json!("bool")),
        ("DELETE", "/collections/none", json!(null), json!("bool")),
    ]
}

async fn call(server: &Server, method: &str, path: &str, body: &Value) -> super::Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    server.raw(method, path, body).await
}

#[tokio::test]
async fn every_route_answers_in_its_shape() {
    let server = server().await;
    for one in reads().into_iter().chain(queries()).chain(writes()) {
        let what = format!("{} {} {}", one.0, one.1, one.2);
        let answer = call(&server, one.0, one.1, &one.2).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        fits(&one.3, &answer.result(), &what);
    }
}

#[tokio::test]
async fn a_collection_that_is_not_there_is_not_found_on_any_route() {
    let server = server().await;
    for (method, path, body, _) in reads().into_iter().chain(queries()).chain(writes()) {
        // These two answer for what is not there.
        let answers = path.ends_with("/exists") || path.ends_with("/aliases");
        let Some(rest) = path.strip_prefix("/collections/c").filter(|_| !answers) else {
            continue;
        };
        let what = format!("{method} {path} {body}");
        let answer = call(&server, method, &format!("/collections/none{rest}"), &body).await;
        assert_eq!(answer.status, 404, "{what}: {}", answer.text());
        let text = answer.error(404);
        assert_eq!(text, "Not found: Collection `none` doesn't exist!", "{what}");
    }
}
