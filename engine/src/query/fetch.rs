//! Payloads and vectors of what was found.

use std::collections::HashSet;

use vdb_storage::PointId;
use vdb_storage::payload::ObjectRef;

use crate::error::{Error, Result};
use crate::limits::MAX_LIMIT;
use crate::payload::PayloadSelector;
use crate::point::{Payload, Record, Select, VectorSelector, Vectors};
use crate::schema::Schema;
use crate::tables::{Located, View};

/// Checks that a selector names only vectors that exist.
pub(crate) fn check(schema: &Schema, select: &Select) -> Result<()> {
    if let VectorSelector::Names(names) = &select.vectors {
        for name in names {
            schema.require(name)?;
        }
    }
    Ok(())
}

/// The parts of a point that were asked for.
pub(crate) fn parts(
    schema: &Schema,
    select: &Select,
    point: &Located,
) -> Result<(Option<Payload>, Option<Vectors>)> {
    let payload = match &select.payload {
        // Asked for nothing: the payload's bytes are not touched.
        PayloadSelector::None => None,
        PayloadSelector::All | PayloadSelector::Include(_) | PayloadSelector::Exclude(_) => {
            select.payload.apply(ObjectRef::from_payload(point.payload()?)?)?
        }
    };
    Ok((
        payload,
        crate::vectors::select(schema, &select.vectors, |slot| point.vector(slot)),
    ))
}

/// A point as it is read back.
pub(crate) fn record(schema: &Schema, select: &Select, id: PointId, point: &Located) -> Result<Record> {
    let (payload, vectors) = parts(schema, select, point)?;
    Ok(Record {
        id,
        version: point.version(),
        payload,
        vectors,
    })
}

/// Points by id, in the order asked for; missing ones are left out, repeated ones come once.
pub(crate) fn get(view: &View, ids: &[PointId], select: &Select) -> Result<Vec<Record>> {
    if ids.len() > MAX_LIMIT {
        return Err(Error::Limit {
            what: "ids in one request",
            limit: MAX_LIMIT,
            found: ids.len(),
        });
    }
    let schema = &view.tables.schema;
    check(schema, select)?;
    let mut seen = HashSet::with_capacity(ids.len());
    let wanted = ids.iter().filter(|id| seen.insert(**id));
    wanted
        .filter_map(|&id| Some((id, view.tables.find(id, view.lsn)?)))
        .map(|(id, point)| record(schema, select, id, &point))
        .collect()
}
