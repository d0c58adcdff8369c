//! Writes an inverted index.

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

/// Postings that one task packs, at least, unless its list has more.
const TASK: usize = 1 << 16;
/// Rows taken between two looks at whether to go on.
const ROWS_A_LOOK: u32 = 1024;

/// A value: its dimension, its row, itself.
type Posting = (u32, u32, f32);

/// Writes the index of a segment of `rows` rows to `path`, and syncs the file (not its directory). `vectors` are those of
/// the rows that have one, by ascending row. The same vectors give the same bytes, whatever the threads of `pool`.
///
/// Takes 12 bytes a value, up to twice that while the list of them grows, and then about 2 more for what is packed; a value
/// alone in its dimension takes about 60 there.
///
/// # Errors
/// [`Error::BadParameter`] when a row is out of order or not below `rows`, [`Error::SparseVector`] for a vector that is
/// none, [`Error::TooManyNonzeros`] when one file cannot hold them, [`Error::Cancelled`], and those of the disk and of
/// `vectors`.
pub fn write<'a>(
    disk: &dyn Disk,
    path: &str,
    rows: u32,
    vectors: impl IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<FrameInfo> {
    let (mut postings, present) = gather(rows, vectors, control)?;
    // No two have the same dimension and row, so there is one order.
    pool.install(|| {
        postings.par_sort_unstable_by_key(|&(dimension, row, _)| u64::from(dimension) << 32 | u64::from(row));
    });
    if control.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let lists: Vec<&[Posting]> = postings.chunk_by(|a, b| a.0 == b.0).collect();
    let tasks: Vec<&[&[Posting]]> = tasks(&lists);
    let parts: Vec<Packed> = pool.install(|| tasks.par_iter().map(|lists| Packed::of(lists)).collect());
    if control.is_cancelled() {
        return Err(Error::Cancelled);
    }
    let (mut all, mut directory) = (Packed::default(), Vec::with_capacity(lists.len() + 1));
    let mut spans = Vec::with_capacity(lists.len());
    for part in parts {
        // What is in all parts has fewer words than there are postings, which 32 bits count.
        let words = all.words.len() as u32;
        all.words.extend(part.words);
        all.last_rows.extend(part.last_rows);
        all.blocks.extend(part.blocks.into_iter().map(|mut block| {
            block.first_word += words;
            block
        }));
        spans.extend(part.spans);
    }
    let (mut first_posting, mut first_block) = (0, 0);
    for (list, weights) in lists.iter().zip(spans) {
        let list_of = List {
            first_posting,
            first_block,
            weights,
        };
        directory.push(list_of.encode());
        first_posting += list.len() as u32;
        first_block += list.len().div_ceil(BLOCK) as u32;
    }
    let end = List {
        first_posting,
        first_block,
        weights: Span::default(),
    };
    directory.push(end.encode());
    let meta = Meta {
        rows,
        present,
        dimensions: lists.len() as u32,
        blocks: first_block,
        postings: postings.len() as u64,
        words: all.words.len() as u64,
    };
    let mut writer = FrameWriter::create(disk, path, FILE, &meta.encode())?;
    // Little-endian by the platform: vdb-sys does not compile on any other.
    section(
        &mut writer,
        DIMENSIONS,
        lists
            .iter()
            .filter_map(|list| list.first())
            .map(|posting| posting.0),
    )?;
    begin(&mut writer, LISTS)?;
    writer.write(cast_slice(&directory))?;
    section(&mut writer, LAST_ROWS, all.last_rows)?;
    begin(&mut writer, BLOCKS)?;
    for block in all.blocks {
        writer.write(cast_slice(&block.encode()))?;
    }
    section(&mut writer, PACKED, all.words)?;
    section(
        &mut writer,
        WEIGHTS,
        postings.iter().map(|posting| posting.2.to_bits()),
    )?;
    control.report(u64::from(rows), u64::from(rows));
    Ok(writer.finish()?)
}

/// The values of all vectors, and how many vectors there are.
fn gather<'a>(
    rows: u32,
    vectors: impl IntoIterator<Item = Result<(u32, SparseView<'a>)>>,
    control: &Control<'_>,
) -> Result<(Vec<Posting>, u32)> {
    let (mut postings, mut present, mut next) = (Vec::new(), 0u32, 0);
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
        let nonzeros = (postings.len() + vector.len()) as u64;
        if nonzeros > MAX_POSTINGS {
            return Err(Error::TooManyNonzeros {
                nonzeros,
                limit: MAX_POSTINGS,
            });
        }
        postings.extend(vector.iter().map(|(dimension, weight)| (dimension, row, weight)));
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
    Ok((postings, present))
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
fn section(writer: &mut FrameWriter, section: u32, numbers: impl IntoIterator<Item = u32>) -> Result<()> {
    begin(writer, section)?;
    let mut numbers = numbers.into_iter();
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
