//! Settings of collections.
//!
//! | file | what it holds |
//! |---|---|
//! | `vectors.rs` | dense and sparse vectors |
//! | `tuning.rs` | graph, optimizers, log, where things had best be |
//! | `quantization.rs` | quantisation |
//! | `strict.rs` | limits on what may be asked for |
//! | `describe.rs` | what is told of a collection |
//! | `aliases.rs` | aliases |

pub(in crate::grpc) mod aliases;
pub(in crate::grpc) mod describe;
mod quantization;
mod strict;
mod tuning;
pub(in crate::grpc) mod vectors;

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use serde_json::{Map, Value};

use super::rejection::{Rejection, Result, Within, variant};
use super::{payload, points};
use crate::service::settings::{
    CollectionSettings, ParamsUpdate, PayloadStorage, SettingsUpdate, ShardingMethod,
};

/// The settings that a collection is created with.
#[expect(deprecated, reason = "clients still send `on_disk_payload`")]
pub(in crate::grpc) fn create(message: proto::CreateCollection) -> Result<CollectionSettings> {
    let proto::CreateCollection {
        collection_name: _,
        hnsw_config,
        wal_config,
        optimizers_config,
        shard_number,
        on_disk_payload,
        timeout,
        vectors_config,
        replication_factor,
        write_consistency_factor,
        quantization_config,
        sharding_method,
        sparse_vectors_config,
        strict_mode_config,
        metadata,
        payload,
        id_tracker,
    } = message;
    // Creation is one step: it is done before anybody could give up waiting.
    points::timeout(timeout)?;
    self::id_tracker(id_tracker)?;
    let sparse = sparse_vectors_config.map(vectors::sparse).transpose();
    let quantization = quantization_config.map(quantization::read).transpose();
    Ok(CollectionSettings {
        vectors: vectors::dense(vectors_config).within("vectors_config")?,
        sparse_vectors: sparse.within("sparse_vectors_config")?,
        shard_number,
        sharding_method: sharding_method.map(sharding).transpose()?,
        replication_factor,
        write_consistency_factor,
        read_fan_out_factor: None,
        read_fan_out_delay_ms: None,
        on_disk_payload,
        payload: payload.map(storage).transpose().within("payload")?,
        hnsw_config: hnsw_config.map(tuning::hnsw).transpose().within("hnsw_config")?,
        wal_config: wal_config.map(tuning::wal),
        optimizers_config: optimizers_config
            .map(tuning::optimizers)
            .transpose()
            .within("optimizers_config")?,
        quantization_config: quantization.within("quantization_config")?.flatten(),
        strict_mode_config: strict_mode_config.map(strict::read),
        metadata: self::metadata(metadata)?,
    })
}

/// What changes of a collection.
pub(in crate::grpc) fn update(message: proto::UpdateCollection) -> Result<SettingsUpdate> {
    let proto::UpdateCollection {
        collection_name: _,
        optimizers_config,
        timeout,
        params,
        hnsw_config,
        vectors_config,
        quantization_config,
        sparse_vectors_config,
        strict_mode_config,
        metadata,
    } = message;
    points::timeout(timeout)?;
    let sparse = sparse_vectors_config.map(vectors::sparse).transpose();
    let vectors = vectors_config.map(vectors::diff).transpose();
    let quantization = quantization_config.map(quantization::diff).transpose();
    Ok(SettingsUpdate {
        vectors: vectors.within("vectors_config")?,
        sparse_vectors: sparse.within("sparse_vectors_config")?,
        optimizers_config: optimizers_config
            .map(tuning::optimizers)
            .transpose()
            .within("optimizers_config")?,
        params: params.map(params_update).transpose().within("params")?,
        hnsw_config: hnsw_config.map(tuning::hnsw).transpose().within("hnsw_config")?,
        quantization_config: quantization.within("quantization_config")?.flatten(),
        strict_mode_config: strict_mode_config.map(strict::read),
        metadata: self::metadata(metadata)?,
    })
}

#[expect(deprecated, reason = "clients still send `on_disk_payload`")]
fn params_update(message: proto::CollectionParamsDiff) -> Result<ParamsUpdate> {
    let proto::CollectionParamsDiff {
        replication_factor,
        write_consistency_factor,
        on_disk_payload,
        read_fan_out_factor,
        read_fan_out_delay_ms,
        payload,
        id_tracker,
    } = message;
    self::id_tracker(id_tracker)?;
    Ok(ParamsUpdate {
        replication_factor,
        write_consistency_factor,
        read_fan_out_factor,
        read_fan_out_delay_ms,
        on_disk_payload,
        payload: payload.map(storage).transpose().within("payload")?,
    })
}

/// Refuses a placement of ids: where they lie cannot be chosen, and nobody could be told afterwards that it was.
fn id_tracker(message: Option<proto::IdTrackerParams>) -> Result<()> {
    match message.and_then(|params| params.memory) {
        None => Ok(()),
        Some(_) => Err(Rejection::unimplemented(
            "id_tracker.memory",
            "ids are mapped from their files; leave it out",
        )),
    }
}

fn storage(message: proto::PayloadStorageParams) -> Result<PayloadStorage> {
    Ok(PayloadStorage {
        memory: tuning::memory(message.memory)?,
    })
}

fn sharding(code: i32) -> Result<ShardingMethod> {
    Ok(match variant("sharding_method", code)? {
        proto::ShardingMethod::Auto => ShardingMethod::Auto,
        proto::ShardingMethod::Custom => ShardingMethod::Custom,
    })
}

/// What a user keeps with the collection. No keys are the same as nothing said.
fn metadata(map: HashMap<String, proto::Value>) -> Result<Option<Map<String, Value>>> {
    let map = payload::payload(map).within("metadata")?;
    Ok(Some(map).filter(|map| !map.is_empty()))
}

#[cfg(test)]
mod tests;
