//! What an index knows beside which rows have a key: where in a row it is, how many tokens a row has, and which tokens stand side
//! by side.

use super::{PostingsFile, lower_bound};
use crate::Result;
use crate::postings::details::Details;
use crate::postings::format::{BIGRAM_LEN, BIGRAMS, Bigram, DETAILS, STARTS, TextInfo, u32_at, u64_at};

impl PostingsFile {
    /// What an index of texts says of itself; `None` for one of another kind.
    #[must_use]
    pub fn text_info(&self) -> Option<TextInfo> {
        self.meta.text
    }

    /// How many tokens a row has; 0 in an index of another kind than texts.
    #[must_use]
    pub fn text_length(&self, row: u32) -> u32 {
        let texts = self.texts.as_ref();
        texts.map_or(0, |texts| u32_at(&texts.lengths, row as usize * 4))
    }

    /// Whether all bigrams of a token with so many rows are there.
    pub(in crate::postings) fn keeps_bigrams(&self, rows: u64) -> bool {
        let frequent = u64::from(self.meta.frequent);
        frequent > 0 && rows >= frequent
    }

    /// Entries of `bigrams`.
    pub(in crate::postings) fn bigrams(&self) -> u32 {
        self.meta.bigrams
    }

    /// The entry of this number, below [`bigrams`](Self::bigrams).
    pub(in crate::postings) fn bigram_at(&self, number: u32) -> Bigram {
        let texts = self.texts.as_ref();
        let bytes = texts.and_then(|texts| texts.bigrams.get(number as usize * BIGRAM_LEN..));
        let bytes = bytes.and_then(<[u8]>::first_chunk);
        Bigram::decode(bytes.unwrap_or(&[0; BIGRAM_LEN]))
    }

    /// The bigram of two keys, if it is there.
    pub(in crate::postings) fn find_bigram(&self, first: u32, second: u32) -> Result<Option<Bigram>> {
        let wanted = (first, second);
        let found = lower_bound(self.meta.bigrams, |number| {
            let bigram = self.bigram_at(number);
            Ok((bigram.first, bigram.second) < wanted)
        })?;
        let found = (found < self.meta.bigrams).then(|| self.bigram_at(found));
        Ok(found.filter(|bigram| (bigram.first, bigram.second) == wanted))
    }

    /// An error about a bigram whose keys have no more than `most` rows in common.
    pub(in crate::postings) fn corrupt_bigram(&self, bigram: &Bigram, most: u64) -> vdb_vfs::Error {
        let what = format!(
            "bigram of keys {} and {} in {} rows, expected keys in order that keep bigrams, and 1 to {most} rows",
            bigram.first, bigram.second, bigram.rows
        );
        self.frame.corrupt_section(BIGRAMS, 0, what)
    }

    /// Whether it knows in which elements values are.
    pub(in crate::postings) fn knows_elements(&self) -> bool {
        self.meta.elements
    }

    /// The details of the key numbered `key`, which has so many rows, in an index that knows places.
    pub(in crate::postings) fn details_of(&self, key: u32, rows: u64) -> Result<Details<'_>> {
        let details = Details::new(self.details(key)?, rows);
        details.ok_or_else(|| self.corrupt_details(key).into())
    }

    /// The details of the key numbered `key`, with their marks, in an index that knows places.
    pub(in crate::postings) fn details(&self, key: u32) -> Result<&[u8]> {
        let Some(places) = &self.places else {
            return Ok(&[]);
        };
        let at = key as usize * 8;
        let (start, end) = (u64_at(&places.starts, at), u64_at(&places.starts, at + 8));
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        range
            .and_then(|(start, end)| places.details.get(start..end))
            .ok_or_else(|| {
                let what = format!(
                    "details from {start} to {end}, expected some within {}",
                    places.details.len()
                );
                self.frame.corrupt_section(STARTS, at as u64, what).into()
            })
    }

    /// An error about the details of the key numbered `key`.
    pub(in crate::postings) fn corrupt_details(&self, key: u32) -> vdb_vfs::Error {
        let places = self.places.as_ref();
        let start = places.map_or(0, |places| u64_at(&places.starts, key as usize * 8));
        let what = "details of a key do not fit its rows";
        self.frame.corrupt_section(DETAILS, start, what)
    }
}
