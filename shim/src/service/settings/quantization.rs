//! Quantisation as clients give it.

use serde::{Deserialize, Serialize};

use super::super::error::Problems;
use super::tuning::Memory;

/// What walks read of each vector. On the wire an object with the name of the kind as its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "Given")]
pub enum QuantizationSettings {
    /// A byte a number.
    Scalar(ScalarQuantization),
    /// A byte for several numbers.
    Product(ProductQuantization),
    /// One or two bits a number.
    Binary(BinaryQuantization),
    /// One to four bits a number, of a rotated vector.
    Turbo(TurboQuantization),
}

/// One of these; other keys are not minded.
#[derive(Deserialize)]
#[serde(expecting = "an object with one of `scalar`, `product`, `binary`, `turbo`")]
struct Given {
    scalar: Option<ScalarQuantization>,
    product: Option<ProductQuantization>,
    binary: Option<BinaryQuantization>,
    turbo: Option<TurboQuantization>,
}

impl TryFrom<Given> for QuantizationSettings {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let scalar = given.scalar.map(QuantizationSettings::Scalar);
        let product = given.product.map(QuantizationSettings::Product);
        let binary = given.binary.map(QuantizationSettings::Binary);
        let turbo = given.turbo.map(QuantizationSettings::Turbo);
        let first = scalar.or(product).or(binary).or(turbo);
        first.ok_or("expected one of `scalar`, `product`, `binary`, `turbo`")
    }
}

impl QuantizationSettings {
    pub(super) fn check(&self, place: &str, problems: &mut Problems) {
        if let QuantizationSettings::Scalar(scalar) = self {
            let place = format!("{place}.scalar.quantile");
            problems.within(place, scalar.quantile.map(f64::from), 0.5, 1.0);
        }
    }
}

/// The only kind of scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScalarType {
    /// A byte.
    Int8,
}

/// A byte a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalarQuantization {
    /// The only kind.
    #[serde(rename = "type")]
    pub kind: ScalarType,
    /// Share of the numbers that are told apart; the rest is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile: Option<f32>,
    /// Whether the codes stay in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_ram: Option<bool>,
    /// Where the codes had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// How much smaller than the vectors the codes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CompressionRatio {
    /// 4.
    X4,
    /// 8.
    X8,
    /// 16.
    X16,
    /// 32.
    X32,
    /// 64.
    X64,
}

/// A byte for several numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductQuantization {
    /// How much smaller than the vectors the codes are.
    pub compression: CompressionRatio,
    /// Whether the codes stay in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_ram: Option<bool>,
    /// Where the codes had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

/// Bits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryEncoding {
    /// 1.
    OneBit,
    /// 2.
    TwoBits,
    /// 1.5.
    OneAndHalfBits,
}

/// What a query is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BinaryQueryEncoding {
    /// As the codes are.
    Default,
    /// Bits.
    Binary,
    /// Four bits a number.
    Scalar4Bits,
    /// Eight bits a number.
    Scalar8Bits,
}

/// One or two bits a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryQuantization {
    /// Whether the codes stay in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_ram: Option<bool>,
    /// Where the codes had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Bits of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<BinaryEncoding>,
    /// What a query is compared as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_encoding: Option<BinaryQueryEncoding>,
}

/// Bits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TurboBits {
    /// 1.
    Bits1,
    /// 1.5.
    #[serde(rename = "bits1_5")]
    Bits1And5,
    /// 2.
    Bits2,
    /// 4.
    Bits4,
}

/// One to four bits a number, of a rotated vector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurboQuantization {
    /// Whether the codes stay in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always_ram: Option<bool>,
    /// Where the codes had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Bits of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<TurboBits>,
}
