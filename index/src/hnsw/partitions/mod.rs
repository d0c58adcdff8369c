//! Graphs among the rows that have a value in common.
//!
//! Where few rows match a filter, a walk over the graph of all rows meets mostly others (see `filtered.rs`). If the filter
//! asks for one value, a graph among the rows of that value has no others: a walk in it costs what one without a filter does.
//! These are the links by payload of Qdrant's HNSW ("payload_m"), which lie there among the links of all rows, and what
//! Filtered-DiskANN (Gollapudi et al., WWW 2023) calls a stitched index; here each value has a graph of its own, since
//! links among the others' are only looked through.
//!
//! A partition numbers its rows from 0 in their order. It has links and no codes: a place leads to a row, and the row to
//! its code in the graph of all rows. So it takes `8 m + 10` bytes a row or so, whatever the vectors.
//!
//! | file | what it holds |
//! |---|---|
//! | `build.rs` | a partition, made |
//! | `format.rs` | the bytes of a file of them |
//! | `file.rs` | mapping it |
//! | `writer.rs` | writing it |
//!
//! The search is that of [`search_within`](crate::hnsw::search_within).

mod build;
mod file;
mod format;
mod writer;

pub use build::build;
pub use file::PartitionsFile;
pub use writer::PartitionsWriter;

use crate::hnsw::check::{GraphReport, check};
use crate::hnsw::graph::{GraphView, Upper};
use crate::hnsw::links::{Links, levels};

/// The beam is so many times as wide, and so wide at least, where a partition's rows keep together.
const WIDER: usize = 2;
const LEAST_WIDTH: usize = 64;

/// A graph among some rows of another graph, in memory.
#[derive(Debug, Clone)]
pub struct Partition {
    rows: Vec<u32>,
    base: Vec<u32>,
    upper: Upper,
    degree: usize,
    /// Its rows keep together among those of the other graph.
    follows: bool,
}

impl Partition {
    /// A view of it, which is what a search takes.
    pub fn view(&self) -> PartitionView<'_> {
        PartitionView {
            rows: &self.rows,
            base: Links {
                blocks: &self.base,
                degree: self.degree,
            },
            upper_rows: &self.upper.rows,
            upper_sizes: &self.upper.sizes,
            upper_links: &self.upper.links,
            follows: self.follows,
        }
    }
}

/// A graph among some rows of another graph, wherever it lies. Its links may be damaged: whoever follows one bounds it.
#[derive(Clone, Copy)]
pub struct PartitionView<'a> {
    /// Ascending: the row of each place.
    rows: &'a [u32],
    /// Places, as all of the rest.
    base: Links<'a>,
    upper_rows: &'a [u32],
    upper_sizes: &'a [u32],
    upper_links: &'a [u32],
    /// Its rows keep together among those of the other graph.
    follows: bool,
}

impl<'a> PartitionView<'a> {
    /// How many rows there are, at least one.
    pub fn len(&self) -> u32 {
        self.rows.len() as u32
    }

    /// Whether there are none, which no build leaves.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows, ascending.
    pub fn rows(&self) -> &'a [u32] {
        self.rows
    }

    /// The beam of a walk in it that is asked to have `ef`. A query may be far from all rows that keep together, which then
    /// stand close to one another as seen from it: a wider beam finds what one over all rows finds.
    pub fn width(&self, ef: usize) -> usize {
        match self.follows {
            true => ef.saturating_mul(WIDER).max(LEAST_WIDTH),
            false => ef,
        }
    }

    /// The same as a graph of its own, whose rows are places among these and whose codes are left to the caller.
    pub(super) fn among(&self, graph: GraphView<'a>) -> GraphView<'a> {
        GraphView {
            quantizer: graph.quantizer,
            rows: self.len(),
            codes: None,
            base: self.base,
            params: graph.params,
            upper_rows: self.upper_rows,
            upper_sizes: self.upper_sizes,
            upper_links: self.upper_links,
            growth: graph.growth,
        }
    }

    /// Checks degrees, bounds, nesting of levels and reachability, as [`GraphView::check`] does.
    pub fn check(&self) -> GraphReport {
        let upper = levels(self.upper_sizes, self.upper_links, self.base.degree / 2);
        check(self.base, self.upper_rows, upper)
    }
}

impl std::fmt::Debug for PartitionView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionView")
            .field("rows", &self.len())
            .field("degree", &self.base.degree)
            .field("level_sizes", &self.upper_sizes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
