//! What a collection of ours is like, as the client's models say it.

use vdb::{
    CollectionConfig, Distance, Element, HnswParams, Modifier, Quantization, SparseVectorParams, VectorParams,
};

use super::models::{Field, Model};

/// Settings of a vector that no model of the client can say, each with its name.
pub fn unkept(config: &CollectionConfig) -> Vec<String> {
    let mut unkept = Vec::new();
    for (name, params) in &config.vectors {
        if matches!(
            params.hnsw.quantization,
            Quantization::Off | Quantization::Int4 | Quantization::Int2
        ) {
            let codes = params.hnsw.quantization;
            unkept.push(format!(
                "vector {name:?}: the quantization {codes:?} is not in the backup"
            ));
        }
    }
    unkept
}

/// The collection as `get_collection` of the local mode tells it.
pub(super) fn info(config: &CollectionConfig, points: u64) -> Model {
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
            ("payload_schema", Field::Models(Vec::new())),
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
    let optimizer = [
        ("deleted_threshold", Field::Float(0.2)),
        ("vacuum_min_vector_number", Field::Number(1000)),
        ("default_segment_number", Field::Number(0)),
        ("max_segment_size", Field::None),
        ("memmap_threshold", Field::None),
        ("indexing_threshold", Field::Number(20_000)),
        ("flush_interval_sec", Field::Number(5)),
        ("max_optimization_threads", Field::Number(1)),
        ("prevent_unoptimized", Field::None),
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
                Field::Model(Model::new("OptimizersConfig", optimizer.into())),
            ),
            ("wal_config", Field::Model(Model::new("WalConfig", wal.into()))),
            ("quantization_config", Field::None),
            ("strict_mode_config", Field::None),
            ("metadata", Field::None),
        ],
    )
}

fn params(config: &CollectionConfig) -> Model {
    let vectors = match config.vectors.as_slice() {
        [(name, one)] if name.is_empty() => Field::Model(vector(one)),
        named => Field::Models(
            named
                .iter()
                .map(|(name, one)| (name.clone(), vector(one)))
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

fn vector(params: &VectorParams) -> Model {
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
            ("hnsw_config", graph(&params.hnsw)),
            ("quantization_config", quantization(params.hnsw.quantization)),
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

/// What differs from a graph of which nobody said anything.
fn graph(hnsw: &HnswParams) -> Field {
    let usual = HnswParams::default();
    let said = |value: u16, usual: u16| {
        if value == usual {
            Field::None
        } else {
            Field::Number(value.into())
        }
    };
    if (hnsw.m, hnsw.ef_construct) == (usual.m, usual.ef_construct) {
        return Field::None;
    }
    Field::Model(Model::new(
        "HnswConfigDiff",
        vec![
            ("m", said(hnsw.m, usual.m)),
            ("ef_construct", said(hnsw.ef_construct, usual.ef_construct)),
            ("full_scan_threshold", Field::None),
            ("max_indexing_threads", Field::None),
            ("on_disk", Field::None),
            ("memory", Field::None),
            ("payload_m", Field::None),
            ("inline_storage", Field::None),
        ],
    ))
}

fn quantization(codes: Quantization) -> Field {
    match codes {
        Quantization::Int8 => {
            let config = vec![
                ("type", Field::Member("ScalarType", "int8")),
                ("quantile", Field::None),
                ("always_ram", Field::None),
                ("memory", Field::None),
            ];
            let config = Field::Model(Model::new("ScalarQuantizationConfig", config));
            Field::Model(Model::new("ScalarQuantization", vec![("scalar", config)]))
        }
        Quantization::Binary => {
            let config = vec![
                ("always_ram", Field::None),
                ("memory", Field::None),
                ("encoding", Field::None),
                ("query_encoding", Field::None),
            ];
            let config = Field::Model(Model::new("BinaryQuantizationConfig", config));
            Field::Model(Model::new("BinaryQuantization", vec![("binary", config)]))
        }
        Quantization::Auto | Quantization::Off | Quantization::Int4 | Quantization::Int2 => Field::None,
    }
}
