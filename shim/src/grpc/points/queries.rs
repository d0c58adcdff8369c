//! Queries, and the searches, recommendations and discoveries that were there before them.

use std::time::Duration;

use qdrant_client::qdrant as proto;
use vdb::{QueryRequest, ScoredPoint};

use super::super::call::{Clock, read_options};
use super::super::convert::rejection::{Rejection, Result, each};
use super::super::convert::{cluster, legacy, points, query, results};
use super::super::names::Names;
use super::{Answer, PointCalls};
use crate::service::GroupsRequest;

impl PointCalls {
    async fn one(&self, collection: &str, request: QueryRequest) -> Answer<Vec<proto::ScoredPoint>> {
        let options = read_options(request.timeout);
        let hits = self.0.query(collection, request, options).await?;
        Ok(hits.into_iter().map(results::scored).collect())
    }

    async fn groups(&self, collection: &str, request: GroupsRequest) -> Answer<proto::GroupsResult> {
        let options = read_options(request.groups.query.timeout);
        let groups = self.0.query_groups(collection, request, options).await?;
        Ok(proto::GroupsResult {
            groups: groups.into_iter().map(results::group).collect(),
        })
    }

    async fn several(
        &self,
        collection: &str,
        requests: Vec<QueryRequest>,
        timeout: Option<Duration>,
    ) -> Answer<Vec<proto::BatchResult>> {
        let hits: Vec<Vec<ScoredPoint>> = self
            .0
            .query_batch(collection, requests, read_options(timeout))
            .await?;
        Ok(results::batch(hits))
    }

    /// The points that a query asks for.
    pub(crate) async fn query(&self, message: proto::QueryPoints) -> Answer<proto::QueryResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.one(&collection, query::request(message)?).await?;
        Ok(proto::QueryResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// The points that several queries ask for.
    pub(crate) async fn query_batch(
        &self,
        message: proto::QueryBatchPoints,
    ) -> Answer<proto::QueryBatchResponse> {
        let clock = Clock::start();
        let proto::QueryBatchPoints {
            collection_name,
            query_points,
            read_consistency,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        let requests = batch("query_points", &collection_name, query_points, query::request)?;
        let result = self
            .several(&collection_name, requests, points::timeout(timeout)?)
            .await?;
        Ok(proto::QueryBatchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// The best points of each value of a field.
    pub(crate) async fn query_groups(
        &self,
        message: proto::QueryPointGroups,
    ) -> Answer<proto::QueryGroupsResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.groups(&collection, query::groups(message)?).await?;
        Ok(proto::QueryGroupsResponse {
            result: Some(result),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// The points nearest to a vector.
    pub(crate) async fn search(&self, message: proto::SearchPoints) -> Answer<proto::SearchResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.one(&collection, legacy::search(message)?).await?;
        Ok(proto::SearchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// The points nearest to several vectors.
    pub(crate) async fn search_batch(
        &self,
        message: proto::SearchBatchPoints,
    ) -> Answer<proto::SearchBatchResponse> {
        let clock = Clock::start();
        let proto::SearchBatchPoints {
            collection_name,
            search_points,
            read_consistency,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        let requests = batch("search_points", &collection_name, search_points, legacy::search)?;
        let result = self
            .several(&collection_name, requests, points::timeout(timeout)?)
            .await?;
        Ok(proto::SearchBatchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// The points nearest to a vector, by groups.
    pub(crate) async fn search_groups(
        &self,
        message: proto::SearchPointGroups,
    ) -> Answer<proto::SearchGroupsResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.groups(&collection, legacy::search_groups(message)?).await?;
        Ok(proto::SearchGroupsResponse {
            result: Some(result),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Points like some and unlike others.
    pub(crate) async fn recommend(
        &self,
        message: proto::RecommendPoints,
    ) -> Answer<proto::RecommendResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.one(&collection, legacy::recommend(message)?).await?;
        Ok(proto::RecommendResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Several recommendations.
    pub(crate) async fn recommend_batch(
        &self,
        message: proto::RecommendBatchPoints,
    ) -> Answer<proto::RecommendBatchResponse> {
        let clock = Clock::start();
        let proto::RecommendBatchPoints {
            collection_name,
            recommend_points,
            read_consistency,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        let requests = batch(
            "recommend_points",
            &collection_name,
            recommend_points,
            legacy::recommend,
        )?;
        let result = self
            .several(&collection_name, requests, points::timeout(timeout)?)
            .await?;
        Ok(proto::RecommendBatchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// A recommendation by groups.
    pub(crate) async fn recommend_groups(
        &self,
        message: proto::RecommendPointGroups,
    ) -> Answer<proto::RecommendGroupsResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self
            .groups(&collection, legacy::recommend_groups(message)?)
            .await?;
        Ok(proto::RecommendGroupsResponse {
            result: Some(result),
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Points on the right side of pairs, near to a target.
    pub(crate) async fn discover(&self, message: proto::DiscoverPoints) -> Answer<proto::DiscoverResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let result = self.one(&collection, legacy::discover(message)?).await?;
        Ok(proto::DiscoverResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }

    /// Several discoveries.
    pub(crate) async fn discover_batch(
        &self,
        message: proto::DiscoverBatchPoints,
    ) -> Answer<proto::DiscoverBatchResponse> {
        let clock = Clock::start();
        let proto::DiscoverBatchPoints {
            collection_name,
            discover_points,
            read_consistency,
            timeout,
        } = message;
        cluster::consistency(read_consistency)?;
        let requests = batch(
            "discover_points",
            &collection_name,
            discover_points,
            legacy::discover,
        )?;
        let result = self
            .several(&collection_name, requests, points::timeout(timeout)?)
            .await?;
        Ok(proto::DiscoverBatchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }
}

/// The requests of a batch. Each may name the collection again; another one than that of the batch is refused.
fn batch<M: Names>(
    field: &str,
    collection: &str,
    messages: Vec<M>,
    read: impl Fn(M) -> Result<QueryRequest>,
) -> Result<Vec<QueryRequest>> {
    each(field, messages, |message| {
        let named = message.collection().unwrap_or_default();
        if !named.is_empty() && named != collection {
            let problem = format_args!("a batch is of one collection, {collection}, not of {named}");
            return Err(Rejection::invalid("collection_name", problem));
        }
        read(message)
    })
}
