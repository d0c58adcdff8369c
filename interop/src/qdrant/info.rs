//! What a collection of ours is like, as the client's models say it.

use vdb::{
    CodePlacement, CollectionConfig, Distance, Element, HnswConfig, HnswParams, Modifier, PayloadIndexParams,
    QuantizationConfig, SparseVectorParams, VectorParams,
};

use super::models::{Field, Model, short};
use super::{indexes, settings};

/// Settings, and of payload indexes what no model of every client can say, each with its name.
pub fn unkept(config: &CollectionConfig, indexes: &[(String, PayloadIndexParams)]) -> Vec<String> {
    let mut unkept = Vec::new();
    for (name, params) in &config.vectors {
        let codes = params.quantization.as_ref().or(config.quantization.as_ref());
        match codes {
            Some(codes) if matches!(quantization(Some(codes)), Field::None) => {
                let codes = codes.to_json();
                unkept.push(format!(
                    "vector {name:?}: the quantization {codes} is not in the backup"
                ));
            }
            Some(_) | None => {}
        }
        let hnsw = params.hnsw.or(&config.hnsw);
        let usual = HnswParams::default();
        let own = [
            (
                "ef_refine",
                hnsw.ef_refine.is_some_and(|value| value != usual.ef_refine),
            ),
            ("alpha", hnsw.alpha.is_some_and(|value| value != usual.alpha)),
            ("seed", hnsw.seed.is_some_and(|value| value != usual.seed)),
        ];
        for (setting, _) in own.into_iter().filter(|(_, is_said)| *is_said) {
            unkept.push(format!("vector {name:?}: {setting} is not in the backup"));
        }
    }
    for setting in settings::unsaid(&config.optimizer) {
        unkept.push(format!("{setting} of merging is not in the backup"));
    }
    if config.ttl.is_some() {
        unkept.push("the field by which points end is not in the backup".to_owned());
    }
    unkept.extend(indexes::unsaid(indexes));
    unkept
}

/// The collection as `get_collection` of the local mode tells it.
pub(super) fn info(
    config: &CollectionConfig,
    payload_indexes: &[(String, PayloadIndexParams)],
    points: u64,
) -> Model {
    Model::new(
        "CollectionInfo",
        vec![
            ("status", Field::Member("CollectionStatus", "green")),
            ("optimizer_status", Field::Member("OptimizersStatusOneOf", "ok")),
            ("warnings", Field::None),
            ("indexed_vectors_count", Field::Number(0)),
            ("points_count", Field::Number(points)),
            ("segments_count", Field::Number(1)),
            ("config", Field::Model(collection(config))),
            ("payload_schema", indexes::schema(payload_indexes, points)),
            ("update_queue", Field::None),
            ("created_at", Field::None),
        ],
    )
}

fn collection(config: &CollectionConfig) -> Model {
    let hnsw = [
        ("m", Field::Number(16)),
        ("ef_construct", Field::Number(100)),
        ("full_scan_threshold", Field::Number(10_000)),
        ("max_indexing_threads", Field::Number(0)),
        ("on_disk", Field::None),
        ("memory", Field::None),
        ("payload_m", Field::None),
        ("inline_storage", Field::None),
    ];
    let wal = [
        ("wal_capacity_mb", Field::Number(32)),
        ("wal_segments_ahead", Field::Number(0)),
        ("wal_retain_closed", Field::Number(1)),
    ];
    Model::new(
        "CollectionConfig",
        vec![
            ("params", Field::Model(params(config))),
            ("hnsw_config", Field::Model(Model::new("HnswConfig", hnsw.into()))),
            (
                "optimizer_config",
                Field::Model(settings::optimizer(&config.optimizer)),
            ),
            ("wal_config", Field::Model(Model::new("WalConfig", wal.into()))),
            ("quantization_config", Field::None),
            (
                "strict_mode_config",
                config
                    .strict_mode
                    .as_ref()
                    .map_or(Field::None, |strict| Field::Model(settings::strict_mode(strict))),
            ),
            ("metadata", metadata(config)),
        ],
    )
}

fn metadata(config: &CollectionConfig) -> Field {
    if config.metadata.is_empty() {
        Field::None
    } else {
        Field::Object(config.metadata.clone())
    }
}

fn params(config: &CollectionConfig) -> Model {
    let vectors = match config.vectors.as_slice() {
        [(name, one)] if name.is_empty() => Field::Model(vector(one, config)),
        named => Field::Models(
            named
                .iter()
                .map(|(name, one)| (name.clone(), vector(one, config)))
                .collect(),
        ),
    };
    let sparse = match config.sparse_vectors.as_slice() {
        [] => Field::None,
        named => Field::Models(
            named
                .iter()
                .map(|(name, one)| (name.clone(), sparse(*one)))
                .collect(),
        ),
    };
    Model::new(
        "CollectionParams",
        vec![
            ("vectors", vectors),
            ("shard_number", Field::None),
            ("sharding_method", Field::None),
            ("replication_factor", Field::None),
            ("write_consistency_factor", Field::None),
            ("read_fan_out_factor", Field::None),
            ("read_fan_out_delay_ms", Field::None),
            ("on_disk_payload", Field::None),
            ("payload", Field::None),
            ("id_tracker", Field::None),
            ("sparse_vectors", sparse),
        ],
    )
}

/// A vector with what the collection says for all of them.
fn vector(params: &VectorParams, of: &CollectionConfig) -> Model {
    let distance = match params.distance {
        Distance::Cosine => "Cosine",
        Distance::Dot => "Dot",
        Distance::Euclid => "Euclid",
        Distance::Manhattan => "Manhattan",
    };
    let comparator = params.multivector.map_or(Field::None, |_| {
        let max_sim = vec![("comparator", Field::Member("MultiVectorComparator", "max_sim"))];
        Field::Model(Model::new("MultiVectorConfig", max_sim))
    });
    Model::new(
        "VectorParams",
        vec![
            ("size", Field::Number(params.size as u64)),
            ("distance", Field::Member("Distance", distance)),
            ("hnsw_config", graph(&params.hnsw.or(&of.hnsw))),
            (
                "quantization_config",
                quantization(params.quantization.as_ref().or(of.quantization.as_ref())),
            ),
            ("on_disk", Field::None),
            ("memory", Field::None),
            ("datatype", datatype(params.element)),
            ("multivector_config", comparator),
        ],
    )
}

fn sparse(params: SparseVectorParams) -> Model {
    let index = if params.element == Element::F32 {
        Field::None
    } else {
        let index = vec![
            ("full_scan_threshold", Field::None),
            ("on_disk", Field::None),
            ("memory", Field::None),
            ("datatype", datatype(params.element)),
        ];
        Field::Model(Model::new("SparseIndexParams", index))
    };
    let modifier = match params.modifier {
        Modifier::None => Field::None,
        Modifier::Idf => Field::Member("Modifier", "idf"),
    };
    Model::new(
        "SparseVectorParams",
        vec![("index", index), ("modifier", modifier)],
    )
}

fn datatype(element: Element) -> Field {
    match element {
        Element::F32 => Field::None,
        Element::F16 => Field::Member("Datatype", "float16"),
        Element::U8 => Field::Member("Datatype", "uint8"),
    }
}

/// What was said of a graph.
fn graph(hnsw: &HnswConfig) -> Field {
    let number = |value: Option<u64>| value.map_or(Field::None, Field::Number);
    let said = (
        hnsw.m,
        hnsw.ef_construct,
        hnsw.full_scan_threshold,
        hnsw.payload_m,
    );
    if said == (None, None, None, None) {
        return Field::None;
    }
    Field::Model(Model::new(
        "HnswConfigDiff",
        vec![
            ("m", number(hnsw.m.map(u64::from))),
            ("ef_construct", number(hnsw.ef_construct.map(u64::from))),
            ("full_scan_threshold", number(hnsw.full_scan_threshold)),
            ("max_indexing_threads", Field::None),
            ("on_disk", Field::None),
            ("memory", Field::None),
            ("payload_m", number(hnsw.payload_m.map(u64::from))),
            ("inline_storage", Field::None),
        ],
    ))
}

/// Codes by the names that every version of the client has; nothing for others.
fn quantization(codes: Option<&QuantizationConfig>) -> Field {
    let always_ram = |placement: &CodePlacement| placement.always_ram.map_or(Field::None, Field::Bool);
    let (outer, key, inner, fields) = match codes {
        Some(QuantizationConfig::Scalar { quantile, placement }) => (
            "ScalarQuantization",
            "scalar",
            "ScalarQuantizationConfig",
            vec![
                ("type", Field::Member("ScalarType", "int8")),
                (
                    "quantile",
                    quantile.map_or(Field::None, |share| Field::Float(short(share))),
                ),
                ("always_ram", always_ram(placement)),
                ("memory", Field::None),
            ],
        ),
        Some(QuantizationConfig::Product {
            compression,
            placement,
        }) => (
            "ProductQuantization",
            "product",
            "ProductQuantizationConfig",
            vec![
                (
                    "compression",
                    Field::Member("CompressionRatio", compression.name()),
                ),
                ("always_ram", always_ram(placement)),
                ("memory", Field::None),
            ],
        ),
        Some(QuantizationConfig::Binary {
            encoding: None,
            query_encoding: None,
            placement,
        }) => (
            "BinaryQuantization",
            "binary",
            "BinaryQuantizationConfig",
            vec![
                ("always_ram", always_ram(placement)),
                ("memory", Field::None),
                ("encoding", Field::None),
                ("query_encoding", Field::None),
            ],
        ),
        Some(_) | None => return Field::None,
    };
    Field::Model(Model::new(
        outer,
        vec![(key, Field::Model(Model::new(inner, fields)))],
    ))
}
