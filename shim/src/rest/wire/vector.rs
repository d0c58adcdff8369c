//! Vectors: what they can be, and what is wrong with them.
//!
//! | file | what |
//! |---|---|
//! | `read.rs`, `out.rs` | as they are read, and written |

mod out;
mod read;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vdb::{MAX_MULTIVECTOR_NUMBERS, SparseVector, Vector, Vectors};

pub(in crate::rest) use out::vectors_out;
pub(in crate::rest) use read::names_model;

use crate::inference::{InferenceError, Models, Role, unknown_model};
use crate::service::{ErrorKind, Problems, ServiceError};

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
    pub(in crate::rest) fn vector(self, role: Role, models: &mut Models<'_>) -> Result<Vector, ServiceError> {
        match self {
            WireVector::Dense(numbers) => Ok(Vector::Dense(numbers)),
            WireVector::Multi(rows) => Ok(Vector::Multi(rows)),
            WireVector::Sparse { indices, values } => Ok(Vector::Sparse(SparseVector { indices, values })),
            WireVector::Inferred(inferred) => inferred.vector(role, models),
        }
    }

    /// Whether it is a text that a model makes a vector of.
    pub(in crate::rest) fn names_model(&self) -> bool {
        matches!(self, WireVector::Inferred(Inferred::Document { .. }))
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
    pub(in crate::rest) fn vectors(self, models: &mut Models<'_>) -> Result<Vectors, ServiceError> {
        match self {
            WireVectors::Single(vector) => Ok(vector.vector(Role::Document, models)?.into()),
            WireVectors::Named(named) => {
                let mut vectors = Vectors::default();
                for (name, vector) in named {
                    vectors = vectors.with(name, vector.vector(Role::Document, models)?);
                }
                Ok(vectors)
            }
        }
    }

    /// Whether there is a text among them that a model makes a vector of.
    pub(in crate::rest) fn names_model(&self) -> bool {
        match self {
            WireVectors::Single(vector) => vector.names_model(),
            WireVectors::Named(named) => named.values().any(WireVector::names_model),
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

impl From<InferenceError> for ServiceError {
    fn from(error: InferenceError) -> Self {
        match error {
            // Another model would be asked of a service, and there is none.
            InferenceError::Model(problem) => ServiceError::internal(problem),
            InferenceError::Options(_) => ServiceError::bad_input(error.to_string()),
            InferenceError::Stopped(why) => ServiceError::new(ErrorKind::Timeout, why),
        }
    }
}

impl Inferred {
    fn vector(self, role: Role, models: &mut Models<'_>) -> Result<Vector, ServiceError> {
        match self {
            Inferred::Document { text, model, options } => {
                let vector = models.embed(&model, &text, options, role)?;
                Ok(Vector::Sparse(vector))
            }
            Inferred::Other { model } => Err(ServiceError::internal(unknown_model(&model))),
        }
    }
}

#[cfg(test)]
mod tests;
