//! Values of settings. The environment has texts only, so that texts that spell a value are as good as it.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::Value;

/// A text; numbers and booleans are texts, too, where a text is wanted.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        Value::Array(_) | Value::Object(_) => Err(de::Error::custom("expected a text")),
    }
}

/// A path. A text that is empty says nothing.
pub(super) fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = text(deserializer)?.filter(|path| !path.is_empty());
    Ok(path.map(PathBuf::from))
}

/// As [`number`], where null says something else than nothing.
pub(super) fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(Some(None));
    }
    Ok(number(value).map_err(de::Error::custom)?.map(Some))
}

/// A number, or a text that spells one. A text that is empty says nothing.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let spelled = value.as_str().and_then(|text| text.trim().parse().ok());
    value
        .as_u64()
        .or(spelled)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("expected a number, found {value}")))
}

/// A boolean, or a text that spells one.
pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    let spelled = match value.as_str() {
        Some("true" | "1" | "yes" | "on") => Some(true),
        Some("false" | "0" | "no" | "off" | "") => Some(false),
        Some(_) | None => None,
    };
    value
        .as_bool()
        .or(spelled)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("expected true or false, found {value}")))
}

/// Seconds, whole ones or not, or a text that spells them. A text that is empty says nothing.
pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let spelled = match &value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.as_f64(),
    };
    let seconds = spelled.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("expected seconds, found {value}")))
}
