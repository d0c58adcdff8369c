//! Where a code lies in a row.

use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::{Bits, FACTORS, PADDING};

/// How codes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Scaled inner products plus a bias a row.
    Dot,
    /// Sums of absolute differences.
    Sad,
}

impl Scheme {
    /// The scheme that serves a metric.
    pub fn of(metric: Metric) -> Self {
        match metric {
            Metric::Dot | Metric::CosineU8 | Metric::L2 => Self::Dot,
            Metric::L1 => Self::Sad,
        }
    }
}

/// The shape of a row of codes: whole cache lines, so that a row costs as few of them as can be, with the factors
/// of the row as its last 8 bytes under [`Scheme::Dot`].
///
/// Code `i` lies in byte `i % payload`, in its bits from `i / payload * bits` on, where `payload` is what the factors
/// leave of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    scheme: Scheme,
    bits: Bits,
    codes: usize,
    width: usize,
}

impl Layout {
    /// The layout of rows of `codes` codes. [`Scheme::Sad`] knows 8 bits only.
    pub fn new(scheme: Scheme, bits: Bits, codes: usize) -> Self {
        let (bits, width) = match scheme {
            Scheme::Sad => (Bits::Eight, codes.next_multiple_of(PADDING)),
            Scheme::Dot => {
                let payload = codes.div_ceil(bits.codes_a_byte());
                (bits, (payload + FACTORS).next_multiple_of(PADDING))
            }
        };
        Self {
            scheme,
            bits,
            codes,
            width,
        }
    }

    /// The most codes that fit `lines` cache lines under [`Scheme::Dot`].
    pub(crate) fn capacity(bits: Bits, lines: usize) -> usize {
        (lines * PADDING - FACTORS) * bits.codes_a_byte()
    }

    /// How codes are compared.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Bits of a code.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// Codes of a row.
    pub fn codes(&self) -> usize {
        self.codes
    }

    /// Bytes of a row.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of a query, a byte for every code that a row has room for.
    pub(crate) fn query_len(&self) -> usize {
        self.width * self.bits.codes_a_byte()
    }

    /// Bytes of a row that hold codes.
    pub(crate) fn payload(&self) -> usize {
        match self.scheme {
            Scheme::Dot => self.width - FACTORS,
            Scheme::Sad => self.width,
        }
    }

    /// How many bytes of line `line`, from its first on, hold a code in their part `part`.
    #[inline]
    pub(crate) fn used(&self, line: usize, part: usize) -> usize {
        let payload = self.payload();
        let in_part = self.codes.saturating_sub(part * payload).min(payload);
        in_part.saturating_sub(line * PADDING).min(PADDING)
    }

    /// What a stored code `k` stands for: `step * k - zero`, as `(step, zero)`. Below 8 bits the values are odd, so
    /// that they lie evenly about 0.
    #[inline]
    pub(crate) fn values(&self) -> (i32, i32) {
        match self.bits {
            Bits::Eight => (1, 128),
            Bits::One | Bits::Two | Bits::Four => (2, (1 << self.bits.get()) - 1),
        }
    }
}
