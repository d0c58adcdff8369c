//! Sums of absolute differences of 8-bit codes.
//!
//! Rows and query are unsigned bytes, padded to a multiple of [`PADDING`] with what is the same in both. Results are exact
//! integers, so every instruction set gives the same.

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::packed::PADDING;
use super::{FOR_CODES, Isa, scalar};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use std::fmt;

/// Entry points of one instruction set. Calling them requires that the CPU has it.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) one: unsafe fn(&[u8], [&[u8]; 1]) -> [u32; 1],
    pub(super) four: unsafe fn(&[u8], [&[u8]; 4]) -> [u32; 4],
}

/// Sums of absolute differences, by the instruction set chosen.
#[derive(Clone, Copy)]
pub struct SadKernel {
    isa: Isa,
    entry: Entry,
}

impl SadKernel {
    /// The kernel for this CPU.
    pub fn new() -> Self {
        let best = FOR_CODES.into_iter().find_map(Self::with_isa);
        best.unwrap_or(Self {
            isa: Isa::Scalar,
            entry: scalar::SAD,
        })
    }

    /// The kernel of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or it has none.
    pub fn with_isa(isa: Isa) -> Option<Self> {
        let entry = match isa {
            Isa::Scalar => scalar::SAD,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if isa.is_present() => avx2::SAD,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if isa.is_present() => avx512::SAD,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon if isa.is_present() => neon::SAD,
            Isa::Simsimd | Isa::Avx2 | Isa::Avx512 | Isa::Neon => return None,
        };
        Some(Self { isa, entry })
    }

    /// The instruction set that was chosen.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The sum of `|row[i] - query[i]|`, modulo 2^32: exact up to 16 million codes.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn sad(&self, row: &[u8], query: &[u8]) -> u32 {
        check([row], query);
        // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
        let [sum] = unsafe { (self.entry.one)(query, [row]) };
        sum
    }

    /// [`SadKernel::sad`] of four rows at once.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn sad4(&self, rows: [&[u8]; 4], query: &[u8]) -> [u32; 4] {
        check(rows, query);
        // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
        unsafe { (self.entry.four)(query, rows) }
    }
}

impl Default for SadKernel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SadKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SadKernel").field("isa", &self.isa).finish()
    }
}

#[inline(always)]
fn check<const R: usize>(rows: [&[u8]; R], query: &[u8]) {
    assert!(query.len().is_multiple_of(PADDING), "length of padded codes");
    assert!(
        rows.iter().all(|row| row.len() == query.len()),
        "lengths of query and rows"
    );
}

#[cfg(test)]
mod tests;
