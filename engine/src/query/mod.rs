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
//! | `allowance.rs` | what one call may take: time, memory |
//! | `workers.rs` | threads that answer together |
//! | `matching.rs` | every point that matches a filter; counting |
//! | `rows.rs`, `slots.rs` | which rows of one segment may be returned; the same as a filter over its vectors |
//! | `explain.rs` | how a filter would be answered |
//! | `search.rs`, `prepared.rs` | a search as it is asked for; the same, checked and encoded |
//! | `nearest.rs` | nearest points, for one request or many |
//! | `mixed.rs` | points by what their similarities to several examples make, in one pass over all |
//! | `compare.rs`, `idf.rs` | a query against one stored vector, of whichever kind; what rare dimensions of sparse ones weigh |
//! | `ragged.rs` | nearest rows of multivectors and sparse vectors, of a memtable or a segment |
//! | `multi.rs` | nearest multivectors of a segment, by its graph |
//! | `kept.rs` | the best rows of a memtable so far |
//! | `text.rs` | points by what their texts say |
//! | `memory.rs`, `segments.rs` | nearest rows of a memtable; of a segment |
//! | `partition.rs` | the graph among the rows of a value that a filter asks for |
//! | `scroll.rs` | pages in the order of ids |
//! | `fetch.rs` | ids, payloads and vectors of what was found |

pub(crate) mod allowance;
pub(crate) mod compare;
pub(crate) mod explain;
pub(crate) mod fetch;
pub(crate) mod idf;
mod kept;
pub(crate) mod matching;
mod memory;
pub(crate) mod mixed;
mod multi;
pub(crate) mod nearest;
mod partition;
pub(crate) mod prepared;
mod ragged;
pub(crate) mod rows;
pub(crate) mod scroll;
pub(crate) mod search;
mod segments;
mod slots;
pub(crate) mod text;
pub(crate) mod workers;

#[cfg(test)]
mod tests;
