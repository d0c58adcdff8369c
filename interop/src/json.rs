//! JSON parsed straight into what a row needs, with errors that name the field.

use std::cell::RefCell;

use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

use crate::error::Problem;

/// The field that a parser was in when it failed: serde's errors have room for text only.
#[derive(Debug, Default)]
pub(crate) struct Spot(RefCell<Option<String>>);

impl Spot {
    /// Passes `result` on; an error notes `field`, unless a field inside it was noted first.
    pub(crate) fn note<T, E>(&self, result: Result<T, E>, field: impl FnOnce() -> String) -> Result<T, E> {
        if result.is_err() {
            self.0.borrow_mut().get_or_insert_with(field);
        }
        result
    }

    /// The field noted.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.borrow_mut().take()
    }
}

/// Parses all of `text`.
pub(crate) fn parse<'t, S: DeserializeSeed<'t>>(text: &'t [u8], seed: S) -> Result<S::Value, Problem> {
    value(text, seed).map_err(|error| problem(&error, text))
}

/// As [`parse`], for a whole line of a file; `expected` is what each line has to be.
pub(crate) fn parse_line<'t, S: DeserializeSeed<'t>>(
    text: &'t [u8],
    seed: S,
    expected: &'static str,
) -> Result<S::Value, Problem> {
    value(text, seed).map_err(|error| {
        let mut problem = problem(&error, text);
        // A number out of range is JSON, whatever serde_json calls it.
        if let Problem::Json { message, column } = &mut problem
            && (error.is_syntax() || error.is_eof())
            && message != "number out of range"
        {
            let (message, column) = (std::mem::take(message), *column);
            return Problem::NotJson {
                message,
                column,
                expected,
            };
        }
        problem
    })
}

/// What to say where a payload, and no vector, has a number that is not finite.
pub(crate) fn of_payload(problem: Problem) -> Problem {
    if let Problem::NotFinite { value } = problem {
        return Problem::Unkept {
            found: value,
            nearest: "null",
        };
    }
    problem
}

/// Whether [`mended`] may help.
pub(crate) fn is_mendable(problem: &Problem) -> bool {
    matches!(problem, Problem::Unkept { .. })
}

/// What to say where a key, an id or a vector has half of a character: nothing is put in its place there, lest two become one.
pub(crate) fn beside_payload(problem: Problem) -> Problem {
    if let Problem::Unkept { found, .. } = problem {
        return Problem::Value {
            expected: "whole text, which keys, ids and vectors need: repair or drop the row",
            found,
        };
    }
    problem
}

/// An object as near as JSON comes to what Python writes and JSON does not have: null for NaN and infinities, U+FFFD for halves of
/// characters. And how many of them there were. Only the fields are changed whose key `is_payload`, and their keys.
pub(crate) fn mended(text: &[u8], is_payload: impl Fn(&str) -> bool) -> (Vec<u8>, u64) {
    const NAMES: [&[u8]; 4] = [b"-Infinity", b"Infinity", b"-NaN", b"NaN"];
    let (mut out, mut count) = (Vec::with_capacity(text.len()), 0);
    // What is no object has no keys: it may be a payload as a whole, which NaN says is none.
    let (mut is_key, mut is_changed) = (false, true);
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let start = out.len();
        let (taken, found) = match rest {
            [b'"', ..] => {
                let (taken, halves) = push_whole(rest, &mut out);
                if is_key {
                    let key: Option<String> =
                        out.get(start..).and_then(|key| serde_json::from_slice(key).ok());
                    is_changed = key.is_some_and(|key| is_payload(&key));
                    is_key = false;
                }
                (taken, halves)
            }
            _ => match NAMES.into_iter().find(|name| rest.starts_with(name)) {
                Some(name) => {
                    out.extend_from_slice(b"null");
                    (name.len(), 1)
                }
                None => {
                    out.extend(rest.first());
                    (1, 0)
                }
            },
        };
        match rest {
            [b'{', ..] => {
                is_key = depth == 0;
                depth += 1;
            }
            [b'[', ..] => depth += 1,
            [b'}' | b']', ..] => depth = depth.saturating_sub(1),
            [b',', ..] => is_key = depth == 1,
            _ => {}
        }
        if is_changed {
            count += found;
        } else {
            out.truncate(start);
            out.extend_from_slice(rest.get(..taken).unwrap_or(rest));
        }
        at += taken;
    }
    (out, count)
}

/// Adds the string that `text` begins with to `out`, with U+FFFD for halves of characters; how long it was, and how many of them it had.
fn push_whole(text: &[u8], out: &mut Vec<u8>) -> (usize, u64) {
    let (mut at, mut count) = (0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (taken, instead): (usize, Option<&[u8]>) = match rest {
            [b'\\', b'u', ..] => match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
                (Some(true), Some(false)) => (12, None),
                (Some(_), _) => (6, Some(b"\\ufffd")),
                (None, _) => (2, None),
            },
            [b'\\', _, ..] => (2, None),
            _ => (1, None),
        };
        let is_end = at > 0 && rest.starts_with(b"\"");
        count += u64::from(instead.is_some());
        out.extend_from_slice(instead.unwrap_or(rest.get(..taken).unwrap_or(rest)));
        at += taken;
        if is_end {
            break;
        }
    }
    (at, count)
}

/// Whether an escape is the first half of a character, or the second; `None` if it is a whole one.
fn surrogate(escape: &[u8]) -> Option<bool> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    let code = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    match code {
        0xd800..=0xdbff => Some(true),
        0xdc00..=0xdfff => Some(false),
        _ => None,
    }
}

/// An integer of a payload that 64 bits do not hold, of which parsing made a float: where it is, and what to say of it. `text` is what
/// the payload was parsed from.
pub(crate) fn wide_integer(payload: &Map<String, Value>, text: &[u8]) -> Option<(String, Problem)> {
    // Floats of that size are rare, so that hardly any text is looked through.
    if !payload.values().any(is_wide) {
        return None;
    }
    let (found, path) = integers(text).find_map(|integer| {
        let float = integer.parse().ok()?;
        let mut fields = payload.iter();
        let path = fields.find_map(|(key, value)| Some(format!(".{key}{}", place_of(value, float)?)))?;
        Some((integer, path))
    })?;
    let problem = Problem::Unkept {
        found: format!("{found}, which is no integer of 64 bits,"),
        nearest: "the nearest float",
    };
    Some((path, problem))
}

/// Whether parsing made a float of an integer of `value` that 64 bits do not hold. `text` is what it was parsed from.
pub(crate) fn has_wide_integer(value: &Value, text: &[u8]) -> bool {
    let is_beyond = |integer: &str| integer.parse::<u64>().is_err() && integer.parse::<i64>().is_err();
    is_wide(value) && integers(text).any(is_beyond)
}

/// How many integers of a payload 64 bits do not hold, so that parsing made floats of them. `text` is what the payload was parsed from.
pub(crate) fn wide_integers(payload: &Map<String, Value>, text: &[u8]) -> u64 {
    if !payload.values().any(is_wide) {
        return 0;
    }
    let is_of_payload = |integer: &&str| {
        let float = integer.parse().ok();
        float.is_some_and(|float| payload.values().any(|value| place_of(value, float).is_some()))
    };
    integers(text).filter(is_of_payload).count() as u64
}

/// Whether a value has a float in it that an integer may have been.
fn is_wide(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_f64()
                && number
                    .as_f64()
                    .is_some_and(|float| float.abs() >= 9_223_372_036_854_775_808.0)
        }
        Value::Array(items) => items.iter().any(is_wide),
        Value::Object(map) => map.values().any(is_wide),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Where in a value a float is.
fn place_of(value: &Value, float: f64) -> Option<String> {
    match value {
        Value::Number(number) => (number.is_f64() && number.as_f64() == Some(float)).then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| Some(format!("[{at}]{}", place_of(item, float)?)))
        }
        Value::Object(map) => {
            let mut fields = map.iter();
            fields.find_map(|(key, item)| Some(format!(".{key}{}", place_of(item, float)?)))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// The integers of more than 18 digits that JSON has outside of its strings, as they are written.
fn integers(text: &[u8]) -> impl Iterator<Item = &str> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(byte) = text.get(at) {
            match byte {
                b'"' => {
                    at += 1;
                    while text.get(at).is_some_and(|byte| *byte != b'"') {
                        at += if text.get(at) == Some(&b'\\') { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let number = text.get(at..).unwrap_or_default();
                    let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                    let length = number
                        .iter()
                        .position(|byte| !is_part(byte))
                        .unwrap_or(number.len());
                    at += length;
                    let number = number.get(..length).unwrap_or_default();
                    let is_integer = !number.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
                    if is_integer && length > 18 {
                        return std::str::from_utf8(number).ok();
                    }
                }
                _ => at += 1,
            }
        }
        None
    })
}

fn value<'t, S: DeserializeSeed<'t>>(text: &'t [u8], seed: S) -> serde_json::Result<S::Value> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = seed.deserialize(&mut parser)?;
    parser.end().map(|()| value)
}

fn problem(error: &serde_json::Error, text: &[u8]) -> Problem {
    let column = error.column();
    // Python writes NaN and its like, which are no JSON; the parser stops at their first letter or just before it.
    if error.is_syntax() {
        let stops = [column.saturating_sub(1), column];
        if let Some(value) = stops.into_iter().find_map(|stop| not_json_number(text, stop)) {
            return Problem::NotFinite { value };
        }
    }
    // The line that serde_json names is counted within `text`: always 1, and the file has its own.
    let message = error.to_string();
    let halves = ["lone leading surrogate", "unexpected end of hex escape"];
    if halves.into_iter().any(|half| message.starts_with(half)) {
        return Problem::Unkept {
            found: "half of a character (a lone surrogate)".to_owned(),
            nearest: "U+FFFD",
        };
    }
    let suffix = format!(" at line {} column {column}", error.line());
    let message = message.strip_suffix(&suffix).unwrap_or(&message).to_owned();
    Problem::Json { message, column }
}

/// The number at `start` of `text` that is not finite, as Python spells it.
fn not_json_number(text: &[u8], start: usize) -> Option<String> {
    let (before, rest) = text.split_at_checked(start)?;
    let name = ["NaN", "Infinity"]
        .into_iter()
        .find(|name| rest.starts_with(name.as_bytes()))?;
    let sign = if before.ends_with(b"-") { "-" } else { "" };
    Some(format!("{sign}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended_text(text: &str) -> (String, u64) {
        let (bytes, count) = mended(text.as_bytes(), |_| true);
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn what_python_writes_and_json_lacks_becomes_the_nearest() {
        assert_eq!(
            mended_text(r#"{"a": [NaN, -Infinity,Infinity], "NaN": "Infinity \" NaN"}"#),
            (
                r#"{"a": [null, null,null], "NaN": "Infinity \" NaN"}"#.to_owned(),
                3
            )
        );
        for (text, expected, count) in [
            (r#""a\ud83d""#, r#""a\ufffd""#, 1),
            (r#""\uDE00\ud83d\u0041""#, r#""\ufffd\ufffd\u0041""#, 2),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, 0),
            (r#""\\ud83d""#, r#""\\ud83d""#, 0),
            (r#""\u12"#, r#""\u12"#, 0),
            ("\"ä\\", "\"ä\\", 0),
            ("", "", 0),
        ] {
            assert_eq!(mended_text(text), (expected.to_owned(), count), "{text}");
        }
    }

    #[test]
    fn only_what_is_of_the_payload_is_changed() {
        for (text, expected, count) in [
            (
                r#"{"id": NaN, "p": {"id": [NaN, {"v": NaN}]}, "v": [NaN, "\ud83d"]}"#,
                r#"{"id": NaN, "p": {"id": [null, {"v": null}]}, "v": [NaN, "\ud83d"]}"#,
                2,
            ),
            (
                r#"{"v": {"p": [NaN], "q": "p"}, "\u0070": "\ud83d, \"id\": NaN", "id": "\ud83d"}"#,
                r#"{"v": {"p": [NaN], "q": "p"}, "\u0070": "\ufffd, \"id\": NaN", "id": "\ud83d"}"#,
                1,
            ),
            // A key is changed with its field, or not.
            (
                r#"{"p\ud83d": NaN, "q\ud83d": NaN}"#,
                r#"{"p\ufffd": null, "q\ud83d": NaN}"#,
                2,
            ),
            ("NaN", "null", 1),
        ] {
            let (bytes, changed) = mended(text.as_bytes(), |key| key.starts_with('p'));
            assert_eq!(
                (String::from_utf8(bytes).unwrap().as_str(), changed),
                (expected, count)
            );
        }
    }
}
