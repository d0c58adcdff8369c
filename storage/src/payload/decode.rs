//! Turns the bytes that [`value`](super::value) describes back into JSON, or only checks all of them.

use serde_json::{Map, Number, Value};

use super::value::{MAX_DEPTH, ObjectRef, ValueRef};
use crate::error::ValueError;

impl ValueRef<'_> {
    /// Copies the value out as JSON.
    pub fn to_json(self) -> Result<Value, ValueError> {
        value_to_json(self, 0)
    }

    /// Walks all that is inside and reports the first damage.
    pub fn check(self) -> Result<(), ValueError> {
        check(self, 0)
    }
}

impl ObjectRef<'_> {
    /// Copies the object out as JSON.
    pub fn to_json(self) -> Result<Map<String, Value>, ValueError> {
        object_to_json(self, 1)
    }

    /// Walks all that is inside and reports the first damage.
    pub fn check(self) -> Result<(), ValueError> {
        check(ValueRef::Object(self), 0)
    }
}

/// Copies a value out as JSON.
pub fn to_json(value: ValueRef<'_>) -> Result<Value, ValueError> {
    value.to_json()
}

/// Copies a payload out as JSON.
pub fn decode_payload(bytes: &[u8]) -> Result<Map<String, Value>, ValueError> {
    ObjectRef::from_payload(bytes)?.to_json()
}

/// `depth` containers are around the value.
fn value_to_json(value: ValueRef<'_>, depth: usize) -> Result<Value, ValueError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(truth) => Value::Bool(truth),
        ValueRef::I64(number) => Value::Number(number.into()),
        ValueRef::U64(number) => Value::Number(number.into()),
        ValueRef::F64(number) => Value::Number(Number::from_f64(number).ok_or(ValueError {
            what: "a finite float",
        })?),
        ValueRef::Str(text) => Value::String(text.to_owned()),
        ValueRef::Array(array) => {
            let depth = deeper(depth)?;
            Value::Array(
                array
                    .iter()
                    .map(|item| value_to_json(item?, depth))
                    .collect::<Result<_, _>>()?,
            )
        }
        ValueRef::Object(object) => Value::Object(object_to_json(object, deeper(depth)?)?),
    })
}

/// `depth` counts the object itself.
fn object_to_json(object: ObjectRef<'_>, depth: usize) -> Result<Map<String, Value>, ValueError> {
    object
        .iter()
        .map(|entry| {
            let (key, value) = entry?;
            Ok((key.to_owned(), value_to_json(value, depth)?))
        })
        .collect()
}

fn check(value: ValueRef<'_>, depth: usize) -> Result<(), ValueError> {
    match value {
        ValueRef::Array(array) => {
            let depth = deeper(depth)?;
            array.iter().try_for_each(|item| check(item?, depth))
        }
        ValueRef::Object(object) => {
            let depth = deeper(depth)?;
            object.iter().try_for_each(|entry| check(entry?.1, depth))
        }
        ValueRef::Null
        | ValueRef::Bool(_)
        | ValueRef::I64(_)
        | ValueRef::U64(_)
        | ValueRef::F64(_)
        | ValueRef::Str(_) => Ok(()),
    }
}

fn deeper(depth: usize) -> Result<usize, ValueError> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(ValueError {
            what: "at most 64 nested containers",
        })
    }
}
