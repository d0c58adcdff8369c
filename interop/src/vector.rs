//! Vectors in JSON: arrays of numbers read straight into `f32`, without a tree of JSON values in between.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::Problem;
use crate::json::Spot;

/// Numbers in one vector, at most.
pub const MAX_DIM: usize = 65_536;

/// The number of a vector that cannot be element, if there is one: its position and what to say of it.
pub(crate) fn not_finite(vector: &[f32]) -> Option<(usize, Problem)> {
    // The sum is finite for every sane vector, and adding is quicker than testing number by number.
    if vector.iter().sum::<f32>().is_finite() {
        return None;
    }
    let at = vector.iter().position(|number| !number.is_finite())?;
    let value = vector.get(at).copied().unwrap_or(f32::NAN);
    Some((
        at,
        Problem::NotFinite {
            value: value.to_string(),
        },
    ))
}

/// An array of numbers.
pub(crate) struct NumbersSeed<'a> {
    /// What errors call the array.
    pub(crate) field: &'a str,
    pub(crate) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for NumbersSeed<'_> {
    type Value = Vec<f32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for NumbersSeed<'_> {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Self::Value, A::Error> {
        let mut vector = Vec::new();
        loop {
            let next = numbers.next_element::<f32>();
            match self
                .spot
                .note(next, || format!("{}[{}]", self.field, vector.len()))?
            {
                None => return Ok(vector),
                Some(_) if vector.len() == MAX_DIM => {
                    return Err(A::Error::custom(format_args!(
                        "a vector has at most {MAX_DIM} numbers"
                    )));
                }
                Some(number) => vector.push(number),
            }
        }
    }
}

/// The `vector` of a JSON row: an array, an object of arrays by name, or `null` for none.
pub(crate) struct VectorsSeed<'a> {
    /// The name of a vector that is given as a plain array.
    pub(crate) unnamed: &'a str,
    pub(crate) spot: &'a Spot,
}

impl<'de> DeserializeSeed<'de> for VectorsSeed<'_> {
    type Value = BTreeMap<String, Vec<f32>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for VectorsSeed<'_> {
    type Value = BTreeMap<String, Vec<f32>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of numbers, or an object of such arrays by vector name")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, numbers: A) -> Result<Self::Value, A::Error> {
        let vector = NumbersSeed {
            field: "vector",
            spot: self.spot,
        }
        .visit_seq(numbers)?;
        Ok(BTreeMap::from([(self.unnamed.to_owned(), vector)]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut vectors = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            let field = format!("vector.{name}");
            let vector = entries.next_value_seed(NumbersSeed {
                field: &field,
                spot: self.spot,
            });
            let vector = self.spot.note(vector, || field.clone())?;
            if vectors.insert(name, vector).is_some() {
                return self
                    .spot
                    .note(Err(A::Error::custom("the name is used twice")), || field);
            }
        }
        Ok(vectors)
    }
}
