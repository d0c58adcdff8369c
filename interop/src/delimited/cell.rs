//! Payload values out of CSV cells.

use serde_json::{Number, Value};

use crate::json;

/// The value of a cell's text; `None` leaves the field out.
///
/// Untyped, every cell is a string, empty ones too. Typed, each cell is judged on its own:
/// - empty: no field;
/// - `true`, `false`: a boolean;
/// - a number as JSON writes it, whole ones where they fit 64 bits. So `007`, `+1`, `1_000` and whole numbers beyond 64 bits stay
///   strings: postcodes and telephone numbers keep their zeros, and long ones their digits;
/// - an array or object as JSON writes it: that, unless a whole number in it is beyond 64 bits;
/// - anything else: a string.
pub(crate) fn value(text: &str, typed: bool) -> Option<Value> {
    if !typed {
        return Some(Value::String(text.to_owned()));
    }
    let parsed = match text.bytes().next()? {
        b't' if text == "true" => Some(Value::Bool(true)),
        b'f' if text == "false" => Some(Value::Bool(false)),
        b'-' | b'0'..=b'9' => serde_json::from_str::<Number>(text)
            .ok()
            .filter(|number| !number.is_f64() || text.contains(['.', 'e', 'E']))
            .map(Value::Number),
        b'[' | b'{' => serde_json::from_str(text)
            .ok()
            .filter(|value| !json::has_wide_integer(value, text.as_bytes())),
        _ => None,
    };
    Some(parsed.unwrap_or_else(|| Value::String(text.to_owned())))
}
