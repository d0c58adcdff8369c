//! From the numbers a user gives to the bytes that are stored, and back.

use vdb_sys::element::{Element, decode_to_f32, encode_f32, encode_scaled};
use vdb_sys::kernel::unit_scale;

use crate::config::VectorParams;
use crate::error::{Error, Result};
use crate::point::{Vector, VectorSelector, Vectors};
use crate::schema::Schema;

/// From here on, numbers round to infinity in half precision.
const F16_BOUND: f32 = 65_520.0;
/// The sign of a single-precision number.
const SIGN: u32 = 1 << 31;

/// Appends a vector to `out` as it is stored: checked, normalised under Cosine, converted to the element type.
/// `place` starts the error message (`point 7: `), and is empty for a query.
pub(crate) fn encode(
    name: &str,
    params: &VectorParams,
    vector: &Vector,
    place: &dyn Fn() -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
    let Vector::Dense(vector) = vector else {
        return Err(Error::WrongKind {
            place: place(),
            vector: name.to_owned(),
            expected: "dense",
            found: vector.kind(),
        });
    };
    if vector.len() != params.size {
        let (place, vector_name) = (place(), name.to_owned());
        return Err(Error::WrongDimension {
            place,
            vector: vector_name,
            expected: params.size,
            found: vector.len(),
        });
    }
    // The bits of the largest magnitude, as an integer: one pass that vectorises, and NaN counts as largest.
    let largest = vector.iter().fold(0, |max: u32, x| max.max(x.to_bits() & !SIGN));
    if largest >= f32::INFINITY.to_bits()
        && let Some((index, &value)) = vector.iter().enumerate().find(|(_, x)| !x.is_finite())
    {
        return Err(Error::NotFinite {
            place: place(),
            vector: name.to_owned(),
            index,
            value,
        });
    }
    let scale = if params.normalises() {
        unit_scale(vector)
    } else {
        None
    };
    // What is normalised fits, however large it was.
    if scale.is_none()
        && params.element == Element::F16
        && largest >= F16_BOUND.to_bits()
        && let Some((index, &value)) = vector.iter().enumerate().find(|(_, x)| x.abs() >= F16_BOUND)
    {
        return Err(Error::OutOfRange {
            place: place(),
            vector: name.to_owned(),
            index,
            value,
        });
    }
    match scale {
        Some(scale) => encode_scaled(vector, scale, params.element, out),
        None => encode_f32(vector, params.element, out),
    }
    Ok(())
}

/// A stored vector as numbers.
pub(crate) fn decode(params: &VectorParams, bytes: &[u8]) -> Vec<f32> {
    let mut out = vec![0.0; params.size];
    decode_to_f32(bytes, params.element, &mut out);
    out
}

/// The stored form of a query vector: what the points it is compared with went through.
pub(crate) fn encode_query(name: &str, params: &VectorParams, vector: &Vector) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(params.row_bytes());
    encode(name, params, vector, &String::new, &mut out)?;
    Ok(out)
}

/// The vectors of a stored point that a selector asks for.
pub(crate) fn select<'a>(
    schema: &Schema,
    selector: &VectorSelector,
    stored: impl Fn(usize) -> Option<&'a [u8]>,
) -> Option<Vectors> {
    let wanted = |name: &str| match selector {
        VectorSelector::None => false,
        VectorSelector::All => true,
        VectorSelector::Names(names) => names.iter().any(|n| n == name),
    };
    if *selector == VectorSelector::None {
        return None;
    }
    let mut out = Vectors::default();
    for (slot, vector) in schema.vectors.iter().enumerate().filter(|(_, v)| wanted(&v.name)) {
        if let Some(bytes) = stored(slot) {
            out.0
                .insert(vector.name.clone(), decode(&vector.params, bytes).into());
        }
    }
    Some(out)
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
