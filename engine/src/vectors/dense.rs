//! Dense vectors as bytes.

use vdb_sys::element::{Element, decode_to_f32, encode_f32, encode_scaled};
use vdb_sys::kernel::unit_scale;

use crate::config::VectorParams;
use crate::error::{Error, Result};

/// From here on, numbers round to infinity in half precision.
const F16_BOUND: f32 = 65_520.0;
/// The sign of a single-precision number.
const SIGN: u32 = 1 << 31;

/// Appends a vector to `out` as it is stored: checked, normalised under Cosine, converted to the element type.
/// `place` starts the error message (`point 7: `), and is empty for a query.
pub(super) fn encode(
    name: &str,
    params: &VectorParams,
    vector: &[f32],
    place: &dyn Fn() -> String,
    out: &mut Vec<u8>,
) -> Result<()> {
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

/// A stored vector as numbers; zeros where it has another length.
pub(super) fn decode(params: &VectorParams, bytes: &[u8]) -> Vec<f32> {
    let mut out = vec![0.0; params.size];
    if bytes.len() == params.row_bytes() {
        decode_to_f32(bytes, params.element, &mut out);
    }
    out
}
