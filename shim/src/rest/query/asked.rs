//! What is asked for, as it is read.
//!
//! Most queries are a list of numbers: it is read into one at once. What else a query may be is looked at when all of it is there.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde_json::Value;
use vdb::{Query, VectorInput};

use super::kind::read_query;
use crate::rest::envelope::Failure;
use crate::service::Problems;

/// The value of a query.
#[derive(Debug)]
pub(super) enum Asked {
    /// A vector: some numbers.
    Numbers(Vec<f32>),
    /// Anything else.
    Other(Value),
}

impl Asked {
    /// What it means. `place` is where it stands, for what is said of it.
    pub(super) fn query(self, place: &str, problems: &mut Problems) -> Result<Query, Failure> {
        match self {
            Asked::Numbers(numbers) => Ok(Query::Nearest(VectorInput::Vector(numbers.into()))),
            Asked::Other(value) => read_query(value, place, problems),
        }
    }
}

/// An item of a list that is asked for.
enum Item {
    Number(f32),
    Other(Value),
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any valid JSON value")
            }

            // Rounded once, where it is whole.
            fn visit_i64<E>(self, number: i64) -> Result<Item, E> {
                Ok(Item::Number(number as f32))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Item, E> {
                Ok(Item::Number(number as f32))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Item, E> {
                Ok(Item::Number(number as f32))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Item, E> {
                Ok(Item::Other(truth.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Other(text.into()))
            }

            fn visit_unit<E>(self) -> Result<Item, E> {
                Ok(Item::Other(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Item, A::Error> {
                Value::deserialize(value::SeqAccessDeserializer::new(list)).map(Item::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                Value::deserialize(value::MapAccessDeserializer::new(map)).map(Item::Other)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Asked;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a query")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Asked, A::Error> {
                let mut numbers = Vec::new();
                while let Some(item) = list.next_element()? {
                    match item {
                        Item::Number(number) => numbers.push(number),
                        Item::Other(value) => return mixed(numbers, value, list),
                    }
                }
                if numbers.is_empty() {
                    return Ok(Asked::Other(Value::Array(Vec::new())));
                }
                Ok(Asked::Numbers(numbers))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Asked, A::Error> {
                Value::deserialize(value::MapAccessDeserializer::new(map)).map(Asked::Other)
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Asked, E> {
                Ok(Asked::Other(truth.into()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Asked, E> {
                Ok(Asked::Other(number.into()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Asked, E> {
                Ok(Asked::Other(number.into()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Asked, E> {
                Ok(Asked::Other(number.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Asked, E> {
                Ok(Asked::Other(text.into()))
            }

            fn visit_unit<E>(self) -> Result<Asked, E> {
                Ok(Asked::Other(Value::Null))
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

/// A list of which something is no number.
fn mixed<'de, A: SeqAccess<'de>>(numbers: Vec<f32>, item: Value, mut list: A) -> Result<Asked, A::Error> {
    let mut values: Vec<Value> = numbers.into_iter().map(Value::from).collect();
    values.push(item);
    while let Some(item) = list.next_element()? {
        values.push(item);
    }
    Ok(Asked::Other(Value::Array(values)))
}

#[cfg(test)]
mod tests;
