//! Which older graph the graph of a new segment is grown from.

use std::sync::Arc;

use vdb_index::hnsw::{self, Base, Graph, GraphView};
use vdb_index::{Control, Error as IndexError};
use vdb_sys::element::MatrixView;

use crate::error::Result;
use crate::schema::DenseSchema;
use crate::segment::Segment;
use crate::shared::Shared;

/// A row that the new segment does not have.
pub(crate) const DROPPED: u32 = u32::MAX;

/// A graph over rows of which some are in a new segment.
pub(crate) struct Ancestor<'a> {
    pub(crate) graph: GraphView<'a>,
    /// For each of its rows the place of the vector in the new segment, or [`DROPPED`].
    pub(crate) places: Vec<u32>,
}

impl Ancestor<'_> {
    /// How many of its rows are in the new segment.
    fn kept(&self) -> usize {
        self.places.iter().filter(|&&place| place != DROPPED).count()
    }

    /// The graph of a slot of the new segment, grown from this one; `None` when it was built with other parameters, or
    /// has less than the share `least` of the rows.
    pub(crate) fn grow(
        &self,
        vector: &DenseSchema,
        matrix: &MatrixView<'_>,
        least: f64,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Option<Graph>> {
        if (self.kept() as f64) < f64::from(matrix.len()) * least {
            return Ok(None);
        }
        let base = Base {
            graph: self.graph,
            rows: &self.places,
        };
        let metric = vector.kernel.metric();
        match hnsw::extend(&base, matrix, metric, &vector.params.hnsw, pool, control) {
            Err(IndexError::BadParameter { .. }) => Ok(None),
            grown => Ok(Some(grown?)),
        }
    }
}

/// In a merge, a graph is extended if it has at least this share of the rows. What it saves is about that share of a
/// full build, less the levels above and the mending; what it costs in recall was never measurable.
const LEAST_SHARE: f64 = 0.2;

/// A segment whose rows went into a new one, and where each went.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) segment: Arc<Segment>,
    /// For each of its rows the new segment's, or [`DROPPED`].
    pub(crate) rows: Vec<u32>,
}

impl Origin {
    /// Nothing of a segment has gone anywhere yet.
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        let rows = vec![DROPPED; segment.rows() as usize];
        Origin { segment, rows }
    }

    /// Its graph of a slot as an ancestor of the new segment's.
    fn ancestor(&self, slot: usize, new: &Segment) -> Option<Ancestor<'_>> {
        let (old, new) = (self.segment.vectors(slot)?, new.vectors(slot)?);
        let graph = old.graph()?;
        let place = |at: u32| {
            let row = *self.rows.get(old.file.row_of(at)? as usize)?;
            new.file.slot_of(row).filter(|_| row != DROPPED)
        };
        Some(Ancestor {
            graph: graph.view(),
            places: (0..graph.len()).map(|at| place(at).unwrap_or(DROPPED)).collect(),
        })
    }
}

/// Builds the graph of a slot of a new segment: from that of the origin which has most of its rows, if it has enough
/// and is sound; else from nothing.
pub(crate) fn build_graph(
    shared: &Shared,
    pool: &rayon::ThreadPool,
    vector: &DenseSchema,
    slot: usize,
    new: &Segment,
    origins: &[Origin],
    control: &Control<'_>,
) -> Result<Option<Graph>> {
    let Some(vectors) = new.vectors(slot) else {
        return Ok(None);
    };
    let matrix = vectors.file.matrix();
    let largest = origins
        .iter()
        .filter_map(|origin| Some((origin, origin.ancestor(slot, new)?)))
        .max_by_key(|(origin, ancestor)| (ancestor.kept(), origin.segment.record.id));
    if let Some((origin, ancestor)) = largest
        && let Some(graph) = origin.segment.vectors(slot).and_then(|vectors| vectors.graph())
        // What is grown from a damaged graph would have checksums that fit.
        && graph.verify(&*shared.disk).is_ok()
        && let Some(grown) = ancestor.grow(vector, &matrix, LEAST_SHARE, pool, control)?
    {
        return Ok(Some(grown));
    }
    let metric = vector.kernel.metric();
    let params = &vector.params.hnsw;
    Ok(Some(hnsw::build(&matrix, metric, params, pool, control)?))
}

#[cfg(test)]
mod tests;
