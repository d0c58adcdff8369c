//! Of what stands in the path and behind it, and of routes that need a cluster.

use serde_json::json;

use super::{FORMAT, server};

#[tokio::test]
async fn parameters() {
    let server = server().await;
    let query = "Validation error in query parameters: [";
    let format = "Format error in query parameters: ";
    for (method, path, body, status, start) in [
        (
            "GET",
            "/collections/c/points/1?consistency=0",
            json!(null),
            422,
            query,
        ),
        (
            "GET",
            "/collections/c/points/1?consistency=some",
            json!(null),
            400,
            format,
        ),
        (
            "GET",
            "/collections/c/points/1?timeout=0",
            json!(null),
            422,
            query,
        ),
        (
            "GET",
            "/collections/c/points/x",
            json!(null),
            400,
            "Wrong input: Can not recognize \"x\" as point id",
        ),
        (
            "GET",
            "/collections/c/points/9",
            json!(null),
            404,
            "Not found: Point with id 9 does not exists!",
        ),
        (
            "POST",
            "/collections/c/points/count?timeout=-1",
            json!({}),
            400,
            format,
        ),
        (
            "PUT",
            "/collections/c/points?ordering=odd",
            json!({"points": []}),
            400,
            format,
        ),
        (
            "PUT",
            "/collections/c/points?wait=2",
            json!({"points": []}),
            400,
            format,
        ),
        (
            "PUT",
            "/collections/c/points?timeout=0",
            json!({"points": []}),
            422,
            query,
        ),
        ("PUT", "/collections/x?timeout=0", json!({}), 422, query),
        ("DELETE", "/collections/c?timeout=0", json!({}), 422, query),
        ("DELETE", "/collections/c/index/n?wait=2", json!({}), 400, format),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_name": "n", "field_schema": null}),
            400,
            "Bad request: ",
        ),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_name": "n", "field_schema": "odd"}),
            400,
            FORMAT,
        ),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_name": "a..b", "field_schema": "float"}),
            400,
            FORMAT,
        ),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_schema": "float"}),
            400,
            FORMAT,
        ),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_name": "n", "field_schema": {"type": "text", "tokenizer": "odd"}}),
            400,
            FORMAT,
        ),
        (
            "DELETE",
            "/collections/c/vectors/none",
            json!({}),
            400,
            "Wrong input: Not existing vector name error: none",
        ),
        ("POST", "/collections/c/cluster", json!({}), 405, ""),
        ("PUT", "/collections/c/shards", json!({}), 405, ""),
        ("POST", "/collections/c/shards/delete", json!({}), 405, ""),
        ("POST", "/cluster/recover", json!({}), 405, ""),
        ("DELETE", "/cluster/peer/1", json!({}), 405, ""),
    ] {
        let answer = server.raw(method, path, body.to_string()).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        let text = answer.error(status);
        assert!(text.starts_with(start), "{method} {path} {body}: {text}");
    }
}
