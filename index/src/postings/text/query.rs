//! Rows by several tokens, and how often they have one.

use std::collections::BTreeMap;

use crate::postings::details::Details;
use crate::postings::file::PostingsFile;
use crate::postings::format::Class;
use crate::postings::key::Key;
use crate::postings::query::Estimate;
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
        // Where the phrase can start: row and place, ascending.
        let mut starts: Option<Vec<(u32, u64)>> = None;
        for (_, key) in keys {
            if !goes_on() {
                return Err(Error::Cancelled);
            }
            let places = by_key.get(&key).map_or(&[][..], |places| places.as_slice());
            let left = match starts {
                None => self.starts_of(key, places)?,
                Some(starts) => self.starts_among(key, places, &starts)?,
            };
            if left.is_empty() {
                return Ok(RowSet::new());
            }
            starts = Some(left);
        }
        Ok(starts
            .unwrap_or_default()
            .into_iter()
            .map(|(row, _)| row)
            .collect())
    }

    /// The rows that have `token`, ascending, and how often each has it.
    ///
    /// # Errors
    /// As [`PostingsFile::equals`].
    pub fn occurrences(&self, token: &str) -> Result<Vec<(u32, u32)>> {
        let Some(key) = self.key_of(token)? else {
            return Ok(Vec::new());
        };
        let mut details = self.details_of(key)?;
        let rows = self.rows_of_key(key)?;
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

    fn details_of(&self, key: u32) -> Result<Details<'_>> {
        Ok(Details::new(self.details(key)?))
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

    /// Where a phrase can start that has a token at these places.
    fn starts_of(&self, key: u32, places: &[u64]) -> Result<Vec<(u32, u64)>> {
        let Some((first, others)) = places.split_first() else {
            return Ok(Vec::new());
        };
        let mut details = self.details_of(key)?;
        let (mut starts, mut positions) = (Vec::new(), Vec::new());
        for row in self.rows_of_key(key)?.iter() {
            details
                .positions(&mut positions)
                .ok_or_else(|| self.corrupt_details(key))?;
            let firsts = positions
                .iter()
                .filter_map(|position| position.checked_sub(*first));
            starts.extend(
                firsts
                    .filter(|start| stands_at(&positions, *start, others))
                    .map(|start| (row, start)),
            );
        }
        Ok(starts)
    }

    /// Of `starts` those at which a phrase can start that has a token at these places.
    fn starts_among(&self, key: u32, places: &[u64], starts: &[(u32, u64)]) -> Result<Vec<(u32, u64)>> {
        let mut details = self.details_of(key)?;
        let mut by_row = starts.chunk_by(|(a, _), (b, _)| a == b).peekable();
        let (mut left, mut positions) = (Vec::new(), Vec::new());
        for row in self.rows_of_key(key)?.iter() {
            let row_of = |group: &[(u32, u64)]| group.first().map_or(u32::MAX, |(row, _)| *row);
            while by_row.next_if(|group| row_of(group) < row).is_some() {}
            let Some(group) = by_row.next_if(|group| row_of(group) == row) else {
                if by_row.peek().is_none() {
                    break;
                }
                details.count().ok_or_else(|| self.corrupt_details(key))?;
                continue;
            };
            details
                .positions(&mut positions)
                .ok_or_else(|| self.corrupt_details(key))?;
            left.extend(
                group
                    .iter()
                    .filter(|(_, start)| stands_at(&positions, *start, places)),
            );
        }
        Ok(left)
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
