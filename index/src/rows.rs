//! A set of rows as filters make them: a sorted list while they are few, bits when they are many.
//!
//! Lists cost by their rows, bits by the rows of the segment; either is walked and asked at a nanosecond or so a row,
//! and every operation keeps whichever form is smaller where it starts from one that is not.

use std::ops::Range;
use std::slice;

use crate::rowset::{RowBits, RowFilter};

/// Up to one row in so many, a list is no longer than the bits.
const SPARSE: u64 = 32;
/// More rows than this are bits however sparse: they are likely to be asked for, rather than looked at one by one.
const MOST_LISTED: u64 = 1 << 14;

/// A set of rows.
#[derive(Debug, Clone)]
pub enum RowSet {
    /// Ascending, each once.
    List(Vec<u32>),
    /// A bit a row, up to some row.
    Bits(RowBits),
}

impl Default for RowSet {
    fn default() -> Self {
        Self::new()
    }
}

impl RowSet {
    /// No rows.
    #[must_use]
    pub const fn new() -> Self {
        Self::List(Vec::new())
    }

    /// The rows of `0..rows`.
    #[must_use]
    pub fn all(rows: u32) -> Self {
        Self::Bits(RowBits::full(rows))
    }

    /// The rows of `bits`, in the form that suits how many of `rows` they are.
    pub(crate) fn of_bits(bits: RowBits, rows: u32) -> Self {
        if Self::is_sparse(bits.count(), rows) {
            Self::List(bits.iter().collect())
        } else {
            Self::Bits(bits)
        }
    }

    /// Whether `count` of `rows` rows are better kept as a list.
    pub(crate) fn is_sparse(count: u64, rows: u32) -> bool {
        count <= MOST_LISTED.min(u64::from(rows) / SPARSE)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::List(list) => list.len() as u64,
            Self::Bits(bits) => bits.count(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, row: u32) -> bool {
        match self {
            Self::List(list) => list.binary_search(&row).is_ok(),
            Self::Bits(bits) => bits.contains(row),
        }
    }

    /// The greatest row.
    #[must_use]
    pub fn max(&self) -> Option<u32> {
        match self {
            Self::List(list) => list.last().copied(),
            Self::Bits(bits) => bits.max(),
        }
    }

    /// The rows, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.iter_from(0)
    }

    /// The rows from `start` on, ascending.
    pub fn iter_from(&self, start: u32) -> impl Iterator<Item = u32> + '_ {
        let (list, bits) = match self {
            Self::List(list) => (Some(&list[list.partition_point(|&row| row < start)..]), None),
            Self::Bits(bits) => (None, Some(bits.iter_from(start))),
        };
        list.into_iter()
            .flatten()
            .copied()
            .chain(bits.into_iter().flatten())
    }

    /// The rows of a window, ascending: sooner told than by [`iter`](Self::iter). The window starts at a multiple of 64, and ends at one
    /// or behind all.
    #[inline]
    pub(crate) fn within(&self, window: &Range<u32>) -> Within<'_> {
        let (mut list, mut words) = (&[][..], &[][..]);
        match self {
            Self::List(all) => {
                let place = |row: u32| all.partition_point(|&other| other < row);
                list = all
                    .get(place(window.start)..place(window.end))
                    .unwrap_or_default();
            }
            Self::Bits(bits) => {
                let all = bits.words();
                let end = (window.end.div_ceil(64) as usize).min(all.len());
                words = all.get((window.start / 64) as usize..end).unwrap_or_default();
            }
        }
        Within {
            list: list.iter(),
            words: words.iter(),
            word: 0,
            next: window.start,
        }
    }

    /// How many rows are within a window that starts at a multiple of 64 and ends at one.
    pub(crate) fn count_within(&self, window: &Range<u32>) -> u64 {
        match self {
            Self::List(list) => {
                let before = |end: u32| list.partition_point(|&row| row < end);
                before(window.end).saturating_sub(before(window.start)) as u64
            }
            Self::Bits(bits) => {
                let words = bits.words();
                let end = (window.end as usize / 64).min(words.len());
                let words = words.get(window.start as usize / 64..end).unwrap_or_default();
                words.iter().map(|word| u64::from(word.count_ones())).sum()
            }
        }
    }

    /// Appends the rows to `out`, ascending.
    pub fn list(&self, out: &mut Vec<u32>) {
        match self {
            Self::List(list) => out.extend_from_slice(list),
            Self::Bits(bits) => {
                out.reserve(bits.count() as usize);
                bits.each(|row| out.push(row));
            }
        }
    }

    /// For asking how many rows of the set are before some of it.
    pub(crate) fn ranks(&self) -> Ranks<'_> {
        Ranks {
            rows: self,
            at: 0,
            before: 0,
        }
    }

    /// Adds the rows to `bits`; those of a list cost nothing by the length of these. Rows beyond that are left out of a list.
    pub(crate) fn add_to(&self, bits: &mut RowBits) {
        match self {
            Self::List(list) => list.iter().for_each(|&row| bits.insert(row)),
            Self::Bits(own) => bits.unite(own),
        }
    }

    /// The rows of both.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(mut bits), Self::Bits(other)) => {
                bits.intersect(other);
                Self::Bits(bits)
            }
            (Self::List(mut list), Self::Bits(other)) => {
                list.retain(|&row| other.contains(row));
                Self::List(list)
            }
            (Self::Bits(bits), Self::List(list)) => {
                Self::List(list.iter().copied().filter(|&row| bits.contains(row)).collect())
            }
            (Self::List(a), Self::List(b)) => {
                // From the shorter into the longer.
                let (mut few, many) = if a.len() <= b.len() {
                    (a, b.as_slice())
                } else {
                    (b.clone(), a.as_slice())
                };
                let mut rest = many;
                few.retain(|row| {
                    rest = &rest[rest.partition_point(|other| other < row)..];
                    rest.first() == Some(row)
                });
                Self::List(few)
            }
        }
    }

    /// The rows of either.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(mut bits), Self::Bits(other)) => {
                bits.unite(other);
                Self::Bits(bits)
            }
            (Self::Bits(mut bits), Self::List(list)) => {
                list.iter().for_each(|&row| bits.insert_growing(row));
                Self::Bits(bits)
            }
            (Self::List(list), Self::Bits(bits)) => {
                let mut bits = bits.clone();
                list.iter().for_each(|&row| bits.insert_growing(row));
                Self::Bits(bits)
            }
            (Self::List(mut a), Self::List(b)) => {
                if a.is_empty() {
                    return Self::List(b.clone());
                }
                if !b.is_empty() {
                    // Two runs: the sort merges them.
                    a.extend_from_slice(b);
                    a.sort();
                    a.dedup();
                }
                Self::List(a)
            }
        }
    }

    /// The rows that `other` lacks.
    #[must_use]
    pub fn minus(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(mut bits), Self::Bits(other)) => {
                bits.subtract(other);
                Self::Bits(bits)
            }
            (Self::Bits(mut bits), Self::List(list)) => {
                list.iter().for_each(|&row| bits.remove(row));
                Self::Bits(bits)
            }
            (Self::List(mut list), other) => {
                list.retain(|&row| !other.contains(row));
                Self::List(list)
            }
        }
    }
}

/// Rows of a window: a list of them, or words of bits. All that is asked for a row stays in registers where it is asked in a loop.
pub(crate) struct Within<'a> {
    list: slice::Iter<'a, u32>,
    words: slice::Iter<'a, u64>,
    /// What is left of the word before the next one.
    word: u64,
    /// The first row of the next word.
    next: u32,
}

impl Iterator for Within<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        while self.word == 0 {
            let Some(&word) = self.words.next() else {
                return self.list.next().copied();
            };
            self.word = word;
            self.next = self.next.wrapping_add(64);
        }
        let row = self.next.wrapping_sub(64) + self.word.trailing_zeros();
        self.word &= self.word - 1;
        Some(row)
    }
}

/// How many rows of a set are before one of it, asked in ascending order.
pub(crate) struct Ranks<'a> {
    rows: &'a RowSet,
    /// The place in the list, or the word of the bits, that is reached.
    at: usize,
    /// Rows of the words before that.
    before: u64,
}

impl Ranks<'_> {
    /// The rank of `row`, which is not below the one before; `None` when it is not in the set.
    #[inline]
    pub(crate) fn of(&mut self, row: u32) -> Option<u64> {
        match self.rows {
            RowSet::List(list) => {
                let rest = list.get(self.at..)?;
                if *rest.first()? != row {
                    self.at += rest.partition_point(|&other| other < row);
                }
                (*list.get(self.at)? == row).then_some(self.at as u64)
            }
            RowSet::Bits(bits) => {
                let words = bits.words();
                let word = (row >> 6) as usize;
                let between = words.get(self.at..word)?;
                self.before += between
                    .iter()
                    .map(|word| u64::from(word.count_ones()))
                    .sum::<u64>();
                self.at = word;
                let (bit, word) = (1_u64 << (row & 63), *words.get(word)?);
                (word & bit != 0).then(|| self.before + u64::from((word & (bit - 1)).count_ones()))
            }
        }
    }
}

impl PartialEq for RowSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && match (self, other) {
                (Self::Bits(a), Self::Bits(b)) => a.has_same_rows(b),
                (Self::List(_), _) | (_, Self::List(_)) => self.iter().eq(other.iter()),
            }
    }
}

impl Eq for RowSet {}

impl FromIterator<u32> for RowSet {
    /// Rows in any order, repeats allowed.
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let mut list: Vec<u32> = rows.into_iter().collect();
        if !list.is_sorted() {
            list.sort_unstable();
        }
        list.dedup();
        match list.last() {
            Some(&last) if !Self::is_sparse(list.len() as u64, last) => {
                Self::Bits(RowBits::from_rows(last.saturating_add(1), list))
            }
            Some(_) | None => Self::List(list),
        }
    }
}

impl RowFilter for RowSet {
    #[inline]
    fn contains(&self, row: u32) -> bool {
        Self::contains(self, row)
    }

    fn estimate(&self) -> Option<u64> {
        Some(self.len())
    }

    fn list(&self, rows: &mut Vec<u32>) -> bool {
        Self::list(self, rows);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A set in either form, and the rows that it holds.
    fn set() -> impl Strategy<Value = (RowSet, BTreeSet<u32>)> {
        let rows = prop_oneof![
            prop::collection::btree_set(0u32..200, 0..150),
            prop::collection::btree_set(0u32..5000, 0..20),
        ];
        (rows, 0u32..3, 0u32..300).prop_map(|(rows, form, spare)| {
            let end = rows.last().map_or(0, |last| last + 1) + spare;
            let set = match form {
                0 => RowSet::List(rows.iter().copied().collect()),
                1 => RowSet::Bits(RowBits::from_rows(end, rows.iter().copied())),
                _ => rows.iter().rev().copied().collect(),
            };
            (set, rows)
        })
    }

    fn rows(set: &RowSet) -> BTreeSet<u32> {
        let listed: Vec<u32> = set.iter().collect();
        assert!(listed.is_sorted_by(|a, b| a < b));
        assert_eq!(listed.len() as u64, set.len());
        assert_eq!(set.max(), listed.last().copied());
        let mut out = vec![7];
        set.list(&mut out);
        assert_eq!(out[1..], listed);
        listed.into_iter().collect()
    }

    proptest! {
        #[test]
        fn ranks_are_places_in_the_list(rows in prop::collection::btree_set(0_u32..3_000, 1..400), other in 0_u32..3_000) {
            let list: Vec<u32> = rows.iter().copied().collect();
            let bits = RowSet::Bits(RowBits::from_rows(3_000, list.iter().copied()));
            for set in [RowSet::List(list.clone()), bits] {
                let mut ranks = set.ranks();
                for (rank, row) in list.iter().enumerate().filter(|(rank, _)| rank % 3 != 1) {
                    prop_assert_eq!(ranks.of(*row), Some(rank as u64));
                }
                let expected = list.binary_search(&other).ok().map(|rank| rank as u64);
                prop_assert_eq!(set.ranks().of(other), expected);
                prop_assert_eq!(set.ranks().of(5_000), None);
            }
        }
    }

    proptest! {
        #[test]
        fn sets_behave_as_sets((a, in_a) in set(), (b, in_b) in set(), start in 0u32..5100) {
            prop_assert_eq!(rows(&a), in_a.clone());
            prop_assert_eq!(rows(&a.clone().and(&b)), &in_a & &in_b);
            prop_assert_eq!(rows(&a.clone().or(&b)), &in_a | &in_b);
            prop_assert_eq!(rows(&a.clone().minus(&b)), &in_a - &in_b);
            prop_assert_eq!(a == b, in_a == in_b);
            prop_assert_eq!(a.iter_from(start).collect::<Vec<_>>(), in_a.range(start..).copied().collect::<Vec<_>>());
            for row in 0..320 {
                prop_assert_eq!(a.contains(row), in_a.contains(&row));
            }
            let window = start / 3 / 64 * 64..start / 64 * 64;
            let within: Vec<u32> = a.within(&window).collect();
            prop_assert_eq!(&within, &in_a.range(window.start..window.end.max(window.start)).copied().collect::<Vec<_>>());
            for end in [5_001, u32::MAX] {
                let within: Vec<u32> = a.within(&(window.start..end)).collect();
                prop_assert_eq!(within, in_a.range(window.start..).copied().collect::<Vec<_>>());
            }
            prop_assert_eq!(a.count_within(&window), in_a.range(window.start..window.end.max(window.start)).count() as u64);
        }
    }

    #[test]
    fn all_rows_are_those_below_the_number() {
        for number in [0, 1, 63, 64, 65, 200] {
            assert_eq!(RowSet::all(number), (0..number).collect());
        }
    }
}
