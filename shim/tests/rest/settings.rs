//! Settings: kept, changed, in force.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use vdb::Database;
use vdb_qdrant::rest::{RestOptions, router};
use vdb_qdrant::service::settings::{CollectionDefaults, HnswSettings};
use vdb_qdrant::service::{Service, ServiceOptions};

use super::Server;

async fn config(server: &Server) -> Value {
    server.get("/collections/c").await.result()["config"].clone()
}

fn everything() -> Value {
    json!({
        "vectors": {"a": {"size": 2, "distance": "Dot", "hnsw_config": {"m": 8}}},
        "sparse_vectors": {"s": {"modifier": "idf"}},
        "hnsw_config": {"m": 12, "ef_construct": 50},
        "optimizers_config": {"indexing_threshold": 500},
        "quantization_config": {"scalar": {"type": "int8", "quantile": 0.9}},
        "strict_mode_config": {"enabled": true, "max_query_limit": 50},
        "metadata": {"owner": "birds"},
    })
}

#[tokio::test]
async fn settings_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let database = Database::open(&path).unwrap();
    let server = Server::on(database.clone());
    server.put("/collections/c", everything()).await.result();
    let patch = json!({
        "hnsw_config": {"ef_construct": 60},
        "metadata": {"since": 2},
        "strict_mode_config": {"max_query_limit": 40},
    });
    server.patch("/collections/c", patch).await.result();
    let before = config(&server).await;
    assert_eq!(before["hnsw_config"]["m"], 12);
    assert_eq!(before["hnsw_config"]["ef_construct"], 60);
    assert_eq!(before["metadata"], json!({"owner": "birds", "since": 2}));
    assert_eq!(before["strict_mode_config"]["max_query_limit"], 40);
    assert_eq!(before["quantization_config"]["scalar"]["type"], "int8");
    assert_eq!(before["params"]["vectors"]["a"]["hnsw_config"]["m"], 8);
    assert_eq!(before["params"]["sparse_vectors"]["s"]["modifier"], "idf");
    drop(server);
    database.close().unwrap();
    let server = Server::on(Database::open(&path).unwrap());
    assert_eq!(config(&server).await, before);
}

#[tokio::test]
async fn a_collection_is_what_the_server_says_where_nobody_else_does() {
    let snapshots = tempfile::tempdir().unwrap();
    let options = ServiceOptions {
        collections: CollectionDefaults {
            hnsw: HnswSettings {
                m: Some(24),
                ..HnswSettings::default()
            },
            on_disk_payload: Some(false),
            ..CollectionDefaults::default()
        },
        ..ServiceOptions::new(snapshots.path())
    };
    let database = Database::builder().open_in_memory().unwrap();
    let server = Server {
        router: router(Service::new(database, options), RestOptions::default()),
        snapshots,
    };
    let body = json!({"vectors": {"size": 2, "distance": "Dot"}, "hnsw_config": {"ef_construct": 50}});
    server.put("/collections/c", body).await.result();
    let told = config(&server).await;
    assert_eq!(told["hnsw_config"]["m"], 24);
    assert_eq!(told["hnsw_config"]["ef_construct"], 50);
    assert_eq!(told["params"]["on_disk_payload"], false);
}

#[tokio::test]
async fn a_change_is_in_force_at_once() {
    let server = Server::with_points().await;
    let query = || {
        server.post(
            "/collections/c/points/query",
            json!({"query": [1, 0], "limit": 3}),
        )
    };
    query().await.result();
    let strict = |limit: u64| json!({"strict_mode_config": {"enabled": true, "max_query_limit": limit}});
    server.patch("/collections/c", strict(2)).await.result();
    let refused = query().await.error(400);
    assert!(
        !refused.starts_with("Bad request") && !refused.starts_with("Wrong input"),
        "{refused}"
    );
    server.patch("/collections/c", strict(3)).await.result();
    query().await.result();
    let off = json!({"strict_mode_config": {"enabled": false, "max_query_limit": 1}});
    server.patch("/collections/c", off).await.result();
    query().await.result();
    let wrong = json!({"vectors": {"none": {"hnsw_config": {"m": 4}}}});
    server.patch("/collections/c", wrong).await.error(400);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let server = Server::with_points().await;
    let strict = json!({"strict_mode_config": {"enabled": true, "read_rate_limit": 2}});
    server.patch("/collections/c", strict).await.result();
    let mut last = None;
    for _ in 0..4 {
        last = Some(server.post("/collections/c/points/scroll", json!({})).await);
    }
    let last = last.unwrap();
    let text = last.error(429);
    assert!(
        text.starts_with("Rate limiting exceeded: Read rate limit exceeded"),
        "{text}"
    );
    let after: u64 = last.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
}

#[tokio::test]
async fn no_read_may_take_longer_than_strict_mode_says() {
    let server = Server::with_points().await;
    let strict = json!({"strict_mode_config": {"enabled": true, "max_timeout": 2}});
    server.patch("/collections/c", strict).await.result();
    for (path, body) in [
        ("points", json!({"ids": [1]})),
        ("points/scroll", json!({})),
        ("points/count", json!({})),
        ("points/query", json!({"query": [1, 0]})),
        ("points/query/batch", json!({"searches": [{"query": [1, 0]}]})),
        ("points/query/groups", json!({"query": [1, 0], "group_by": "n"})),
        ("points/search/matrix/pairs", json!({})),
    ] {
        let ask = |timeout: &str| {
            let path = format!("/collections/c/{path}{timeout}");
            let (server, body) = (&server, body.clone());
            async move { server.post(&path, body).await }
        };
        ask("").await.result();
        ask("?timeout=2").await.result();
        let text = ask("?timeout=3").await.error(400);
        assert!(
            text.starts_with("Limit exceeded 3 > 2 for \"timeout\". Help: "),
            "{path}: {text}"
        );
    }
}

#[tokio::test]
async fn a_modifier_changes_while_it_is_in_use() {
    let server = Server::new();
    let body = json!({"sparse_vectors": {"s": {}}});
    server.put("/collections/c", body).await.result();
    let points = json!({"points": [
        {"id": 1, "vector": {"s": {"indices": [1], "values": [1.75]}}},
        {"id": 2, "vector": {"s": {"indices": [1, 2], "values": [1.0, 1.0]}}},
        {"id": 3, "vector": {"s": {"indices": [1], "values": [0.5]}}},
    ]});
    server
        .put("/collections/c/points?wait=true", points)
        .await
        .result();
    let ask = |params: Value| {
        let query = json!({"query": {"indices": [1, 2], "values": [1, 1]}, "using": "s", "params": params});
        server.post("/collections/c/points/query", query)
    };
    let change = |to: Value| server.patch("/collections/c", json!({"sparse_vectors": {"s": to}}));
    let plain = ask(json!({})).await.result();
    assert_eq!(plain["points"][0]["score"], 2.0);
    change(json!({"modifier": "idf"})).await.result();
    let told = config(&server).await["params"]["sparse_vectors"].clone();
    assert_eq!(told, json!({"s": {"modifier": "idf"}}));
    let rare = ask(json!({"idf": "global"})).await.result();
    assert_ne!(rare, plain);
    assert_eq!(ask(json!({})).await.result(), rare);
    // What is only told changes too, and nothing of the values is lost.
    let index = json!({"datatype": "uint8", "memory": "pinned", "full_scan_threshold": 9});
    change(json!({"index": index, "modifier": "none"})).await.result();
    let told = config(&server).await["params"]["sparse_vectors"].clone();
    assert_eq!(told, json!({"s": {"index": index, "modifier": "none"}}));
    assert_eq!(ask(json!({})).await.result(), plain);
    ask(json!({"idf": "global"})).await.error(400);
    let refused = change(json!({"index": {"datatype": "turbo4"}})).await.error(400);
    assert!(refused.contains("turbo4"), "{refused}");
    let unknown = json!({"sparse_vectors": {"t": {"modifier": "idf"}}});
    server.patch("/collections/c", unknown).await.error(400);
    let told = config(&server).await["params"]["sparse_vectors"].clone();
    assert_eq!(told["s"]["index"], index);
}

#[tokio::test]
async fn a_vector_that_is_there_is_not_made_again() {
    let server = Server::new();
    let body = json!({
        "vectors": {"a": {"size": 2, "distance": "Dot", "on_disk": true}},
        "sparse_vectors": {"s": {"index": {"full_scan_threshold": 7, "on_disk": true}}},
    });
    server.put("/collections/c", body).await.result();
    let put = |name: &str, body: Value| {
        let path = format!("/collections/c/vectors/{name}?wait=true");
        let server = &server;
        async move { server.put(&path, body).await }
    };
    let dense = |size: u64| json!({"dense": {"size": size, "distance": "Dot"}});
    put("x", dense(2)).await.result();
    let patch = json!({"vectors": {"x": {"hnsw_config": {"m": 8}}}});
    server.patch("/collections/c", patch).await.result();
    let before = config(&server).await;
    assert_eq!(before["params"]["vectors"]["x"]["hnsw_config"]["m"], 8);
    for (name, body) in [
        ("x", dense(2)),
        ("a", dense(2)),
        (
            "a",
            json!({"dense": {"size": 2, "distance": "Dot", "datatype": "float32"}}),
        ),
        ("s", json!({"sparse": {}})),
        ("s", json!({"sparse": {"modifier": "none"}})),
    ] {
        put(name, body.clone()).await.result();
        assert_eq!(config(&server).await, before, "{name}: {body}");
    }
    for (name, body) in [
        ("x", dense(3)),
        ("x", json!({"dense": {"size": 2, "distance": "Cosine"}})),
        (
            "x",
            json!({"dense": {"size": 2, "distance": "Dot", "datatype": "uint8"}}),
        ),
        ("x", json!({"sparse": {}})),
        ("s", json!({"sparse": {"modifier": "idf"}})),
        ("s", dense(2)),
    ] {
        put(name, body.clone()).await.error(400);
        assert_eq!(config(&server).await, before, "{name}: {body}");
    }
}

#[tokio::test]
async fn metadata_has_the_room_that_settings_may_take() {
    let server = Server::new();
    let metadata = json!({"text": "x".repeat(200_000)});
    let body = json!({"vectors": {"size": 2, "distance": "Dot"}, "metadata": metadata});
    server.put("/collections/c", body).await.result();
    let other = json!({"text": "y".repeat(250_000)});
    server
        .patch("/collections/c", json!({"metadata": other}))
        .await
        .result();
    assert_eq!(config(&server).await["metadata"], other);
    let more = json!({"metadata": {"more": "z".repeat(50_000)}});
    let refused = server.patch("/collections/c", more).await.error(400);
    assert!(refused.contains("262144"), "{refused}");
    assert_eq!(config(&server).await["metadata"], other);
}

#[tokio::test]
async fn links_and_beams_are_told_as_they_were_given() {
    let server = Server::new();
    let body = json!({
        "vectors": {"a": {"size": 2, "distance": "Dot", "hnsw_config": {"m": 1, "payload_m": 300}}},
        "hnsw_config": {"m": 300, "ef_construct": 70_000},
    });
    server.put("/collections/c", body).await.result();
    let told = config(&server).await;
    assert_eq!(
        (&told["hnsw_config"]["m"], &told["hnsw_config"]["ef_construct"]),
        (&json!(300), &json!(70_000))
    );
    let own = |told: &Value| told["params"]["vectors"]["a"]["hnsw_config"].clone();
    assert_eq!(own(&told), json!({"m": 1, "payload_m": 300}));
    let patch = json!({"vectors": {"a": {"hnsw_config": {"payload_m": 0}}}, "hnsw_config": {"m": 1}});
    server.patch("/collections/c", patch).await.result();
    let told = config(&server).await;
    assert_eq!(
        (&told["hnsw_config"]["m"], &told["hnsw_config"]["ef_construct"]),
        (&json!(1), &json!(70_000))
    );
    assert_eq!(own(&told), json!({"m": 1, "payload_m": 0}));
}

#[tokio::test]
async fn changes_at_once_undo_none_of_each_other() {
    let server = Arc::new(Server::new());
    let vector = json!({"size": 2, "distance": "Dot"});
    let vectors: Map<String, Value> = (0..20).map(|n| (format!("v{n}"), vector.clone())).collect();
    server
        .put("/collections/c", json!({ "vectors": vectors }))
        .await
        .result();
    let mut changes = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (one, other, vector) = (server.clone(), server.clone(), vector.clone());
        changes.spawn(async move {
            let change = json!({"vectors": {format!("v{n}"): {"on_disk": true}}});
            one.patch("/collections/c", change).await.result();
        });
        changes.spawn(async move {
            let path = format!("/collections/c/vectors/w{n}?wait=true");
            other.put(&path, json!({ "dense": vector })).await.result();
        });
    }
    while let Some(changed) = changes.join_next().await {
        changed.unwrap();
    }
    let told = config(&server).await["params"]["vectors"].clone();
    let told = told.as_object().unwrap();
    let on_disk = told.values().filter(|vector| vector["on_disk"] == true);
    assert_eq!((told.len(), on_disk.count()), (40, 20));
}
