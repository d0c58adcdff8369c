//! Ascending numbers out of few bits: a block of gaps between them, all in as many bits as the widest takes, back to back from the
//! lowest bit up.
//!
//! Eight gaps of `width` bits take `width` bytes, so that each eighth gap begins with a byte, at the same place for all eights. With
//! AVX2, bytes are brought to their gaps by one shuffle, bits to their places by one shift of each its own, and sums are made in
//! steps that double (Lemire and Boytsov, "Decoding billions of integers per second through vectorization", 2015, have the same for gaps that
//! lie side by side).

use super::Isa;

/// Numbers of a block.
pub const BLOCK: usize = 128;

/// Words of the widest block, and one that the last gap may seem to reach into.
const PADDED: usize = BLOCK + 1;

/// Ascending numbers from their gaps, by the instruction set chosen.
#[derive(Clone, Copy, Debug)]
pub struct GapsKernel {
    isa: Isa,
}

impl GapsKernel {
    /// The kernel for this CPU.
    pub fn new() -> Self {
        Self::with_isa(Isa::Avx2).unwrap_or(Self { isa: Isa::Scalar })
    }

    /// The kernel of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or it has none.
    pub fn with_isa(isa: Isa) -> Option<Self> {
        let has_one = matches!(isa, Isa::Scalar | Isa::Avx2);
        (has_one && isa.is_present()).then_some(Self { isa })
    }

    /// Makes of the gaps in `words`, of `width` bits each, the numbers of a block: each is the one before, here `before` for the
    /// first, plus one, plus its gap, modulo 2^32. Words that are not there are zeros; what lies behind the gaps of a shorter block makes
    /// numbers as well. `false`, and nothing done, where no gap is so wide.
    pub fn numbers(&self, words: &[u32], width: u32, before: u32, numbers: &mut [u32; BLOCK]) -> bool {
        let padded;
        let words = match words.first_chunk() {
            Some(words) => words,
            None => {
                let mut copy = [0; PADDED];
                copy[..words.len()].copy_from_slice(words);
                padded = copy;
                &padded
            }
        };
        if self.isa == Isa::Avx2 {
            // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
            let is_done = unsafe { numbers_by_avx2(words, width, before, numbers) };
            if is_done {
                return true;
            }
        }
        if !unpack(words, width, numbers) {
            return false;
        }
        let mut number = before;
        for gap in numbers {
            number = number.wrapping_add(*gap).wrapping_add(1);
            *gap = number;
        }
        true
    }
}

impl Default for GapsKernel {
    fn default() -> Self {
        Self::new()
    }
}

/// [`GapsKernel::numbers`] of a CPU with AVX2. False, and nothing done, where there is no kernel for it.
///
/// # Safety
/// The CPU has AVX2.
#[cfg(target_arch = "x86_64")]
unsafe fn numbers_by_avx2(
    words: &[u32; PADDED],
    width: u32,
    before: u32,
    numbers: &mut [u32; BLOCK],
) -> bool {
    let places = avx2::PLACES.get(width as usize);
    if let Some(places) = places {
        // SAFETY: as the caller promises.
        unsafe { avx2::numbers(words, places, before, numbers) };
    }
    places.is_some()
}

/// # Safety
/// None is needed: no such CPU has AVX2.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn numbers_by_avx2(_: &[u32; PADDED], _: u32, _: u32, _: &mut [u32; BLOCK]) -> bool {
    false
}

fn unpack(words: &[u32; PADDED], width: u32, out: &mut [u32; BLOCK]) -> bool {
    macro_rules! by_width {
        ($($bits:literal)*) => {
            match width {
                $($bits => unpack_bits::<$bits>(words, out),)*
                _ => return false,
            }
        };
    }
    by_width!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
    true
}

/// One loop a width: all positions are known to the compiler.
fn unpack_bits<const WIDTH: usize>(words: &[u32; PADDED], out: &mut [u32; BLOCK]) {
    let mask = (1u64 << WIDTH) - 1;
    for (at, number) in out.iter_mut().enumerate() {
        let bit = at * WIDTH;
        let pair = u64::from(words[bit / 32]) | u64::from(words[bit / 32 + 1]) << 32;
        *number = (pair >> (bit % 32) & mask) as u32;
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256,
        _mm256_permute2x128_si256, _mm256_permutevar8x32_epi32, _mm256_set_m128i, _mm256_set1_epi32,
        _mm256_shuffle_epi8, _mm256_shuffle_epi32, _mm256_slli_si256, _mm256_srlv_epi32, _mm256_storeu_si256,
    };

    use super::{BLOCK, PADDED};

    /// Gaps of more bits may reach into five bytes.
    const WIDEST: usize = 25;

    /// Where eight gaps lie in `width` bytes: the first four in sixteen bytes from their start, the others in sixteen from half
    /// of the width.
    pub(super) struct Places {
        width: usize,
        mask: u32,
        /// For each byte of each gap, which of the sixteen it is.
        bytes: [u8; 32],
        /// Bits before each gap in its first byte.
        shifts: [u32; 8],
    }

    /// By width.
    pub(super) static PLACES: [Places; WIDEST + 1] = {
        let mut all = [const { Places::of(0) }; WIDEST + 1];
        let mut width = 0;
        while width <= WIDEST {
            all[width] = Places::of(width);
            width += 1;
        }
        all
    };

    impl Places {
        const fn of(width: usize) -> Self {
            let mut places = Self {
                width,
                mask: (1 << width) - 1,
                bytes: [0; 32],
                shifts: [0; 8],
            };
            let mut gap = 0;
            while gap < 8 {
                let start = if gap < 4 { 0 } else { width / 2 };
                let bit = gap * width - start * 8;
                places.shifts[gap] = (bit % 8) as u32;
                let mut byte = 0;
                while byte < 4 {
                    places.bytes[gap * 4 + byte] = (bit / 8 + byte) as u8;
                    byte += 1;
                }
                gap += 1;
            }
            places
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: the reference covers the 32 bytes that are loaded; the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load_half(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: the reference covers the 16 bytes that are loaded; the load needs no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(numbers: __m256i, out: &mut [u32; 8]) {
        // SAFETY: the reference covers the 32 bytes that are stored; the store needs no alignment.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), numbers) }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn numbers(words: &[u32; PADDED], places: &Places, before: u32, out: &mut [u32; BLOCK]) {
        let bytes: &[u8] = bytemuck::cast_slice(words);
        // The last ones end 16 bytes behind byte 15 * 25 + 12, of 516.
        let part = |at: usize| load_half(bytes[at..].first_chunk().unwrap_or(&[0; 16]));
        let which = load(&places.bytes);
        let shifts = load(bytemuck::cast_ref(&places.shifts));
        let mask = _mm256_set1_epi32(places.mask.cast_signed());
        let (one, last) = (_mm256_set1_epi32(1), _mm256_set1_epi32(7));
        let mut sum = _mm256_set1_epi32(before.cast_signed());
        let mut at = 0;
        for out in out.as_chunks_mut::<8>().0 {
            let both = _mm256_set_m128i(part(at + places.width / 2), part(at));
            let gaps = _mm256_srlv_epi32(_mm256_shuffle_epi8(both, which), shifts);
            let steps = _mm256_add_epi32(_mm256_and_si256(gaps, mask), one);
            // Sums of one, two and four steps in either half; then those of the first half for the second.
            let steps = _mm256_add_epi32(steps, _mm256_slli_si256::<4>(steps));
            let steps = _mm256_add_epi32(steps, _mm256_slli_si256::<8>(steps));
            let first = _mm256_permute2x128_si256::<0x08>(steps, steps);
            let steps = _mm256_add_epi32(steps, _mm256_shuffle_epi32::<0xff>(first));
            let numbers = _mm256_add_epi32(steps, sum);
            store(numbers, out);
            sum = _mm256_permutevar8x32_epi32(numbers, last);
            at += places.width;
        }
    }
}

#[cfg(test)]
mod tests;
