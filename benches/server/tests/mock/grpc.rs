//! The stand-in over gRPC: the services of Qdrant's own client crate, with what is not asked for left unimplemented.

use ::qdrant_client::qdrant::collections_server::{Collections, CollectionsServer};
use ::qdrant_client::qdrant::point_id::PointIdOptions;
use ::qdrant_client::qdrant::points_server::{Points, PointsServer};
use ::qdrant_client::qdrant::qdrant_server::{Qdrant, QdrantServer};
use ::qdrant_client::qdrant::*;
use serde_json::{Value as Json, json};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use super::Shared;

type Answer<T> = Result<Response<T>, Status>;

/// Methods that nobody calls, as `async_trait` makes them of `async fn`: it does not see into a macro inside its block.
macro_rules! left_out {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        $(
            fn $name<'a, 'b>(
                &'a self,
                _request: Request<$request>,
            ) -> std::pin::Pin<Box<dyn Future<Output = Answer<$answer>> + Send + 'b>>
            where
                'a: 'b,
                Self: 'b,
            {
                Box::pin(async { Err(Status::unimplemented(stringify!($name))) })
            }
        )*
    };
}

struct Mock(Shared);

/// Serves until the runtime ends; the address to ask.
pub(crate) fn serve(runtime: &tokio::runtime::Runtime, store: &Shared) -> String {
    let incoming = runtime.block_on(async { TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap() });
    let address = incoming.local_addr().unwrap();
    let server = tonic::transport::Server::builder()
        .add_service(CollectionsServer::new(Mock(store.clone())))
        .add_service(PointsServer::new(Mock(store.clone())).max_decoding_message_size(64 << 20))
        .add_service(QdrantServer::new(Mock(store.clone())))
        .serve_with_incoming(incoming);
    runtime.spawn(server);
    format!("http://{address}")
}

#[tonic::async_trait]
impl Qdrant for Mock {
    async fn health_check(&self, _request: Request<HealthCheckRequest>) -> Answer<HealthCheckReply> {
        Ok(Response::new(HealthCheckReply {
            title: "qdrant - vector search engine".to_owned(),
            version: "1.19.0".to_owned(),
            commit: None,
        }))
    }
}

fn done() -> Response<PointsOperationResponse> {
    Response::new(PointsOperationResponse::default())
}

#[tonic::async_trait]
impl Collections for Mock {
    async fn create(&self, request: Request<CreateCollection>) -> Answer<CollectionOperationResponse> {
        let request = request.into_inner();
        let Some(vectors_config::Config::Params(params)) = request.vectors_config.and_then(|v| v.config)
        else {
            return Err(Status::invalid_argument("one vector"));
        };
        let mut body = json!({"vectors": {"size": params.size, "distance": params.distance().as_str_name()}});
        if let Some(quantization_config::Quantization::Scalar(codes)) =
            request.quantization_config.and_then(|codes| codes.quantization)
        {
            body["quantile"] = json!(codes.quantile);
        }
        self.0.lock().created = Some(body);
        Ok(Response::new(CollectionOperationResponse {
            result: true,
            time: 0.0,
        }))
    }

    async fn get(&self, _request: Request<GetCollectionInfoRequest>) -> Answer<GetCollectionInfoResponse> {
        let mut store = self.0.lock();
        let status = if store.is_green() {
            CollectionStatus::Green
        } else {
            CollectionStatus::Yellow
        };
        let info = CollectionInfo {
            status: status as i32,
            points_count: Some(store.points.len() as u64),
            ..CollectionInfo::default()
        };
        Ok(Response::new(GetCollectionInfoResponse {
            result: Some(info),
            time: 0.0,
        }))
    }

    async fn delete(&self, _request: Request<DeleteCollection>) -> Answer<CollectionOperationResponse> {
        let result = self.0.lock().delete();
        Ok(Response::new(CollectionOperationResponse { result, time: 0.0 }))
    }

    async fn collection_exists(
        &self,
        _request: Request<CollectionExistsRequest>,
    ) -> Answer<CollectionExistsResponse> {
        let exists = self.0.lock().created.is_some();
        Ok(Response::new(CollectionExistsResponse {
            result: Some(CollectionExists { exists }),
            time: 0.0,
        }))
    }

    left_out! {
        list(ListCollectionsRequest) -> ListCollectionsResponse;
        update(UpdateCollection) -> CollectionOperationResponse;
        update_aliases(ChangeAliases) -> CollectionOperationResponse;
        list_collection_aliases(ListCollectionAliasesRequest) -> ListAliasesResponse;
        list_aliases(ListAliasesRequest) -> ListAliasesResponse;
        collection_cluster_info(CollectionClusterInfoRequest) -> CollectionClusterInfoResponse;
        update_collection_cluster_setup(UpdateCollectionClusterSetupRequest)
            -> UpdateCollectionClusterSetupResponse;
        create_shard_key(CreateShardKeyRequest) -> CreateShardKeyResponse;
        delete_shard_key(DeleteShardKeyRequest) -> DeleteShardKeyResponse;
        list_shard_keys(ListShardKeysRequest) -> ListShardKeysResponse;
    }
}

#[tonic::async_trait]
impl Points for Mock {
    async fn create_field_index(
        &self,
        request: Request<CreateFieldIndexCollection>,
    ) -> Answer<PointsOperationResponse> {
        let request = request.into_inner();
        let kind = request.field_type().as_str_name().to_owned();
        self.0
            .lock()
            .indexes
            .push(format!("{} {kind}", request.field_name));
        Ok(done())
    }

    async fn upsert(&self, request: Request<UpsertPoints>) -> Answer<PointsOperationResponse> {
        let mut store = self.0.lock();
        for point in request.into_inner().points {
            let Some(PointIdOptions::Num(id)) = point.id.and_then(|id| id.point_id_options) else {
                return Err(Status::invalid_argument("a number"));
            };
            let Some(vectors::VectorsOptions::Vector(vector)) = point.vectors.and_then(|v| v.vectors_options)
            else {
                return Err(Status::invalid_argument("one vector"));
            };
            let Some(vector::Vector::Dense(vector)) = vector.vector else {
                return Err(Status::invalid_argument("a dense vector"));
            };
            let payload = point
                .payload
                .into_iter()
                .map(|(key, value)| (key, Json::from(value)));
            store.points.insert(id, (vector.data, payload.collect()));
        }
        Ok(done())
    }

    async fn query(&self, request: Request<QueryPoints>) -> Answer<QueryResponse> {
        let request = request.into_inner();
        let params = request.params.unwrap_or_default();
        let oversampling = params.quantization.and_then(|codes| codes.oversampling);
        let Some(query::Variant::Nearest(input)) = request.query.and_then(|query| query.variant) else {
            return Err(Status::invalid_argument("nearest"));
        };
        let Some(vector_input::Variant::Dense(vector)) = input.variant else {
            return Err(Status::invalid_argument("a dense vector"));
        };
        let condition = request.filter.and_then(|filter| filter.must.into_iter().next());
        let matches = condition.and_then(|one| match one.condition_one_of {
            Some(condition::ConditionOneOf::Field(field)) => {
                let value = match field.r#match?.match_value? {
                    r#match::MatchValue::Keyword(text) => json!(text),
                    r#match::MatchValue::Integer(number) => json!(number),
                    _ => return None,
                };
                Some((field.key, value))
            }
            _ => None,
        });
        let mut store = self.0.lock();
        store.params = json!({"hnsw_ef": params.hnsw_ef, "oversampling": oversampling});
        let limit = request.limit.unwrap_or(10) as usize;
        let matches = matches.as_ref().map(|(key, value)| (key.as_str(), value));
        let found = store.nearest(&vector.data, limit, matches);
        let points = found.into_iter().map(|(id, score)| ScoredPoint {
            id: Some(PointId::from(id)),
            score,
            ..ScoredPoint::default()
        });
        Ok(Response::new(QueryResponse {
            result: points.collect(),
            ..QueryResponse::default()
        }))
    }

    left_out! {
        delete(DeletePoints) -> PointsOperationResponse;
        get(GetPoints) -> GetResponse;
        update_vectors(UpdatePointVectors) -> PointsOperationResponse;
        delete_vectors(DeletePointVectors) -> PointsOperationResponse;
        set_payload(SetPayloadPoints) -> PointsOperationResponse;
        overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
        delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
        clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
        delete_field_index(DeleteFieldIndexCollection) -> PointsOperationResponse;
        create_vector_name(CreateVectorNameRequest) -> PointsOperationResponse;
        delete_vector_name(DeleteVectorNameRequest) -> PointsOperationResponse;
        search(SearchPoints) -> SearchResponse;
        search_batch(SearchBatchPoints) -> SearchBatchResponse;
        search_groups(SearchPointGroups) -> SearchGroupsResponse;
        scroll(ScrollPoints) -> ScrollResponse;
        recommend(RecommendPoints) -> RecommendResponse;
        recommend_batch(RecommendBatchPoints) -> RecommendBatchResponse;
        recommend_groups(RecommendPointGroups) -> RecommendGroupsResponse;
        discover(DiscoverPoints) -> DiscoverResponse;
        discover_batch(DiscoverBatchPoints) -> DiscoverBatchResponse;
        count(CountPoints) -> CountResponse;
        update_batch(UpdateBatchPoints) -> UpdateBatchResponse;
        query_batch(QueryBatchPoints) -> QueryBatchResponse;
        query_groups(QueryPointGroups) -> QueryGroupsResponse;
        facet(FacetCounts) -> FacetResponse;
        search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
        search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
    }
}
