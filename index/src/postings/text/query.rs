//! Rows by several tokens, and how often they have one.

use std::collections::BTreeMap;

use crate::postings::details::Details;
use crate::postings::file::PostingsFile;
use crate::postings::format::Class;
use crate::postings::key::Key;
use crate::postings::query::Estimate;
use crate::rows::Ranks;
use crate::{Error, Result, RowSet};

impl PostingsFile {
    /// The rows that have every one of `tokens`, each given once; all rows with a token when there are none.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn all_of<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) -> Result<RowSet> {
        let Some(keys) = self.rarest_first(tokens)? else {
            return Ok(RowSet::new());
        };
        let mut keys = keys.into_iter();
        let Some((_, first)) = keys.next() else {
            return self.present();
        };
        let mut rows = self.rows_of_key(first)?;
        for (_, key) in keys {
            if rows.is_empty() {
                break;
            }
            rows = rows.and(&self.rows_of_key(key)?);
        }
        Ok(rows)
    }

    /// About how many rows [`PostingsFile::all_of`] returns; exact for one token. Tokens count as independent.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn estimate_all_of<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) -> Result<Estimate> {
        let present = u64::from(self.class_len(Class::Present));
        let Some(keys) = self.rarest_first(tokens)? else {
            return Ok(Estimate::exactly(0));
        };
        let Some((max, _)) = keys.first().copied() else {
            return Ok(Estimate::exactly(present));
        };
        // Rows that lack a token, counted once for each token.
        let lacking = keys.iter().fold(0_u64, |sum, (rows, _)| {
            sum.saturating_add(present.saturating_sub(*rows))
        });
        let min = present.saturating_sub(lacking).min(max);
        let share = |rows: u64| rows as f64 / present.max(1) as f64;
        let expected = keys.iter().map(|(rows, _)| share(*rows)).product::<f64>() * present as f64;
        Ok(Estimate {
            min,
            expected: (expected.round() as u64).clamp(min, max),
            max,
        })
    }

    /// The rows in which each of these tokens stands as far after a common place as its number says. `goes_on` is
    /// asked for every token whether to go on.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`]; [`Error::Cancelled`] when `goes_on` says so.
    pub fn phrase(&self, phrase: &[(&str, u64)], goes_on: &dyn Fn() -> bool) -> Result<RowSet> {
        let mut places: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (token, place) in phrase {
            places.entry(token).or_default().push(*place);
        }
        let Some(keys) = self.rarest_first(places.keys().copied())? else {
            return Ok(RowSet::new());
        };
        let by_key: BTreeMap<u32, &Vec<u64>> = places
            .iter()
            .filter_map(|(token, places)| Some((self.key_of(token).ok().flatten()?, places)))
            .collect();
        let goes_on = || if goes_on() { Ok(()) } else { Err(Error::Cancelled) };
        let mut of_tokens = Vec::with_capacity(keys.len());
        let mut all: Option<RowSet> = None;
        for (_, key) in keys {
            goes_on()?;
            let rows = self.rows_of_key(key)?;
            let both = match all {
                Some(all) => all.and(&rows),
                None => rows.clone(),
            };
            if both.is_empty() {
                return Ok(both);
            }
            all = Some(both);
            of_tokens.push((key, rows));
        }
        let mut tokens = Vec::with_capacity(of_tokens.len());
        for (key, rows) in &of_tokens {
            tokens.push(Token {
                key: *key,
                ranks: rows.ranks(),
                details: self.details_of(*key, rows.len())?,
                places: by_key.get(key).map_or(&[], |places| places.as_slice()),
            });
        }
        let mut found = Vec::new();
        let (mut starts, mut positions) = (Vec::new(), Vec::new());
        for (number, row) in all.unwrap_or_default().iter().enumerate() {
            if number % ROWS_A_QUESTION == 0 {
                goes_on()?;
            }
            if self.has_phrase(row, &mut tokens, &mut starts, &mut positions)? {
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
        tokens: &mut [Token<'_>],
        starts: &mut Vec<u64>,
        positions: &mut Vec<u64>,
    ) -> Result<bool> {
        for (number, token) in tokens.iter_mut().enumerate() {
            positions.clear();
            token
                .positions(row, positions)
                .ok_or_else(|| self.corrupt_details(token.key))?;
            let Some((first, others)) = token.places.split_first() else {
                return Ok(false);
            };
            if number == 0 {
                starts.clear();
                let firsts = positions
                    .iter()
                    .filter_map(|position| position.checked_sub(*first));
                starts.extend(firsts.filter(|start| stands_at(positions, *start, others)));
            } else {
                starts.retain(|start| stands_at(positions, *start, token.places));
            }
            if starts.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The rows that have `token`, ascending, and how often each has it.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn occurrences(&self, token: &str) -> Result<Vec<(u32, u32)>> {
        let Some(key) = self.key_of(token)? else {
            return Ok(Vec::new());
        };
        let rows = self.rows_of_key(key)?;
        let mut details = self.details_of(key, rows.len())?;
        let mut found = Vec::with_capacity(rows.len() as usize);
        for row in rows.iter() {
            let count = details.count().ok_or_else(|| self.corrupt_details(key))?;
            found.push((row, count));
        }
        Ok(found)
    }

    fn rows_of_key(&self, key: u32) -> Result<RowSet> {
        let span = key..key + 1;
        self.gather(std::slice::from_ref(&span))
    }

    /// The number of a token.
    fn key_of(&self, token: &str) -> Result<Option<u32>> {
        Ok(self.span_of(Key::Term(token))?.first().map(|span| span.start))
    }

    /// How many rows each token has, and its number, the rarest first; `None` when one is nowhere.
    fn rarest_first<'a>(&self, tokens: impl IntoIterator<Item = &'a str>) -> Result<Option<Vec<(u64, u32)>>> {
        let mut keys = Vec::new();
        for token in tokens {
            let Some(key) = self.key_of(token)? else {
                return Ok(None);
            };
            keys.push((self.pairs(&(key..key + 1))?, key));
        }
        keys.sort_unstable();
        Ok(Some(keys))
    }
}

/// Rows that are looked at for a phrase between two questions whether to go on.
const ROWS_A_QUESTION: usize = 1024;

/// A token of a phrase.
struct Token<'a> {
    key: u32,
    ranks: Ranks<'a>,
    details: Details<'a>,
    /// Where it stands in the phrase.
    places: &'a [u64],
}

impl Token<'_> {
    /// Appends the positions at which the row has it. Rows come in ascending order.
    #[inline]
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
