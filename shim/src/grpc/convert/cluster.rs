//! What is said of clusters, on one machine.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::read_consistency::Value;

use super::rejection::{Rejection, Result, at_least, variant};

/// Refuses keys of shards: no shard has one here, and to read all points in their place would be another answer.
pub(crate) fn shard_key(selector: Option<proto::ShardKeySelector>) -> Result<()> {
    let Some(proto::ShardKeySelector { shard_keys, fallback }) = selector else {
        return Ok(());
    };
    if shard_keys.is_empty() && fallback.is_none() {
        return Ok(());
    }
    Err(Rejection::invalid(
        "shard_key_selector",
        "shard keys need a cluster, and this is one machine; leave them out",
    ))
}

/// Checks a read consistency. Of one copy every read is consistent.
pub(crate) fn consistency(consistency: Option<proto::ReadConsistency>) -> Result<()> {
    match consistency.and_then(|consistency| consistency.value) {
        None => Ok(()),
        Some(Value::Type(code)) => {
            variant::<proto::ReadConsistencyType>("read_consistency.type", code).map(drop)
        }
        Some(Value::Factor(copies)) => at_least("read_consistency.factor", copies, 1).map(drop),
    }
}

#[cfg(test)]
mod tests;
