//! Vectors as they are written.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use vdb::{Vector, Vectors};

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
