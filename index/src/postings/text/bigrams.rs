//! Rows in which two frequent tokens stand side by side, so that phrases of such tokens need not be looked for among the positions
//! of nearly all rows.
//!
//! Of the most frequent tokens all bigrams are kept, so that one which is not there is in no row. Williams, Zobel and Bahle,
//! "Fast phrase querying with combined indexes" (ACM TOIS 22(4), 2004), keep next words of the most frequent words for the same
//! reason; here only rows are kept, since phrases of more tokens are looked for in the few rows that all their bigrams leave.

use std::cmp::Reverse;

use roaring::RoaringBitmap;

use super::list::{List, Reader};
use crate::postings::bitmap::append;
use crate::postings::file::PostingsFile;
use crate::postings::format::Bigram;
use crate::{Result, RowSet};

/// Tokens of which bigrams are kept, at most.
const MOST_TOKENS: usize = 64;

/// Of a token with fewer rows all positions are read in microseconds.
const LEAST_ROWS: u32 = 128;

/// What each bigram takes beside its rows: an entry, a set of rows that is written, and the head of that where it is written.
const BYTES_EACH: usize = size_of::<Bigram>() + size_of::<RoaringBitmap>() + 16;

/// About the most memory that bigrams of texts with so many tokens take while they are written.
pub(super) fn most_bytes(tokens: u64) -> usize {
    let tokens = usize::try_from(tokens).unwrap_or(usize::MAX / 8);
    // A row of a bigram takes two bytes at the most.
    2 * tokens + tokens.min(MOST_TOKENS * MOST_TOKENS) * BYTES_EACH
}

/// The bigrams of an index that is built.
#[derive(Debug, Default)]
pub(super) struct Bigrams {
    /// The rows from which on a token's bigrams are kept; 0 where none are.
    pub(super) least_rows: u32,
    pub(super) entries: Vec<Bigram>,
}

/// The bigrams of the most frequent tokens, of lists in the order of their keys. Their bitmaps are appended.
pub(super) fn collect<'a>(lists: impl Iterator<Item = &'a List>, bitmaps: &mut Vec<u8>) -> Bigrams {
    let is_frequent = |(_, list): &(u32, &List)| list.count >= LEAST_ROWS;
    let mut tokens: Vec<(u32, &List)> = (0..).zip(lists).filter(is_frequent).collect();
    let mut least_rows = LEAST_ROWS;
    if tokens.len() > MOST_TOKENS {
        let mut counts: Vec<u32> = tokens.iter().map(|(_, list)| list.count).collect();
        let (_, first_left_out, _) = counts.select_nth_unstable_by_key(MOST_TOKENS, |&count| Reverse(count));
        // Whoever has as many rows is left out as well.
        least_rows = first_left_out.saturating_add(1);
        tokens.retain(|(_, list)| list.count >= least_rows);
    }
    let lists: Vec<&List> = tokens.iter().map(|(_, list)| *list).collect();
    let Some(found) = side_by_side(&lists) else {
        return Bigrams::default();
    };
    let keys = || tokens.iter().map(|(key, _)| *key);
    let pairs = keys().flat_map(|first| keys().map(move |second| (first, second)));
    let mut entries = Vec::new();
    for ((first, second), mut rows) in pairs.zip(found) {
        if !rows.is_empty() {
            let start = bitmaps.len() as u64;
            let bytes = append(&mut rows, bitmaps);
            entries.push(Bigram {
                first,
                second,
                start,
                // No more than those of a token.
                rows: rows.len() as u32,
                bytes,
            });
        }
    }
    Bigrams { least_rows, entries }
}

/// The rows of each two tokens, by the first and then the second. `None` where several tokens stand in one place, as prefixes of a
/// word do: there may be any number of bigrams then.
fn side_by_side(lists: &[&List]) -> Option<Vec<RoaringBitmap>> {
    let mut found = vec![RoaringBitmap::new(); lists.len() * lists.len()];
    let mut readers: Vec<(Option<u32>, Reader<'_>)> = lists
        .iter()
        .map(|list| {
            let mut reader = list.reader();
            (reader.next_row(), reader)
        })
        .collect();
    let mut places: Vec<(u64, usize)> = Vec::new();
    while let Some(row) = readers.iter().filter_map(|(row, _)| *row).min() {
        places.clear();
        for (token, (next, reader)) in readers.iter_mut().enumerate() {
            if *next == Some(row) {
                reader.each_position(|position| places.push((position, token)));
                *next = reader.next_row();
            }
        }
        places.sort_unstable();
        for (&(place, first), &(next, second)) in places.iter().zip(places.iter().skip(1)) {
            if place == next {
                return None;
            }
            if next - place == 1
                && let Some(rows) = found.get_mut(first * lists.len() + second)
            {
                rows.insert(row);
            }
        }
    }
    Some(found)
}

impl PostingsFile {
    /// What is known of the tokens of these keys standing side by side, of which the first comes first; `None` where bigrams of
    /// either are not kept.
    pub(super) fn bigram(&self, first: u32, second: u32) -> Result<Option<Bigram>> {
        let mut most = u64::MAX;
        for key in [first, second] {
            let rows = self.pairs(&(key..key + 1))?;
            if !self.keeps_bigrams(rows) {
                return Ok(None);
            }
            most = most.min(rows);
        }
        let nowhere = Bigram {
            first,
            second,
            start: 0,
            rows: 0,
            bytes: 0,
        };
        let found = self.find_bigram(first, second)?.unwrap_or(nowhere);
        // Estimates are made of this number without reading a row.
        if u64::from(found.rows) > most {
            return Err(self.corrupt_bigram(&found, most).into());
        }
        Ok(Some(found))
    }

    /// Reads the rows of every bigram, in order.
    ///
    /// # Errors
    /// A bigram is of keys that do not keep any, does not come after the one before, or its rows are none.
    pub(in crate::postings) fn check_bigrams(&self) -> Result<()> {
        let mut before = None;
        for number in 0..self.bigrams() {
            let bigram = self.bigram_at(number);
            let keys = (bigram.first, bigram.second);
            let kept = if keys.0.max(keys.1) < self.keys() {
                self.bigram(keys.0, keys.1)?
            } else {
                None
            };
            if kept != Some(bigram) || bigram.rows == 0 || before >= Some(keys) {
                return Err(self.corrupt_bigram(&bigram, self.rows().into()).into());
            }
            before = Some(keys);
            self.rows_of_bigram(&bigram)?;
        }
        Ok(())
    }

    /// The rows of a bigram.
    pub(super) fn rows_of_bigram(&self, bigram: &Bigram) -> Result<RowSet> {
        match bigram.rows {
            0 => Ok(RowSet::new()),
            rows => self.bitmap_rows(bigram.start, bigram.bytes, rows),
        }
    }
}
