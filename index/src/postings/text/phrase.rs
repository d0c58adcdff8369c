//! Rows in which tokens stand one behind another.
//!
//! Rows in which two of the tokens stand side by side may be known ([bigrams](super::bigrams)): then those are the rows of a
//! phrase of two, and only those are looked at for a longer one. Where few rows have all tokens, the positions in each are looked
//! up. Where many have, the positions in all rows of every token are read one after another, as numbers of a row and of the place
//! where the phrase would start, and what every token has is merged: reading on costs less than finding out, row by row, what to
//! leave out.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::postings::details::Details;
use crate::postings::file::PostingsFile;
use crate::postings::format::Bigram;
use crate::postings::query::Estimate;
use crate::rows::Ranks;
use crate::{Error, Result, RowSet};

/// Rows that are looked at for a phrase between two questions whether to go on.
const ROWS_A_QUESTION: usize = 1024;

/// Up to so many rows of a token are read to look at one that has all tokens.
const READ_A_ROW: u64 = 8;

/// Rows whose places are merged together: a multiple of 64.
const WINDOW: u32 = 1 << 16;

/// Where the rows of a window have more places of a token than this, about, rows are looked at one by one: places take memory.
const MOST_IN_WINDOW: u64 = 1 << 20;

/// A phrase in terms of keys.
struct Wanted {
    /// The rarest first: how many rows a token has, its key, and where it stands in the phrase.
    tokens: Vec<(u64, u32, Vec<u64>)>,
    /// Of two that stand side by side which rows these are, as far as that is kept; the rarest first.
    bigrams: Vec<Bigram>,
    /// How many tokens are to stand where, if one or two are, at the start.
    short: Option<usize>,
}

impl Wanted {
    /// Whether the rows of the bigram are those of the phrase.
    fn is_bigram(&self) -> bool {
        self.short == Some(2) && !self.bigrams.is_empty()
    }
}

/// A token of a phrase.
struct Token<'a> {
    key: u32,
    rows: RowSet,
    /// Where it stands in the phrase.
    places: &'a [u64],
}

impl PostingsFile {
    /// The rows in which each of these tokens stands as far after a common place as its number says. `goes_on` is
    /// asked for every token and every few rows whether to go on.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`]; [`Error::Cancelled`] when `goes_on` says so.
    pub fn phrase(&self, phrase: &[(&str, u64)], goes_on: &dyn Fn() -> bool) -> Result<RowSet> {
        let Some(wanted) = self.wanted(phrase)? else {
            return Ok(RowSet::new());
        };
        let goes_on = || if goes_on() { Ok(()) } else { Err(Error::Cancelled) };
        let mut all: Option<RowSet> = None;
        let narrow = |all: Option<RowSet>, rows: &RowSet| match all {
            Some(all) => all.and(rows),
            None => rows.clone(),
        };
        for bigram in &wanted.bigrams {
            goes_on()?;
            all = Some(narrow(all, &self.rows_of_bigram(bigram)?));
        }
        if wanted.is_bigram() {
            return Ok(all.unwrap_or_default());
        }
        let mut tokens = Vec::with_capacity(wanted.tokens.len());
        for (_, key, places) in &wanted.tokens {
            goes_on()?;
            let rows = self.rows_of_key(*key)?;
            let both = narrow(all, &rows);
            if both.is_empty() {
                return Ok(both);
            }
            all = Some(both);
            tokens.push(Token {
                key: *key,
                rows,
                places,
            });
        }
        let all = all.unwrap_or_default();
        let read: u64 = tokens.iter().map(|token| token.rows.len()).sum();
        let mut is_merged = read
            <= READ_A_ROW
                .saturating_mul(all.len())
                .saturating_mul(tokens.len() as u64);
        for token in &tokens {
            // A place takes a byte at least.
            let bytes = self.details(token.key)?.len() as u64;
            is_merged &= bytes / token.rows.len().max(1) <= MOST_IN_WINDOW / u64::from(WINDOW);
        }
        if is_merged && let Some(found) = self.merged(&tokens, &goes_on)? {
            return Ok(found);
        }
        self.looked_up(&tokens, &all, &goes_on)
    }

    /// About how many rows [`PostingsFile::phrase`] returns; exact for one token, and for two whose bigrams are kept.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_phrase(&self, phrase: &[(&str, u64)]) -> Result<Estimate> {
        let Some(wanted) = self.wanted(phrase)? else {
            return Ok(Estimate::exactly(0));
        };
        let fewest = wanted.bigrams.first().map(|bigram| u64::from(bigram.rows));
        if let Some(rows) = fewest.filter(|_| wanted.is_bigram()) {
            return Ok(Estimate::exactly(rows));
        }
        let all = self.estimate_all_of_keys(wanted.tokens.iter().map(|(rows, ..)| *rows));
        // One token is a phrase wherever it stands; of several nobody knows the order.
        if wanted.short == Some(1) {
            return Ok(all);
        }
        let max = fewest.map_or(all.max, |rows| rows.min(all.max));
        Ok(Estimate {
            min: 0,
            expected: all.expected.min(max),
            max,
        })
    }

    /// What a phrase asks for; `None` where that is nowhere.
    fn wanted(&self, phrase: &[(&str, u64)]) -> Result<Option<Wanted>> {
        let mut places: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (token, place) in phrase {
            places.entry(token).or_default().push(*place);
        }
        let mut tokens = Vec::with_capacity(places.len());
        for (token, places) in places {
            let Some(key) = self.key_of(token)? else {
                return Ok(None);
            };
            tokens.push((self.pairs(&(key..key + 1))?, key, places));
        }
        tokens.sort_unstable_by_key(|(rows, key, _)| (*rows, *key));
        let placed = tokens
            .iter()
            .flat_map(|(_, key, places)| places.iter().map(|place| (*place, *key)));
        let mut placed: Vec<(u64, u32)> = placed.collect();
        placed.sort_unstable();
        let mut bigrams = Vec::new();
        for (&(place, first), &(next, second)) in placed.iter().zip(placed.iter().skip(1)) {
            if next - place == 1
                && let Some(bigram) = self.bigram(first, second)?
            {
                bigrams.push(bigram);
            }
        }
        bigrams.sort_unstable_by_key(|bigram| bigram.rows);
        if bigrams.first().is_some_and(|rarest| rarest.rows == 0) {
            return Ok(None);
        }
        let short = match placed.as_slice() {
            [(0, _)] => Some(1),
            [(0, _), (1, _)] => Some(2),
            [..] => None,
        };
        Ok(Some(Wanted {
            tokens,
            bigrams,
            short,
        }))
    }

    /// Those of `rows`, which have all tokens, that have the phrase.
    fn looked_up(
        &self,
        tokens: &[Token<'_>],
        rows: &RowSet,
        goes_on: &dyn Fn() -> Result<()>,
    ) -> Result<RowSet> {
        let mut readers = Vec::with_capacity(tokens.len());
        for token in tokens {
            readers.push(Reader {
                key: token.key,
                ranks: token.rows.ranks(),
                details: self.details_of(token.key, token.rows.len())?,
                places: token.places,
            });
        }
        let mut found = Vec::new();
        let (mut starts, mut positions) = (Vec::new(), Vec::new());
        for (number, row) in rows.iter().enumerate() {
            if number % ROWS_A_QUESTION == 0 {
                goes_on()?;
            }
            if self.has_phrase(row, &mut readers, &mut starts, &mut positions)? {
                found.push(row);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Whether all tokens stand in this row, which has them all, as the phrase says. `starts` and `positions` are for what is
    /// found on the way.
    fn has_phrase(
        &self,
        row: u32,
        readers: &mut [Reader<'_>],
        starts: &mut Vec<u64>,
        positions: &mut Vec<u64>,
    ) -> Result<bool> {
        for (number, reader) in readers.iter_mut().enumerate() {
            positions.clear();
            reader
                .positions(row, positions)
                .ok_or_else(|| self.corrupt_details(reader.key))?;
            let Some((first, others)) = reader.places.split_first() else {
                return Ok(false);
            };
            if number == 0 {
                starts.clear();
                let firsts = positions
                    .iter()
                    .filter_map(|position| position.checked_sub(*first));
                starts.extend(firsts.filter(|start| stands_at(positions, *start, others)));
            } else {
                starts.retain(|start| stands_at(positions, *start, reader.places));
            }
            if starts.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All rows with the phrase; `None` where a position is too far on to be merged.
    fn merged(&self, tokens: &[Token<'_>], goes_on: &dyn Fn() -> Result<()>) -> Result<Option<RowSet>> {
        let mut details = Vec::with_capacity(tokens.len());
        for token in tokens {
            details.push(self.details_of(token.key, token.rows.len())?);
        }
        let mut found: Vec<u32> = Vec::new();
        let [mut starts, mut others, mut both, mut at] = [const { Vec::new() }; 4];
        for first in (0..self.rows()).step_by(WINDOW as usize) {
            goes_on()?;
            let window = first..first.saturating_add(WINDOW);
            for (number, (token, details)) in tokens.iter().zip(&mut details).enumerate() {
                if !read_window(token, details, &window, &mut at)
                    .ok_or_else(|| self.corrupt_details(token.key))?
                {
                    return Ok(None);
                }
                for (nth, place) in token.places.iter().enumerate() {
                    let of_place = if (number, nth) == (0, 0) {
                        &mut starts
                    } else {
                        &mut others
                    };
                    of_place.clear();
                    // A position before the place is none that a phrase can start at.
                    let start = |at: &u64| (*at & LOW).checked_sub(*place).map(|_| at - place);
                    of_place.extend(at.iter().filter_map(start));
                    if (number, nth) != (0, 0) {
                        in_both(&starts, &others, &mut both);
                        std::mem::swap(&mut starts, &mut both);
                    }
                }
            }
            found.extend(starts.iter().map(|start| first + (start >> ROW_AT) as u32));
        }
        found.dedup();
        Ok(Some(found.into_iter().collect()))
    }
}

/// The lowest bit of the row within its window, of which 16 are needed. The position is what lies below: in arrays of up to 65,536
/// texts, whose positions begin at multiples of 2^32, all are merged.
const ROW_AT: u32 = u64::BITS - WINDOW.ilog2();

/// What of a number is the position.
const LOW: u64 = (1 << ROW_AT) - 1;

/// Puts the rows of a window that have the token, and its positions in them, in the place of what is in `out`. Whether all fit;
/// `None` when the details are damaged.
fn read_window(
    token: &Token<'_>,
    details: &mut Details<'_>,
    window: &Range<u32>,
    out: &mut Vec<u64>,
) -> Option<bool> {
    out.clear();
    let mut most = 0;
    details.each_within(&token.rows, window, |row, position| {
        let row = u64::from(row - window.start) << ROW_AT;
        most |= position;
        out.push(row | position & LOW);
    })?;
    Some(most <= LOW)
}

/// Puts what is in both ascending lists in the place of what is in `out`.
fn in_both(a: &[u64], b: &[u64], out: &mut Vec<u64>) {
    out.clear();
    out.resize(a.len().min(b.len()), 0);
    let (mut i, mut j, mut count) = (0, 0, 0);
    // Which of two comes first nobody can foresee: no branch hangs on it.
    while let (Some(&x), Some(&y)) = (a.get(i), b.get(j)) {
        if let Some(slot) = out.get_mut(count) {
            *slot = x;
        }
        count += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    out.truncate(count);
}

/// The positions of a token, row by row.
struct Reader<'a> {
    key: u32,
    ranks: Ranks<'a>,
    details: Details<'a>,
    places: &'a [u64],
}

impl Reader<'_> {
    /// Appends the positions at which the row has it. Rows come in ascending order.
    fn positions(&mut self, row: u32, out: &mut Vec<u64>) -> Option<()> {
        let rank = self.ranks.of(row)?;
        self.details.seek(rank)?;
        self.details.each(|position| out.push(position))
    }
}

/// Whether there is a position at each of these places, counted from `start`.
fn stands_at(positions: &[u64], start: u64, places: &[u64]) -> bool {
    let found = |place: &u64| {
        start
            .checked_add(*place)
            .is_some_and(|at| positions.binary_search(&at).is_ok())
    };
    places.iter().all(found)
}
