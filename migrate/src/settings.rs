//! A collection's settings, to be given to another.

use std::collections::HashMap;

use qdrant_client::qdrant as proto;
use vdb_qdrant::service::settings::{HnswSettings, OptimizerSettings};

use crate::options::Options;

/// Kilobytes of vectors from which a segment gets a graph, where the source does not say.
const INDEXING_THRESHOLD: u64 = 10_000;

/// What a new collection is made of, and what it gets once its points are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    config: proto::CollectionConfig,
}

/// Where a collection will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this process, which has one shard and no choice where ids lie.
    Directory,
    /// On a server.
    Server,
}

impl Settings {
    /// Those of a collection, and what of them the target has no place for.
    pub(crate) fn of(info: &proto::CollectionInfo, target: Place) -> (Self, Vec<String>) {
        let mut config = info.config.clone().unwrap_or_default();
        let mut lost = Vec::new();
        if target == Place::Directory {
            leave_out_defaults(&mut config);
        }
        if let (Place::Directory, Some(params)) = (target, &mut config.params) {
            if params.id_tracker.take().is_some() {
                lost.push("id_tracker: a directory has no choice where ids lie".to_owned());
            }
            if params.sharding_method == Some(proto::ShardingMethod::Custom.into()) {
                lost.push(
                    "sharding_method custom: a directory has one shard; shard keys are left out, and requests that name \
                     one are refused"
                        .to_owned(),
                );
            }
        }
        let mut unknown: Vec<&String> = info
            .payload_schema
            .iter()
            .filter_map(|(path, index)| field_type(index.data_type).is_none().then_some(path))
            .collect();
        unknown.sort_unstable();
        lost.extend(unknown.into_iter().map(|path| {
            format!("the payload path {path} is not indexed: its index is of a kind that this version does not know")
        }));
        (Settings { config }, lost)
    }

    /// Whether points are put into shards by keys that callers name.
    pub(crate) fn has_shard_keys(&self) -> bool {
        let params = self.config.params.as_ref();
        params.and_then(|params| params.sharding_method) == Some(proto::ShardingMethod::Custom.into())
    }

    /// The message that makes the collection. Limits on requests wait until the points are there, and so do graphs if they are
    /// deferred.
    #[expect(deprecated, reason = "collections of older servers have these settings")]
    pub(crate) fn create(&self, name: &str, options: &Options, defer: bool) -> proto::CreateCollection {
        let config = self.config.clone();
        let params = config.params.unwrap_or_default();
        let mut optimizers = config.optimizer_config;
        if let Some(optimizers) = &mut optimizers {
            // The same number twice, for clients that know only the older field.
            if optimizers.max_optimization_threads.is_some() {
                optimizers.deprecated_max_optimization_threads = None;
            }
        }
        if defer {
            optimizers.get_or_insert_default().indexing_threshold = Some(0);
        }
        proto::CreateCollection {
            collection_name: name.to_owned(),
            hnsw_config: config.hnsw_config,
            wal_config: config.wal_config,
            optimizers_config: optimizers,
            shard_number: options
                .shards
                .or((params.shard_number > 0).then_some(params.shard_number)),
            // Where payloads had best be is told in one way or the other.
            on_disk_payload: params.payload.is_none().then_some(params.on_disk_payload),
            timeout: None,
            vectors_config: params.vectors_config.filter(|config| config.config.is_some()),
            replication_factor: options.replicas.or(params.replication_factor),
            write_consistency_factor: options.write_consistency.or(params.write_consistency_factor),
            quantization_config: config.quantization_config,
            sharding_method: params.sharding_method,
            sparse_vectors_config: params.sparse_vectors_config,
            strict_mode_config: None,
            metadata: config.metadata,
            payload: params.payload,
            id_tracker: params.id_tracker,
        }
    }

    /// What is set once the points are there; nothing if there is nothing.
    pub(crate) fn finish(&self, name: &str, deferred: bool) -> Option<proto::UpdateCollection> {
        let optimizers = self.config.optimizer_config.as_ref();
        let threshold = optimizers.and_then(|optimizers| optimizers.indexing_threshold);
        let optimizers = deferred.then(|| proto::OptimizersConfigDiff {
            indexing_threshold: Some(threshold.unwrap_or(INDEXING_THRESHOLD)),
            ..proto::OptimizersConfigDiff::default()
        });
        let params = self.config.params.as_ref();
        // These are no part of the message that creates.
        let fan_out = params
            .filter(|params| params.read_fan_out_factor.is_some() || params.read_fan_out_delay_ms.is_some());
        let params = fan_out.map(|params| proto::CollectionParamsDiff {
            read_fan_out_factor: params.read_fan_out_factor,
            read_fan_out_delay_ms: params.read_fan_out_delay_ms,
            ..proto::CollectionParamsDiff::default()
        });
        let strict_mode_config = self.config.strict_mode_config.clone();
        if optimizers.is_none() && strict_mode_config.is_none() && params.is_none() {
            return None;
        }
        Some(proto::UpdateCollection {
            collection_name: name.to_owned(),
            optimizers_config: optimizers,
            timeout: None,
            params,
            hnsw_config: None,
            vectors_config: None,
            quantization_config: None,
            sparse_vectors_config: None,
            strict_mode_config,
            metadata: HashMap::new(),
        })
    }

    /// Most points that a page, and a write, may have by the limits that the collection has set.
    pub(crate) fn limits(&self) -> (Option<u32>, Option<u64>) {
        let strict = self.config.strict_mode_config.as_ref();
        let strict = strict.filter(|strict| strict.enabled == Some(true));
        (
            strict.and_then(|strict| strict.max_query_limit),
            strict.and_then(|strict| strict.upsert_max_batchsize),
        )
    }
}

/// Takes out what a server tells of its own accord: nobody can tell it from what was asked for, and in a directory it would
/// take the place of the engine's own defaults, which are others. What single vectors say was asked for.
fn leave_out_defaults(config: &mut proto::CollectionConfig) {
    fn unless<T: PartialEq>(told: &mut Option<T>, default: T) {
        told.take_if(|told| *told == default);
    }
    if let Some(hnsw) = &mut config.hnsw_config {
        let default = HnswSettings::default().resolved();
        unless(&mut hnsw.m, default.m);
        unless(&mut hnsw.ef_construct, default.ef_construct);
        unless(&mut hnsw.full_scan_threshold, default.full_scan_threshold);
        unless(&mut hnsw.max_indexing_threads, default.max_indexing_threads);
    }
    if let Some(optimizers) = &mut config.optimizer_config {
        let default = OptimizerSettings::default().resolved();
        unless(&mut optimizers.deleted_threshold, default.deleted_threshold);
        unless(
            &mut optimizers.vacuum_min_vector_number,
            default.vacuum_min_vector_number,
        );
        unless(
            &mut optimizers.default_segment_number,
            default.default_segment_number,
        );
        unless(&mut optimizers.indexing_threshold, default.indexing_threshold);
        unless(&mut optimizers.flush_interval_sec, default.flush_interval_sec);
    }
}

/// The messages that index the payload paths of a collection, by path, those left out whose kinds are not known.
pub(crate) fn indexes(info: &proto::CollectionInfo, name: &str) -> Vec<proto::CreateFieldIndexCollection> {
    let mut all: Vec<_> = info.payload_schema.iter().collect();
    all.sort_unstable_by_key(|(path, _)| *path);
    let message = |(path, index): (&String, &proto::PayloadSchemaInfo)| {
        let kind = field_type(index.data_type)?;
        Some(proto::CreateFieldIndexCollection {
            collection_name: name.to_owned(),
            wait: Some(true),
            field_name: path.clone(),
            field_type: Some(kind.into()),
            field_index_params: index.params.clone(),
            ordering: None,
            timeout: None,
        })
    };
    all.into_iter().filter_map(message).collect()
}

/// What an index is called when it is made, by what it is called when it is told.
fn field_type(code: i32) -> Option<proto::FieldType> {
    use proto::PayloadSchemaType as Told;
    Some(match Told::try_from(code).ok()? {
        Told::UnknownType => return None,
        Told::Keyword => proto::FieldType::Keyword,
        Told::Integer => proto::FieldType::Integer,
        Told::Float => proto::FieldType::Float,
        Told::Geo => proto::FieldType::Geo,
        Told::Text => proto::FieldType::Text,
        Told::Bool => proto::FieldType::Bool,
        Told::Datetime => proto::FieldType::Datetime,
        Told::Uuid => proto::FieldType::Uuid,
    })
}

#[cfg(test)]
mod tests;
