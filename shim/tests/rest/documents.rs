//! Texts in the place of vectors.

use serde_json::{Value, json};

use super::{Server, ids};

async fn server() -> Server {
    let server = Server::new();
    let create = json!({"sparse_vectors": {"s": {"modifier": "idf"}}});
    server.put("/collections/c", create).await.result();
    server
}

fn text(text: &str) -> Value {
    json!({"text": text, "model": "qdrant/bm25"})
}

#[tokio::test]
async fn texts_are_written_and_found_by_every_call_that_takes_them() {
    let server = server().await;
    let rows = json!({"points": [
        {"id": 1, "vector": {"s": text("a red fox")}},
        {"id": 2, "vector": {"s": text("a grey owl")}},
    ]});
    server.put("/collections/c/points?wait=true", rows).await.result();
    let columns = json!({"batch": {"ids": [3], "vectors": {"s": [text("a grey heron")]}}});
    server
        .put("/collections/c/points?wait=true", columns)
        .await
        .result();
    let change = json!({"points": [{"id": 2, "vector": {"s": text("a brown owl")}}]});
    let batch = json!({"operations": [
        {"upsert": {"points": [{"id": 4, "vector": {"s": text("a brown bear")}}]}},
        {"update_vectors": change},
    ]});
    server
        .post("/collections/c/points/batch?wait=true", batch)
        .await
        .result();
    let path = |path: &str| format!("/collections/c/points/{path}");
    let query = |query: Value| json!({"query": query, "using": "s"});
    for (asked, found) in [
        (query(text("foxes")), vec![1]),
        (query(json!({"nearest": text("heron")})), vec![3]),
        (query(json!({"recommend": {"positive": [text("owls")]}})), vec![2]),
        (
            json!({"prefetch": [query(text("bears"))], "query": {"fusion": "rrf"}}),
            vec![4],
        ),
        (query(text("grey")), vec![3]),
    ] {
        let points = server.post(&path("query"), asked.clone()).await.result();
        assert_eq!(ids(&points["points"]), found, "{asked}");
    }
    let searches = json!({"searches": [query(text("foxes")), query(text("owls"))]});
    let answers = server.post(&path("query/batch"), searches).await.result();
    assert_eq!(ids(&answers[0]["points"]), [1]);
    assert_eq!(ids(&answers[1]["points"]), [2]);
    let recommend = json!({"positive": [text("owls")], "using": "s", "limit": 2});
    assert_eq!(
        ids(&server.post(&path("recommend"), recommend).await.result()),
        [2]
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_text_is_told() {
    let server = server().await;
    let path = "/collections/c/points/query";
    let query =
        |options: Value| json!({"query": {"text": "a", "model": "bm25", "options": options}, "using": "s"});
    for (options, part) in [
        (json!({"language": "klingon"}), "klingon"),
        (json!({"stopwords": 5}), "expected the name of a language"),
        (json!({"k": -1}), "k"),
    ] {
        let text = server.post(path, query(options)).await.error(400);
        assert!(
            text.starts_with("Wrong input: options: ") && text.contains(part) && !text.contains("Given"),
            "{text}"
        );
    }
    let nothing = json!({"query": {"text": "a", "model": ""}});
    let text = server.post(path, nothing).await.error(422);
    assert!(text.contains("internal.query.model: must not be empty"), "{text}");
}

#[tokio::test]
async fn there_may_not_be_too_many_searches_whatever_they_ask_for() {
    let server = server().await;
    // Nothing is made of their texts: that would fail.
    let search = json!({"query": {"text": "a", "model": "bm25", "options": {"k": -1}}});
    let searches = vec![search; vdb::MAX_BATCH_REQUESTS + 1];
    let text = server
        .post(
            "/collections/c/points/query/batch",
            json!({ "searches": searches }),
        )
        .await
        .error(400);
    assert_eq!(
        text,
        "Wrong input: too large: requests in one batch: at most 65536, got 65537"
    );
}
