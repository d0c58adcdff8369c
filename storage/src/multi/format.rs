//! Layout of a file of multivectors: a frame of kind `MULT`.
//!
//! | section | holds |
//! |---|---|
//! | 0 | the matrix: the vectors of all rows, `dim` elements each, back to back in the order of rows |
//! | 1 | for each row how many vectors come before its own, and at last how many there are: `u64` each |
//!
//! A row has the vectors from its own start to that of the next row. A multivector has at least one, so a row that has none
//! does not have the multivector. Meta is a [`Meta`].
//!
//! | version | since | change |
//! |---|---|---|
//! | 1 | 0.1 | first |

use std::ops::{Range, RangeInclusive};

use bincode::{Decode, Encode};
use vdb_sys::element::Element;
use vdb_vfs::frame::FileKind;

pub(super) const KIND: FileKind = FileKind {
    magic: *b"MULT",
    name: "multivectors",
    version: 1,
};
pub(super) const VERSIONS: RangeInclusive<u16> = 1..=1;

pub(super) const MATRIX: u32 = 0;
pub(super) const STARTS: u32 = 1;

/// Most numbers of one multivector: its vectors times their dimensions. Qdrant takes fewer than 2^20.
pub const MAX_NUMBERS: usize = (1 << 20) - 1;

/// What a file of multivectors says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Meta {
    /// [`Element::code`].
    pub(super) element: u8,
    /// Elements of a vector.
    pub(super) dim: u32,
    /// Rows of the segment.
    pub(super) rows: u32,
    /// Rows that have the multivector.
    pub(super) present: u32,
    /// Vectors of all rows together.
    pub(super) vectors: u64,
}

/// What every vector of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) element: Element,
    pub(super) dim: u32,
    /// Bytes of a vector; never 0.
    pub(super) vector_bytes: u64,
}

impl Shape {
    /// `None` where a vector would have no numbers, or more than a multivector may have.
    pub(super) fn new(element: Element, dim: u32) -> Option<Self> {
        let vector_bytes = u64::from(dim) * element.size() as u64;
        (1..=MAX_NUMBERS).contains(&(dim as usize)).then_some(Shape {
            element,
            dim,
            vector_bytes,
        })
    }

    /// Most vectors of one row.
    pub(super) fn most_vectors(self) -> u64 {
        MAX_NUMBERS as u64 / u64::from(self.dim)
    }

    /// The bytes of the vectors from `start` to `end` in the matrix, if one row may have these.
    pub(super) fn bytes(self, start: u64, end: u64) -> Option<Range<u64>> {
        if end.checked_sub(start)? > self.most_vectors() {
            return None;
        }
        Some(start.checked_mul(self.vector_bytes)?..end.checked_mul(self.vector_bytes)?)
    }
}
