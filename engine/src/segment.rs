//! An open segment: immutable files and the marks of what has died in them.

mod column;
mod derived;
mod multi;
mod sound;

use std::sync::{Arc, OnceLock};

use vdb_index::hnsw::GraphFile;
use vdb_index::postings::PostingsFile;
use vdb_index::{RowBits, RowSet};
use vdb_storage::manifest::SegmentRecord;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::{Component, PointId, SegmentFile, tombstone};
use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::{AtomicBool, Ordering};
use vdb_vfs::DynDisk;
use vdb_vfs::frame::FrameInfo;

use crate::deletions::Deletions;
use crate::error::{Error, Result};
use crate::filter::{IndexLookup, Slice};
use crate::schema::Schema;

use column::Column;
pub(crate) use column::{SegmentSparse, SegmentVectors};
pub(crate) use multi::{MultiSlots, Order, SegmentMulti};

/// Removes files once nobody looks into them.
#[derive(Debug)]
struct Files {
    disk: DynDisk,
    retired: Mutex<Vec<String>>,
}

impl Files {
    fn new(disk: &DynDisk) -> Arc<Self> {
        Arc::new(Files {
            disk: disk.clone(),
            retired: Mutex::default(),
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in self.retired.lock().drain(..) {
            // What cannot be removed now is removed at the next open: no manifest names it.
            let _ = self.disk.remove(&path);
        }
    }
}

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
    /// Opens the files that a record names. Derived files that cannot be used are left out: they get rebuilt.
    pub(crate) fn open(disk: &DynDisk, dir: &str, schema: &Schema, record: SegmentRecord) -> Result<Segment> {
        let path = |component: Component| {
            let revision = record.component(component)?.revision;
            Some(
                SegmentFile {
                    segment: record.id,
                    component,
                    revision,
                }
                .path(dir),
            )
        };
        let primary = |component: Component| {
            path(component).ok_or_else(|| Error::Damaged {
                file: format!("{}: manifest", disk.display(dir)),
                what: format!("segment {} has no file of the kind {component:?}", record.id),
            })
        };
        let rows = record.rows;
        let check_rows = |path: &str, found: u32| {
            if found == rows {
                return Ok(());
            }
            let what = format!("it has {found} rows, the manifest says {rows}");
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };

        // A sound file may still be another one than the manifest means.
        let is_meant = |component: Component, found: FrameInfo| {
            record
                .component(component)
                .is_none_or(|meant| (meant.len, meant.crc) == (found.len, found.crc))
        };
        let check_meant = |path: &str, component: Component, found: FrameInfo| {
            if is_meant(component, found) {
                return Ok(());
            }
            let (len, crc) = (found.len, found.crc);
            let what = format!(
                "it has {len} bytes and the checksum {crc:08x}: not the file that the manifest names"
            );
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };

        let points_path = primary(Component::Points)?;
        let points = Arc::new(PointsReader::open(&**disk, &points_path)?);
        check_rows(&points_path, points.len())?;
        check_meant(&points_path, Component::Points, points.info())?;
        let identity = points.identity();
        if (identity.segment_id, identity.min_seq, identity.max_seq)
            != (record.id, record.min_seq, record.max_seq)
        {
            let what = format!("it was written for segment {}", identity.segment_id);
            return Err(Error::Damaged {
                file: disk.display(&points_path),
                what,
            });
        }
        let payload_path = primary(Component::Payload)?;
        let payload = Arc::new(PayloadReader::open(&**disk, &payload_path)?);
        check_rows(&payload_path, payload.len())?;
        check_meant(&payload_path, Component::Payload, payload.info())?;

        let deletions = Deletions::new(rows);
        if let Some(path) = path(Component::Tombstones) {
            let (tombstones, info) = tombstone::read(&**disk, &path)?;
            check_rows(&path, tombstones.rows)?;
            check_meant(&path, Component::Tombstones, info)?;
            if tombstones.segment_id != record.id {
                let what = format!("it was written for segment {}", tombstones.segment_id);
                return Err(Error::Damaged {
                    file: disk.display(&path),
                    what,
                });
            }
            for row in &tombstones.deleted {
                deletions.mark(row, 0);
            }
        }

        let mut columns: Vec<Option<Column>> = vec![None; schema.slots()];
        for (slot, vector) in schema.vectors() {
            let number = slot as u16;
            let component = vector.kind.component(number);
            let Some(path_of_vectors) = path(component) else {
                continue;
            };
            let derived = vector.kind.derived(number);
            let path_of_derived = derived.and_then(path);
            let is_derived = |found: FrameInfo| derived.is_some_and(|derived| is_meant(derived, found));
            let mut column = Column::open(
                disk,
                &path_of_vectors,
                &vector.kind,
                path_of_derived.as_deref(),
                &is_derived,
            )?;
            check_rows(&path_of_vectors, column.segment_rows())?;
            check_meant(&path_of_vectors, component, column.info())?;
            let partitions = Component::Partitions(number);
            if let Some(path) = path(partitions) {
                column.open_partitions(disk, &path, &|found| is_meant(partitions, found));
            }
            if let Some(place) = columns.get_mut(slot) {
                *place = Some(column);
            }
        }
        let indexes = schema.payload_indexes.iter().filter_map(|index| {
            let component = Component::PayloadIndex(index.number);
            let file = PostingsFile::open(&**disk, &path(component)?, rows).ok()?;
            let fingerprint = file.text_info().map(|info| info.fingerprint);
            let fits = file.kind() == index.params.kind && fingerprint == index.fingerprint();
            (fits && is_meant(component, file.info())).then(|| (index.number, Arc::new(file)))
        });
        let indexes = indexes.collect();
        let column_files = columns.iter().map(|_| Files::new(disk)).collect();
        let presence = columns.iter().map(|_| OnceLock::new()).collect();
        let files = Files::new(disk);
        Ok(Segment {
            record,
            points,
            payload,
            deletions: Arc::new(deletions),
            columns,
            presence,
            column_files,
            indexes,
            indexes_damaged: AtomicBool::new(false),
            told: AtomicBool::new(false),
            damaged: Arc::default(),
            dir: dir.to_owned(),
            files,
        })
    }

    /// The same segment with other derived files: data and marks are shared.
    pub(crate) fn reopen(
        &self,
        disk: &DynDisk,
        dir: &str,
        schema: &Schema,
        record: SegmentRecord,
    ) -> Result<Segment> {
        let fresh = Segment::open(disk, dir, schema, record)?;
        for (slot, old) in (0u16..).zip(&self.columns) {
            let revisions = |segment: &Segment| {
                [Component::Graph(slot), Component::SparseIndex(slot)]
                    .map(|component| Some(segment.record.component(component)?.revision))
            };
            if let (Some(old), Some(Some(new))) = (old, fresh.columns.get(usize::from(slot)))
                && old.is_damaged()
                && revisions(self) == revisions(&fresh)
            {
                new.set_damaged();
            }
            let partitions = |segment: &Segment| {
                let component = segment.record.component(Component::Partitions(slot));
                component.map(|component| component.revision)
            };
            if let (Some(Column::Dense(old)), Some(Some(Column::Dense(new)))) =
                (old, fresh.columns.get(usize::from(slot)))
                && old.has_damaged_partitions()
                && partitions(self) == partitions(&fresh)
            {
                new.set_partitions_damaged();
            }
        }
        // A column that the record no longer names is not held any longer.
        let mut column_files = fresh.column_files.clone();
        for ((held, column), before) in column_files
            .iter_mut()
            .zip(&fresh.columns)
            .zip(&self.column_files)
        {
            if column.is_some() {
                *held = before.clone();
            }
        }
        Ok(Segment {
            deletions: self.deletions.clone(),
            files: self.files.clone(),
            damaged: self.damaged.clone(),
            column_files,
            ..fresh
        })
    }

    /// The same segment without the payload indexes and vectors that its record no longer names.
    pub(crate) fn with_record(&self, record: SegmentRecord) -> Segment {
        let named = |number| record.component(Component::PayloadIndex(number)).is_some();
        let has_file = |slot: u16| {
            let components = [
                Component::Vectors(slot),
                Component::Sparse(slot),
                Component::Multi(slot),
            ];
            components
                .into_iter()
                .any(|component| record.component(component).is_some())
        };
        let columns = (0u16..).zip(&self.columns);
        let columns: Vec<Option<Column>> = columns
            .map(|(slot, column)| column.clone().filter(|_| has_file(slot)))
            .collect();
        let held = columns.iter().zip(&self.column_files);
        let column_files = held.map(|(column, files)| match column {
            Some(_) => files.clone(),
            None => Files::new(&self.files.disk),
        });
        Segment {
            points: self.points.clone(),
            payload: self.payload.clone(),
            deletions: self.deletions.clone(),
            column_files: column_files.collect(),
            presence: columns.iter().map(|_| OnceLock::new()).collect(),
            columns,
            indexes: self
                .indexes
                .iter()
                .filter(|(number, _)| named(*number))
                .cloned()
                .collect(),
            indexes_damaged: AtomicBool::new(self.indexes_damaged.load(Ordering::Acquire)),
            told: AtomicBool::new(false),
            damaged: self.damaged.clone(),
            dir: self.dir.clone(),
            files: self.files.clone(),
            record,
        }
    }

    /// Names files that are to be removed once no reader holds the segment any more.
    pub(crate) fn retire(&self, paths: impl IntoIterator<Item = String>) {
        self.files.retired.lock().extend(paths);
    }

    /// Names the file of a slot's vectors, which is to be removed once nobody holds them any more: neither this version of the
    /// segment nor another one that has them.
    pub(crate) fn retire_vectors(&self, slot: u16, path: String) {
        match self.column_files.get(usize::from(slot)) {
            Some(files) => files.retired.lock().push(path),
            // Nobody can look into it.
            None => drop(self.files.disk.remove(&path)),
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
        SegmentLookup {
            segment: self,
            schema,
        }
    }
}

/// The ids and payload indexes of a segment.
pub(crate) struct SegmentLookup<'a> {
    segment: &'a Segment,
    schema: &'a Schema,
}

impl IndexLookup for SegmentLookup<'_> {
    fn rows(&self) -> u32 {
        self.segment.rows()
    }

    fn postings(&self, path: &str) -> Option<&PostingsFile> {
        let index = self
            .schema
            .payload_indexes
            .iter()
            .find(|index| index.path == path)?;
        self.segment.index(index.number)
    }

    fn row_of(&self, id: &PointId) -> Option<u32> {
        self.segment.points.find(*id)
    }

    fn rows_with_vector(&self, name: &str) -> Option<RowSet> {
        let slot = self.schema.slot(name);
        let presence = slot.and_then(|slot| self.segment.presence(slot));
        Some(presence.map_or_else(RowSet::new, |bits| RowSet::Bits(bits.clone())))
    }

    fn count_with_vector(&self, name: &str) -> Option<u64> {
        let slot = self.schema.slot(name);
        Some(slot.map_or(0, |slot| self.segment.rows_with_vector(slot).into()))
    }

    fn rows_in_slice(&self, slice: Slice) -> Option<RowSet> {
        let points = &self.segment.points;
        Some(slice.rows_among(points.numbers(), points.uuids()))
    }
}

#[cfg(test)]
mod tests;
