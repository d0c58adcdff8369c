//! A built graph: in memory, or as a view of wherever it lies.

use vdb_sys::kernel::Metric;

use crate::codes::{Codes, CodesView};
use crate::hnsw::growth::Growth;
use crate::hnsw::links::{Links, levels};
use crate::hnsw::params::HnswParams;
use crate::quant::Quantizer;

/// A graph in memory, as building leaves it.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) quantizer: Quantizer,
    pub(crate) rows: u32,
    /// None: walks read full vectors.
    pub(crate) codes: Option<Codes>,
    pub(crate) base: Vec<u32>,
    pub(crate) upper: Upper,
    /// What it was built with.
    pub(crate) params: HnswParams,
    pub(crate) growth: Growth,
    /// How the rows of the matrix were made of what users wrote; 0 where they are that.
    pub(crate) encoding: u8,
}

/// The levels above the base, in memory.
#[derive(Debug, Clone, Default)]
pub(crate) struct Upper {
    /// The rows of the lowest upper level, by rank; a level of `n` nodes holds the first `n` of them.
    pub(crate) rows: Vec<u32>,
    /// Nodes of every level, the sparsest first.
    pub(crate) sizes: Vec<u32>,
    /// The blocks of all levels, in the same order: ranks, not rows.
    pub(crate) links: Vec<u32>,
}

impl Graph {
    /// A view of it, which is what a search takes.
    pub fn view(&self) -> GraphView<'_> {
        GraphView {
            quantizer: &self.quantizer,
            rows: self.rows,
            codes: self.codes.as_ref().map(Codes::view),
            base: Links {
                blocks: &self.base,
                degree: self.params.degree(),
            },
            params: self.params,
            upper_rows: &self.upper.rows,
            upper_sizes: &self.upper.sizes,
            upper_links: &self.upper.links,
            growth: self.growth,
        }
    }

    /// Rows of the graph.
    pub fn len(&self) -> u32 {
        self.view().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A graph, wherever it lies. Its links may be damaged: whoever follows one bounds it.
#[derive(Clone, Copy)]
pub struct GraphView<'a> {
    pub(crate) quantizer: &'a Quantizer,
    pub(crate) rows: u32,
    pub(crate) codes: Option<CodesView<'a>>,
    pub(crate) base: Links<'a>,
    pub(crate) params: HnswParams,
    pub(crate) upper_rows: &'a [u32],
    pub(crate) upper_sizes: &'a [u32],
    pub(crate) upper_links: &'a [u32],
    pub(crate) growth: Growth,
}

impl<'a> GraphView<'a> {
    /// Rows of the graph.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Room for links a node at level 0.
    pub fn degree(&self) -> usize {
        self.base.degree
    }

    /// What it was built with, all of its rows: a graph is only grown from one with the same parameters.
    pub fn params(&self) -> HnswParams {
        self.params
    }

    /// How many rows reach each level above level 0, from the top down.
    pub fn level_sizes(&self) -> &'a [u32] {
        self.upper_sizes
    }

    /// Where walks start. From a damaged file, it may be no row.
    pub(crate) fn entry(&self) -> u32 {
        self.upper_rows.first().copied().unwrap_or(0)
    }

    /// The metric that it was built for.
    pub fn metric(&self) -> Metric {
        self.quantizer.metric()
    }

    /// The blocks of the upper levels, the sparsest first.
    pub(crate) fn upper_levels(&self) -> impl Iterator<Item = Links<'a>> + use<'a> {
        levels(self.upper_sizes, self.upper_links, self.base.degree / 2)
    }
}

impl std::fmt::Debug for GraphView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GraphView")
            .field("rows", &self.len())
            .field("degree", &self.base.degree)
            .field("level_sizes", &self.upper_sizes)
            .finish_non_exhaustive()
    }
}
