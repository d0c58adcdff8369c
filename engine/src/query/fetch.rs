//! Payloads and vectors of what was found.

use std::collections::HashSet;

use serde_json::Value;
use vdb_storage::PointId;
use vdb_storage::payload::ObjectRef;

use crate::error::{Result, within};
use crate::limits::{MAX_LIMIT, MAX_PATHS, MAX_VECTORS};
use crate::payload::PayloadSelector;
use crate::point::{OrderValue, Payload, Record, ScoredPoint, Select, Vector, VectorSelector, Vectors};
use crate::query::allowance::Allowance;
use crate::schema::Schema;
use crate::tables::{Located, View};

/// What a decoded payload takes in memory, about, in bytes of its encoding: a number of one byte becomes a value of 32 in
/// a map that has a key beside it.
const DECODED: usize = 8;
/// What an entry of a map takes, about, beside its key and its value.
const ENTRY: usize = 64;

/// What a decoded value takes in memory, about.
fn weight(value: &Value) -> usize {
    let more = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => weight_of_map(map),
    };
    size_of::<Value>() + more
}

fn weight_of_map(map: &Payload) -> usize {
    map.iter()
        .map(|(key, value)| ENTRY + key.len() + weight(value))
        .sum()
}

/// Checks that a selector asks for no more than it may, and names only vectors that exist.
pub(crate) fn check(schema: &Schema, select: &Select) -> Result<()> {
    if let PayloadSelector::Include(paths) | PayloadSelector::Exclude(paths) = &select.payload {
        within("paths in a payload selector", MAX_PATHS, paths.len())?;
    }
    if let VectorSelector::Names(names) = &select.vectors {
        within("names in a vector selector", MAX_VECTORS, names.len())?;
        for name in names {
            schema.require(name)?;
        }
    }
    Ok(())
}

/// The parts of a point that were asked for.
fn parts(
    schema: &Schema,
    select: &Select,
    point: &Located,
    allowance: &Allowance<'_>,
) -> Result<(Option<Payload>, Option<Vectors>)> {
    allowance.beat()?;
    let payload = match &select.payload {
        // Asked for nothing: the payload's bytes are not touched.
        PayloadSelector::None => None,
        PayloadSelector::All => {
            let encoded = point.payload()?;
            // Before it is decoded.
            allowance.take(encoded.len().saturating_mul(DECODED))?;
            select.payload.apply(ObjectRef::from_payload(encoded)?)?
        }
        PayloadSelector::Include(_) | PayloadSelector::Exclude(_) => {
            let part = select.payload.apply(ObjectRef::from_payload(point.payload()?)?)?;
            allowance.take(part.as_ref().map_or(0, weight_of_map))?;
            part
        }
    };
    let vectors = crate::vectors::select(schema, &select.vectors, |slot| point.vector(slot));
    let numbers = vectors
        .iter()
        .flat_map(|vectors| vectors.0.values())
        .map(Vector::bytes);
    allowance.take(numbers.sum())?;
    Ok((payload, vectors))
}

/// A point as it is read back.
pub(crate) fn record(
    schema: &Schema,
    select: &Select,
    (id, point): (PointId, &Located),
    allowance: &Allowance<'_>,
) -> Result<Record> {
    allowance.take(size_of::<Record>())?;
    let (payload, vectors) = parts(schema, select, point, allowance)?;
    Ok(Record {
        id,
        version: point.version(),
        payload,
        vectors,
    })
}

/// A hit as it is returned.
pub(crate) fn hit(
    schema: &Schema,
    select: &Select,
    (id, at): (PointId, &Located),
    (score, order): (f32, Option<OrderValue>),
    allowance: &Allowance<'_>,
) -> Result<ScoredPoint> {
    allowance.take(size_of::<ScoredPoint>())?;
    let (payload, vectors) = parts(schema, select, at, allowance)?;
    Ok(ScoredPoint {
        id,
        version: at.version(),
        score,
        order,
        payload,
        vectors,
    })
}

/// Points by id, in the order asked for; missing ones are left out, repeated ones come once.
pub(crate) fn get(
    view: &View,
    ids: &[PointId],
    select: &Select,
    allowance: &Allowance<'_>,
) -> Result<Vec<Record>> {
    within("ids in one request", MAX_LIMIT, ids.len())?;
    allowance.check()?;
    let schema = &view.tables.schema;
    check(schema, select)?;
    let mut seen = HashSet::with_capacity(ids.len());
    let wanted = ids.iter().filter(|id| seen.insert(**id));
    wanted
        .filter_map(|&id| match allowance.beat() {
            Ok(()) => Some(Ok((id, view.tables.find(id, view.lsn)?))),
            Err(over) => Some(Err(over)),
        })
        .map(|found| {
            let (id, point) = found?;
            record(schema, select, (id, &point), allowance)
        })
        .collect()
}
