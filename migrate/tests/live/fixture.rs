//! Servers, collections with everything in them, and a store that fails when it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use qdrant_client::qdrant::{self as proto, PointStruct};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vdb::Database;
use vdb_migrate::{Journal, MigrateError, Options, Patience, Report, Store, Verification, Watch, migrate};
use vdb_qdrant::Qdrant;
use vdb_qdrant::client::{QdrantError, QdrantResult};
use vdb_qdrant::grpc::{ServerOptions, serve};
use vdb_qdrant::service::{Keys, Service, ServiceOptions};

/// A server on a port of its own, on a database in memory.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), std::io::Error>>,
    _snapshots: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Server::with(Keys::none()).await
    }

    pub(crate) async fn with(keys: Keys) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let snapshots = tempfile::tempdir().unwrap();
        let database = Database::builder().open_in_memory().unwrap();
        let service = Service::new(database, ServiceOptions::new(snapshots.path()));
        let (stop, stopped) = oneshot::channel();
        let options = ServerOptions {
            keys,
            ..ServerOptions::default()
        };
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

    pub(crate) async fn client(&self) -> Qdrant {
        Qdrant::connect(&self.url()).await.unwrap()
    }

    /// What ends it when it is dropped.
    pub(crate) fn last_word(&mut self) -> Option<oneshot::Sender<()>> {
        self.stop.take()
    }

    /// Ends it, with whoever is connected.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

/// An engine in this process, of which everybody knows that it is: directories are such.
pub(crate) fn directory(path: &Path) -> Qdrant {
    let database = Database::builder().background(false).open(path).unwrap();
    Qdrant::on(database, path).unwrap()
}

/// Numbers that look random and are the same every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        (0..count)
            .map(|_| (self.below(2_001) as f32 - 1_000.0) / 1_000.0)
            .collect()
    }
}

pub(crate) fn payload(value: serde_json::Value) -> HashMap<String, proto::Value> {
    qdrant_client::Payload::try_from(value).unwrap().into()
}

/// `birds`: every kind of vector, every kind of index, settings of all sorts, and an alias.
pub(crate) async fn fill(store: &Qdrant, points: u64) {
    store.create_collection(birds()).await.unwrap();
    let mut dice = Dice(7);
    let all: Vec<PointStruct> = (0..points).map(|at| bird(at, &mut dice)).collect();
    let upsert = proto::UpsertPointsBuilder::new("birds", all).wait(true);
    store.upsert_points_chunked(upsert, 500).await.unwrap();
    for (path, kind) in [
        ("name", proto::FieldType::Keyword),
        ("grams", proto::FieldType::Float),
        ("nest.height", proto::FieldType::Integer),
        ("seen", proto::FieldType::Datetime),
        ("place", proto::FieldType::Geo),
        ("night", proto::FieldType::Bool),
        ("ring", proto::FieldType::Uuid),
    ] {
        let index = proto::CreateFieldIndexCollectionBuilder::new("birds", path, kind).wait(true);
        store.create_field_index(index).await.unwrap();
    }
    let text = proto::TextIndexParamsBuilder::new(proto::TokenizerType::Whitespace)
        .lowercase(true)
        .phrase_matching(true);
    let index = proto::CreateFieldIndexCollectionBuilder::new("birds", "song", proto::FieldType::Text)
        .field_index_params(text)
        .wait(true);
    store.create_field_index(index).await.unwrap();
    store
        .create_alias(proto::CreateAliasBuilder::new("birds", "aves"))
        .await
        .unwrap();
}

fn birds() -> proto::CreateCollection {
    use proto::{Datatype, Distance};
    let mut vectors = proto::VectorsConfigBuilder::default();
    vectors.add_named_vector_params("image", proto::VectorParamsBuilder::new(4, Distance::Cosine));
    vectors.add_named_vector_params(
        "half",
        proto::VectorParamsBuilder::new(3, Distance::Euclid)
            .datatype(Datatype::Float16)
            .hnsw_config(proto::HnswConfigDiffBuilder::default().m(24)),
    );
    vectors.add_named_vector_params(
        "bytes",
        proto::VectorParamsBuilder::new(3, Distance::Manhattan).datatype(Datatype::Uint8),
    );
    let multi = proto::MultiVectorConfigBuilder::new(proto::MultiVectorComparator::MaxSim);
    vectors.add_named_vector_params(
        "parts",
        proto::VectorParamsBuilder::new(2, Distance::Dot).multivector_config(multi),
    );
    let mut sparse = proto::SparseVectorsConfigBuilder::default();
    sparse.add_named_vector_params(
        "words",
        proto::SparseVectorParamsBuilder::default().modifier(proto::Modifier::Idf),
    );
    let strict = proto::StrictModeConfigBuilder::default()
        .enabled(true)
        .max_query_limit(100)
        .upsert_max_batchsize(5_000);
    proto::CreateCollectionBuilder::new("birds")
        .vectors_config(vectors)
        .sparse_vectors_config(sparse)
        .hnsw_config(
            proto::HnswConfigDiffBuilder::default()
                .ef_construct(64)
                .payload_m(8),
        )
        .optimizers_config(
            proto::OptimizersConfigDiffBuilder::default()
                .deleted_threshold(0.5)
                .indexing_threshold(777),
        )
        .quantization_config(proto::ScalarQuantizationBuilder::default().quantile(0.9))
        .strict_mode_config(strict)
        .metadata(HashMap::from([("owner".to_owned(), json!({"name": "us"}))]))
        .into()
}

/// A point whose id is a number or a UUID, with some of the vectors.
fn bird(at: u64, dice: &mut Dice) -> PointStruct {
    let id: proto::PointId = match at % 3 {
        0 => format!("{:08x}-0000-4000-8000-{:012x}", dice.below(1 << 32), at).into(),
        1 => (u64::MAX - at).into(),
        _ => (at * 1_000).into(),
    };
    let mut vectors: HashMap<String, proto::Vector> = HashMap::new();
    let mut add = |name: &str, vector: proto::vector::Vector| {
        let vector = proto::Vector {
            vector: Some(vector),
            ..proto::Vector::default()
        };
        vectors.insert(name.to_owned(), vector);
    };
    use proto::vector::Vector as Of;
    if dice.below(4) > 0 {
        let mut data = dice.numbers(4);
        data[0] += 3.0;
        add("image", Of::Dense(proto::DenseVector { data }));
    }
    if dice.below(2) > 0 {
        add(
            "half",
            Of::Dense(proto::DenseVector {
                data: dice.numbers(3),
            }),
        );
    }
    if dice.below(2) > 0 {
        let data = (0..3).map(|_| dice.below(256) as f32).collect();
        add("bytes", Of::Dense(proto::DenseVector { data }));
    }
    if dice.below(2) > 0 {
        let rows = 1 + dice.below(3);
        let vectors = (0..rows)
            .map(|_| proto::DenseVector {
                data: dice.numbers(2),
            })
            .collect();
        add("parts", Of::MultiDense(proto::MultiDenseVector { vectors }));
    }
    if dice.below(2) > 0 {
        let indices: Vec<u32> = (0..3).map(|step| step * 100 + dice.below(100) as u32).collect();
        let values = dice.numbers(3);
        add("words", Of::Sparse(proto::SparseVector { values, indices }));
    }
    let payload = payload(json!({
        "name": format!("bird {at}"),
        "grams": dice.below(1_000) as f64 / 8.0,
        "count": dice.below(1_000),
        "night": at.is_multiple_of(2),
        "nest": {"height": at % 7, "eggs": [1, 2.5, null, "three", {"deep": [true]}]},
        "seen": "2024-05-01T12:00:00Z",
        "place": {"lon": 5.0, "lat": 50.0},
        "ring": "c56a4180-65aa-42ec-a945-5fd21dec0538",
        "song": "tweet Tweet twitter",
        "none": null,
    }));
    PointStruct {
        id: Some(id),
        payload,
        vectors: Some(proto::Vectors {
            vectors_options: Some(proto::vectors::VectorsOptions::Vectors(proto::NamedVectors {
                vectors,
            })),
        }),
    }
}

/// All points of a collection, in the order of their ids.
pub(crate) async fn all_points(store: &Qdrant, collection: &str) -> Vec<proto::RetrievedPoint> {
    let mut all = Vec::new();
    let mut offset = None;
    loop {
        let mut page = proto::ScrollPointsBuilder::new(collection)
            .limit(100)
            .with_payload(true)
            .with_vectors(true);
        if let Some(offset) = offset {
            page = page.offset::<proto::PointId>(offset);
        }
        let answer = store.scroll(page).await.unwrap();
        all.extend(answer.result);
        offset = answer.next_page_offset;
        if offset.is_none() {
            return all;
        }
    }
}

/// What is told of a collection, without what comes of its files.
pub(crate) async fn settings(
    store: &Qdrant,
    collection: &str,
) -> (proto::CollectionConfig, HashMap<String, proto::PayloadSchemaInfo>) {
    let info = store.collection_info(collection).await.unwrap().result.unwrap();
    (info.config.unwrap(), info.payload_schema)
}

/// Options of tests: nothing is waited for.
pub(crate) fn options() -> Options {
    Options {
        verification: Verification::Full,
        patience: Patience {
            retries: 3,
            first: Duration::ZERO,
            most: Duration::ZERO,
        },
        batch_points: 37,
        ..Options::default()
    }
}

/// A migration that nobody watches, with a journal in memory.
pub(crate) async fn migrated<S: Store, T: Store>(
    source: S,
    target: T,
    options: Options,
) -> Result<Report, MigrateError> {
    let journal = Journal::in_memory(source.shown(), target.shown());
    migrate(source, target, &journal, options, Watch::silent()).await
}

/// What becomes of a call.
pub(crate) enum Fate {
    /// It is made.
    Made,
    /// It fails, and nothing has happened.
    Refused(QdrantError),
    /// It is made, and the answer is lost.
    Lost(QdrantError),
}

type Hook<M, R = Fate> = Arc<Mutex<Box<dyn FnMut(&mut M) -> R + Send>>>;

/// A store that fails, lies and forgets when somebody says so.
#[derive(Clone)]
pub(crate) struct Faulty {
    inner: Qdrant,
    scrolls: Hook<proto::ScrollPoints>,
    answers: Hook<proto::ScrollResponse, ()>,
    upserts: Hook<proto::UpsertPoints>,
    creates: Hook<proto::CreateCollection>,
    /// The version that it says to be, if not its own.
    version: Option<&'static str>,
}

impl Faulty {
    pub(crate) fn on(inner: Qdrant) -> Self {
        Faulty {
            inner,
            scrolls: Arc::new(Mutex::new(Box::new(|_| Fate::Made))),
            answers: Arc::new(Mutex::new(Box::new(|_| ()))),
            upserts: Arc::new(Mutex::new(Box::new(|_| Fate::Made))),
            creates: Arc::new(Mutex::new(Box::new(|_| Fate::Made))),
            version: None,
        }
    }

    /// What becomes of reading a page.
    pub(crate) fn scrolls(self, hook: impl FnMut(&mut proto::ScrollPoints) -> Fate + Send + 'static) -> Self {
        *self.scrolls.lock() = Box::new(hook);
        self
    }

    /// What it makes of a page before it answers.
    pub(crate) fn answers(self, hook: impl FnMut(&mut proto::ScrollResponse) + Send + 'static) -> Self {
        *self.answers.lock() = Box::new(hook);
        self
    }

    /// What becomes of a write.
    pub(crate) fn upserts(self, hook: impl FnMut(&mut proto::UpsertPoints) -> Fate + Send + 'static) -> Self {
        *self.upserts.lock() = Box::new(hook);
        self
    }

    /// What becomes of making a collection.
    pub(crate) fn creates(
        self,
        hook: impl FnMut(&mut proto::CreateCollection) -> Fate + Send + 'static,
    ) -> Self {
        *self.creates.lock() = Box::new(hook);
        self
    }

    pub(crate) fn version(self, version: &'static str) -> Self {
        Faulty {
            version: Some(version),
            ..self
        }
    }
}

impl Store for Faulty {
    fn shown(&self) -> String {
        self.inner.back_end().to_string()
    }

    fn database(&self) -> Option<&Database> {
        // As a server has it: nothing passes by the calls.
        None
    }

    async fn health_check(&self) -> QdrantResult<proto::HealthCheckReply> {
        let mut reply = self.inner.health_check().await?;
        if let Some(version) = self.version {
            reply.version = version.to_owned();
        }
        Ok(reply)
    }

    async fn list_collections(&self) -> QdrantResult<proto::ListCollectionsResponse> {
        self.inner.list_collections().await
    }

    async fn list_aliases(&self) -> QdrantResult<proto::ListAliasesResponse> {
        self.inner.list_aliases().await
    }

    async fn create_alias(
        &self,
        request: proto::CreateAlias,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        self.inner.create_alias(request).await
    }

    async fn collection_info(&self, collection: &str) -> QdrantResult<proto::GetCollectionInfoResponse> {
        self.inner.collection_info(collection).await
    }

    async fn create_collection(
        &self,
        mut request: proto::CreateCollection,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        let fate = (self.creates.lock())(&mut request);
        match fate {
            Fate::Made => self.inner.create_collection(request).await,
            Fate::Refused(error) => Err(error),
            Fate::Lost(error) => {
                self.inner.create_collection(request).await?;
                Err(error)
            }
        }
    }

    async fn update_collection(
        &self,
        request: proto::UpdateCollection,
    ) -> QdrantResult<proto::CollectionOperationResponse> {
        self.inner.update_collection(request).await
    }

    async fn delete_collection(&self, collection: &str) -> QdrantResult<proto::CollectionOperationResponse> {
        self.inner.delete_collection(collection).await
    }

    async fn create_field_index(
        &self,
        request: proto::CreateFieldIndexCollection,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        self.inner.create_field_index(request).await
    }

    async fn count(&self, request: proto::CountPoints) -> QdrantResult<proto::CountResponse> {
        self.inner.count(request).await
    }

    async fn scroll(&self, mut request: proto::ScrollPoints) -> QdrantResult<proto::ScrollResponse> {
        let fate = (self.scrolls.lock())(&mut request);
        match fate {
            Fate::Made => {
                let mut answer = self.inner.scroll(request).await?;
                (self.answers.lock())(&mut answer);
                Ok(answer)
            }
            Fate::Refused(error) | Fate::Lost(error) => Err(error),
        }
    }

    async fn upsert(&self, mut request: proto::UpsertPoints) -> QdrantResult<proto::PointsOperationResponse> {
        let fate = (self.upserts.lock())(&mut request);
        match fate {
            Fate::Made => self.inner.upsert_points(request).await,
            Fate::Refused(error) => Err(error),
            Fate::Lost(error) => {
                self.inner.upsert_points(request).await?;
                Err(error)
            }
        }
    }

    async fn delete_points(
        &self,
        request: proto::DeletePoints,
    ) -> QdrantResult<proto::PointsOperationResponse> {
        self.inner.delete_points(request).await
    }
}

/// An error of a server.
pub(crate) fn status(code: tonic::Code, text: &str) -> QdrantError {
    QdrantError::from(tonic::Status::new(code, text))
}
