//! Ids of points.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::point_id::PointIdOptions;
use uuid::Uuid;
use vdb::PointId;

use super::rejection::{Rejection, Result, Within, each, required};

/// The id that a message stands for. A UUID may be hyphenated, simple, a URN or in braces.
pub(crate) fn point_id(id: proto::PointId) -> Result<PointId> {
    match required("point_id_options", id.point_id_options)? {
        PointIdOptions::Num(number) => Ok(PointId::Num(number)),
        PointIdOptions::Uuid(text) => Uuid::try_parse(&text).map(PointId::Uuid).map_err(|_| {
            let cut: String = text.chars().take(64).collect();
            Rejection::invalid("uuid", format_args!("Unable to parse UUID: {cut}"))
        }),
    }
}

/// An id that must be there.
pub(crate) fn required_id(field: &str, id: Option<proto::PointId>) -> Result<PointId> {
    point_id(required(field, id)?).within(field)
}

/// The ids of a list.
pub(crate) fn point_ids(field: &str, ids: Vec<proto::PointId>) -> Result<Vec<PointId>> {
    each(field, ids, point_id)
}

/// The message of an id.
pub(crate) fn to_proto(id: PointId) -> proto::PointId {
    let options = match id {
        PointId::Num(number) => PointIdOptions::Num(number),
        PointId::Uuid(uuid) => PointIdOptions::Uuid(uuid.hyphenated().to_string()),
    };
    proto::PointId {
        point_id_options: Some(options),
    }
}

#[cfg(test)]
mod tests;
