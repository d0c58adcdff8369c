//! Points: writes, reads, queries.
//!
//! | file | what |
//! |---|---|
//! | `writes.rs` | writes, and changes of what points can have |
//! | `reads.rs` | everything that reads and is no query |
//! | `queries.rs` | queries, and the calls that were there before them |

mod queries;
mod reads;
mod writes;

use qdrant_client::qdrant::points_server::Points;
use tonic::Status;

use super::call::{OnBehalf, serve_by_methods};
use super::convert::inference::{Models, NamesModel};
use super::convert::rejection::Result as Read;
use crate::service::{Caller, ReadOptions, Service};

type Answer<T> = Result<T, Status>;

/// Answers calls about points.
#[derive(Clone, Debug)]
pub(crate) struct PointCalls(pub(super) Service);

impl OnBehalf for PointCalls {
    fn on_behalf_of(&self, caller: &Caller) -> Self {
        PointCalls(self.0.on_behalf_of(caller))
    }
}

impl PointCalls {
    /// What a part of a message says. Where there are texts in it, these become vectors on another thread, within the time of a
    /// read.
    async fn made<M, T>(
        &self,
        message: M,
        options: ReadOptions,
        read: impl FnOnce(M, &mut Models<'_>) -> Read<T> + Send + 'static,
    ) -> Answer<T>
    where
        M: NamesModel + Send + 'static,
        T: Send + 'static,
    {
        if !message.names_model() {
            return Ok(read(message, &mut Models::default())?);
        }
        self.0
            .make(options, move |control| {
                read(message, &mut Models::within(control)).map_err(Status::from)
            })
            .await
    }
}

serve_by_methods! { Points for PointCalls:
    upsert(UpsertPoints) -> PointsOperationResponse;
    delete(DeletePoints) -> PointsOperationResponse;
    get(GetPoints) -> GetResponse;
    update_vectors(UpdatePointVectors) -> PointsOperationResponse;
    delete_vectors(DeletePointVectors) -> PointsOperationResponse;
    set_payload(SetPayloadPoints) -> PointsOperationResponse;
    overwrite_payload(SetPayloadPoints) -> PointsOperationResponse;
    delete_payload(DeletePayloadPoints) -> PointsOperationResponse;
    clear_payload(ClearPayloadPoints) -> PointsOperationResponse;
    create_field_index(CreateFieldIndexCollection) -> PointsOperationResponse;
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
    query(QueryPoints) -> QueryResponse;
    query_batch(QueryBatchPoints) -> QueryBatchResponse;
    query_groups(QueryPointGroups) -> QueryGroupsResponse;
    facet(FacetCounts) -> FacetResponse;
    search_matrix_pairs(SearchMatrixPoints) -> SearchMatrixPairsResponse;
    search_matrix_offsets(SearchMatrixPoints) -> SearchMatrixOffsetsResponse;
}

#[cfg(test)]
mod tests;
