//! Queries, and the searches, recommendations and discoveries that were there before them.

use qdrant_client::qdrant as proto;
use vdb::{QueryRequest, ScoredPoint};

use super::super::call::Clock;
use super::super::convert::inference::{Models, NamesModel};
use super::super::convert::rejection::{Rejection, Result, each};
use super::super::convert::{cluster, legacy, points, query, results};
use super::super::names::Names;
use super::{Answer, PointCalls};
use crate::service::{GroupsRequest, ReadOptions, check_batch};

impl PointCalls {
    async fn one(
        &self,
        collection: &str,
        request: QueryRequest,
        options: ReadOptions,
    ) -> Answer<Vec<proto::ScoredPoint>> {
        let hits = self.0.query(collection, request, options).await?;
        Ok(hits.into_iter().map(results::scored).collect())
    }

    async fn groups(
        &self,
        collection: &str,
        request: GroupsRequest,
        options: ReadOptions,
    ) -> Answer<proto::GroupsResult> {
        let groups = self.0.query_groups(collection, request, options).await?;
        Ok(proto::GroupsResult {
            groups: groups.into_iter().map(results::group).collect(),
        })
    }

    /// The answers to the messages of `field`. Each may name the collection again; another one than that of the batch is refused.
    async fn several<M: Names + NamesModel + Send + 'static>(
        &self,
        collection: &str,
        (field, messages): (&'static str, Vec<M>),
        options: ReadOptions,
        read: impl Fn(M, &mut Models<'_>) -> Result<QueryRequest> + Send + 'static,
    ) -> Answer<Vec<proto::BatchResult>> {
        // Before anything is made of so many.
        check_batch(messages.len())?;
        let name = collection.to_owned();
        let read = move |messages: Vec<M>, models: &mut Models<'_>| {
            each(field, messages, |message: M| {
                let named = message.collection().unwrap_or_default();
                if !named.is_empty() && named != name {
                    let problem = format_args!("a batch is of one collection, {name}, not of {named}");
                    return Err(Rejection::invalid("collection_name", problem));
                }
                read(message, models)
            })
        };
        let requests = self.made(messages, options, read).await?;
        let hits: Vec<Vec<ScoredPoint>> = self.0.query_batch(collection, requests, options).await?;
        Ok(results::batch(hits))
    }

    /// The points that a query asks for.
    pub(crate) async fn query(&self, message: proto::QueryPoints) -> Answer<proto::QueryResponse> {
        let clock = Clock::start();
        let collection = message.collection_name.clone();
        let options = clock.within(points::timeout(message.timeout)?);
        let request = self.made(message, options, query::request).await?;
        let result = self.one(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(timeout)?);
        let asked = ("query_points", query_points);
        let result = self
            .several(&collection_name, asked, options, query::request)
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
        let options = clock.within(points::timeout(message.timeout)?);
        let request = self.made(message, options, query::groups).await?;
        let result = self.groups(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(message.timeout)?);
        let result = self.one(&collection, legacy::search(message)?, options).await?;
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
        let options = clock.within(points::timeout(timeout)?);
        let asked = ("search_points", search_points);
        let result = self
            .several(&collection_name, asked, options, |message, _| {
                legacy::search(message)
            })
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
        let options = clock.within(points::timeout(message.timeout)?);
        let request = legacy::search_groups(message)?;
        let result = self.groups(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(message.timeout)?);
        let request = self.made(message, options, legacy::recommend).await?;
        let result = self.one(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(timeout)?);
        let asked = ("recommend_points", recommend_points);
        let result = self
            .several(&collection_name, asked, options, legacy::recommend)
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
        let options = clock.within(points::timeout(message.timeout)?);
        let request = self.made(message, options, legacy::recommend_groups).await?;
        let result = self.groups(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(message.timeout)?);
        let request = self.made(message, options, legacy::discover).await?;
        let result = self.one(&collection, request, options).await?;
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
        let options = clock.within(points::timeout(timeout)?);
        let asked = ("discover_points", discover_points);
        let result = self
            .several(&collection_name, asked, options, legacy::discover)
            .await?;
        Ok(proto::DiscoverBatchResponse {
            result,
            time: clock.seconds(),
            usage: None,
        })
    }
}
