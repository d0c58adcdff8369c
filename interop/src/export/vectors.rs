//! Vectors as JSON, as every line of points has them.

use std::collections::BTreeMap;

use serde::Serialize;
use vdb::{Vector, Vectors};

/// One vector: numbers, lists of numbers, or `{"indices", "values"}`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum VectorJson<'a> {
    /// Numbers.
    Dense(&'a [f32]),
    /// Lists of numbers, a row each.
    Multi(&'a [Vec<f32>]),
    /// The numbers that are not zero, and where they are.
    Sparse {
        /// Where they are, ascending.
        indices: &'a [u32],
        /// As many numbers.
        values: &'a [f32],
    },
}

impl<'a> From<&'a Vector> for VectorJson<'a> {
    fn from(vector: &'a Vector) -> Self {
        match vector {
            Vector::Dense(numbers) => VectorJson::Dense(numbers),
            Vector::Multi(rows) => VectorJson::Multi(rows),
            Vector::Sparse(vector) => VectorJson::Sparse {
                indices: &vector.indices,
                values: &vector.values,
            },
        }
    }
}

/// The vectors of a point: one alone where it has no name, else an object of them by name.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum VectorsJson<'a> {
    /// The unnamed vector alone.
    One(VectorJson<'a>),
    /// By name; the unnamed one, where there are others, has the empty name.
    Named(BTreeMap<&'a str, VectorJson<'a>>),
}

impl<'a> From<&'a Vectors> for VectorsJson<'a> {
    fn from(vectors: &'a Vectors) -> Self {
        match vectors.get("") {
            Some(vector) if vectors.0.len() == 1 => VectorsJson::One(vector.into()),
            Some(_) | None => {
                let named = vectors.0.iter();
                VectorsJson::Named(
                    named
                        .map(|(name, vector)| (name.as_str(), vector.into()))
                        .collect(),
                )
            }
        }
    }
}
