use std::future::Future;
use std::task::{Context, Poll, Waker};

use qdrant_client::Payload;
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};

use super::*;

fn collection() -> CreateCollectionBuilder {
    CreateCollectionBuilder::new("c").vectors_config(VectorParamsBuilder::new(1, Distance::Dot))
}

fn points(count: u64) -> Vec<PointStruct> {
    (0..count)
        .map(|id| PointStruct::new(id, vec![1.0], Payload::new()))
        .collect()
}

#[tokio::test]
async fn a_directory_keeps_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.vdb");
    let client = Qdrant::open(&path).unwrap();
    client.create_collection(collection()).await.unwrap();
    let upsert = UpsertPointsBuilder::new("c", points(3)).wait(true);
    client.upsert_points(upsert).await.unwrap();
    assert!(Qdrant::open(&path).is_err(), "one writer at a time");
    drop(client);
    let again = Qdrant::open(&path).unwrap();
    let count = again
        .count(qdrant_client::qdrant::CountPointsBuilder::new("c"))
        .await
        .unwrap();
    assert_eq!(count.result.unwrap().count, 3);
    assert_eq!(again.back_end(), &BackEnd::Directory(path));
}

#[tokio::test]
async fn chunks_are_of_the_size_asked_for_and_none_is_left_out() {
    let client = Qdrant::in_memory().unwrap();
    client.create_collection(collection()).await.unwrap();
    let nothing = UpsertPointsBuilder::new("c", points(0));
    assert!(client.upsert_points_chunked(nothing, 2).await.is_err());
    for (count, size) in [(1, 2), (4, 2), (5, 2)] {
        let upsert = UpsertPointsBuilder::new("c", points(count)).wait(true);
        client.upsert_points_chunked(upsert, size).await.unwrap();
    }
    let count = client
        .count(qdrant_client::qdrant::CountPointsBuilder::new("c"))
        .await
        .unwrap();
    assert_eq!(count.result.unwrap().count, 5);
    let none = client
        .upsert_points_chunked(UpsertPointsBuilder::new("c", points(1)), 0)
        .await;
    assert!(none.is_err());
}

#[tokio::test]
async fn a_snapshot_can_be_had_as_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let client = Qdrant::in_memory().unwrap();
    client.create_collection(collection()).await.unwrap();
    let out = dir.path().join("c.snapshot");
    let download = || qdrant_client::qdrant::SnapshotDownloadBuilder::new(&out, "c");
    let none = client.download_snapshot(download()).await;
    assert!(matches!(none, Err(QdrantError::NoSnapshotFound(_))));
    let made = client
        .create_snapshot("c")
        .await
        .unwrap()
        .snapshot_description
        .unwrap();
    client
        .download_snapshot(download().snapshot_name(made.name))
        .await
        .unwrap();
    assert_eq!(std::fs::metadata(&out).unwrap().len(), made.size as u64);
}

#[test]
fn no_runtime_is_needed_in_the_same_process() {
    let client = Qdrant::in_memory().unwrap();
    let mut exists = Box::pin(client.collection_exists("c"));
    let mut context = Context::from_waker(Waker::noop());
    let answer = loop {
        match exists.as_mut().poll(&mut context) {
            Poll::Ready(answer) => break answer,
            Poll::Pending => std::thread::yield_now(),
        }
    };
    assert!(!answer.unwrap());
}

#[test]
fn the_blocking_client_does_what_the_other_does() {
    let client = blocking::Qdrant::in_memory().unwrap();
    client.create_collection(collection()).unwrap();
    client
        .upsert_points(UpsertPointsBuilder::new("c", points(2)).wait(true))
        .unwrap();
    let count = client
        .count(qdrant_client::qdrant::CountPointsBuilder::new("c"))
        .unwrap();
    assert_eq!(count.result.unwrap().count, 2);
    assert_eq!(client.list_collections().unwrap().collections[0].name, "c");
}

#[tokio::test]
async fn the_blocking_client_refuses_async_code_and_may_be_dropped_there() {
    let client = blocking::Qdrant::of(Qdrant::in_memory().unwrap()).unwrap();
    let refused = client.list_collections().unwrap_err();
    assert!(refused.to_string().contains("async"), "{refused}");
    drop(client);
}

#[tokio::test]
async fn a_database_may_be_open_already_and_for_reading_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.vdb");
    let writer = Qdrant::open(&path).unwrap();
    writer.create_collection(collection()).await.unwrap();
    let database = vdb::Database::open_read_only(&path).unwrap();
    let reader = Qdrant::on(database, &path).unwrap();
    assert_eq!(reader.back_end(), &BackEnd::Directory(path));
    assert!(reader.collection_exists("c").await.unwrap());
    let upsert = UpsertPointsBuilder::new("c", points(1)).wait(true);
    assert!(reader.upsert_points(upsert).await.is_err());
}
