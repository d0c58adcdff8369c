//! An open segment: immutable files and the marks of what has died in them.

mod sound;

use std::sync::Arc;

use vdb_index::RowSet;
use vdb_index::hnsw::GraphFile;
use vdb_index::postings::PostingsFile;
use vdb_index::sparse::SparseIndex;
use vdb_storage::manifest::SegmentRecord;
use vdb_storage::multi::MultiReader;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::sparse::SparseReader;
use vdb_storage::vectors::VectorsReader;
use vdb_storage::{Component, PointId, SegmentFile, tombstone};
use vdb_sys::element::Element;
use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::{AtomicBool, Ordering};
use vdb_vfs::DynDisk;
use vdb_vfs::frame::FrameInfo;

use crate::deletions::Deletions;
use crate::error::{Error, Result};
use crate::filter::IndexLookup;
use crate::paging::Waits;
use crate::schema::{DenseSchema, Schema, VectorKind};

/// Removes files once nobody looks into them.
#[derive(Debug)]
struct Files {
    disk: DynDisk,
    retired: Mutex<Vec<String>>,
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in self.retired.lock().drain(..) {
            // What cannot be removed now is removed at the next open: no manifest names it.
            let _ = self.disk.remove(&path);
        }
    }
}

/// The vectors of one name, and the graph over them if there is one.
#[derive(Clone, Debug)]
pub(crate) struct SegmentVectors {
    pub(crate) file: Arc<VectorsReader>,
    graph: Option<Arc<GraphFile>>,
    pub(crate) waits: Arc<Waits>,
    /// A walk met a link that leads nowhere: the graph is not used and gets rebuilt.
    damaged: Arc<AtomicBool>,
}

impl SegmentVectors {
    /// The graph, unless it is missing or damaged.
    pub(crate) fn graph(&self) -> Option<&GraphFile> {
        self.graph
            .as_deref()
            .filter(|_| !self.damaged.load(Ordering::Acquire))
    }

    /// Keeps searches from the graph until it has been rebuilt.
    pub(crate) fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Release);
    }
}

/// The sparse vectors of one name, and the inverted index over them if there is one.
#[derive(Clone, Debug)]
pub(crate) struct SegmentSparse {
    pub(crate) file: Arc<SparseReader>,
    index: Option<Arc<SparseIndex>>,
    /// The index turned out damaged when it was searched: it is not used and gets rebuilt.
    damaged: Arc<AtomicBool>,
}

impl SegmentSparse {
    /// The index, unless it is missing or damaged.
    pub(crate) fn index(&self) -> Option<&SparseIndex> {
        self.index
            .as_deref()
            .filter(|_| !self.damaged.load(Ordering::Acquire))
    }

    /// Keeps searches from the index until it has been rebuilt.
    pub(crate) fn set_damaged(&self) {
        self.damaged.store(true, Ordering::Release);
    }
}

/// The vectors of one name, of whichever kind.
#[derive(Clone, Debug)]
enum Column {
    Dense(SegmentVectors),
    Sparse(SegmentSparse),
    Multi(Arc<MultiReader>),
}

impl Column {
    /// The mark of its derived file, if it may have one.
    fn damaged(&self) -> Option<&AtomicBool> {
        match self {
            Column::Dense(vectors) => Some(&vectors.damaged),
            Column::Sparse(sparse) => Some(&sparse.damaged),
            Column::Multi(_) => None,
        }
    }

    fn is_damaged(&self) -> bool {
        self.damaged().is_some_and(|mark| mark.load(Ordering::Acquire))
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

        let check_shape = |path: &str, vector: &DenseSchema, dim: u32, element: Element| {
            if dim as usize == vector.params.size && element == vector.params.element {
                return Ok(());
            }
            let what = format!("it holds vectors of {dim} x {element:?}");
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };
        let mut columns: Vec<Option<Column>> = vec![None; schema.slots()];
        for (slot, vector) in schema.vectors() {
            let number = slot as u16;
            let component = vector.kind.component(number);
            let Some(path_of_vectors) = path(component) else {
                continue;
            };
            let column = match &vector.kind {
                VectorKind::Dense(vector) => {
                    let mut file = VectorsReader::open(&**disk, &path_of_vectors)?;
                    check_rows(&path_of_vectors, file.rows())?;
                    check_meant(&path_of_vectors, component, file.info())?;
                    check_shape(&path_of_vectors, vector, file.dim(), file.element())?;
                    let graph = path(Component::Graph(number)).and_then(|path| {
                        GraphFile::open(&**disk, &path, file.len(), vector.params.size, &vector.kernel)
                            .ok()
                            .filter(|graph| is_meant(Component::Graph(number), graph.info()))
                            .map(Arc::new)
                    });
                    if graph.is_some() {
                        // A walk scores a few vectors here and there, and is not to wait for what lies beside them. Without
                        // the second mapping, where the system gives no more of them, it does.
                        let _ = file.map_scattered(&**disk, &path_of_vectors);
                    }
                    Column::Dense(SegmentVectors {
                        file: Arc::new(file),
                        graph,
                        waits: Arc::default(),
                        damaged: Arc::default(),
                    })
                }
                VectorKind::Sparse(_) => {
                    let file = SparseReader::open(&**disk, &path_of_vectors)?;
                    check_rows(&path_of_vectors, file.rows())?;
                    check_meant(&path_of_vectors, component, file.info())?;
                    let index = path(Component::SparseIndex(number)).and_then(|path| {
                        SparseIndex::open(&**disk, &path, rows)
                            .ok()
                            .filter(|index| is_meant(Component::SparseIndex(number), index.info()))
                            .filter(|index| {
                                (index.rows_with_vector(), index.nonzeros()) == (file.len(), file.nonzeros())
                            })
                            .map(Arc::new)
                    });
                    Column::Sparse(SegmentSparse {
                        file: Arc::new(file),
                        index,
                        damaged: Arc::default(),
                    })
                }
                VectorKind::Multi(vector) => {
                    let file = MultiReader::open(&**disk, &path_of_vectors)?;
                    check_rows(&path_of_vectors, file.rows())?;
                    check_meant(&path_of_vectors, component, file.info())?;
                    check_shape(&path_of_vectors, vector, file.dim(), file.element())?;
                    Column::Multi(Arc::new(file))
                }
            };
            if let Some(place) = columns.get_mut(slot) {
                *place = Some(column);
            }
        }
        let indexes = schema.payload_indexes.iter().filter_map(|index| {
            let component = Component::PayloadIndex(index.number);
            let file = PostingsFile::open(&**disk, &path(component)?, rows).ok()?;
            is_meant(component, file.info()).then(|| (index.number, Arc::new(file)))
        });
        let indexes = indexes.collect();
        let files = Arc::new(Files {
            disk: disk.clone(),
            retired: Mutex::new(Vec::new()),
        });
        Ok(Segment {
            record,
            points,
            payload,
            deletions: Arc::new(deletions),
            columns,
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
                && let Some(mark) = new.damaged()
            {
                mark.store(true, Ordering::Release);
            }
        }
        Ok(Segment {
            deletions: self.deletions.clone(),
            files: self.files.clone(),
            damaged: self.damaged.clone(),
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
        let columns = columns.map(|(slot, column)| column.clone().filter(|_| has_file(slot)));
        Segment {
            points: self.points.clone(),
            payload: self.payload.clone(),
            deletions: self.deletions.clone(),
            columns: columns.collect(),
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

    /// The stored bytes of a row's vector.
    ///
    /// # Errors
    /// The file does not say where they are.
    pub(crate) fn vector(&self, slot: usize, row: u32) -> Result<Option<&[u8]>> {
        Ok(match self.column(slot) {
            None => None,
            Some(Column::Dense(vectors)) => vectors.file.vector_of(row),
            Some(Column::Sparse(sparse)) => sparse.file.stored(row)?,
            Some(Column::Multi(file)) => file.scattered(row)?,
        })
    }

    pub(crate) fn has_vector(&self, slot: usize, row: u32) -> bool {
        match self.column(slot) {
            None => false,
            Some(Column::Dense(vectors)) => vectors.file.slot_of(row).is_some(),
            Some(Column::Sparse(sparse)) => sparse.file.has(row),
            Some(Column::Multi(file)) => file.has(row),
        }
    }

    /// How many rows have a vector in a slot, dead ones included.
    pub(crate) fn rows_with_vector(&self, slot: usize) -> u32 {
        self.column(slot).map_or(0, |column| match column {
            Column::Dense(vectors) => vectors.file.len(),
            Column::Sparse(sparse) => sparse.file.len(),
            Column::Multi(file) => file.len(),
        })
    }

    /// Whether the vectors of a slot have a graph or an inverted index.
    pub(crate) fn is_indexed(&self, slot: usize) -> bool {
        match self.column(slot) {
            Some(Column::Dense(vectors)) => vectors.graph().is_some(),
            Some(Column::Sparse(sparse)) => sparse.index().is_some(),
            Some(Column::Multi(_)) | None => false,
        }
    }

    /// About how many bytes the vectors of a slot have.
    pub(crate) fn vector_bytes(&self, slot: usize) -> usize {
        self.column(slot).map_or(0, |column| match column {
            Column::Dense(vectors) => vectors.file.matrix().bytes().len(),
            Column::Sparse(sparse) => usize::try_from(sparse.file.nonzeros())
                .unwrap_or(usize::MAX)
                .saturating_mul(8),
            Column::Multi(file) => {
                let vectors = usize::try_from(file.vectors()).unwrap_or(usize::MAX);
                vectors.saturating_mul(file.dim() as usize * file.element().size())
            }
        })
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
            || self.columns.iter().flatten().any(Column::is_damaged);
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
        let (segment, rows) = (self.segment, self.segment.rows());
        let Some(slot) = self.schema.slot(name) else {
            return Some(RowSet::new());
        };
        if segment.rows_with_vector(slot) == rows {
            return Some(RowSet::all(rows));
        }
        if let Some(rows) = segment
            .vectors(slot)
            .and_then(|vectors| vectors.file.sparse_rows())
        {
            return Some(rows.iter().copied().collect());
        }
        Some((0..rows).filter(|&row| segment.has_vector(slot, row)).collect())
    }
}

#[cfg(test)]
mod tests;
