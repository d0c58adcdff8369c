//! What strict mode refuses, in which words.

use serde_json::{Value, json};

use super::Server;

/// A server whose collection is held to these limits.
async fn held_to(mut limits: Value) -> Server {
    let server = Server::with_points().await;
    limits["enabled"] = true.into();
    let update = json!({"strict_mode_config": limits});
    server.patch("/collections/c", update).await.result();
    server
}

#[track_caller]
fn begins(text: &str, with: &str) {
    assert!(text.starts_with(with), "{text}");
}

#[tokio::test]
async fn nothing_is_exact_where_that_is_not_allowed() {
    let server = held_to(json!({"search_allow_exact": false})).await;
    let refused = "Exact search disabled!. Help: Set exact=false.";
    let query = json!({"query": [1, 0], "params": {"exact": true}});
    let path = "/collections/c/points/query";
    assert_eq!(server.post(path, query).await.error(400), refused);
    server.post(path, json!({"query": [1, 0]})).await.result();
    // Counts are exact unless that is not asked for; values are the other way round.
    let path = "/collections/c/points/count";
    assert_eq!(server.post(path, json!({})).await.error(400), refused);
    let about = server.post(path, json!({"exact": false})).await.result();
    assert_eq!(about["count"], 4);
    let index = json!({"field_name": "word", "field_schema": "keyword"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let path = "/collections/c/facet";
    server.post(path, json!({"key": "word"})).await.result();
    let exactly = json!({"key": "word", "exact": true});
    assert_eq!(server.post(path, exactly).await.error(400), refused);
    // A vector that is to have no graph can only be searched exactly.
    let graph = json!({"hnsw_config": {"m": 0}});
    server.patch("/collections/c", graph).await.result();
    let scan = server
        .post("/collections/c/points/query", json!({"query": [1, 0]}))
        .await
        .error(400);
    begins(
        &scan,
        "Request is forbidden because global vector indexing is disabled (hnsw_config.m = 0). Help: ",
    );
}

#[tokio::test]
async fn filters_are_not_too_large_before_they_have_indexes() {
    let limits =
        json!({"filter_max_conditions": 1, "condition_max_size": 2, "unindexed_filtering_retrieve": false});
    let server = held_to(limits).await;
    let count = |filter: Value| {
        let server = &server;
        async move {
            let body = json!({ "filter": filter });
            server.post("/collections/c/points/count", body).await.error(400)
        }
    };
    let owl = json!({"key": "word", "match": {"value": "owl"}});
    let two = count(json!({"must": [owl, owl]})).await;
    assert_eq!(
        two,
        "Filter condition limit reached (2 > 1). Help: Reduce the amount of conditions of your filter."
    );
    let long = count(json!({"must": [{"has_id": [1, 2, 3]}]})).await;
    assert_eq!(
        long,
        "Condition size limit reached (3 > 2). Help: Reduce the size of your condition."
    );
    let bare = count(json!({"must": [owl]})).await;
    assert_eq!(
        bare,
        "Index required but not found for \"word\" of one of the following types: [keyword]. Help: Create an index for this key or use a different filter."
    );
    let range = count(json!({"must": [{"key": "n", "range": {"gt": 1}}]})).await;
    begins(
        &range,
        "Index required but not found for \"n\" of one of the following types: [float, integer]. ",
    );
    let groups = json!({"query": [1, 0], "group_by": "word"});
    let groups = server
        .post("/collections/c/points/query/groups", groups)
        .await
        .error(400);
    assert_eq!(
        groups,
        "Index required but not found for \"word\". Help: Create an index supporting `match` for this key."
    );
}

#[tokio::test]
async fn requests_are_not_too_large() {
    let server = held_to(json!({"upsert_max_batchsize": 1, "search_max_batchsize": 1})).await;
    let point = |id: u64| json!({"id": id, "vector": [1, 0]});
    let two = json!({"points": [point(1), point(2)]});
    begins(
        &server.put("/collections/c/points", two.clone()).await.error(400),
        "Limit exceeded 2 > 1 for \"upsert limit\". Help: ",
    );
    begins(
        &server.put("/collections/c/points/vectors", two).await.error(400),
        "Limit exceeded 2 > 1 for \"update limit\". Help: ",
    );
    let searches = json!({"searches": [{"query": [1, 0]}, {"query": [1, 0]}]});
    begins(
        &server
            .post("/collections/c/points/query/batch", searches)
            .await
            .error(400),
        "Limit exceeded 2 > 1 for \"search batch size\". Help: ",
    );
    let server = held_to(json!({"max_collection_vector_size_bytes": 8})).await;
    begins(
        &server
            .put("/collections/c/points", json!({"points": [point(1)]}))
            .await
            .error(400),
        "Max vector storage size limit of 0.0000076293945MB reached!",
    );
}
