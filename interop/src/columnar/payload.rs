//! Payloads of rows.

use std::collections::HashSet;

use arrow_array::{Array, RecordBatch};
use serde_json::{Map, Value as Json};

use super::field::FieldType;
use super::layout::{OurFields, Payload};
use super::value;
use crate::error::Problem;
use crate::json::{wide_integer, wide_integers};
use crate::misfit::{Lossy, Misfit};

/// A misfit, and the column that it is in.
type InColumn = (usize, Misfit);

/// The payload of a row.
pub(super) fn read(
    batch: &RecordBatch,
    at: usize,
    columns: &Payload,
    lossy: &mut Lossy,
) -> Result<Map<String, Json>, InColumn> {
    match columns {
        Payload::Ours(ours) => of_ours(batch, at, ours, lossy),
        Payload::Fields(columns) => {
            let mut payload = Map::with_capacity(columns.len());
            for column in columns {
                let found = value::json(batch.column(*column), at, lossy);
                let found = found.map_err(|misfit| (*column, misfit))?;
                // A column is there for every row: null says that a row lacks the field.
                if !found.is_null() {
                    payload.insert(batch.schema_ref().field(*column).name().clone(), found);
                }
            }
            Ok(payload)
        }
    }
}

fn of_ours(
    batch: &RecordBatch,
    at: usize,
    columns: &OurFields,
    lossy: &mut Lossy,
) -> Result<Map<String, Json>, InColumn> {
    let nulls = match columns.nulls {
        Some(column) => value::json(batch.column(column), at, lossy).map_err(|misfit| (column, misfit))?,
        None => Json::Null,
    };
    let nulls: HashSet<&str> = nulls
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    let mut payload = Map::with_capacity(columns.fields.len());
    for field in &columns.fields {
        let array = batch.column(field.column);
        let found = match field.of {
            FieldType::Json => text(array, at, lossy),
            FieldType::Value(_) | FieldType::List(_) => value::json(array, at, lossy).map(|found| {
                let is_there = !found.is_null() || nulls.contains(field.key.as_str());
                is_there.then_some(found)
            }),
        };
        if let Some(found) = found.map_err(|misfit| (field.column, misfit))? {
            payload.insert(field.key.clone(), found);
        }
    }
    if let Some(column) = columns.rest {
        let in_it = |misfit| (column, misfit);
        match text(batch.column(column), at, lossy).map_err(in_it)? {
            None => {}
            Some(Json::Object(rest)) => {
                for (key, value) in rest {
                    if payload.contains_key(&key) {
                        value::twice(&key, lossy).map_err(in_it)?;
                    }
                    payload.insert(key, value);
                }
            }
            Some(other) => {
                return Err(in_it(Misfit::here(Problem::Value {
                    expected: "an object of JSON",
                    found: other.to_string(),
                })));
            }
        }
    }
    Ok(payload)
}

/// A value that is JSON as text; none where there is no text.
fn text(column: &dyn Array, at: usize, lossy: &mut Lossy) -> Result<Option<Json>, Misfit> {
    /// Stands for the field, whose name the caller knows.
    const HERE: &str = "";
    let Json::String(text) = value::json(column, at, &mut Lossy::default())? else {
        return Ok(None);
    };
    let value: Json = serde_json::from_str(&text).map_err(|error| {
        Misfit::here(Problem::Json {
            message: error.to_string(),
            column: error.column(),
        })
    })?;
    let mut whole = Map::new();
    whole.insert(HERE.to_owned(), value);
    if lossy.is_allowed {
        lossy.changed += wide_integers(&whole, text.as_bytes());
    } else if let Some((path, problem)) = wide_integer(&whole, text.as_bytes()) {
        let path = path.strip_prefix('.').unwrap_or_default().to_owned();
        return Err(Misfit { path, problem });
    }
    Ok(whole.remove(HERE))
}
