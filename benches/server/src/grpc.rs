//! Over gRPC, with Qdrant's own client.

use std::path::Path;

use qdrant_client::qdrant::point_id::PointIdOptions;
use qdrant_client::qdrant::{
    CollectionStatus, Condition, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance,
    FieldType, Filter, PointStruct, QuantizationSearchParamsBuilder, Query, QueryPoints, QueryPointsBuilder,
    ScalarQuantizationBuilder, SearchParamsBuilder, UpsertPoints, UpsertPointsBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant};
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Runtime};
use vdb_benches::{Dataset, Error, Question, Result, Store, Writer};
use vdb_measure::Setting;

use crate::server::{Connection, Idle, Params, QUANTILE, Server, State, durability, renew};

const NAME: &str = "gRPC";

fn failed(error: impl std::fmt::Display) -> Error {
    Error::peer(NAME, error)
}

/// A client with a runtime on the thread that asks.
pub(crate) struct Client {
    runtime: Runtime,
    pub(crate) client: Qdrant,
}

impl Client {
    pub(crate) fn new(url: &str) -> Result<Client> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let mut config = Qdrant::from_url(url).skip_compatibility_check();
        // One connection a client: how many there are is what is measured.
        config.set_pool_size(1);
        let client = runtime.block_on(async { config.build() }).map_err(failed)?;
        Ok(Client { runtime, client })
    }

    pub(crate) fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, qdrant_client::QdrantError>>,
    ) -> Result<T> {
        self.runtime.block_on(work).map_err(failed)
    }
}

/// A server over gRPC.
pub struct Grpc {
    url: String,
    collection: String,
    writing: Idle<Client>,
}

impl Grpc {
    /// The collection of the server at `url`, as `http://localhost:6334`.
    pub fn new(url: &str, collection: &str) -> Grpc {
        Grpc {
            url: url.to_owned(),
            collection: collection.to_owned(),
            writing: Idle::default(),
        }
    }

    fn client(&self) -> Result<Client> {
        Client::new(&self.url)
    }
}

/// Points with numbers from `first` on, as they are sent; the answer comes when they are applied.
fn points(collection: &str, first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> UpsertPoints {
    let points = (first..).zip(vectors).enumerate().map(|(at, (id, vector))| {
        let payload = payloads.get(at).cloned().unwrap_or_default();
        PointStruct::new(id, vector.to_vec(), Payload::from(payload))
    });
    UpsertPointsBuilder::new(collection, points.collect::<Vec<_>>())
        .wait(true)
        .build()
}

/// The collection, as something that is written to.
struct GrpcStore<'a> {
    server: &'a Grpc,
}

impl Store for GrpcStore<'_> {
    type Batch = UpsertPoints;

    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<UpsertPoints> {
        Ok(points(&self.server.collection, first as u64, vectors, &[]))
    }

    fn write(&self, batch: UpsertPoints) -> Result<()> {
        let open = || self.server.client();
        let send = |client: &Client| client.wait(client.client.upsert_points(batch));
        self.server.writing.with(open, send).map(|_| ())
    }
}

impl Server for Grpc {
    fn transport(&self) -> &'static str {
        "grpc"
    }

    fn beside(&self, collection: &str) -> Box<dyn Server> {
        Box::new(Grpc::new(&self.url, collection))
    }

    fn name(&self) -> Result<String> {
        let client = self.client()?;
        let reply = client.wait(client.client.health_check())?;
        Ok(format!("qdrant {}", reply.version))
    }

    fn exists(&self) -> Result<bool> {
        let client = self.client()?;
        client.wait(client.client.collection_exists(&self.collection))
    }

    fn create(&self, params: &Params) -> Result<()> {
        let client = self.client()?;
        let distance = match params.distance {
            vdb::Distance::Cosine => Distance::Cosine,
            vdb::Distance::Dot => Distance::Dot,
            vdb::Distance::Euclid => Distance::Euclid,
            vdb::Distance::Manhattan => Distance::Manhattan,
        };
        let vectors = VectorParamsBuilder::new(params.dim as u64, distance);
        let mut request = CreateCollectionBuilder::new(&self.collection).vectors_config(vectors);
        if params.int8 {
            // `memory` says the same from 1.19 on; servers before it know this name only.
            let codes = ScalarQuantizationBuilder::default()
                .quantile(QUANTILE)
                .always_ram(true);
            request = request.quantization_config(codes);
        }
        client.wait(client.client.create_collection(request)).map(|_| ())
    }

    fn index(&self, path: &str, kind: &str) -> Result<()> {
        let client = self.client()?;
        let kind = match kind {
            "keyword" => FieldType::Keyword,
            "integer" => FieldType::Integer,
            other => return Err(failed(format!("no index of {other}"))),
        };
        let request = CreateFieldIndexCollectionBuilder::new(&self.collection, path, kind).wait(true);
        client.wait(client.client.create_field_index(request)).map(|_| ())
    }

    fn upsert(&self, first: u64, vectors: &[&[f32]], payloads: &[Map<String, Value>]) -> Result<()> {
        let client = self.client()?;
        let request = points(&self.collection, first, vectors, payloads);
        client.wait(client.client.upsert_points(request)).map(|_| ())
    }

    fn writer<'a>(&'a self, set: &'a Dataset) -> Result<Writer<'a>> {
        let make = move |_: &Path| {
            renew(self, set)?;
            Ok(GrpcStore { server: self })
        };
        let durability = durability(self.transport());
        Ok(Writer::new(set, &self.name()?, &durability, false, make))
    }

    fn state(&self) -> Result<State> {
        let client = self.client()?;
        let reply = client.wait(client.client.collection_info(&self.collection))?;
        let info = reply
            .result
            .ok_or_else(|| failed("no information on the collection"))?;
        Ok(State {
            green: info.status == CollectionStatus::Green as i32,
            points: info.points_count.unwrap_or(0),
            segments: info.segments_count,
        })
    }

    fn delete(&self) -> Result<()> {
        let client = self.client()?;
        client
            .wait(client.client.delete_collection(&self.collection))
            .map(|_| ())
    }

    fn connect(&self) -> Result<Box<dyn Connection>> {
        Ok(Box::new(GrpcConnection {
            client: self.client()?,
            collection: self.collection.clone(),
            requests: Vec::new(),
        }))
    }
}

struct GrpcConnection {
    client: Client,
    collection: String,
    requests: Vec<QueryPoints>,
}

impl Connection for GrpcConnection {
    fn prepare(&mut self, question: &Question<'_>, int8: bool) -> Result<()> {
        let mut params = SearchParamsBuilder::default();
        match question.setting {
            Setting::Default => {}
            Setting::Ef(ef) => params = params.hnsw_ef(ef as u64),
            Setting::Exact => params = params.exact(true),
        }
        if int8 {
            let codes = QuantizationSearchParamsBuilder::default()
                .rescore(true)
                .oversampling(2.0);
            params = params.quantization(codes);
        }
        let mut request = QueryPointsBuilder::new(&self.collection)
            .query(Query::new_nearest(question.vector.to_vec()))
            .limit(question.limit as u64)
            .params(params);
        if let Some(wanted) = question.filter {
            request = request.filter(filter(wanted)?);
        }
        self.requests.push(request.build());
        Ok(())
    }

    fn clear(&mut self) {
        self.requests.clear();
    }

    fn ask(&mut self, question: usize) -> Result<Vec<u64>> {
        let request = self.requests.get(question).cloned().unwrap_or_default();
        let reply = self.client.wait(self.client.client.query(request))?;
        let id = |point: &qdrant_client::qdrant::ScoredPoint| match &point.id.as_ref()?.point_id_options {
            Some(PointIdOptions::Num(number)) => Some(*number),
            Some(PointIdOptions::Uuid(_)) | None => None,
        };
        Ok(reply.result.iter().filter_map(id).collect())
    }

    fn health(&mut self) -> Result<()> {
        self.client.wait(self.client.client.health_check()).map(drop)
    }
}

/// The filters that are measured: `must` of matches, in Qdrant's JSON.
fn filter(json: &Value) -> Result<Filter> {
    let unknown = || failed(format!("a filter that is not measured over gRPC: {json}"));
    let must = json.get("must").and_then(Value::as_array).ok_or_else(unknown)?;
    let conditions = must.iter().map(|condition| {
        let key = condition.get("key").and_then(Value::as_str).ok_or_else(unknown)?;
        let value = condition.pointer("/match/value").ok_or_else(unknown)?;
        match (value.as_str(), value.as_i64()) {
            (Some(keyword), _) => Ok(Condition::matches(key, keyword.to_owned())),
            (None, Some(number)) => Ok(Condition::matches(key, number)),
            (None, None) => Err(unknown()),
        }
    });
    Ok(Filter::must(conditions.collect::<Result<Vec<_>>>()?))
}
