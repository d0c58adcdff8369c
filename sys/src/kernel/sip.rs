//! SipHash-2-4 of many short ids at once (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF", 2012).
//!
//! A hash alone waits for itself; [`LANES`] side by side fill vector registers. The same Rust is compiled for each
//! instruction set, so that all give the same.

use super::Isa;

/// Ids that are hashed side by side.
pub const LANES: usize = 8;

/// SipHash-2-4 under the key zero, by the instruction set chosen.
#[derive(Clone, Copy, Debug)]
pub struct SipKernel {
    isa: Isa,
}

impl SipKernel {
    /// The kernel for this CPU.
    pub fn new() -> Self {
        let found = [Isa::Avx512, Isa::Avx2].into_iter().find_map(Self::with_isa);
        found.unwrap_or(Self { isa: Isa::Scalar })
    }

    /// The kernel of one instruction set, for tests and benchmarks; `None` if the CPU lacks it or it has none.
    pub fn with_isa(isa: Isa) -> Option<Self> {
        let has_one = matches!(isa, Isa::Scalar | Isa::Avx2 | Isa::Avx512);
        (has_one && isa.is_present()).then_some(Self { isa })
    }

    /// The hash of each id, which is `W` words of 8 bytes, little-endian.
    pub fn hash<const W: usize>(&self, ids: &[[u64; W]; LANES]) -> [u64; LANES] {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `with_isa` hands a kernel out only where its instruction set is present.
            Isa::Avx512 => unsafe { avx512(ids) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Isa::Avx2 => unsafe { avx2(ids) },
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx512 | Isa::Avx2 => hash(ids),
            Isa::Scalar | Isa::Simsimd | Isa::Neon => hash(ids),
        }
    }
}

impl Default for SipKernel {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn avx512<const W: usize>(ids: &[[u64; W]; LANES]) -> [u64; LANES] {
    hash(ids)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<const W: usize>(ids: &[[u64; W]; LANES]) -> [u64; LANES] {
    hash(ids)
}

/// The hash of one id.
pub fn sip_hash<const W: usize>(id: [u64; W]) -> u64 {
    let [hash] = keyed([0; 2], &[id]);
    hash
}

#[inline(always)]
fn hash<const W: usize>(ids: &[[u64; W]; LANES]) -> [u64; LANES] {
    keyed([0; 2], ids)
}

#[inline(always)]
fn keyed<const W: usize, const N: usize>([low, high]: [u64; 2], ids: &[[u64; W]; N]) -> [u64; N] {
    let mut state = [
        [low ^ 0x736f_6d65_7073_6575; N],
        [high ^ 0x646f_7261_6e64_6f6d; N],
        [low ^ 0x6c79_6765_6e65_7261; N],
        [high ^ 0x7465_6462_7974_6573; N],
    ];
    for at in 0..W {
        absorb(&mut state, &std::array::from_fn(|id| ids[id][at]));
    }
    // The last word is what is left over, which is nothing, with the length in its highest byte.
    absorb(&mut state, &[(W as u64 * 8) << 56; N]);
    state[2] = state[2].map(|c| c ^ 0xff);
    for _ in 0..4 {
        round(&mut state);
    }
    let [a, b, c, d] = state;
    std::array::from_fn(|id| a[id] ^ b[id] ^ c[id] ^ d[id])
}

#[inline(always)]
fn absorb<const N: usize>(state: &mut [[u64; N]; 4], words: &[u64; N]) {
    each(&mut state[3], words, |d, word| d ^ word);
    round(state);
    round(state);
    each(&mut state[0], words, |a, word| a ^ word);
}

#[inline(always)]
fn each<const N: usize>(all: &mut [u64; N], others: &[u64; N], combine: impl Fn(u64, u64) -> u64) {
    for id in 0..N {
        all[id] = combine(all[id], others[id]);
    }
}

#[inline(always)]
fn round<const N: usize>([a, b, c, d]: &mut [[u64; N]; 4]) {
    each(a, b, u64::wrapping_add);
    each(c, d, u64::wrapping_add);
    each(b, a, |b, a| b.rotate_left(13) ^ a);
    each(d, c, |d, c| d.rotate_left(16) ^ c);
    *a = a.map(|a| a.rotate_left(32));
    each(c, b, u64::wrapping_add);
    each(a, d, u64::wrapping_add);
    each(b, c, |b, c| b.rotate_left(17) ^ c);
    each(d, a, |d, a| d.rotate_left(21) ^ a);
    *c = c.map(|c| c.rotate_left(32));
}

#[cfg(test)]
mod tests;
