//! The allowed-row predicate that every search takes.

/// Which rows of the matrix may be returned. A deleted row is one that no filter contains.
///
/// A graph walk asks this for every node it meets, so [`contains`](RowFilter::contains) should be a few nanoseconds; one
/// that takes longer says so ([`is_slow`](RowFilter::is_slow)), and is asked for rows only that would be results.
pub trait RowFilter: Sync {
    /// Whether `row` may be returned.
    fn contains(&self, row: u32) -> bool;

    /// How many rows match, about, or may match if it is [slow](RowFilter::is_slow); `None` if that is not known. The graph
    /// walk picks its strategy by it.
    fn estimate(&self) -> Option<u64> {
        None
    }

    /// Appends those of `rows` that may be returned to `picked`.
    fn pick(&self, rows: &[u32], picked: &mut Vec<u32>) {
        picked.extend(rows.iter().copied().filter(|&row| self.contains(row)));
    }

    /// Whether [`contains`](RowFilter::contains) costs more than scoring a row.
    fn is_slow(&self) -> bool {
        false
    }

    /// Appends every matching row to `rows`, ascending, if the filter can list them without trying all; answers
    /// whether it did. A filter that matches few rows is best served by looking at each. A [slow](RowFilter::is_slow)
    /// filter may list others as well: it is asked for each that counts.
    fn list(&self, rows: &mut Vec<u32>) -> bool {
        let _ = rows;
        false
    }
}

/// Rows that are asked for together.
const PICK: usize = 32;

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

    /// Every row of `0..len`.
    pub fn full(len: u32) -> Self {
        let mut words = vec![u64::MAX; (len as usize).div_ceil(64)];
        if let Some(last) = words.last_mut() {
            *last >>= (64 - len % 64) % 64;
        }
        Self {
            words,
            len,
            set: u64::from(len),
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

    /// The rows of `0..len` whose bits are set in these words, each of 64 rows, the first one lowest.
    pub fn from_words(len: u32, words: Vec<u64>) -> Self {
        let mut bits = Self { words, len, set: 0 };
        bits.words.resize((len as usize).div_ceil(64), 0);
        bits.recount();
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

    /// The bits of 64 rows each.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// How many rows are in the set.
    pub fn count(&self) -> u64 {
        self.set
    }

    /// The greatest row in the set.
    pub fn max(&self) -> Option<u32> {
        let at = self.words.iter().rposition(|&word| word != 0)?;
        Some(at as u32 * 64 + 63 - self.words[at].leading_zeros())
    }

    /// The rows in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.iter_from(0)
    }

    /// The rows in the set from `start` on, ascending.
    pub fn iter_from(&self, start: u32) -> impl Iterator<Item = u32> + '_ {
        let first = ((start >> 6) as usize).min(self.words.len());
        self.words[first..]
            .iter()
            .zip(first as u32..)
            .flat_map(move |(&word, at)| {
                let mut rest = if at == start >> 6 {
                    word & u64::MAX << (start & 63)
                } else {
                    word
                };
                std::iter::from_fn(move || {
                    let bit = rest.trailing_zeros();
                    (rest != 0).then(|| {
                        rest &= rest - 1;
                        at * 64 + bit
                    })
                })
            })
    }

    /// Passes the rows in the set to `take`, ascending.
    #[inline]
    pub fn each(&self, mut take: impl FnMut(u32)) {
        for (&word, at) in self.words.iter().zip(0..) {
            let mut rest = word;
            while rest != 0 {
                take(at * 64 + rest.trailing_zeros());
                rest &= rest - 1;
            }
        }
    }

    /// Adds the rows from `start` to `end`, both included. To be followed by [`recount`](Self::recount).
    pub(crate) fn insert_range(&mut self, start: u32, end: u32) {
        let Some(end) = self.len.checked_sub(1).map(|last| end.min(last)) else {
            return;
        };
        if start > end {
            return;
        }
        let (first, last) = ((start >> 6) as usize, (end >> 6) as usize);
        let (head, tail) = (u64::MAX << (start & 63), u64::MAX >> (63 - (end & 63)));
        if first == last {
            self.words[first] |= head & tail;
        } else {
            self.words[first] |= head;
            self.words[first + 1..last].fill(u64::MAX);
            self.words[last] |= tail;
        }
    }

    /// Adds rows given as little-endian words of bits, of which the first is row `start`, a multiple of 64. To be
    /// followed by [`recount`](Self::recount).
    pub(crate) fn unite_words(&mut self, start: u32, words: &[[u8; 8]]) {
        let own = self.words.iter_mut().skip((start >> 6) as usize);
        own.zip(words)
            .for_each(|(own, word)| *own |= u64::from_le_bytes(*word));
    }

    /// Counts the rows anew, and drops bits beyond the length.
    pub(crate) fn recount(&mut self) {
        if let Some(last) = self.words.last_mut() {
            *last &= u64::MAX >> ((64 - self.len % 64) % 64);
        }
        self.set = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
    }

    /// Adds a row, wherever it lies.
    pub(crate) fn insert_growing(&mut self, row: u32) {
        self.grow(row.saturating_add(1));
        self.insert(row);
    }

    fn grow(&mut self, len: u32) {
        if len > self.len {
            self.len = len;
            self.words.resize((len as usize).div_ceil(64), 0);
        }
    }

    /// Whether both hold the same rows, as many as they say; their lengths may differ.
    pub(crate) fn has_same_rows(&self, other: &Self) -> bool {
        // Of as many rows none is beyond the shorter one if the words that both have are equal.
        self.set == other.set && self.words.iter().zip(&other.words).all(|(a, b)| a == b)
    }

    /// Keeps the rows that `other` has.
    pub(crate) fn intersect(&mut self, other: &Self) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words
            .iter_mut()
            .zip(others)
            .for_each(|(word, other)| *word &= other);
        self.recount();
    }

    /// Adds the rows of `other`.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.grow(other.len);
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(word, other)| *word |= other);
        self.recount();
    }

    /// Removes the rows of `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.words
            .iter_mut()
            .zip(&other.words)
            .for_each(|(word, other)| *word &= !other);
        self.recount();
    }
}

impl RowFilter for RowBits {
    #[inline]
    fn contains(&self, row: u32) -> bool {
        self.words
            .get((row >> 6) as usize)
            .is_some_and(|word| word >> (row & 63) & 1 == 1)
    }

    fn pick(&self, rows: &[u32], picked: &mut Vec<u32>) {
        let mut kept = [0; PICK];
        for rows in rows.chunks(PICK) {
            // Without a branch on what nobody can foresee.
            let mut count = 0;
            for &row in rows {
                kept[count % PICK] = row;
                let word = self.words.get((row >> 6) as usize).copied().unwrap_or(0);
                count += (word >> (row & 63) & 1) as usize;
            }
            picked.extend_from_slice(&kept[..count.min(PICK)]);
        }
    }

    fn estimate(&self) -> Option<u64> {
        Some(self.set)
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        rows.reserve(self.set as usize);
        self.each(|row| rows.push(row));
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
            // Bits beyond the length do not count.
            let mut words = bits.words().to_vec();
            if let Some(last) = words.last_mut() {
                *last |= !(u64::MAX >> ((64 - len % 64) % 64));
            }
            words.push(u64::MAX);
            prop_assert_eq!(&RowBits::from_words(len, words), &bits);
            for row in 0..330 {
                prop_assert_eq!(bits.contains(row), set.contains(&row));
            }
        }
    }
}
