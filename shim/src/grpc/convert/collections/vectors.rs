//! Dense and sparse vectors.

use std::collections::{BTreeMap, HashMap};

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::{vectors_config, vectors_config_diff};

use super::super::rejection::{Rejection, Result, Within, required, variant};
use super::{quantization, tuning};
use crate::service::NamedVectorSettings;
use crate::service::settings::{
    Comparator, Datatype, DistanceName, Modifier, MultivectorSettings, SparseIndexSettings,
    SparseVectorSettings, VectorSettings, VectorUpdate, VectorsSettings,
};

/// Dense vectors by name, the only one without a name as `""`.
pub(in crate::grpc) fn dense(message: Option<proto::VectorsConfig>) -> Result<VectorsSettings> {
    use vectors_config::Config;
    let map = match message.and_then(|message| message.config) {
        None => BTreeMap::new(),
        Some(Config::Params(params)) => BTreeMap::from([(String::new(), vector(params).within("params")?)]),
        Some(Config::ParamsMap(map)) => named(map.map, vector)?,
    };
    Ok(VectorsSettings(map))
}

fn named<P, T>(map: HashMap<String, P>, read: impl Fn(P) -> Result<T>) -> Result<BTreeMap<String, T>> {
    let one = |(name, message)| {
        let settings = read(message).within(format_args!("map[{name:?}]"))?;
        Ok((name, settings))
    };
    map.into_iter().map(one).collect()
}

#[expect(deprecated, reason = "clients still send `on_disk`")]
fn vector(message: proto::VectorParams) -> Result<VectorSettings> {
    let proto::VectorParams {
        size,
        distance,
        hnsw_config,
        quantization_config,
        on_disk,
        datatype,
        multivector_config,
        memory,
    } = message;
    let quantization = quantization_config.map(quantization::read).transpose();
    Ok(VectorSettings {
        size,
        distance: self::distance(distance)?,
        hnsw_config: hnsw_config.map(tuning::hnsw).transpose().within("hnsw_config")?,
        quantization_config: quantization.within("quantization_config")?.flatten(),
        on_disk,
        memory: tuning::memory(memory)?,
        datatype: self::datatype(datatype)?,
        multivector_config: multivector_config.map(multivector).transpose()?,
    })
}

fn distance(code: i32) -> Result<DistanceName> {
    Ok(match variant("distance", code)? {
        proto::Distance::UnknownDistance => return Err(Rejection::invalid("distance", "is required")),
        proto::Distance::Cosine => DistanceName::Cosine,
        proto::Distance::Euclid => DistanceName::Euclid,
        proto::Distance::Dot => DistanceName::Dot,
        proto::Distance::Manhattan => DistanceName::Manhattan,
    })
}

fn datatype(code: Option<i32>) -> Result<Option<Datatype>> {
    let Some(code) = code else { return Ok(None) };
    Ok(match variant("datatype", code)? {
        proto::Datatype::Default => None,
        proto::Datatype::Float32 => Some(Datatype::Float32),
        proto::Datatype::Uint8 => Some(Datatype::Uint8),
        proto::Datatype::Float16 => Some(Datatype::Float16),
        proto::Datatype::Turbo4 => Some(Datatype::Turbo4),
        proto::Datatype::Turbo8 | proto::Datatype::Turbo16 => {
            return Err(Rejection::unimplemented(
                "datatype",
                "there are float32, float16 and uint8; quantization makes codes of fewer bits",
            ));
        }
    })
}

fn multivector(message: proto::MultiVectorConfig) -> Result<MultivectorSettings> {
    let proto::MultiVectorComparator::MaxSim = variant("multivector_config.comparator", message.comparator)?;
    Ok(MultivectorSettings {
        comparator: Comparator::MaxSim,
    })
}

/// Sparse vectors by name.
pub(in crate::grpc) fn sparse(
    message: proto::SparseVectorConfig,
) -> Result<BTreeMap<String, SparseVectorSettings>> {
    named(message.map, |params: proto::SparseVectorParams| {
        Ok(SparseVectorSettings {
            index: params.index.map(sparse_index).transpose().within("index")?,
            modifier: modifier(params.modifier)?,
        })
    })
}

#[expect(deprecated, reason = "clients still send `on_disk`")]
fn sparse_index(message: proto::SparseIndexConfig) -> Result<SparseIndexSettings> {
    let proto::SparseIndexConfig {
        full_scan_threshold,
        on_disk,
        datatype,
        memory,
    } = message;
    Ok(SparseIndexSettings {
        full_scan_threshold,
        on_disk,
        memory: tuning::memory(memory)?,
        datatype: self::datatype(datatype)?,
    })
}

fn modifier(code: Option<i32>) -> Result<Option<Modifier>> {
    let Some(code) = code else { return Ok(None) };
    Ok(Some(match variant("modifier", code)? {
        proto::Modifier::None => Modifier::None,
        proto::Modifier::Idf => Modifier::Idf,
    }))
}

/// What changes of dense vectors.
pub(in crate::grpc) fn diff(message: proto::VectorsConfigDiff) -> Result<BTreeMap<String, VectorUpdate>> {
    use vectors_config_diff::Config;
    match required("config", message.config)? {
        Config::Params(params) => Ok(BTreeMap::from([(
            String::new(),
            vector_diff(params).within("params")?,
        )])),
        Config::ParamsMap(map) => named(map.map, vector_diff),
    }
}

#[expect(deprecated, reason = "clients still send `on_disk`")]
fn vector_diff(message: proto::VectorParamsDiff) -> Result<VectorUpdate> {
    let proto::VectorParamsDiff {
        hnsw_config,
        quantization_config,
        on_disk,
        memory,
    } = message;
    let quantization = quantization_config.map(quantization::diff).transpose();
    Ok(VectorUpdate {
        hnsw_config: hnsw_config.map(tuning::hnsw).transpose().within("hnsw_config")?,
        quantization_config: quantization.within("quantization_config")?.flatten(),
        on_disk,
        memory: tuning::memory(memory)?,
    })
}

/// A vector that is added to a collection, as it is asked for.
pub(in crate::grpc) fn added(
    message: Option<proto::create_vector_name_request::VectorConfig>,
) -> Result<NamedVectorSettings> {
    use proto::create_vector_name_request::VectorConfig;
    match required("vector_config", message)? {
        VectorConfig::DenseConfig(config) => {
            let multivector = config.multivector_config.map(multivector).transpose();
            Ok(NamedVectorSettings::Dense(VectorSettings {
                datatype: datatype(config.datatype).within("dense_config")?,
                multivector_config: multivector.within("dense_config")?,
                ..VectorSettings::new(config.size, distance(config.distance).within("dense_config")?)
            }))
        }
        VectorConfig::SparseConfig(config) => {
            let datatype = datatype(config.datatype).within("sparse_config")?;
            let index = datatype.map(|datatype| SparseIndexSettings {
                datatype: Some(datatype),
                ..SparseIndexSettings::default()
            });
            Ok(NamedVectorSettings::Sparse(SparseVectorSettings {
                index,
                modifier: modifier(config.modifier).within("sparse_config")?,
            }))
        }
    }
}

/// The message of dense vectors: the parameters of the only one where it has no name, else a map.
pub(super) fn dense_to_proto(settings: VectorsSettings) -> proto::VectorsConfig {
    use vectors_config::Config;
    let VectorsSettings(mut map) = settings;
    let config = match map.remove("") {
        Some(only) if map.is_empty() => Config::Params(vector_to_proto(only)),
        unnamed => {
            let unnamed = unnamed.map(|settings| (String::new(), settings));
            let all = unnamed.into_iter().chain(map);
            Config::ParamsMap(proto::VectorParamsMap {
                map: all
                    .map(|(name, settings)| (name, vector_to_proto(settings)))
                    .collect(),
            })
        }
    };
    proto::VectorsConfig { config: Some(config) }
}

#[expect(deprecated, reason = "it is told as it was sent")]
fn vector_to_proto(settings: VectorSettings) -> proto::VectorParams {
    let distance = match settings.distance {
        DistanceName::Cosine => proto::Distance::Cosine,
        DistanceName::Euclid => proto::Distance::Euclid,
        DistanceName::Dot => proto::Distance::Dot,
        DistanceName::Manhattan => proto::Distance::Manhattan,
    };
    proto::VectorParams {
        size: settings.size,
        distance: distance.into(),
        hnsw_config: settings.hnsw_config.map(tuning::hnsw_to_proto),
        quantization_config: settings.quantization_config.map(quantization::to_proto),
        on_disk: settings.on_disk,
        datatype: settings.datatype.map(datatype_to_proto),
        multivector_config: settings
            .multivector_config
            .map(|config| proto::MultiVectorConfig {
                comparator: match config.comparator {
                    Comparator::MaxSim => proto::MultiVectorComparator::MaxSim.into(),
                },
            }),
        memory: settings.memory.map(tuning::memory_to_proto),
    }
}

fn datatype_to_proto(datatype: Datatype) -> i32 {
    match datatype {
        Datatype::Float32 => proto::Datatype::Float32,
        Datatype::Float16 => proto::Datatype::Float16,
        Datatype::Uint8 => proto::Datatype::Uint8,
        Datatype::Turbo4 => proto::Datatype::Turbo4,
    }
    .into()
}

/// The message of sparse vectors.
#[expect(deprecated, reason = "it is told as it was sent")]
pub(super) fn sparse_to_proto(settings: BTreeMap<String, SparseVectorSettings>) -> proto::SparseVectorConfig {
    let index = |index: SparseIndexSettings| proto::SparseIndexConfig {
        full_scan_threshold: index.full_scan_threshold,
        on_disk: index.on_disk,
        datatype: index.datatype.map(datatype_to_proto),
        memory: index.memory.map(tuning::memory_to_proto),
    };
    let modifier = |modifier| match modifier {
        Modifier::None => proto::Modifier::None.into(),
        Modifier::Idf => proto::Modifier::Idf.into(),
    };
    let one = |(name, settings): (String, SparseVectorSettings)| {
        let params = proto::SparseVectorParams {
            index: settings.index.map(index),
            modifier: settings.modifier.map(modifier),
        };
        (name, params)
    };
    proto::SparseVectorConfig {
        map: settings.into_iter().map(one).collect(),
    }
}
