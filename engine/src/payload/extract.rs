//! From a payload to the keys of an index.

use vdb_index::postings::{Builder, Key, Kind};
use vdb_storage::{
    ValueError,
    payload::{ObjectRef, ValueRef},
};

use crate::filter::{Datetime, GeoPoint, PayloadPath, any_node, canonical_uuid, number_of};

/// Files the values that `payload` has at `path` under `row`, and the classes of the row with them, so that the
/// index answers conditions as evaluating them on the payload would.
///
/// # Errors
/// The payload is damaged on the way. The row may then be filed in part.
pub(crate) fn index_row(
    builder: &mut Builder,
    row: u32,
    payload: ObjectRef<'_>,
    path: &PayloadPath,
) -> Result<(), ValueError> {
    any_node(payload, path.steps(), &mut |node| {
        let ValueRef::Array(items) = node else {
            file(builder, row, node)?;
            return Ok(false);
        };
        if !items.is_empty() {
            builder.filled(row);
        }
        for item in items {
            file(builder, row, item?)?;
        }
        Ok(false)
    })?;
    Ok(())
}

fn file(builder: &mut Builder, row: u32, value: ValueRef<'_>) -> Result<(), ValueError> {
    match (key(value, builder.kind())?, value) {
        (Some(key), _) => builder.push(row, key),
        (None, ValueRef::Null) => builder.null(row),
        (None, _) => builder.foreign(row),
    }
    Ok(())
}

/// The key under which an index of `kind` holds `value`, if it does.
fn key(value: ValueRef<'_>, kind: Kind) -> Result<Option<Key<'_>>, ValueError> {
    Ok(match (kind, value) {
        (Kind::Keyword, ValueRef::Str(text)) => Some(Key::Term(text)),
        (Kind::Datetime, ValueRef::Str(text)) => Datetime::parse(text).map(|at| Key::Datetime(at.micros())),
        (Kind::Integer, ValueRef::I64(number)) => Some(Key::Integer(number)),
        (Kind::Bool, ValueRef::Bool(truth)) => Some(Key::Bool(truth)),
        (Kind::Uuid, ValueRef::Str(text)) => canonical_uuid(text).map(|uuid| Key::Uuid(uuid.into_bytes())),
        (Kind::Geo, value) => GeoPoint::of(value)?.map(|point| Key::Cell(point.cell())),
        (Kind::Float, value) => number_of(value).map(Key::Float),
        (Kind::Keyword | Kind::Datetime | Kind::Integer | Kind::Bool | Kind::Uuid, _) => None,
    })
}

#[cfg(test)]
mod tests;
