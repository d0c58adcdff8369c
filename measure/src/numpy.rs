//! `numpy.random.default_rng(seed)`, number for number: `permutation(n)` and `random(n)`.
//!
//! Three parts: `SeedSequence` spreads the seed over the generator's state, PCG64 (O'Neill, "PCG: A family of simple
//! fast space-efficient statistically good algorithms", 2014: a 128-bit linear congruential generator whose output
//! is folded and rotated, XSL-RR) makes 64-bit numbers, and a Fisher-Yates shuffle from the back draws each index by
//! masked rejection from 32-bit halves. So a split that a Python script made can be made again here.

/// The rows 0 to `n - 1`, shuffled: `numpy.random.default_rng(seed).permutation(n)`.
pub fn permutation(seed: u32, n: u32) -> Vec<u32> {
    let mut generator = Pcg64::seeded(seed);
    let mut rows: Vec<u32> = (0..n).collect();
    for last in (1..n).rev() {
        let other = generator.up_to(last);
        rows.swap(last as usize, other as usize);
    }
    rows
}

/// `n` numbers from 0 up to but not 1, all equally likely: `numpy.random.default_rng(seed).random(n)`.
pub fn uniform(seed: u32, n: usize) -> Vec<f64> {
    let mut generator = Pcg64::seeded(seed);
    let unit = 1.0 / (1_u64 << f64::MANTISSA_DIGITS) as f64;
    (0..n)
        .map(|_| (generator.next_u64() >> (u64::BITS - f64::MANTISSA_DIGITS)) as f64 * unit)
        .collect()
}

/// Words of the pool that a seed is spread over.
const POOL: usize = 4;

/// The hash of `SeedSequence`: a multiplier that changes with every word.
struct Hash {
    constant: u32,
    factor: u32,
}

impl Hash {
    fn word(&mut self, value: u32) -> u32 {
        let mixed = value ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.factor);
        let mixed = mixed.wrapping_mul(self.constant);
        mixed ^ (mixed >> 16)
    }
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = x
        .wrapping_mul(0xca01_f9dd)
        .wrapping_sub(y.wrapping_mul(0x4973_f715));
    mixed ^ (mixed >> 16)
}

/// `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_state(seed: u32) -> [u64; 4] {
    let mut hash = Hash {
        constant: 0x43b0_d7e5,
        factor: 0x931e_8875,
    };
    let mut pool = [0_u32; POOL];
    for (at, word) in pool.iter_mut().enumerate() {
        *word = hash.word(if at == 0 { seed } else { 0 });
    }
    for from in 0..POOL {
        for to in (0..POOL).filter(|to| *to != from) {
            pool[to] = mix(pool[to], hash.word(pool[from]));
        }
    }
    let mut out = Hash {
        constant: 0x8b51_f9dd,
        factor: 0x58f3_8ded,
    };
    std::array::from_fn(|at| {
        let low = out.word(pool[(2 * at) % POOL]);
        let high = out.word(pool[(2 * at + 1) % POOL]);
        u64::from(high) << 32 | u64::from(low)
    })
}

struct Pcg64 {
    state: u128,
    increment: u128,
    /// The upper half of the last 64-bit number, not handed out yet.
    spare: Option<u32>,
}

impl Pcg64 {
    const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

    fn seeded(seed: u32) -> Self {
        let [state_high, state_low, stream_high, stream_low] = seed_state(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let mut generator = Pcg64 {
            state: 0,
            increment: wide(stream_high, stream_low) << 1 | 1,
            spare: None,
        };
        generator.step();
        generator.state = generator.state.wrapping_add(wide(state_high, state_low));
        generator.step();
        generator
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(Self::FACTOR).wrapping_add(self.increment);
    }

    fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.spare.take() {
            return half;
        }
        let both = self.next_u64();
        self.spare = Some((both >> 32) as u32);
        both as u32
    }

    /// A number from 0 to `most`, all equally likely: numbers of as many bits until one is small enough.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX >> most.leading_zeros().min(31);
        loop {
            let value = self.next_u32() & mask;
            if value <= most {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests;
