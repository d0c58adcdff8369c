//! The multivectors of one name in a segment, and the graph over their encodings.

use std::sync::{Arc, OnceLock};

use vdb_index::hnsw::GraphFile;
use vdb_index::multi::{self, MultiVectors};
use vdb_storage::multi::MultiReader;
use vdb_vfs::DynDisk;
use vdb_vfs::frame::FrameInfo;

use crate::error::Error;
use crate::schema::DenseSchema;
use crate::segment::derived::Derived;

/// The multivectors of one name, and the graph over their encodings if there is one: it has a slot for each row that has the
/// multivector, in their order.
#[derive(Clone, Debug)]
pub(crate) struct SegmentMulti {
    pub(crate) file: Arc<MultiReader>,
    graph: Derived<GraphFile>,
    /// The row of each slot, where they are not the same: found when they are first asked for.
    rows: Arc<OnceLock<Box<[u32]>>>,
}

impl SegmentMulti {
    /// The multivectors of a file, and the graph at `derived` where it can be used and `is_derived` says that it is the one
    /// that is meant.
    pub(super) fn new(
        disk: &DynDisk,
        (path, mut file): (&str, MultiReader),
        vector: &DenseSchema,
        derived: Option<&str>,
        is_derived: &dyn Fn(FrameInfo) -> bool,
    ) -> Self {
        let graph = derived
            .zip(vector.encoder.as_deref())
            .and_then(|(path, encoder)| {
                multi::open(&**disk, path, file.len(), encoder.coordinates())
                    .ok()
                    .filter(|graph| is_derived(graph.info()))
            });
        if graph.is_some() {
            // Candidates lie here and there. Without the second mapping, where the system gives no more of them, what lies
            // beside them is read too.
            let _ = file.map_scattered(&**disk, path);
        }
        SegmentMulti {
            file: Arc::new(file),
            graph: Derived::new(graph),
            rows: Arc::default(),
        }
    }

    /// The graph, unless it is missing or damaged.
    pub(crate) fn graph(&self) -> Option<&GraphFile> {
        self.graph.get()
    }

    /// Keeps searches from the graph until it has been rebuilt.
    pub(crate) fn set_damaged(&self) {
        self.graph.set_damaged();
    }

    pub(super) fn has_damaged_graph(&self) -> bool {
        self.graph.is_damaged()
    }

    /// The row of each slot, ascending; `None` where they are the same.
    pub(crate) fn rows(&self) -> Option<&[u32]> {
        let file = &*self.file;
        let find = || (0..file.rows()).filter(|&row| file.has(row)).collect();
        (file.len() < file.rows()).then(|| &**self.rows.get_or_init(find))
    }

    pub(super) fn row_of(&self, slot: u32) -> Option<u32> {
        row_of(&self.file, self.rows(), slot)
    }

    pub(super) fn slot_of(&self, row: u32) -> Option<u32> {
        match self.rows() {
            None => Some(row).filter(|&row| row < self.file.len()),
            Some(rows) => rows.binary_search(&row).ok().map(|slot| slot as u32),
        }
    }

    /// The multivectors by slot. `None` where the file does not say as many rows as it should have them: there are no slots then
    /// that a graph could be over.
    pub(crate) fn slots(&self, order: Order) -> Option<MultiSlots<'_>> {
        let rows = self.rows();
        rows.is_none_or(|rows| rows.len() == self.file.len() as usize)
            .then(|| MultiSlots {
                file: &self.file,
                rows,
                order,
                failure: OnceLock::new(),
            })
    }
}

/// The row of a slot, given the rows of all slots where they are not the same.
fn row_of(file: &MultiReader, rows: Option<&[u32]>, slot: u32) -> Option<u32> {
    match rows {
        None => Some(slot).filter(|&slot| slot < file.len()),
        Some(rows) => rows.get(slot as usize).copied(),
    }
}

/// In which order multivectors are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// That of their slots.
    Ascending,
    /// A few here and there.
    Scattered,
}

/// The multivectors of a segment by slot. Who reads them so knows nothing of the errors of their file.
pub(crate) struct MultiSlots<'a> {
    file: &'a MultiReader,
    rows: Option<&'a [u32]>,
    order: Order,
    failure: OnceLock<vdb_storage::Error>,
}

impl MultiSlots<'_> {
    fn row_of(&self, slot: u32) -> Option<u32> {
        row_of(self.file, self.rows, slot)
    }

    /// Why one could not be read: what was made of them is of no use then.
    pub(crate) fn failure(&mut self) -> Option<Error> {
        self.failure.take().map(Error::from)
    }
}

impl MultiVectors for MultiSlots<'_> {
    fn multi(&self, slot: u32) -> vdb_index::Result<Option<&[u8]>> {
        let Some(row) = self.row_of(slot) else {
            return Ok(None);
        };
        let read = match self.order {
            Order::Ascending => self.file.get(row),
            Order::Scattered => self.file.scattered(row),
        };
        read.map_err(|error| {
            // Of several threads the first one tells.
            let _ = self.failure.set(error);
            vdb_index::Error::Cancelled
        })
    }

    fn has(&self, slot: u32) -> bool {
        slot < self.file.len()
    }

    fn all_have(&self) -> bool {
        true
    }

    fn will_read(&self, slot: u32) {
        if let Some(row) = self.row_of(slot) {
            self.file.read_ahead(row);
        }
    }
}
