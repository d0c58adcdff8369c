//! The id that each row gets: its own, or its number.

use serde_json::Value;
use vdb_storage::PointId;

use crate::error::Problem;

/// The id that a value is: a number from 0 on, or text that is a number or a UUID.
pub(crate) fn of_json(value: &Value) -> Option<PointId> {
    match value {
        Value::Number(number) => number.as_u64().map(PointId::Num),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Gives ids to the rows of one file, which either names all of its ids or none: were both mixed, a numbered row could
/// silently replace the row that names the same number.
#[derive(Debug)]
pub(crate) struct Numbering {
    first: u64,
    given: Option<bool>,
}

impl Numbering {
    /// Rows without ids are numbered from `first`.
    pub(crate) fn from(first: u64) -> Self {
        Numbering { first, given: None }
    }

    /// The id of row `number` (from 0), which names `id` or none; true with an id that is the row's number.
    pub(crate) fn resolve(&mut self, id: Option<PointId>, number: u64) -> Result<(PointId, bool), Problem> {
        let given = id.is_some();
        if *self.given.get_or_insert(given) != given {
            return Err(Problem::MixedIds { given });
        }
        match id {
            Some(id) => Ok((id, false)),
            None => self
                .first
                .checked_add(number)
                .map(|number| (PointId::Num(number), true))
                .ok_or(Problem::IdsExhausted),
        }
    }
}
