//! Which elements of an array have a value: for conditions that one element has to satisfy together.
//!
//! An index of a path like `a[].b` knows of each value in which elements of `a` it is. A condition marks the elements
//! that satisfy it, marks are combined as the conditions are, and the rows with a mark left are those that match. A row has marks for its
//! first [`Elements::MARKED`] elements; one with a value further on is unsure, and has to be looked at.
//!
//! Rows come in windows of 1,024, so that all marks of one lie close together: of each condition what its keys say is read in the
//! order of rows, side by side, and combined at once. Windows without a row that may match are passed over. Only a condition of very
//! many keys marks all rows beforehand, key by key.

use std::ops::{Bound, Range};

use super::details::Details;
use super::file::PostingsFile;
use super::key::Key;
use crate::rowset::RowBits;
use crate::{Error, Result, RowSet};

/// Rows whose elements are marked together: a multiple of 64.
const WINDOW: usize = 1024;

/// Keys that are read side by side, at most.
const MOST_STREAMS: usize = 64;

/// Elements of arrays that have one of some keys of an index.
#[derive(Debug)]
pub struct Elements<'a> {
    index: &'a PostingsFile,
    /// The numbers of the keys.
    keys: Vec<Range<u32>>,
}

/// What some one element of an array has to be. What is neither to be in some of `all` nor of `any` is in no index, so that without these
/// nothing is found.
#[derive(Debug, Default)]
pub struct ElementQuery<'a> {
    /// It is in each of these.
    pub all: Vec<Elements<'a>>,
    /// It is in one of these.
    pub any: Vec<Elements<'a>>,
    /// It is in none of these.
    pub none: Vec<Elements<'a>>,
    /// Rows of which nothing is sure, whatever the indexes say.
    pub unsure: RowSet,
}

/// Marks of the rows of a window: a bit an element, the first one lowest.
type Marks = [u64; WINDOW];

const NO_MARKS: Marks = [0; WINDOW];

/// How the marks of one condition come.
enum Source<'a> {
    Streams(Vec<Stream<'a>>),
    /// Of all rows.
    Marked(Vec<u64>),
}

/// One key, read in the order of rows.
struct Stream<'a> {
    index: &'a PostingsFile,
    key: u32,
    rows: RowSet,
    details: Details<'a>,
    /// The row up to which it is read.
    end: u32,
}

impl<'a> Elements<'a> {
    /// Elements of a row that can be marked.
    pub const MARKED: u64 = 64;

    fn new(index: &'a PostingsFile, keys: Vec<Range<u32>>) -> Self {
        Self { index, keys }
    }

    /// These, and others of the same index.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self
    }

    fn keys(&self) -> impl Iterator<Item = u32> {
        self.keys.iter().cloned().flatten()
    }

    fn is_streamed(&self) -> bool {
        self.keys().nth(MOST_STREAMS).is_none()
    }

    /// What [`source`](Self::source) takes in memory, about.
    fn bytes(&self) -> Result<u64> {
        let rows = self.index.rows();
        let of_key = |key: u32| -> Result<u64> {
            let pairs = self.index.pairs(&(key..key + 1))?;
            let set = if RowSet::is_sparse(pairs, rows) {
                pairs * 4
            } else {
                u64::from(rows / 8)
            };
            Ok(set + size_of::<Stream<'_>>() as u64)
        };
        if self.is_streamed() {
            self.keys().try_fold(0, |sum, key| Ok(sum + of_key(key)?))
        } else {
            // And the rows of one key at a time.
            Ok(u64::from(rows) * 8 + u64::from(rows / 8))
        }
    }

    /// Marks of elements, and rows with elements beyond those that have marks in `unsure`.
    fn source(&self, unsure: &mut RowBits, goes_on: &dyn Fn() -> bool) -> Result<Source<'a>> {
        let index = self.index;
        if self.is_streamed() {
            let stream = |key: u32| -> Result<Stream<'a>> {
                let rows = index.gather(std::slice::from_ref(&(key..key + 1)))?;
                Ok(Stream {
                    index,
                    key,
                    details: index.details_of(key, rows.len())?,
                    rows,
                    end: 0,
                })
            };
            return Ok(Source::Streams(self.keys().map(stream).collect::<Result<_>>()?));
        }
        let mut marks = vec![0; index.rows() as usize];
        for key in self.keys() {
            if !goes_on() {
                return Err(Error::Cancelled);
            }
            let mark = |row: u32, element: u64| match marks.get_mut(row as usize) {
                Some(marks) if element < Self::MARKED => *marks |= 1 << element,
                Some(_) | None => unsure.insert(row),
            };
            index.each_element(key, mark)?;
        }
        Ok(Source::Marked(marks))
    }
}

impl Source<'_> {
    /// Adds the marks of the rows of a window.
    fn add(&mut self, window: &Range<u32>, marks: &mut Marks, unsure: &mut RowBits) -> Result<()> {
        match self {
            Self::Streams(streams) => streams
                .iter_mut()
                .try_for_each(|stream| stream.add(window, marks, unsure)),
            Self::Marked(all) => {
                let all = all.get(window.start as usize..).unwrap_or_default();
                marks.iter_mut().zip(all).for_each(|(marks, all)| *marks |= all);
                Ok(())
            }
        }
    }
}

impl Stream<'_> {
    fn add(&mut self, window: &Range<u32>, marks: &mut Marks, unsure: &mut RowBits) -> Result<()> {
        let start = window.start;
        let mark = |row: u32, elements: u64, others: bool| {
            if let Some(marks) = marks.get_mut((row - start) as usize % WINDOW) {
                *marks |= elements;
            }
            if others {
                unsure.insert(row);
            }
        };
        self.read(window, mark)
            .ok_or_else(|| self.index.corrupt_details(self.key).into())
    }

    fn read(&mut self, window: &Range<u32>, mark: impl FnMut(u32, u64, bool)) -> Option<()> {
        let passed = self.rows.count_within(&(self.end..window.start));
        self.end = window.end;
        if passed > 0 {
            let next = self.details.next() + passed;
            // Behind the last row nothing is to be found.
            if next < self.rows.len() {
                self.details.seek(next)?;
            } else {
                return (next == self.rows.len()).then_some(());
            }
        }
        self.details.marks_within(&self.rows, window, mark)
    }
}

impl ElementQuery<'_> {
    /// About how much memory [`rows`](Self::rows) takes while it looks for them.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn bytes(&self) -> Result<u64> {
        let mut every = self.all.iter().chain(&self.any).chain(&self.none);
        every.try_fold(0, |sum, elements| Ok(sum + elements.bytes()?))
    }

    /// The rows with such an element of which that is sure; and those of which nothing is. All are looked for among the rows of
    /// `possible`; of others nothing is said. `goes_on` is asked now and then whether to go on.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`]; [`Error::Cancelled`] when `goes_on` says so.
    pub fn rows(&self, possible: &RowSet, goes_on: &dyn Fn() -> bool) -> Result<(RowSet, RowSet)> {
        let mut every = self.all.iter().chain(&self.any);
        let Some(rows) = every.next().map(|first| first.index.rows()) else {
            return Ok((RowSet::new(), RowSet::new()));
        };
        let mut unsure = RowBits::empty(rows);
        self.unsure.add_to(&mut unsure);
        let mut all = sources(&self.all, &mut unsure, goes_on)?;
        let mut any = sources(&self.any, &mut unsure, goes_on)?;
        let mut none = sources(&self.none, &mut unsure, goes_on)?;
        let mut sure = vec![0_u64; (rows as usize).div_ceil(64)];
        let (mut found, mut others) = (NO_MARKS, NO_MARKS);
        let mut start = 0;
        while let Some(row) = possible.iter_from(start).next() {
            let first = row - row % WINDOW as u32;
            let window = first..first.saturating_add(WINDOW as u32);
            start = window.end;
            let mut add = |source: &mut Source<'_>, marks: &mut Marks| {
                if !goes_on() {
                    return Err(Error::Cancelled);
                }
                source.add(&window, marks, &mut unsure)
            };
            found.fill(u64::MAX);
            for source in &mut all {
                others.fill(0);
                add(source, &mut others)?;
                combine(&mut found, &others, |found, others| found & others);
            }
            if !any.is_empty() {
                others.fill(0);
                any.iter_mut().try_for_each(|source| add(source, &mut others))?;
                combine(&mut found, &others, |found, others| found & others);
            }
            if !none.is_empty() {
                others.fill(0);
                none.iter_mut().try_for_each(|source| add(source, &mut others))?;
                combine(&mut found, &others, |found, others| found & !others);
            }
            let words = sure.get_mut(window.start as usize / 64..).unwrap_or_default();
            for (word, marks) in words.iter_mut().zip(found.chunks(64)) {
                let last_first = marks.iter().rev();
                *word = last_first.fold(0, |word, marks| word << 1 | u64::from(*marks != 0));
            }
            if start == u32::MAX {
                break;
            }
        }
        let mut sure = RowBits::from_words(rows, sure);
        sure.subtract(&unsure);
        Ok((RowSet::of_bits(sure, rows), RowSet::of_bits(unsure, rows)))
    }
}

fn sources<'a>(
    list: &[Elements<'a>],
    unsure: &mut RowBits,
    goes_on: &dyn Fn() -> bool,
) -> Result<Vec<Source<'a>>> {
    let of = |elements: &Elements<'a>| elements.source(unsure, goes_on);
    list.iter().map(of).collect()
}

fn combine(found: &mut Marks, others: &Marks, of_both: impl Fn(u64, u64) -> u64) {
    let both = found.iter_mut().zip(others);
    both.for_each(|(found, others)| *found = of_both(*found, *others));
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
    pub fn elements_with<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Elements<'_>> {
        Ok(Elements::new(self, self.spans_of(keys)?))
    }

    /// The elements that have a key which is none of `keys`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_without<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Elements<'_>> {
        let mut rest = Vec::new();
        let mut start = 0;
        for span in self.spans_of(keys)? {
            rest.push(start..span.start);
            start = span.end;
        }
        rest.push(start..self.keys());
        Ok(Elements::new(self, rest))
    }

    /// The elements that have a key within the bounds, as [`PostingsFile::range`] has it.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_within(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<Elements<'_>> {
        Ok(Elements::new(self, self.span_between(start, end)?))
    }

    /// The elements that have a term which starts with `prefix`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn elements_with_prefix(&self, prefix: &str) -> Result<Elements<'_>> {
        Ok(Elements::new(self, self.span_with_prefix(prefix)?))
    }

    /// The elements that have a key of these numbers, in ranges that do not overlap.
    #[must_use]
    pub fn elements_of(&self, keys: &[Range<u32>]) -> Elements<'_> {
        Elements::new(self, keys.to_vec())
    }

    /// Passes each row that has the key of this number to `take`, with the elements that have it.
    fn each_element(&self, key: u32, mut take: impl FnMut(u32, u64)) -> Result<()> {
        let span = key..key + 1;
        let listed = (self.run(&span)?.len() / 4) as u64;
        if listed == 0 {
            let rows = self.gather(std::slice::from_ref(&span))?;
            let mut details = self.details_of(key, rows.len())?;
            return details
                .each_within(&rows, &(0..u32::MAX), take)
                .ok_or_else(|| self.corrupt_details(key).into());
        }
        // Most of many keys have few rows each.
        let mut details = self.details_of(key, listed)?;
        let mut is_sound = true;
        self.each_row(&span, |row| {
            is_sound &= details.each(|element| take(row, element)).is_some();
        })?;
        if is_sound {
            Ok(())
        } else {
            Err(self.corrupt_details(key).into())
        }
    }
}

#[cfg(test)]
mod tests;
