//! Quantisation.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::{
    binary_quantization_query_encoding, quantization_config, quantization_config_diff,
};

use super::super::rejection::{Rejection, Result, Within, variant};
use super::tuning;
use crate::service::settings::{
    BinaryEncoding, BinaryQuantization, BinaryQueryEncoding, CompressionRatio, ProductQuantization,
    QuantizationSettings, QuantizationUpdate, ScalarQuantization, ScalarType, TurboBits, TurboQuantization,
};

/// The quantisation of a message; none of an empty one.
pub(super) fn read(message: proto::QuantizationConfig) -> Result<Option<QuantizationSettings>> {
    use quantization_config::Quantization as Sent;
    message
        .quantization
        .map(|sent| match sent {
            Sent::Scalar(of) => scalar(of),
            Sent::Product(of) => product(of),
            Sent::Binary(of) => binary(of),
            Sent::Turboquant(of) => turbo(of),
        })
        .transpose()
}

/// A change of quantisation; none of an empty message.
pub(super) fn diff(message: proto::QuantizationConfigDiff) -> Result<Option<QuantizationUpdate>> {
    use quantization_config_diff::Quantization as Sent;
    let Some(sent) = message.quantization else {
        return Ok(None);
    };
    Ok(Some(QuantizationUpdate::Set(match sent {
        Sent::Disabled(proto::Disabled {}) => return Ok(Some(QuantizationUpdate::Disabled)),
        Sent::Scalar(of) => scalar(of)?,
        Sent::Product(of) => product(of)?,
        Sent::Binary(of) => binary(of)?,
        Sent::Turboquant(of) => turbo(of)?,
    })))
}

#[expect(deprecated, reason = "clients still send `always_ram`")]
fn scalar(message: proto::ScalarQuantization) -> Result<QuantizationSettings> {
    let kind = match variant("scalar.type", message.r#type)? {
        proto::QuantizationType::Int8 => ScalarType::Int8,
        proto::QuantizationType::UnknownQuantization => {
            return Err(Rejection::invalid("scalar.type", "is required"));
        }
    };
    Ok(QuantizationSettings::Scalar(ScalarQuantization {
        kind,
        quantile: message.quantile,
        always_ram: message.always_ram,
        memory: tuning::memory(message.memory).within("scalar")?,
    }))
}

#[expect(deprecated, reason = "clients still send `always_ram`")]
fn product(message: proto::ProductQuantization) -> Result<QuantizationSettings> {
    let compression = match variant("product.compression", message.compression)? {
        proto::CompressionRatio::X4 => CompressionRatio::X4,
        proto::CompressionRatio::X8 => CompressionRatio::X8,
        proto::CompressionRatio::X16 => CompressionRatio::X16,
        proto::CompressionRatio::X32 => CompressionRatio::X32,
        proto::CompressionRatio::X64 => CompressionRatio::X64,
    };
    Ok(QuantizationSettings::Product(ProductQuantization {
        compression,
        always_ram: message.always_ram,
        memory: tuning::memory(message.memory).within("product")?,
    }))
}

#[expect(deprecated, reason = "clients still send `always_ram`")]
fn binary(message: proto::BinaryQuantization) -> Result<QuantizationSettings> {
    use binary_quantization_query_encoding::{Setting, Variant};
    let encoding = message.encoding.map(|code| {
        Ok(match variant("binary.encoding", code)? {
            proto::BinaryQuantizationEncoding::OneBit => BinaryEncoding::OneBit,
            proto::BinaryQuantizationEncoding::TwoBits => BinaryEncoding::TwoBits,
            proto::BinaryQuantizationEncoding::OneAndHalfBits => BinaryEncoding::OneAndHalfBits,
        })
    });
    let query = message.query_encoding.and_then(|encoding| encoding.variant);
    let query = query.map(|Variant::Setting(code)| {
        Ok(match variant("binary.query_encoding.setting", code)? {
            Setting::Default => BinaryQueryEncoding::Default,
            Setting::Binary => BinaryQueryEncoding::Binary,
            Setting::Scalar4Bits => BinaryQueryEncoding::Scalar4Bits,
            Setting::Scalar8Bits => BinaryQueryEncoding::Scalar8Bits,
        })
    });
    Ok(QuantizationSettings::Binary(BinaryQuantization {
        always_ram: message.always_ram,
        memory: tuning::memory(message.memory).within("binary")?,
        encoding: encoding.transpose()?,
        query_encoding: query.transpose()?,
    }))
}

#[expect(deprecated, reason = "clients still send `always_ram`")]
fn turbo(message: proto::TurboQuantization) -> Result<QuantizationSettings> {
    let bits = message.bits.map(|code| {
        Ok(match variant("turboquant.bits", code)? {
            proto::TurboQuantBitSize::Bits1 => TurboBits::Bits1,
            proto::TurboQuantBitSize::Bits15 => TurboBits::Bits1And5,
            proto::TurboQuantBitSize::Bits2 => TurboBits::Bits2,
            proto::TurboQuantBitSize::Bits4 => TurboBits::Bits4,
            proto::TurboQuantBitSize::Bits8 => {
                return Err(Rejection::unimplemented(
                    "turboquant.bits",
                    "there are 1, 1.5, 2 and 4 bits; for 8 use scalar quantization",
                ));
            }
        })
    });
    Ok(QuantizationSettings::Turbo(TurboQuantization {
        always_ram: message.always_ram,
        memory: tuning::memory(message.memory).within("turboquant")?,
        bits: bits.transpose()?,
    }))
}

/// The message of a quantisation.
#[expect(deprecated, reason = "it is told as it was sent")]
pub(super) fn to_proto(settings: QuantizationSettings) -> proto::QuantizationConfig {
    use quantization_config::Quantization as Told;
    let told = match settings {
        QuantizationSettings::Scalar(of) => Told::Scalar(proto::ScalarQuantization {
            r#type: match of.kind {
                ScalarType::Int8 => proto::QuantizationType::Int8.into(),
            },
            quantile: of.quantile,
            always_ram: of.always_ram,
            memory: of.memory.map(tuning::memory_to_proto),
        }),
        QuantizationSettings::Product(of) => Told::Product(proto::ProductQuantization {
            compression: match of.compression {
                CompressionRatio::X4 => proto::CompressionRatio::X4,
                CompressionRatio::X8 => proto::CompressionRatio::X8,
                CompressionRatio::X16 => proto::CompressionRatio::X16,
                CompressionRatio::X32 => proto::CompressionRatio::X32,
                CompressionRatio::X64 => proto::CompressionRatio::X64,
            }
            .into(),
            always_ram: of.always_ram,
            memory: of.memory.map(tuning::memory_to_proto),
        }),
        QuantizationSettings::Binary(of) => Told::Binary(proto::BinaryQuantization {
            always_ram: of.always_ram,
            encoding: of.encoding.map(binary_encoding_to_proto),
            query_encoding: of.query_encoding.map(query_encoding_to_proto),
            memory: of.memory.map(tuning::memory_to_proto),
        }),
        QuantizationSettings::Turbo(of) => Told::Turboquant(proto::TurboQuantization {
            always_ram: of.always_ram,
            bits: of.bits.map(|bits| {
                match bits {
                    TurboBits::Bits1 => proto::TurboQuantBitSize::Bits1,
                    TurboBits::Bits1And5 => proto::TurboQuantBitSize::Bits15,
                    TurboBits::Bits2 => proto::TurboQuantBitSize::Bits2,
                    TurboBits::Bits4 => proto::TurboQuantBitSize::Bits4,
                }
                .into()
            }),
            memory: of.memory.map(tuning::memory_to_proto),
        }),
    };
    proto::QuantizationConfig {
        quantization: Some(told),
    }
}

fn binary_encoding_to_proto(encoding: BinaryEncoding) -> i32 {
    match encoding {
        BinaryEncoding::OneBit => proto::BinaryQuantizationEncoding::OneBit,
        BinaryEncoding::TwoBits => proto::BinaryQuantizationEncoding::TwoBits,
        BinaryEncoding::OneAndHalfBits => proto::BinaryQuantizationEncoding::OneAndHalfBits,
    }
    .into()
}

fn query_encoding_to_proto(encoding: BinaryQueryEncoding) -> proto::BinaryQuantizationQueryEncoding {
    use binary_quantization_query_encoding::{Setting, Variant};
    let setting = match encoding {
        BinaryQueryEncoding::Default => Setting::Default,
        BinaryQueryEncoding::Binary => Setting::Binary,
        BinaryQueryEncoding::Scalar4Bits => Setting::Scalar4Bits,
        BinaryQueryEncoding::Scalar8Bits => Setting::Scalar8Bits,
    };
    proto::BinaryQuantizationQueryEncoding {
        variant: Some(Variant::Setting(setting.into())),
    }
}
