use qdrant_client::Payload;
use qdrant_client::config::{CompressionEncoding, QdrantConfig};
use qdrant_client::qdrant::{
    CreateCollectionBuilder, Distance, PointStruct, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::qdrant::{QueryPointsBuilder, SnapshotDescription};
use tonic::Code;
use vdb_qdrant::client::{QdrantError, QdrantResult};
use vdb_qdrant::grpc::ServerOptions;
use vdb_qdrant::service::Keys;

use super::fixture::{Both, Server, same};

fn create(size: u64) -> CreateCollectionBuilder {
    CreateCollectionBuilder::new("c").vectors_config(VectorParamsBuilder::new(size, Distance::Dot))
}

fn code<T: std::fmt::Debug>(answer: QdrantResult<T>) -> Code {
    match answer {
        Err(QdrantError::ResponseError { status }) => status.code(),
        other => panic!("{other:?}"),
    }
}

fn client(server: &Server, key: Option<&str>) -> qdrant_client::Qdrant {
    let mut config = QdrantConfig::from_url(&server.url()).skip_compatibility_check();
    config.api_key = key.map(str::to_owned);
    config.build().unwrap()
}

#[tokio::test]
async fn keys_open_what_they_are_for() {
    let keys = Keys::none().full("all").read_only("some");
    let server = Server::start(ServerOptions {
        keys,
        ..ServerOptions::default()
    })
    .await;
    let nobody = client(&server, None);
    assert!(nobody.health_check().await.is_ok(), "health is for everybody");
    assert_eq!(code(nobody.list_collections().await), Code::Unauthenticated);
    assert_eq!(
        code(client(&server, Some("none")).list_collections().await),
        Code::Unauthenticated
    );
    client(&server, Some("all"))
        .create_collection(create(1))
        .await
        .unwrap();
    let reader = client(&server, Some("some"));
    assert_eq!(reader.list_collections().await.unwrap().collections.len(), 1);
    assert_eq!(code(reader.delete_collection("c").await), Code::PermissionDenied);
    server.stop().await;
}

#[tokio::test]
async fn messages_may_be_large_and_packed() {
    let server = Server::start(ServerOptions::default()).await;
    let config = QdrantConfig::from_url(&server.url())
        .skip_compatibility_check()
        .compression(Some(CompressionEncoding::Gzip));
    let client = config.build().unwrap();
    client.create_collection(create(4_096)).await.unwrap();
    // 8 MiB, twice what a server of gRPC takes unless it is told otherwise.
    let points = (0..512)
        .map(|id| PointStruct::new(id, vec![0.5; 4_096], Payload::new()))
        .collect::<Vec<_>>();
    client
        .upsert_points(UpsertPointsBuilder::new("c", points).wait(true))
        .await
        .unwrap();
    let all = QueryPointsBuilder::new("c").limit(512u64).with_vectors(true);
    assert_eq!(client.query(all).await.unwrap().result.len(), 512);
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_is_stopped_answers_nobody() {
    let server = Server::start(ServerOptions::default()).await;
    let client = client(&server, None);
    client.health_check().await.unwrap();
    server.stop().await;
    assert!(client.health_check().await.is_err());
}

#[tokio::test]
async fn health_is_told_in_the_way_of_grpc() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;

    let server = Server::start(ServerOptions::default()).await;
    let channel = tonic::transport::Channel::from_shared(server.url()).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    for service in [
        "",
        "qdrant.Points",
        "qdrant.Collections",
        "qdrant.Snapshots",
        "qdrant.Qdrant",
    ] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
    }
    drop(health);
    server.stop().await;
}

#[tokio::test]
async fn snapshots_are_taken_listed_and_removed() {
    let both = Both::with_birds().await;
    for client in [&both.here, &both.there] {
        let made = client
            .create_snapshot("birds")
            .await
            .unwrap()
            .snapshot_description
            .unwrap();
        assert!(
            made.name.starts_with("birds-") && made.size > 0 && made.creation_time.is_some(),
            "{made:?}"
        );
        assert_eq!(made.checksum.as_ref().map(String::len), Some(64));
        let names = |list: Vec<SnapshotDescription>| list.into_iter().map(|one| one.name).collect::<Vec<_>>();
        let listed = client
            .list_snapshots("birds")
            .await
            .unwrap()
            .snapshot_descriptions;
        assert_eq!(names(listed), std::slice::from_ref(&made.name));
        let delete = qdrant_client::qdrant::DeleteSnapshotRequestBuilder::new("birds", made.name);
        client.delete_snapshot(delete).await.unwrap();
        assert!(
            client
                .list_snapshots("birds")
                .await
                .unwrap()
                .snapshot_descriptions
                .is_empty()
        );
        let full = client
            .create_full_snapshot()
            .await
            .unwrap()
            .snapshot_description
            .unwrap();
        assert_eq!(
            names(client.list_full_snapshots().await.unwrap().snapshot_descriptions),
            std::slice::from_ref(&full.name)
        );
        client.delete_full_snapshot(full.name).await.unwrap();
    }
    let delete = qdrant_client::qdrant::DeleteSnapshotRequestBuilder::new("birds", "none");
    assert_eq!(same!(both.delete_snapshot(delete)).unwrap_err().0, Code::NotFound);
}
