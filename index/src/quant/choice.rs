//! Which codes a graph keeps.

use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::Bits;

use crate::codes::Scheme;
use crate::quant::MOST_MAPPED;

/// Up to this many dimensions, 8 bits take one cache line.
const ONE_LINE: usize = 56;
/// Fewer rows a dimension are not worth a subspace.
const ROWS_A_DIMENSION: usize = 8;

/// How many bits a graph walk reads of each vector, before the best candidates are scored with the full ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Quantization {
    /// What is fastest at equal recall: 4 bits; or 8 for Manhattan distance, where they fit a cache line or the
    /// set is small, and where 4 could not tell neighbours apart.
    #[default]
    Auto,
    /// Full vectors: no codes are kept.
    Off,
    /// 8 bits a dimension.
    Int8,
    /// 4 bits a dimension of the subspace that matters.
    Int4,
    /// 2 bits a dimension of the subspace that matters.
    Int2,
    /// 1 bit a dimension of the subspace that matters.
    Binary,
}

impl Quantization {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Off,
        Self::Int8,
        Self::Int4,
        Self::Int2,
        Self::Binary,
    ];

    /// The number that stands for it in files.
    pub fn code(self) -> u8 {
        match self {
            Self::Auto => 0,
            Self::Off => 1,
            Self::Int8 => 2,
            Self::Int4 => 3,
            Self::Int2 => 4,
            Self::Binary => 5,
        }
    }

    /// What a number in a file stands for.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.code() == code)
    }

    /// Its name, as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Int2 => "int2",
            Self::Binary => "binary",
        }
    }

    /// Bits of a code of `rows` vectors; `None` for full vectors.
    pub(crate) fn bits(self, rows: u32, dim: usize, metric: Metric) -> Option<Bits> {
        match self {
            Self::Off => None,
            _ if Scheme::of(metric) == Scheme::Sad => Some(Bits::Eight),
            Self::Auto if dim <= ONE_LINE || dim > MOST_MAPPED => Some(Bits::Eight),
            // Finding their subspace would take longer than building on more bits, which fit the caches anyway.
            Self::Auto if (rows as usize) < ROWS_A_DIMENSION * dim => Some(Bits::Eight),
            Self::Auto | Self::Int4 => Some(Bits::Four),
            Self::Int8 => Some(Bits::Eight),
            Self::Int2 => Some(Bits::Two),
            Self::Binary => Some(Bits::One),
        }
    }
}
