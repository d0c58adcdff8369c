//! What calls answer.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::{facet_value, group_id, order_value::Variant as Place};
use vdb::{DistanceMatrix, FacetHit, FacetValue, GroupId, OrderValue, Record, ScoredPoint};

use super::{ids, payload, vectors};
use crate::service::{GroupHits, ScrolledPoint, UpdateResult, UpdateStatus};

/// What a write got.
pub(crate) fn update(result: UpdateResult) -> proto::UpdateResult {
    let status = match result.status {
        UpdateStatus::Acknowledged => proto::UpdateStatus::Acknowledged,
        UpdateStatus::Completed => proto::UpdateStatus::Completed,
        UpdateStatus::WaitTimeout => proto::UpdateStatus::WaitTimeout,
    };
    proto::UpdateResult {
        operation_id: result.operation_id,
        status: status.into(),
    }
}

/// The answer to a write that took so many seconds.
pub(crate) fn operation(result: UpdateResult, time: f64) -> proto::PointsOperationResponse {
    proto::PointsOperationResponse {
        result: Some(update(result)),
        time,
        usage: None,
    }
}

/// A stored point.
pub(crate) fn record(record: Record) -> proto::RetrievedPoint {
    proto::RetrievedPoint {
        id: Some(ids::to_proto(record.id)),
        payload: record.payload.map(payload::to_proto).unwrap_or_default(),
        vectors: record.vectors.map(vectors::to_proto),
        shard_key: None,
        order_value: None,
    }
}

/// A point of a page, with the value that it has its place by where there is an order.
pub(crate) fn scrolled(point: ScrolledPoint) -> proto::RetrievedPoint {
    proto::RetrievedPoint {
        order_value: point.order_value.map(order_value),
        ..record(point.record)
    }
}

/// A hit.
pub(crate) fn scored(point: ScoredPoint) -> proto::ScoredPoint {
    proto::ScoredPoint {
        id: Some(ids::to_proto(point.id)),
        payload: point.payload.map(payload::to_proto).unwrap_or_default(),
        score: point.score,
        version: point.version,
        vectors: point.vectors.map(vectors::to_proto),
        shard_key: None,
        order_value: point.order.map(order_value),
    }
}

/// The hits of one query of a batch.
pub(crate) fn batch(hits: Vec<Vec<ScoredPoint>>) -> Vec<proto::BatchResult> {
    let one = |hits: Vec<ScoredPoint>| proto::BatchResult {
        result: hits.into_iter().map(scored).collect(),
    };
    hits.into_iter().map(one).collect()
}

/// Where an ordered point has its place; datetimes as microseconds since 1970.
fn order_value(value: OrderValue) -> proto::OrderValue {
    let variant = match value {
        OrderValue::Integer(number) => Place::Int(number),
        OrderValue::Float(number) => Place::Float(number),
        OrderValue::Datetime(at) => Place::Int(at.micros()),
    };
    proto::OrderValue {
        variant: Some(variant),
    }
}

/// A group, and the point of another collection that was looked up for it.
pub(crate) fn group(hits: GroupHits) -> proto::PointGroup {
    let GroupHits { group, lookup } = hits;
    let kind = match group.id {
        // Servers answer whole numbers that are not negative as unsigned ones.
        GroupId::Integer(number) => match u64::try_from(number) {
            Ok(number) => group_id::Kind::UnsignedValue(number),
            Err(_) => group_id::Kind::IntegerValue(number),
        },
        GroupId::Unsigned(number) => group_id::Kind::UnsignedValue(number),
        GroupId::String(text) => group_id::Kind::StringValue(text),
    };
    proto::PointGroup {
        id: Some(proto::GroupId { kind: Some(kind) }),
        hits: group.hits.into_iter().map(scored).collect(),
        lookup: lookup.map(record),
    }
}

/// A value and how many points have it.
pub(crate) fn facet(hit: FacetHit) -> proto::FacetHit {
    let variant = match hit.value {
        FacetValue::String(text) => facet_value::Variant::StringValue(text),
        FacetValue::Integer(number) => facet_value::Variant::IntegerValue(number),
        FacetValue::Bool(truth) => facet_value::Variant::BoolValue(truth),
    };
    proto::FacetHit {
        value: Some(proto::FacetValue {
            variant: Some(variant),
        }),
        count: hit.count,
    }
}

/// A matrix as pairs.
pub(crate) fn pairs(matrix: &DistanceMatrix) -> proto::SearchMatrixPairs {
    let pair = |(a, b, score)| proto::SearchMatrixPair {
        a: Some(ids::to_proto(a)),
        b: Some(ids::to_proto(b)),
        score,
    };
    proto::SearchMatrixPairs {
        pairs: matrix.pairs().map(pair).collect(),
    }
}

/// A matrix as places of rows and columns.
pub(crate) fn offsets(matrix: DistanceMatrix) -> proto::SearchMatrixOffsets {
    let (rows, columns, scores) = matrix.offsets();
    let places = |places: Vec<usize>| places.into_iter().map(|place| place as u64).collect();
    proto::SearchMatrixOffsets {
        offsets_row: places(rows),
        offsets_col: places(columns),
        scores,
        ids: matrix.ids.into_iter().map(ids::to_proto).collect(),
    }
}

#[cfg(test)]
mod tests;
