//! Writes.

use std::time::Duration;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_update_operation as update;
use vdb::{Operation, Point, PointId, Target, UpsertMode, Vectors};

use super::inference::Models;
use super::rejection::{Rejection, Result, Within, at_least, each, required, variant};
use super::{cluster, filter, ids, payload, vectors};

/// How long a call may take, where it says.
pub(crate) fn timeout(seconds: Option<u64>) -> Result<Option<Duration>> {
    let seconds = seconds
        .map(|seconds| at_least("timeout", seconds, 1))
        .transpose()?;
    Ok(seconds.map(Duration::from_secs))
}

/// What is said beside every write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Wait until the write can be read.
    pub(crate) wait: bool,
    /// How long to wait.
    pub(crate) timeout: Option<Duration>,
}

/// Reads what is said beside a write. All writes of one machine are in one order, so that every ordering is the strongest.
pub(crate) fn manner(
    wait: Option<bool>,
    ordering: Option<proto::WriteOrdering>,
    seconds: Option<u64>,
) -> Result<Manner> {
    if let Some(ordering) = ordering {
        variant::<proto::WriteOrderingType>("ordering.type", ordering.r#type)?;
    }
    Ok(Manner {
        wait: wait.unwrap_or(false),
        timeout: timeout(seconds)?,
    })
}

/// Points chosen by ids or by a filter.
pub(crate) fn target(field: &str, selector: Option<proto::PointsSelector>) -> Result<Target> {
    let options = required(field, selector)?.points_selector_one_of;
    match required(field, options)? {
        PointsSelectorOneOf::Points(list) => ids::point_ids("points.ids", list.ids).map(Target::Ids),
        PointsSelectorOneOf::Filter(message) => filter::filter(message).within("filter").map(Target::Filter),
    }
    .within(field)
}

fn point(message: proto::PointStruct, models: &mut Models<'_>) -> Result<Point> {
    let proto::PointStruct { id, payload, vectors } = message;
    Ok(Point {
        id: ids::required_id("id", id)?,
        vectors: vectors::vectors(vectors, models).within("vectors")?,
        payload: payload::payload(payload).within("payload")?,
    })
}

/// Writes whole points.
pub(crate) fn upsert(
    points: Vec<proto::PointStruct>,
    update_filter: Option<proto::Filter>,
    update_mode: Option<i32>,
    models: &mut Models<'_>,
) -> Result<Operation> {
    let mode = update_mode.map(|code| variant("update_mode", code)).transpose()?;
    Ok(Operation::Upsert {
        points: each("points", points, |message| point(message, models))?,
        mode: match mode.unwrap_or(proto::UpdateMode::Upsert) {
            proto::UpdateMode::Upsert => UpsertMode::Upsert,
            proto::UpdateMode::InsertOnly => UpsertMode::InsertOnly,
            proto::UpdateMode::UpdateOnly => UpsertMode::UpdateOnly,
        },
        update_filter: filter::optional("update_filter", update_filter)?,
    })
}

/// Replaces vectors of points.
pub(crate) fn update_vectors(
    points: Vec<proto::PointVectors>,
    update_filter: Option<proto::Filter>,
    models: &mut Models<'_>,
) -> Result<Operation> {
    let read = |message: proto::PointVectors| -> Result<(PointId, Vectors)> {
        let id = ids::required_id("id", message.id)?;
        let vectors = vectors::vectors(message.vectors, models).within("vectors")?;
        if vectors.0.is_empty() {
            return Err(Rejection::invalid("vectors", "no vectors are given"));
        }
        Ok((id, vectors))
    };
    Ok(Operation::UpdateVectors {
        points: each("points", points, read)?,
        update_filter: filter::optional("update_filter", update_filter)?,
    })
}

/// Removes vectors by name.
pub(crate) fn delete_vectors(
    selector: Option<proto::PointsSelector>,
    names: Option<proto::VectorsSelector>,
) -> Result<Operation> {
    let names = required("vectors", names)?.names;
    if names.is_empty() {
        return Err(Rejection::invalid("vectors.names", "no vector names are given"));
    }
    Ok(Operation::DeleteVectors {
        names,
        target: target("points_selector", selector)?,
    })
}

/// Merges keys into payloads.
pub(crate) fn set_payload(
    values: std::collections::HashMap<String, proto::Value>,
    selector: Option<proto::PointsSelector>,
    key: Option<String>,
) -> Result<Operation> {
    Ok(Operation::SetPayload {
        payload: payload::payload(values).within("payload")?,
        target: target("points_selector", selector)?,
        key,
    })
}

/// Replaces payloads. They are replaced as a whole, whatever key is given.
pub(crate) fn overwrite_payload(
    values: std::collections::HashMap<String, proto::Value>,
    selector: Option<proto::PointsSelector>,
    _key: Option<String>,
) -> Result<Operation> {
    Ok(Operation::OverwritePayload {
        payload: payload::payload(values).within("payload")?,
        target: target("points_selector", selector)?,
    })
}

/// Removes payload paths.
pub(crate) fn delete_payload(
    keys: Vec<String>,
    selector: Option<proto::PointsSelector>,
) -> Result<Operation> {
    Ok(Operation::DeletePayload {
        keys,
        target: target("points_selector", selector)?,
    })
}

/// Removes whole payloads.
pub(crate) fn clear_payload(field: &str, selector: Option<proto::PointsSelector>) -> Result<Operation> {
    Ok(Operation::ClearPayload {
        target: target(field, selector)?,
    })
}

/// Deletes points.
pub(crate) fn delete(field: &str, selector: Option<proto::PointsSelector>) -> Result<Operation> {
    Ok(Operation::Delete {
        target: target(field, selector)?,
    })
}

/// The operations of a batch, in their order.
pub(crate) fn batch(
    operations: Vec<proto::PointsUpdateOperation>,
    models: &mut Models<'_>,
) -> Result<Vec<Operation>> {
    each("operations", operations, |message| {
        operation(required("operation", message.operation)?, models)
    })
}

#[expect(deprecated, reason = "older clients send these operations")]
fn operation(message: update::Operation, models: &mut Models<'_>) -> Result<Operation> {
    use update::Operation as Sent;
    match message {
        Sent::Upsert(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            upsert(of.points, of.update_filter, of.update_mode, models).within("upsert")
        }
        Sent::DeleteDeprecated(selector) => delete("delete_deprecated", Some(selector)),
        Sent::ClearPayloadDeprecated(selector) => clear_payload("clear_payload_deprecated", Some(selector)),
        Sent::SetPayload(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            set_payload(of.payload, of.points_selector, of.key).within("set_payload")
        }
        Sent::OverwritePayload(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            overwrite_payload(of.payload, of.points_selector, of.key).within("overwrite_payload")
        }
        Sent::DeletePayload(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            delete_payload(of.keys, of.points_selector).within("delete_payload")
        }
        Sent::UpdateVectors(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            update_vectors(of.points, of.update_filter, models).within("update_vectors")
        }
        Sent::DeleteVectors(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            delete_vectors(of.points_selector, of.vectors).within("delete_vectors")
        }
        Sent::DeletePoints(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            delete("points", of.points).within("delete_points")
        }
        Sent::ClearPayload(of) => {
            cluster::shard_key(of.shard_key_selector)?;
            clear_payload("points", of.points).within("clear_payload")
        }
    }
}

#[cfg(test)]
mod tests;
