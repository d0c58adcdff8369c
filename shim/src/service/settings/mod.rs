//! The settings of a collection as clients of Qdrant give them and are told them.
//!
//! | file | what |
//! |---|---|
//! | `vectors.rs` | dense and sparse vectors |
//! | `tuning.rs` | graph, optimizers, log: what was given, and what it is without |
//! | `quantization.rs` | quantisation |
//! | `apply.rs`, `kept.rs` | what the engine makes of them; where they are kept |
//! | `update.rs` | a change to them |
//! | `defaults.rs` | what collections are created with that do not say |
//!
//! The shapes are those of REST; the types read and write them by themselves.

mod apply;
mod defaults;
pub(super) mod kept;
mod quantization;
mod tuning;
mod update;
mod vectors;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use apply::LIMITS;
pub use defaults::CollectionDefaults;
pub use quantization::{
    BinaryEncoding, BinaryQuantization, BinaryQueryEncoding, CompressionRatio, ProductQuantization,
    QuantizationSettings, ScalarQuantization, ScalarType, TurboBits, TurboQuantization,
};
pub use tuning::{
    HnswSettings, Memory, OptimizerSettings, PayloadStorage, ResolvedHnsw, ResolvedOptimizer, WalSettings,
};
pub use update::{ParamsUpdate, QuantizationUpdate, SettingsUpdate, VectorUpdate};
pub use vectors::{
    Comparator, Datatype, DistanceName, Modifier, MultivectorSettings, SparseIndexSettings,
    SparseVectorSettings, VectorSettings, VectorsSettings,
};

use super::error::{Problems, Result};

/// How points are spread over shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShardingMethod {
    /// By their ids.
    Auto,
    /// By keys that writers give.
    Custom,
}

/// What a collection is to be. What is `None` was not given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CollectionSettings {
    /// Dense vectors by name.
    #[serde(default)]
    pub vectors: VectorsSettings,
    /// Sparse vectors by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse_vectors: Option<BTreeMap<String, SparseVectorSettings>>,
    /// Shards; there is one whatever it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard_number: Option<u32>,
    /// How points are spread over shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharding_method: Option<ShardingMethod>,
    /// Copies of each shard; there is one whatever it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_factor: Option<u32>,
    /// Copies that must have a write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_consistency_factor: Option<u32>,
    /// More copies that are asked by reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_fan_out_factor: Option<u32>,
    /// When they are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_fan_out_delay_ms: Option<u64>,
    /// Whether payloads stay on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disk_payload: Option<bool>,
    /// Where payloads had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<PayloadStorage>,
    /// Parameters of graphs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hnsw_config: Option<HnswSettings>,
    /// Parameters of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_config: Option<WalSettings>,
    /// When segments are indexed and merged.
    #[serde(default, alias = "optimizer_config", skip_serializing_if = "Option::is_none")]
    pub optimizers_config: Option<OptimizerSettings>,
    /// What walks read of each vector.
    #[serde(default, alias = "quantization", skip_serializing_if = "Option::is_none")]
    pub quantization_config: Option<QuantizationSettings>,
    /// Limits on what may be asked for, in the shape of REST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_mode_config: Option<Map<String, Value>>,
    /// What a user keeps with the collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

impl CollectionSettings {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// Of the kind [`Validation`](super::ErrorKind::Validation), with all that is wrong.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Problems::new();
        self.vectors.check(&mut problems);
        for name in self.sparse_vectors.iter().flat_map(BTreeMap::keys) {
            if name.is_empty() {
                problems.add("sparse_vectors", "the name of a sparse vector must not be empty");
            }
        }
        problems.at_least("shard_number", self.shard_number, 1);
        problems.at_least("replication_factor", self.replication_factor, 1);
        problems.at_least("write_consistency_factor", self.write_consistency_factor, 1);
        if let Some(payload) = &self.payload {
            payload.check("payload", &mut problems);
        }
        if let Some(hnsw) = &self.hnsw_config {
            hnsw.check("hnsw_config", &mut problems);
        }
        if let Some(wal) = &self.wal_config {
            problems.at_least("wal_config.wal_capacity_mb", wal.wal_capacity_mb, 1);
        }
        if let Some(optimizers) = &self.optimizers_config {
            optimizers.check("optimizers_config", &mut problems);
        }
        if let Some(quantization) = &self.quantization_config {
            quantization.check("quantization_config", &mut problems);
        }
        if let Some(strict) = &self.strict_mode_config {
            check_strict_mode(strict, &mut problems);
        }
        problems.finish()
    }
}

/// Limits of at least 1.
const STRICT_AT_LEAST_1: [&str; 5] = [
    "max_query_limit",
    "max_timeout",
    "read_rate_limit",
    "write_rate_limit",
    "max_points_count",
];

/// Limits of at least 1 for each vector, below these keys.
const STRICT_BY_VECTOR: [(&str, &str); 2] = [
    ("multivector_config", "max_vectors"),
    ("sparse_config", "max_length"),
];

fn check_strict_mode(strict: &Map<String, Value>, problems: &mut Problems) {
    for name in STRICT_AT_LEAST_1 {
        let value = strict.get(name).and_then(Value::as_u64);
        problems.at_least(format_args!("strict_mode_config.{name}"), value, 1);
    }
    let name = "max_resident_memory_percent";
    let percent = strict.get(name).and_then(Value::as_u64);
    problems.within(format_args!("strict_mode_config.{name}"), percent, 1, 100);
    for (config, limit) in STRICT_BY_VECTOR {
        let vectors = strict.get(config).and_then(Value::as_object);
        for (vector, limits) in vectors.into_iter().flatten() {
            let value = limits.get(limit).and_then(Value::as_u64);
            let place = format_args!("strict_mode_config.{config}.{vector}.{limit}");
            problems.at_least(place, value, 1);
        }
    }
}

#[cfg(test)]
mod tests;
