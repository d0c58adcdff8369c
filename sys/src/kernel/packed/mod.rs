//! Inner products of a signed query with codes of 1, 2, 4 or 8 bits.
//!
//! Codes are unsigned and lie in cache lines of 64 bytes: bits `k * bits..(k + 1) * bits` of byte `j` of a line are
//! its code `(k, j)`. The query holds a signed byte for each code, line after line, and in a line the 64 bytes of
//! `k = 0`, then those of `k = 1`, and so on: a row is taken apart by shifts and masks, and its parts meet the query
//! without any shuffling. What a row holds besides codes, in its last bytes for example, meets zeros in the query.
//!
//! Sums are exact integers, and scores are made of them by the same steps, so every instruction set gives the same.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::{FOR_CODES, Isa};
use std::fmt;

/// Rows of codes are padded to a multiple of this many bytes: cache lines.
pub const PADDING: usize = 64;

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

/// Bytes of a row's factors, its last ones, where [`score_rows`](PackedKernel::score_rows) reads it.
pub const FACTORS: usize = 8;

/// The two numbers, little-endian, that a row ends with: its scale and its bias.
#[inline(always)]
pub fn factors(row: &[u8]) -> [f32; 2] {
    match row.last_chunk::<FACTORS>() {
        Some(bytes) => {
            let [a, b, c, d, e, f, g, h] = *bytes;
            [f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h])]
        }
        None => [0.0; 2],
    }
}

/// How the sum of a row becomes its score: the sum times `step` less `excess`, modulo 2^32, is multiplied with `scale` and the
/// scale of the row, and its bias is added.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// What the scale of a row is multiplied with.
    pub scale: f32,
    /// What a sum is multiplied with.
    pub step: i32,
    /// What is taken from that.
    pub excess: i32,
}

impl Finish {
    /// The sum of products of values, from the sum over stored codes.
    #[inline(always)]
    pub fn products(self, sum: i32) -> f32 {
        sum.wrapping_mul(self.step).wrapping_sub(self.excess) as f32
    }

    /// The score of a row with this sum and these [`factors`]: a finite number. What overflowed is far away, and still a row:
    /// NaN becomes the least.
    #[inline(always)]
    pub fn score(self, sum: i32, [scale, bias]: [f32; 2]) -> f32 {
        let score = self.scale * scale * self.products(sum) + bias;
        #[expect(clippy::manual_clamp, reason = "`clamp` would keep NaN")]
        score.max(f32::MIN).min(f32::MAX)
    }

    /// Four scores, for which compilers use vector registers.
    #[inline(always)]
    fn four(self, sums: [i32; 4], rows: [&[u8]; 4]) -> [f32; 4] {
        let (mut factors_of, mut scores) = ([[0.0; 2]; 4], [0.0; 4]);
        for r in 0..4 {
            factors_of[r] = factors(rows[r]);
        }
        for r in 0..4 {
            scores[r] = self.score(sums[r], factors_of[r]);
        }
        scores
    }
}

/// Entry points of one instruction set for one width. Calling them requires that the CPU has it, and lengths as checked
/// by [`PackedKernel`]; a row number may be any: what lies outside of the codes panics.
#[derive(Clone, Copy)]
struct Entry {
    one: unsafe fn(&[i8], [&[u8]; 1]) -> [i32; 1],
    four: unsafe fn(&[i8], [&[u8]; 4]) -> [i32; 4],
    rows: unsafe fn(&[i8], Picked<'_>, Finish, &mut [f32]),
}

/// Rows of codes that lie back to back, by their numbers.
#[derive(Clone, Copy)]
struct Picked<'a> {
    codes: &'a [u8],
    width: usize,
    rows: &'a [u32],
}

impl<'a> Picked<'a> {
    #[inline(always)]
    fn row(self, number: u32) -> &'a [u8] {
        &self.codes[number as usize * self.width..][..self.width]
    }
}

/// Defines `entry`, the entry points of a module, from its `dot::<BITS>` of one row and its `dot4::<BITS>` of four, which
/// are compiled for `$features`.
macro_rules! entries {
    ($($features:literal)?) => {
        /// The kernels of a width; to be called only where the instructions are present.
        pub(super) fn entry(bits: Bits) -> Entry {
            match bits {
                Bits::One => entries!(@ 1 $($features)?),
                Bits::Two => entries!(@ 2 $($features)?),
                Bits::Four => entries!(@ 4 $($features)?),
                Bits::Eight => entries!(@ 8 $($features)?),
            }
        }
    };
    (@ $bits:literal $($features:literal)?) => {{
        $(#[target_feature(enable = $features)])?
        fn rows(query: &[i8], picked: Picked<'_>, finish: Finish, out: &mut [f32]) {
            let (fours, rest) = picked.rows.as_chunks::<4>();
            let (scores, last) = out.as_chunks_mut::<4>();
            for (scores, &[a, b, c, d]) in scores.iter_mut().zip(fours) {
                let four = [picked.row(a), picked.row(b), picked.row(c), picked.row(d)];
                *scores = finish.four(dot4::<$bits>(query, four), four);
            }
            for (score, &number) in last.iter_mut().zip(rest) {
                let row = picked.row(number);
                let [sum] = dot::<$bits>(query, [row]);
                *score = finish.score(sum, factors(row));
            }
        }

        Entry { one: dot::<$bits>, four: dot4::<$bits>, rows }
    }};
}
use entries;

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
        let best = FOR_CODES.into_iter().find_map(|isa| Self::with_isa(isa, bits));
        best.unwrap_or_else(|| Self {
            isa: Isa::Scalar,
            bits,
            entry: scalar::entry(bits),
        })
    }

    /// The kernels of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or it has none.
    pub fn with_isa(isa: Isa, bits: Bits) -> Option<Self> {
        let entry = match isa {
            Isa::Scalar => scalar::entry(bits),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if isa.is_present() => avx2::entry(bits),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if isa.is_present() => avx512::entry(bits),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon if isa.is_present() => neon::entry(bits),
            Isa::Simsimd | Isa::Avx2 | Isa::Avx512 | Isa::Neon => return None,
        };
        Some(Self { isa, bits, entry })
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
        // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
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
        // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
        unsafe { (self.entry.four)(query, rows) }
    }

    /// The scores of any rows of `codes`, where rows lie back to back and end with their [`factors`]: `out[i]` becomes that of
    /// row `rows[i]`. Fetches nothing ahead: whoever knows the rows early calls [`prefetch`](super::prefetch).
    ///
    /// # Panics
    /// If a row of as many codes as `query` has bytes is not whole lines of [`PADDING`] bytes, `codes` has no such row, or
    /// there are not as many places in `out` as rows.
    pub fn score_rows(&self, codes: &[u8], rows: &[u32], query: &[i8], finish: Finish, out: &mut [f32]) {
        assert!(
            query.len().is_multiple_of(PADDING * self.bits.codes_a_byte()),
            "length of a query of packed rows"
        );
        assert_eq!(rows.len(), out.len(), "places for scores");
        let width = query.len() / self.bits.codes_a_byte();
        // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
        unsafe { (self.entry.rows)(query, Picked { codes, width, rows }, finish, out) }
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
