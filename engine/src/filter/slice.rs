//! Slices of the id space: `total` disjoint parts that together hold every point, for scans in parallel and samples
//! that can be drawn again.

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
        let hash = match id {
            PointId::Num(number) => sip_hash(&number.to_le_bytes(), 0, 0),
            PointId::Uuid(uuid) => sip_hash(uuid.as_bytes(), 0, 0),
        };
        hash.checked_rem(u64::from(self.total)) == Some(u64::from(self.index))
    }
}

/// SipHash-2-4 of `bytes` under the key of two halves (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input
/// PRF", 2012). Fixed here, because which slice a point is in must not change with a library.
fn sip_hash(bytes: &[u8], key_low: u64, key_high: u64) -> u64 {
    let mut state = [
        key_low ^ 0x736f_6d65_7073_6575,
        key_high ^ 0x646f_7261_6e64_6f6d,
        key_low ^ 0x6c79_6765_6e65_7261,
        key_high ^ 0x7465_6462_7974_6573,
    ];
    let mut absorb = |word: u64| {
        state[3] ^= word;
        round(&mut state);
        round(&mut state);
        state[0] ^= word;
    };
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        absorb(u64::from_le_bytes(*word));
    }
    // The last word is what is left over, with the length in its highest byte.
    let tail = rest
        .iter()
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    absorb((bytes.len() as u64) << 56 | tail);
    state[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut state);
    }
    state.into_iter().fold(0, |hash, word| hash ^ word)
}

fn round(state: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32);
    c = c.wrapping_add(b);
    a = a.wrapping_add(d);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    c = c.rotate_left(32);
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests;
