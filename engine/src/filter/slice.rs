//! Slices of the id space: `total` disjoint parts that together hold every point, for scans in parallel and samples
//! that can be drawn again.

use vdb_index::{RowBits, RowSet};
use vdb_storage::PointId;

use super::error::{FilterError, Place};

/// One of `total` parts of the id space: the points whose hashed id leaves `index` when divided by `total`. The hash
/// has no salt, so that a slice of 4 lies within one of 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// How many parts there are; at least 1.
    pub total: u32,
    /// Which one is meant; below `total`.
    pub index: u32,
}

impl Slice {
    /// Whether this is a slice at all; `place` is the condition's.
    pub(super) fn check(self, place: &Place<'_>) -> Result<(), FilterError> {
        if self.total == 0 {
            return Err(place.key("total").invalid("expected 1 or more, found 0"));
        }
        if self.index >= self.total {
            return Err(place.key("index").invalid(format!(
                "expected an index below the total of {}, found {}",
                self.total, self.index
            )));
        }
        Ok(())
    }

    /// Whether the point of this id is in the slice.
    pub(super) fn contains(self, id: PointId) -> bool {
        let parts = Parts::of(self);
        match id {
            PointId::Num(number) => parts.has(sip_hash([[number]])),
            PointId::Uuid(uuid) => parts.has(sip_hash([words(uuid.as_bytes())])),
        }
    }

    /// The rows of a segment whose points are in the slice: first those with numbers, then those with UUIDs.
    pub(crate) fn rows_among(self, numbers: &[u64], uuids: &[[u8; 16]]) -> RowSet {
        let parts = Parts::of(self);
        let mut found = RowBits::empty((numbers.len() + uuids.len()) as u32);
        let mut row = 0;
        let mut take = |hash: u64| {
            if parts.holds(hash) {
                found.insert(row);
            }
            row += 1;
        };
        let (groups, rest) = numbers.as_chunks::<LANES>();
        for group in groups {
            sip_hash(group.map(|number| [number]))
                .into_iter()
                .for_each(&mut take);
        }
        for number in rest {
            sip_hash([[*number]]).into_iter().for_each(&mut take);
        }
        let (groups, rest) = uuids.as_chunks::<LANES>();
        for group in groups {
            sip_hash(group.map(|uuid| words(&uuid)))
                .into_iter()
                .for_each(&mut take);
        }
        for uuid in rest {
            sip_hash([words(uuid)]).into_iter().for_each(&mut take);
        }
        RowSet::Bits(found)
    }
}

/// Ids that are hashed side by side: a hash alone waits for itself.
const LANES: usize = 8;

/// A slice, made ready to be asked often.
struct Parts {
    total: u64,
    index: u64,
    /// The largest number of which `total` times it has 64 bits.
    reciprocal: u64,
}

impl Parts {
    fn of(slice: Slice) -> Self {
        let total = u64::from(slice.total).max(1);
        Self {
            total,
            index: u64::from(slice.index),
            reciprocal: u64::MAX / total,
        }
    }

    /// Whether the hash leaves the index when divided by the total. The product with the reciprocal is the quotient or one
    /// less: it is off by less than `hash / 2^64`.
    fn holds(&self, hash: u64) -> bool {
        let quotient = ((u128::from(hash) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = hash - quotient * self.total;
        let rest = if rest >= self.total {
            rest - self.total
        } else {
            rest
        };
        rest == self.index
    }

    fn has(&self, [hash]: [u64; 1]) -> bool {
        self.holds(hash)
    }
}

fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    [word(0), word(1)]
}

fn sip_hash<const W: usize, const N: usize>(ids: [[u64; W]; N]) -> [u64; N] {
    keyed_sip_hash(ids, 0, 0)
}

/// SipHash-2-4 of the words of each id under the key of two halves (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast
/// short-input PRF", 2012). Fixed here, because which slice a point is in must not change with a library.
fn keyed_sip_hash<const W: usize, const N: usize>(
    ids: [[u64; W]; N],
    key_low: u64,
    key_high: u64,
) -> [u64; N] {
    let mut state = [
        [key_low ^ 0x736f_6d65_7073_6575; N],
        [key_high ^ 0x646f_7261_6e64_6f6d; N],
        [key_low ^ 0x6c79_6765_6e65_7261; N],
        [key_high ^ 0x7465_6462_7974_6573; N],
    ];
    let mut absorb = |words: [u64; N]| {
        each(&mut state[3], &words, |d, word| d ^ word);
        round(&mut state);
        round(&mut state);
        each(&mut state[0], &words, |a, word| a ^ word);
    };
    for at in 0..W {
        absorb(ids.map(|words| words[at]));
    }
    // The last word is what is left over, which is nothing, with the length in its highest byte.
    absorb([(W as u64 * 8) << 56; N]);
    state[2] = state[2].map(|c| c ^ 0xff);
    for _ in 0..4 {
        round(&mut state);
    }
    let [mut hash, b, c, d] = state;
    for other in [b, c, d] {
        each(&mut hash, &other, |hash, other| hash ^ other);
    }
    hash
}

fn each<const N: usize>(all: &mut [u64; N], others: &[u64; N], combine: impl Fn(u64, u64) -> u64) {
    for (one, other) in all.iter_mut().zip(others) {
        *one = combine(*one, *other);
    }
}

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
