//! Layout of a file of vectors: a frame of kind `VECS`.
//!
//! | section | holds |
//! |---|---|
//! | 0 | the matrix: `slots` times `dim` elements, back to back |
//! | 1 | the row of each slot, ascending: `u32` each; only where some row has no slot |
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
    magic: *b"VECS",
    name: "vectors",
    version: 1,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 1..=1;

pub(super) const MATRIX: u32 = 0;
pub(super) const ROWS: u32 = 1;

/// What a file of vectors says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// [`Element::code`](vdb_sys::element::Element::code).
    pub(super) element: u8,
    /// Elements of a vector.
    pub(super) dim: u32,
    /// Rows that have the vector.
    pub(super) slots: u32,
    /// Rows of the segment.
    pub(super) rows: u32,
}
