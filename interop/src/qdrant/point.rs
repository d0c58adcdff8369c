//! Points of pickles.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as TextError;
use vdb::{MAX_PAYLOAD_DEPTH, Payload, Point, PointId, Vectors};

use super::vector;
use crate::error::{Problem, RowError, quoted};
use crate::misfit::{Lossy, Misfit};
use crate::pickle::{Object, Value};
use crate::python;
use crate::row::{At, Place};

/// From a `Record` or a `PointStruct`. `number` counts the points of the file from 0.
pub(super) fn read(
    value: &Value,
    file: &Arc<str>,
    number: u64,
    lossy: &mut Lossy,
) -> Result<Point, RowError> {
    let unnamed = Place {
        file: file.clone(),
        at: At::Row(number),
    };
    let Some(point) = value
        .as_object()
        .filter(|point| matches!(point.class().name, "Record" | "PointStruct"))
    else {
        let problem = Problem::Value {
            expected: "a point, which is a Record or PointStruct",
            found: value.kind().to_owned(),
        };
        return Err(RowError::new(unnamed, problem));
    };
    let id = id(point.field("id")).map_err(|problem| RowError::in_field(unnamed, "id", problem))?;
    let fail = |field: &str, misfit: Misfit| {
        let place = Place {
            file: file.clone(),
            at: At::Point(id),
        };
        RowError::in_field(place, format!("{field}{}", misfit.path), misfit.problem)
    };
    Ok(Point {
        id,
        vectors: vectors(point).map_err(|misfit| fail("vector", misfit))?,
        payload: fields(point, lossy).map_err(|misfit| fail("payload", misfit))?,
    })
}

/// Whether a point lies in a shard by a key of its own.
pub(super) fn has_shard_key(point: &Value) -> bool {
    let key = point.as_object().and_then(|point| point.field("shard_key"));
    !matches!(key, None | Some(Value::None))
}

fn id(value: Option<&Value>) -> Result<PointId, Problem> {
    const EXPECTED: &str = "an id: a whole number from 0 to 18446744073709551615 or a UUID";
    let found = match value {
        Some(Value::Int(number)) => match u64::try_from(*number) {
            Ok(number) => return Ok(PointId::Num(number)),
            Err(_) => number.to_string(),
        },
        Some(Value::UInt(number)) => return Ok(PointId::Num(*number)),
        Some(Value::Text(text)) => {
            // In JSON a string is a UUID, whatever its digits are; so it is here.
            let read: Result<PointId, TextError> = PointId::deserialize((&**text).into_deserializer());
            match read {
                Ok(id) => return Ok(id),
                Err(_) => quoted(text),
            }
        }
        Some(other) => other.kind().to_owned(),
        None => "nothing".to_owned(),
    };
    Err(Problem::Value {
        expected: EXPECTED,
        found,
    })
}

fn vectors(point: &Object) -> Result<Vectors, Misfit> {
    match point.field("vector") {
        None | Some(Value::None) => Ok(Vectors::default()),
        Some(Value::Dict(named)) => {
            let mut vectors = Vectors::default();
            for (name, vector) in named.entries() {
                let name = name.as_text().ok_or_else(|| {
                    Misfit::here(Problem::Value {
                        expected: "the name of a vector",
                        found: name.kind().to_owned(),
                    })
                })?;
                let vector = vector::read(vector).map_err(|misfit| misfit.within(&format!(".{name}")))?;
                vectors.0.insert(name.to_owned(), vector);
            }
            Ok(vectors)
        }
        Some(vector) => Ok(vector::read(vector)?.into()),
    }
}

fn fields(point: &Object, lossy: &mut Lossy) -> Result<Payload, Misfit> {
    match point.field("payload") {
        None | Some(Value::None) => Ok(Payload::new()),
        Some(Value::Dict(dict)) => {
            let payload = python::payload(dict, lossy)?;
            if payload
                .values()
                .any(|value| is_deeper(value, MAX_PAYLOAD_DEPTH.saturating_sub(1)))
            {
                return Err(Misfit::here(Problem::Value {
                    expected: "a payload: objects and arrays nest too deeply",
                    found: format!("more than {MAX_PAYLOAD_DEPTH} levels"),
                }));
            }
            Ok(payload)
        }
        Some(other) => Err(Misfit::here(Problem::Value {
            expected: "a payload, which is a dict",
            found: other.kind().to_owned(),
        })),
    }
}

/// Whether objects and arrays nest more deeply than `depth` allows.
fn is_deeper(value: &serde_json::Value, depth: usize) -> bool {
    use serde_json::Value as Json;
    let deeper = |value| match depth.checked_sub(1) {
        Some(depth) => is_deeper(value, depth),
        None => true,
    };
    match value {
        Json::Array(items) => depth == 0 || items.iter().any(deeper),
        Json::Object(map) => depth == 0 || map.values().any(deeper),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}
