//! From the vectors a user gives to the bytes that are stored, and back.
//!
//! | kind | stored as |
//! |---|---|
//! | dense | its numbers, normalised under Cosine, in the element type |
//! | multi | its vectors back to back, each as a dense one |
//! | sparse | its dimensions, ascending, then as many values: `u32` and `f32` |
//!
//! These bytes are the same in the log, in memory and in the files of segments.

mod dense;
mod sparse;

use vdb_sys::element::Element;

use crate::error::{Error, Result, within};
use crate::limits::MAX_MULTIVECTOR_NUMBERS;
use crate::point::{Vector, VectorSelector, Vectors};
use crate::schema::{DenseSchema, Schema, VectorKind, VectorSchema};

/// Appends a vector to `out` as it is stored, checked. `place` starts the error message (`point 7: `), and is empty for a
/// query. A dense vector is a multivector of one.
pub(crate) fn encode(
    schema: &VectorSchema,
    vector: &Vector,
    place: &dyn Fn() -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
    let name = &schema.name;
    match (&schema.kind, vector) {
        (VectorKind::Dense(dense), Vector::Dense(numbers)) => {
            dense::encode(name, &dense.params, numbers, place, out)
        }
        (VectorKind::Multi(dense), Vector::Dense(numbers)) => {
            multi(name, dense, std::iter::once(numbers.as_slice()), place, out)
        }
        (VectorKind::Multi(dense), Vector::Multi(rows)) => {
            multi(name, dense, rows.iter().map(Vec::as_slice), place, out)
        }
        (VectorKind::Sparse(_), Vector::Sparse(vector)) => sparse::encode(name, vector, place, out),
        (VectorKind::Dense(_), Vector::Sparse(_) | Vector::Multi(_))
        | (VectorKind::Multi(_), Vector::Sparse(_))
        | (VectorKind::Sparse(_), Vector::Dense(_) | Vector::Multi(_)) => Err(Error::WrongKind {
            place: place(),
            vector: name.clone(),
            expected: schema.kind_name(),
            found: vector.kind(),
        }),
    }
}

fn multi<'v>(
    name: &str,
    dense: &DenseSchema,
    rows: impl ExactSizeIterator<Item = &'v [f32]>,
    place: &dyn Fn() -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
    if rows.len() == 0 {
        return Err(Error::InvalidRequest(format!(
            "{}vector {name:?}: a multivector needs at least one vector",
            place()
        )));
    }
    let numbers = rows.len().saturating_mul(dense.params.size);
    within("numbers in a multivector", MAX_MULTIVECTOR_NUMBERS, numbers)?;
    for row in rows {
        dense::encode(name, &dense.params, row, place, out)?;
    }
    Ok(())
}

/// A stored vector as a user reads it. Bytes that are none give an empty one.
pub(crate) fn decode(schema: &VectorSchema, bytes: &[u8]) -> Vector {
    match &schema.kind {
        VectorKind::Dense(DenseSchema { params, .. }) => Vector::Dense(dense::decode(params, bytes)),
        VectorKind::Multi(DenseSchema { params, .. }) => {
            let rows = bytes.chunks_exact(params.row_bytes().max(1));
            Vector::Multi(rows.map(|row| dense::decode(params, row)).collect())
        }
        VectorKind::Sparse(_) => Vector::Sparse(sparse::decode(bytes)),
    }
}

/// What is wrong with bytes that are to be a stored vector, if anything is: those of the log have checksums that fit, and may
/// still be another collection's.
pub(crate) fn fault(schema: &VectorSchema, bytes: &[u8]) -> Option<&'static str> {
    match &schema.kind {
        VectorKind::Dense(dense) => {
            (bytes.len() != dense.params.row_bytes()).then_some("a vector of another length")
        }
        VectorKind::Multi(dense) => {
            let each = dense.params.row_bytes().max(1);
            let numbers = (bytes.len() / each).saturating_mul(dense.params.size);
            let is_one =
                !bytes.is_empty() && bytes.len().is_multiple_of(each) && numbers <= MAX_MULTIVECTOR_NUMBERS;
            (!is_one).then_some("a multivector of another length")
        }
        VectorKind::Sparse(_) => {
            (!sparse::is_one(bytes)).then_some("a sparse vector of odd length, out of order or not finite")
        }
    }
}

pub(crate) use sparse::with_view as with_sparse;

/// The stored form of a query vector: what the points it is compared with went through.
pub(crate) fn encode_query(schema: &VectorSchema, vector: &Vector) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    encode(schema, vector, &String::new, &mut out)?;
    Ok(out)
}

/// The vectors of a stored point that a selector asks for.
pub(crate) fn select<'a>(
    schema: &Schema,
    selector: &VectorSelector,
    stored: impl Fn(usize) -> Result<Option<&'a [u8]>>,
) -> Result<Option<Vectors>> {
    let wanted = |name: &str| match selector {
        VectorSelector::None => false,
        VectorSelector::All => true,
        VectorSelector::Names(names) => names.iter().any(|n| n == name),
    };
    if *selector == VectorSelector::None {
        return Ok(None);
    }
    let mut out = Vectors::default();
    for (slot, vector) in schema.vectors().filter(|(_, v)| wanted(&v.name)) {
        if let Some(bytes) = stored(slot)? {
            out.0.insert(vector.name.clone(), decode(vector, bytes));
        }
    }
    Ok(Some(out))
}

/// The element type of that name.
///
/// # Errors
/// When the name is not `f32`, `f16` or `u8`.
pub fn parse_element(name: &str) -> Result<Element> {
    match name {
        "f32" | "float32" => Ok(Element::F32),
        "f16" | "float16" => Ok(Element::F16),
        "u8" | "uint8" => Ok(Element::U8),
        _ => Err(Error::InvalidRequest(format!(
            "unknown element type {name:?}: use f32, f16 or u8"
        ))),
    }
}

#[cfg(test)]
mod tests;
