//! The graph over the vectors of a memtable grows; and becomes that of the segment.

use std::sync::Arc;

use vdb_index::Control;
use vdb_index::hnsw::{self, Base};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::MatrixView;
use vdb_sys::sync::atomic::Ordering;

use crate::core::Core;
use crate::live::LiveGraph;
use crate::memtable::{MemVectors, Memtable};
use crate::schema::DenseSchema;
use crate::shared::Shared;

/// Grows the graphs of the active memtable of a collection where they ask for it, and its settings do not keep the background
/// from any. True when that was put off, since it is not worth while yet.
pub(crate) fn grow(shared: &Shared, core: &Core, is_worth: impl Fn(&Memtable) -> bool) -> bool {
    let (schema, table) = {
        // No more of the tables than that: files of segments wait for whoever holds them.
        let tables = core.tables();
        (tables.schema.clone(), tables.active.clone())
    };
    if schema.optimizer.is_idle() {
        return false;
    }
    let table = &table;
    let mut put_off = false;
    for (slot, vector) in schema.vectors() {
        let (Some(vector), Some(vectors)) = (vector.dense(), table.vectors(slot)) else {
            continue;
        };
        let cancelled = || {
            shared.stopping.load(Ordering::Acquire)
                || core.dropped.load(Ordering::Acquire)
                || !Arc::ptr_eq(&core.tables().active, table)
        };
        let control = Control::new(&cancelled, &|_, _| ());
        // More may have come in meanwhile.
        while vectors.live.wants(vectors.rows.len()) {
            if !is_worth(table) {
                put_off = true;
                break;
            }
            match grown(shared, vector, table, vectors, &control) {
                Some(graph) => vectors.live.set(graph),
                None => break,
            }
        }
    }
    put_off
}

/// A graph over all vectors that are there now, from the one over fewer. `None` when it was called off.
fn grown(
    shared: &Shared,
    vector: &DenseSchema,
    table: &Memtable,
    vectors: &MemVectors,
    control: &Control<'_>,
) -> Option<LiveGraph> {
    // A vector is there an instant before its row is.
    let born_of = |slot: u32| Some(table.row(vectors.owner(slot)?)?.born());
    let rows = (0..vectors.rows.len())
        .rev()
        .find(|&slot| born_of(slot).is_some())?
        + 1;
    let born = born_of(rows - 1)?;
    let row_bytes = vector.params.row_bytes();
    // In one piece, for as long as the graph is being built.
    let mut bytes = AlignedBuf::zeroed(rows as usize * row_bytes);
    for (to, row) in bytes.chunks_exact_mut(row_bytes).zip(0..rows) {
        to.copy_from_slice(vectors.rows.row(row)?);
    }
    let matrix = MatrixView::new(vector.params.element, vector.params.size, &bytes)?;
    let (metric, params) = (vector.kernel.metric(), vector.graph.as_ref()?);
    let pool = &shared.grow_pool;
    let graph = match vectors.live.graph() {
        Some(old) => {
            let places: Vec<u32> = (0..old.graph.len()).collect();
            let base = Base {
                graph: old.graph.view(),
                rows: &places,
            };
            hnsw::extend(&base, &matrix, metric, params, pool, control)
        }
        None => hnsw::build(&matrix, metric, params, pool, control),
    };
    // What is wrong with parameters was said when the collection was made: only cancelling is left.
    graph.ok().map(|graph| LiveGraph { graph, born })
}

#[cfg(test)]
mod tests;
