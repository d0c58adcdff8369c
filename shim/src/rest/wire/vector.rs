//! Vectors, in and out.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vdb::{MAX_MULTIVECTOR_NUMBERS, SparseVector, Vector, Vectors};

use crate::inference::{Role, embed, unknown_model};
use crate::service::{Problems, ServiceError};

/// A vector of one name.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rest) enum WireVector {
    /// Numbers.
    Dense(Vec<f32>),
    /// Several vectors of numbers.
    Multi(Vec<Vec<f32>>),
    /// The dimensions that are not 0, and what they are.
    Sparse { indices: Vec<u32>, values: Vec<f32> },
    /// Something that a model makes a vector of.
    Inferred(Inferred),
}

/// Something that a model makes a vector of.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rest) enum Inferred {
    /// A text.
    Document {
        text: String,
        model: String,
        options: Map<String, Value>,
    },
    /// Something else, that no model here knows what to make of.
    Other { model: String },
}

/// The vectors of a point: one without a name, or a map.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::rest) enum WireVectors {
    /// One without a name.
    Single(WireVector),
    /// By name.
    Named(BTreeMap<String, WireVector>),
}

impl WireVector {
    /// The engine's vector.
    pub(in crate::rest) fn vector(self, role: Role) -> Result<Vector, ServiceError> {
        match self {
            WireVector::Dense(numbers) => Ok(Vector::Dense(numbers)),
            WireVector::Multi(rows) => Ok(Vector::Multi(rows)),
            WireVector::Sparse { indices, values } => Ok(Vector::Sparse(SparseVector { indices, values })),
            WireVector::Inferred(inferred) => inferred.vector(role),
        }
    }

    /// Whether a model is to make it that is not named.
    pub(in crate::rest) fn has_no_model(&self) -> bool {
        match self {
            WireVector::Inferred(Inferred::Document { model, .. } | Inferred::Other { model }) => {
                model.is_empty()
            }
            WireVector::Dense(_) | WireVector::Multi(_) | WireVector::Sparse { .. } => false,
        }
    }

    /// Adds what is wrong with it, whatever it is compared with.
    pub(in crate::rest) fn check(&self, place: &str, problems: &mut Problems) {
        if self.has_no_model() {
            problems.add(format_args!("{place}.model"), "must not be empty");
        }
        match self {
            WireVector::Sparse { indices, values } => {
                if indices.len() != values.len() {
                    problems.add(
                        format_args!("{place}.values"),
                        "must be the same length as indices",
                    );
                }
                let mut sorted = indices.clone();
                sorted.sort_unstable();
                if sorted.windows(2).any(|pair| pair.first() == pair.last()) {
                    problems.add(format_args!("{place}.indices"), "must be unique");
                }
            }
            WireVector::Multi(rows) => check_rows(rows, place, problems),
            WireVector::Dense(_) | WireVector::Inferred(_) => {}
        }
    }
}

/// Adds what is wrong with the rows of a multivector.
fn check_rows(rows: &[Vec<f32>], place: &str, problems: &mut Problems) {
    let place = format_args!("{place}.data");
    let size = rows.first().map_or(0, Vec::len);
    let numbers = rows
        .iter()
        .fold(0_usize, |sum, row| sum.saturating_add(row.len()));
    if rows.is_empty() {
        problems.add(place, "multi vector must not be empty");
    } else if rows.iter().any(Vec::is_empty) {
        problems.add(place, "all vectors must be non-empty");
    } else if numbers > MAX_MULTIVECTOR_NUMBERS {
        let detail = format_args!(
            "Total size of all vectors ({numbers}) must be less than {}",
            MAX_MULTIVECTOR_NUMBERS + 1
        );
        problems.add(place, detail);
    } else if let Some(other) = rows.iter().find(|row| row.len() != size) {
        let detail = format_args!(
            "all vectors must have the same dimension, found vector with dimension {}",
            other.len()
        );
        problems.add(place, detail);
    }
}

impl WireVectors {
    /// The engine's vectors.
    pub(in crate::rest) fn vectors(self) -> Result<Vectors, ServiceError> {
        match self {
            WireVectors::Single(vector) => Ok(vector.vector(Role::Document)?.into()),
            WireVectors::Named(named) => {
                let mut vectors = Vectors::default();
                for (name, vector) in named {
                    vectors = vectors.with(name, vector.vector(Role::Document)?);
                }
                Ok(vectors)
            }
        }
    }

    /// Whether no vector is given, or one without numbers that has no name.
    pub(in crate::rest) fn is_empty(&self) -> bool {
        match self {
            WireVectors::Named(named) => named.is_empty(),
            WireVectors::Single(WireVector::Dense(numbers)) => numbers.is_empty(),
            WireVectors::Single(WireVector::Multi(rows)) => rows.is_empty(),
            WireVectors::Single(WireVector::Sparse { .. } | WireVector::Inferred(_)) => false,
        }
    }

    /// Adds what is wrong with them.
    pub(in crate::rest) fn check(&self, place: &str, problems: &mut Problems) {
        match self {
            WireVectors::Single(vector) => vector.check(place, problems),
            WireVectors::Named(named) => {
                for vector in named.values() {
                    vector.check(&format!("{place}.?"), problems);
                }
            }
        }
    }
}

impl Inferred {
    fn vector(self, role: Role) -> Result<Vector, ServiceError> {
        match self {
            Inferred::Document { text, model, options } => embed(&model, &text, options, role)
                .map(Vector::Sparse)
                .map_err(|error| match error.field {
                    // Another model would be asked of a service, and there is none.
                    "model" => ServiceError::internal(error.problem),
                    _ => ServiceError::bad_input(error.to_string()),
                }),
            Inferred::Other { model } => Err(ServiceError::internal(unknown_model(&model))),
        }
    }
}

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

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of numbers")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<First, E> {
                Ok(First::Number(number as f32))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<First, E> {
                Ok(First::Number(number as f32))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<First, E> {
                Ok(First::Number(number as f32))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<First, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(First::List)
            }
        }
        deserializer.deserialize_any(Seen)
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
    if map.get("indices").is_some_and(is_flat) {
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

/// A list without lists in it, and not only because it is empty: then it may be the vector of a name.
fn is_flat(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(Value::is_u64))
}

impl<'de> Deserialize<'de> for WireVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = WireVector;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vector")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<WireVector, A::Error> {
                listed(list).map(WireVector::from)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WireVector, A::Error> {
                let map = Map::deserialize(de::value::MapAccessDeserializer::new(map))?;
                object_vector(&map).unwrap_or_else(|| {
                    Err(de::Error::custom(
                        "expected a list of numbers, a list of such lists, or `indices` and `values`",
                    ))
                })
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for WireVectors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = WireVectors;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vector, or a map of names to vectors")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<WireVectors, A::Error> {
                listed(list).map(|listed| WireVectors::Single(listed.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireVectors, A::Error> {
                let mut named = BTreeMap::new();
                // Most maps are of names to lists; only what a model is asked for has texts in it.
                let mut object = Map::new();
                while let Some(name) = map.next_key::<String>()? {
                    match map.next_value_seed(VectorOrOther)? {
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
        deserializer.deserialize_any(Seen)
    }
}

/// A vector, or something else that an object has in it.
enum VectorOr {
    Vector(WireVector),
    Other(Value),
}

struct VectorOrOther;

impl<'de> DeserializeSeed<'de> for VectorOrOther {
    type Value = VectorOr;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<VectorOr, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VectorOrOther {
    type Value = VectorOr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<VectorOr, A::Error> {
        listed(list).map(|listed| VectorOr::Vector(listed.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VectorOr, A::Error> {
        let map = Map::deserialize(de::value::MapAccessDeserializer::new(map))?;
        match object_vector(&map) {
            Some(vector) => vector.map(VectorOr::Vector),
            None => Ok(VectorOr::Other(Value::Object(map))),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(text.into()))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(truth.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(number.into()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<VectorOr, E> {
        Ok(VectorOr::Other(Value::Null))
    }
}

/// A vector as it is written.
struct VectorOut<'a>(&'a Vector);

impl Serialize for VectorOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Vector::Dense(numbers) => numbers.serialize(serializer),
            Vector::Multi(rows) => rows.serialize(serializer),
            Vector::Sparse(sparse) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("indices", &sparse.indices)?;
                map.serialize_entry("values", &sparse.values)?;
                map.end()
            }
        }
    }
}

/// Writes the vectors of a point: a list for one without a name, else a map.
pub(in crate::rest) fn vectors_out<S: Serializer>(
    vectors: &Vectors,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    if let (Some(only), 1) = (vectors.0.get(""), vectors.0.len()) {
        return VectorOut(only).serialize(serializer);
    }
    let mut map = serializer.serialize_map(Some(vectors.0.len()))?;
    for (name, vector) in &vectors.0 {
        map.serialize_entry(name, &VectorOut(vector))?;
    }
    map.end()
}

#[cfg(test)]
mod tests;
