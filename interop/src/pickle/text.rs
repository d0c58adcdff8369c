//! Strings as pickles have them: UTF-8 that may hold lone surrogates, and `raw-unicode-escape`.

use std::sync::Arc;

use super::error::{Outcome, PickleProblem};
use super::value::Value;

/// From UTF-8. Lone surrogates, which Python encodes as if they were characters, become U+FFFD in a
/// [`Value::Surrogates`].
pub(super) fn from_utf8(bytes: Vec<u8>) -> Outcome<Value> {
    let mut rest = match String::from_utf8(bytes) {
        Ok(text) => return Ok(Value::Text(text.into())),
        Err(error) => error.into_bytes(),
    };
    let mut text = String::with_capacity(rest.len());
    let mut from = 0;
    while let Some(tail) = rest.get_mut(from..) {
        match std::str::from_utf8(tail) {
            Ok(valid) => {
                text.push_str(valid);
                break;
            }
            Err(error) => {
                let (valid, bad) = tail.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                let [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] = bad else {
                    return Err(PickleProblem::Text("a string is not UTF-8"));
                };
                text.push(char::REPLACEMENT_CHARACTER);
                from += valid.len() + 3;
            }
        }
    }
    Ok(Value::Surrogates(text.into()))
}

/// From `raw-unicode-escape`, as protocol 0 has it: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(super) fn from_raw_escapes(bytes: &[u8]) -> Outcome<Value> {
    let mut text = String::with_capacity(bytes.len());
    let mut broken = false;
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            text.push(char::from(*first));
            continue;
        }
        let Some((kind, after)) = rest.split_first() else {
            text.push('\\');
            break;
        };
        rest = after;
        let digits = match kind {
            b'u' => 4,
            b'U' => 8,
            other => {
                text.push('\\');
                text.push(char::from(*other));
                continue;
            }
        };
        let wrong = || PickleProblem::Text("a string has a \\u that no four or eight hexadecimal digits follow");
        let (code, after) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        rest = after;
        let is_hex = code.iter().all(u8::is_ascii_hexdigit);
        let code = std::str::from_utf8(code).ok().filter(|_| is_hex).ok_or_else(wrong)?;
        let code = u32::from_str_radix(code, 16).map_err(|_| wrong())?;
        match char::from_u32(code) {
            Some(c) => text.push(c),
            None if (0xd800..0xe000).contains(&code) => {
                broken = true;
                text.push(char::REPLACEMENT_CHARACTER);
            }
            None => return Err(PickleProblem::Text("a string has a character beyond U+10FFFF")),
        }
    }
    let text: Arc<str> = text.into();
    Ok(if broken { Value::Surrogates(text) } else { Value::Text(text) })
}
