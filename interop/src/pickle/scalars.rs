//! Single values that are objects in Python: moments, and the numbers of NumPy.
//!
//! | object | arguments of its call | value |
//! |---|---|---|
//! | `bytes`, in protocols below 3 | the same as Latin-1, and its name | bytes |
//! | `datetime.datetime` | ten bytes, and an offset or none | RFC 3339 as text, without `Z` where there is no offset |
//! | `datetime.date` | four bytes | `2024-05-01` |
//! | `datetime.timezone`, pydantic's `TzInfo` | a span, and a name or none; seconds | an offset from UTC |
//! | `datetime.timedelta` | days, seconds, microseconds | a span, which nothing but an offset is made of |
//! | `numpy.dtype` | the name of a type; its byte order is set afterwards | a type |
//! | a scalar of NumPy | a type and its bytes | a number or boolean |
//!
//! As CPython 3.14 (`Lib/_pydatetime.py`) and NumPy 2 write them.

use std::sync::Arc;

use half::f16;

use super::error::{Outcome, PickleProblem};
use super::value::{Items, Value};

const MOMENT: PickleProblem = PickleProblem::Malformed("a date or time is none");
const OFFSET: PickleProblem = PickleProblem::Malformed("an offset from UTC is none of less than a day");
const NUMBER: PickleProblem = PickleProblem::Malformed("a number of NumPy is not as its type says");

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Bytes from the text that has a character for each.
pub(super) fn bytes_of_latin_1(text: &str) -> Outcome<Value> {
    let bytes: Result<Arc<[u8]>, _> = text.chars().map(u8::try_from).collect();
    bytes
        .map(Value::Bytes)
        .map_err(|_| PickleProblem::Malformed("bytes are written as text with other characters"))
}

/// A date, from year, month and day.
pub(super) fn date(bytes: &[u8]) -> Outcome<Value> {
    let &[high, low, month, day] = bytes else {
        return Err(MOMENT);
    };
    date_text(high, low, month, day).map(|text| Value::Text(text.into()))
}

fn date_text(high: u8, low: u8, month: u8, day: u8) -> Outcome<String> {
    let year = u16::from(high) << 8 | u16::from(low);
    if !(1..=9999).contains(&year) || day == 0 || day > days_of(year, month) {
        return Err(MOMENT);
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}

/// The days of a month, in the calendar that Python counts by; none where there is no such month.
fn days_of(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400) => 29,
        2 => 28,
        _ => 0,
    }
}

/// A moment, from its date, its time of day and microseconds.
pub(super) fn moment(bytes: &[u8], offset: Option<&Value>) -> Outcome<Value> {
    let &[high, low, month, day, hour, minute, second, a, b, c] = bytes else {
        return Err(MOMENT);
    };
    // The highest bit says which of two equal hours is meant, where clocks are set back. An offset says that as well, and text
    // without one cannot say it, in Python neither.
    let mut text = date_text(high, low, month & 0x7f, day)?;
    let micros = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    if hour > 23 || minute > 59 || second > 59 || micros > 999_999 {
        return Err(MOMENT);
    }
    text.push_str(&format!("T{hour:02}:{minute:02}:{second:02}"));
    if micros > 0 {
        text.push_str(format!(".{micros:06}").trim_end_matches('0'));
    }
    match offset {
        None | Some(Value::None) => {}
        Some(Value::Offset(0)) => text.push('Z'),
        Some(Value::Offset(seconds)) => {
            // RFC 3339 has no seconds in offsets, and neither has any since 1972.
            let minutes = seconds.unsigned_abs() / 60;
            if !seconds.unsigned_abs().is_multiple_of(60) {
                return Err(OFFSET);
            }
            let sign = if *seconds < 0 { '-' } else { '+' };
            text.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
        }
        Some(_) => return Err(MOMENT),
    }
    Ok(Value::Text(text.into()))
}

/// A span of days, seconds and microseconds, in seconds.
pub(super) fn span(days: i64, seconds: i64, micros: i64) -> Outcome<Value> {
    let whole = days
        .checked_mul(DAY)
        .and_then(|of_days| of_days.checked_add(seconds));
    let whole = whole.filter(|_| micros == 0).ok_or(OFFSET)?;
    Ok(Value::Span(whole))
}

/// An offset from UTC of so many seconds.
pub(super) fn offset(seconds: i64) -> Outcome<Value> {
    if seconds.unsigned_abs() < DAY.unsigned_abs() {
        Ok(Value::Offset(seconds))
    } else {
        Err(OFFSET)
    }
}

/// Refuses the state of a type that is not little endian, `<`, or that has no order: `|`.
pub(super) fn check_order(state: &Items) -> Outcome<()> {
    match state.items() {
        [_, Value::Text(order), ..] if matches!(&**order, "<" | "|" | "=") => Ok(()),
        _ => Err(PickleProblem::Malformed("numbers of NumPy are not little endian")),
    }
}

/// A number of NumPy, little endian.
pub(super) fn number(of: &str, bytes: &[u8]) -> Outcome<Value> {
    fn of_size<const N: usize>(bytes: &[u8]) -> Outcome<[u8; N]> {
        bytes.try_into().map_err(|_| NUMBER)
    }
    Ok(match of {
        "b1" => match bytes {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            _ => return Err(NUMBER),
        },
        "i1" => Value::Int(i8::from_le_bytes(of_size(bytes)?).into()),
        "i2" => Value::Int(i16::from_le_bytes(of_size(bytes)?).into()),
        "i4" => Value::Int(i32::from_le_bytes(of_size(bytes)?).into()),
        "i8" => Value::Int(i64::from_le_bytes(of_size(bytes)?)),
        "u1" => Value::Int(u8::from_le_bytes(of_size(bytes)?).into()),
        "u2" => Value::Int(u16::from_le_bytes(of_size(bytes)?).into()),
        "u4" => Value::Int(u32::from_le_bytes(of_size(bytes)?).into()),
        "u8" => {
            let number = u64::from_le_bytes(of_size(bytes)?);
            i64::try_from(number).map_or(Value::UInt(number), Value::Int)
        }
        "f2" => Value::Float(f16::from_le_bytes(of_size(bytes)?).into()),
        "f4" => Value::Float(f32::from_le_bytes(of_size(bytes)?).into()),
        "f8" => Value::Float(f64::from_le_bytes(of_size(bytes)?)),
        _ => {
            return Err(PickleProblem::Malformed(
                "a value of NumPy is no boolean, integer or float of at most 64 bits",
            ));
        }
    })
}
