//! The allowed-row predicate that every search takes.

use roaring::RoaringBitmap;

/// Which rows of the matrix may be returned. A deleted row is one that no filter contains.
///
/// A graph walk asks this for every node it meets, so [`contains`](RowFilter::contains) should be a few
/// nanoseconds: turn a [`RoaringBitmap`] that serves many walks into [`RowBits`] first.
pub trait RowFilter: Sync {
    /// Whether `row` may be returned.
    fn contains(&self, row: u32) -> bool;

    /// About how many rows match, if that is known: the graph walk picks its strategy by it.
    fn estimate(&self) -> Option<u64> {
        None
    }

    /// Appends every matching row to `rows`, ascending, if the filter can list them without trying all; answers
    /// whether it did. A filter that matches few rows is best served by looking at each.
    fn list(&self, rows: &mut Vec<u32>) -> bool {
        let _ = rows;
        false
    }
}

impl RowFilter for RoaringBitmap {
    fn contains(&self, row: u32) -> bool {
        RoaringBitmap::contains(self, row)
    }

    fn estimate(&self) -> Option<u64> {
        Some(self.len())
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        rows.extend(self.iter());
        true
    }
}

/// A plain bitmap over rows `0..len`, one load a probe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowBits {
    words: Vec<u64>,
    len: u32,
    set: u64,
}

impl RowBits {
    /// No row of `0..len`.
    pub fn empty(len: u32) -> Self {
        Self {
            words: vec![0; (len as usize).div_ceil(64)],
            len,
            set: 0,
        }
    }

    /// The rows of `rows` that are below `len`.
    pub fn from_rows(len: u32, rows: impl IntoIterator<Item = u32>) -> Self {
        let mut bits = Self::empty(len);
        for row in rows {
            bits.insert(row);
        }
        bits
    }

    /// Adds a row; rows at or beyond the length are ignored.
    pub fn insert(&mut self, row: u32) {
        if row < self.len {
            let bit = 1u64 << (row & 63);
            let word = &mut self.words[(row >> 6) as usize];
            self.set += u64::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, row: u32) {
        if row < self.len {
            let bit = 1u64 << (row & 63);
            let word = &mut self.words[(row >> 6) as usize];
            self.set -= u64::from(*word & bit != 0);
            *word &= !bit;
        }
    }

    /// How many rows are in the set.
    pub fn count(&self) -> u64 {
        self.set
    }

    /// The rows in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip(0u32..).flat_map(|(&word, at)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                (rest != 0).then(|| {
                    rest &= rest - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

impl RowFilter for RowBits {
    fn contains(&self, row: u32) -> bool {
        self.words
            .get((row >> 6) as usize)
            .is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    fn estimate(&self) -> Option<u64> {
        Some(self.set)
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        rows.extend(self.iter());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn row_bits_hold_what_a_set_holds(len in 0u32..300, ops in prop::collection::vec((0u32..320, any::<bool>()), 0..200)) {
            let mut bits = RowBits::empty(len);
            let mut set = std::collections::BTreeSet::new();
            for (row, add) in ops {
                if add {
                    bits.insert(row);
                    if row < len { set.insert(row); }
                } else {
                    bits.remove(row);
                    set.remove(&row);
                }
            }
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), set.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(bits.count(), set.len() as u64);
            for row in 0..330 {
                prop_assert_eq!(bits.contains(row), set.contains(&row));
            }
        }
    }
}
