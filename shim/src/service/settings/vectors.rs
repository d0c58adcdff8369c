//! Dense and sparse vectors of a collection.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use vdb::{Distance, Element};

use super::super::error::Problems;
use super::quantization::QuantizationSettings;
use super::tuning::{HnswSettings, Memory};

/// A distance by its name on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DistanceName {
    /// Cosine of the angle.
    Cosine,
    /// Euclidean distance.
    Euclid,
    /// Inner product.
    Dot,
    /// Sum of absolute differences.
    Manhattan,
}

impl From<DistanceName> for Distance {
    fn from(name: DistanceName) -> Self {
        match name {
            DistanceName::Cosine => Distance::Cosine,
            DistanceName::Euclid => Distance::Euclid,
            DistanceName::Dot => Distance::Dot,
            DistanceName::Manhattan => Distance::Manhattan,
        }
    }
}

impl From<Distance> for DistanceName {
    fn from(distance: Distance) -> Self {
        match distance {
            Distance::Cosine => DistanceName::Cosine,
            Distance::Euclid => DistanceName::Euclid,
            Distance::Dot => DistanceName::Dot,
            Distance::Manhattan => DistanceName::Manhattan,
        }
    }
}

/// How a number of a vector is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Datatype {
    /// Four bytes.
    Float32,
    /// Two bytes.
    Float16,
    /// One byte.
    Uint8,
    /// Four bits.
    Turbo4,
}

impl Datatype {
    /// How the engine stores it; `None` where it cannot.
    pub fn element(self) -> Option<Element> {
        match self {
            Datatype::Float32 => Some(Element::F32),
            Datatype::Float16 => Some(Element::F16),
            Datatype::Uint8 => Some(Element::U8),
            Datatype::Turbo4 => None,
        }
    }

    /// The name of what the engine stores; `None` for what it is without being asked.
    pub fn of(element: Element) -> Option<Datatype> {
        match element {
            Element::F32 => None,
            Element::F16 => Some(Datatype::Float16),
            Element::U8 => Some(Datatype::Uint8),
        }
    }
}

/// How several vectors of a point are compared with those of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparator {
    /// The best similarity of each vector of the query, summed.
    MaxSim,
}

/// Several vectors a point under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultivectorSettings {
    /// How they are compared.
    pub comparator: Comparator,
}

/// A dense vector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VectorSettings {
    /// Numbers in it.
    #[serde(deserialize_with = "nonzero")]
    pub size: u64,
    /// How nearness is measured.
    pub distance: DistanceName,
    /// Parameters of its graph, before those of the collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hnsw_config: Option<HnswSettings>,
    /// Its quantisation, before that of the collection.
    #[serde(default, alias = "quantization", skip_serializing_if = "Option::is_none")]
    pub quantization_config: Option<QuantizationSettings>,
    /// Whether it stays on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disk: Option<bool>,
    /// Where it had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// How a number is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datatype: Option<Datatype>,
    /// Several a point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multivector_config: Option<MultivectorSettings>,
}

/// The wire has no form for a vector without numbers; one with too many is only out of range.
fn nonzero<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    NonZeroU64::deserialize(deserializer).map(NonZeroU64::get)
}

impl VectorSettings {
    /// A vector of `size` numbers.
    pub fn new(size: u64, distance: DistanceName) -> Self {
        VectorSettings {
            size,
            distance,
            hnsw_config: None,
            quantization_config: None,
            on_disk: None,
            memory: None,
            datatype: None,
            multivector_config: None,
        }
    }

    pub(in crate::service) fn check(&self, place: &str, problems: &mut Problems) {
        let max = vdb::MAX_DIMENSION as u64;
        problems.within(format_args!("{place}.size"), Some(self.size), 1, max);
        if let Some(hnsw) = &self.hnsw_config {
            hnsw.check(&format!("{place}.hnsw_config"), problems);
        }
        if let Some(quantization) = &self.quantization_config {
            quantization.check(&format!("{place}.quantization_config"), problems);
        }
        if self.memory == Some(Memory::Pinned) {
            problems.add(format_args!("{place}.memory"), "pinned is not supported here");
        }
    }
}

/// Dense vectors by name; a single one without a name has the name `""` here, and stands alone on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorsSettings(pub BTreeMap<String, VectorSettings>);

impl VectorsSettings {
    pub(super) fn check(&self, problems: &mut Problems) {
        for (name, vector) in &self.0 {
            let place = if name.is_empty() {
                "vectors".to_owned()
            } else {
                format!("vectors.{name}")
            };
            vector.check(&place, problems);
        }
    }
}

impl Serialize for VectorsSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.get("") {
            Some(only) if self.0.len() == 1 => only.serialize(serializer),
            Some(_) | None => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for VectorsSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let Value::Object(map) = &value else {
            if value.is_null() {
                return Ok(VectorsSettings::default());
            }
            return Err(de::Error::custom(
                "expected parameters of a vector, or a map of names to such",
            ));
        };
        // A vector may be called "size"; then its parameters stand there and not a number.
        let single = ["size", "distance"]
            .iter()
            .any(|key| map.get(*key).is_some_and(|value| !value.is_object()));
        if single {
            let only = serde_json::from_value(value).map_err(de::Error::custom)?;
            return Ok(VectorsSettings(BTreeMap::from([(String::new(), only)])));
        }
        serde_json::from_value(value)
            .map(VectorsSettings)
            .map_err(de::Error::custom)
    }
}

/// What weights of a sparse query are multiplied by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Modifier {
    /// Nothing.
    #[default]
    None,
    /// How rare their dimension is.
    Idf,
}

/// The index of a sparse vector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseIndexSettings {
    /// Fewer points than this are scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_scan_threshold: Option<u64>,
    /// Whether it stays on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disk: Option<bool>,
    /// Where it had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// How a weight is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datatype: Option<Datatype>,
}

/// A sparse vector.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SparseVectorSettings {
    /// Its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<SparseIndexSettings>,
    /// What weights of a query are multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<Modifier>,
}
