//! The mapped file of partitions.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::OnceLock;

use bytemuck::cast_slice;
use vdb_sys::map::Advice;
use vdb_vfs::frame::{Frame, FrameInfo};
use vdb_vfs::{Disk, FileSlice};

use super::PartitionView;
use super::format::{
    COVERED, ENTRY_LEN, Entry, FILE, LABELS, LINKS, Meta, PARTITIONS, ROWS, SECTIONS, UPPER_LINKS,
    UPPER_ROWS, UPPER_SIZES, VALUE_LEN, VALUES, Value,
};
use crate::error::{Error, Result};
use crate::hnsw::links::Links;
use crate::hnsw::params::HnswParams;

/// The partitions of a graph, in a mapped file.
///
/// Opening checks what can be checked in constant time. Whatever is read later is bounded as it is read: a damaged file
/// can give an error or, until [`PartitionsFile::verify`] is asked, a wrong answer, but no panic, no row twice and none
/// beyond the graph.
#[derive(Debug)]
pub struct PartitionsFile {
    frame: Frame,
    meta: Meta,
    links: FileSlice,
    rows: FileSlice,
    upper_rows: FileSlice,
    upper_sizes: FileSlice,
    upper_links: FileSlice,
    entries: FileSlice,
    values: FileSlice,
    labels: FileSlice,
    covered: FileSlice,
    /// Of each partition whether its rows ascend, once they have been looked at.
    ascend: Vec<OnceLock<bool>>,
}

impl PartitionsFile {
    /// Opens the partitions at `path` of a graph of `rows` rows.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] and [`vdb_vfs::Error::Version`] for a file that is damaged, of another kind or
    /// version, or of another graph; those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, rows: u32) -> Result<Self> {
        let frame = Frame::open(disk, path, FILE, FILE.version..=FILE.version)?;
        frame.require_sections(SECTIONS as u32)?;
        let section = |index| frame.section(index);
        let mut lengths = [0; SECTIONS];
        for (index, length) in (0..).zip(&mut lengths) {
            *length = section(index)?.len() as u64;
        }
        let meta_at = frame.meta_at();
        let meta = Meta::decode(frame.meta(), lengths)
            .map_err(|(at, what)| frame.corrupt(meta_at.saturating_add(at as u64), what))?;
        if meta.rows != rows {
            let what = format!("partitions of a graph of {} rows, expected {rows}", meta.rows);
            return Err(frame.corrupt(meta_at, what).into());
        }
        let file = Self {
            links: section(LINKS)?,
            rows: section(ROWS)?,
            upper_rows: section(UPPER_ROWS)?,
            upper_sizes: section(UPPER_SIZES)?,
            upper_links: section(UPPER_LINKS)?,
            entries: section(PARTITIONS)?,
            values: section(VALUES)?,
            labels: section(LABELS)?,
            covered: section(COVERED)?,
            ascend: vec![OnceLock::new(); meta.partitions as usize],
            frame,
            meta,
        };
        // Walks jump about: reading ahead would fetch what nobody asked for.
        file.links.advise(Advice::Random);
        Ok(file)
    }

    /// What the partitions were built with.
    pub fn params(&self) -> HnswParams {
        self.meta.params
    }

    /// What was looked through for values, by the numbers that [`finish`](super::PartitionsWriter::finish) was given.
    pub fn covered(&self) -> impl Iterator<Item = u16> + '_ {
        self.covered
            .chunks_exact(2)
            .map(|number| u16::from_le_bytes([number[0], number[1]]))
    }

    /// Values that have a partition.
    pub fn values(&self) -> u32 {
        self.meta.values
    }

    /// The label of a value of a number below [`values`](Self::values), and the number of its partition.
    ///
    /// # Errors
    /// The file is damaged where the answer lies; so for all that is asked of it.
    pub fn value(&self, number: u32) -> Result<(&[u8], u32)> {
        let at = number as usize * VALUE_LEN;
        let bytes = self.values.get(at..).and_then(<[u8]>::first_chunk);
        let Some(value) = bytes.map(Value::decode) else {
            let what = format!("value {number} of {}", self.meta.values);
            return Err(self.corrupt(VALUES, at, what));
        };
        let range = usize::try_from(value.start).ok();
        let range = range.and_then(|start| Some(start..start.checked_add(value.len as usize)?));
        match range.and_then(|range| self.labels.get(range)) {
            Some(label) => Ok((label, value.partition)),
            None => {
                let what = format!("a label of {} bytes ends beyond its section", value.len);
                Err(self.corrupt(VALUES, at, what))
            }
        }
    }

    /// The partition of a value, if it has one.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn find(&self, label: &[u8]) -> Result<Option<PartitionView<'_>>> {
        let (mut start, mut end) = (0, self.meta.values);
        while start < end {
            let middle = start + (end - start) / 2;
            let (found, partition) = self.value(middle)?;
            match found.cmp(label) {
                Ordering::Less => start = middle + 1,
                Ordering::Greater => end = middle,
                Ordering::Equal => return self.partition(partition).map(Some),
            }
        }
        Ok(None)
    }

    /// How many partitions there are; values may share one.
    pub fn partitions(&self) -> u32 {
        self.meta.partitions
    }

    /// The partition of a number below [`partitions`](Self::partitions).
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn partition(&self, number: u32) -> Result<PartitionView<'_>> {
        let at = number as usize * ENTRY_LEN;
        let bytes = self.entries.get(at..).and_then(<[u8]>::first_chunk);
        let view = bytes.and_then(|bytes| self.view(&Entry::decode(bytes)));
        let ascend = self.ascend.get(number as usize);
        let (Some(view), Some(ascend)) = (view, ascend) else {
            let what = format!("partition {number} of {} does not fit", self.meta.partitions);
            return Err(self.corrupt(PARTITIONS, at, what));
        };
        let is_sound = || {
            view.rows.is_sorted_by(|a, b| a < b) && view.rows.last().is_some_and(|&row| row < self.meta.rows)
        };
        if !*ascend.get_or_init(is_sound) {
            let what = format!("the rows of partition {number} do not ascend");
            return Err(self.corrupt(PARTITIONS, at, what));
        }
        Ok(view)
    }

    /// The parts of a partition, if they lie within their sections and fit each other.
    fn view(&self, entry: &Entry) -> Option<PartitionView<'_>> {
        let (m, degree) = (usize::from(self.meta.params.m), self.meta.params.degree());
        let rows = usize::try_from(entry.first_row).ok()?;
        let rows = rows..rows.checked_add(entry.rows as usize)?;
        let blocks = rows.start.checked_mul(degree)?..rows.end.checked_mul(degree)?;
        let span = |start: u32, len: u32| start as usize..start as usize + len as usize;
        let upper_sizes = numbers(&self.upper_sizes, span(entry.first_size, entry.levels))?;
        let upper_rows = numbers(&self.upper_rows, span(entry.first_upper_row, entry.upper_rows))?;
        let below = upper_sizes.iter().skip(1).chain([&entry.rows]);
        let nest = upper_sizes.iter().zip(below).all(|(size, below)| size <= below);
        let largest = upper_sizes.last().copied().unwrap_or(1) as usize;
        if entry.rows == 0 || entry.follows > 1 || !nest || largest > upper_rows.len() {
            return None;
        }
        let nodes = upper_sizes
            .iter()
            .try_fold(0usize, |sum, &size| sum.checked_add(size as usize))?;
        let first = usize::try_from(entry.first_upper_link).ok()?;
        let upper = first..first.checked_add(nodes.checked_mul(m)?)?;
        Some(PartitionView {
            rows: numbers(&self.rows, rows)?,
            base: Links {
                blocks: numbers(&self.links, blocks)?,
                degree,
            },
            upper_rows,
            upper_sizes,
            upper_links: numbers(&self.upper_links, upper)?,
            follows: entry.follows == 1,
        })
    }

    fn corrupt(&self, section: u32, at: usize, what: String) -> Error {
        self.frame.corrupt_section(section, at as u64, what).into()
    }

    /// Length and checksum of the file, as [`finish`](super::PartitionsWriter::finish) returned them.
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// Reads the whole file from the disk and checks every byte of it, then what the bytes mean.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] with the first damaged place; those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        for number in 0..self.meta.partitions {
            let report = self.partition(number)?.check();
            if !report.is_sound() {
                let what = format!("checksums fit, the links of partition {number} do not: {report:?}");
                return Err(self.corrupt(PARTITIONS, number as usize * ENTRY_LEN, what));
            }
        }
        let mut last: Option<&[u8]> = None;
        for number in 0..self.meta.values {
            let (label, partition) = self.value(number)?;
            if partition >= self.meta.partitions || last.is_some_and(|last| last >= label) {
                let what = format!("value {number} is out of order, or has no partition");
                return Err(self.corrupt(VALUES, number as usize * VALUE_LEN, what));
            }
            last = Some(label);
        }
        Ok(())
    }
}

/// The numbers of a section, whose length is a whole number of them, in a range of their places.
fn numbers(section: &FileSlice, range: Range<usize>) -> Option<&[u32]> {
    cast_slice::<u8, u32>(section).get(range)
}
