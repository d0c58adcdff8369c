//! Turns JSON into the bytes that [`value`](super::value) describes.

use serde_json::{Map, Number, Value};

use super::value::{
    MAX_DEPTH, TAG_ARRAY, TAG_FALSE, TAG_FLOAT, TAG_NEGATIVE, TAG_NULL, TAG_OBJECT, TAG_SHORT_STRING,
    TAG_SHORT_STRING_LAST, TAG_SMALL, TAG_STRING, TAG_TRUE, TAG_UNSIGNED,
};
use crate::{Error, Result};

/// Encodes a payload; the empty one takes no bytes.
///
/// # Errors
/// [`Error::TooDeep`] when objects and arrays nest deeper than [`MAX_DEPTH`].
pub fn encode_payload(payload: &Map<String, Value>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    if !payload.is_empty() {
        entries(payload, 1, &mut out)?;
    }
    Ok(out)
}

/// Appends one value with its tag, to be read back by [`ValueRef::decode`](super::ValueRef::decode). What `out`
/// holds after an error is unspecified.
///
/// # Errors
/// [`Error::TooDeep`] when objects and arrays nest deeper than [`MAX_DEPTH`].
pub fn encode_value(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    encode(value, 0, out)
}

/// `depth` containers are around the value.
fn encode(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Null => out.push(TAG_NULL),
        Value::Bool(false) => out.push(TAG_FALSE),
        Value::Bool(true) => out.push(TAG_TRUE),
        Value::Number(number) => encode_number(number, out),
        Value::String(text) => {
            match u8::try_from(text.len()) {
                Ok(len) if len <= TAG_SHORT_STRING_LAST - TAG_SHORT_STRING => {
                    out.push(TAG_SHORT_STRING + len)
                }
                _ => {
                    out.push(TAG_STRING);
                    varint(text.len() as u64, out);
                }
            }
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            let depth = deeper(depth)?;
            with_length(TAG_ARRAY, out, |out| {
                varint(items.len() as u64, out);
                items.iter().try_for_each(|item| encode(item, depth, out))
            })?;
        }
        Value::Object(object) => {
            let depth = deeper(depth)?;
            with_length(TAG_OBJECT, out, |out| entries(object, depth, out))?;
        }
    }
    Ok(())
}

fn entries(object: &Map<String, Value>, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    varint(object.len() as u64, out);
    for (key, value) in object {
        varint(key.len() as u64, out);
        out.extend_from_slice(key.as_bytes());
        encode(value, depth, out)?;
    }
    Ok(())
}

fn encode_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(unsigned) = number.as_u64() {
        match u8::try_from(unsigned) {
            Ok(small) if small < TAG_SMALL => out.push(TAG_SMALL + small),
            _ => {
                out.push(TAG_UNSIGNED);
                varint(unsigned, out);
            }
        }
    } else if let Some(negative) = number.as_i64() {
        out.push(TAG_NEGATIVE);
        varint(!negative.cast_unsigned(), out);
    } else {
        out.push(TAG_FLOAT);
        out.extend_from_slice(&number.as_f64().unwrap_or_default().to_le_bytes());
    }
}

/// Writes the tag, the length of what `body` appends, and that. Most bodies are short enough for a length of
/// one byte; the others are moved up to make room, which costs less than measuring all of them first.
fn with_length(tag: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    out.push(tag);
    let at = out.len();
    out.push(0);
    body(out)?;
    let len = (out.len() - at - 1) as u64;
    if len < 0x80 {
        out[at] = len as u8;
    } else {
        let mut header = Vec::with_capacity(10);
        varint(len, &mut header);
        out.splice(at..=at, header);
    }
    Ok(())
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn deeper(depth: usize) -> Result<usize> {
    if depth < MAX_DEPTH {
        Ok(depth + 1)
    } else {
        Err(Error::TooDeep { limit: MAX_DEPTH })
    }
}
