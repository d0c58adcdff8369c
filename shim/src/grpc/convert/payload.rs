//! Payload values as JSON, and which parts of a payload come back.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use serde_json::{Number, Value};
use vdb::{MAX_PATHS, MAX_PAYLOAD_DEPTH, Payload, PayloadPath, PayloadSelector};

use super::rejection::{Rejection, Result, Within, each};

/// The payload that a map stands for.
pub(crate) fn payload(map: HashMap<String, proto::Value>) -> Result<Payload> {
    object(map, 1)
}

fn object(map: HashMap<String, proto::Value>, depth: usize) -> Result<Payload> {
    let read = |(key, value)| {
        let value = nested(value, depth).within(&key)?;
        Ok((key, value))
    };
    map.into_iter().map(read).collect()
}

/// The JSON value of a message; of an empty one null.
pub(crate) fn value(value: proto::Value) -> Result<Value> {
    nested(value, 0)
}

fn nested(value: proto::Value, depth: usize) -> Result<Value> {
    if depth > MAX_PAYLOAD_DEPTH {
        let problem = format_args!("nested more than {MAX_PAYLOAD_DEPTH} deep");
        return Err(Rejection::invalid("", problem));
    }
    Ok(match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::IntegerValue(number)) => Value::Number(number.into()),
        Some(Kind::DoubleValue(number)) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| Rejection::invalid("", format_args!("a number must be finite, got {number}")))?,
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => Value::Array(each("", list.values, |one| nested(one, depth + 1))?),
        Some(Kind::StructValue(inner)) => Value::Object(object(inner.fields, depth + 1)?),
    })
}

/// The map of a payload.
pub(crate) fn to_proto(payload: Payload) -> HashMap<String, proto::Value> {
    payload
        .into_iter()
        .map(|(key, value)| (key, value_to_proto(value)))
        .collect()
}

/// The message of a JSON value. Integers beyond `i64`, which messages have no place for, become the nearest doubles.
pub(crate) fn value_to_proto(value: Value) -> proto::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(proto::NullValue::NullValue.into()),
        Value::Bool(truth) => Kind::BoolValue(truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Kind::IntegerValue(integer),
            None => Kind::DoubleValue(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Kind::StringValue(text),
        Value::Array(list) => Kind::ListValue(proto::ListValue {
            values: list.into_iter().map(value_to_proto).collect(),
        }),
        Value::Object(map) => Kind::StructValue(proto::Struct {
            fields: to_proto(map),
        }),
    };
    proto::Value { kind: Some(kind) }
}

/// Which part of the payload is asked for; `default` where nobody says.
pub(crate) fn selector(
    selector: Option<proto::WithPayloadSelector>,
    default: bool,
) -> Result<PayloadSelector> {
    let Some(options) = selector.and_then(|selector| selector.selector_options) else {
        return Ok(default.into());
    };
    match options {
        SelectorOptions::Enable(all) => Ok(all.into()),
        SelectorOptions::Include(list) => paths("include.fields", &list.fields).map(PayloadSelector::Include),
        SelectorOptions::Exclude(list) => paths("exclude.fields", &list.fields).map(PayloadSelector::Exclude),
    }
}

fn paths(field: &str, list: &[String]) -> Result<Vec<PayloadPath>> {
    if list.len() > MAX_PATHS {
        let problem = format_args!("at most {MAX_PATHS} paths, got {}", list.len());
        return Err(Rejection::invalid(field, problem));
    }
    each(field, list, |path| {
        PayloadPath::parse(path).map_err(|error| Rejection::invalid("", error))
    })
}

#[cfg(test)]
mod tests;
