//! What is told of a collection.

use qdrant_client::qdrant as proto;
use vdb::Status;

use super::super::{indexes, payload};
use super::{quantization, strict, tuning, vectors};
use crate::service::settings::{PayloadStorage, ShardingMethod};
use crate::service::{CollectionDescription, ConfigDescription, ParamsDescription};

/// The message of what is told of a collection.
pub(in crate::grpc) fn to_proto(description: CollectionDescription) -> proto::CollectionInfo {
    let status = match description.status {
        Status::Ready => proto::CollectionStatus::Green,
        Status::Optimizing => proto::CollectionStatus::Yellow,
        Status::Waiting => proto::CollectionStatus::Grey,
        Status::Failing => proto::CollectionStatus::Red,
    };
    let warnings = description.warnings.into_iter();
    let schema = description.payload_schema.into_iter();
    proto::CollectionInfo {
        status: status.into(),
        optimizer_status: Some(proto::OptimizerStatus {
            ok: description.failure.is_none(),
            error: description.failure.unwrap_or_default(),
        }),
        segments_count: description.segments_count,
        config: Some(config(description.config)),
        payload_schema: schema
            .map(|(path, index)| (path, indexes::to_proto(index)))
            .collect(),
        points_count: Some(description.points_count),
        indexed_vectors_count: Some(description.indexed_vectors_count),
        warnings: warnings
            .map(|warning| proto::CollectionWarning {
                message: warning.message,
            })
            .collect(),
        // A write is applied before it is acknowledged: none ever waits.
        update_queue: Some(proto::UpdateQueueInfo {
            length: 0,
            deferred_points: None,
        }),
        created_at: None,
    }
}

fn config(config: ConfigDescription) -> proto::CollectionConfig {
    proto::CollectionConfig {
        params: Some(params(config.params)),
        hnsw_config: Some(tuning::resolved_hnsw_to_proto(config.hnsw_config)),
        optimizer_config: Some(tuning::optimizers_to_proto(config.optimizer_config)),
        wal_config: Some(tuning::wal_to_proto(config.wal_config)),
        quantization_config: config.quantization_config.map(quantization::to_proto),
        strict_mode_config: config.strict_mode_config.as_ref().map(strict::to_proto),
        metadata: config.metadata.map(payload::to_proto).unwrap_or_default(),
    }
}

#[expect(deprecated, reason = "it is told as it was sent")]
fn params(params: ParamsDescription) -> proto::CollectionParams {
    let sharding = params.sharding_method.map(|method| match method {
        ShardingMethod::Auto => proto::ShardingMethod::Auto.into(),
        ShardingMethod::Custom => proto::ShardingMethod::Custom.into(),
    });
    let storage = |PayloadStorage { memory }| proto::PayloadStorageParams {
        memory: memory.map(tuning::memory_to_proto),
    };
    proto::CollectionParams {
        shard_number: params.shard_number,
        // The message has no way to leave it out.
        on_disk_payload: params.on_disk_payload.unwrap_or(false),
        vectors_config: Some(vectors::dense_to_proto(params.vectors)),
        replication_factor: Some(params.replication_factor),
        write_consistency_factor: Some(params.write_consistency_factor),
        read_fan_out_factor: params.read_fan_out_factor,
        sharding_method: sharding,
        sparse_vectors_config: params.sparse_vectors.map(vectors::sparse_to_proto),
        read_fan_out_delay_ms: params.read_fan_out_delay_ms,
        payload: params.payload.map(storage),
        id_tracker: None,
    }
}
