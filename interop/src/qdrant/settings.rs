//! When a collection is merged and what its requests are held to, both ways: the client's `OptimizersConfig` and strict mode.

use serde_json::{Map, Value as Json};
use vdb::{OptimizerConfig, OptimizerUpdate, StrictMode};

use super::models::{Field, Model, short};

type Fields = Map<String, Json>;

/// What the local mode makes up where nothing was said. A backup that says the same says nothing.
const VACUUM_MIN_VECTORS: u32 = 1000;
const SEGMENTS: u32 = 0;
const INDEXING_THRESHOLD: u64 = 20_000;
const FLUSH_SECONDS: u64 = 5;
const THREADS: u32 = 1;

/// Limits of strict mode in the order of the client's class.
const STRICT: [&str; 21] = [
    "enabled",
    "max_query_limit",
    "max_timeout",
    "unindexed_filtering_retrieve",
    "unindexed_filtering_update",
    "search_max_hnsw_ef",
    "search_allow_exact",
    "search_max_oversampling",
    "upsert_max_batchsize",
    "search_max_batchsize",
    "max_collection_vector_size_bytes",
    "read_rate_limit",
    "write_rate_limit",
    "max_collection_payload_size_bytes",
    "max_points_count",
    "filter_max_conditions",
    "condition_max_size",
    MULTI,
    SPARSE,
    "max_payload_index_count",
    "max_resident_memory_percent",
];
const MULTI: &str = "multivector_config";
const SPARSE: &str = "sparse_config";

/// The client's `OptimizersConfig`.
pub(super) fn optimizer(config: &OptimizerConfig) -> Model {
    let usual = OptimizerConfig::default();
    let vacuum = if config.vacuum_min_rows == usual.vacuum_min_rows {
        VACUUM_MIN_VECTORS
    } else {
        config.vacuum_min_rows
    };
    let threads = config.max_optimization_threads.unwrap_or(THREADS);
    let segments = config.default_segment_number.unwrap_or(SEGMENTS);
    Model::new(
        "OptimizersConfig",
        vec![
            ("deleted_threshold", Field::Float(short(config.deleted_share))),
            ("vacuum_min_vector_number", Field::Number(vacuum.into())),
            ("default_segment_number", Field::Number(segments.into())),
            (
                "max_segment_size",
                config.max_segment_size.map_or(Field::None, Field::Number),
            ),
            ("memmap_threshold", Field::None),
            (
                "indexing_threshold",
                Field::Number(config.indexing_threshold.unwrap_or(INDEXING_THRESHOLD)),
            ),
            (
                "flush_interval_sec",
                Field::Number(config.flush_interval_sec.unwrap_or(FLUSH_SECONDS)),
            ),
            ("max_optimization_threads", Field::Number(threads.into())),
            (
                "prevent_unoptimized",
                config.prevent_unoptimized.map_or(Field::None, Field::Bool),
            ),
        ],
    )
}

/// Settings of merging that a backup cannot say: the client has no name for them, or they are what it makes up itself.
pub(super) fn unsaid(config: &OptimizerConfig) -> Vec<&'static str> {
    let usual = OptimizerConfig::default();
    let settings = [
        ("index_min_rows", config.index_min_rows != usual.index_min_rows),
        (
            "max_segment_rows",
            config.max_segment_rows != usual.max_segment_rows,
        ),
        ("merge_fan_in", config.merge_fan_in != usual.merge_fan_in),
        (
            "vacuum_min_vector_number",
            config.vacuum_min_rows == VACUUM_MIN_VECTORS,
        ),
        (
            "default_segment_number",
            config.default_segment_number == Some(SEGMENTS),
        ),
        (
            "indexing_threshold",
            config.indexing_threshold == Some(INDEXING_THRESHOLD),
        ),
        (
            "flush_interval_sec",
            config.flush_interval_sec == Some(FLUSH_SECONDS),
        ),
        (
            "max_optimization_threads",
            config.max_optimization_threads == Some(THREADS),
        ),
    ];
    settings
        .into_iter()
        .filter_map(|(name, is_said)| is_said.then_some(name))
        .collect()
}

/// What was said of merging. `fields` are without nulls.
pub(super) fn read_optimizer(fields: Fields) -> Result<OptimizerConfig, String> {
    let said = OptimizerUpdate::from_json(&fields.into()).map_err(|error| error.to_string())?;
    let usual = OptimizerConfig::default();
    Ok(OptimizerConfig {
        index_min_rows: said.index_min_rows.unwrap_or(usual.index_min_rows),
        indexing_threshold: said.indexing_threshold,
        max_segment_rows: said.max_segment_rows.unwrap_or(usual.max_segment_rows),
        max_segment_size: said.max_segment_size,
        deleted_share: said.deleted_share.unwrap_or(usual.deleted_share),
        vacuum_min_rows: said.vacuum_min_rows.unwrap_or(usual.vacuum_min_rows),
        merge_fan_in: said.merge_fan_in.unwrap_or(usual.merge_fan_in),
        max_optimization_threads: said.max_optimization_threads.flatten(),
        default_segment_number: said.default_segment_number,
        flush_interval_sec: said.flush_interval_sec,
        prevent_unoptimized: said.prevent_unoptimized,
    })
}

/// The client's `StrictModeConfigOutput`, which clients have since strict mode came.
pub(super) fn strict_mode(strict: &StrictMode) -> Model {
    let said = strict.to_json();
    let field = |name: &'static str| {
        let field = match (name, said.get(name)) {
            (MULTI, Some(Json::Object(named))) => {
                Field::Models(limits(named, "StrictModeMultivectorOutput", "max_vectors"))
            }
            (SPARSE, Some(Json::Object(named))) => {
                Field::Models(limits(named, "StrictModeSparseOutput", "max_length"))
            }
            (_, Some(Json::Bool(flag))) => Field::Bool(*flag),
            (_, Some(Json::Number(number))) => match number.as_u64() {
                Some(number) => Field::Number(number),
                None => Field::Float(number.as_f64().unwrap_or_default()),
            },
            (_, Some(Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_)) | None) => Field::None,
        };
        (name, field)
    };
    Model::new("StrictModeConfigOutput", STRICT.map(field).into())
}

/// A limit of each of some vectors.
fn limits(named: &Fields, class: &'static str, key: &'static str) -> Vec<(String, Model)> {
    let one = |(name, of): (&String, &Json)| {
        let limit = of
            .get(key)
            .and_then(Json::as_u64)
            .map_or(Field::None, Field::Number);
        (name.clone(), Model::new(class, vec![(key, limit)]))
    };
    named.iter().map(one).collect()
}
