//! The mapped inverted index: opening, and reading its lists.

use std::ops::Range;

use bytemuck::Pod;
use vdb_sys::kernel::gaps::GapsKernel;
use vdb_vfs::frame::{Frame, FrameInfo};
use vdb_vfs::{Disk, FileSlice};

use super::format::{
    BLOCKS, Block, DIMENSIONS, FILE, LAST_ROWS, LISTS, List, Meta, PACKED, SECTIONS, Span, WEIGHTS,
};
use super::pack::{self, BLOCK};
use crate::Result;

/// The inverted index over one named sparse vector of a segment, mapped from its file.
///
/// Opening checks the header only, in constant time. Whatever is read later is bounded as it is read: a damaged
/// file can give an error or, until [`SparseIndex::verify`] is asked, a wrong answer, but no panic.
#[derive(Debug)]
pub struct SparseIndex {
    frame: Frame,
    meta: Meta,
    dimensions: FileSlice,
    lists: FileSlice,
    last_rows: FileSlice,
    blocks: FileSlice,
    packed: FileSlice,
    weights: FileSlice,
}

/// Where the postings of one dimension lie; within the file.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) postings: Range<usize>,
    pub(super) blocks: Range<usize>,
    pub(super) weights: Span,
}

impl Listed {
    /// How many rows have the dimension.
    pub(super) fn len(&self) -> usize {
        self.postings.len()
    }
}

/// The sections of an index as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists<'a> {
    frame: &'a Frame,
    rows: u32,
    /// Rows that have the vector.
    present: u32,
    dimensions: &'a [u32],
    lists: &'a [[u32; 4]],
    last_rows: &'a [u32],
    blocks: &'a [[u32; 4]],
    packed: &'a [u32],
    weights: &'a [f32],
    gaps: GapsKernel,
}

impl SparseIndex {
    /// Opens the index at `path` of a segment that has `rows` rows.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] and [`vdb_vfs::Error::Version`] for a file that is damaged, of another kind or
    /// version, or of a segment with another number of rows; those of the disk.
    pub fn open(disk: &dyn Disk, path: &str, rows: u32) -> Result<Self> {
        let frame = Frame::open(disk, path, FILE, FILE.version..=FILE.version)?;
        frame.require_sections(SECTIONS)?;
        let section = |index| frame.section(index);
        let (dimensions, lists, last_rows) = (section(DIMENSIONS)?, section(LISTS)?, section(LAST_ROWS)?);
        let (blocks, packed, weights) = (section(BLOCKS)?, section(PACKED)?, section(WEIGHTS)?);
        let lengths =
            [&dimensions, &lists, &last_rows, &blocks, &packed, &weights].map(|section| section.len() as u64);
        let meta_at = frame.meta_at();
        let meta = Meta::decode(frame.meta(), lengths)
            .map_err(|(at, what)| frame.corrupt(meta_at.saturating_add(at as u64), what))?;
        if meta.rows != rows {
            let what = format!("index of a segment of {} rows, expected {rows}", meta.rows);
            return Err(frame.corrupt(meta_at, what).into());
        }
        Ok(Self {
            frame,
            meta,
            dimensions,
            lists,
            last_rows,
            blocks,
            packed,
            weights,
        })
    }

    /// Rows of the segment, with or without the vector.
    #[must_use]
    pub fn rows(&self) -> u32 {
        self.meta.rows
    }

    /// How many rows have the vector.
    #[must_use]
    pub fn rows_with_vector(&self) -> u32 {
        self.meta.present
    }

    /// How many dimensions some row has a value at.
    #[must_use]
    pub fn dimensions(&self) -> u32 {
        self.meta.dimensions
    }

    /// Values of all vectors together.
    #[must_use]
    pub fn nonzeros(&self) -> u64 {
        self.meta.postings
    }

    /// In how many rows a dimension has a value.
    ///
    /// # Errors
    /// The file is damaged there.
    pub fn df(&self, dimension: u32) -> Result<u32> {
        // A file has fewer postings than 2^32.
        Ok(self.lists().find(dimension)?.map_or(0, |list| list.len() as u32))
    }

    /// Length and checksum of the file, as [`write`](super::write()) returned them.
    #[must_use]
    pub fn info(&self) -> FrameInfo {
        self.frame.info()
    }

    /// Reads the whole file from the disk and checks every byte of it, and that lists are what a search takes them for.
    ///
    /// # Errors
    /// [`vdb_vfs::Error::Corrupt`] with the first damaged place; those of the disk.
    pub fn verify(&self, disk: &dyn Disk) -> Result<()> {
        self.frame.verify(disk)?;
        self.lists().check()
    }

    pub(super) fn lists(&self) -> Lists<'_> {
        Lists {
            frame: &self.frame,
            rows: self.meta.rows,
            present: self.meta.present,
            dimensions: numbers(&self.dimensions),
            lists: numbers(&self.lists),
            last_rows: numbers(&self.last_rows),
            blocks: numbers(&self.blocks),
            packed: numbers(&self.packed),
            weights: numbers(&self.weights),
            gaps: GapsKernel::new(),
        }
    }
}

/// A section as numbers. Opening has seen that it holds whole ones, and sections are aligned.
fn numbers<T: Pod>(section: &FileSlice) -> &[T] {
    bytemuck::try_cast_slice(section).unwrap_or_default()
}

impl<'a> Lists<'a> {
    /// The list of a dimension; `None` where no row has a value there.
    pub(super) fn find(&self, dimension: u32) -> Result<Option<Listed>> {
        match self.dimensions.binary_search(&dimension) {
            Ok(number) => self.list(number).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// The list of a number, within the file.
    fn list(&self, number: usize) -> Result<Listed> {
        let found = self.lists.get(number..).and_then(<[_]>::first_chunk::<2>);
        let [list, next] = found.copied().unwrap_or_default().map(List::decode);
        let listed = Listed {
            postings: list.first_posting as usize..next.first_posting as usize,
            blocks: list.first_block as usize..next.first_block as usize,
            weights: list.weights,
        };
        // A row is in a list once.
        let fits = !listed.postings.is_empty()
            && listed.len() <= self.present as usize
            && listed.postings.end <= self.weights.len()
            && listed.blocks.len() == listed.len().div_ceil(BLOCK)
            && listed.blocks.end <= self.blocks.len();
        if fits {
            return Ok(listed);
        }
        let (postings, blocks) = (&listed.postings, &listed.blocks);
        let what = format!(
            "list {number} has the postings {postings:?} of {} and the blocks {blocks:?} of {}, over {} rows",
            self.weights.len(),
            self.blocks.len(),
            self.present
        );
        Err(self.frame.corrupt_section(LISTS, number as u64 * 16, what).into())
    }

    /// The last row of each block of a list.
    pub(super) fn last_rows(&self, list: &Listed) -> &'a [u32] {
        self.last_rows.get(list.blocks.clone()).unwrap_or_default()
    }

    /// The least and the greatest weight of a block of a list.
    pub(super) fn span(&self, list: &Listed, block: usize) -> Span {
        let found = self.blocks.get(list.blocks.start + block);
        found.map_or(list.weights, |block| Block::decode(*block).weights)
    }

    /// The weights of a block of a list, by ascending row.
    pub(super) fn weights(&self, list: &Listed, block: usize) -> &'a [f32] {
        let start = list.postings.start + block * BLOCK;
        let end = list.postings.end.min(start + BLOCK);
        self.weights.get(start..end).unwrap_or_default()
    }

    /// Decodes the rows of a block of a list; as many as the block has weights are rows.
    pub(super) fn decode(&self, list: &Listed, block: usize, rows: &mut [u32; BLOCK]) -> Result<()> {
        let count = self.weights(list, block).len();
        let found = self.blocks.get(list.blocks.start + block).copied();
        let Block {
            first_word, width, ..
        } = Block::decode(found.unwrap_or_default());
        let before = block
            .checked_sub(1)
            .and_then(|before| self.last_rows(list).get(before));
        // Before the first row of a segment stands none.
        let before = before.copied().unwrap_or(u32::MAX);
        // What follows a block's words may be read, and is not looked at.
        let words = self.packed.get(first_word as usize..).unwrap_or_default();
        let is_there = words.len() >= pack::words(count, width.min(u32::BITS));
        if !is_there || !self.gaps.numbers(words, width, before, rows) {
            let what = format!(
                "{count} rows of {width} bits from word {first_word} on, expected them within {} words",
                self.packed.len()
            );
            let at = (list.blocks.start + block) as u64 * 16;
            return Err(self.frame.corrupt_section(BLOCKS, at, what).into());
        }
        Ok(())
    }

    /// Checks all that checksums do not: order and bounds of dimensions, lists, blocks, rows, weights.
    fn check(&self) -> Result<()> {
        let wrong = |section, at: usize, what: String| self.frame.corrupt_section(section, at as u64, what);
        if let Some(at) = self.dimensions.windows(2).position(|pair| pair[0] >= pair[1]) {
            let what = format!("dimension {} is not above the one before it", at + 1);
            return Err(wrong(DIMENSIONS, (at + 1) * 4, what).into());
        }
        let (mut postings, mut blocks, mut words) = (0, 0, 0);
        let mut rows = [0; BLOCK];
        for number in 0..self.dimensions.len() {
            let list = self.list(number)?;
            if (list.postings.start, list.blocks.start) != (postings, blocks) {
                let what = format!("list {number} does not begin where the one before it ends");
                return Err(wrong(LISTS, number * 16, what).into());
            }
            (postings, blocks) = (list.postings.end, list.blocks.end);
            let mut next = 0u64;
            for block in 0..list.blocks.len() {
                let at = list.blocks.start + block;
                self.decode(&list, block, &mut rows)?;
                let weights = self.weights(&list, block);
                let rows = rows.get(..weights.len()).unwrap_or_default();
                let found = Block::decode(self.blocks.get(at).copied().unwrap_or_default());
                if found.first_word as usize != words {
                    let what = format!("block {at} starts at word {}, expected {words}", found.first_word);
                    return Err(wrong(BLOCKS, at * 16, what).into());
                }
                words += pack::words(weights.len(), found.width);
                let ascend = rows.iter().all(|&row| {
                    let follows = u64::from(row) >= next && row < self.rows;
                    next = u64::from(row) + 1;
                    follows
                });
                if !ascend || rows.last() != self.last_rows.get(at) {
                    let what = format!(
                        "rows of block {at} do not ascend below {} to the last that is named",
                        self.rows
                    );
                    return Err(wrong(LAST_ROWS, at * 4, what).into());
                }
                if let Some(weight) = weights.iter().position(|weight| !weight.is_finite()) {
                    let at = (list.postings.start + block * BLOCK + weight) * 4;
                    return Err(wrong(WEIGHTS, at, "weight is not a finite number".to_owned()).into());
                }
                if Span::of(weights) != found.weights {
                    let what = format!(
                        "weights of block {at} are said to be {:?}, and are {:?}",
                        found.weights,
                        Span::of(weights)
                    );
                    return Err(wrong(BLOCKS, at * 16 + 8, what).into());
                }
            }
            let all = self.weights.get(list.postings.clone()).unwrap_or_default();
            if Span::of(all) != list.weights {
                let what = format!("weights of list {number} are not {:?}", list.weights);
                return Err(wrong(LISTS, number * 16 + 8, what).into());
            }
        }
        let end = List::decode(self.lists.last().copied().unwrap_or_default());
        let ended = (end.first_posting as usize, end.first_block as usize);
        if ended != (postings, blocks)
            || (postings, blocks, words) != (self.weights.len(), self.blocks.len(), self.packed.len())
        {
            let what = format!("lists end at posting {postings}, block {blocks}, word {words}");
            return Err(wrong(LISTS, self.dimensions.len() * 16, what).into());
        }
        Ok(())
    }
}
