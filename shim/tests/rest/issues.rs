//! What was slow for want of an index.

use std::time::Duration;

use serde_json::json;
use vdb::Database;
use vdb_qdrant::rest::{RestOptions, router};
use vdb_qdrant::service::{Service, ServiceOptions};

use super::Server;

/// A server to which every call is slow.
async fn slow() -> Server {
    let snapshots = tempfile::tempdir().unwrap();
    let options = ServiceOptions {
        slow: Duration::ZERO,
        ..ServiceOptions::new(snapshots.path())
    };
    let database = Database::builder().open_in_memory().unwrap();
    let server = Server {
        router: router(Service::new(database, options), RestOptions::default()),
        snapshots,
    };
    server.fill().await;
    server
}

#[tokio::test]
async fn fields_without_an_index_are_told_until_they_have_one() {
    let server = slow().await;
    let issues = || async { server.get("/issues").await.result()["issues"].clone() };
    assert_eq!(issues().await, json!([]));
    let filter = json!({"must": [{"key": "word", "match": {"value": "owl"}}]});
    let nested =
        json!({"must": [{"nested": {"key": "n", "filter": {"must": [{"key": "m", "range": {"gt": 1}}]}}}]});
    let query = json!({"prefetch": [{"filter": filter}], "query": [1, 0], "filter": nested});
    server.post("/collections/c/points/query", query).await.result();
    let told = issues().await;
    let ids: Vec<&str> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["UNINDEXED_FIELD/c/n[].m", "UNINDEXED_FIELD/c/word"]);
    assert_eq!(told[1]["related_collection"], "c");
    let ways = told[0]["solution"]["immediate_choice"].as_array().unwrap();
    assert_eq!(ways.len(), 2);
    let action = &told[1]["solution"]["immediate"]["action"];
    assert_eq!(
        action["body"],
        json!({"field_name": "word", "field_schema": "keyword"})
    );
    // What is proposed mends it.
    let uri = action["uri"].as_str().unwrap();
    server
        .put(&format!("{uri}?wait=true"), action["body"].clone())
        .await
        .result();
    assert_eq!(issues().await.as_array().unwrap().len(), 1);
    let count = json!({"filter": {"must": [{"key": "flag", "match": {"value": true}}]}});
    server
        .post("/collections/c/points/count", count.clone())
        .await
        .result();
    let told = issues().await;
    assert_eq!(
        told[0]["solution"]["immediate"]["action"]["body"]["field_schema"],
        "bool"
    );
    assert_eq!(server.delete("/issues").await.result(), true);
    assert_eq!(issues().await, json!([]));
    server.post("/collections/c/points/scroll", count).await.result();
    assert_eq!(issues().await.as_array().unwrap().len(), 1);
    server.delete("/collections/c").await.result();
    assert_eq!(issues().await, json!([]));
}
