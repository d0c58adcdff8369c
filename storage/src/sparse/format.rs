//! Layout of a file of sparse vectors: a frame of kind `SPRS`.
//!
//! | section | holds |
//! |---|---|
//! | 0 | the vectors, back to back: of each its dimensions, `u32`, ascending, then as many values, `f32` |
//! | 1 | a place for each row, and one that ends the last: `u64` each |
//!
//! A place is twice the number of values that come before, plus one where the row has the vector: so a row without the
//! vector is told from one whose vector has no dimension. Meta is a [`Meta`].
//!
//! | version | since | change |
//! |---|---|---|
//! | 1 | 0.1 | first |

use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_vfs::frame::FileKind;

pub(super) const KIND: FileKind = FileKind {
    magic: *b"SPRS",
    name: "sparse vectors",
    version: 1,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 1..=1;

pub(super) const VECTORS: u32 = 0;
pub(super) const PLACES: u32 = 1;

/// Bytes of a dimension and its value.
pub(super) const PAIR: u64 = 8;

/// Most dimensions of one vector that have a value. As many numbers as other engines take in one point; such a vector has
/// 8 MiB, and is far beyond the vocabulary of any model or tokenizer at hand.
pub const MAX_NONZEROS: usize = 1 << 20;

/// What a file of sparse vectors says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// Rows of the segment.
    pub(super) rows: u32,
    /// Rows that have the vector.
    pub(super) present: u32,
    /// Values of all vectors together.
    pub(super) nonzeros: u64,
}

/// Where a vector lies, out of the place of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Values of the vectors before it.
    pub(super) start: u64,
    /// Whether there is one.
    pub(super) is_present: bool,
}

impl Place {
    pub(super) fn encode(self) -> u64 {
        self.start << 1 | u64::from(self.is_present)
    }

    pub(super) fn decode(place: u64) -> Self {
        Place {
            start: place >> 1,
            is_present: place & 1 == 1,
        }
    }
}
