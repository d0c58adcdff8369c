//! Integers of any size.

use super::error::{Outcome, PickleProblem};
use super::value::Value;

const NOT_DECIMAL: PickleProblem = PickleProblem::Text("an integer is not written in decimal digits");

/// From two's complement, little endian.
pub(super) fn from_bytes(bytes: &[u8]) -> Value {
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let filler = if negative { 0xff } else { 0 };
    let Some((low, high)) = bytes.split_at_checked(16) else {
        let mut wide = [filler; 16];
        wide.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        return from_wide(i128::from_le_bytes(wide));
    };
    if high.iter().all(|byte| *byte == filler) && low.last().is_some_and(|top| (top & 0x80 != 0) == negative) {
        let wide: [u8; 16] = std::array::from_fn(|at| low.get(at).copied().unwrap_or(filler));
        return from_wide(i128::from_le_bytes(wide));
    }
    Value::BigInt(nearest(bytes, negative))
}

/// From decimal digits with an optional sign.
pub(super) fn from_digits(digits: &[u8]) -> Outcome<Value> {
    let bare = digits.strip_prefix(b"-").unwrap_or(digits);
    if bare.is_empty() || !bare.iter().all(u8::is_ascii_digit) {
        return Err(NOT_DECIMAL);
    }
    let text = std::str::from_utf8(digits).map_err(|_| NOT_DECIMAL)?;
    if let Ok(wide) = text.parse() {
        return Ok(from_wide(wide));
    }
    text.parse().map(Value::BigInt).map_err(|_| NOT_DECIMAL)
}

fn from_wide(wide: i128) -> Value {
    if let Ok(small) = i64::try_from(wide) {
        Value::Int(small)
    } else if let Ok(unsigned) = u64::try_from(wide) {
        Value::UInt(unsigned)
    } else {
        Value::BigInt(wide as f64)
    }
}

/// The nearest float of a number in two's complement; infinite beyond the range of floats.
fn nearest(bytes: &[u8], negative: bool) -> f64 {
    // The magnitude, from the top byte down.
    let mut carry = negative;
    let mut magnitude: Vec<u8> = bytes
        .iter()
        .map(|byte| {
            if !negative {
                return *byte;
            }
            let (sum, over) = (!byte).overflowing_add(u8::from(carry));
            carry = over;
            sum
        })
        .collect();
    if carry {
        magnitude.push(1);
    }
    while magnitude.pop_if(|top| *top == 0).is_some() {}
    // Fifteen bytes are more than a float holds: what is below them only says which way a tie is rounded.
    let kept = magnitude.len().min(15);
    let (below, top) = magnitude.split_at(magnitude.len() - kept);
    let mut head = top.iter().rev().fold(0_u128, |head, byte| head << 8 | u128::from(*byte));
    head |= u128::from(below.iter().any(|byte| *byte != 0));
    let scale = i32::try_from(below.len() * 8).unwrap_or(i32::MAX);
    let value = head as f64 * 2_f64.powi(scale);
    if negative { -value } else { value }
}
