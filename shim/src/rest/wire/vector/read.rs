//! Vectors as they are read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess};
use serde_json::{Map, Number, Value};

use super::super::shape::{Shaped, by_shape, rounded, truth_value};
use super::{Inferred, WireVector, WireVectors};

/// A list of numbers, or of lists of numbers.
enum Listed {
    Dense(Vec<f32>),
    Multi(Vec<Vec<f32>>),
}

/// The first element of a list.
enum First {
    Number(f32),
    List(Vec<f32>),
}

impl<'de> Shaped<'de> for First {
    const EXPECTED: &'static str = "a number or a list of numbers";

    fn of_number<E: de::Error>(number: Number) -> Result<Self, E> {
        Ok(First::Number(rounded(&number)))
    }

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(First::List)
    }
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

fn listed<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Listed, A::Error> {
    match list.next_element::<First>()? {
        None => Ok(Listed::Dense(Vec::new())),
        Some(First::Number(first)) => {
            let mut numbers = vec![first];
            while let Some(number) = list.next_element()? {
                numbers.push(number);
            }
            Ok(Listed::Dense(numbers))
        }
        Some(First::List(first)) => {
            let mut rows = vec![first];
            while let Some(row) = list.next_element()? {
                rows.push(row);
            }
            Ok(Listed::Multi(rows))
        }
    }
}

impl From<Listed> for WireVector {
    fn from(listed: Listed) -> Self {
        match listed {
            Listed::Dense(numbers) => WireVector::Dense(numbers),
            Listed::Multi(rows) => WireVector::Multi(rows),
        }
    }
}

/// What an object is that stands for a vector and is no map of names.
fn object_vector<E: de::Error>(map: &Map<String, Value>) -> Option<Result<WireVector, E>> {
    if map
        .get("indices")
        .is_some_and(|indices| map.contains_key("values") || is_flat(indices))
    {
        #[derive(Deserialize)]
        struct Sparse {
            indices: Vec<u32>,
            values: Vec<f32>,
        }
        let read = serde_json::from_value::<Sparse>(Value::Object(map.clone()));
        return Some(
            read.map(|sparse| WireVector::Sparse {
                indices: sparse.indices,
                values: sparse.values,
            })
            .map_err(E::custom),
        );
    }
    let model = map.get("model")?.as_str()?.to_owned();
    if let Some(Value::String(text)) = map.get("text") {
        let options = match map.get("options") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(options)) => options.clone(),
            Some(_) => return Some(Err(E::custom("options of a document must be an object"))),
        };
        return Some(Ok(WireVector::Inferred(Inferred::Document {
            text: text.clone(),
            model,
            options,
        })));
    }
    let other = map.contains_key("image") || map.contains_key("object");
    other.then(|| Ok(WireVector::Inferred(Inferred::Other { model })))
}

/// Whether there may be a text in a value that a model is to make a vector of.
pub(in crate::rest) fn names_model(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(names_model),
        Value::Object(map) => {
            (map.contains_key("model") && map.contains_key("text")) || map.values().any(names_model)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A list without lists in it, and not only because it is empty: then it may be the vector of a name.
fn is_flat(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(Value::is_u64))
}

impl<'de> Shaped<'de> for WireVector {
    const EXPECTED: &'static str = "a vector";

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        listed(list).map(WireVector::from)
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let map = Map::deserialize(MapAccessDeserializer::new(map))?;
        object_vector(&map).unwrap_or_else(|| {
            Err(de::Error::custom(
                "expected a list of numbers, a list of such lists, or `indices` and `values`",
            ))
        })
    }
}

impl<'de> Deserialize<'de> for WireVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

impl<'de> Shaped<'de> for WireVectors {
    const EXPECTED: &'static str = "a vector, or a map of names to vectors";

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        listed(list).map(|listed| WireVectors::Single(listed.into()))
    }

    fn of_object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut named = BTreeMap::new();
        // Most maps are of names to lists; only what a model is asked for has texts in it.
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            match map.next_value()? {
                VectorOr::Vector(vector) => {
                    named.insert(name, vector);
                }
                VectorOr::Other(value) => {
                    object.insert(name, value);
                }
            }
        }
        if object.is_empty() {
            return Ok(WireVectors::Named(named));
        }
        match object_vector(&object) {
            Some(vector) => vector.map(WireVectors::Single),
            None => Err(de::Error::custom("expected a map of names to vectors")),
        }
    }
}

impl<'de> Deserialize<'de> for WireVectors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

/// A vector, or something else that an object has in it.
enum VectorOr {
    Vector(WireVector),
    Other(Value),
}

impl<'de> Shaped<'de> for VectorOr {
    const EXPECTED: &'static str = "a vector";

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        listed(list).map(|listed| VectorOr::Vector(listed.into()))
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let map = Map::deserialize(MapAccessDeserializer::new(map))?;
        match object_vector(&map) {
            Some(vector) => vector.map(VectorOr::Vector),
            None => Ok(VectorOr::Other(Value::Object(map))),
        }
    }

    fn of_number<E: de::Error>(number: Number) -> Result<Self, E> {
        Ok(VectorOr::Other(Value::Number(number)))
    }

    fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(VectorOr::Other(text.into()))
    }

    fn of_truth<E: de::Error>(truth: Option<bool>) -> Result<Self, E> {
        Ok(VectorOr::Other(truth_value(truth)))
    }
}

impl<'de> Deserialize<'de> for VectorOr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}
