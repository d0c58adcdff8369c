//! JSON Lines: one point a line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use vdb::{Payload, PointId, Vector, Vectors};

/// Writes points as lines `{"id": 7, "vector": [0.5, 1.0], "payload": {...}}`, which are read back as the same.
///
/// `vector` is an array, an array of arrays or `{"indices", "values"}`; where a point has more than the unnamed vector, an
/// object of such by name; it is left out where the point has none.
#[derive(Debug)]
pub struct JsonLinesWriter<W> {
    to: W,
}

impl<W: Write> JsonLinesWriter<W> {
    /// Nothing is written yet.
    pub fn new(to: W) -> Self {
        JsonLinesWriter { to }
    }

    /// Writes a point.
    ///
    /// # Errors
    /// When writing fails.
    pub fn point(&mut self, id: PointId, vectors: &Vectors, payload: &Payload) -> io::Result<()> {
        let vector = match vectors.get("") {
            Some(vector) if vectors.0.len() == 1 => Some(VectorsJson::One(vector.into())),
            None if vectors.0.is_empty() => None,
            Some(_) | None => {
                let named = vectors.0.iter().map(|(name, vector)| (name.as_str(), vector.into()));
                Some(VectorsJson::Named(named.collect()))
            }
        };
        let payload = (!payload.is_empty()).then_some(payload);
        serde_json::to_writer(&mut self.to, &Line { id, vector, payload })?;
        self.to.write_all(b"\n")
    }

    /// Hands back what was written to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

#[derive(Serialize)]
struct Line<'a> {
    id: PointId,
    #[serde(skip_serializing_if = "Option::is_none")]
    vector: Option<VectorsJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a Payload>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum VectorsJson<'a> {
    One(VectorJson<'a>),
    Named(BTreeMap<&'a str, VectorJson<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum VectorJson<'a> {
    Dense(&'a [f32]),
    Multi(&'a [Vec<f32>]),
    Sparse { indices: &'a [u32], values: &'a [f32] },
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
