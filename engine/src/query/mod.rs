//! How is a question answered?
//!
//! ```text
//! request -> view (tables, horizon) -> per memtable: graph walk as far as it reaches, then scan
//!                                   -> per segment: plan -> scan | postings | graph walk
//!         -> merge by score and id -> fetch what was asked for
//! ```
//!
//! | file | what |
//! |---|---|
//! | `matching.rs` | every point that matches a filter; counting |
//! | `rows.rs` | which rows of one segment may be returned |
//! | `memory.rs` | nearest rows of a memtable |
//! | `search.rs` | nearest points |
//! | `scroll.rs` | pages in the order of ids |
//! | `fetch.rs` | ids, payloads and vectors of what was found |

pub(crate) mod fetch;
pub(crate) mod matching;
mod memory;
pub(crate) mod rows;
pub(crate) mod scroll;
pub(crate) mod search;

#[cfg(test)]
mod tests;
