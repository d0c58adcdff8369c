//! How many values rows have at the path, beside the usual one.
//!
//! What a path leads to has a number of values: as many as it has elements if it is an array, none if it is null, else
//! one. A path with `[]` leads to several such nodes. Kept are, by number, the rows of which some node has two values or
//! more; under 0 the rows of [`Class::Filled`](super::Class) with some node without values; under 1 the rows with some node of one
//! value besides one of more. All else follows from [`Class::Filled`](super::Class): a row that is not filled has nodes without
//! values or none, and one that is filled and is nowhere here has nodes of one value.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::bitmap::append;
use super::file::PostingsFile;
use super::format::{Class, Count};
use super::query::Estimate;
use crate::{Error, Result, RowBits, RowSet};

/// Collects the numbers of a segment.
#[derive(Debug, Default)]
pub(super) struct Counts {
    none: RoaringBitmap,
    one: RoaringBitmap,
    more: BTreeMap<u32, RoaringBitmap>,
}

impl Counts {
    /// A node of this row has so many values.
    pub(super) fn add(&mut self, row: u32, values: u64) {
        match values {
            0 => self.none.insert(row),
            1 => self.one.insert(row),
            // A payload has fewer values than that.
            _ => self
                .more
                .entry(u32::try_from(values).unwrap_or(u32::MAX))
                .or_default()
                .insert(row),
        };
    }

    /// The greatest row.
    pub(super) fn max(&self) -> Option<u32> {
        let all = [&self.none, &self.one].into_iter().chain(self.more.values());
        all.filter_map(RoaringBitmap::max).max()
    }

    /// About how much memory is held.
    pub(super) fn bytes(&self) -> usize {
        let all = [&self.none, &self.one].into_iter().chain(self.more.values());
        all.map(RoaringBitmap::serialized_size).sum()
    }

    /// The entries of the file, whose bitmaps are appended.
    pub(super) fn finish(self, filled: &RoaringBitmap, bitmaps: &mut Vec<u8>) -> Vec<Count> {
        let several = self
            .more
            .values()
            .fold(RoaringBitmap::new(), |all, rows| all | rows);
        let few = [(0, self.none & filled), (1, self.one & several)];
        let all = few.into_iter().chain(self.more);
        let entry = |(values, mut rows): (u32, RoaringBitmap)| {
            let start = bitmaps.len() as u64;
            let bytes = append(&mut rows, bitmaps);
            // A set of u32 below the rows of a segment has no more of them.
            let rows = rows.len() as u32;
            (rows > 0).then_some(Count {
                values,
                rows,
                start,
                bytes,
            })
        };
        all.filter_map(entry).collect()
    }
}

impl PostingsFile {
    /// Of the rows of [`Class::Filled`] those with some node that has a number of values which is `wanted`. `goes_on` is asked
    /// for every number.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`]; [`Error::Cancelled`] when `goes_on` says so.
    pub fn with_values(&self, wanted: &dyn Fn(u64) -> bool, goes_on: &dyn Fn() -> bool) -> Result<RowSet> {
        let wants_one = wanted(1);
        // There may be as many numbers as rows: what is found is added in place.
        let (mut rows, mut several) = (RowBits::empty(self.rows()), RowBits::empty(self.rows()));
        for number in 0..self.counts() {
            if !goes_on() {
                return Err(Error::Cancelled);
            }
            let count = self.count(number);
            let is_wanted = wanted(u64::from(count.values));
            if !is_wanted && (count.values < 2 || !wants_one) {
                continue;
            }
            let found = self.bitmap_rows(count.start, count.bytes, count.rows)?;
            if count.values > 1 && wants_one {
                found.add_to(&mut several);
            }
            if is_wanted {
                found.add_to(&mut rows);
            }
        }
        if wants_one {
            let filled = self.class(Class::Filled)?;
            filled.minus(&RowSet::Bits(several)).add_to(&mut rows);
        }
        Ok(RowSet::of_bits(rows, self.rows()))
    }

    /// About how many rows [`PostingsFile::with_values`] returns.
    #[must_use]
    pub fn estimate_with_values(&self, wanted: &dyn Fn(u64) -> bool) -> Estimate {
        let filled = u64::from(self.class_len(Class::Filled));
        let (mut least, mut sum, mut several, mut most) = (0, 0_u64, 0_u64, 0);
        for number in 0..self.counts() {
            let count = self.count(number);
            let rows = u64::from(count.rows);
            if count.values > 1 {
                several = several.saturating_add(rows);
                most = most.max(rows);
            }
            if wanted(u64::from(count.values)) {
                sum = sum.saturating_add(rows);
                least = least.max(rows);
            }
        }
        let mut expected = sum;
        if wanted(1) {
            // A row with several nodes may be under several numbers.
            let ones = filled.saturating_sub(several);
            least = least.max(ones);
            expected = sum.saturating_add(ones);
            sum = sum.saturating_add(filled.saturating_sub(most));
        }
        let max = sum.min(filled);
        let min = least.min(max);
        Estimate {
            min,
            expected: expected.clamp(min, max),
            max,
        }
    }
}

#[cfg(test)]
mod tests;
