//! Rows by several tokens, and how often they have one.

use crate::postings::file::PostingsFile;
use crate::postings::format::Class;
use crate::postings::key::Key;
use crate::postings::query::Estimate;
use crate::{Result, RowSet};

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
        let Some(keys) = self.rarest_first(tokens)? else {
            return Ok(Estimate::exactly(0));
        };
        Ok(self.estimate_all_of_keys(keys.into_iter().map(|(rows, _)| rows)))
    }

    /// The same for keys of so many rows, the rarest first.
    pub(super) fn estimate_all_of_keys(&self, keys: impl Iterator<Item = u64> + Clone) -> Estimate {
        let present = u64::from(self.class_len(Class::Present));
        let Some(rarest) = keys.clone().next() else {
            return Estimate::exactly(present);
        };
        // More only in a damaged file.
        let max = rarest.min(present);
        // Rows that lack a token, counted once for each token.
        let lacking = keys.clone().fold(0_u64, |sum, rows| {
            sum.saturating_add(present.saturating_sub(rows))
        });
        let min = present.saturating_sub(lacking).min(max);
        let share = |rows: u64| rows as f64 / present.max(1) as f64;
        let expected = keys.map(share).product::<f64>() * present as f64;
        Estimate {
            min,
            expected: (expected.round() as u64).clamp(min, max),
            max,
        }
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

    pub(super) fn rows_of_key(&self, key: u32) -> Result<RowSet> {
        let span = key..key + 1;
        self.gather(std::slice::from_ref(&span))
    }

    /// The number of a token.
    pub(super) fn key_of(&self, token: &str) -> Result<Option<u32>> {
        Ok(self.span_of(Key::Term(token))?.first().map(|span| span.start))
    }

    /// How many rows each token has, and its number, the rarest first; `None` when one is nowhere.
    pub(super) fn rarest_first<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Vec<(u64, u32)>>> {
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
