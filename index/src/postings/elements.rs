//! Which elements of an array have a value: for conditions that one element has to satisfy together.
//!
//! An index of a path like `a[].b` knows of each value in which elements of `a` it is. A condition marks the elements
//! that satisfy it, marks are combined as the conditions are, and the rows with a mark left are those that match. A row has marks for its
//! first [`Elements::MARKED`] elements; one with a value further on is unsure, and has to be looked at.

use std::ops::{Bound, Range};

use super::file::PostingsFile;
use super::key::Key;
use crate::rowset::RowBits;
use crate::{Result, RowSet};

/// Marked elements of all rows of a segment.
#[derive(Debug, Clone)]
pub struct Elements {
    /// A bit an element, the first one lowest.
    marks: Vec<u64>,
    unsure: RowBits,
}

impl Elements {
    /// Elements of a row that can be marked.
    pub const MARKED: u64 = 64;

    fn none(rows: u32) -> Self {
        Self {
            marks: vec![0; rows as usize],
            unsure: RowBits::empty(rows),
        }
    }

    fn with(&mut self, other: &Self, combine: impl Fn(&mut u64, u64)) {
        for (marks, other) in self.marks.iter_mut().zip(&other.marks) {
            combine(marks, *other);
        }
        self.unsure.unite(&other.unsure);
    }

    /// Elements that are marked in both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.with(other, |marks, other| *marks &= other);
        self
    }

    /// Elements that are marked in one of them.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.with(other, |marks, other| *marks |= other);
        self
    }

    /// Elements that are not marked in `other`.
    #[must_use]
    pub fn minus(mut self, other: &Self) -> Self {
        self.with(other, |marks, other| *marks &= !other);
        self
    }

    /// Nothing is sure of these rows.
    pub fn doubt(&mut self, rows: &RowSet) {
        rows.add_to(&mut self.unsure);
    }

    /// The rows with a marked element of which that is sure; and those of which nothing is.
    #[must_use]
    pub fn rows(&self) -> (RowSet, RowSet) {
        let rows = u32::try_from(self.marks.len()).unwrap_or(u32::MAX);
        let some = |marks: &[u64]| {
            let last_first = marks.iter().rev();
            last_first.fold(0, |word, marks| word << 1 | u64::from(*marks != 0))
        };
        let mut sure = RowBits::from_words(rows, self.marks.chunks(64).map(some).collect());
        sure.subtract(&self.unsure);
        (
            RowSet::of_bits(sure, rows),
            RowSet::of_bits(self.unsure.clone(), rows),
        )
    }
}

impl PostingsFile {
    /// Whether it knows the elements that values are in; the other questions here are for such an index.
    #[must_use]
    pub fn has_elements(&self) -> bool {
        self.knows_elements()
    }

    /// The elements that have at least one of `keys`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_with<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Elements> {
        self.elements(&self.spans_of(keys)?)
    }

    /// The elements that have a key which is none of `keys`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_without<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Elements> {
        let mut rest = Vec::new();
        let mut start = 0;
        for span in self.spans_of(keys)? {
            rest.push(start..span.start);
            start = span.end;
        }
        rest.push(start..self.keys());
        self.elements(&rest)
    }

    /// The elements that have a key within the bounds, as [`PostingsFile::range`] has it.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_within(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<Elements> {
        self.elements(&self.span_between(start, end)?)
    }

    /// The elements that have a term which starts with `prefix`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_with_prefix(&self, prefix: &str) -> Result<Elements> {
        self.elements(&self.span_with_prefix(prefix)?)
    }

    /// The elements that have a key of these numbers, in ranges that do not overlap.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_of(&self, keys: &[Range<u32>]) -> Result<Elements> {
        self.elements(keys)
    }

    fn elements(&self, spans: &[Range<u32>]) -> Result<Elements> {
        let mut found = Elements::none(self.rows());
        for key in spans.iter().cloned().flatten() {
            let rows = self.gather(std::slice::from_ref(&(key..key + 1)))?;
            let details = self.details_of(key, rows.len())?;
            let Elements { marks, unsure } = &mut found;
            let mark = |row: u32, element: u64| match marks.get_mut(row as usize) {
                Some(marks) if element < Elements::MARKED => *marks |= 1 << element,
                Some(_) | None => unsure.insert(row),
            };
            details
                .each_of(&rows, mark)
                .ok_or_else(|| self.corrupt_details(key))?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
