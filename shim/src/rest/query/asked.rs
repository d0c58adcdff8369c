//! What is asked for, as it is read.
//!
//! Most queries are a list of numbers: it is read into one at once. What else a query may be is looked at when all of it is there.

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess};
use serde_json::{Number, Value};
use vdb::{Query, VectorInput};

use super::Reading;
use super::kind::read_query;
use crate::rest::envelope::Failure;
use crate::rest::wire::{Shaped, by_shape, names_model, rounded, truth_value};

/// The value of a query.
#[derive(Debug)]
pub(super) enum Asked {
    /// A vector: some numbers.
    Numbers(Vec<f32>),
    /// Anything else.
    Other(Value),
}

impl Asked {
    /// Whether there are texts in it that a model makes vectors of.
    pub(super) fn names_model(&self) -> bool {
        match self {
            Asked::Numbers(_) => false,
            Asked::Other(value) => names_model(value),
        }
    }

    /// What it means. `place` is where it stands, for what is said of it.
    pub(super) fn query(self, place: &str, reading: &mut Reading<'_, '_>) -> Result<Query, Failure> {
        match self {
            Asked::Numbers(numbers) => Ok(Query::Nearest(VectorInput::Vector(numbers.into()))),
            Asked::Other(value) => read_query(value, place, reading),
        }
    }
}

/// An item of a list that is asked for.
enum Item {
    Number(f32),
    Other(Value),
}

impl<'de> Shaped<'de> for Item {
    const EXPECTED: &'static str = "any valid JSON value";

    fn of_number<E: de::Error>(number: Number) -> Result<Self, E> {
        Ok(Item::Number(rounded(&number)))
    }

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(list)).map(Item::Other)
    }

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Item::Other)
    }

    fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(Item::Other(text.into()))
    }

    fn of_truth<E: de::Error>(truth: Option<bool>) -> Result<Self, E> {
        Ok(Item::Other(truth_value(truth)))
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
    }
}

impl<'de> Shaped<'de> for Asked {
    const EXPECTED: &'static str = "a query";

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
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

    fn of_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(map)).map(Asked::Other)
    }

    fn of_number<E: de::Error>(number: Number) -> Result<Self, E> {
        Ok(Asked::Other(Value::Number(number)))
    }

    fn of_text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(Asked::Other(text.into()))
    }

    fn of_truth<E: de::Error>(truth: Option<bool>) -> Result<Self, E> {
        Ok(Asked::Other(truth_value(truth)))
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        by_shape(deserializer)
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
