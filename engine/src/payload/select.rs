//! Which part of a payload is returned.

use serde_json::{Map, Value};
use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};

use crate::filter::{FilterError, PathStep, PayloadPath};
use crate::limits::MAX_PATHS;

/// Which part of a payload a caller wants.
///
/// Selected paths are compared step by step with those of the payload, in which every element of an array stands at
/// `[]`. An included path brings along what it leads through and all that is below it; an excluded one takes away
/// all that is below it. No element stands at `[n]`: `a[0]` included brings along an empty array, excluded it takes away
/// nothing.
///
/// ```
/// use serde_json::json;
/// use vdb::PayloadSelector;
///
/// let selector = PayloadSelector::from_json(&json!({ "include": ["lang.code", "title"] }))?;
/// assert_eq!(selector, PayloadSelector::include(["lang.code", "title"])?);
/// # Ok::<(), vdb::FilterError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PayloadSelector {
    /// None of it: no payload is returned, which is less than an empty one.
    #[default]
    None,
    /// All of it.
    All,
    /// Only these paths.
    Include(Vec<PayloadPath>),
    /// All but these paths.
    Exclude(Vec<PayloadPath>),
}

impl PayloadSelector {
    /// Only these paths.
    ///
    /// # Errors
    /// [`FilterError::Invalid`] for a malformed path.
    pub fn include<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        paths
            .into_iter()
            .map(PayloadPath::parse)
            .collect::<Result<_, _>>()
            .map(Self::Include)
    }

    /// All but these paths.
    ///
    /// # Errors
    /// [`FilterError::Invalid`] for a malformed path.
    pub fn exclude<'a>(paths: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        paths
            .into_iter()
            .map(PayloadPath::parse)
            .collect::<Result<_, _>>()
            .map(Self::Exclude)
    }

    /// Reads Qdrant's JSON form: true or false, a list of paths to include, `{"include": [..]}` or
    /// `{"exclude": [..]}`.
    ///
    /// # Errors
    /// [`FilterError::Invalid`] for any other shape, and for a malformed path; [`FilterError::Limit`] for more
    /// paths than [`MAX_PATHS`].
    pub fn from_json(value: &Value) -> Result<Self, FilterError> {
        let invalid = |place: &str, problem: &str| FilterError::Invalid {
            place: place.to_owned(),
            problem: problem.to_owned(),
        };
        match value {
            Value::Bool(true) => Ok(Self::All),
            Value::Bool(false) => Ok(Self::None),
            Value::Array(list) => paths("", list).map(Self::Include),
            Value::Object(map) => {
                let mut entries = map.iter();
                let (Some((key, Value::Array(list))), None) = (entries.next(), entries.next()) else {
                    return Err(invalid(
                        "",
                        "expected `include` or `exclude` with a list of paths",
                    ));
                };
                match key.as_str() {
                    "include" => paths("include", list).map(Self::Include),
                    "exclude" => paths("exclude", list).map(Self::Exclude),
                    _ => Err(invalid(key, "unknown key, expected `include` or `exclude`")),
                }
            }
            Value::Null | Value::Number(_) | Value::String(_) => Err(invalid(
                "",
                "expected true, false, a list of paths, or an object with `include` or `exclude`",
            )),
        }
    }

    /// The wanted part of `payload`; `None` for [`PayloadSelector::None`]. What is not wanted is not decoded.
    ///
    /// # Errors
    /// The payload is damaged in the wanted part or on the way to it.
    pub fn apply(&self, payload: ObjectRef<'_>) -> Result<Option<Map<String, Value>>, ValueError> {
        let (paths, include) = match self {
            Self::None => return Ok(None),
            Self::All => return payload.to_json().map(Some),
            Self::Include(paths) => (paths, true),
            Self::Exclude(paths) => (paths, false),
        };
        let patterns: Vec<_> = paths.iter().map(PayloadPath::steps).collect();
        object(payload, &patterns, include).map(Some)
    }
}

fn paths(place: &str, list: &[Value]) -> Result<Vec<PayloadPath>, FilterError> {
    let invalid = |number: usize, problem: String| FilterError::Invalid {
        place: format!("{place}[{number}]"),
        problem,
    };
    if list.len() > MAX_PATHS {
        return Err(FilterError::Limit {
            place: place.to_owned(),
            what: "paths in a payload selector",
            limit: MAX_PATHS,
            found: list.len(),
        });
    }
    let read = |(number, path): (usize, &Value)| {
        let text = path
            .as_str()
            .ok_or_else(|| invalid(number, "expected a path as a string".to_owned()))?;
        PayloadPath::parse(text).map_err(|error| match error {
            FilterError::Limit { .. } => error,
            FilterError::Invalid { .. } => invalid(number, error.to_string()),
        })
    };
    list.iter().enumerate().map(read).collect()
}

/// The part of an object that patterns, counted from it, leave.
fn object(
    object: ObjectRef<'_>,
    patterns: &[&[PathStep]],
    include: bool,
) -> Result<Map<String, Value>, ValueError> {
    let mut out = Map::new();
    for entry in object {
        let (key, value) = entry?;
        if let Some(kept) = below(value, patterns, Some(key), include)? {
            out.insert(key.to_owned(), kept);
        }
    }
    Ok(out)
}

/// The part of a field or, without a key, of an element of an array that patterns counted from what it is in leave.
fn below(
    value: ValueRef<'_>,
    patterns: &[&[PathStep]],
    key: Option<&str>,
    include: bool,
) -> Result<Option<Value>, ValueError> {
    let rest: Vec<&[PathStep]> = patterns
        .iter()
        .filter_map(|pattern| pattern.split_first())
        .filter(|(step, _)| match step {
            PathStep::Key(wanted) => key == Some(wanted),
            PathStep::All => key.is_none(),
            PathStep::Index(_) => false,
        })
        .map(|(_, rest)| rest)
        .collect();
    let reached = rest.iter().any(|rest| rest.is_empty());
    match (include, reached) {
        (true, false) if rest.is_empty() => Ok(None),
        (true, true) => value.to_json().map(Some),
        (false, true) => Ok(None),
        (false, false) if rest.is_empty() => value.to_json().map(Some),
        (_, false) => match value {
            ValueRef::Object(inner) => Ok(Some(Value::Object(object(inner, &rest, include)?))),
            ValueRef::Array(items) => {
                let mut out = Vec::new();
                for item in items {
                    out.extend(below(item?, &rest, None, include)?);
                }
                Ok(Some(Value::Array(out)))
            }
            ValueRef::Null
            | ValueRef::Bool(_)
            | ValueRef::I64(_)
            | ValueRef::U64(_)
            | ValueRef::F64(_)
            | ValueRef::Str(_) => value.to_json().map(Some),
        },
    }
}

#[cfg(test)]
mod tests;
