//! What is told of a collection.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use vdb::{Collection, Control, PayloadIndexParams, Status};

use super::error::Result;
use super::settings::{
    CollectionSettings, PayloadStorage, QuantizationSettings, ResolvedHnsw, ResolvedOptimizer,
    ShardingMethod, SparseVectorSettings, VectorsSettings, WalSettings,
};

/// Something that a user should know of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What.
    pub message: String,
}

/// An indexed payload path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexDescription {
    /// The name of the kind.
    pub data_type: String,
    /// What it was created with, if that was more than the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<Value>,
    /// About how many points are in it.
    pub points: u64,
    /// The engine's form of it, for wires that have types of their own.
    #[serde(skip)]
    pub engine: PayloadIndexParams,
}

/// Parameters of a collection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParamsDescription {
    /// Dense vectors.
    pub vectors: VectorsSettings,
    /// Shards.
    pub shard_number: u32,
    /// How points are spread over them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharding_method: Option<ShardingMethod>,
    /// Copies of each.
    pub replication_factor: u32,
    /// Copies that must have a write.
    pub write_consistency_factor: u32,
    /// More copies that are asked by reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_fan_out_factor: Option<u32>,
    /// When they are asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_fan_out_delay_ms: Option<u64>,
    /// Whether payloads stay on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_disk_payload: Option<bool>,
    /// Where payloads had best be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<PayloadStorage>,
    /// Sparse vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sparse_vectors: Option<BTreeMap<String, SparseVectorSettings>>,
}

/// The settings of a collection, with what was not given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConfigDescription {
    /// Vectors, shards, payloads.
    pub params: ParamsDescription,
    /// Parameters of graphs.
    pub hnsw_config: ResolvedHnsw,
    /// When segments are indexed and merged.
    pub optimizer_config: ResolvedOptimizer,
    /// Parameters of the log.
    pub wal_config: WalSettings,
    /// Quantisation.
    pub quantization_config: Option<QuantizationSettings>,
    /// Limits on what may be asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict_mode_config: Option<Map<String, Value>>,
    /// What a user keeps with the collection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
}

impl ConfigDescription {
    pub(super) fn of(settings: &CollectionSettings) -> Self {
        let metadata = settings.metadata.clone().filter(|map| !map.is_empty());
        ConfigDescription {
            params: ParamsDescription {
                vectors: settings.vectors.clone(),
                shard_number: settings.shard_number.unwrap_or(1),
                sharding_method: settings.sharding_method,
                replication_factor: settings.replication_factor.unwrap_or(1),
                write_consistency_factor: settings.write_consistency_factor.unwrap_or(1),
                read_fan_out_factor: settings.read_fan_out_factor,
                read_fan_out_delay_ms: settings.read_fan_out_delay_ms,
                on_disk_payload: settings
                    .on_disk_payload
                    .or(settings.payload.is_none().then_some(true)),
                payload: settings.payload,
                sparse_vectors: settings.sparse_vectors.clone(),
            },
            hnsw_config: settings.hnsw_config.clone().unwrap_or_default().resolved(),
            optimizer_config: settings.optimizers_config.clone().unwrap_or_default().resolved(),
            wal_config: settings.wal_config.clone().unwrap_or_default().resolved(),
            quantization_config: settings.quantization_config.clone(),
            strict_mode_config: settings.strict_mode_config.clone(),
            metadata,
        }
    }
}

/// What is told of a collection, in the shape of REST.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionDescription {
    /// Whether everything is in its best place.
    pub status: Status,
    /// Why work in the background failed, if it did.
    pub failure: Option<String>,
    /// What a user should know.
    pub warnings: Vec<Warning>,
    /// Vectors that a graph searches.
    pub indexed_vectors_count: u64,
    /// Points.
    pub points_count: u64,
    /// Segments.
    pub segments_count: u64,
    /// Settings, with what was not given.
    pub config: ConfigDescription,
    /// Indexed payload paths.
    pub payload_schema: BTreeMap<String, IndexDescription>,
}

impl CollectionDescription {
    /// The colour of the status.
    pub fn colour(&self) -> &'static str {
        colour(self.status)
    }
}

/// The colour of a status. Red is work that failed in the background: answers are complete meanwhile, and it is tried
/// again. Grey is work that the settings of the collection keep the background from.
pub(crate) fn colour(status: Status) -> &'static str {
    match status {
        Status::Ready => "green",
        Status::Optimizing => "yellow",
        Status::Waiting => "grey",
        Status::Failing => "red",
    }
}

pub(super) fn describe(
    collection: &Collection,
    settings: &CollectionSettings,
    control: &Control<'_>,
) -> Result<CollectionDescription> {
    let info = collection.info()?;
    let mut payload_schema = BTreeMap::new();
    for (path, params) in &info.payload_indexes {
        let description = IndexDescription {
            data_type: params.kind.name().to_owned(),
            params: params.options.as_ref().map(|_| params.to_json()),
            points: collection.points_with(path, control)?,
            engine: params.clone(),
        };
        payload_schema.insert(path.clone(), description);
    }
    Ok(CollectionDescription {
        status: info.status,
        failure: info.last_failure,
        warnings: Vec::new(),
        indexed_vectors_count: info.indexed_vectors,
        points_count: info.points,
        // What is in memory is a segment, too.
        segments_count: info.segments.len() as u64 + 1,
        config: ConfigDescription::of(settings),
        payload_schema,
    })
}
