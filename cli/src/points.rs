//! Points as JSON.

use serde::Serialize;
use vdb::{Payload, PointId, Record, ScoredPoint};
use vdb_interop::VectorsJson;

/// A point that was found or read. What was not asked for is left out.
#[derive(Debug, Serialize)]
pub(crate) struct PointJson<'a> {
    id: PointId,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<VectorsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Payload>,
}

impl<'a> From<&'a ScoredPoint> for PointJson<'a> {
    fn from(point: &'a ScoredPoint) -> Self {
        PointJson {
            id: point.id,
            score: Some(point.score),
            version: None,
            vector: point.vectors.as_ref().map(VectorsJson::from),
            payload: point.payload.as_ref(),
        }
    }
}

impl<'a> From<&'a Record> for PointJson<'a> {
    fn from(record: &'a Record) -> Self {
        PointJson {
            id: record.id,
            score: None,
            version: Some(record.version),
            vector: record.vectors.as_ref().map(VectorsJson::from),
            payload: record.payload.as_ref(),
        }
    }
}

impl<'a> PointJson<'a> {
    /// A point as `vdb load` reads it, on a line of its own.
    pub(crate) fn exported(record: &'a Record) -> Self {
        PointJson {
            version: None,
            ..PointJson::from(record)
        }
    }
}

/// `{"points": [..]}`, as every command that answers with points prints it.
#[derive(Debug, Serialize)]
pub(crate) struct PointsJson<'a> {
    pub(crate) points: Vec<PointJson<'a>>,
}

impl<'a> PointsJson<'a> {
    /// All points of an answer.
    pub(crate) fn of<T>(points: &'a [T]) -> Self
    where
        PointJson<'a>: From<&'a T>,
    {
        PointsJson {
            points: points.iter().map(PointJson::from).collect(),
        }
    }
}
