//! A look at all payloads before a file is begun: which fields there are, and of which type each is.

use std::collections::HashMap;

use serde_json::Value as Json;
use vdb::Payload;

use super::field::{FieldType, Scalar};

/// Fields that get a column, at most: those that come first. All others are in one column of JSON.
const MOST_FIELDS: usize = 1000;
/// Bytes of a key that gets a column, at most.
const MOST_KEY_BYTES: usize = 255;

/// What the payloads of a collection have in them. Memory does not grow with their number.
///
/// ```
/// # use serde_json::json;
/// let mut survey = vdb_interop::columnar::PayloadSurvey::default();
/// survey.note(json!({"city": "Oslo", "height": 23}).as_object().unwrap());
/// ```
#[derive(Debug, Clone, Default)]
pub struct PayloadSurvey {
    /// Fields, as they come.
    fields: Vec<(String, Seen)>,
    /// Where each of them is.
    places: HashMap<String, usize>,
    /// Whether there are fields without a column.
    has_others: bool,
}

/// The values of a field.
#[derive(Debug, Clone, Copy)]
struct Seen {
    values: Values,
    has_null: bool,
}

/// What values have in common; nulls are of every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    Nothing,
    Single(Narrowest),
    Lists(Narrowest),
    Mixed,
}

/// The narrowest type of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Narrowest {
    /// There was nothing but null.
    Any,
    Boolean,
    /// Integers from 0 to 2^63-1, which are of both types of integers.
    Natural,
    /// Integers, some of them below 0.
    Integer,
    /// Integers, some of them from 2^63 on.
    Unsigned,
    Float,
    Text,
    /// No type has all of them.
    None,
}

impl Narrowest {
    fn of(value: &Json) -> Narrowest {
        match value {
            Json::Null => Narrowest::Any,
            Json::Bool(_) => Narrowest::Boolean,
            Json::Number(number) if number.is_f64() => Narrowest::Float,
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(_), Some(_)) => Narrowest::Natural,
                (Some(_), None) => Narrowest::Integer,
                (None, Some(_)) => Narrowest::Unsigned,
                (None, None) => Narrowest::None,
            },
            Json::String(_) => Narrowest::Text,
            Json::Array(_) | Json::Object(_) => Narrowest::None,
        }
    }

    fn with(self, other: Narrowest) -> Narrowest {
        use Narrowest::{Any, Integer, Natural, Unsigned};
        match (self, other) {
            (one, other) if one == other => one,
            (Any, other) | (other, Any) => other,
            (Natural, wider @ (Integer | Unsigned)) | (wider @ (Integer | Unsigned), Natural) => wider,
            _ => Narrowest::None,
        }
    }

    fn scalar(self) -> Option<Scalar> {
        match self {
            Narrowest::Boolean => Some(Scalar::Boolean),
            Narrowest::Natural | Narrowest::Integer => Some(Scalar::Integer),
            Narrowest::Unsigned => Some(Scalar::Unsigned),
            Narrowest::Float => Some(Scalar::Float),
            // Lists that are empty, or of nulls alone, are lists of any type.
            Narrowest::Text | Narrowest::Any => Some(Scalar::Text),
            Narrowest::None => None,
        }
    }
}

impl Values {
    fn of(value: &Json) -> Values {
        match value {
            Json::Null => Values::Nothing,
            Json::Array(items) => {
                let items = items.iter().map(Narrowest::of);
                Values::Lists(items.fold(Narrowest::Any, Narrowest::with))
            }
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                Values::Single(Narrowest::of(value))
            }
        }
    }

    fn with(self, other: Values) -> Values {
        match (self, other) {
            (Values::Nothing, other) | (other, Values::Nothing) => other,
            (Values::Single(one), Values::Single(other)) => Values::Single(one.with(other)),
            (Values::Lists(one), Values::Lists(other)) => Values::Lists(one.with(other)),
            (Values::Single(_) | Values::Lists(_) | Values::Mixed, _) => Values::Mixed,
        }
    }

    fn field_type(self) -> FieldType {
        let known = match self {
            Values::Single(narrowest) => narrowest.scalar().map(FieldType::Value),
            Values::Lists(narrowest) => narrowest.scalar().map(FieldType::List),
            // Null is JSON, and of no other type.
            Values::Nothing | Values::Mixed => None,
        };
        known.unwrap_or(FieldType::Json)
    }
}

impl PayloadSurvey {
    /// Looks at the payload of a point.
    pub fn note(&mut self, payload: &Payload) {
        for (key, value) in payload {
            let seen = Seen {
                values: Values::of(value),
                has_null: value.is_null(),
            };
            if let Some(at) = self.places.get(key) {
                if let Some((_, known)) = self.fields.get_mut(*at) {
                    known.values = known.values.with(seen.values);
                    known.has_null |= seen.has_null;
                }
            } else if self.fields.len() < MOST_FIELDS && key.len() <= MOST_KEY_BYTES {
                self.places.insert(key.clone(), self.fields.len());
                self.fields.push((key.clone(), seen));
            } else {
                self.has_others = true;
            }
        }
    }

    /// The fields that get a column, in the order of the columns.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, FieldType)> {
        let fields = self.fields.iter();
        fields.map(|(key, seen)| (key.as_str(), seen.values.field_type()))
    }

    /// Whether some point has null for a field whose column would say the same of a point without the field.
    pub(super) fn has_nulls(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|(_, seen)| seen.has_null && seen.values.field_type() != FieldType::Json)
    }

    /// Whether there are fields without a column.
    pub(super) fn has_others(&self) -> bool {
        self.has_others
    }
}

#[cfg(test)]
mod tests;
