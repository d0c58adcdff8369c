//! What the engine makes of settings.

use std::collections::BTreeMap;

use vdb::{
    CollectionConfig, Element, HnswParams, MultiVectorComparator, OptimizerConfig, Quantization,
    SparseVectorParams, VectorParams,
};

use super::super::error::{Result, ServiceError};
use super::CollectionSettings;
use super::quantization::{BinaryEncoding, CompressionRatio, QuantizationSettings, TurboBits};
use super::tuning::HnswSettings;
use super::vectors::{
    Comparator, Datatype, Modifier, MultivectorSettings, SparseIndexSettings, SparseVectorSettings,
    VectorSettings, VectorsSettings,
};

/// Bytes of a number of a vector where thresholds are in kilobytes.
const NUMBER: u64 = 4;

impl CollectionSettings {
    /// The configuration of the engine that they ask for.
    ///
    /// # Errors
    /// When they ask for what the engine does not have.
    pub fn to_config(&self) -> Result<CollectionConfig> {
        let mut config = CollectionConfig::default();
        for (name, vector) in &self.vectors.0 {
            config = config.vector(name.as_str(), self.vector(name, vector)?);
        }
        for (name, sparse) in self.sparse_vectors.iter().flatten() {
            config
                .sparse_vectors
                .push((name.clone(), sparse_params(name, sparse)?));
        }
        Ok(config.optimizer(self.optimizer()))
    }

    fn vector(&self, name: &str, vector: &VectorSettings) -> Result<VectorParams> {
        let element = element(name, vector.datatype)?;
        let size = usize::try_from(vector.size).unwrap_or(usize::MAX);
        let mut hnsw = self.hnsw_config.clone().unwrap_or_default();
        hnsw.overlay(vector.hnsw_config.as_ref().unwrap_or(&HnswSettings::default()));
        let quantization = vector
            .quantization_config
            .as_ref()
            .or(self.quantization_config.as_ref());
        let params = VectorParams::new(size, vector.distance.into())
            .element(element)
            .hnsw(graph(&hnsw, quantization));
        Ok(match vector.multivector_config {
            None => params,
            Some(MultivectorSettings {
                comparator: Comparator::MaxSim,
            }) => params.multivector(MultiVectorComparator::MaxSim),
        })
    }

    fn optimizer(&self) -> OptimizerConfig {
        let mut optimizer = OptimizerConfig::default();
        let Some(given) = &self.optimizers_config else {
            return optimizer;
        };
        // Kilobytes are of the widest vector: it gets its graph when it should, smaller ones a little early.
        let row = self
            .vectors
            .0
            .values()
            .map(|vector| vector.size)
            .max()
            .unwrap_or(1)
            .max(1)
            * NUMBER;
        let rows = |kilobytes: u64| u32::try_from(kilobytes.saturating_mul(1024) / row).unwrap_or(u32::MAX);
        if let Some(share) = given.deleted_threshold {
            optimizer.deleted_share = share as f32;
        }
        match given.indexing_threshold {
            None => {}
            Some(0) => optimizer.index_min_rows = u32::MAX,
            Some(kilobytes) => optimizer.index_min_rows = rows(kilobytes).max(1),
        }
        if let Some(kilobytes) = given.max_segment_size {
            optimizer.max_segment_rows = rows(kilobytes).max(1);
        }
        optimizer
    }

    /// The settings that ask for a configuration of the engine, for collections that were made without any.
    pub fn of_config(config: &CollectionConfig) -> Self {
        let vectors = config.vectors.iter().map(|(name, params)| {
            let mut vector = VectorSettings::new(params.size as u64, params.distance.into());
            vector.datatype = Datatype::of(params.element);
            vector.multivector_config = params.multivector.map(|comparator| match comparator {
                MultiVectorComparator::MaxSim => MultivectorSettings {
                    comparator: Comparator::MaxSim,
                },
            });
            (name.clone(), vector)
        });
        let sparse = config.sparse_vectors.iter().map(|(name, params)| {
            let index = Datatype::of(params.element).map(|datatype| SparseIndexSettings {
                datatype: Some(datatype),
                ..SparseIndexSettings::default()
            });
            let modifier = match params.modifier {
                vdb::Modifier::None => None,
                vdb::Modifier::Idf => Some(Modifier::Idf),
            };
            (name.clone(), SparseVectorSettings { index, modifier })
        });
        let sparse: BTreeMap<_, _> = sparse.collect();
        CollectionSettings {
            vectors: VectorsSettings(vectors.collect()),
            sparse_vectors: (!sparse.is_empty()).then_some(sparse),
            ..CollectionSettings::default()
        }
    }
}

fn element(name: &str, datatype: Option<Datatype>) -> Result<Element> {
    datatype.unwrap_or(Datatype::Float32).element().ok_or_else(|| {
        ServiceError::bad_input(format!("datatype turbo4 of vector {name:?} is not supported"))
    })
}

fn sparse_params(name: &str, sparse: &SparseVectorSettings) -> Result<SparseVectorParams> {
    let datatype = sparse.index.as_ref().and_then(|index| index.datatype);
    let params = SparseVectorParams::new().element(element(name, datatype)?);
    Ok(match sparse.modifier {
        None | Some(Modifier::None) => params,
        Some(Modifier::Idf) => params.modifier(vdb::Modifier::Idf),
    })
}

fn graph(hnsw: &HnswSettings, quantization: Option<&QuantizationSettings>) -> HnswParams {
    let mut params = HnswParams::default();
    if let Some(m) = hnsw.m.filter(|&m| m > 0) {
        params.m = u16::try_from(m.clamp(2, 256)).unwrap_or(params.m);
    }
    if let Some(ef) = hnsw.ef_construct {
        params.ef_construct = u16::try_from(ef.clamp(1, 65_535)).unwrap_or(params.ef_construct);
    }
    if let Some(quantization) = quantization {
        params.quantization = codes(quantization);
    }
    params
}

/// The engine's codes nearest in size to those asked for.
fn codes(quantization: &QuantizationSettings) -> Quantization {
    match quantization {
        QuantizationSettings::Scalar(_) => Quantization::Int8,
        QuantizationSettings::Product(product) => match product.compression {
            CompressionRatio::X4 => Quantization::Int8,
            CompressionRatio::X8 => Quantization::Int4,
            CompressionRatio::X16 => Quantization::Int2,
            CompressionRatio::X32 | CompressionRatio::X64 => Quantization::Binary,
        },
        QuantizationSettings::Binary(binary) => match binary.encoding {
            None | Some(BinaryEncoding::OneBit) => Quantization::Binary,
            Some(BinaryEncoding::TwoBits | BinaryEncoding::OneAndHalfBits) => Quantization::Int2,
        },
        QuantizationSettings::Turbo(turbo) => match turbo.bits {
            Some(TurboBits::Bits1) => Quantization::Binary,
            Some(TurboBits::Bits1And5 | TurboBits::Bits2) => Quantization::Int2,
            Some(TurboBits::Bits4) | None => Quantization::Int4,
        },
    }
}
