//! Writes an inverted index.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use bytemuck::cast_slice;
use rayon::prelude::*;
use vdb_sys::sparse::SparseView;
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, FrameWriter};

use super::format::{
    BLOCKS, Block, DIMENSIONS, FILE, LAST_ROWS, LISTS, List, MAX_POSTINGS, Meta, PACKED, Span, WEIGHTS,
};
use super::pack::{self, BLOCK};
use super::search::check_vector;
use crate::{Control, Error, Result};

/// Postings that are held at a time, unless one dimension has more.
const HELD: u64 = 1 << 23;
/// Postings that one task packs, at least, unless its list has more.
const TASK: usize = 1 << 16;
/// Rows taken between two looks at whether to go on.
const ROWS_A_LOOK: u32 = 1024;

/// A value: its dimension, its row, itself.
type Posting = (u32, u32, f32);

/// Writes the index of a segment of `rows` rows to `path`, and syncs the file (not its directory). `vectors` gives those
/// of the rows that have one, by ascending row, the same ones every time it is called. The same vectors give the same bytes,
/// whatever the threads of `pool`.
///
/// Vectors are read once to count, then the values of as many dimensions at a time are sorted as have 8,388,608 together, or one
/// that alone has more: 12 bytes a value, 100 MB. Where there are more values the vectors are read twice for each such part.
/// What is packed is held until it is written: a few bits a value, 24 bytes a block of 128 and 60 a dimension.
///
/// # Errors
/// [`Error::BadParameter`] when a row is out of order or not below `rows`, [`Error::SparseVector`] for a vector that is
/// none, [`Error::TooManyNonzeros`] when one file cannot hold them, [`Error::Cancelled`], and those of the disk and of
/// `vectors`.
pub fn write<'a, I>(
    disk: &dyn Disk,
    path: &str,
    rows: u32,
    vectors: impl Fn() -> I,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<FrameInfo>
where
    I: IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
{
    write_holding(HELD, disk, (path, rows), vectors, pool, control)
}

/// As [`write()`], with so many postings at a time.
pub(super) fn write_holding<'a, I>(
    held: u64,
    disk: &dyn Disk,
    (path, rows): (&str, u32),
    vectors: impl Fn() -> I,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<FrameInfo>
where
    I: IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
{
    let counted = count(rows, vectors(), control)?;
    let parts = parts(&counted.dimensions, held);
    let (mut all, mut last) = (Packed::default(), Vec::new());
    for part in &parts {
        last = gather(part, vectors(), pool, control)?;
        all.append(pack_all(&last, pool));
    }
    let mut writer = begin_file(disk, path, rows, &counted, all)?;
    begin(&mut writer, WEIGHTS)?;
    for (number, part) in parts.iter().enumerate() {
        // What was packed last is still there.
        if parts.len() > 1 || number > 0 {
            last = gather(part, vectors(), pool, control)?;
        }
        numbers(&mut writer, last.iter().map(|posting| posting.2.to_bits()))?;
    }
    control.report(u64::from(rows), u64::from(rows));
    Ok(writer.finish()?)
}

/// How many values each dimension has, and how many vectors there are.
struct Counted {
    /// By ascending dimension.
    dimensions: Vec<(u32, u32)>,
    postings: u64,
    present: u32,
}

/// Checks the vectors and counts their values.
fn count<'a>(
    rows: u32,
    vectors: impl IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
    control: &Control<'_>,
) -> Result<Counted> {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    let (mut postings, mut present, mut next) = (0_u64, 0_u32, 0);
    for found in vectors {
        let (row, vector) = found?;
        if row < next || row >= rows {
            return Err(Error::BadParameter {
                parameter: "row",
                value: u64::from(row),
                range: "the rows of the segment, ascending",
            });
        }
        check_vector(vector)?;
        postings += vector.len() as u64;
        if postings > MAX_POSTINGS {
            return Err(Error::TooManyNonzeros {
                nonzeros: postings,
                limit: MAX_POSTINGS,
            });
        }
        for dimension in vector.dimensions() {
            // Fewer than all postings, which 32 bits count.
            *counts.entry(*dimension).or_default() += 1;
        }
        // Below `rows`, which is at most what 32 bits hold.
        next = row + 1;
        present += 1;
        if present.is_multiple_of(ROWS_A_LOOK) {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            control.report(u64::from(next), u64::from(rows));
        }
    }
    let mut dimensions: Vec<(u32, u32)> = counts.into_iter().collect();
    dimensions.sort_unstable();
    Ok(Counted {
        dimensions,
        postings,
        present,
    })
}

/// Neighbouring dimensions that are held at a time.
struct Part {
    dimensions: RangeInclusive<u32>,
    postings: u64,
}

/// Parts of at most so many postings, or of one dimension.
fn parts(dimensions: &[(u32, u32)], held: u64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for &(dimension, count) in dimensions {
        let count = u64::from(count);
        match parts.last_mut().filter(|part| part.postings + count <= held) {
            Some(part) => {
                part.dimensions = *part.dimensions.start()..=dimension;
                part.postings += count;
            }
            None => parts.push(Part {
                dimensions: dimension..=dimension,
                postings: count,
            }),
        }
    }
    parts
}

/// The values of a part in the order of the file.
fn gather<'a>(
    part: &Part,
    vectors: impl IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<Vec<Posting>> {
    let mut postings = Vec::with_capacity(part.postings as usize);
    let (least, greatest) = (*part.dimensions.start(), *part.dimensions.end());
    for (number, found) in (1_u64..).zip(vectors) {
        let (row, vector) = found?;
        let start = vector
            .dimensions()
            .partition_point(|&dimension| dimension < least);
        let values = vector.iter().skip(start);
        let values = values.take_while(|(dimension, _)| *dimension <= greatest);
        postings.extend(values.map(|(dimension, weight)| (dimension, row, weight)));
        if number.is_multiple_of(u64::from(ROWS_A_LOOK)) && control.is_cancelled() {
            return Err(Error::Cancelled);
        }
    }
    // No two have the same dimension and row, so there is one order.
    pool.install(|| {
        postings.par_sort_unstable_by_key(|&(dimension, row, _)| u64::from(dimension) << 32 | u64::from(row));
    });
    if control.is_cancelled() {
        return Err(Error::Cancelled);
    }
    Ok(postings)
}

fn pack_all(postings: &[Posting], pool: &rayon::ThreadPool) -> Packed {
    let lists: Vec<&[Posting]> = postings.chunk_by(|a, b| a.0 == b.0).collect();
    let tasks: Vec<&[&[Posting]]> = tasks(&lists);
    let parts: Vec<Packed> = pool.install(|| tasks.par_iter().map(|lists| Packed::of(lists)).collect());
    let mut all = Packed::default();
    parts.into_iter().for_each(|part| all.append(part));
    all
}

/// Begins the file, with all sections but the weights.
fn begin_file(disk: &dyn Disk, path: &str, rows: u32, counted: &Counted, all: Packed) -> Result<FrameWriter> {
    let mut directory = Vec::with_capacity(counted.dimensions.len() + 1);
    let (mut first_posting, mut first_block) = (0, 0);
    for (&(_, count), &weights) in counted.dimensions.iter().zip(&all.spans) {
        let list = List {
            first_posting,
            first_block,
            weights,
        };
        directory.push(list.encode());
        first_posting += count;
        first_block += count.div_ceil(BLOCK as u32);
    }
    let end = List {
        first_posting,
        first_block,
        weights: Span::default(),
    };
    directory.push(end.encode());
    let meta = Meta {
        rows,
        present: counted.present,
        dimensions: counted.dimensions.len() as u32,
        blocks: first_block,
        postings: counted.postings,
        words: all.words.len() as u64,
    };
    let mut writer = FrameWriter::create(disk, path, FILE, &meta.encode())?;
    // Little-endian by the platform: vdb-sys does not compile on any other.
    section(
        &mut writer,
        DIMENSIONS,
        counted.dimensions.iter().map(|(dimension, _)| *dimension),
    )?;
    begin(&mut writer, LISTS)?;
    writer.write(cast_slice(&directory))?;
    section(&mut writer, LAST_ROWS, all.last_rows)?;
    begin(&mut writer, BLOCKS)?;
    for block in all.blocks {
        writer.write(cast_slice(&block.encode()))?;
    }
    section(&mut writer, PACKED, all.words)?;
    Ok(writer)
}

/// Lists side by side until each task has enough to do.
fn tasks<'a, 'b>(lists: &'a [&'b [Posting]]) -> Vec<&'a [&'b [Posting]]> {
    let mut tasks = Vec::new();
    let mut rest = lists;
    while !rest.is_empty() {
        let mut postings = 0;
        let enough = rest.iter().position(|list| {
            postings += list.len();
            postings >= TASK
        });
        let (task, after) = rest.split_at(enough.map_or(rest.len(), |at| at + 1));
        tasks.push(task);
        rest = after;
    }
    tasks
}

/// Some lists as their file has them; words of blocks count from the first of these.
#[derive(Debug, Default)]
struct Packed {
    spans: Vec<Span>,
    last_rows: Vec<u32>,
    blocks: Vec<Block>,
    words: Vec<u32>,
}

impl Packed {
    /// Adds lists behind those that are there.
    fn append(&mut self, part: Packed) {
        // What is in all parts has fewer words than there are postings, which 32 bits count.
        let words = self.words.len() as u32;
        self.words.extend(part.words);
        self.last_rows.extend(part.last_rows);
        self.spans.extend(part.spans);
        self.blocks.extend(part.blocks.into_iter().map(|mut block| {
            block.first_word += words;
            block
        }));
    }

    fn of(lists: &[&[Posting]]) -> Self {
        let mut packed = Self::default();
        let (mut distances, mut weights) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        for list in lists {
            let mut before = u32::MAX;
            let mut span: Option<Span> = None;
            for block in list.chunks(BLOCK) {
                distances.clear();
                weights.clear();
                for &(_, row, weight) in block {
                    distances.push(row.wrapping_sub(before).wrapping_sub(1));
                    weights.push(weight);
                    before = row;
                }
                let of_block = Span::of(&weights);
                let width = pack::width(&distances);
                packed.blocks.push(Block {
                    first_word: packed.words.len() as u32,
                    width,
                    weights: of_block,
                });
                packed.last_rows.push(before);
                pack::pack(&distances, width, &mut packed.words);
                span = Some(span.map_or(of_block, |span| Span {
                    least: span.least.min(of_block.least),
                    greatest: span.greatest.max(of_block.greatest),
                }));
            }
            packed.spans.push(span.unwrap_or_default());
        }
        packed
    }
}

/// Starts a section, which has to be the next one of the layout.
fn begin(writer: &mut FrameWriter, section: u32) -> Result<()> {
    let begun = writer.begin_section()?;
    debug_assert_eq!(begun, section);
    Ok(())
}

/// Writes a section of numbers.
fn section(writer: &mut FrameWriter, section: u32, all: impl IntoIterator<Item = u32>) -> Result<()> {
    begin(writer, section)?;
    numbers(writer, all)
}

fn numbers(writer: &mut FrameWriter, all: impl IntoIterator<Item = u32>) -> Result<()> {
    let mut numbers = all.into_iter();
    let mut buffer = Vec::with_capacity(BLOCK);
    loop {
        buffer.clear();
        buffer.extend(numbers.by_ref().take(BLOCK));
        if buffer.is_empty() {
            return Ok(());
        }
        writer.write(cast_slice(&buffer))?;
    }
}
