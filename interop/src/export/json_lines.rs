//! JSON Lines: one point a line.

use std::io::{self, Write};

use serde::Serialize;
use vdb::{Payload, PointId, Vectors};

use super::vectors::VectorsJson;

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
        let line = Line {
            id,
            vector: (!vectors.0.is_empty()).then(|| vectors.into()),
            payload: (!payload.is_empty()).then_some(payload),
        };
        serde_json::to_writer(&mut self.to, &line)?;
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
