//! Slices of the id space: `total` disjoint parts that together hold every point, for scans in parallel and samples
//! that can be drawn again.

use vdb_index::{RowBits, RowSet};
use vdb_storage::PointId;
use vdb_sys::kernel::sip::{LANES, SipKernel, sip_hash};

use super::error::{FilterError, Place};

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
        let mut found = RowBits::empty((numbers.len() + uuids.len()) as u32);
        let mut row = 0;
        let mut take = |hash: u64| {
            if parts.holds(hash) {
                found.insert(row);
            }
            row += 1;
        };
        let kernel = SipKernel::new();
        let (groups, rest) = numbers.as_chunks::<LANES>();
        for group in groups {
            let ids = group.map(|number| [number]);
            kernel.hash(&ids).into_iter().for_each(&mut take);
        }
        rest.iter().for_each(|&number| take(sip_hash([number])));
        let (groups, rest) = uuids.as_chunks::<LANES>();
        for group in groups {
            let ids = group.map(|uuid| words(&uuid));
            kernel.hash(&ids).into_iter().for_each(&mut take);
        }
        rest.iter().for_each(|uuid| take(sip_hash(words(uuid))));
        RowSet::Bits(found)
    }
}

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
}

fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    [word(0), word(1)]
}

#[cfg(test)]
mod tests;
