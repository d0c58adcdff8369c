//! JSON parsed straight into what a row needs, with errors that name the field.

use std::cell::RefCell;

use serde::de::DeserializeSeed;

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
