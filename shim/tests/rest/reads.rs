//! Points by id, pages, counts, facets, matrices.

use serde_json::{Value, json};

use super::{Server, ids};

const UUID: &str = "c56a4180-65aa-42ec-a945-5fd21dec0538";

#[tokio::test]
async fn points_are_got_by_id() {
    let server = Server::with_points().await;
    let one = server.get("/collections/c/points/2").await.result();
    let payload = json!({"n": 2, "word": "hawk", "tags": ["b"]});
    // Numbers of four bytes are written as such.
    assert_eq!(
        one.to_string(),
        json!({"id": 2, "payload": payload, "vector": [0.8, 0.1]}).to_string()
    );
    let simple = UUID.replace('-', "").to_uppercase();
    let uuid = server
        .get(&format!("/collections/c/points/{simple}"))
        .await
        .result();
    assert_eq!(uuid["id"], UUID);
    assert_eq!(
        server.get("/collections/c/points/77").await.error(404),
        "Not found: Point with id 77 does not exists!"
    );
    server.get("/collections/c/points/nonsense").await.error(400);
    server.get("/collections/none/points/1").await.error(404);
    let many = json!({"ids": [3, 77, 1, 3], "with_payload": ["word"], "with_vector": true});
    let many = server.post("/collections/c/points", many).await.result();
    assert_eq!(ids(&many), [3, 1]);
    assert_eq!(many[0]["payload"], json!({"word": "owl"}));
    assert_eq!(many[1]["vector"], json!([1.0, 0.0]));
    let bare = server
        .post("/collections/c/points", json!({"ids": [1]}))
        .await
        .result();
    assert_eq!(bare, json!([{"id": 1}]));
    let odd = json!({"ids": [1], "with_payload": {"include": ["n"], "other": 1}});
    server.post("/collections/c/points", odd).await.error(400);
}

#[tokio::test]
async fn an_index_of_uuids_knows_them_in_every_spelling() {
    let server = Server::with_points().await;
    let upper = UUID.to_uppercase();
    let simple = UUID.replace('-', "");
    let points = json!({"points": [
        {"id": 11, "vector": [1, 1], "payload": {"of": UUID}},
        {"id": 12, "vector": [1, 1], "payload": {"of": upper}},
        {"id": 13, "vector": [1, 1], "payload": {"of": ["owl", format!("urn:uuid:{UUID}")]}},
        {"id": 14, "vector": [1, 1], "payload": {"of": "owl"}},
    ]});
    let path = "/collections/c/points";
    server.put(&format!("{path}?wait=true"), points).await.result();
    let found = async |kind: &str, wanted: Value| {
        let filter = json!({"must": [{"key": "of", "match": {kind: wanted}}]});
        let page = server
            .post(&format!("{path}/scroll"), json!({ "filter": filter }))
            .await;
        ids(&page.result()["points"])
    };
    assert_eq!(found("value", json!(upper)).await, [12], "texts");
    let index = json!({"field_name": "of", "field_schema": "uuid"});
    server.put("/collections/c/index?wait=true", index).await.result();
    for wanted in [UUID, &upper, &simple, &format!("{{{UUID}}}")] {
        assert_eq!(found("value", json!(wanted)).await, [11, 12, 13], "{wanted}");
        assert_eq!(found("any", json!([wanted])).await, [11, 12, 13], "{wanted}");
        assert_eq!(found("except", json!([wanted])).await, [13, 14], "{wanted}");
    }
    assert_eq!(found("value", json!("owl")).await, [13, 14]);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/scroll";
    let first = server.post(path, json!({"limit": 2})).await.result();
    assert_eq!(ids(&first["points"]), [1, 2]);
    assert_eq!(first["next_page_offset"], 3);
    assert!(first["points"][0].get("payload").is_some() && first["points"][0].get("vector").is_none());
    let last = server
        .post(path, json!({"limit": 2, "offset": 3, "with_payload": false}))
        .await
        .result();
    assert_eq!(last["points"], json!([{"id": 3}, {"id": UUID}]));
    assert_eq!(
        last.as_object().unwrap().get("next_page_offset"),
        Some(&Value::Null)
    );
    let all = server.post(path, json!({"limit": u64::MAX})).await.result();
    assert_eq!(ids(&all["points"]).len(), 4);
    let order = json!({"order_by": "n"});
    assert!(
        server
            .post(path, order.clone())
            .await
            .error(400)
            .contains("order_by")
    );
    let index = json!({"field_name": "n", "field_schema": "integer"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let down = json!({"order_by": {"key": "n", "direction": "desc", "start_from": 2}, "with_payload": false});
    let down = server.post(path, down).await.result();
    assert_eq!(
        down["points"],
        json!([{"id": 2, "order_value": 2}, {"id": 1, "order_value": 1}])
    );
    assert_eq!(down["next_page_offset"], Value::Null);
    server
        .post(path, json!({"order_by": "n", "offset": 1}))
        .await
        .error(400);
}

#[tokio::test]
async fn filters_narrow_what_is_read() {
    let server = Server::with_points().await;
    let count = |filter: Value| {
        let body = json!({ "filter": filter });
        async { server.post("/collections/c/points/count", body).await }
    };
    let owls = json!({"must": [{"key": "word", "match": {"value": "owl"}}]});
    assert_eq!(count(owls).await.result(), json!({"count": 2}));
    let uuid = json!({"must": [{"has_id": [UUID, 1]}]});
    assert_eq!(count(uuid).await.result(), json!({"count": 2}));
    assert_eq!(count(json!({})).await.result(), json!({"count": 4}));
    count(json!({"must": [{"key": "word"}]})).await.error(422);
    let text = count(json!({"must": [{"odd": 1}]})).await.error(400);
    assert!(text.starts_with("Format error in JSON body: "), "{text}");
    count(json!({"unknown": []})).await.error(400);
    let about = json!({"exact": false});
    let about = server.post("/collections/c/points/count", about).await.result();
    assert_eq!(about, json!({"count": 4}));
}

#[tokio::test]
async fn values_are_counted() {
    let server = Server::with_points().await;
    let path = "/collections/c/facet";
    let text = server.post(path, json!({"key": "word"})).await.error(400);
    assert!(text.contains("word"), "{text}");
    let index = json!({"field_name": "word", "field_schema": "keyword"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let hits = server.post(path, json!({"key": "word"})).await.result();
    let expected = json!({"hits": [{"value": "owl", "count": 2}, {"value": "hawk", "count": 1}]});
    assert_eq!(hits, expected);
    server
        .post(path, json!({"key": "word", "limit": 0}))
        .await
        .error(422);
    server.post(path, json!({})).await.error(400);
}

#[tokio::test]
async fn points_are_compared_with_each_other() {
    let server = Server::with_points().await;
    let path = "/collections/c/points/search/matrix";
    let body = json!({"sample": 10, "limit": 1, "filter": {"must": [{"has_id": [1, 2]}]}});
    let pairs = server.post(&format!("{path}/pairs"), body.clone()).await.result();
    let expected = json!({"pairs": [{"a": 1, "b": 2, "score": 0.8}, {"a": 2, "b": 1, "score": 0.8}]});
    assert_eq!(pairs.to_string(), expected.to_string());
    let offsets = server.post(&format!("{path}/offsets"), body).await.result();
    assert_eq!(offsets["offsets_row"], json!([0, 1]));
    assert_eq!(offsets["offsets_col"], json!([1, 0]));
    assert_eq!(offsets["ids"], json!([1, 2]));
    let all = json!({"sample": u64::MAX, "limit": u64::MAX});
    let all = server.post(&format!("{path}/offsets"), all).await.result();
    assert_eq!(
        (
            all["ids"].as_array().unwrap().len(),
            all["scores"].as_array().unwrap().len()
        ),
        (4, 12)
    );
    server
        .post(&format!("{path}/pairs"), json!({"sample": 1}))
        .await
        .error(422);
    server
        .post(&format!("{path}/pairs"), json!({"using": "x"}))
        .await
        .error(400);
}
