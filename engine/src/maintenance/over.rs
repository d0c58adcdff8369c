//! What the graph of a segment is built over: its vectors, or encodings of its multivectors.

use vdb_index::hnsw::{self, Base, Graph, HnswParams};
use vdb_index::multi::{self, Fde};
use vdb_index::{Control, Result as IndexResult};
use vdb_sys::element::MatrixView;
use vdb_sys::kernel::Metric;

use crate::error::{Error, Result};
use crate::schema::DenseSchema;
use crate::segment::{MultiSlots, Order, Segment};

/// What a graph is built over.
pub(super) enum Over<'a> {
    Vectors(MatrixView<'a>, Metric),
    Multivectors {
        fde: &'a Fde,
        slots: MultiSlots<'a>,
        rows: u32,
    },
}

impl<'a> Over<'a> {
    /// What a segment has in a slot; `None` where that is nothing.
    pub(super) fn of(vector: &'a DenseSchema, segment: &'a Segment, slot: usize) -> Result<Option<Self>> {
        if let Some(vectors) = segment.vectors(slot) {
            return Ok(Some(Over::Vectors(vectors.file.matrix(), vector.kernel.metric())));
        }
        let Some((vectors, encoder)) = segment.multi(slot).zip(vector.encoder.as_deref()) else {
            return Ok(None);
        };
        let Some(slots) = vectors.slots(Order::Ascending) else {
            return Ok(None);
        };
        Ok(Some(Over::Multivectors {
            fde: encoder.fde()?,
            slots,
            rows: vectors.file.len(),
        }))
    }

    /// How many there are.
    pub(super) fn rows(&self) -> u32 {
        match self {
            Over::Vectors(matrix, _) => matrix.len(),
            Over::Multivectors { rows, .. } => *rows,
        }
    }

    /// A graph over them, from an older one if there is one.
    ///
    /// # Errors
    /// [`failure`](Self::failure) may know of a better one.
    pub(super) fn graph(
        &self,
        base: Option<&Base<'_>>,
        params: &HnswParams,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> IndexResult<Graph> {
        match (self, base) {
            (Over::Vectors(matrix, metric), None) => hnsw::build(matrix, *metric, params, pool, control),
            (Over::Vectors(matrix, metric), Some(base)) => {
                hnsw::extend(base, matrix, *metric, params, pool, control)
            }
            (Over::Multivectors { fde, slots, rows }, None) => {
                multi::build(fde, slots, *rows, params, pool, control)
            }
            (Over::Multivectors { fde, slots, rows }, Some(base)) => {
                multi::extend(base, (fde, slots), *rows, params, pool, control)
            }
        }
    }

    /// Why what it is built over could not be read.
    pub(super) fn failure(&mut self) -> Option<Error> {
        match self {
            Over::Vectors(..) => None,
            Over::Multivectors { slots, .. } => slots.failure(),
        }
    }
}
