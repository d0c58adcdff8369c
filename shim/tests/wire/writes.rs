use qdrant_client::Payload;
use qdrant_client::qdrant::{
    self as proto, ClearPayloadPointsBuilder, Condition, CountPointsBuilder, DeletePayloadPointsBuilder,
    DeletePointVectorsBuilder, DeletePointsBuilder, Filter, GetPointsBuilder, PointStruct, PointVectors,
    PointsIdsList, PointsUpdateOperation, SetPayloadPointsBuilder, UpdateBatchPointsBuilder, UpdateMode,
    UpdatePointVectorsBuilder, UpdateStatus, UpsertPointsBuilder, points_update_operation as operation,
};
use serde_json::json;
use tonic::Code;

use super::fixture::{Both, same};

fn payload(value: serde_json::Value) -> Payload {
    value.try_into().unwrap()
}

fn list(ids: &[u64]) -> PointsIdsList {
    PointsIdsList {
        ids: ids.iter().map(|&id| id.into()).collect(),
    }
}

fn chosen(ids: &[u64]) -> proto::PointsSelector {
    ids.iter()
        .map(|&id| id.into())
        .collect::<Vec<proto::PointId>>()
        .into()
}

async fn told(both: &Both, id: u64) -> proto::RetrievedPoint {
    let get = GetPointsBuilder::new("birds", vec![id.into()])
        .with_payload(true)
        .with_vectors(true);
    same!(both.get_points(get)).unwrap().result.remove(0)
}

#[tokio::test]
async fn a_write_has_a_number_and_is_waited_for_or_not() {
    let both = Both::with_birds().await;
    let upsert =
        || UpsertPointsBuilder::new("birds", vec![PointStruct::new(9, vec![1.0, 1.0], Payload::new())]);
    let done = same!(both.upsert_points(upsert().wait(true)))
        .unwrap()
        .result
        .unwrap();
    assert_eq!(
        (done.operation_id, done.status),
        (Some(2), UpdateStatus::Completed.into())
    );
    let safe = same!(both.upsert_points(upsert())).unwrap().result.unwrap();
    assert_eq!(
        (safe.operation_id, safe.status),
        (Some(3), UpdateStatus::Acknowledged.into())
    );
}

#[tokio::test]
async fn payloads_are_set_replaced_and_cleared() {
    let both = Both::with_birds().await;
    let set = SetPayloadPointsBuilder::new("birds", payload(json!({"red": true, "night": null})))
        .points_selector(list(&[1, 2]))
        .wait(true);
    same!(both.set_payload(set)).unwrap();
    let owl = told(&both, 1).await;
    assert!(owl.payload.contains_key("red") && owl.payload.contains_key("name"));
    assert!(!owl.payload.contains_key("night"), "a null removes its key");
    let below = SetPayloadPointsBuilder::new("birds", payload(json!({"of": "twigs"})))
        .points_selector(list(&[3]))
        .key("nest.made")
        .wait(true);
    same!(both.set_payload(below)).unwrap();
    let nest = told(&both, 3).await.payload["nest"].clone();
    assert_eq!(nest.into_json(), json!({"height": 2, "made": {"of": "twigs"}}));
    let overwrite = SetPayloadPointsBuilder::new("birds", payload(json!({"only": 1})))
        .points_selector(Filter::must([Condition::matches("name", "hawk".to_owned())]))
        .wait(true);
    same!(both.overwrite_payload(overwrite)).unwrap();
    assert_eq!(told(&both, 2).await.payload.len(), 1);
    let delete = DeletePayloadPointsBuilder::new("birds", vec!["grams".to_owned()])
        .points_selector(list(&[4]))
        .wait(true);
    same!(both.delete_payload(delete)).unwrap();
    assert!(!told(&both, 4).await.payload.contains_key("grams"));
    same!(
        both.clear_payload(
            ClearPayloadPointsBuilder::new("birds")
                .points(list(&[4]))
                .wait(true)
        )
    )
    .unwrap();
    assert!(told(&both, 4).await.payload.is_empty());
}

#[tokio::test]
async fn points_that_are_not_there_are_told_to_who_waits() {
    let both = Both::with_birds().await;
    let clear = || ClearPayloadPointsBuilder::new("birds").points(list(&[77]));
    let (code, text) = same!(both.clear_payload(clear().wait(true))).unwrap_err();
    assert_eq!(
        (code, text.as_str()),
        (Code::NotFound, "Not found: No point with id 77 found")
    );
    same!(both.clear_payload(clear())).unwrap();
    same!(both.delete_points(DeletePointsBuilder::new("birds").points(list(&[77])).wait(true))).unwrap();
}

#[tokio::test]
async fn vectors_of_a_wrong_size_are_refused_even_unwaited_for() {
    let both = Both::with_birds().await;
    let upsert = UpsertPointsBuilder::new("birds", vec![PointStruct::new(9, vec![1.0; 3], Payload::new())]);
    let (code, text) = same!(both.upsert_points(upsert)).unwrap_err();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        text,
        "Wrong input: Vector dimension error: expected dim: 2, got 3"
    );
}

#[tokio::test]
async fn an_upsert_can_leave_points_alone() {
    let both = Both::with_birds().await;
    let moved = |id: u64| PointStruct::new(id, vec![7.0, 7.0], Payload::new());
    let insert = UpsertPointsBuilder::new("birds", vec![moved(1), moved(10)])
        .update_mode(UpdateMode::InsertOnly)
        .wait(true);
    same!(both.upsert_points(insert)).unwrap();
    let update = UpsertPointsBuilder::new("birds", vec![moved(2), moved(11)])
        .update_mode(UpdateMode::UpdateOnly)
        .wait(true);
    same!(both.upsert_points(update)).unwrap();
    let light = Filter::must([Condition::range(
        "grams",
        proto::Range {
            lt: Some(10.0),
            ..Default::default()
        },
    )]);
    let filtered = UpsertPointsBuilder::new("birds", vec![moved(3), moved(5)])
        .update_filter(light)
        .wait(true);
    same!(both.upsert_points(filtered)).unwrap();
    let mut there = Vec::new();
    for id in [1u64, 2, 3, 5, 10, 11] {
        let get = GetPointsBuilder::new("birds", vec![id.into()]).with_payload(true);
        let found = same!(both.get_points(get)).unwrap().result;
        there.push(found.first().map(|point| point.payload.is_empty()));
    }
    let (kept, written) = (Some(false), Some(true));
    assert_eq!(there, [kept, written, kept, written, written, None]);
}

#[tokio::test]
async fn vectors_are_replaced_and_removed() {
    let both = Both::with_birds().await;
    let update = UpdatePointVectorsBuilder::new(
        "birds",
        vec![PointVectors {
            id: Some(1.into()),
            vectors: Some(vec![0.25, 0.75].into()),
        }],
    );
    same!(both.update_vectors(update.wait(true))).unwrap();
    let vectors = told(&both, 1).await.vectors.unwrap();
    assert_eq!(
        vectors.get_vector(),
        Some(proto::vector_output::Vector::Dense(proto::DenseVector {
            data: vec![0.25, 0.75]
        }))
    );
    let delete = DeletePointVectorsBuilder::new("birds")
        .points_selector(list(&[1]))
        .vectors(proto::VectorsSelector {
            names: vec![String::new()],
        })
        .wait(true);
    same!(both.delete_vectors(delete)).unwrap();
    assert_eq!(told(&both, 1).await.vectors.unwrap().get_vector(), None);
    let unknown = DeletePointVectorsBuilder::new("birds")
        .points_selector(list(&[1]))
        .vectors(proto::VectorsSelector {
            names: vec!["x".to_owned()],
        })
        .wait(true);
    let (code, text) = same!(both.delete_vectors(unknown)).unwrap_err();
    assert_eq!(
        (code, text.as_str()),
        (
            Code::InvalidArgument,
            "Wrong input: Not existing vector name error: x"
        )
    );
}

#[tokio::test]
async fn a_batch_goes_in_order_and_keeps_what_came_before_an_error() {
    let both = Both::with_birds().await;
    let operation = |operation| PointsUpdateOperation {
        operation: Some(operation),
    };
    let delete = |ids: &[u64]| {
        operation(operation::Operation::DeletePoints(operation::DeletePoints {
            points: Some(chosen(ids)),
            shard_key_selector: None,
        }))
    };
    let clear = operation(operation::Operation::ClearPayload(operation::ClearPayload {
        points: Some(chosen(&[1])),
        shard_key_selector: None,
    }));
    let batch = UpdateBatchPointsBuilder::new("birds", vec![delete(&[5]), clear.clone()]).wait(true);
    let results = same!(both.update_points_batch(batch)).unwrap().result;
    assert_eq!(
        results.iter().map(|one| one.operation_id).collect::<Vec<_>>(),
        [Some(2), Some(3)]
    );
    let fails = UpdateBatchPointsBuilder::new("birds", vec![delete(&[1]), clear, delete(&[2])]).wait(true);
    assert_eq!(
        same!(both.update_points_batch(fails)).unwrap_err().0,
        Code::NotFound
    );
    let count = same!(both.count(CountPointsBuilder::new("birds"))).unwrap();
    assert_eq!(count.result.unwrap().count, 3, "5 and 1 are gone, 2 is not");
}

#[tokio::test]
async fn what_a_message_lacks_is_told_with_its_place() {
    let both = Both::with_birds().await;
    let no_id = UpsertPointsBuilder::new("birds", vec![PointStruct::default()]);
    let (code, text) = same!(both.upsert_points(no_id)).unwrap_err();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(text, "Validation error in body: [points[0].id: is required]");
    let keyed = UpsertPointsBuilder::new("birds", vec![PointStruct::new(1, vec![1.0, 0.0], Payload::new())])
        .shard_key_selector("key".to_owned());
    let (code, text) = same!(both.upsert_points(keyed)).unwrap_err();
    assert!(
        code == Code::InvalidArgument && text.contains("shard_key_selector"),
        "{text}"
    );
}
