//! Which graph of a merge's inputs the graph of its output is grown from.

use std::sync::Arc;

use vdb_index::hnsw::{self, Base, Graph};
use vdb_index::{Control, Error as IndexError};

use crate::error::Result;
use crate::schema::VectorSchema;
use crate::segment::Segment;
use crate::shared::Shared;

/// A graph is extended if it has at least this share of the new rows. What it saves is about that share of a full
/// build, less the levels above and the mending; what it costs in recall was never measurable.
const LEAST_SHARE: f64 = 0.2;
/// A row that the new segment does not have.
const DROPPED: u32 = u32::MAX;

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

    /// For each place in the graph of a slot, the place in the new segment's; and how many there are.
    fn places(&self, slot: usize, new: &Segment) -> Option<(Vec<u32>, usize)> {
        let (old, new) = (self.segment.vectors(slot)?, new.vectors(slot)?);
        let graph = old.graph()?;
        let place = |at: u32| {
            let row = *self.rows.get(old.file.row_of(at)? as usize)?;
            new.file.slot_of(row).filter(|_| row != DROPPED)
        };
        let places: Vec<u32> = (0..graph.len()).map(|at| place(at).unwrap_or(DROPPED)).collect();
        let kept = places.iter().filter(|&&place| place != DROPPED).count();
        Some((places, kept))
    }
}

/// Builds the graph of a slot of a new segment: from the one of its origins that has most of its rows, if any has
/// enough and is sound; else from nothing.
pub(crate) fn build_graph(
    shared: &Shared,
    vector: &VectorSchema,
    slot: usize,
    new: &Segment,
    origins: &[Origin],
    control: &Control<'_>,
) -> Result<Option<Graph>> {
    let Some(vectors) = new.vectors(slot) else {
        return Ok(None);
    };
    let matrix = vectors.file.matrix();
    let (metric, params) = (vector.kernel.metric(), &vector.params.hnsw);
    let largest = origins
        .iter()
        .filter_map(|origin| Some((origin, origin.places(slot, new)?)))
        .max_by_key(|(origin, (_, kept))| (*kept, origin.segment.record.id));
    if let Some((origin, (places, kept))) = largest
        && kept as f64 >= f64::from(matrix.len()) * LEAST_SHARE
        && let Some(graph) = origin.segment.vectors(slot).and_then(|vectors| vectors.graph())
        // What is grown from a damaged graph would have checksums that fit.
        && graph.verify(&*shared.disk).is_ok()
    {
        let base = Base {
            graph: graph.view(),
            rows: &places,
        };
        match hnsw::extend(&base, &matrix, metric, params, &shared.pool, control) {
            // Built with other parameters.
            Err(IndexError::BadParameter { .. }) => {}
            grown => return Ok(Some(grown?)),
        }
    }
    Ok(Some(hnsw::build(&matrix, metric, params, &shared.pool, control)?))
}

#[cfg(test)]
mod tests;
