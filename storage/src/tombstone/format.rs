//! Layout of a file of tombstones: a frame of kind `TOMB`.
//!
//! Its one section is a bitmap of rows in the portable Roaring format
//! (<https://github.com/RoaringBitmap/RoaringFormatSpec>). Meta is a [`Meta`].
//!
//! | version | since | change |
//! |---|---|---|
//! | 1 | 0.1 | first |

use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_vfs::frame::FileKind;

pub(super) const KIND: FileKind = FileKind {
    magic: *b"TOMB",
    name: "tombstones",
    version: 1,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 1..=1;

pub(super) const BITMAP: u32 = 0;

/// What a file of tombstones says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// The segment whose rows these are.
    pub(super) segment_id: u64,
    /// Rows of that segment.
    pub(super) rows: u32,
    /// How many of them are deleted.
    pub(super) deleted: u32,
    /// The last operation whose deletions are in.
    pub(super) max_seq: u64,
}
