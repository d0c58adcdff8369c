//! How is a question answered?
//!
//! ```text
//! request -> view (tables, horizon) -> per memtable: scan
//!                                   -> per segment: plan -> scan | postings | graph walk
//!         -> merge by score and id -> fetch what was asked for
//! ```
//!
//! | file | what |
//! |---|---|
//! | `matching.rs` | every point that matches a filter; counting |
//! | `rows.rs` | which rows of one segment may be returned |
//! | `search.rs` | nearest points |
//! | `scroll.rs` | pages in the order of ids |
//! | `fetch.rs` | ids, payloads and vectors of what was found |

pub(crate) mod fetch;
pub(crate) mod matching;
pub(crate) mod rows;
pub(crate) mod scroll;
pub(crate) mod search;

#[cfg(test)]
mod tests;
