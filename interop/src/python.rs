//! Python values as JSON.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Number, Value as Json};

use crate::error::{Problem, quoted};
use crate::misfit::{Lossy, Misfit};
use crate::pickle::{Dict, Kind, Value};

/// An object's payload.
pub(crate) fn payload(dict: &Dict, lossy: &mut Lossy) -> Result<Map<String, Json>, Misfit> {
    object(dict.entries(), lossy)
}

/// Any value; objects become their fields, and members of enumerations their values.
pub(crate) fn json(value: &Value, lossy: &mut Lossy) -> Result<Json, Misfit> {
    Ok(match value {
        Value::None => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::UInt(value) => Json::from(*value),
        Value::Float(value) => match Number::from_f64(*value) {
            Some(number) => Json::Number(number),
            None => return lossy.change(value.to_string(), "null", Json::Null),
        },
        Value::BigInt(nearest) => {
            let found = "an integer outside of -2^63 to 2^64-1".to_owned();
            return match Number::from_f64(*nearest) {
                Some(number) => lossy.change(found, "the nearest float", Json::Number(number)),
                None => lossy.change(found, "null, for no float is near", Json::Null),
            };
        }
        Value::Text(text) => Json::from(&**text),
        Value::Surrogates(text) => {
            let found = format!("half of a character in {}", quoted(text));
            return lossy.change(found, "U+FFFD in its place", Json::from(&**text));
        }
        Value::List(list) | Value::Tuple(list) => {
            let item = |(at, item)| json(item, lossy).map_err(|misfit| misfit.within(&format!("[{at}]")));
            Json::Array(
                list.items()
                    .iter()
                    .enumerate()
                    .map(item)
                    .collect::<Result<_, _>>()?,
            )
        }
        Value::Dict(dict) => Json::Object(object(dict.entries(), lossy)?),
        Value::Object(of) => Json::Object(object(of.fields(), lossy)?),
        Value::Bytes(bytes) => {
            let found = format!("{} bytes", bytes.len());
            return lossy.change(found, "base64", BASE64_STANDARD.encode(bytes).into());
        }
        Value::Member(class, _) if class.kind == Kind::NumberType => return Err(none(value)),
        Value::Member(_, text) => Json::from(&**text),
        Value::Set(_) | Value::Span(_) | Value::Offset(_) | Value::Class(_) | Value::Taken => {
            return Err(none(value));
        }
    })
}

fn none(value: &Value) -> Misfit {
    Misfit::here(Problem::Value {
        expected: "a value that JSON has",
        found: value.kind().to_owned(),
    })
}

fn object(entries: &[(Value, Value)], lossy: &mut Lossy) -> Result<Map<String, Json>, Misfit> {
    let mut map = Map::with_capacity(entries.len());
    for (key, value) in entries {
        if let Value::Surrogates(key) = key {
            let found = format!("half of a character in the key {}", quoted(key));
            lossy.change(found, "U+FFFD in its place", Json::Null)?;
        }
        let (Value::Text(name) | Value::Surrogates(name)) = key else {
            return Err(Misfit::here(Problem::Value {
                expected: "a key of a JSON object, which is a string",
                found: key.kind().to_owned(),
            }));
        };
        let key = name.to_string();
        let value = json(value, lossy).map_err(|misfit| misfit.within(&format!(".{key}")))?;
        map.insert(key, value);
    }
    Ok(map)
}
