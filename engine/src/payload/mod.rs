//! What is done with payloads beside filtering: changed by path, cut to what a caller wants, read into an index.
//!
//! | file | what it holds |
//! |---|---|
//! | `edit.rs` | set and delete by path, on JSON |
//! | `text.rs` | how an index of texts makes tokens |
//! | `params.rs` | what a payload index is to be: kind and options |
//! | `select.rs` | the part of an encoded payload that is returned |
//! | `extract.rs` | the values of an encoded payload that an index files |
//!
//! Knows payload paths and datetimes ([`crate::filter`]), the encoding of payloads ([`vdb_storage::payload`]) and
//! the index builder ([`vdb_index::postings`]).

mod edit;
mod extract;
mod params;
mod select;
mod text;

pub use params::{MemoryPlacement, PayloadIndexOptions, PayloadIndexParams};
pub use select::PayloadSelector;
pub use vdb_index::postings::Kind as PayloadIndexKind;

pub(crate) use edit::{Merge, Removal, encoded, encoded_within};
pub use text::{StemmerOption, StopwordsOption, TextOptions};

pub(crate) use extract::IndexBuilder;
pub(crate) use text::refused as refused_text;
