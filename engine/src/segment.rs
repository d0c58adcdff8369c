//! An open segment: immutable files and the marks of what has died in them.
//!
//! | file | what |
//! |---|---|
//! | `open.rs` | from the record of a manifest to a segment; the same segment with other files |
//! | `column.rs`, `multi.rs`, `derived.rs` | the vectors of one name, and what is derived from them |
//! | `files.rs` | files that go once nobody looks into them |
//! | `lookup.rs` | a segment as filters look things up in it |
//! | `sound.rs` | whether primary files are what they were |

mod column;
mod derived;
mod files;
mod lookup;
mod multi;
mod open;
mod sound;

use std::sync::{Arc, OnceLock};

use vdb_index::RowBits;
use vdb_index::hnsw::GraphFile;
use vdb_index::postings::PostingsFile;
use vdb_storage::manifest::SegmentRecord;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::{Component, SegmentFile};
use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::{AtomicBool, Ordering};

use crate::deletions::Deletions;
use crate::error::Result;
use crate::schema::Schema;

use column::Column;
pub(crate) use column::{SegmentSparse, SegmentVectors};
use files::Files;
pub(crate) use lookup::SegmentLookup;
pub(crate) use multi::{MultiSlots, Order, SegmentMulti};

/// An open segment. Rows are in the order of their ids.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) record: SegmentRecord,
    pub(crate) points: Arc<PointsReader>,
    pub(crate) payload: Arc<PayloadReader>,
    pub(crate) deletions: Arc<Deletions>,
    /// By slot; none where no row has a vector.
    columns: Vec<Option<Column>>,
    /// By slot, which rows have a vector: found out when it is first asked, and kept, an eighth of a byte a row.
    presence: Vec<OnceLock<RowBits>>,
    /// By slot, what goes with the column: its file stays while anybody has it, who may read it by its name.
    column_files: Vec<Arc<Files>>,
    indexes: Vec<(u16, Arc<PostingsFile>)>,
    /// A payload index turned out damaged when it was asked: none is used, and all get rebuilt.
    indexes_damaged: AtomicBool,
    /// Somebody has been told that a derived file is damaged.
    told: AtomicBool,
    /// A primary file turned out damaged: no job can make anything of this segment.
    damaged: Arc<Mutex<Option<String>>>,
    dir: String,
    files: Arc<Files>,
}

impl Segment {
    /// Names files that are to be removed once no reader holds the segment any more.
    pub(crate) fn retire(&self, paths: impl IntoIterator<Item = String>) {
        self.files.retire(paths);
    }

    /// Names the file of a slot's vectors, which is to be removed once nobody holds them any more: neither this version of the
    /// segment nor another one that has them.
    pub(crate) fn retire_vectors(&self, slot: u16, path: String) {
        match self.column_files.get(usize::from(slot)) {
            Some(files) => files.retire([path]),
            // Nobody can look into it.
            None => self.files.remove(&path),
        }
    }

    pub(crate) fn rows(&self) -> u32 {
        self.record.rows
    }

    fn column(&self, slot: usize) -> Option<&Column> {
        self.columns.get(slot)?.as_ref()
    }

    /// The dense vectors of a schema slot, when any row has one.
    pub(crate) fn vectors(&self, slot: usize) -> Option<&SegmentVectors> {
        match self.column(slot)? {
            Column::Dense(vectors) => Some(vectors),
            Column::Sparse(_) | Column::Multi(_) => None,
        }
    }

    /// The sparse vectors of a schema slot, when any row has one.
    pub(crate) fn sparse(&self, slot: usize) -> Option<&SegmentSparse> {
        match self.column(slot)? {
            Column::Sparse(vectors) => Some(vectors),
            Column::Dense(_) | Column::Multi(_) => None,
        }
    }

    /// The multivectors of a schema slot, when any row has one.
    pub(crate) fn multi(&self, slot: usize) -> Option<&SegmentMulti> {
        match self.column(slot)? {
            Column::Multi(vectors) => Some(vectors),
            Column::Dense(_) | Column::Sparse(_) => None,
        }
    }

    /// The graph of a schema slot, unless it is missing or damaged.
    pub(crate) fn graph(&self, slot: usize) -> Option<&GraphFile> {
        self.column(slot)?.graph()
    }

    /// Where the graphs are, and how long each is.
    pub(crate) fn graph_files(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        (0u16..).take(self.columns.len()).filter_map(|slot| {
            let component = Component::Graph(slot);
            let file = self.graph(slot.into()).and(self.record.component(component))?;
            let (segment, revision) = (self.record.id, file.revision);
            let name = SegmentFile {
                segment,
                component,
                revision,
            };
            Some((name.path(&self.dir), file.len))
        })
    }

    /// The row of what is at a place of the graph of a slot.
    pub(crate) fn row_in_graph(&self, slot: usize, place: u32) -> Option<u32> {
        self.column(slot)?.row_of(place)
    }

    /// Where a graph of a slot has a row.
    pub(crate) fn place_in_graph(&self, slot: usize, row: u32) -> Option<u32> {
        self.column(slot)?.place_of(row)
    }

    /// Keeps searches from what is derived from the vectors of a slot until it has been rebuilt.
    pub(crate) fn set_derived_damaged(&self, slot: usize) {
        if let Some(column) = self.column(slot) {
            column.set_damaged();
        }
    }

    /// The stored bytes of a row's vector.
    ///
    /// # Errors
    /// The file does not say where they are.
    pub(crate) fn vector(&self, slot: usize, row: u32) -> Result<Option<&[u8]>> {
        self.column(slot).map_or(Ok(None), |column| column.vector(row))
    }

    pub(crate) fn has_vector(&self, slot: usize, row: u32) -> bool {
        self.column(slot).is_some_and(|column| column.has_vector(row))
    }

    /// How many rows have a vector in a slot, dead ones included.
    pub(crate) fn rows_with_vector(&self, slot: usize) -> u32 {
        self.column(slot).map_or(0, Column::len)
    }

    /// The rows that have a vector in a slot, dead ones included; `None` where no row has.
    fn presence(&self, slot: usize) -> Option<&RowBits> {
        let (column, known) = (self.column(slot)?, self.presence.get(slot)?);
        Some(known.get_or_init(|| column.presence()))
    }

    /// Whether the vectors of a slot have a graph or an inverted index.
    pub(crate) fn is_indexed(&self, slot: usize) -> bool {
        self.column(slot).is_some_and(Column::is_indexed)
    }

    /// About how many bytes the vectors of a slot have.
    pub(crate) fn vector_bytes(&self, slot: usize) -> usize {
        self.column(slot).map_or(0, Column::bytes)
    }

    /// The payload index of a number, when the segment has it.
    pub(crate) fn index(&self, number: u16) -> Option<&PostingsFile> {
        if self.indexes_damaged.load(Ordering::Acquire) {
            return None;
        }
        self.indexes
            .iter()
            .find(|(n, _)| *n == number)
            .map(|(_, file)| &**file)
    }

    /// Keeps filters from the payload indexes until they have been rebuilt.
    pub(crate) fn set_index_damaged(&self) {
        self.indexes_damaged.store(true, Ordering::Release);
    }

    /// True when a derived file turned out damaged, the first time that this is asked.
    pub(crate) fn wants_mending(&self) -> bool {
        let damaged = self.indexes_damaged.load(Ordering::Acquire)
            || self.columns.iter().flatten().any(Column::wants_mending);
        damaged && !self.told.swap(true, Ordering::AcqRel)
    }

    /// The segment as filters look things up in it.
    pub(crate) fn lookup<'a>(&'a self, schema: &'a Schema) -> SegmentLookup<'a> {
        SegmentLookup::new(self, schema)
    }
}

#[cfg(test)]
mod tests;
