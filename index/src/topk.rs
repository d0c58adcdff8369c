//! The k best of a stream of scored rows, with a fixed order of ties.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A scored row as one number: greater is better. Score first, then the smaller row.
///
/// The float's bits are turned into an order-preserving integer, so that a comparison is one instruction and
/// the order is total. Negative zero counts as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ranked(u64);

impl Ranked {
    fn new(score: f32, row: u32) -> Self {
        Self(u64::from(order_bits(score + 0.0)) << 32 | u64::from(!row))
    }

    fn score(self) -> f32 {
        from_order_bits((self.0 >> 32) as u32)
    }

    fn row(self) -> u32 {
        !(self.0 as u32)
    }
}

/// Maps a float to an integer of the same order (`-inf` lowest, `inf` highest of the numbers).
pub(crate) fn order_bits(score: f32) -> u32 {
    let bits = score.to_bits();
    // Negative numbers grow downwards in their bit patterns: flip all their bits, else only the sign.
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

/// The inverse of [`order_bits`].
pub(crate) fn from_order_bits(bits: u32) -> f32 {
    f32::from_bits(bits ^ (((!bits as i32 >> 31) as u32) | 0x8000_0000))
}

/// Keeps the `k` best of the rows it is shown: larger scores win, then smaller rows. NaN never enters.
///
/// The outcome depends only on the set of rows shown, not on their order; a row shown twice counts twice.
#[derive(Debug, Clone)]
pub struct TopK {
    k: usize,
    /// The worst kept on top.
    heap: BinaryHeap<Reverse<Ranked>>,
}

impl TopK {
    /// Keeps at most `k` rows. `k` may be anything: memory grows with the rows kept.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::with_capacity(k.min(1024)),
        }
    }

    /// Empties it for another `k`, keeping the memory.
    pub fn reset(&mut self, k: usize) {
        self.k = k;
        self.heap.clear();
    }

    /// The bound on the rows kept.
    pub fn k(&self) -> usize {
        self.k
    }

    /// How many rows are kept now.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// A row that scores below this cannot enter. `-inf` while there is room.
    pub fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.k => worst.0.score(),
            Some(_) | None => f32::NEG_INFINITY,
        }
    }

    /// Shows one row.
    pub fn push(&mut self, score: f32, row: u32) {
        if score.is_nan() || self.k == 0 {
            return;
        }
        let new = Reverse(Ranked::new(score, row));
        if self.heap.len() < self.k {
            self.heap.push(new);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && new < *worst
        {
            *worst = new;
        }
    }

    /// Shows everything that another one kept.
    pub fn merge(&mut self, other: &TopK) {
        for Reverse(ranked) in &other.heap {
            self.push(ranked.score(), ranked.row());
        }
    }

    /// The rows kept, best first.
    pub fn into_sorted(self) -> Vec<(f32, u32)> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(r)| (r.score(), r.row()))
            .collect()
    }

    /// Appends the rows kept to `out`, best first, and empties it, keeping the memory.
    pub fn drain_sorted(&mut self, out: &mut Vec<(f32, u32)>) {
        let start = out.len();
        out.extend(self.heap.drain().map(|Reverse(r)| (r.score(), r.row())));
        out[start..].sort_unstable_by_key(|&(score, row)| Reverse(Ranked::new(score, row)));
    }
}

#[cfg(test)]
mod tests;
