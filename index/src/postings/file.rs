//! The mapped postings file: opening, and reading what a key or a class holds.

use std::ops::Range;

use vdb_vfs::{
    Disk, FileSlice,
    frame::{Frame, FrameInfo},
};

use super::{
    bitmap,
    details::Details,
    format::{
        BIGRAM_LEN, BIGRAMS, BITMAPS, Bigram, COUNT_LEN, COUNTS, Class, Count, DETAILS, FILE, KEYS, LARGE,
        LARGE_LEN, LENGTHS, Large, Meta, ROWS, RUNS, STARTS, TERMS, TextInfo, u32_at, u64_at,
    },
    key::{Key, Kind, Stored},
};
use crate::{Result, RowBits, RowSet};

/// The index of one payload path over the rows of one segment, mapped from its file.
///
/// Opening checks the header only, in constant time. Whatever is read later is bounded as it is read: a damaged
/// file can give an error or, until [`PostingsFile::verify`] is asked, a wrong answer, but no panic and no row
/// beyond the segment.
#[derive(Debug)]
pub struct PostingsFile {
    frame: Frame,
    meta: Meta,
    keys: FileSlice,
    terms: FileSlice,
    runs: FileSlice,
    rows: FileSlice,
    large: FileSlice,
    bitmaps: FileSlice,
    counts: FileSlice,
    /// Where in a row its values are.
    places: Option<Places>,
    /// Of an index of texts.
    texts: Option<Texts>,
}

#[derive(Debug)]
struct Texts {
    lengths: FileSlice,
    bigrams: FileSlice,
}

#[derive(Debug)]
struct Places {
    starts: FileSlice,
    details: FileSlice,
}

impl PostingsFile {
    /// Opens the index at `path` of a segment that has `rows` rows.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] and [`vdb_vfs::Error::Version`] for a file that is damaged, of another kind or
    /// version, or of a segment with another number of rows; those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, rows: u32) -> Result<Self> {
        let frame = Frame::open(disk, path, FILE, FILE.version..=FILE.version)?;
        let meta_at = frame.meta_at();
        let damage = |(at, what)| frame.corrupt(meta_at.saturating_add(at as u64), what);
        frame.require_sections(Meta::sections_of(frame.meta()).map_err(damage)?)?;
        let section = |index| frame.section(index);
        let (keys, terms, runs) = (section(KEYS)?, section(TERMS)?, section(RUNS)?);
        let (rows_of_keys, large, bitmaps) = (section(ROWS)?, section(LARGE)?, section(BITMAPS)?);
        let counts = section(COUNTS)?;
        let lengths = [&keys, &terms, &runs, &rows_of_keys, &large, &bitmaps, &counts];
        let lengths = lengths.map(|section| section.len() as u64);
        let meta = Meta::decode(frame.meta(), lengths).map_err(damage)?;
        let places = if meta.elements || meta.text.is_some() {
            let (starts, details) = (section(STARTS)?, section(DETAILS)?);
            meta.check_starts(starts.len() as u64).map_err(damage)?;
            Some(Places { starts, details })
        } else {
            None
        };
        let texts = if meta.text.is_some() {
            let (lengths, bigrams) = (section(LENGTHS)?, section(BIGRAMS)?);
            meta.check_lengths(lengths.len() as u64).map_err(damage)?;
            meta.check_bigrams(bigrams.len() as u64).map_err(damage)?;
            Some(Texts { lengths, bigrams })
        } else {
            None
        };
        if meta.rows != rows {
            let what = format!("index of a segment of {} rows, expected {rows}", meta.rows);
            return Err(frame.corrupt(meta_at, what).into());
        }
        Ok(Self {
            frame,
            meta,
            keys,
            terms,
            runs,
            rows: rows_of_keys,
            large,
            bitmaps,
            counts,
            places,
            texts,
        })
    }

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
    pub(super) fn keeps_bigrams(&self, rows: u64) -> bool {
        let frequent = u64::from(self.meta.frequent);
        frequent > 0 && rows >= frequent
    }

    /// The bigram of two keys, if it is there.
    pub(super) fn find_bigram(&self, first: u32, second: u32) -> Result<Option<Bigram>> {
        let at = |number: u32| {
            let texts = self.texts.as_ref();
            let bytes = texts.and_then(|texts| texts.bigrams.get(number as usize * BIGRAM_LEN..));
            let bytes = bytes.and_then(<[u8]>::first_chunk);
            Bigram::decode(bytes.unwrap_or(&[0; BIGRAM_LEN]))
        };
        let wanted = (first, second);
        let found = lower_bound(self.meta.bigrams, |number| {
            let bigram = at(number);
            Ok((bigram.first, bigram.second) < wanted)
        })?;
        let found = (found < self.meta.bigrams).then(|| at(found));
        Ok(found.filter(|bigram| (bigram.first, bigram.second) == wanted))
    }

    /// Whether it knows in which elements values are.
    pub(super) fn knows_elements(&self) -> bool {
        self.meta.elements
    }

    /// Entries of `counts`.
    pub(super) fn counts(&self) -> u32 {
        self.meta.counts
    }

    /// The entry of this number, below [`counts`](Self::counts).
    pub(super) fn count(&self, number: u32) -> Count {
        let bytes = self.counts.get(number as usize * COUNT_LEN..);
        let bytes = bytes.and_then(<[u8]>::first_chunk);
        Count::decode(bytes.unwrap_or(&[0; COUNT_LEN]))
    }

    /// The details of the key numbered `key`, which has so many rows, in an index that knows places.
    pub(super) fn details_of(&self, key: u32, rows: u64) -> Result<Details<'_>> {
        let details = Details::new(self.details(key)?, rows);
        details.ok_or_else(|| self.corrupt_details(key).into())
    }

    /// The details of the key numbered `key`, with their marks, in an index that knows places.
    pub(super) fn details(&self, key: u32) -> Result<&[u8]> {
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
    pub(super) fn corrupt_details(&self, key: u32) -> vdb_vfs::Error {
        let places = self.places.as_ref();
        let start = places.map_or(0, |places| u64_at(&places.starts, key as usize * 8));
        let what = "details of a key do not fit its rows";
        self.frame.corrupt_section(DETAILS, start, what)
    }

    /// The kind of index.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.meta.kind
    }

    /// Rows of the segment, with or without a value.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.meta.rows
    }

    /// Different keys.
    #[must_use]
    pub fn keys(&self) -> u32 {
        self.meta.keys
    }

    /// Pairs of key and row.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.meta.entries
    }

    /// How many rows are of `class`; known without reading them.
    #[must_use]
    pub fn class_len(&self, class: Class) -> u32 {
        self.meta
            .classes
            .get(class.number())
            .map_or(0, |record| record.rows)
    }

    /// The rows of `class`.
    ///
    /// # Errors
    /// The file is damaged there.
    pub fn class(&self, class: Class) -> Result<RowSet> {
        let start = self
            .meta
            .classes
            .iter()
            .take(class.number())
            .map(|record| u64::from(record.bytes))
            .sum();
        let record = match self.meta.classes.get(class.number()) {
            Some(record) if record.rows > 0 => record,
            Some(_) | None => return Ok(RowSet::new()),
        };
        self.bitmap_rows(start, record.bytes, record.rows)
    }

    /// The rows of a bitmap of so many.
    pub(super) fn bitmap_rows(&self, start: u64, len: u32, rows: u32) -> Result<RowSet> {
        if rows > self.meta.rows {
            return Err(self.corrupt_bitmap(start, rows).into());
        }
        if RowSet::is_sparse(u64::from(rows), self.meta.rows) {
            let mut list = Vec::with_capacity(rows as usize);
            self.bitmap_into_list(start, len, rows, &mut list)?;
            return Ok(RowSet::List(list));
        }
        let mut bits = RowBits::empty(self.meta.rows);
        let read = bitmap::add_to_bits(self.bitmap(start, len)?, &mut bits);
        if read.is_none() || bits.count() != u64::from(rows) {
            return Err(self.corrupt_bitmap(start, rows).into());
        }
        Ok(RowSet::Bits(bits))
    }

    /// The rows with some value in the index: [`Class::Present`].
    ///
    /// # Errors
    /// As [`PostingsFile::class`].
    pub fn present(&self) -> Result<RowSet> {
        self.class(Class::Present)
    }

    /// Length and checksum of the file, as [`Builder::finish`](super::Builder::finish) returned them.
    #[must_use]
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// Reads the whole file from the disk and checks every byte of it.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] with the first damaged place; those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        Ok(self.frame.verify(disk)?)
    }

    /// The number of the first key that is not below `key`, and whether it is that key.
    pub(super) fn find(&self, key: &Stored<'_>) -> Result<(u32, bool)> {
        let (keys, term) = (self.meta.keys, key.bytes());
        let at = match key {
            Stored::Number(number) => lower_bound(keys, |at| Ok(self.number(at) < *number))?,
            Stored::Term(_) | Stored::Uuid(_) => lower_bound(keys, |at| Ok(self.term(at)? < term))?,
        };
        let equal = at < keys
            && match key {
                Stored::Number(number) => self.number(at) == *number,
                Stored::Term(_) | Stored::Uuid(_) => self.term(at)? == term,
            };
        Ok((at, equal))
    }

    /// The number of the first key among those numbered `within` that is not below `number`; the end when none is.
    pub(super) fn find_number(&self, number: i64, within: &Range<u32>) -> Result<u32> {
        let first = lower_bound(within.end.saturating_sub(within.start), |at| {
            Ok(self.number(within.start + at) < number)
        })?;
        Ok(within.start + first)
    }

    /// The key numbered `key`.
    pub(super) fn key(&self, key: u32) -> Result<Key<'_>> {
        let damage = |what: &str| {
            let what = format!("key {key} is no {what}");
            self.frame.corrupt_section(KEYS, u64::from(key) * 8, what).into()
        };
        match self.kind() {
            Kind::Keyword | Kind::Text => std::str::from_utf8(self.term(key)?)
                .map(Key::Term)
                .map_err(|_| damage("text")),
            Kind::Uuid => <[u8; 16]>::try_from(self.term(key)?)
                .map(Key::Uuid)
                .map_err(|_| damage("UUID")),
            kind @ (Kind::Integer | Kind::Float | Kind::Bool | Kind::Datetime | Kind::Geo) => {
                Ok(Key::from_number(self.number(key), kind))
            }
        }
    }

    /// The number of the first key at or after `from` that does not start with `prefix`, where `from` is the
    /// first that is not below it.
    pub(super) fn end_of_prefix(&self, from: u32, prefix: &[u8]) -> Result<u32> {
        let after = lower_bound(self.meta.keys.saturating_sub(from), |at| {
            Ok(self.term(from + at)?.starts_with(prefix))
        })?;
        Ok(from + after)
    }

    /// How many pairs of key and row the keys numbered `keys` have.
    pub(super) fn pairs(&self, keys: &Range<u32>) -> Result<u64> {
        let run = self.run(keys)?;
        let large = self
            .large_before(keys.end)?
            .saturating_sub(self.large_before(keys.start)?);
        Ok((run.len() / 4) as u64 + large)
    }

    /// The rows of the keys that are not large among those numbered `keys`, 4 bytes a row.
    pub(super) fn run(&self, keys: &Range<u32>) -> Result<&[u8]> {
        let start = u32_at(&self.runs, keys.start as usize * 4);
        let end = u32_at(&self.runs, keys.end as usize * 4);
        self.rows
            .get(start as usize * 4..end as usize * 4)
            .ok_or_else(|| {
                let what = format!(
                    "run of rows from {start} to {end}, expected one within {}",
                    self.rows.len() / 4
                );
                self.frame
                    .corrupt_section(RUNS, u64::from(keys.start) * 4, what)
                    .into()
            })
    }

    /// Adds the rows of each large key among those numbered `keys` to `bits`.
    pub(super) fn large_into_bits(&self, keys: &Range<u32>, bits: &mut RowBits) -> Result<()> {
        for number in self.first_large(keys.start)?..self.first_large(keys.end)? {
            let large = self.large(number);
            let bytes = self.bitmap(large.start, large.bytes)?;
            let before = bits.count();
            let read = bitmap::add_to_bits(bytes, bits).is_some();
            // As many rows as it is said to have, of which some may have been there already.
            let rows = u64::from(large.rows);
            if !read || bits.count() < rows || bits.count() > before + rows {
                return Err(self.corrupt_bitmap(large.start, large.rows).into());
            }
        }
        Ok(())
    }

    /// Appends the rows of each large key among those numbered `keys` to `list`.
    pub(super) fn large_into_list(&self, keys: &Range<u32>, list: &mut Vec<u32>) -> Result<()> {
        for number in self.first_large(keys.start)?..self.first_large(keys.end)? {
            let large = self.large(number);
            self.bitmap_into_list(large.start, large.bytes, large.rows, list)?;
        }
        Ok(())
    }

    fn bitmap_into_list(&self, start: u64, len: u32, rows: u32, list: &mut Vec<u32>) -> Result<()> {
        let bytes = self.bitmap(start, len)?;
        let from = list.len();
        let read = bitmap::add_to_list(bytes, rows as usize, list);
        let new = list.get(from..).unwrap_or_default();
        let is_sound = new.len() == rows as usize
            && new.is_sorted_by(|a, b| a < b)
            && new.last().is_none_or(|&last| last < self.meta.rows);
        if read.is_none() || !is_sound {
            list.truncate(from);
            return Err(self.corrupt_bitmap(start, rows).into());
        }
        Ok(())
    }

    /// An error about the rows of the keys numbered from `key`.
    pub(super) fn corrupt_run(&self, key: u32, what: String) -> vdb_vfs::Error {
        let start = u32_at(&self.runs, key as usize * 4);
        self.frame.corrupt_section(ROWS, u64::from(start) * 4, what)
    }

    /// The bytes of a bitmap.
    fn bitmap(&self, start: u64, len: u32) -> Result<&[u8]> {
        let end_of = |start: usize| start.checked_add(len as usize);
        usize::try_from(start)
            .ok()
            .and_then(|start| self.bitmaps.get(start..end_of(start)?))
            .ok_or_else(|| {
                let what = format!("a bitmap of {len} bytes ends beyond its section");
                self.frame.corrupt_section(BITMAPS, start, what).into()
            })
    }

    fn corrupt_bitmap(&self, start: u64, rows: u32) -> vdb_vfs::Error {
        let what = format!(
            "expected a roaring bitmap of {rows} rows below {}",
            self.meta.rows
        );
        self.frame.corrupt_section(BITMAPS, start, what)
    }

    pub(super) fn number(&self, key: u32) -> i64 {
        u64_at(&self.keys, key as usize * 8).cast_signed()
    }

    fn term(&self, key: u32) -> Result<&[u8]> {
        let at = key as usize * 8;
        let (start, end) = (u64_at(&self.keys, at), u64_at(&self.keys, at + 8));
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        range
            .and_then(|(start, end)| self.terms.get(start..end))
            .ok_or_else(|| {
                let what = format!(
                    "term from {start} to {end}, expected one within {}",
                    self.terms.len()
                );
                self.frame.corrupt_section(KEYS, at as u64, what).into()
            })
    }

    fn large(&self, number: u32) -> Large {
        let bytes = self
            .large
            .get(number as usize * LARGE_LEN..)
            .and_then(<[u8]>::first_chunk);
        Large::decode(bytes.unwrap_or(&[0; LARGE_LEN]))
    }

    /// The number of the first large entry whose key is not below `key`.
    fn first_large(&self, key: u32) -> Result<u32> {
        lower_bound(self.meta.large, |number| Ok(self.large(number).key < key))
    }

    /// Pairs of the large keys below `key`.
    fn large_before(&self, key: u32) -> Result<u64> {
        Ok(match self.first_large(key)?.checked_sub(1) {
            None => 0,
            Some(last) => {
                let last = self.large(last);
                last.before
                    .saturating_add(u64::from(last.rows))
                    .min(self.meta.entries)
            }
        })
    }
}

/// The first number below `len` for which `below` is false, `len` when there is none. `below` is true up to there.
fn lower_bound(len: u32, below: impl Fn(u32) -> Result<bool>) -> Result<u32> {
    let (mut start, mut end) = (0, len);
    while start < end {
        let middle = start + (end - start) / 2;
        if below(middle)? {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    Ok(start)
}
