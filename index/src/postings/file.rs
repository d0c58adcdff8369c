//! The mapped postings file: opening, and finding keys and their rows.
//!
//! | file | what it holds |
//! |---|---|
//! | `bitmaps.rs` | sets of rows that are bitmaps there: classes, frequent keys, numbers of values |
//! | `places.rs` | where in its rows a key is; tokens side by side |

mod bitmaps;
mod places;

use std::ops::Range;

use vdb_vfs::{
    Disk, FileSlice,
    frame::{Frame, FrameInfo},
};

use super::{
    format::{
        BIGRAMS, BITMAPS, COUNTS, Class, DETAILS, FILE, KEYS, LARGE, LENGTHS, Meta, ROWS, RUNS, STARTS,
        TERMS, u32_at, u64_at,
    },
    key::{Key, Kind, Stored},
};
use crate::Result;

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

    /// Reads what the index holds, other than the rows of its keys, and checks that it makes sense: classes, numbers of values,
    /// and bigrams of texts.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] with the first place that does not.
    pub fn check(&self) -> Result<()> {
        for class in Class::ALL {
            self.class(class)?;
        }
        self.with_values(&|_| true, &|| true)?;
        self.check_bigrams()
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

    /// An error about the rows of the keys numbered from `key`.
    pub(super) fn corrupt_run(&self, key: u32, what: String) -> vdb_vfs::Error {
        let start = u32_at(&self.runs, key as usize * 4);
        self.frame.corrupt_section(ROWS, u64::from(start) * 4, what)
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
