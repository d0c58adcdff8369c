//! Codes of rows and queries, and how they are scored. [`quant`](crate::quant) makes them.
//!
//! | file | what it holds |
//! |---|---|
//! | `layout.rs` | where a code lies in a row |
//! | `query.rs` | a query, or a row taken as one |
//! | `score.rs` | scoring rows against it |

mod layout;
mod query;
mod score;

use vdb_sys::aligned::AlignedBuf;

pub use layout::{Layout, Scheme};
pub use query::QueryCode;
pub(crate) use query::Zero;
pub(crate) use score::{DotScore, ExactScore, SMALL, SadScore, Score};
pub(crate) use vdb_sys::kernel::packed::factors;

/// What is added to a signed 8-bit code to store it.
pub(crate) const ZERO: u8 = 128;

/// The codes of a whole matrix, in memory.
#[derive(Debug, Clone)]
pub struct Codes {
    pub(crate) bytes: AlignedBuf,
    pub(crate) layout: Layout,
    pub(crate) rows: u32,
}

impl Codes {
    /// A view of them.
    pub fn view(&self) -> CodesView<'_> {
        CodesView {
            bytes: &self.bytes,
            layout: self.layout,
            rows: self.rows,
        }
    }
}

/// The codes of a whole matrix, wherever they lie.
#[derive(Debug, Clone, Copy)]
pub struct CodesView<'a> {
    bytes: &'a [u8],
    layout: Layout,
    rows: u32,
}

impl<'a> CodesView<'a> {
    /// Views codes that whoever holds them has checked: `rows` rows of the layout's width.
    pub(crate) fn of_checked(bytes: &'a [u8], layout: Layout, rows: u32) -> Self {
        debug_assert_eq!(bytes.len(), layout.width() * rows as usize);
        Self { bytes, layout, rows }
    }

    /// How many rows there are.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All codes, row after row.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the codes of a row lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The codes of one row, with its factors.
    ///
    /// # Panics
    /// If there is no such row: callers bound rows that come from a file first.
    #[inline]
    pub fn row(&self, row: u32) -> &'a [u8] {
        let width = self.layout.width();
        &self.bytes[row as usize * width..][..width]
    }
}
