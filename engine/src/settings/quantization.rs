//! Codes of vectors as a user names them, and which ones those are here.

use serde_json::{Map, Value, json};
use vdb_index::Quantization;

use super::fields::{Fields, put, short};
use crate::error::{Error, Result};
use crate::payload::MemoryPlacement;

/// Which codes graph walks read of each vector, in the words of Qdrant or in those of this library. What was said is kept
/// and told again as it was said; what is made of it are codes of 1, 2, 4 or 8 bits a dimension:
///
/// | said | walked on |
/// |---|---|
/// | nothing | chosen by size: 4 bits, or 8 ([`Quantization::Auto`]) |
/// | `scalar` int8 | 8 bits; `quantile` is kept and not used: the range of each vector's codes is its own |
/// | `product` x4 | 8 bits |
/// | `product` x8 | 4 bits |
/// | `product` x16 | 2 bits |
/// | `product` x32, x64 | 1 bit |
/// | `binary` one bit | 1 bit |
/// | `binary` one and a half, two bits | 2 bits |
/// | `turbo` 1 bit | 1 bit |
/// | `turbo` 1.5, 2 bits | 2 bits |
/// | `turbo` 4 bits | 4 bits |
///
/// There are no product codebooks: product quantisation names a ratio, and gets the codes of that ratio to `f32` vectors (x64
/// those of x32). Below 8 bits it is the subspace that matters which is coded. Queries are always coded with 8 bits,
/// whatever `query_encoding` says, and Manhattan distance always walks on 8 bits. Where the codes lie is left to the
/// system's page cache, so that `always_ram` and `memory` are kept as hints.
///
/// Unless a search says otherwise ([`QuantizationSearch`](crate::QuantizationSearch)), codes only nominate: everything that
/// is returned has been scored with its full vector, for every kind.
///
/// ```
/// use vdb::{QuantizationConfig, Quantization, TurboBits};
/// use serde_json::json;
///
/// let said = QuantizationConfig::from_json(&json!({"turbo": {"bits": "bits2", "always_ram": true}}))?;
/// assert!(matches!(said, QuantizationConfig::Turbo { bits: Some(TurboBits::Two), .. }));
/// assert_eq!(said.codes(), Quantization::Int2);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QuantizationConfig {
    /// In the words of this library.
    Codes(Quantization),
    /// One byte a dimension.
    Scalar {
        /// Share of the values that the codes' range is for, 0.5 to 1.
        quantile: Option<f32>,
        /// Where the codes had best be.
        placement: CodePlacement,
    },
    /// By ratio.
    Product {
        /// How much smaller than `f32` vectors the codes are.
        compression: Compression,
        /// Where the codes had best be.
        placement: CodePlacement,
    },
    /// One bit a dimension, or up to two.
    Binary {
        /// How many; one by default.
        encoding: Option<BinaryEncoding>,
        /// How queries are coded.
        query_encoding: Option<QueryEncoding>,
        /// Where the codes had best be.
        placement: CodePlacement,
    },
    /// Codes of few bits after a rotation.
    Turbo {
        /// How many; four by default.
        bits: Option<TurboBits>,
        /// Where the codes had best be.
        placement: CodePlacement,
    },
}

/// Where codes had best be: hints, kept and told again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodePlacement {
    /// In memory at all times.
    pub always_ram: Option<bool>,
    /// The same, said in more detail.
    pub memory: Option<MemoryPlacement>,
}

/// The values of a small enum and their names in JSON.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$each])* $value,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value,)*];

            /// Its name in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$value => $word,)* }
            }
        }
    };
}

words! {
    /// How much smaller than `f32` vectors codes are.
    Compression {
        /// 8 bits a dimension.
        X4 = "x4",
        /// 4 bits a dimension.
        X8 = "x8",
        /// 2 bits a dimension.
        X16 = "x16",
        /// 1 bit a dimension.
        X32 = "x32",
        /// Half a bit a dimension.
        X64 = "x64",
    }
}

words! {
    /// Bits a dimension of binary codes.
    BinaryEncoding {
        /// One.
        OneBit = "one_bit",
        /// Two, for half of the dimensions.
        OneAndHalfBits = "one_and_half_bits",
        /// Two.
        TwoBits = "two_bits",
    }
}

words! {
    /// How queries are coded against binary codes.
    QueryEncoding {
        /// As is best.
        Default = "default",
        /// As the vectors are.
        Binary = "binary",
        /// 4 bits a dimension.
        Scalar4Bits = "scalar4bits",
        /// 8 bits a dimension.
        Scalar8Bits = "scalar8bits",
    }
}

words! {
    /// Bits a dimension of turbo codes.
    TurboBits {
        /// One.
        One = "bits1",
        /// One and a half.
        OneAndHalf = "bits1_5",
        /// Two.
        Two = "bits2",
        /// Four.
        Four = "bits4",
    }
}

impl QuantizationConfig {
    /// One byte a dimension, in memory where that is best.
    pub fn scalar() -> Self {
        QuantizationConfig::Scalar {
            quantile: None,
            placement: CodePlacement::default(),
        }
    }

    /// Codes of a ratio.
    pub fn product(compression: Compression) -> Self {
        QuantizationConfig::Product {
            compression,
            placement: CodePlacement::default(),
        }
    }

    /// One bit a dimension.
    pub fn binary() -> Self {
        QuantizationConfig::Binary {
            encoding: None,
            query_encoding: None,
            placement: CodePlacement::default(),
        }
    }

    /// Codes of so many bits.
    pub fn turbo(bits: TurboBits) -> Self {
        QuantizationConfig::Turbo {
            bits: Some(bits),
            placement: CodePlacement::default(),
        }
    }

    /// The codes that this means here.
    pub fn codes(&self) -> Quantization {
        match self {
            QuantizationConfig::Codes(codes) => *codes,
            QuantizationConfig::Scalar { .. } => Quantization::Int8,
            QuantizationConfig::Product { compression, .. } => match compression {
                Compression::X4 => Quantization::Int8,
                Compression::X8 => Quantization::Int4,
                Compression::X16 => Quantization::Int2,
                Compression::X32 | Compression::X64 => Quantization::Binary,
            },
            QuantizationConfig::Binary { encoding, .. } => match encoding {
                None | Some(BinaryEncoding::OneBit) => Quantization::Binary,
                Some(BinaryEncoding::OneAndHalfBits | BinaryEncoding::TwoBits) => Quantization::Int2,
            },
            QuantizationConfig::Turbo { bits, .. } => match bits {
                Some(TurboBits::One) => Quantization::Binary,
                Some(TurboBits::OneAndHalf | TurboBits::Two) => Quantization::Int2,
                None | Some(TurboBits::Four) => Quantization::Int4,
            },
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        match self {
            QuantizationConfig::Scalar {
                quantile: Some(share),
                ..
            } if !(0.5..=1.0).contains(share) => Err(Error::InvalidRequest(format!(
                "the quantile of scalar quantisation must be 0.5 to 1, got {share}"
            ))),
            QuantizationConfig::Codes(_)
            | QuantizationConfig::Scalar { .. }
            | QuantizationConfig::Product { .. }
            | QuantizationConfig::Binary { .. }
            | QuantizationConfig::Turbo { .. } => Ok(()),
        }
    }

    /// The JSON form: one key that says the kind, as Qdrant has it, or `{"codes": "int4"}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut said = Map::new();
        let (kind, placement) = match self {
            QuantizationConfig::Codes(codes) => return json!({"codes": codes.name()}),
            QuantizationConfig::Scalar { quantile, placement } => {
                said.insert("type".to_owned(), "int8".into());
                put(&mut said, "quantile", quantile.map(short));
                ("scalar", placement)
            }
            QuantizationConfig::Product {
                compression,
                placement,
            } => {
                said.insert("compression".to_owned(), compression.name().into());
                ("product", placement)
            }
            QuantizationConfig::Binary {
                encoding,
                query_encoding,
                placement,
            } => {
                put(&mut said, "encoding", encoding.map(BinaryEncoding::name));
                put(
                    &mut said,
                    "query_encoding",
                    query_encoding.map(QueryEncoding::name),
                );
                ("binary", placement)
            }
            QuantizationConfig::Turbo { bits, placement } => {
                put(&mut said, "bits", bits.map(TurboBits::name));
                ("turbo", placement)
            }
        };
        put(&mut said, "always_ram", placement.always_ram);
        put(&mut said, "memory", placement.memory.map(MemoryPlacement::name));
        json!({ kind: said })
    }

    /// From the JSON form.
    ///
    /// # Errors
    /// When it is none, or says what there is not.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(Fields::new("quantization_config", value)?)
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self> {
        let codes = fields.word("codes", &Quantization::ALL, Quantization::name)?;
        let mut read = codes.map(QuantizationConfig::Codes);
        let mut said = usize::from(read.is_some());
        if let Some(mut scalar) = fields.fields("scalar")? {
            // The only type there is; Qdrant asks for it.
            scalar.word("type", &["int8"], |name| name)?;
            let quantile = scalar.number("quantile")?;
            let placement = placement(&mut scalar)?;
            scalar.finish()?;
            (read, said) = (Some(QuantizationConfig::Scalar { quantile, placement }), said + 1);
        }
        if let Some(mut product) = fields.fields("product")? {
            let compression = product.word("compression", Compression::ALL, Compression::name)?;
            let placement = placement(&mut product)?;
            product.finish()?;
            let Some(compression) = compression else {
                return Err(Error::InvalidRequest(
                    "product quantisation needs a compression: x4, x8, x16, x32 or x64".into(),
                ));
            };
            let product = QuantizationConfig::Product {
                compression,
                placement,
            };
            (read, said) = (Some(product), said + 1);
        }
        if let Some(mut binary) = fields.fields("binary")? {
            let config = QuantizationConfig::Binary {
                encoding: binary.word("encoding", BinaryEncoding::ALL, BinaryEncoding::name)?,
                query_encoding: binary.word("query_encoding", QueryEncoding::ALL, QueryEncoding::name)?,
                placement: placement(&mut binary)?,
            };
            binary.finish()?;
            (read, said) = (Some(config), said + 1);
        }
        if let Some(mut turbo) = fields.fields("turbo")? {
            let config = QuantizationConfig::Turbo {
                bits: turbo.word("bits", TurboBits::ALL, TurboBits::name)?,
                placement: placement(&mut turbo)?,
            };
            turbo.finish()?;
            (read, said) = (Some(config), said + 1);
        }
        fields.finish()?;
        match read {
            Some(config) if said == 1 => {
                config.validate()?;
                Ok(config)
            }
            Some(_) | None => Err(Error::InvalidRequest(format!(
                "a quantisation is one of scalar, product, binary, turbo or codes; {said} were given"
            ))),
        }
    }
}

fn placement(fields: &mut Fields<'_>) -> Result<CodePlacement> {
    Ok(CodePlacement {
        always_ram: fields.flag("always_ram")?,
        memory: fields.word("memory", &MemoryPlacement::ALL, MemoryPlacement::name)?,
    })
}

/// A change of a quantisation.
#[derive(Clone, Debug, PartialEq)]
pub enum QuantizationUpdate {
    /// This one from now on.
    Set(QuantizationConfig),
    /// What was said is taken back: a vector follows its collection again, a collection the library.
    Disabled,
}

impl QuantizationUpdate {
    /// Reads `quantization_config` of a change: an object, or `"Disabled"`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Option<Self>> {
        const KEY: &str = "quantization_config";
        let word = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("disabled"))
        };
        match fields.value(KEY) {
            None => Ok(None),
            Some(value) if word(value) => Ok(Some(QuantizationUpdate::Disabled)),
            Some(value) => {
                let said = QuantizationConfig::read(Fields::new(KEY, value)?)?;
                Ok(Some(QuantizationUpdate::Set(said)))
            }
        }
    }

    /// What is set after the change.
    pub(crate) fn apply(&self, held: &mut Option<QuantizationConfig>) {
        *held = match self {
            QuantizationUpdate::Set(config) => Some(config.clone()),
            QuantizationUpdate::Disabled => None,
        };
    }
}
