//! Rows by value, and how many they are about before they are read.

use std::ops::{Bound, Range};

use super::{
    file::PostingsFile,
    format::{Class, u32_at},
    key::{Key, Stored, cell_of},
};
use crate::rowset::RowFilter;
use crate::{Error, Result, RowBits, RowSet};

/// How many rows match: certainly `min` or more, `max` or fewer, and probably about `expected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// No fewer than this.
    pub min: u64,
    /// The best guess, between the two.
    pub expected: u64,
    /// No more than this.
    pub max: u64,
}

impl Estimate {
    /// A number that is known.
    #[must_use]
    pub fn exactly(rows: u64) -> Self {
        Self {
            min: rows,
            expected: rows,
            max: rows,
        }
    }
}

impl PostingsFile {
    /// The rows that have `key`.
    ///
    /// # Errors
    /// The file is damaged where the answer lies; so for all queries.
    pub fn equals(&self, key: Key<'_>) -> Result<RowSet> {
        self.gather(&self.span_of(key)?)
    }

    /// The rows that have at least one of `keys`.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn any_of<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<RowSet> {
        self.gather(&self.spans_of(keys)?)
    }

    /// The rows that have exactly one of `keys`, and those that have several. A key that is given twice counts once. `goes_on` is
    /// asked for each key whether to go on.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`]; [`Error::Cancelled`] when `goes_on` says so.
    pub fn one_and_several_of<'a>(
        &self,
        keys: impl IntoIterator<Item = Key<'a>>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(RowSet, RowSet)> {
        let (mut some, mut several) = (RowBits::empty(self.rows()), RowBits::empty(self.rows()));
        let mut is_wanted = true;
        let keys = keys.into_iter().take_while(|_| {
            is_wanted = goes_on();
            is_wanted
        });
        let spans = self.spans_of(keys)?;
        if !is_wanted {
            return Err(Error::Cancelled);
        }
        for span in spans {
            if !goes_on() {
                return Err(Error::Cancelled);
            }
            for row in self.gather(&[span])?.iter() {
                if some.contains(row) {
                    several.insert(row);
                } else {
                    some.insert(row);
                }
            }
        }
        some.subtract(&several);
        let set = |rows: RowBits| RowSet::of_bits(rows, self.rows());
        Ok((set(some), set(several)))
    }

    /// The rows that have a key within the bounds. A bound of another kind than the index's is met by no key.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn range(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<RowSet> {
        self.gather(&self.span_between(start, end)?)
    }

    /// The rows that have a term which starts with `prefix`; none in an index of another kind than keywords.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn prefix(&self, prefix: &str) -> Result<RowSet> {
        self.gather(&self.span_with_prefix(prefix)?)
    }

    /// How many rows [`PostingsFile::equals`] returns, exactly.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_equals(&self, key: Key<'_>) -> Result<Estimate> {
        self.estimate(&self.span_of(key)?)
    }

    /// About how many rows [`PostingsFile::any_of`] returns; exact when no row has more than one key.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_any_of<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Estimate> {
        self.estimate(&self.spans_of(keys)?)
    }

    /// About how many rows [`PostingsFile::range`] returns; exact when no row has more than one key.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_range(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<Estimate> {
        self.estimate(&self.span_between(start, end)?)
    }

    /// About how many rows [`PostingsFile::prefix`] returns; exact when no row has more than one key.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_prefix(&self, prefix: &str) -> Result<Estimate> {
        self.estimate(&self.span_with_prefix(prefix)?)
    }

    /// The cell that is the key of this number, one below [`keys`](Self::keys), in an index of positions.
    #[must_use]
    pub fn cell(&self, number: u32) -> u64 {
        cell_of(self.number(number))
    }

    /// The number of the first key not below `cell` among those numbered `within`, the end of those when there is none:
    /// the way to the keys in a range of cells. In an index of another kind than positions there is never one.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn first_cell_from(&self, cell: u64, within: &Range<u32>) -> Result<u32> {
        match Key::Cell(cell).stored(self.kind()) {
            Some(Stored::Number(number)) => self.find_number(number, within),
            Some(Stored::Term(_) | Stored::Uuid(_)) | None => Ok(within.end),
        }
    }

    /// The rows of the keys of these numbers, in ranges that do not overlap.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn rows_of(&self, keys: &[Range<u32>]) -> Result<RowSet> {
        self.gather(keys)
    }

    /// About how many rows [`PostingsFile::rows_of`] returns; exact when no row has more than one key.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_rows_of(&self, keys: &[Range<u32>]) -> Result<Estimate> {
        self.estimate(keys)
    }

    /// The key of a number below [`PostingsFile::keys`], in the order of keys, and the rows that have it.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn entry(&self, number: u32) -> Result<(Key<'_>, RowSet)> {
        let span = number..number.saturating_add(1);
        Ok((self.key(number)?, self.gather(std::slice::from_ref(&span))?))
    }

    /// The numbers of the keys within the bounds, which are of the index's kind.
    ///
    /// # Errors
    /// As [`equals`](Self::equals).
    pub fn keys_within(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<Range<u32>> {
        let spans = self.span_between(start, end)?;
        Ok(spans.into_iter().next().unwrap_or(0..0))
    }

    pub(super) fn span_of(&self, key: Key<'_>) -> Result<Vec<Range<u32>>> {
        let Some(stored) = key.stored(self.kind()) else {
            return Ok(Vec::new());
        };
        let (at, found) = self.find(&stored)?;
        Ok(found.then_some(at..at + 1).into_iter().collect())
    }

    /// Without repeats, whatever the keys.
    pub(super) fn spans_of<'a>(&self, keys: impl IntoIterator<Item = Key<'a>>) -> Result<Vec<Range<u32>>> {
        let mut spans = Vec::new();
        for key in keys {
            spans.extend(self.span_of(key)?);
        }
        spans.sort_unstable_by_key(|span| span.start);
        spans.dedup();
        Ok(spans)
    }

    pub(super) fn span_between(&self, start: Bound<Key<'_>>, end: Bound<Key<'_>>) -> Result<Vec<Range<u32>>> {
        // The first key at or after a bound; `past` is whether a key equal to the bound lies before that.
        let edge = |key: Key<'_>, past: bool| -> Result<Option<u32>> {
            let Some(stored) = key.stored(self.kind()) else {
                return Ok(None);
            };
            let (at, found) = self.find(&stored)?;
            Ok(Some(if found && past { at + 1 } else { at }))
        };
        let start = match start {
            Bound::Included(key) => edge(key, false)?,
            Bound::Excluded(key) => edge(key, true)?,
            Bound::Unbounded => Some(0),
        };
        let end = match end {
            Bound::Included(key) => edge(key, true)?,
            Bound::Excluded(key) => edge(key, false)?,
            Bound::Unbounded => Some(self.keys()),
        };
        Ok(start
            .zip(end)
            .filter(|(start, end)| start < end)
            .map(|(start, end)| start..end)
            .into_iter()
            .collect())
    }

    pub(super) fn span_with_prefix(&self, prefix: &str) -> Result<Vec<Range<u32>>> {
        let Some(stored) = Key::Term(prefix).stored(self.kind()) else {
            return Ok(Vec::new());
        };
        let (start, _) = self.find(&stored)?;
        let end = self.end_of_prefix(start, prefix.as_bytes())?;
        Ok((start < end).then_some(start..end).into_iter().collect())
    }

    /// The rows of the keys in `spans`, which do not overlap.
    pub(super) fn gather(&self, spans: &[Range<u32>]) -> Result<RowSet> {
        let pairs = spans
            .iter()
            .try_fold(0, |sum: u64, span| Ok::<_, Error>(sum + self.pairs(span)?))?;
        if !RowSet::is_sparse(pairs, self.rows()) {
            let mut bits = RowBits::empty(self.rows());
            for span in spans {
                self.each_row(span, |row| bits.insert(row))?;
                self.large_into_bits(span, &mut bits)?;
            }
            return Ok(RowSet::Bits(bits));
        }
        let mut list = Vec::with_capacity(pairs as usize);
        for span in spans {
            self.each_row(span, |row| list.push(row))?;
            self.large_into_list(span, &mut list)?;
        }
        // The rows of one key are sorted, unless the file is damaged.
        if !list.is_sorted_by(|a, b| a < b) {
            list.sort_unstable();
            list.dedup();
        }
        Ok(RowSet::List(list))
    }

    /// Passes the rows of the keys in `span` that are not large to `take`.
    pub(super) fn each_row(&self, span: &Range<u32>, mut take: impl FnMut(u32)) -> Result<()> {
        for row in self.run(span)?.chunks_exact(4) {
            let row = u32_at(row, 0);
            if row >= self.rows() {
                let what = format!("row {row}, expected one below {}", self.rows());
                return Err(self.corrupt_run(span.start, what).into());
            }
            take(row);
        }
        Ok(())
    }

    fn estimate(&self, spans: &[Range<u32>]) -> Result<Estimate> {
        let mut pairs = 0;
        let mut most = 0;
        for span in spans {
            let of_span = self.pairs(span)?;
            pairs += of_span;
            // Each row has a key once: so many rows there are at least, when the span is of one key.
            if span.len() == 1 {
                most = most.max(of_span);
            }
        }
        let present = u64::from(self.class_len(Class::Present));
        let single = present.saturating_sub(u64::from(self.class_len(Class::Multiple)));
        // At worst all pairs of the rows with several keys are among these.
        let repeated = self.entries().saturating_sub(single);
        let max = pairs.min(present);
        let min = most
            .max(pairs.saturating_sub(repeated))
            .max(u64::from(pairs > 0))
            .min(max);
        let expected = (pairs as f64 * present as f64 / self.entries().max(1) as f64).round() as u64;
        Ok(Estimate {
            min,
            expected: expected.clamp(min, max),
            max,
        })
    }
}
