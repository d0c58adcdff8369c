//! Queries.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::feedback_strategy;
use qdrant_client::qdrant::query::Variant;
use qdrant_client::qdrant::{start_from, text_query};
use vdb::{
    AcornSearch, ContextPair, DEFAULT_RRF_K, Datetime, FeedbackExample, Fusion, GroupRequest, Idf,
    LookupFrom, MAX_PREFETCH_DEPTH, OrderBy, OrderValue, Prefetch, QuantizationSearch, Query, QueryParams,
    QueryRequest, RecommendStrategy, Select, VectorInput,
};

use super::inference::Models;
use super::rejection::{Rejection, Result, Within, at_least, count, each, required, variant};
use super::{cluster, filter, formula, payload, points, vectors};
use crate::service::{GroupsRequest, WithLookup};

/// Points that a query gives, and candidates that a prefetch has, where nobody says.
const LIMIT: usize = 10;
/// Points in a group, where nobody says.
const GROUP_SIZE: usize = 3;
/// How much a diverse result differs, where nobody says.
const DIVERSITY: f32 = 0.5;

/// A query.
pub(crate) fn request(message: proto::QueryPoints, models: &mut Models<'_>) -> Result<QueryRequest> {
    let proto::QueryPoints {
        collection_name: _,
        prefetch,
        query,
        using,
        filter,
        params,
        score_threshold,
        limit,
        offset,
        with_vectors,
        with_payload,
        read_consistency,
        shard_key_selector,
        lookup_from,
        timeout,
    } = message;
    cluster::consistency(read_consistency)?;
    cluster::shard_key(shard_key_selector)?;
    Ok(QueryRequest {
        prefetch: prefetches(prefetch, 1, models)?,
        query: asked(query, models)?,
        using: using.unwrap_or_default(),
        filter: filter::optional("filter", filter)?,
        params: search_params(params)?,
        score_threshold,
        limit: self::limit(limit)?,
        offset: count(offset.unwrap_or(0)),
        select: select(with_payload, with_vectors, false)?,
        lookup_from: lookup_from.map(lookup).transpose()?,
        timeout: points::timeout(timeout)?,
    })
}

/// A query by groups, and where its lookups are made.
pub(crate) fn groups(message: proto::QueryPointGroups, models: &mut Models<'_>) -> Result<GroupsRequest> {
    let proto::QueryPointGroups {
        collection_name,
        prefetch,
        query,
        using,
        filter,
        params,
        score_threshold,
        with_payload,
        with_vectors,
        lookup_from,
        limit,
        group_size,
        group_by,
        read_consistency,
        with_lookup,
        timeout,
        shard_key_selector,
    } = message;
    let message = proto::QueryPoints {
        collection_name,
        prefetch,
        query,
        using,
        filter,
        params,
        score_threshold,
        limit,
        offset: None,
        with_vectors,
        with_payload,
        read_consistency,
        shard_key_selector,
        lookup_from,
        timeout,
    };
    let query = request(message, models)?;
    let size = group_size
        .map(|size| at_least("group_size", size, 1))
        .transpose()?;
    Ok(GroupsRequest {
        groups: GroupRequest::new(query, group_by).group_size(size.map_or(GROUP_SIZE, count)),
        lookup: with_lookup.map(self::with_lookup).transpose()?,
    })
}

/// Reads what is fetched for each group: payloads and no vectors where nobody says.
pub(crate) fn with_lookup(message: proto::WithLookup) -> Result<WithLookup> {
    Ok(WithLookup {
        collection: message.collection,
        select: select(message.with_payload, message.with_vectors, true).within("with_lookup")?,
    })
}

/// Reads a limit that is at least 1.
pub(crate) fn limit(limit: Option<u64>) -> Result<usize> {
    let limit = limit.map(|limit| at_least("limit", limit, 1)).transpose()?;
    Ok(limit.map_or(LIMIT, count))
}

/// What comes back with a point; the payload, where nobody says, only if `payload_by_default`.
pub(crate) fn select(
    with_payload: Option<proto::WithPayloadSelector>,
    with_vectors: Option<proto::WithVectorsSelector>,
    payload_by_default: bool,
) -> Result<Select> {
    Ok(Select {
        payload: payload::selector(with_payload, payload_by_default).within("with_payload")?,
        vectors: vectors::selector(with_vectors),
    })
}

/// Where ids have their vectors.
pub(crate) fn lookup(message: proto::LookupLocation) -> Result<LookupFrom> {
    cluster::shard_key(message.shard_key_selector).within("lookup_from")?;
    Ok(LookupFrom {
        collection: message.collection_name,
        vector: message.vector_name,
    })
}

/// How the nearest points are looked for.
pub(crate) fn search_params(message: Option<proto::SearchParams>) -> Result<QueryParams> {
    let Some(proto::SearchParams {
        hnsw_ef,
        exact,
        quantization,
        indexed_only,
        acorn,
        idf,
    }) = message
    else {
        return Ok(QueryParams::default());
    };
    let ef = hnsw_ef.map(|ef| at_least("params.hnsw_ef", ef, 1)).transpose()?;
    let quantization = quantization.unwrap_or_default();
    if let Some(oversampling) = quantization.oversampling {
        at_least("params.quantization.oversampling", oversampling, 1.0)?;
    }
    let acorn = acorn.map(|params| AcornSearch {
        enable: params.enable.unwrap_or(false),
        max_selectivity: params.max_selectivity.map(|share| share as f32),
    });
    if let Some(share) = acorn.and_then(|acorn| acorn.max_selectivity)
        && !(0.0..=1.0).contains(&share)
    {
        let problem = format_args!("value {share} invalid, must be from 0.0 to 1.0");
        return Err(Rejection::invalid("params.acorn.max_selectivity", problem));
    }
    let idf = idf.map(|params| {
        Ok(match filter::optional("params.idf.corpus", params.corpus)? {
            None => Idf::Global,
            Some(corpus) => Idf::Corpus(corpus),
        })
    });
    Ok(QueryParams {
        ef: ef.map(count),
        exact: exact.unwrap_or(false),
        quantization: QuantizationSearch {
            ignore: quantization.ignore.unwrap_or(false),
            rescore: quantization.rescore,
            oversampling: quantization
                .oversampling
                .map(|times| times.clamp(0.0, f64::from(f32::MAX)) as f32),
        },
        indexed_only: indexed_only.unwrap_or(false),
        acorn,
        idf: idf.transpose()?,
    })
}

fn prefetches(
    list: Vec<proto::PrefetchQuery>,
    depth: usize,
    models: &mut Models<'_>,
) -> Result<Vec<Prefetch>> {
    if depth > MAX_PREFETCH_DEPTH && !list.is_empty() {
        let problem = format_args!("nested more than {MAX_PREFETCH_DEPTH} deep");
        return Err(Rejection::invalid("prefetch", problem));
    }
    each("prefetch", list, |message| prefetch(message, depth, models))
}

fn prefetch(message: proto::PrefetchQuery, depth: usize, models: &mut Models<'_>) -> Result<Prefetch> {
    let proto::PrefetchQuery {
        prefetch,
        query,
        using,
        filter,
        params,
        score_threshold,
        limit,
        lookup_from,
    } = message;
    Ok(Prefetch {
        prefetch: prefetches(prefetch, depth + 1, models)?,
        query: asked(query, models)?,
        using: using.unwrap_or_default(),
        filter: filter::optional("filter", filter)?,
        params: search_params(params)?,
        score_threshold,
        limit: self::limit(limit)?,
        lookup_from: lookup_from.map(lookup).transpose()?,
    })
}

fn asked(message: Option<proto::Query>, models: &mut Models<'_>) -> Result<Option<Query>> {
    message
        .map(|message| query(message, models))
        .transpose()
        .within("query")
}

/// What is asked for.
pub(crate) fn query(message: proto::Query, models: &mut Models<'_>) -> Result<Query> {
    Ok(match required("variant", message.variant)? {
        Variant::Nearest(target) => Query::Nearest(vectors::input(target, models).within("nearest")?),
        Variant::Recommend(of) => recommend(of, models).within("recommend")?,
        Variant::Discover(of) => {
            let context = required("discover.context", of.context)?;
            Query::Discover {
                target: vectors::required_input("target", of.target, models).within("discover")?,
                context: context_pairs(context, models).within("discover.context")?,
            }
        }
        Variant::Context(of) => Query::Context(context_pairs(of, models).within("context")?),
        Variant::OrderBy(of) => Query::OrderBy(order_by(of).within("order_by")?),
        Variant::Fusion(code) => Query::Fusion(match variant("fusion", code)? {
            proto::Fusion::Rrf => Fusion::rrf(),
            proto::Fusion::Dbsf => Fusion::Dbsf,
        }),
        Variant::Sample(code) => match variant("sample", code)? {
            proto::Sample::Random => Query::Sample { seed: None },
        },
        Variant::Formula(of) => Query::Formula(formula::formula(of).within("formula")?),
        Variant::NearestWithMmr(of) => diverse(of, models).within("nearest_with_mmr")?,
        Variant::Rrf(proto::Rrf { k, weights }) => Query::Fusion(Fusion::Rrf {
            k: k.map(|k| at_least("rrf.k", k, 1))
                .transpose()?
                .unwrap_or(DEFAULT_RRF_K),
            weights: Some(weights).filter(|weights| !weights.is_empty()),
        }),
        Variant::RelevanceFeedback(of) => feedback(of, models).within("relevance_feedback")?,
        Variant::Text(of) => text(of),
    })
}

/// A query by what texts say: `using` names their payload path.
fn text(message: proto::TextQuery) -> Query {
    let proto::TextQuery { query, scoring } = message;
    let mut asked = Query::text(query);
    if let (Query::Text { k1, b, .. }, Some(text_query::Scoring::Bm25(given))) = (&mut asked, scoring) {
        *k1 = given.k.map_or(*k1, f64::from);
        *b = given.b.map_or(*b, f64::from);
    }
    asked
}

fn recommend(message: proto::RecommendInput, models: &mut Models<'_>) -> Result<Query> {
    Ok(Query::Recommend {
        positive: vectors::inputs("positive", message.positive, models)?,
        negative: vectors::inputs("negative", message.negative, models)?,
        strategy: strategy(message.strategy)?,
    })
}

/// How examples make one score.
pub(crate) fn strategy(code: Option<i32>) -> Result<RecommendStrategy> {
    let Some(code) = code else {
        return Ok(RecommendStrategy::AverageVector);
    };
    Ok(match variant("strategy", code)? {
        proto::RecommendStrategy::AverageVector => RecommendStrategy::AverageVector,
        proto::RecommendStrategy::BestScore => RecommendStrategy::BestScore,
        proto::RecommendStrategy::SumScores => RecommendStrategy::SumScores,
    })
}

fn context_pairs(message: proto::ContextInput, models: &mut Models<'_>) -> Result<Vec<ContextPair>> {
    each("pairs", message.pairs, |pair| {
        Ok(ContextPair {
            positive: vectors::required_input("positive", pair.positive, models)?,
            negative: vectors::required_input("negative", pair.negative, models)?,
        })
    })
}

fn diverse(message: proto::NearestInputWithMmr, models: &mut Models<'_>) -> Result<Query> {
    let target: VectorInput = vectors::required_input("nearest", message.nearest, models)?;
    let proto::Mmr {
        diversity,
        candidates_limit,
    } = required("mmr", message.mmr)?;
    Ok(Query::Mmr {
        target,
        diversity: diversity.unwrap_or(DIVERSITY),
        candidates: candidates_limit.map(|limit| count(u64::from(limit))),
    })
}

fn feedback(message: proto::RelevanceFeedbackInput, models: &mut Models<'_>) -> Result<Query> {
    let strategy = required("strategy", message.strategy)?;
    let feedback_strategy::Variant::Naive(proto::NaiveFeedbackStrategy { a, b, c }) =
        required("strategy.variant", strategy.variant)?;
    let read = |item: proto::FeedbackItem| {
        Ok(FeedbackExample {
            example: vectors::required_input("example", item.example, models)?,
            score: item.score,
        })
    };
    let examples = each("feedback", message.feedback, read)?;
    Ok(Query::Feedback {
        target: vectors::required_input("target", message.target, models)?,
        examples,
        a,
        b,
        c,
    })
}

/// An order by a payload value.
pub(crate) fn order_by(message: proto::OrderBy) -> Result<OrderBy> {
    let direction = message
        .direction
        .map(|code| variant("direction", code))
        .transpose()?;
    let start = message.start_from.and_then(|start| start.value).map(start_from);
    Ok(OrderBy {
        path: message.key,
        descending: direction == Some(proto::Direction::Desc),
        start_from: start.transpose().within("start_from")?,
        after: None,
    })
}

fn start_from(value: start_from::Value) -> Result<OrderValue> {
    use start_from::Value;
    Ok(match value {
        Value::Float(number) => OrderValue::Float(number),
        Value::Integer(number) => OrderValue::Integer(number),
        Value::Timestamp(at) => OrderValue::Datetime(filter::datetime(at).within("timestamp")?),
        Value::Datetime(text) => OrderValue::Datetime(
            text.parse::<Datetime>()
                .map_err(|error| Rejection::invalid("datetime", error))?,
        ),
    })
}

#[cfg(test)]
mod tests;
