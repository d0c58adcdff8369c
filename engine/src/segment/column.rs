//! The vectors of one name in a segment, of whichever kind, and what was derived from them.

use std::sync::Arc;

use vdb_index::RowBits;
use vdb_index::hnsw::{GraphFile, PartitionsFile};
use vdb_index::sparse::SparseIndex;
use vdb_storage::multi::MultiReader;
use vdb_storage::sparse::SparseReader;
use vdb_storage::vectors::VectorsReader;
use vdb_sys::element::Element;
use vdb_vfs::DynDisk;
use vdb_vfs::frame::FrameInfo;

use crate::error::{Error, Result};
use crate::paging::Waits;
use crate::schema::{DenseSchema, VectorKind};
use crate::segment::derived::Derived;
use crate::segment::multi::SegmentMulti;

/// The vectors of one name, and the graph over them if there is one.
#[derive(Clone, Debug)]
pub(crate) struct SegmentVectors {
    pub(crate) file: Arc<VectorsReader>,
    graph: Derived<GraphFile>,
    pub(crate) waits: Arc<Waits>,
    /// Graphs among the rows of payload values.
    partitions: Derived<PartitionsFile>,
}

impl SegmentVectors {
    /// The graph, unless it is missing or damaged.
    pub(crate) fn graph(&self) -> Option<&GraphFile> {
        self.graph.get()
    }

    /// Keeps searches from the graph until it has been rebuilt.
    pub(crate) fn set_damaged(&self) {
        self.graph.set_damaged();
    }

    /// The graphs among the rows of payload values, unless they are missing or damaged.
    pub(crate) fn partitions(&self) -> Option<&PartitionsFile> {
        self.partitions.get()
    }

    /// Keeps searches from those until they have been rebuilt.
    pub(crate) fn set_partitions_damaged(&self) {
        self.partitions.set_damaged();
    }

    pub(super) fn has_damaged_partitions(&self) -> bool {
        self.partitions.is_damaged()
    }
}

/// The sparse vectors of one name, and the inverted index over them if there is one.
#[derive(Clone, Debug)]
pub(crate) struct SegmentSparse {
    pub(crate) file: Arc<SparseReader>,
    index: Derived<SparseIndex>,
}

impl SegmentSparse {
    /// The index, unless it is missing or damaged.
    pub(crate) fn index(&self) -> Option<&SparseIndex> {
        self.index.get()
    }

    /// Keeps searches from the index until it has been rebuilt.
    pub(crate) fn set_damaged(&self) {
        self.index.set_damaged();
    }
}

/// The vectors of one name, of whichever kind.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Dense(SegmentVectors),
    Sparse(SegmentSparse),
    Multi(SegmentMulti),
}

impl Column {
    /// Opens the file at `path`, and the one derived from it where that can be used and `is_derived` says that it is the one that
    /// is meant.
    pub(super) fn open(
        disk: &DynDisk,
        path: &str,
        kind: &VectorKind,
        derived: Option<&str>,
        is_derived: &dyn Fn(FrameInfo) -> bool,
    ) -> Result<Column> {
        let check_shape = |vector: &DenseSchema, dim: u32, element: Element| {
            if dim as usize == vector.params.size && element == vector.params.element {
                return Ok(());
            }
            let what = format!("it holds vectors of {dim} x {element:?}");
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };
        Ok(match kind {
            VectorKind::Dense(vector) => {
                let mut file = VectorsReader::open(&**disk, path)?;
                check_shape(vector, file.dim(), file.element())?;
                let graph = derived.and_then(|path| {
                    GraphFile::open(&**disk, path, file.len(), vector.params.size, &vector.kernel)
                        .ok()
                        .filter(|graph| is_derived(graph.info()))
                });
                if graph.is_some() {
                    // A walk scores a few vectors here and there, and is not to wait for what lies beside them. Without the
                    // second mapping, where the system gives no more of them, it does.
                    let _ = file.map_scattered(&**disk, path);
                }
                Column::Dense(SegmentVectors {
                    file: Arc::new(file),
                    graph: Derived::new(graph),
                    waits: Arc::default(),
                    partitions: Derived::new(None),
                })
            }
            VectorKind::Sparse(_) => {
                let file = SparseReader::open(&**disk, path)?;
                let is_over = |index: &SparseIndex| {
                    (index.rows_with_vector(), index.nonzeros()) == (file.len(), file.nonzeros())
                };
                let index = derived.and_then(|path| {
                    SparseIndex::open(&**disk, path, file.rows())
                        .ok()
                        .filter(|index| is_derived(index.info()) && is_over(index))
                });
                Column::Sparse(SegmentSparse {
                    index: Derived::new(index),
                    file: Arc::new(file),
                })
            }
            VectorKind::Multi(vector) => {
                let file = MultiReader::open(&**disk, path)?;
                check_shape(vector, file.dim(), file.element())?;
                Column::Multi(SegmentMulti::new(disk, (path, file), vector, derived, is_derived))
            }
        })
    }

    /// Opens the graphs among the rows of payload values at `path`, where they can be used and `is_meant` says that the file is the
    /// one that is meant.
    pub(super) fn open_partitions(
        &mut self,
        disk: &DynDisk,
        path: &str,
        is_meant: &dyn Fn(FrameInfo) -> bool,
    ) {
        if let Column::Dense(vectors) = self {
            let file = PartitionsFile::open(&**disk, path, vectors.file.len()).ok();
            vectors.partitions = Derived::new(file.filter(|partitions| is_meant(partitions.info())));
        }
    }

    /// Length and checksum of the file.
    pub(super) fn info(&self) -> FrameInfo {
        match self {
            Column::Dense(vectors) => vectors.file.info(),
            Column::Sparse(sparse) => sparse.file.info(),
            Column::Multi(multi) => multi.file.info(),
        }
    }

    /// Rows of the segment, those without a vector included.
    pub(super) fn segment_rows(&self) -> u32 {
        match self {
            Column::Dense(vectors) => vectors.file.rows(),
            Column::Sparse(sparse) => sparse.file.rows(),
            Column::Multi(multi) => multi.file.rows(),
        }
    }

    /// Rows that have a vector.
    pub(super) fn len(&self) -> u32 {
        match self {
            Column::Dense(vectors) => vectors.file.len(),
            Column::Sparse(sparse) => sparse.file.len(),
            Column::Multi(multi) => multi.file.len(),
        }
    }

    /// About how many bytes the vectors have.
    pub(super) fn bytes(&self) -> usize {
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        match self {
            Column::Dense(vectors) => vectors.file.matrix().bytes().len(),
            Column::Sparse(sparse) => count(sparse.file.nonzeros()).saturating_mul(2 * size_of::<u32>()),
            Column::Multi(SegmentMulti { file, .. }) => {
                count(file.vectors()).saturating_mul(file.dim() as usize * file.element().size())
            }
        }
    }

    pub(super) fn is_indexed(&self) -> bool {
        match self {
            Column::Dense(vectors) => vectors.graph().is_some(),
            Column::Sparse(sparse) => sparse.index().is_some(),
            Column::Multi(multi) => multi.graph().is_some(),
        }
    }

    pub(super) fn vector(&self, row: u32) -> Result<Option<&[u8]>> {
        Ok(match self {
            Column::Dense(vectors) => vectors.file.vector_of(row),
            Column::Sparse(sparse) => sparse.file.stored(row)?,
            Column::Multi(multi) => multi.file.get(row)?,
        })
    }

    /// As [`vector`](Self::vector), compared with its checksums.
    pub(super) fn checked_vector(&self, row: u32) -> Result<Option<&[u8]>> {
        Ok(match self {
            Column::Dense(vectors) => vectors.file.checked(row)?,
            Column::Sparse(sparse) => sparse.file.checked(row)?,
            Column::Multi(multi) => multi.file.checked(row)?,
        })
    }

    pub(super) fn has_vector(&self, row: u32) -> bool {
        match self {
            Column::Dense(vectors) => vectors.file.slot_of(row).is_some(),
            Column::Sparse(sparse) => sparse.file.has(row),
            Column::Multi(multi) => multi.file.has(row),
        }
    }

    /// The rows that have a vector.
    pub(super) fn presence(&self) -> RowBits {
        let rows = self.segment_rows();
        match self {
            Column::Dense(vectors) => match vectors.file.sparse_rows() {
                Some(with) => RowBits::from_rows(rows, with.iter().copied()),
                None => RowBits::full(rows),
            },
            Column::Sparse(sparse) => RowBits::from_words(rows, sparse.file.presence()),
            Column::Multi(multi) => RowBits::from_rows(rows, (0..rows).filter(|&row| multi.file.has(row))),
        }
    }

    /// Keeps searches from what is derived of it until it has been rebuilt.
    pub(super) fn set_damaged(&self) {
        match self {
            Column::Dense(vectors) => vectors.set_damaged(),
            Column::Sparse(sparse) => sparse.set_damaged(),
            Column::Multi(multi) => multi.set_damaged(),
        }
    }

    pub(super) fn is_damaged(&self) -> bool {
        match self {
            Column::Dense(vectors) => vectors.graph.is_damaged(),
            Column::Sparse(sparse) => sparse.index.is_damaged(),
            Column::Multi(multi) => multi.has_damaged_graph(),
        }
    }

    /// The graph, unless it is missing or damaged.
    pub(super) fn graph(&self) -> Option<&GraphFile> {
        match self {
            Column::Dense(vectors) => vectors.graph(),
            Column::Multi(multi) => multi.graph(),
            Column::Sparse(_) => None,
        }
    }

    /// The row of what is at a place of the graph.
    pub(super) fn row_of(&self, place: u32) -> Option<u32> {
        match self {
            Column::Dense(vectors) => vectors.file.row_of(place),
            Column::Multi(multi) => multi.row_of(place),
            Column::Sparse(_) => None,
        }
    }

    /// The place of a row in the graph.
    pub(super) fn place_of(&self, row: u32) -> Option<u32> {
        match self {
            Column::Dense(vectors) => vectors.file.slot_of(row),
            Column::Multi(multi) => multi.slot_of(row),
            Column::Sparse(_) => None,
        }
    }

    /// True when a derived file turned out damaged.
    pub(super) fn wants_mending(&self) -> bool {
        let partitions = matches!(self, Column::Dense(vectors) if vectors.has_damaged_partitions());
        partitions || self.is_damaged()
    }
}
