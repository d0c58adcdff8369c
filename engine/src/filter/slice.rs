//! Slices of the id space: `total` disjoint parts that together hold every point, for scans in parallel and samples
//! that can be drawn again.

use vdb_index::{RowBits, RowSet};
use vdb_storage::PointId;
use vdb_sys::kernel::sip::{SipKernel, sip_hash};

use super::error::{FilterError, Place};

/// Ids that are hashed at a time: a word of bits.
const BLOCK: usize = 64;

/// One of `total` parts of the id space: the points whose hashed id leaves `index` when divided by `total`. The hash is
/// SipHash-2-4 without salt, so that a slice of 4 lies within one of 2; which slice a point is in must not change.
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
            PointId::Num(number) => parts.holds(sip_hash([number])),
            PointId::Uuid(uuid) => parts.holds(sip_hash(words(uuid.as_bytes()))),
        }
    }

    /// The rows of a segment whose points are in the slice: first those with numbers, then those with UUIDs.
    pub(crate) fn rows_among(self, numbers: &[u64], uuids: &[[u8; 16]]) -> RowSet {
        let parts = Parts::of(self);
        let kernel = SipKernel::new();
        let mut found = Words::default();
        let mut hashes = [0; BLOCK];
        let mut take = |hashes: &[u64]| {
            let last_first = hashes.iter().rev();
            let word = last_first.fold(0, |word, &hash| word << 1 | u64::from(parts.holds(hash)));
            found.append(word, hashes.len());
        };
        for block in numbers.as_chunks::<1>().0.chunks(BLOCK) {
            kernel.hash(block, &mut hashes);
            take(hashes.get(..block.len()).unwrap_or_default());
        }
        let mut ids = [[0; 2]; BLOCK];
        for block in uuids.chunks(BLOCK) {
            ids.iter_mut().zip(block).for_each(|(id, uuid)| *id = words(uuid));
            kernel.hash(&ids, &mut hashes);
            take(hashes.get(..block.len()).unwrap_or_default());
        }
        RowSet::Bits(RowBits::from_words(
            (numbers.len() + uuids.len()) as u32,
            found.words,
        ))
    }
}

/// Bits of rows, of which up to a word comes at a time.
#[derive(Default)]
struct Words {
    words: Vec<u64>,
    rows: usize,
}

impl Words {
    /// Appends so many bits, the first one lowest; above them there are none.
    fn append(&mut self, bits: u64, count: usize) {
        let at = self.rows % BLOCK;
        match self.words.last_mut() {
            Some(last) if at > 0 => {
                *last |= bits << at;
                if at + count > BLOCK {
                    self.words.push(bits >> (BLOCK - at));
                }
            }
            Some(_) | None => self.words.push(bits),
        }
        self.rows += count;
    }
}

/// A slice, made ready to be asked often. Whether a number is a multiple of another, by one product and no division: Warren,
/// "Hacker's Delight", 2nd edition, 10-17 ("Test for Zero Remainder after Division by a Constant").
struct Parts {
    index: u64,
    /// The total is an odd number times two to the power of this.
    shift: u32,
    /// What the odd number times this is 1, in 64 bits.
    inverse: u64,
    /// How often the total fits into what may be left of a hash without the index.
    most: u64,
}

impl Parts {
    fn of(slice: Slice) -> Self {
        let (total, index) = (u64::from(slice.total).max(1), u64::from(slice.index));
        let shift = total.trailing_zeros();
        let odd = total >> shift;
        // By Newton's method: of an odd number itself three bits are right, and each step doubles them.
        let nearer = |inverse: u64| inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        Self {
            index,
            shift,
            inverse: (0..5).fold(odd, |inverse, _| nearer(inverse)),
            most: (u64::MAX - index) / total,
        }
    }

    /// Whether the hash leaves the index when divided by the total: whether it is a multiple of it without the index. Of the
    /// multiples the product is the quotient; of others, and where the index is more than the hash, it is above all of those.
    fn holds(&self, hash: u64) -> bool {
        let product = hash.wrapping_sub(self.index).wrapping_mul(self.inverse);
        product.rotate_right(self.shift) <= self.most
    }
}

fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    [word(0), word(1)]
}

#[cfg(test)]
mod tests;
