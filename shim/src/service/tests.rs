use serde_json::json;
use vdb::{Database, Operation, PayloadIndexKind, Point, Query, QueryRequest, Target, UpsertMode};

use super::settings::{CollectionSettings, SettingsUpdate};
use super::*;

const WAIT: WriteOptions = WriteOptions {
    wait: true,
    ordering: Ordering::Weak,
    timeout: None,
};

async fn service() -> Service {
    let database = Database::builder().open_in_memory().unwrap();
    let service = Service::new(database, ServiceOptions::new("unused"));
    let settings = json!({"vectors": {"size": 2, "distance": "Dot"}});
    service.create_collection("c", parse(settings)).await.unwrap();
    service
}

fn parse(settings: serde_json::Value) -> CollectionSettings {
    serde_json::from_value(settings).unwrap()
}

fn upsert(id: u64, vector: Vec<f32>) -> Operation {
    Operation::Upsert {
        points: vec![Point::new(id, vector)],
        mode: UpsertMode::Upsert,
        update_filter: None,
    }
}

#[tokio::test]
async fn the_first_write_has_the_number_1() {
    let service = service().await;
    let first = service
        .update("c", upsert(1, vec![1.0, 0.0]), WAIT)
        .await
        .unwrap();
    assert_eq!(
        (first.operation_id, first.status),
        (Some(1), UpdateStatus::Completed)
    );
    let second = service.update("c", upsert(2, vec![1.0, 0.0]), WriteOptions::default());
    assert_eq!(second.await.unwrap().status, UpdateStatus::Acknowledged);
}

#[tokio::test]
async fn who_does_not_wait_is_not_told_of_missing_points() {
    let service = service().await;
    let clear = || Operation::ClearPayload {
        target: Target::from(vec![7u64]),
    };
    let waited = service.update("c", clear(), WAIT).await.unwrap_err();
    assert_eq!(waited.to_string(), "Not found: No point with id 7 found");
    let not = service
        .update("c", clear(), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(not.status, UpdateStatus::Acknowledged);
    // What does not depend on points is told in any case.
    let wrong = service
        .update("c", upsert(1, vec![1.0]), WriteOptions::default())
        .await;
    assert_eq!(wrong.unwrap_err().kind, ErrorKind::BadInput);
}

#[tokio::test]
async fn writes_over_more_points_than_a_step_has_are_done_and_tell_the_number_of_the_last() {
    let service = service().await;
    let points = (0..10_000u64).map(|id| Point::new(id, [id as f32, 1.0]));
    let upsert = Operation::Upsert {
        points: points.collect(),
        mode: UpsertMode::Upsert,
        update_filter: None,
    };
    service.update("c", upsert, WAIT).await.unwrap();
    let all = || Target::from(vdb::Filter::default());
    let count = |filter: Option<vdb::Filter>| service.count("c", filter, true, ReadOptions::default());
    let set = |target: Target| Operation::SetPayload {
        payload: json!({"x": 1}).as_object().unwrap().clone(),
        target,
        key: None,
    };
    let done = service.update("c", set(all()), WAIT).await.unwrap();
    assert_eq!(
        (done.operation_id, done.status),
        (Some(4), UpdateStatus::Completed)
    );
    let x = vdb::Filter::must([vdb::Condition::matches("x", 1)]);
    assert_eq!(count(Some(x)).await, Ok(10_000));
    // Ids, of which some are not there: the others are written.
    let ids: Vec<u64> = (5_000..15_000).collect();
    let missing = service
        .update("c", set(ids.clone().into()), WAIT)
        .await
        .unwrap_err();
    assert_eq!(missing.to_string(), "Not found: No point with id 10000 found");
    let delete = |target| Operation::Delete { target };
    service
        .update("c", delete(ids.into()), WriteOptions::default())
        .await
        .unwrap();
    assert_eq!(count(None).await, Ok(5_000));
    let done = service.update("c", delete(all()), WAIT).await.unwrap();
    assert_eq!((done.operation_id, count(None).await), (Some(12), Ok(0)));
}

#[tokio::test]
async fn a_batch_keeps_what_came_before_its_failure() {
    let service = service().await;
    let batch = vec![
        upsert(1, vec![1.0, 0.0]),
        upsert(2, vec![1.0]),
        upsert(3, vec![1.0, 0.0]),
    ];
    let error = service.update_batch("c", batch, WAIT).await.unwrap_err();
    assert_eq!(error.message, "Vector dimension error: expected dim: 2, got 1");
    assert_eq!(
        service.count("c", None, true, ReadOptions::default()).await,
        Ok(1)
    );
}

#[tokio::test]
async fn settings_that_the_engine_has_no_place_for_are_told_again() {
    let service = service().await;
    let settings = json!({
        "vectors": {"a": {"size": 3, "distance": "Cosine", "on_disk": true}},
        "shard_number": 2,
        "hnsw_config": {"m": 8},
        "metadata": {"owner": "me", "old": 1},
    });
    service.create_collection("d", parse(settings)).await.unwrap();
    let update: SettingsUpdate = serde_json::from_value(json!({
        "metadata": {"old": null, "new": 2},
        "optimizers_config": {"indexing_threshold": 7},
        "vectors": {"a": {"hnsw_config": {"m": 4}}},
    }))
    .unwrap();
    service.update_collection("d", update).await.unwrap();
    let config = serde_json::to_value(service.collection_info("d").await.unwrap().config).unwrap();
    assert_eq!(config["params"]["shard_number"], 2);
    let vector = json!({"size": 3, "distance": "Cosine", "on_disk": true, "hnsw_config": {"m": 4}});
    assert_eq!(config["params"]["vectors"]["a"], vector);
    assert_eq!(
        (
            &config["hnsw_config"]["m"],
            &config["hnsw_config"]["ef_construct"]
        ),
        (&json!(8), &json!(100))
    );
    assert_eq!(config["optimizer_config"]["indexing_threshold"], 7);
    assert_eq!(config["quantization_config"], serde_json::Value::Null);
    assert_eq!(config["metadata"], json!({"owner": "me", "new": 2}));
    let unknown = serde_json::from_value(json!({"vectors": {"b": {}}})).unwrap();
    let error = service.update_collection("d", unknown).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Wrong input: Not existing vector name error: b"
    );
}

#[tokio::test]
async fn orders_need_an_index() {
    let service = service().await;
    let order = || QueryRequest::new(Query::OrderBy(vdb::OrderBy::new("year")));
    let error = service
        .query("c", order(), ReadOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadInput);
    let params = PayloadIndexKind::Integer.into();
    service.create_index("c", "year", params, WAIT).await.unwrap();
    assert_eq!(
        service.query("c", order(), ReadOptions::default()).await,
        Ok(vec![])
    );
}

#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let service = service().await;
    let kind = |name: &'static str| {
        let service = service.clone();
        async move {
            let settings = parse(json!({}));
            service.create_collection(name, settings).await.unwrap_err().kind
        }
    };
    assert_eq!(kind("").await, ErrorKind::Name);
    assert_eq!(kind("a/b").await, ErrorKind::Name);
    assert_eq!(kind("a*b").await, ErrorKind::Name);
    assert_eq!(kind("c").await, ErrorKind::AlreadyExists);
}
