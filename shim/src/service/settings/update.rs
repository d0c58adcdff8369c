//! A change to the settings of a collection.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::error::{Problems, Result, ServiceError};
use super::quantization::QuantizationSettings;
use super::tuning::{HnswSettings, Memory, OptimizerSettings, PayloadStorage};
use super::vectors::SparseVectorSettings;
use super::{CollectionSettings, check_strict_mode};

/// Another quantisation, or none.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantizationUpdate {
    /// None any more; on the wire the text `Disabled`.
    Disabled,
    /// This one.
    Set(QuantizationSettings),
}

impl<'de> Deserialize<'de> for QuantizationUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value == "Disabled" {
            return Ok(QuantizationUpdate::Disabled);
        }
        serde_json::from_value(value)
            .map(QuantizationUpdate::Set)
            .map_err(de::Error::custom)
    }
}

/// What changes of a dense vector.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct VectorUpdate {
    /// Parameters of its graph.
    #[serde(default)]
    pub hnsw_config: Option<HnswSettings>,
    /// Its quantisation.
    #[serde(default, alias = "quantization")]
    pub quantization_config: Option<QuantizationUpdate>,
    /// Whether it stays on disk.
    #[serde(default)]
    pub on_disk: Option<bool>,
    /// Where it had best be.
    #[serde(default)]
    pub memory: Option<Memory>,
}

/// The wire has no form for 0 here.
fn nonzero<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u32>, D::Error> {
    let number = Option::<NonZeroU32>::deserialize(deserializer)?;
    Ok(number.map(NonZeroU32::get))
}

/// What changes of the parameters of a collection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParamsUpdate {
    /// Copies of each shard.
    #[serde(default, deserialize_with = "nonzero")]
    pub replication_factor: Option<u32>,
    /// Copies that must have a write.
    #[serde(default, deserialize_with = "nonzero")]
    pub write_consistency_factor: Option<u32>,
    /// More copies that are asked by reads.
    #[serde(default)]
    pub read_fan_out_factor: Option<u32>,
    /// When they are asked.
    #[serde(default)]
    pub read_fan_out_delay_ms: Option<u64>,
    /// Whether payloads stay on disk.
    #[serde(default)]
    pub on_disk_payload: Option<bool>,
    /// Where payloads had best be.
    #[serde(default)]
    pub payload: Option<PayloadStorage>,
}

/// A change to the settings of a collection. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct SettingsUpdate {
    /// Dense vectors by name.
    #[serde(default)]
    pub vectors: Option<BTreeMap<String, VectorUpdate>>,
    /// Sparse vectors by name.
    #[serde(default)]
    pub sparse_vectors: Option<BTreeMap<String, SparseVectorSettings>>,
    /// When segments are indexed and merged.
    #[serde(default, alias = "optimizer_config")]
    pub optimizers_config: Option<OptimizerSettings>,
    /// Parameters of the collection.
    #[serde(default)]
    pub params: Option<ParamsUpdate>,
    /// Parameters of graphs.
    #[serde(default)]
    pub hnsw_config: Option<HnswSettings>,
    /// What walks read of each vector.
    #[serde(default, alias = "quantization")]
    pub quantization_config: Option<QuantizationUpdate>,
    /// Limits on what may be asked for, in the shape of REST; merged at the top level.
    #[serde(default)]
    pub strict_mode_config: Option<Map<String, Value>>,
    /// Merged at the top level; a null removes its key.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

impl SettingsUpdate {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// Of the kind [`Validation`](crate::service::ErrorKind::Validation), with all that is wrong.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Problems::new();
        for (name, vector) in self.vectors.iter().flatten() {
            if let Some(hnsw) = &vector.hnsw_config {
                hnsw.check(&format!("vectors.{name}.hnsw_config"), &mut problems);
            }
            if let Some(QuantizationUpdate::Set(quantization)) = &vector.quantization_config {
                quantization.check(&format!("vectors.{name}.quantization_config"), &mut problems);
            }
            if vector.memory == Some(Memory::Pinned) {
                problems.add(
                    format_args!("vectors.{name}.memory"),
                    "pinned is not supported here",
                );
            }
        }
        if let Some(optimizers) = &self.optimizers_config {
            optimizers.check("optimizers_config", &mut problems);
        }
        if let Some(params) = &self.params {
            problems.at_least("params.replication_factor", params.replication_factor, 1);
            let factor = params.write_consistency_factor;
            problems.at_least("params.write_consistency_factor", factor, 1);
            if let Some(payload) = &params.payload {
                payload.check("params.payload", &mut problems);
            }
        }
        if let Some(hnsw) = &self.hnsw_config {
            hnsw.check("hnsw_config", &mut problems);
        }
        if let Some(QuantizationUpdate::Set(quantization)) = &self.quantization_config {
            quantization.check("quantization_config", &mut problems);
        }
        if let Some(strict) = &self.strict_mode_config {
            check_strict_mode(strict, &mut problems);
        }
        problems.finish()
    }

    /// What settings are with this change.
    ///
    /// # Errors
    /// When it names a vector that is not there.
    pub fn apply(&self, settings: &mut CollectionSettings) -> Result<()> {
        let unknown = |name: &str| ServiceError::bad_input(format!("Not existing vector name error: {name}"));
        for (name, update) in self.vectors.iter().flatten() {
            let vector = settings.vectors.0.get_mut(name).ok_or_else(|| unknown(name))?;
            overlay_hnsw(&mut vector.hnsw_config, update.hnsw_config.as_ref());
            overlay_quantization(
                &mut vector.quantization_config,
                update.quantization_config.as_ref(),
            );
            vector.on_disk = update.on_disk.or(vector.on_disk);
            vector.memory = update.memory.or(vector.memory);
        }
        for (name, update) in self.sparse_vectors.iter().flatten() {
            let known = settings.sparse_vectors.as_mut();
            let vector = known
                .and_then(|vectors| vectors.get_mut(name))
                .ok_or_else(|| unknown(name))?;
            vector.modifier = update.modifier.or(vector.modifier);
            if let Some(newer) = &update.index {
                let index = vector.index.get_or_insert_default();
                index.full_scan_threshold = newer.full_scan_threshold.or(index.full_scan_threshold);
                index.on_disk = newer.on_disk.or(index.on_disk);
                index.memory = newer.memory.or(index.memory);
                index.datatype = newer.datatype.or(index.datatype);
            }
        }
        if let Some(newer) = &self.optimizers_config {
            settings.optimizers_config.get_or_insert_default().overlay(newer);
        }
        if let Some(params) = &self.params {
            settings.replication_factor = params.replication_factor.or(settings.replication_factor);
            settings.write_consistency_factor = params
                .write_consistency_factor
                .or(settings.write_consistency_factor);
            settings.read_fan_out_factor = params.read_fan_out_factor.or(settings.read_fan_out_factor);
            settings.read_fan_out_delay_ms = params.read_fan_out_delay_ms.or(settings.read_fan_out_delay_ms);
            settings.on_disk_payload = params.on_disk_payload.or(settings.on_disk_payload);
            settings.payload = params.payload.or(settings.payload);
        }
        overlay_hnsw(&mut settings.hnsw_config, self.hnsw_config.as_ref());
        overlay_quantization(
            &mut settings.quantization_config,
            self.quantization_config.as_ref(),
        );
        if let Some(newer) = &self.strict_mode_config {
            let strict = settings.strict_mode_config.get_or_insert_default();
            let given = newer.iter().filter(|(_, value)| !value.is_null());
            strict.extend(given.map(|(key, value)| (key.clone(), value.clone())));
        }
        if let Some(newer) = &self.metadata {
            let metadata = settings.metadata.get_or_insert_default();
            for (key, value) in newer {
                if value.is_null() {
                    metadata.shift_remove(key);
                } else {
                    metadata.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(())
    }
}

fn overlay_hnsw(settings: &mut Option<HnswSettings>, newer: Option<&HnswSettings>) {
    if let Some(newer) = newer {
        settings.get_or_insert_default().overlay(newer);
    }
}

fn overlay_quantization(settings: &mut Option<QuantizationSettings>, newer: Option<&QuantizationUpdate>) {
    match newer {
        None => {}
        Some(QuantizationUpdate::Disabled) => *settings = None,
        Some(QuantizationUpdate::Set(newer)) => *settings = Some(newer.clone()),
    }
}
