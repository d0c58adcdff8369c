//! A client in the process beside one of a server, and answers compared.

use std::fmt::Debug;
use std::net::SocketAddr;

use qdrant_client::qdrant::{self as proto, PointStruct, UpsertPointsBuilder, VectorParamsBuilder};
use qdrant_client::qdrant::{CreateCollectionBuilder, Distance};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Code;
use vdb::Database;
use vdb_qdrant::Qdrant;
use vdb_qdrant::client::{QdrantError, QdrantResult};
use vdb_qdrant::grpc::{ServerOptions, serve};
use vdb_qdrant::service::{Service, ServiceOptions};

/// A server on a port of its own, on a database in memory.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
    _snapshots: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start(options: ServerOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let snapshots = tempfile::tempdir().unwrap();
        let database = Database::builder().open_in_memory().unwrap();
        let service = Service::new(database, ServiceOptions::new(snapshots.path()));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move { drop(stopped.await) };
        Server {
            address,
            stop: Some(stop),
            task: tokio::spawn(serve(service, options, listener, shutdown)),
            _snapshots: snapshots,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// The same calls go to both.
pub(crate) struct Both {
    pub(crate) here: Qdrant,
    pub(crate) there: Qdrant,
    _server: Server,
}

impl Both {
    pub(crate) async fn start() -> Self {
        let server = Server::start(ServerOptions::default()).await;
        Both {
            here: Qdrant::in_memory().unwrap(),
            there: Qdrant::connect(&server.url()).await.unwrap(),
            _server: server,
        }
    }

    /// With a collection `birds` of five points with vectors of two numbers.
    pub(crate) async fn with_birds() -> Self {
        let both = Both::start().await;
        let create =
            CreateCollectionBuilder::new("birds").vectors_config(VectorParamsBuilder::new(2, Distance::Dot));
        same!(both.create_collection(create)).unwrap();
        let bird = |id: u64, vector: [f32; 2], payload: serde_json::Value| {
            let payload = qdrant_client::Payload::try_from(payload).unwrap();
            PointStruct::new(id, vector.to_vec(), payload)
        };
        let points = vec![
            bird(
                1,
                [1.0, 0.0],
                json!({"name": "owl", "night": true, "grams": 400, "diet": ["mice", "voles"]}),
            ),
            bird(
                2,
                [0.9, 0.2],
                json!({"name": "hawk", "night": false, "grams": 1100, "diet": ["mice"]}),
            ),
            bird(
                3,
                [0.5, 0.5],
                json!({"name": "tit", "night": false, "grams": 18.5, "nest": {"height": 2}}),
            ),
            bird(
                4,
                [0.2, 0.9],
                json!({"name": "swift", "grams": 44, "seen": "2024-05-01T12:00:00Z"}),
            ),
            bird(5, [0.0, 1.0], json!({"name": null, "grams": 3})),
        ];
        same!(both.upsert_points(UpsertPointsBuilder::new("birds", points).wait(true))).unwrap();
        both
    }
}

/// An answer without how long it took.
pub(crate) trait Untimed: Sized {
    fn untimed(self) -> Self;
}

macro_rules! untimed {
    ($($answer:ident),+ $(,)?) => {
        $(impl Untimed for proto::$answer {
            fn untimed(mut self) -> Self {
                self.time = 0.0;
                self
            }
        })+
    };
}

untimed!(
    CollectionOperationResponse,
    GetCollectionInfoResponse,
    ListCollectionsResponse,
    ListAliasesResponse,
    ListShardKeysResponse,
    PointsOperationResponse,
    UpdateBatchResponse,
    UpdateCollectionClusterSetupResponse,
    CreateShardKeyResponse,
    GetResponse,
    ScrollResponse,
    CountResponse,
    FacetResponse,
    SearchMatrixPairsResponse,
    SearchMatrixOffsetsResponse,
    QueryResponse,
    QueryBatchResponse,
    QueryGroupsResponse,
    SearchResponse,
    SearchBatchResponse,
    SearchGroupsResponse,
    RecommendResponse,
    RecommendBatchResponse,
    RecommendGroupsResponse,
    DiscoverResponse,
    DiscoverBatchResponse,
    DeleteSnapshotResponse,
);

impl Untimed for bool {
    fn untimed(self) -> Self {
        self
    }
}

impl Untimed for proto::HealthCheckReply {
    fn untimed(self) -> Self {
        self
    }
}

/// What a caller can tell of an answer.
fn told<T: Untimed>(answer: QdrantResult<T>) -> Result<T, (Code, String)> {
    match answer {
        Ok(answer) => Ok(answer.untimed()),
        Err(QdrantError::ResponseError { status }) => Err((status.code(), status.message().to_owned())),
        Err(other) => panic!("no answer: {other}"),
    }
}

/// The answer that both gave.
pub(crate) fn agreed<T: Untimed + PartialEq + Debug>(
    here: QdrantResult<T>,
    there: QdrantResult<T>,
) -> Result<T, (Code, String)> {
    let (here, there) = (told(here), told(there));
    assert_eq!(here, there, "in the process, and on the server");
    here
}

/// Makes a call on both clients, and gives the answer, which has to be the same.
macro_rules! same {
    ($both:ident.$call:ident()) => {
        $crate::fixture::agreed($both.here.$call().await, $both.there.$call().await)
    };
    ($both:ident.$call:ident($request:expr)) => {{
        let request = $request;
        $crate::fixture::agreed(
            $both.here.$call(request.clone()).await,
            $both.there.$call(request).await,
        )
    }};
}

pub(crate) use same;

/// The ids of hits.
pub(crate) fn ids(hits: &[proto::ScoredPoint]) -> Vec<u64> {
    use proto::point_id::PointIdOptions;
    let number = |hit: &proto::ScoredPoint| match hit.id.as_ref()?.point_id_options.as_ref()? {
        PointIdOptions::Num(number) => Some(*number),
        PointIdOptions::Uuid(_) => None,
    };
    hits.iter().filter_map(number).collect()
}
