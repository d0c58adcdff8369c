//! How near are two rows?
//!
//! A [`Kernel`] is chosen once for a metric and an element type and then scores bytes as they lie
//! in memory. Larger scores are nearer, whatever the metric.
//!
//! | file | holds |
//! |---|---|
//! | `drive.rs` | the loops around a kernel: one row, many rows, many queries |
//! | `packed/` | inner products with codes of 1, 2, 4 or 8 bits |
//! | `sad.rs` | absolute differences of codes of 8 bits |
//! | `sip.rs` | hashes of ids, many at once |
//! | `gaps.rs` | ascending numbers out of few bits |
//! | `maxsim.rs` | sums of best scores: multivectors |
//! | `norm.rs` | normalisation of vectors before they are stored |
//! | `scalar.rs` | plain Rust, the oracle and the fallback |
//! | `simsimd.rs`, `avx2.rs`, `avx512.rs`, `neon.rs` | one instruction set or library each |

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod drive;
pub mod gaps;
mod maxsim;
#[cfg(target_arch = "aarch64")]
mod neon;
mod norm;
pub mod packed;
pub mod sad;
mod scalar;
mod simsimd;
pub mod sip;

pub use maxsim::{Interaction, MaxSim};
pub use norm::{UNIT_LENGTH_MOST, unit_scale};

use crate::element::Element;
use drive::Pairing;
use std::fmt;

/// What a score measures. Every score is larger for nearer rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// The inner product; on normalised vectors that is the cosine.
    Dot,
    /// The cosine of unsigned bytes, which cannot be stored normalised; 0 if either row is all
    /// zeros. For [`Element::U8`] only.
    CosineU8,
    /// Minus the squared Euclidean distance.
    L2,
    /// Minus the Manhattan distance.
    L1,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 4] = [Self::Dot, Self::CosineU8, Self::L2, Self::L1];
}

/// An instruction set, or the library that picks its own, that kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Isa {
    /// Plain Rust: on every CPU.
    Scalar,
    /// The simsimd library and whatever it finds on the CPU.
    Simsimd,
    /// x86-64 with AVX2, FMA and F16C.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL, DQ and VNNI.
    Avx512,
    /// 64-bit ARM with NEON.
    Neon,
}

impl Isa {
    /// Every variant, present on this CPU or not.
    pub const ALL: [Self; 5] = [Self::Scalar, Self::Simsimd, Self::Avx2, Self::Avx512, Self::Neon];

    /// Whether this CPU has it.
    pub fn is_present(self) -> bool {
        match self {
            Self::Scalar | Self::Simsimd => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::is_present(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::is_present(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => neon::is_present(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => false,
        }
    }

    /// A lower-case name for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Simsimd => "simsimd",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
        }
    }
}

/// The order in which instruction sets are tried for kernels over codes; the last resort is plain Rust.
const FOR_CODES: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Neon];

/// The order in which instruction sets are tried for a pair; the first that is present and has a
/// kernel for it scores everything.
///
/// Measured on a Zen 4 (nanoseconds a row in the cache, one row at a time):
///
/// | pair | dim | simsimd 6.5 | AVX2 | AVX-512 |
/// |---|---|---|---|---|
/// | dot f32 | 128 | 11.3 | 7.1 | **5.8** |
/// | dot f32 | 768 | 44.1 | 30.4 | **29.4** |
/// | L2 f32 | 768 | 45.6 | 32.5 | **29.4** |
/// | L1 f32 | 768 | - | 37.2 | **30.3** |
/// | dot f16 | 128 | 18.5 | **7.4** | 9.7 |
/// | dot f16 | 768 | 98.1 | **31.0** | 44.4 |
/// | L2 f16 | 768 | 102.7 | **42.6** | 52.8 |
/// | L1 f16 | 768 | - | **54.2** | 63.4 |
/// | dot u8 | 768 | - | 19.2 | **14.0** |
/// | L2 u8 | 768 | - | 22.6 | **17.1** |
/// | L1 u8 | 768 | - | 9.5 | **8.9** |
/// | cosine u8 | 768 | - | 52.2 | **33.3** |
///
/// So AVX-512 and AVX2 use our kernels, and the f16 ones of AVX-512 are not kept. In
/// scans of matrices larger than the caches f32 kernels differ little: memory is the limit. Where
/// nothing was measured, simsimd goes first for f32. For f16 it does not, because on some ARM CPUs
/// it also sums in half precision.
fn preference(element: Element) -> [Isa; 5] {
    use Isa::{Avx2, Avx512, Neon, Scalar, Simsimd};
    match element {
        Element::F32 => [Avx512, Avx2, Simsimd, Neon, Scalar],
        Element::F16 | Element::U8 => [Avx512, Avx2, Neon, Simsimd, Scalar],
    }
}

/// One way to score rows of one element type.
///
/// For a given metric, element type and CPU, equal bytes give equal scores, bit for bit: from every
/// method, at every address, in every position of a batch. Scores of finite rows are finite: where
/// sums overflow in single precision, the pair is summed again in double, and what no `f32` can say
/// becomes the largest that one can.
#[derive(Clone, Copy)]
pub struct Kernel {
    metric: Metric,
    element: Element,
    isa: Isa,
    pairing: Pairing,
    by_root: bool,
}

impl Kernel {
    /// The kernel for a metric and element type on this CPU.
    ///
    /// # Panics
    /// If `metric` is [`Metric::CosineU8`] and `element` is not [`Element::U8`].
    pub fn new(metric: Metric, element: Element) -> Self {
        let best = preference(element)
            .into_iter()
            .find_map(|isa| Self::with_isa(metric, element, isa));
        let Some(best) = best else {
            unsupported(metric, element)
        };
        best
    }

    /// The kernel of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or
    /// it has no kernel for the pair.
    pub fn with_isa(metric: Metric, element: Element, isa: Isa) -> Option<Self> {
        let pairing = match isa {
            Isa::Scalar => scalar::pairing_of(metric, element),
            Isa::Simsimd => simsimd::pairing_of(metric, element),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if isa.is_present() => avx2::pairing_of(metric, element),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if isa.is_present() => avx512::pairing_of(metric, element),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon if isa.is_present() => neon::pairing_of(metric, element),
            Isa::Avx2 | Isa::Avx512 | Isa::Neon => None,
        }?;
        Some(Self {
            metric,
            element,
            isa,
            pairing,
            by_root: false,
        })
    }

    /// The same kernel for whoever shows roots of scores: squared distances whose roots are the same
    /// `f32` become one score, the square of that root, so that what looks equal is equal. Changes
    /// nothing but [`Metric::L2`].
    #[must_use]
    pub fn by_root(self) -> Self {
        Self {
            by_root: self.metric == Metric::L2,
            ..self
        }
    }

    /// What the scores measure.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The type of a component.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The instruction set that was chosen.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The name of the instruction set that was chosen.
    pub fn isa_name(&self) -> &'static str {
        self.isa.name()
    }

    /// Scores a row against a query, both encoded as the kernel's element type.
    ///
    /// # Panics
    /// If the lengths differ or are not a whole number of components.
    #[inline]
    pub fn score(&self, query: &[u8], row: &[u8]) -> f32 {
        assert_eq!(query.len(), row.len(), "lengths of query and row");
        assert!(self.is_whole(query.len()), "length of an encoded row");
        // SAFETY: `with_isa` hands a pairing out only where its CPU features are present; the
        // lengths were checked.
        let score = unsafe { (self.pairing.one)(query, row) };
        let finite = if score.is_finite() {
            score
        } else {
            self.sum_again(query, row)
        };
        if self.by_root {
            root_and_square(finite)
        } else {
            finite
        }
    }

    /// Scores rows that lie back to back; `out[i]` becomes the score of row `i`.
    ///
    /// # Panics
    /// If `rows` is not `out.len()` rows as long as `query`, or that is not a whole number of
    /// components.
    pub fn score_rows(&self, query: &[u8], rows: &[u8], out: &mut [f32]) {
        self.check_rows(query.len(), rows.len(), out.len());
        if query.is_empty() {
            return out.fill(self.score(&[], &[]));
        }
        // SAFETY: CPU features as in `score`; the lengths were checked and are not 0.
        unsafe { (self.pairing.rows)(query, rows, out) }
        self.settle(out, |at| (query, &rows[at * query.len()..][..query.len()]));
    }

    /// Scores rows that lie anywhere; `out[i]` becomes the score of `rows[i]`. Later rows are
    /// prefetched while earlier ones are scored.
    ///
    /// # Panics
    /// If there are not as many places in `out` as rows, a row is not as long as `query`, or that
    /// is not a whole number of components.
    pub fn score_gather(&self, query: &[u8], rows: &[&[u8]], out: &mut [f32]) {
        assert_eq!(rows.len(), out.len(), "places for scores");
        assert!(
            rows.iter().all(|row| row.len() == query.len()),
            "lengths of query and rows"
        );
        assert!(self.is_whole(query.len()), "length of an encoded row");
        // SAFETY: CPU features as in `score`; the lengths were checked.
        unsafe { (self.pairing.gather)(query, rows, out) }
        self.settle(out, |at| (query, rows[at]));
    }

    /// Scores rows that lie back to back against several queries in one pass over the rows:
    /// `out[i * queries.len() + j]` becomes the score of row `i` and query `j`. Memory bandwidth is
    /// shared by the queries; about 8 at a time do best.
    ///
    /// # Panics
    /// If queries differ in length, `out` is not a whole number of rows of `queries.len()` scores,
    /// `rows` is not that many rows as long as a query, or that is not a whole number of components.
    pub fn score_rows_multi(&self, queries: &[&[u8]], rows: &[u8], out: &mut [f32]) {
        let Some(first) = queries.first() else {
            assert!(out.is_empty(), "places for scores without queries");
            return;
        };
        assert!(
            queries.iter().all(|query| query.len() == first.len()),
            "lengths of queries"
        );
        assert!(out.len().is_multiple_of(queries.len()), "places for scores");
        self.check_rows(first.len(), rows.len(), out.len() / queries.len());
        if first.is_empty() {
            return out.fill(self.score(&[], &[]));
        }
        // SAFETY: CPU features as in `score`; the lengths were checked and are not 0.
        unsafe { (self.pairing.multi)(queries, rows, out) }
        let (many, len) = (queries.len(), first.len());
        self.settle(out, |at| (queries[at % many], &rows[at / many * len..][..len]));
    }

    /// Makes finite what overflowed, and rounds by roots if that is wanted. `pair` answers the query and
    /// the row of a score.
    #[inline]
    fn settle<'a>(&self, out: &mut [f32], pair: impl Fn(usize) -> (&'a [u8], &'a [u8])) {
        // Without an early end, so that it becomes vector code.
        if !out.iter().fold(true, |all, score| all & score.is_finite()) {
            for (at, score) in out.iter_mut().enumerate().filter(|(_, score)| !score.is_finite()) {
                let (query, row) = pair(at);
                *score = self.sum_again(query, row);
            }
        }
        if self.by_root {
            out.iter_mut().for_each(|score| *score = root_and_square(*score));
        }
    }

    /// Scores in double precision: the sums of one instruction set overflow where those of another do
    /// not, and two that overflowed to both sides are no number. The lengths were checked.
    #[cold]
    fn sum_again(&self, query: &[u8], row: &[u8]) -> f32 {
        let Some(scalar) = scalar::pairing_of(self.metric, self.element) else {
            unsupported(self.metric, self.element)
        };
        // SAFETY: plain Rust needs no CPU features; callers checked the lengths.
        let score = unsafe { (scalar.one)(query, row) };
        score.clamp(-f32::MAX, f32::MAX)
    }

    /// Whether so many bytes are a whole number of components.
    #[inline]
    fn is_whole(&self, row_bytes: usize) -> bool {
        // Sizes are powers of two, and a division would show in the score of a short row.
        row_bytes & (self.element.size() - 1) == 0
    }

    fn check_rows(&self, row_bytes: usize, bytes: usize, count: usize) {
        assert!(self.is_whole(row_bytes), "length of an encoded row");
        assert_eq!(row_bytes.checked_mul(count), Some(bytes), "length of the rows");
    }
}

/// Minus the square of the root of what `score` is minus of: again the same root, and one score for all
/// that have it.
#[inline]
fn root_and_square(score: f32) -> f32 {
    let root = (-score).sqrt();
    -(root * root).min(f32::MAX)
}

#[cold]
#[expect(clippy::panic, reason = "documented: a pair that no caller may ask for")]
fn unsupported(metric: Metric, element: Element) -> ! {
    panic!("no kernel for {metric:?} over {element:?}")
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("metric", &self.metric)
            .field("element", &self.element)
            .field("isa", &self.isa)
            .finish()
    }
}

/// Fetches every cache line of `bytes` into the nearest cache, without waiting.
#[inline(always)]
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing that the program could see and never faults; SSE is part
        // of every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    for line in bytes.chunks(64) {
        // SAFETY: a prefetch reads nothing that the program could see and never faults.
        unsafe {
            std::arch::asm!(
                "prfm pldl1keep, [{0}]",
                in(reg) line.as_ptr(),
                options(nostack, preserves_flags, readonly),
            );
        }
    }
    #[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", not(miri)))))]
    let _ = bytes;
}

#[cfg(test)]
mod tests;
