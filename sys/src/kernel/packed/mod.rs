//! Inner products of a signed query with codes of 1, 2, 4 or 8 bits.
//!
//! Codes are unsigned and lie in cache lines of 64 bytes: bits `k * bits..(k + 1) * bits` of byte `j` of a line are
//! its code `(k, j)`. The query holds a signed byte for each code, line after line, and in a line the 64 bytes of
//! `k = 0`, then those of `k = 1`, and so on: a row is taken apart by shifts and masks, and its parts meet the query
//! without any shuffling. What a row holds besides codes, in its last bytes for example, meets zeros in the query.
//!
//! Results are exact integers, so every instruction set gives the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::Isa;
use super::codes::{CodeKernel, Entry, PADDING};
use std::fmt;

/// Bits of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bits {
    /// 1 bit: 8 codes a byte.
    One,
    /// 2 bits: 4 codes a byte.
    Two,
    /// 4 bits: 2 codes a byte.
    Four,
    /// 8 bits: a code a byte.
    Eight,
}

impl Bits {
    /// All of them, the fewest first.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Four, Self::Eight];

    /// How many bits.
    #[inline]
    pub const fn get(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// How many codes a byte holds.
    #[inline]
    pub const fn codes_a_byte(self) -> usize {
        8 / self.get() as usize
    }
}

/// Inner products of codes of one width, by the instruction set chosen.
#[derive(Clone, Copy)]
pub struct PackedKernel {
    isa: Isa,
    bits: Bits,
    entry: Entry,
}

impl PackedKernel {
    /// The kernels of this CPU for codes of `bits`.
    pub fn new(bits: Bits) -> Self {
        Self::of(CodeKernel::new(), bits)
    }

    /// The kernels of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or it has none.
    pub fn with_isa(isa: Isa, bits: Bits) -> Option<Self> {
        CodeKernel::with_isa(isa).map(|kernel| Self::of(kernel, bits))
    }

    fn of(kernel: CodeKernel, bits: Bits) -> Self {
        let isa = kernel.isa();
        let entry = match (isa, bits) {
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx512, bits) => avx512::entry(bits),
            (_, Bits::Eight) => kernel.dot_entry(),
            #[cfg(target_arch = "x86_64")]
            (Isa::Avx2, bits) => avx2::entry(bits),
            #[cfg(target_arch = "aarch64")]
            (Isa::Neon, bits) => neon::entry(bits),
            (_, bits) => scalar::entry(bits),
        };
        Self { isa, bits, entry }
    }

    /// The instruction set that was chosen.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The width of the codes.
    pub fn bits(&self) -> Bits {
        self.bits
    }

    /// The sum of products of codes and query, modulo 2^32.
    ///
    /// # Panics
    /// If the row is not whole lines of [`PADDING`] bytes, or the query has not a byte for each of its codes.
    #[inline]
    pub fn dot(&self, row: &[u8], query: &[i8]) -> i32 {
        self.check([row], query);
        // SAFETY: `of` takes entries only from a kernel whose instruction set is present.
        let [sum] = unsafe { (self.entry.one)(query, [row]) };
        sum
    }

    /// [`PackedKernel::dot`] of four rows at once.
    ///
    /// # Panics
    /// If a row is not whole lines of [`PADDING`] bytes, or the query has not a byte for each of its codes.
    #[inline]
    pub fn dot4(&self, rows: [&[u8]; 4], query: &[i8]) -> [i32; 4] {
        self.check(rows, query);
        // SAFETY: `of` takes entries only from a kernel whose instruction set is present.
        unsafe { (self.entry.four)(query, rows) }
    }

    #[inline(always)]
    fn check<const R: usize>(&self, rows: [&[u8]; R], query: &[i8]) {
        let codes_a_byte = self.bits.codes_a_byte();
        assert!(
            rows.iter()
                .all(|row| row.len().is_multiple_of(PADDING) && row.len() * codes_a_byte == query.len()),
            "lengths of packed rows and query"
        );
    }
}

impl fmt::Debug for PackedKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PackedKernel")
            .field("isa", &self.isa)
            .field("bits", &self.bits)
            .finish()
    }
}

#[cfg(test)]
mod tests;
