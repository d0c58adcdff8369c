//! The id that each row gets: its own, one made of its text, or its number.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::{Map, Value};
use uuid::Uuid;
use vdb_storage::PointId;

use crate::error::{Problem, quoted};
use crate::options::ReadOptions;

/// Texts that are no ids are hashed in this namespace: a random UUID, the same for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x6e0f_53c8_2e1a_4c5f_9d57_1b84_c0a2_77d3);

/// What an id is, in errors.
const EXPECTED: &str = "an id, which is a number from 0 on or a UUID: --text-ids NAME makes UUIDs of texts, and keeps them as the field NAME \
                        of the payload; --number-rows numbers the rows";

/// What a row has to have where ids are made of texts.
const EXPECTED_SOME: &str = "an id, which --text-ids makes of a text: --id-column says where it is";
const EXPECTED_TEXT: &str = "an id, and --text-ids makes one of a text that is more than blanks";

/// The UUID of version 5 that a text is given: the same each time.
pub(crate) fn of_text(text: &str) -> PointId {
    PointId::Uuid(Uuid::new_v5(&NAMESPACE, text.as_bytes()))
}

/// The id that a value is: a number from 0 on, or text that is a number or a UUID.
pub(crate) fn of_json(value: &Value) -> Option<PointId> {
    match value {
        Value::Number(number) => number.as_u64().map(PointId::Num),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a file says that the id of a row is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Id(PointId),
    /// Text that is no id.
    Text(String),
}

impl Given {
    /// What a text gives.
    pub(crate) fn of_text(text: &str) -> Given {
        text.parse()
            .map_or_else(|_| Given::Text(text.to_owned()), Given::Id)
    }

    /// What a value gives; `None` where it is null.
    pub(crate) fn of_json(value: &Value) -> Result<Option<Given>, Problem> {
        match (of_json(value), value) {
            (Some(id), _) => Ok(Some(Given::Id(id))),
            (None, Value::Null) => Ok(None),
            (None, Value::String(text)) => Ok(Some(Given::Text(text.clone()))),
            (None, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(Problem::Value {
                    expected: EXPECTED,
                    found: value.to_string(),
                })
            }
        }
    }
}

/// What to say where the value of an id is none that JSON has: nothing may stand in its place, which could be another point's id.
pub(crate) fn refused(problem: Problem) -> Problem {
    if let Problem::Unkept { found, .. } | Problem::NotFinite { value: found } = problem {
        return Problem::Value {
            expected: EXPECTED,
            found,
        };
    }
    problem
}

/// As a line of ours has it, where a number does not stand in quotes.
impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GivenVisitor)
    }
}

struct GivenVisitor;

impl Visitor<'_> for GivenVisitor {
    type Value = Given;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id: ids are whole numbers from 0 to 18446744073709551615 or UUIDs in quotes")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Given, E> {
        Ok(Given::Id(PointId::Num(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Given, E> {
        u64::try_from(number)
            .map(|number| Given::Id(PointId::Num(number)))
            .map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Given, E> {
        Ok(match Uuid::try_parse(text) {
            Ok(uuid) => Given::Id(PointId::Uuid(uuid)),
            Err(_) => Given::Text(text.to_owned()),
        })
    }
}

/// Gives ids to the rows of one file, which either names all of its ids or none: were both mixed, a numbered row could
/// silently replace the row that names the same number.
#[derive(Debug)]
pub(crate) struct Numbering {
    first: u64,
    given: Option<bool>,
    /// The field of the payload for texts of which ids are made, if they are.
    texts: Option<String>,
}

impl Numbering {
    /// Rows without ids are numbered from the first id on; of texts ids are made where the caller says so.
    pub(crate) fn of(options: &ReadOptions) -> Self {
        Numbering {
            first: options.first_id,
            given: None,
            texts: options.text_ids.clone(),
        }
    }

    /// The id of row `number` (from 0), which names `given` or none; true with an id that is the row's number. A text of which an id is
    /// made goes into the payload. Where ids are made of texts no row is numbered: its text was looked for in the wrong place.
    pub(crate) fn resolve(
        &mut self,
        given: Option<Given>,
        number: u64,
        payload: &mut Option<Map<String, Value>>,
    ) -> Result<(PointId, bool), Problem> {
        let is_given = given.is_some();
        if self.texts.is_some() && !is_given {
            return Err(Problem::Value {
                expected: EXPECTED_SOME,
                found: "nothing".to_owned(),
            });
        }
        if *self.given.get_or_insert(is_given) != is_given {
            return Err(Problem::MixedIds { given: is_given });
        }
        match given {
            Some(Given::Id(id)) => Ok((id, false)),
            Some(Given::Text(text)) => self.made_of(text, payload).map(|id| (id, false)),
            None => self.number(number).map(|id| (id, true)),
        }
    }

    /// The id of row `number` where rows name none.
    pub(crate) fn number(&self, number: u64) -> Result<PointId, Problem> {
        let number = self.first.checked_add(number);
        number.map(PointId::Num).ok_or(Problem::IdsExhausted)
    }

    fn made_of(&self, text: String, payload: &mut Option<Map<String, Value>>) -> Result<PointId, Problem> {
        let Some(field) = &self.texts else {
            return Err(Problem::Value {
                expected: EXPECTED,
                found: quoted(&text),
            });
        };
        // Lines of ours have no numbers in quotes, but a text gets the same id in every file.
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        // Such rows lack their ids, and all of them would be one point.
        if text.trim().is_empty() {
            return Err(Problem::Value {
                expected: EXPECTED_TEXT,
                found: quoted(&text),
            });
        }
        let id = of_text(&text);
        let payload = payload.get_or_insert_with(Map::new);
        if payload.contains_key(field) {
            return Err(Problem::Collection(format!(
                "texts of ids are to be the field {field:?} of the payload (--text-ids), which has one of this name: say another"
            )));
        }
        payload.insert(field.clone(), text.into());
        Ok(id)
    }
}

#[cfg(test)]
mod tests;
