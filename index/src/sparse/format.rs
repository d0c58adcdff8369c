//! Layout of an inverted index of sparse vectors: a frame ([`vdb_vfs::frame`]) of kind `SPIX`, version 1, all numbers
//! little-endian.
//!
//! ```text
//! meta, 32 bytes                              sections
//!  0  4  rows of the segment                   0 dimensions  u32 each, ascending
//!  4  4  rows that have the vector             1 lists       16 bytes a dimension, and one that ends the last
//!  8  4  dimensions                            2 last rows   u32 a block: the row of its last posting
//! 12  4  blocks                                3 blocks      16 bytes each, those of a list in order
//! 16  8  postings, fewer than 2^32             4 packed      u32 words: rows in bits, block after block
//! 24  8  words in section 4                    5 weights     f32 a posting, those of a list in the order of rows
//!
//! list                                        block
//!  0  4  its first posting                     0  4  its first word
//!  4  4  its first block                       4  4  bits of a row, 0 to 32
//!  8  4  least weight, f32                     8  4  least weight, f32
//! 12  4  greatest weight, f32                 12  4  greatest weight, f32
//! ```
//! A list ends where the next one begins. Its blocks have 128 postings, the last one what is left. A row is kept as how
//! many rows lie between it and the one before it in the list, or the start of the segment; a block's are packed from the
//! lowest bit up, in the bits that its greatest takes. The weights of the list that ends the last are zero.

use vdb_vfs::frame::FileKind;

pub(super) const FILE: FileKind = FileKind {
    magic: *b"SPIX",
    name: "sparse index",
    version: 1,
};

pub(super) const DIMENSIONS: u32 = 0;
pub(super) const LISTS: u32 = 1;
pub(super) const LAST_ROWS: u32 = 2;
pub(super) const BLOCKS: u32 = 3;
pub(super) const PACKED: u32 = 4;
pub(super) const WEIGHTS: u32 = 5;
pub(super) const SECTIONS: u32 = 6;

/// Most postings of a file: they are numbered with 32 bits.
pub const MAX_POSTINGS: u64 = u32::MAX as u64;

pub(super) const META_LEN: usize = WORDS_AT + 8;

const PRESENT_AT: usize = 4;
const DIMENSIONS_AT: usize = PRESENT_AT + 4;
const BLOCKS_AT: usize = DIMENSIONS_AT + 4;
const POSTINGS_AT: usize = BLOCKS_AT + 4;
const WORDS_AT: usize = POSTINGS_AT + 8;
const _: () = assert!(META_LEN == 32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) rows: u32,
    pub(super) present: u32,
    pub(super) dimensions: u32,
    pub(super) blocks: u32,
    pub(super) postings: u64,
    pub(super) words: u64,
}

impl Meta {
    pub(super) fn encode(&self) -> [u8; META_LEN] {
        let mut out = [0; META_LEN];
        out[..PRESENT_AT].copy_from_slice(&self.rows.to_le_bytes());
        out[PRESENT_AT..DIMENSIONS_AT].copy_from_slice(&self.present.to_le_bytes());
        out[DIMENSIONS_AT..BLOCKS_AT].copy_from_slice(&self.dimensions.to_le_bytes());
        out[BLOCKS_AT..POSTINGS_AT].copy_from_slice(&self.blocks.to_le_bytes());
        out[POSTINGS_AT..WORDS_AT].copy_from_slice(&self.postings.to_le_bytes());
        out[WORDS_AT..].copy_from_slice(&self.words.to_le_bytes());
        out
    }

    /// Reads a meta of sections with these lengths, or says what it should have said and where.
    pub(super) fn decode(bytes: &[u8], lengths: [u64; SECTIONS as usize]) -> Result<Self, (usize, String)> {
        let Ok(bytes) = <&[u8; META_LEN]>::try_from(bytes) else {
            return Err((0, format!("meta has {} bytes, expected {META_LEN}", bytes.len())));
        };
        let meta = Self {
            rows: u32_at(bytes, 0),
            present: u32_at(bytes, PRESENT_AT),
            dimensions: u32_at(bytes, DIMENSIONS_AT),
            blocks: u32_at(bytes, BLOCKS_AT),
            postings: u64_at(bytes, POSTINGS_AT),
            words: u64_at(bytes, WORDS_AT),
        };
        if meta.present > meta.rows {
            let what = format!("{} vectors of {} rows", meta.present, meta.rows);
            return Err((PRESENT_AT, what));
        }
        if meta.postings > MAX_POSTINGS {
            return Err((POSTINGS_AT, format!("{} postings", meta.postings)));
        }
        // A block has a word for each of its postings at the most.
        if meta.words > meta.postings {
            let what = format!("{} words of rows for {} postings", meta.words, meta.postings);
            return Err((WORDS_AT, what));
        }
        let (dimensions, blocks) = (u64::from(meta.dimensions), u64::from(meta.blocks));
        let expected = [
            dimensions * 4,
            (dimensions + 1) * List::LEN,
            blocks * 4,
            blocks * Block::LEN,
            meta.words * 4,
            meta.postings * 4,
        ];
        if lengths != expected {
            let what = format!("sections of {lengths:?} bytes, expected {expected:?}");
            return Err((DIMENSIONS_AT, what));
        }
        Ok(meta)
    }
}

/// The postings of one dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct List {
    pub(super) first_posting: u32,
    pub(super) first_block: u32,
    pub(super) weights: Span,
}

/// Up to 128 postings of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) first_word: u32,
    pub(super) width: u32,
    pub(super) weights: Span,
}

/// The least and the greatest of some weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Span {
    pub(super) least: f32,
    pub(super) greatest: f32,
}

impl Span {
    /// Of finite weights; of none, zeros.
    pub(super) fn of(weights: &[f32]) -> Self {
        let Some((&first, rest)) = weights.split_first() else {
            return Self::default();
        };
        rest.iter()
            .fold(Self::from([first, first]), |span, &weight| Self {
                least: span.least.min(weight),
                greatest: span.greatest.max(weight),
            })
    }
}

impl From<[f32; 2]> for Span {
    fn from([least, greatest]: [f32; 2]) -> Self {
        Self { least, greatest }
    }
}

// Entries of both kinds are four words; what a word means follows from its place.

impl List {
    const LEN: u64 = 16;

    pub(super) fn encode(self) -> [u32; 4] {
        let Span { least, greatest } = self.weights;
        [
            self.first_posting,
            self.first_block,
            least.to_bits(),
            greatest.to_bits(),
        ]
    }

    pub(super) fn decode([first_posting, first_block, least, greatest]: [u32; 4]) -> Self {
        Self {
            first_posting,
            first_block,
            weights: [least, greatest].map(f32::from_bits).into(),
        }
    }
}

impl Block {
    const LEN: u64 = 16;

    pub(super) fn encode(self) -> [u32; 4] {
        let Span { least, greatest } = self.weights;
        [self.first_word, self.width, least.to_bits(), greatest.to_bits()]
    }

    pub(super) fn decode([first_word, width, least, greatest]: [u32; 4]) -> Self {
        Self {
            first_word,
            width,
            weights: [least, greatest].map(f32::from_bits).into(),
        }
    }
}

// The callers pass an array and constant positions inside it.

fn u32_at(bytes: &[u8; META_LEN], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8; META_LEN], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}
