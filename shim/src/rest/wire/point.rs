//! Points that come back.

use serde::Serialize;
use serde::ser::Serializer;
use vdb::{OrderValue, Payload, PointId, Record, ScoredPoint, Vectors};

use super::vector::vectors_out;
use crate::service::ScrolledPoint;

fn optional_vectors<S: Serializer>(vectors: &Option<Vectors>, serializer: S) -> Result<S::Ok, S::Error> {
    match vectors {
        Some(vectors) => vectors_out(vectors, serializer),
        None => serializer.serialize_none(),
    }
}

/// A value that points are ordered by, on the wire: datetimes are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(in crate::rest) enum OrderValueOut {
    Integer(i64),
    Float(f64),
}

/// The wire's form of a value that points are ordered by.
fn order_value(value: OrderValue) -> OrderValueOut {
    match value {
        OrderValue::Integer(number) => OrderValueOut::Integer(number),
        OrderValue::Float(number) => OrderValueOut::Float(number),
        OrderValue::Datetime(at) => OrderValueOut::Integer(at.micros()),
    }
}

/// A stored point.
#[derive(Debug, Serialize)]
pub(in crate::rest) struct RecordOut {
    id: PointId,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(serialize_with = "optional_vectors", skip_serializing_if = "Option::is_none")]
    vector: Option<Vectors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_value: Option<OrderValueOut>,
}

impl From<Record> for RecordOut {
    fn from(record: Record) -> Self {
        RecordOut {
            id: record.id,
            payload: record.payload,
            vector: record.vectors,
            order_value: None,
        }
    }
}

impl From<ScrolledPoint> for RecordOut {
    fn from(point: ScrolledPoint) -> Self {
        RecordOut {
            order_value: point.order_value.map(order_value),
            ..point.record.into()
        }
    }
}

/// A hit.
#[derive(Debug, Serialize)]
pub(in crate::rest) struct ScoredOut {
    id: PointId,
    version: u64,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
    #[serde(serialize_with = "optional_vectors", skip_serializing_if = "Option::is_none")]
    vector: Option<Vectors>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_value: Option<OrderValueOut>,
}

impl From<ScoredPoint> for ScoredOut {
    fn from(hit: ScoredPoint) -> Self {
        ScoredOut {
            id: hit.id,
            version: hit.version,
            score: hit.score,
            payload: hit.payload,
            vector: hit.vectors,
            order_value: hit.order.map(order_value),
        }
    }
}
