//! Which older graph the graph of a new segment is grown from.

use std::sync::Arc;

use vdb_index::hnsw::{Base, Graph, GraphView, HnswParams};
use vdb_index::{Control, Result as IndexResult};

use crate::error::Result;
use crate::maintenance::over::Over;
use crate::schema::Schema;
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

    /// The graph of a slot of the new segment, over all that it has there, grown from this one; `None` when this was built with
    /// other parameters, or has less than the share `least` of the rows.
    pub(super) fn grow(
        &self,
        over: &Over<'_>,
        params: &HnswParams,
        least: f64,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> IndexResult<Option<Graph>> {
        let has_few = (self.kept() as f64) < f64::from(over.rows()) * least;
        if has_few || self.graph.params() != *params {
            return Ok(None);
        }
        let base = Base {
            graph: self.graph,
            rows: &self.places,
        };
        over.graph(Some(&base), params, pool, control).map(Some)
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
        let graph = self.segment.graph(slot)?;
        let place = |at: u32| {
            let row = *self.rows.get(self.segment.row_in_graph(slot, at)? as usize)?;
            new.place_in_graph(slot, row).filter(|_| row != DROPPED)
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
    schema: &Schema,
    slot: usize,
    new: &Segment,
    origins: &[Origin],
    control: &Control<'_>,
) -> Result<Option<Graph>> {
    let Some((vector, params)) = schema
        .graphed(slot)
        .and_then(|vector| Some((vector, vector.graph.as_ref()?)))
    else {
        return Ok(None);
    };
    let Some(mut over) = Over::of(vector, new, slot)? else {
        return Ok(None);
    };
    let largest = origins
        .iter()
        .filter_map(|origin| Some((origin, origin.ancestor(slot, new)?)))
        .max_by_key(|(origin, ancestor)| (ancestor.kept(), origin.segment.record.id));
    let grown = match &largest {
        Some((origin, ancestor))
            // What is grown from a damaged graph would have checksums that fit.
            if (origin.segment.graph(slot)).is_some_and(|graph| graph.verify(&*shared.disk).is_ok()) =>
        {
            ancestor.grow(&over, params, LEAST_SHARE, pool, control)
        }
        _ => Ok(None),
    };
    let made = grown.and_then(|grown| match grown {
        Some(grown) => Ok(grown),
        None => over.graph(None, params, pool, control),
    });
    match over.failure() {
        Some(error) => Err(error),
        None => Ok(Some(made?)),
    }
}

#[cfg(test)]
mod tests;
