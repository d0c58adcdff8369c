//! Which rows have this value at a payload path?
//!
//! One file answers for one path of one segment. It maps every value of the index's kind to the rows that have it,
//! and keeps five sets of rows beside ([`Class`]) that say what the values leave out, so that a caller can tell an
//! answer that is exact from one that has to be checked row by row.
//!
//! ```text
//! build: (row, key), (row, class) -> Builder -> sorted keys, rows of each -> file
//! query: file -> binary search for keys -> their rows -> RowSet
//! ```
//!
//! Keywords, UUIDs and the tokens of texts are strings of bytes; all other kinds are reduced to an `i64` that orders as the values do, and
//! share one layout. The rows of
//! a key are a run of plain numbers when they are few, a roaring bitmap when that is smaller; runs of neighbouring
//! keys are adjacent, so that a range over a million different numbers is one slice.
//!
//! | file | what it holds |
//! |---|---|
//! | `key.rs` | kinds of index, their keys, the order of keys |
//! | `format.rs` | which byte means what |
//! | `bitmap.rs` | rows into a serialised roaring bitmap, and out of one |
//! | `number.rs`, `details.rs` | numbers of few bytes; how often and where the rows of a key have it |
//! | `builder.rs` | collects values, writes the file |
//! | `file.rs`, `file/` | opens the file, reads keys, rows, classes and places |
//! | `query.rs` | matches and estimates |
//! | `counts.rs` | rows by how many values they have |
//! | `elements.rs` | which elements of an array values are in |
//! | `text.rs`, `text/` | indexes of texts: collecting tokens; all of several, phrases, how often |

mod bitmap;
mod builder;
mod counts;
mod details;
mod elements;
mod file;
mod format;
mod key;
mod number;
mod query;
mod text;

pub use builder::Builder;
pub use elements::{ElementQuery, Elements};
pub use file::PostingsFile;
pub use format::{Class, TextInfo};
pub use key::{Key, Kind};
pub use query::Estimate;
pub use text::builder::TextBuilder;

#[cfg(test)]
mod tests;
