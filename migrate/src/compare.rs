//! Whether two points are the same.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::value::Kind as ValueKind;

use crate::point::{Numbers, Point};
use crate::schema::{Kind, Schema};

/// How far a number of a unit vector may be from itself once the vector has been brought to unit length again.
const UNIT: f32 = 1e-6;
/// How far, relative to itself, a number may be that is kept in 16 bits: half a unit of its last place each way.
const HALF: f32 = 1.0 / 1024.0;
/// The smallest step between such numbers.
const HALF_STEP: f32 = 1.0 / 16_777_216.0;

/// From here on such numbers have all their digits.
const SMALLEST_NORMAL_HALF: f32 = 1.0 / 16_384.0;
/// The largest of them.
const LARGEST_HALF: f32 = 65_504.0;
/// Their binary digits, the first of which is not kept.
const HALF_DIGITS: u32 = 11;

/// Where a point of the target is not that of the source.
pub(crate) fn difference(schema: &Schema, source: &Point, target: &Point) -> Option<String> {
    if let Some(field) = unequal_field(&source.payload, &target.payload) {
        return Some(format!("payload field {field:?}"));
    }
    for (name, vector) in &source.vectors {
        let Some(other) = target.vectors.get(name) else {
            return Some(format!("vector {name:?} is missing"));
        };
        if let Some(how) = unequal_numbers(schema.0.get(name), vector, other) {
            return Some(format!("vector {name:?}: {how}"));
        }
    }
    let more = target
        .vectors
        .keys()
        .find(|name| !source.vectors.contains_key(*name));
    more.map(|name| format!("vector {name:?} is there and should not be"))
}

/// The first field, by name, that is not the same.
fn unequal_field<'a>(
    source: &'a HashMap<String, proto::Value>,
    target: &'a HashMap<String, proto::Value>,
) -> Option<&'a str> {
    let differs = |name: &String| match (source.get(name), target.get(name)) {
        (Some(a), Some(b)) => !same_value(a, b),
        (Some(_), None) | (None, Some(_)) => true,
        (None, None) => false,
    };
    let names = source.keys().chain(target.keys());
    names.filter(|name| differs(name)).min().map(String::as_str)
}

fn same_value(a: &proto::Value, b: &proto::Value) -> bool {
    match (&a.kind, &b.kind) {
        (None | Some(ValueKind::NullValue(_)), None | Some(ValueKind::NullValue(_))) => true,
        (Some(ValueKind::StructValue(a)), Some(ValueKind::StructValue(b))) => {
            unequal_field(&a.fields, &b.fields).is_none()
        }
        (Some(ValueKind::ListValue(a)), Some(ValueKind::ListValue(b))) => {
            a.values.len() == b.values.len() && a.values.iter().zip(&b.values).all(|(a, b)| same_value(a, b))
        }
        (a, b) => a == b,
    }
}

/// How two vectors differ, if they do.
fn unequal_numbers(kind: Option<&Kind>, source: &Numbers, target: &Numbers) -> Option<String> {
    match (source, target) {
        (Numbers::Dense(a), Numbers::Dense(b)) => unequal_row(kind, a, b),
        (Numbers::Multi(a), Numbers::Multi(b)) if a.len() == b.len() => {
            let mut rows = a.iter().zip(b).enumerate();
            rows.find_map(|(at, (a, b))| Some(format!("row {at}: {}", unequal_row(kind, a, b)?)))
        }
        (Numbers::Multi(a), Numbers::Multi(b)) => Some(format!("{} rows, not {}", b.len(), a.len())),
        (Numbers::Sparse(a), Numbers::Sparse(b)) => {
            let indices = |pairs: &[(u32, f32)]| pairs.iter().map(|pair| pair.0).collect::<Vec<_>>();
            let values = |pairs: &[(u32, f32)]| pairs.iter().map(|pair| pair.1).collect::<Vec<_>>();
            if indices(a) != indices(b) {
                return Some("other indices".to_owned());
            }
            unequal_row(kind, &values(a), &values(b))
        }
        (Numbers::Dense(_) | Numbers::Multi(_) | Numbers::Sparse(_), _) => Some("of another kind".to_owned()),
    }
}

fn unequal_row(kind: Option<&Kind>, a: &[f32], b: &[f32]) -> Option<String> {
    if a.len() != b.len() {
        return Some(format!("{} numbers, not {}", b.len(), a.len()));
    }
    // A target brings vectors to unit length that the source gives as it has them.
    let (a, b) = if is_unit(kind) {
        (unit(a), unit(b))
    } else {
        (a.to_vec(), b.to_vec())
    };
    let is_held = is_held(kind, &a);
    let mut pairs = a.iter().zip(&b).enumerate();
    pairs.find_map(|(at, (&a, &b))| {
        let same = a.to_bits() == b.to_bits() || !is_held && (a - b).abs() <= tolerance(kind, a);
        (!same).then(|| format!("number {at} is {b}, not {a}"))
    })
}

/// Whether such vectors are brought to unit length when they are written.
pub(crate) fn is_unit(kind: Option<&Kind>) -> bool {
    matches!(
        kind,
        Some(Kind::Dense {
            distance: proto::Distance::Cosine,
            datatype,
            ..
        }) if *datatype != proto::Datatype::Uint8
    )
}

/// Whether such vectors come back as they were written, bit for bit.
pub(crate) fn is_exact(kind: Option<&Kind>) -> bool {
    !is_unit(kind) && !is_rounded(kind)
}

fn is_rounded(kind: Option<&Kind>) -> bool {
    match kind {
        Some(Kind::Dense { datatype, .. } | Kind::Sparse { datatype, .. }) => {
            !matches!(datatype, proto::Datatype::Float32 | proto::Datatype::Uint8)
        }
        None => false,
    }
}

/// Whether numbers of 16 bits have been rounded already, so that they come back as they are.
fn is_held(kind: Option<&Kind>, numbers: &[f32]) -> bool {
    let Some(Kind::Dense { datatype, .. } | Kind::Sparse { datatype, .. }) = kind else {
        return false;
    };
    *datatype == proto::Datatype::Float16 && !is_unit(kind) && numbers.iter().all(|&number| is_half(number))
}

/// Whether a number is one of 16 bits (IEEE 754 binary16): 11 bits of it count, or those down to the smallest step.
fn is_half(number: f32) -> bool {
    let size = number.abs();
    if size < SMALLEST_NORMAL_HALF {
        (size / HALF_STEP).fract() == 0.0
    } else {
        size <= LARGEST_HALF && size.to_bits().trailing_zeros() >= f32::MANTISSA_DIGITS - HALF_DIGITS
    }
}

/// How far apart two numbers may be that are the same: nothing, except where a vector is brought to unit length or numbers are
/// rounded to fewer bits.
fn tolerance(kind: Option<&Kind>, number: f32) -> f32 {
    let rounded = if is_rounded(kind) {
        number.abs() * HALF + HALF_STEP
    } else {
        0.0
    };
    let brought = if is_unit(kind) { UNIT } else { 0.0 };
    rounded + brought
}

fn unit(numbers: &[f32]) -> Vec<f32> {
    let square: f64 = numbers.iter().map(|&number| f64::from(number).powi(2)).sum();
    let length = square.sqrt();
    if length == 0.0 || !length.is_finite() {
        return numbers.to_vec();
    }
    numbers
        .iter()
        .map(|&number| (f64::from(number) / length) as f32)
        .collect()
}

#[cfg(test)]
mod tests;
