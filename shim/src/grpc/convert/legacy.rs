//! Searches, recommendations and discoveries as they were asked for before there were queries: each is a query.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::{target_vector, vector_example};
use vdb::{ContextPair, GroupRequest, PointId, Query, QueryRequest, VectorInput};

use super::inference::{Models, Role};
use super::rejection::{Result, Within, at_least, count, each, required};
use super::{ids, query, vectors};
use crate::service::GroupsRequest;

/// The parts that these calls have in common with a query.
fn shared(message: proto::QueryPoints, asked: Query) -> Result<QueryRequest> {
    Ok(QueryRequest {
        query: Some(asked),
        // It asks for nothing that a model would make.
        ..query::request(message, &mut Models::default())?
    })
}

fn grouped(
    request: QueryRequest,
    group_by: String,
    group_size: u32,
    with_lookup: Option<proto::WithLookup>,
) -> Result<GroupsRequest> {
    let size = at_least("group_size", group_size, 1)?;
    Ok(GroupsRequest {
        groups: GroupRequest::new(request, group_by).group_size(count(u64::from(size))),
        lookup: with_lookup.map(query::with_lookup).transpose()?,
    })
}

/// A search.
pub(crate) fn search(message: proto::SearchPoints) -> Result<QueryRequest> {
    let proto::SearchPoints {
        collection_name,
        vector,
        filter,
        limit,
        with_payload,
        params,
        score_threshold,
        offset,
        vector_name,
        with_vectors,
        read_consistency,
        timeout,
        shard_key_selector,
        sparse_indices,
    } = message;
    let target = vectors::legacy(vector, sparse_indices, None).within("vector")?;
    let message = proto::QueryPoints {
        collection_name,
        using: vector_name,
        filter,
        params,
        score_threshold,
        limit: Some(limit),
        offset,
        with_vectors,
        with_payload,
        read_consistency,
        shard_key_selector,
        timeout,
        ..proto::QueryPoints::default()
    };
    shared(message, Query::Nearest(VectorInput::Vector(target)))
}

/// A search by groups.
pub(crate) fn search_groups(message: proto::SearchPointGroups) -> Result<GroupsRequest> {
    let proto::SearchPointGroups {
        collection_name,
        vector,
        filter,
        limit,
        with_payload,
        params,
        score_threshold,
        vector_name,
        with_vectors,
        group_by,
        group_size,
        read_consistency,
        with_lookup,
        timeout,
        shard_key_selector,
        sparse_indices,
    } = message;
    let request = search(proto::SearchPoints {
        collection_name,
        vector,
        filter,
        limit: u64::from(limit),
        with_payload,
        params,
        score_threshold,
        offset: None,
        vector_name,
        with_vectors,
        read_consistency,
        timeout,
        shard_key_selector,
        sparse_indices,
    })?;
    grouped(request, group_by, group_size, with_lookup)
}

/// Examples given as ids, then those given as vectors.
fn examples(
    field: &str,
    ids: Vec<proto::PointId>,
    given: Vec<proto::Vector>,
    models: &mut Models<'_>,
) -> Result<Vec<VectorInput>> {
    let ids = ids::point_ids(field, ids)?.into_iter().map(VectorInput::Id);
    let given = each(&format!("{field}_vectors"), given, |one| {
        vectors::vector(one, Role::Query, models)
    })?;
    Ok(ids.chain(given.into_iter().map(VectorInput::Vector)).collect())
}

/// A recommendation.
pub(crate) fn recommend(message: proto::RecommendPoints, models: &mut Models<'_>) -> Result<QueryRequest> {
    let proto::RecommendPoints {
        collection_name,
        positive,
        negative,
        filter,
        limit,
        with_payload,
        params,
        score_threshold,
        offset,
        using,
        with_vectors,
        lookup_from,
        read_consistency,
        strategy,
        positive_vectors,
        negative_vectors,
        timeout,
        shard_key_selector,
    } = message;
    let asked = Query::Recommend {
        positive: examples("positive", positive, positive_vectors, models)?,
        negative: examples("negative", negative, negative_vectors, models)?,
        strategy: query::strategy(strategy)?,
    };
    let message = proto::QueryPoints {
        collection_name,
        using,
        filter,
        params,
        score_threshold,
        limit: Some(limit),
        offset,
        with_vectors,
        with_payload,
        read_consistency,
        shard_key_selector,
        lookup_from,
        timeout,
        ..proto::QueryPoints::default()
    };
    shared(message, asked)
}

/// A recommendation by groups.
pub(crate) fn recommend_groups(
    message: proto::RecommendPointGroups,
    models: &mut Models<'_>,
) -> Result<GroupsRequest> {
    let proto::RecommendPointGroups {
        collection_name,
        positive,
        negative,
        filter,
        limit,
        with_payload,
        params,
        score_threshold,
        using,
        with_vectors,
        lookup_from,
        group_by,
        group_size,
        read_consistency,
        with_lookup,
        strategy,
        positive_vectors,
        negative_vectors,
        timeout,
        shard_key_selector,
    } = message;
    let message = proto::RecommendPoints {
        collection_name,
        positive,
        negative,
        filter,
        limit: u64::from(limit),
        with_payload,
        params,
        score_threshold,
        offset: None,
        using,
        with_vectors,
        lookup_from,
        read_consistency,
        strategy,
        positive_vectors,
        negative_vectors,
        timeout,
        shard_key_selector,
    };
    let request = recommend(message, models)?;
    grouped(request, group_by, group_size, with_lookup)
}

fn example(message: proto::VectorExample, models: &mut Models<'_>) -> Result<VectorInput> {
    Ok(match required("example", message.example)? {
        vector_example::Example::Id(id) => {
            let id: PointId = ids::point_id(id).within("id")?;
            VectorInput::Id(id)
        }
        vector_example::Example::Vector(vector) => {
            VectorInput::Vector(vectors::vector(vector, Role::Query, models).within("vector")?)
        }
    })
}

/// A discovery; without a target one by its context alone.
pub(crate) fn discover(message: proto::DiscoverPoints, models: &mut Models<'_>) -> Result<QueryRequest> {
    let proto::DiscoverPoints {
        collection_name,
        target,
        context,
        filter,
        limit,
        with_payload,
        params,
        offset,
        using,
        with_vectors,
        lookup_from,
        read_consistency,
        timeout,
        shard_key_selector,
    } = message;
    let mut side =
        |field: &str, one: Option<proto::VectorExample>| example(required(field, one)?, models).within(field);
    let context = each("context", context, |pair| {
        Ok(ContextPair {
            positive: side("positive", pair.positive)?,
            negative: side("negative", pair.negative)?,
        })
    })?;
    let target = target.and_then(|target| target.target).map(|target| {
        let target_vector::Target::Single(one) = target;
        example(one, models).within("target.single")
    });
    let asked = match target.transpose()? {
        Some(target) => Query::Discover { target, context },
        None => Query::Context(context),
    };
    let message = proto::QueryPoints {
        collection_name,
        using,
        filter,
        params,
        limit: Some(limit),
        offset,
        with_vectors,
        with_payload,
        read_consistency,
        shard_key_selector,
        lookup_from,
        timeout,
        ..proto::QueryPoints::default()
    };
    shared(message, asked)
}

#[cfg(test)]
mod tests;
