//! Which rows are nearest to a query of several vectors?
//!
//! A row may have a *multivector*: one or more vectors of one length, such as one for each token of a text. A query is one too.
//! Late interaction compares them: for each vector of the query the most similar of the row counts, and their similarities
//! are summed (MaxSim; Khattab & Zaharia, "ColBERT", SIGIR 2020). The canonical score is that of
//! [`MaxSim`](vdb_sys::kernel::MaxSim); whatever nominates rows, this scores what is returned.
//!
//! - [`scan_rows`] scores every allowed row. Exact, for every metric, and the oracle of the other way.
//! - [`search()`] walks a graph over one dense vector a row, made of all of the row's vectors ([`Fde`]), and gives the best
//!   candidates their canonical score. For inner products and cosines.
//!
//! ```text
//! build:  multivectors -> Fde -> matrix -> hnsw::build (codes of a few bits) -> Graph -> file
//! search: query -> Fde -> walk on codes -> candidates -> MaxSim with the full multivectors -> TopK
//! ```
//!
//! A graph over the single vectors of all rows is known to cost more: its nodes are as many as there are vectors, each
//! vector of the query takes a walk, and the rows that walks end at are not those that score best (Dhulipala et al., "MUVERA",
//! NeurIPS 2024, section 3.2).
//!
//! | file | what it holds |
//! |---|---|
//! | `vectors.rs` | where multivectors lie |
//! | `scan.rs` | exact scan |
//! | `fde.rs` | a multivector as one vector |
//! | `build.rs` | a graph over these |
//! | `search.rs` | candidates from the graph, scored in full |

mod build;
mod fde;
mod scan;
mod search;
mod vectors;

pub use build::{build, encode_all, extend, graph_params, open};
pub use fde::{Fde, FdeParams, FdeScratch};
pub use scan::scan_rows;
pub use search::{MultiFound, MultiParams, MultiScratch, search};
pub use vectors::MultiVectors;

#[cfg(test)]
mod fixture;
