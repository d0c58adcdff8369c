//! Queries, and what they were called before.

use serde_json::{Value, json};

use super::{Server, ids};

async fn query(server: &Server, body: Value) -> super::Answer {
    server.post("/collections/c/points/query", body).await
}

#[tokio::test]
async fn the_nearest_points_come_first() {
    let server = Server::with_points().await;
    let found = query(&server, json!({"query": [1.0, 0.0], "limit": 2}))
        .await
        .result();
    let expected =
        json!({"points": [{"id": 1, "version": 1, "score": 1.0}, {"id": 2, "version": 1, "score": 0.8}]});
    assert_eq!(found.to_string(), expected.to_string());
    let by_id = query(
        &server,
        json!({"query": 1, "limit": 1, "with_payload": true, "with_vector": true}),
    );
    let by_id = by_id.await.result();
    assert_eq!(by_id["points"][0]["id"], 2);
    assert_eq!(by_id["points"][0]["payload"]["word"], "hawk");
    assert_eq!(by_id["points"][0]["vector"].to_string(), "[0.8,0.1]");
    let ids_in_order = query(&server, json!({"limit": 2})).await.result();
    let expected = json!([{"id": 1, "version": 0, "score": 1.0}, {"id": 2, "version": 0, "score": 1.0}]);
    assert_eq!(ids_in_order["points"], expected);
    let filter = json!({"must": [{"key": "n", "range": {"gte": 2}}]});
    let params = json!({"exact": true, "hnsw_ef": 64, "quantization": {"rescore": true}});
    let body =
        json!({"query": {"nearest": [0, 1]}, "filter": filter, "params": params, "score_threshold": 0.2});
    assert_eq!(ids(&query(&server, body).await.result()["points"]), [3]);
}

#[tokio::test]
async fn bad_queries_are_refused() {
    let server = Server::with_points().await;
    let text = query(&server, json!({"query": [1.0], "limit": 1}))
        .await
        .error(400);
    assert_eq!(
        text,
        "Wrong input: Vector dimension error: expected dim: 2, got 1"
    );
    let text = query(&server, json!({"query": [1, 0], "using": "x"}))
        .await
        .error(400);
    assert_eq!(text, "Wrong input: Not existing vector name error: x");
    let text = query(&server, json!({"query": 99})).await.error(404);
    assert_eq!(text, "Not found: No point with id 99 found");
    let text = query(&server, json!({"query": [1, 0], "limit": 0}))
        .await
        .error(422);
    assert_eq!(
        text,
        "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"
    );
    query(&server, json!({"query": {"recommend": {}}}))
        .await
        .error(422);
    query(&server, json!({"query": {"fusion": "rrf"}}))
        .await
        .error(400);
    query(&server, json!({"query": {"fusion": "other"}}))
        .await
        .error(400);
    query(&server, json!({"query": "x"})).await.error(400);
    query(&server, json!({"query": {"order_by": "n"}}))
        .await
        .error(400);
    query(&server, json!({"query": [1, 0], "params": {"hnsw_ef": 0}}))
        .await
        .error(422);
    query(
        &server,
        json!({"query": {"nearest": [1, 0], "mmr": {"diversity": 2}}}),
    )
    .await
    .error(422);
    query(&server, json!({"prefetch": {"query": [1, 0]}}))
        .await
        .error(400);
    let elsewhere = json!({"query": 1, "lookup_from": {"collection": "none"}});
    let text = query(&server, elsewhere).await.error(404);
    assert_eq!(text, "Not found: Collection none not found");
    let document = json!({"query": {"text": "hello", "model": "m"}});
    query(&server, document).await.error(500);
    server
        .post("/collections/none/points/query", json!({}))
        .await
        .error(404);
    // A limit that no machine could hold is as good as any other that is never reached.
    query(&server, json!({"query": [1, 0], "limit": u64::MAX}))
        .await
        .result();
}

#[tokio::test]
async fn searches_look_nothing_up() {
    let server = Server::with_points().await;
    let lookup = json!({"collection": "none", "vector": "x"});
    let search = json!({"vector": [1, 0], "limit": 1, "lookup_from": lookup});
    let path = "/collections/c/points/search";
    assert_eq!(ids(&server.post(path, search.clone()).await.result()), [1]);
    let batch = server
        .post(&format!("{path}/batch"), json!({"searches": [search]}))
        .await;
    assert_eq!(ids(&batch.result()[0]), [1]);
    let groups =
        json!({"vector": [1, 0], "limit": 1, "group_by": "n", "group_size": 1, "lookup_from": lookup});
    let found = server.post(&format!("{path}/groups"), groups).await.result();
    assert_eq!(found["groups"][0]["id"], 1);
    let recommend = json!({"positive": [1], "limit": 1, "lookup_from": lookup});
    let told = server.post("/collections/c/points/recommend", recommend).await;
    assert_eq!(told.error(404), "Not found: Collection none not found");
}

#[tokio::test]
async fn each_kind_of_query_is_understood() {
    let server = Server::with_points().await;
    let index = json!({"field_name": "n", "field_schema": "integer"});
    server.put("/collections/c/index?wait=true", index).await.result();
    let formula = json!({"sum": ["$score", {"mult": [2, "n"]}, {"key": "word", "match": {"value": "owl"}}]});
    let pair = json!({"positive": 1, "negative": 3});
    let prefetch = json!([{"query": [1, 0], "limit": 4}, {"query": [0, 1], "filter": {}, "limit": 4}]);
    for (body, best) in [
        (
            json!({"query": {"nearest": [0, 1], "mmr": {"diversity": 0.1, "candidates_limit": 4}}}),
            3,
        ),
        (
            json!({"query": {"recommend": {"positive": [1], "negative": [3]}}}),
            2,
        ),
        (
            json!({"query": {"recommend": {"positive": [[1, 0]], "strategy": "best_score"}}}),
            1,
        ),
        (
            json!({"query": {"recommend": {"positive": [[1, 0]], "strategy": "sum_scores"}}}),
            1,
        ),
        (
            json!({"query": {"discover": {"target": [1, 0], "context": [pair]}}}),
            2,
        ),
        (json!({"query": {"context": pair}}), 2),
        (
            json!({"query": {"order_by": {"key": "n", "direction": "desc"}}}),
            3,
        ),
        (json!({"prefetch": prefetch, "query": {"fusion": "rrf"}}), 3),
        (
            json!({"prefetch": prefetch, "query": {"rrf": {"k": 5, "weights": [0.0, 1.0]}}}),
            3,
        ),
        (json!({"prefetch": prefetch, "query": {"fusion": "dbsf"}}), 3),
        (
            json!({"prefetch": prefetch, "query": {"formula": formula, "defaults": {"n": 0}}}),
            3,
        ),
        (json!({"prefetch": prefetch, "query": [1, 0]}), 1),
        (
            json!({"query": {"relevance_feedback": {
                "target": [1, 0],
                "feedback": [{"example": 3, "score": 1.0}, {"example": 2, "score": 0.1}],
                "strategy": {"naive": {"a": 0.1, "b": 1, "c": 5}},
            }}}),
            // The examples themselves are left out.
            0,
        ),
    ] {
        let found = query(&server, body.clone()).await.result();
        let first = &found["points"][0]["id"];
        if best == 0 {
            assert!(!first.is_null(), "{body}");
        } else {
            assert_eq!(first, best, "{body}: {found}");
        }
    }
    let sample = query(&server, json!({"query": {"sample": "random"}, "offset": 7}))
        .await
        .result();
    assert_eq!(ids(&sample["points"]).len(), 4);
    let ordered = query(&server, json!({"query": {"order_by": "n"}, "limit": 1}))
        .await
        .result();
    let expected = json!([{"id": 1, "version": 0, "score": 1.0, "order_value": 1}]);
    assert_eq!(ordered["points"], expected);
    let both = json!({"searches": [{"query": [1, 0], "limit": 1}, {"query": [0, 1], "limit": 1}]});
    let both = server
        .post("/collections/c/points/query/batch", both)
        .await
        .result();
    assert_eq!(
        (&both[0]["points"][0]["id"], &both[1]["points"][0]["id"]),
        (&json!(1), &json!(3))
    );
}

#[tokio::test]
async fn formulas_have_all_their_parts() {
    let server = Server::with_points().await;
    let places =
        json!({"payload": {"at": {"lon": 0.0, "lat": 0.0}, "when": "2024-01-01T00:00:00Z"}, "filter": {}});
    server
        .post("/collections/c/points/payload?wait=true", places)
        .await
        .result();
    let score = |formula: Value| {
        let body = json!({
            "prefetch": {"query": [1, 0]},
            "query": {"formula": formula},
            "filter": {"must": [{"has_id": [1]}]},
        });
        async { query(&server, body).await }
    };
    for (formula, expected) in [
        (json!(2.5), 2.5),
        (json!({"neg": 2}), -2.0),
        (json!({"abs": -2}), 2.0),
        (json!({"sqrt": 9}), 3.0),
        (json!({"pow": {"base": 2, "exponent": 3}}), 8.0),
        (json!({"exp": 0}), 1.0),
        (json!({"ln": 1}), 0.0),
        (json!({"log10": 100}), 2.0),
        (json!({"div": {"left": 1, "right": 0, "by_zero_default": 7}}), 7.0),
        (json!({"datetime": "1970-01-01T00:00:10Z"}), 10.0),
        (json!({"datetime_key": "when"}), 1_704_067_200.0),
        (
            json!({"geo_distance": {"origin": {"lon": 0, "lat": 0}, "to": "at"}}),
            0.0,
        ),
        (json!({"lin_decay": {"x": 1}}), 0.5),
        (
            json!({"exp_decay": {"x": 2, "target": 1, "scale": 1, "midpoint": 0.25}}),
            0.25,
        ),
        (json!({"gauss_decay": {"x": 1}}), 0.5),
    ] {
        let found = score(formula.clone()).await.result();
        assert_eq!(found["points"][0]["score"].as_f64(), Some(expected), "{formula}");
    }
    score(json!({"odd": 1})).await.error(400);
    score(json!({"div": {"left": 1, "right": 0}})).await.error(400);
    score(json!("none")).await.error(400);
    score(json!(null)).await.error(400);
}

#[tokio::test]
async fn groups_bring_records_along() {
    let server = Server::with_points().await;
    server.put("/collections/books", json!({})).await.result();
    let books = json!({"points": [{"id": 1, "vector": {}, "payload": {"title": "one"}}]});
    server
        .put("/collections/books/points?wait=true", books)
        .await
        .result();
    let path = "/collections/c/points/query/groups";
    let body = json!({"query": [1, 0], "group_by": "n", "limit": 2, "group_size": 1, "with_lookup": "books"});
    let groups = server.post(path, body).await.result();
    let expected = json!({"groups": [
        {"hits": [{"id": 1, "version": 1, "score": 1.0}], "id": 1, "lookup": {"id": 1, "payload": {"title": "one"}}},
        {"hits": [{"id": 2, "version": 1, "score": 0.8}], "id": 2},
    ]});
    assert_eq!(groups.to_string(), expected.to_string());
    let missing = json!({"query": [1, 0], "group_by": "n", "with_lookup": {"collection": "none"}});
    let text = server.post(path, missing).await.error(404);
    assert_eq!(text, "Not found: Collection none not found");
    server.post(path, json!({"query": [1, 0]})).await.error(400);
    server
        .post(path, json!({"query": [1, 0], "group_by": "n", "group_size": 0}))
        .await
        .error(422);
    let older = json!({"vector": [1, 0], "group_by": "word", "limit": 2, "group_size": 2});
    let older = server
        .post("/collections/c/points/search/groups", older)
        .await
        .result();
    assert_eq!(older["groups"][0]["id"], "owl");
}

#[tokio::test]
async fn older_names_answer_with_bare_lists() {
    let server = Server::with_points().await;
    let path = "/collections/c/points";
    for (route, body, best) in [
        ("search", json!({"vector": [1, 0], "limit": 1}), 1),
        (
            "search",
            json!({"vector": {"name": "", "vector": [0, 1]}, "top": 1}),
            3,
        ),
        ("recommend", json!({"positive": [1], "limit": 1}), 2),
        ("discover", json!({"target": [0, 1], "limit": 1}), 3),
        (
            "discover",
            json!({"context": [{"positive": 1, "negative": 3}], "limit": 1}),
            2,
        ),
    ] {
        let found = server
            .post(&format!("{path}/{route}"), body.clone())
            .await
            .result();
        assert_eq!(ids(&found), [best], "{route} {body}");
        let batch = json!({"searches": [body]});
        let found = server
            .post(&format!("{path}/{route}/batch"), batch)
            .await
            .result();
        assert_eq!(ids(&found[0]), [best], "{route}");
    }
    server
        .post(&format!("{path}/search"), json!({"vector": [1, 0]}))
        .await
        .error(400);
    server
        .post(&format!("{path}/search"), json!({"vector": [1, 0], "limit": 0}))
        .await
        .error(422);
    server
        .post(&format!("{path}/recommend"), json!({"limit": 1}))
        .await
        .error(400);
    server
        .post(&format!("{path}/discover"), json!({"limit": 1}))
        .await
        .error(400);
}

#[tokio::test]
async fn large_numbers_are_as_good_as_the_largest_that_there_is() {
    let server = Server::with_points().await;
    let all = query(&server, json!({"query": [1, 0]})).await.result();
    for times in [json!(1e30), json!(1e300), json!(f64::MAX)] {
        let params = json!({"quantization": {"oversampling": times}});
        let found = query(&server, json!({"query": [1, 0], "params": params})).await;
        assert_eq!(found.result(), all, "{times}");
    }
    let diverse = |mmr: Value, limit: u64| {
        query(
            &server,
            json!({"query": {"nearest": [1, 0], "mmr": mmr}, "limit": limit}),
        )
    };
    let four = diverse(json!({"candidates_limit": 4}), 4).await.result();
    assert_eq!(ids(&four["points"]).len(), 4);
    for (mmr, limit) in [
        (json!({"candidates_limit": 0}), 4),
        (json!({}), 20_000),
        (json!({}), u64::MAX),
        (json!({"candidates_limit": 0}), 20_000),
    ] {
        assert_eq!(diverse(mmr.clone(), limit).await.result(), four, "{mmr} {limit}");
    }
    let prefetch = json!({"query": {"nearest": [1, 0], "mmr": {}}, "limit": 20_000});
    let fused = json!({"prefetch": prefetch, "query": {"fusion": "rrf"}});
    assert_eq!(
        ids(&query(&server, fused).await.result()["points"]),
        ids(&four["points"])
    );
}

#[tokio::test]
async fn an_empty_list_of_shard_keys_names_none() {
    let server = Server::with_points().await;
    let all = query(&server, json!({"query": [1, 0]})).await.result();
    let found = query(&server, json!({"query": [1, 0], "shard_key": []})).await;
    assert_eq!(found.result(), all);
    let write = json!({"points": [1], "shard_key": []});
    let path = "/collections/c/points/delete?wait=true";
    server.post(path, write).await.result();
    query(&server, json!({"query": [1, 0], "shard_key": ["a"]}))
        .await
        .error(400);
}
