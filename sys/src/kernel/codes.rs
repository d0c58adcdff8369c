//! Kernels over 8-bit quantised codes.
//!
//! Codes are padded to a multiple of 64 bytes. Results are exact integers, so every instruction set
//! gives the same.
//!
//! Signed values are stored as `value + 128` in rows and as they are in queries, because x86 and
//! ARM both multiply unsigned by signed bytes best. [`dot_codes`] sums the products of the bytes as
//! stored; the sum over the values themselves is `dot_codes(row, query) - row_bias(query)`, where
//! [`row_bias`] depends on the query alone and is computed once. Padding is 128 in rows and 0 in
//! queries.

use super::Isa;
#[cfg(target_arch = "aarch64")]
use super::neon;
use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use std::fmt;
use std::sync::OnceLock;

/// Codes are padded to a multiple of this many bytes.
pub const PADDING: usize = 64;

/// Entry points of one instruction set. Calling them requires that the CPU has it.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) dot: unsafe fn(&[i8], [&[u8]; 1]) -> [i32; 1],
    pub(super) dot4: unsafe fn(&[i8], [&[u8]; 4]) -> [i32; 4],
    pub(super) sad: unsafe fn(&[u8], [&[u8]; 1]) -> [u32; 1],
    pub(super) sad4: unsafe fn(&[u8], [&[u8]; 4]) -> [u32; 4],
}

/// Entry points of inner products.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) one: unsafe fn(&[i8], [&[u8]; 1]) -> [i32; 1],
    pub(super) four: unsafe fn(&[i8], [&[u8]; 4]) -> [i32; 4],
}

/// The order in which instruction sets are tried.
const PREFERENCE: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Neon];

/// Kernels over codes, chosen once for the CPU.
///
/// Hot loops hold one; the free functions of this module look the choice up at every call.
#[derive(Clone, Copy)]
pub struct CodeKernel {
    isa: Isa,
    table: Table,
}

impl CodeKernel {
    /// The kernels for this CPU.
    pub fn new() -> Self {
        static BEST: OnceLock<CodeKernel> = OnceLock::new();
        *BEST.get_or_init(|| {
            let best = PREFERENCE.into_iter().find_map(Self::with_isa);
            best.unwrap_or(Self {
                isa: Isa::Scalar,
                table: scalar::CODES,
            })
        })
    }

    /// The kernels of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or
    /// it has none.
    pub fn with_isa(isa: Isa) -> Option<Self> {
        let table = match isa {
            Isa::Scalar => scalar::CODES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if isa.is_present() => avx2::CODES,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if isa.is_present() => avx512::CODES,
            #[cfg(target_arch = "aarch64")]
            Isa::Neon if isa.is_present() => neon::CODES,
            Isa::Simsimd | Isa::Avx2 | Isa::Avx512 | Isa::Neon => return None,
        };
        Some(Self { isa, table })
    }

    /// The kernels of inner products.
    pub(super) fn dot_entry(&self) -> Entry {
        Entry {
            one: self.table.dot,
            four: self.table.dot4,
        }
    }

    /// The instruction set that was chosen.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The sum of `row[i] * query[i]`, modulo 2^32: exact up to 65,536 codes.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn dot(&self, row: &[u8], query: &[i8]) -> i32 {
        check(query.len(), [row]);
        // SAFETY: tables are handed out only where their instruction set is present.
        let [sum] = unsafe { (self.table.dot)(query, [row]) };
        sum
    }

    /// [`CodeKernel::dot`] of four rows at once.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn dot4(&self, rows: [&[u8]; 4], query: &[i8]) -> [i32; 4] {
        check(query.len(), rows);
        // SAFETY: tables are handed out only where their instruction set is present.
        unsafe { (self.table.dot4)(query, rows) }
    }

    /// The sum of `|a[i] - b[i]|`, modulo 2^32: exact up to 16 million codes.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn sad(&self, a: &[u8], b: &[u8]) -> u32 {
        check(a.len(), [b]);
        // SAFETY: tables are handed out only where their instruction set is present.
        let [sum] = unsafe { (self.table.sad)(a, [b]) };
        sum
    }

    /// [`CodeKernel::sad`] of four rows at once.
    ///
    /// # Panics
    /// If the lengths differ or are not a multiple of [`PADDING`].
    #[inline]
    pub fn sad4(&self, rows: [&[u8]; 4], query: &[u8]) -> [u32; 4] {
        check(query.len(), rows);
        // SAFETY: tables are handed out only where their instruction set is present.
        unsafe { (self.table.sad4)(query, rows) }
    }
}

impl Default for CodeKernel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CodeKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeKernel").field("isa", &self.isa).finish()
    }
}

#[inline(always)]
fn check<const R: usize>(len: usize, rows: [&[u8]; R]) {
    assert!(len.is_multiple_of(PADDING), "length of padded codes");
    assert!(
        rows.iter().all(|row| row.len() == len),
        "lengths of query and rows"
    );
}

/// What the offset of 128 in rows adds to every [`dot_codes`] of a query: 128 times the sum of the
/// query, modulo 2^32.
pub fn row_bias(query: &[i8]) -> i32 {
    query
        .iter()
        .fold(0i32, |sum, &code| sum.wrapping_add(i32::from(code)))
        .wrapping_mul(128)
}

/// See [`CodeKernel::dot`].
pub fn dot_codes(row: &[u8], query: &[i8]) -> i32 {
    CodeKernel::new().dot(row, query)
}

/// See [`CodeKernel::dot4`].
pub fn dot_codes4(rows: [&[u8]; 4], query: &[i8]) -> [i32; 4] {
    CodeKernel::new().dot4(rows, query)
}

/// See [`CodeKernel::sad`].
pub fn sad_codes(a: &[u8], b: &[u8]) -> u32 {
    CodeKernel::new().sad(a, b)
}

/// See [`CodeKernel::sad4`].
pub fn sad_codes4(rows: [&[u8]; 4], query: &[u8]) -> [u32; 4] {
    CodeKernel::new().sad4(rows, query)
}
