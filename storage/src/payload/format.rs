//! Layout of a file of payloads: a frame of kind `PAYL`.
//!
//! | section | holds |
//! |---|---|
//! | 0 | the payloads, back to back, as [`value`](super::value) describes them |
//! | 1 | where each payload starts in section 0, by row, and the length of section 0: `u64` each |
//!
//! Meta is a [`Meta`].
//!
//! | version | since | change |
//! |---|---|---|
//! | 1 | 0.1 | first |

use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_vfs::frame::FileKind;

pub(super) const KIND: FileKind = FileKind {
    magic: *b"PAYL",
    name: "payloads",
    version: 1,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 1..=1;

pub(super) const BLOBS: u32 = 0;
pub(super) const OFFSETS: u32 = 1;

/// What a file of payloads says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// Rows of the segment.
    pub(super) rows: u32,
}
