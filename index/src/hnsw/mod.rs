//! Which rows are near, without looking at all of them? A navigable small-world graph on small codes.
//!
//! The structure is that of Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using
//! Hierarchical Navigable Small World graphs" (2018): a graph over all rows at level 0, sparser ones over ever
//! fewer rows above it, searched from the top. What differs:
//!
//! - **One growing graph.** Rows are inserted in the order of a seeded hash, and the upper levels are what the
//!   graph was when it held the first 1/m, 1/m^2, ... of them. Levels nest by construction, their sizes are
//!   exact, and an upper level addresses rows by their rank in that order. The share of rows on a level is that
//!   of the paper's random draw.
//! - **Batches.** As in ParlayANN (Manohar et al., PPoPP 2024), rows enter in batches that grow with the graph;
//!   a batch searches the frozen graph, then links; new links to one node are sorted and pruned together. The
//!   graph depends on the rows, their order, the parameters and the seed, and on nothing else: any number of
//!   threads gives the same bytes.
//! - **Slack.** Neighbours are chosen, and links back accepted, with Vamana's factor on distances, which keeps more
//!   of them; a block never holds a link that another covers.
//! - **Codes.** Building and walking read [codes](crate::quant) only; what a search returns is rescored
//!   with the full vectors by the canonical kernel.
//! - **Twins.** Of rows with equal codes one stands in the graph, the others hang below it.
//! - **No islands.** Nodes that nothing leads to after all that are attached to their nearest reachable node.
//! - Building measures squared Euclidean distance of the codes for every metric but L1. For inner products of
//!   vectors of unequal length a further coordinate makes all lengths equal (Bachrach et al., RecSys 2014): the
//!   order of inner products becomes the order of distances, and short vectors, which a filter may ask for, get
//!   neighbours like all others.
//!
//! | file | what it holds |
//! |---|---|
//! | `params.rs` | what shapes a graph and a search |
//! | `prune.rs` | which candidates become neighbours |
//! | `links.rs` | the links of one level |
//! | `beam.rs` | what a walk has found and where it has been |
//! | `growth.rs` | how distances grow with rank, and when a walk may stop therefore |
//! | `walk.rs` | the beam search, for building and for queries |
//! | `filtered.rs` | the same under a filter |
//! | `within.rs` | a filter as one over the places of a partition |
//! | `pairs.rs` | distances between rows, on codes |
//! | `block.rs` | a node's links while building |
//! | `repair.rs` | links of a graph, moved to other rows and mended where rows were dropped |
//! | `build.rs` | insertion in batches, second pass, into nothing or into an older graph |
//! | `twins.rs` | rows of equal codes |
//! | `connect.rs` | attaches what nothing leads to |
//! | `graph.rs` | a graph in memory, or a view of one |
//! | `format.rs` | the bytes of a graph file |
//! | `file.rs` | writing and mapping them |
//! | `search.rs` | a query: descent, filter strategy |
//! | `rescore.rs` | what it nominates, scored with full vectors |
//! | `partitions/` | graphs among the rows that have a value in common |
//! | `check.rs` | the invariants of a graph, checked |

mod beam;
mod block;
mod build;
mod check;
mod connect;
mod file;
mod filtered;
mod format;
mod graph;
mod growth;
mod links;
mod pairs;
mod params;
pub mod partitions;
mod prune;
mod repair;
mod rescore;
mod search;
mod twins;
mod walk;
mod within;

pub use build::{build, extend};
pub use check::GraphReport;
pub use file::GraphFile;
pub use graph::{Graph, GraphView};
pub use params::{HnswParams, MAX_ROWS, SearchParams};
pub use partitions::{Partition, PartitionView, PartitionsFile, PartitionsWriter};
pub use repair::Base;
pub use rescore::Found;
pub use search::{Scratch, nominees, search, search_watched, search_within};
