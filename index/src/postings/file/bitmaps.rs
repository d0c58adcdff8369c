//! Sets of rows that lie in the file as bitmaps: of classes, of frequent keys, of numbers of values.

use std::ops::Range;

use super::{PostingsFile, lower_bound};
use crate::postings::bitmap;
use crate::postings::format::{BITMAPS, COUNT_LEN, Class, Count, LARGE_LEN, Large};
use crate::{Result, RowBits, RowSet};

impl PostingsFile {
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

    /// The rows with some value in the index: [`Class::Present`].
    ///
    /// # Errors
    /// As [`PostingsFile::class`].
    pub fn present(&self) -> Result<RowSet> {
        self.class(Class::Present)
    }

    /// Entries of `counts`.
    pub(in crate::postings) fn counts(&self) -> u32 {
        self.meta.counts
    }

    /// The entry of this number, below [`counts`](Self::counts).
    pub(in crate::postings) fn count(&self, number: u32) -> Count {
        let bytes = self.counts.get(number as usize * COUNT_LEN..);
        let bytes = bytes.and_then(<[u8]>::first_chunk);
        Count::decode(bytes.unwrap_or(&[0; COUNT_LEN]))
    }

    /// The rows of a bitmap of so many.
    pub(in crate::postings) fn bitmap_rows(&self, start: u64, len: u32, rows: u32) -> Result<RowSet> {
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

    /// Adds the rows of each large key among those numbered `keys` to `bits`.
    pub(in crate::postings) fn large_into_bits(&self, keys: &Range<u32>, bits: &mut RowBits) -> Result<()> {
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
    pub(in crate::postings) fn large_into_list(&self, keys: &Range<u32>, list: &mut Vec<u32>) -> Result<()> {
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
    pub(super) fn large_before(&self, key: u32) -> Result<u64> {
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
