//! One file of a segment: every byte, what the bytes mean, and whether it is the file that the manifest names.

use vdb_index::hnsw::{GraphFile, PartitionsFile};
use vdb_index::multi;
use vdb_index::postings::PostingsFile;
use vdb_index::sparse::SparseIndex;
use vdb_storage::manifest::{CollectionManifest, ComponentRecord, SegmentRecord};
use vdb_storage::multi::MultiReader;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::sparse::SparseReader;
use vdb_storage::vectors::VectorsReader;
use vdb_storage::{Component, SegmentFile, tombstone};
use vdb_sys::element::Element;
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, MAX_META};

use crate::damage::describe;
use crate::error::{Error, Result};
use crate::schema::{DenseSchema, Schema, VectorKind};

/// What opening a file looks at through its mapping lies within this many bytes of its two ends: its table, its
/// meta, and a page for the prelude.
const ENDS: u64 = MAX_META as u64 + (256 << 10);

/// What a manifest says about a segment that its files cannot fulfil; none when it can be checked file by file.
pub(crate) fn contradiction(manifest: &CollectionManifest, segment: &SegmentRecord) -> Option<String> {
    let id = segment.id;
    let missing = [Component::Points, Component::Payload]
        .into_iter()
        .find(|c| segment.component(*c).is_none());
    if let Some(component) = missing {
        return Some(format!("segment {id} has no file of the kind {component:?}"));
    }
    if segment.max_seq > manifest.seq_floor {
        let (max, floor) = (segment.max_seq, manifest.seq_floor);
        return Some(format!(
            "segment {id} covers operation {max}, the collection only those up to {floor}"
        ));
    }
    None
}

/// The file that a record stands for.
pub(crate) fn file_of(segment: &SegmentRecord, record: &ComponentRecord) -> Option<SegmentFile> {
    Some(SegmentFile {
        segment: segment.id,
        component: record.component()?,
        revision: record.revision,
    })
}

/// Checks one file of a segment in the directory `dir`.
///
/// # Errors
/// The first thing that is wrong with it, and those of the disk.
pub(crate) fn check(
    disk: &dyn Disk,
    dir: &str,
    schema: &Schema,
    segment: &SegmentRecord,
    file: &SegmentFile,
    record: &ComponentRecord,
) -> Result<()> {
    let path = file.path(dir);
    let damaged = |what: String| Error::Damaged {
        file: disk.display(&path),
        what,
    };
    touch_ends(disk, &path)?;
    let rows = segment.rows;
    let (found_rows, info) = match file.component {
        Component::Points => points(disk, &path, segment)?,
        Component::Payload => {
            let payload = PayloadReader::open(disk, &path)?;
            payload.verify(disk)?;
            (payload.len(), payload.info())
        }
        Component::Tombstones => {
            let (tombstones, info) = tombstone::read(disk, &path)?;
            if tombstones.segment_id != segment.id {
                let (found, wanted) = (tombstones.segment_id, segment.id);
                return Err(damaged(format!(
                    "it belongs to segment {found}, expected {wanted}"
                )));
            }
            (tombstones.rows, info)
        }
        Component::Vectors(slot) => {
            let vectors = VectorsReader::open(disk, &path)?;
            vectors.verify(disk)?;
            check_shape(dense_of(schema, slot), (vectors.dim(), vectors.element())).map_err(damaged)?;
            (vectors.rows(), vectors.info())
        }
        Component::Multi(slot) => {
            let vectors = MultiReader::open(disk, &path)?;
            vectors.verify(disk)?;
            let multi = match schema.vector(usize::from(slot)).map(|vector| &vector.kind) {
                Some(VectorKind::Multi(dense)) => Some(dense),
                Some(VectorKind::Dense(_) | VectorKind::Sparse(_)) | None => None,
            };
            check_shape(multi, (vectors.dim(), vectors.element())).map_err(damaged)?;
            (vectors.rows(), vectors.info())
        }
        Component::Graph(slot) => {
            let Some(graph) = open_graph(disk, (dir, &path), schema, segment, slot)? else {
                return Err(damaged(format!("the segment has no vectors of number {slot}")));
            };
            check_graph(disk, &path, &graph)?;
            (rows, graph.info())
        }
        Component::Partitions(slot) => {
            let Some(of) = path_of(dir, segment, Component::Vectors(slot)) else {
                return Err(damaged(format!("the segment has no vectors of number {slot}")));
            };
            touch_ends(disk, &of)?;
            let vectors = VectorsReader::open(disk, &of)?.len();
            let partitions = PartitionsFile::open(disk, &path, vectors)?;
            partitions.verify(disk)?;
            (rows, partitions.info())
        }
        Component::Sparse(slot) => {
            let sparse = SparseReader::open(disk, &path)?;
            sparse.verify(disk)?;
            if !is_sparse(schema, slot) {
                return Err(damaged(
                    "it holds sparse vectors, which the schema does not ask for".to_owned(),
                ));
            }
            (sparse.rows(), sparse.info())
        }
        Component::SparseIndex(slot) => {
            let index = SparseIndex::open(disk, &path, rows)?;
            index.verify(disk)?;
            let component = Component::Sparse(slot);
            let Some(path) = path_of(dir, segment, component).filter(|_| is_sparse(schema, slot)) else {
                return Err(damaged(format!(
                    "the segment has no sparse vectors of number {slot}"
                )));
            };
            touch_ends(disk, &path)?;
            let vectors = SparseReader::open(disk, &path)?;
            let (found, wanted) = (
                (index.rows_with_vector(), index.nonzeros()),
                (vectors.len(), vectors.nonzeros()),
            );
            if found != wanted {
                return Err(damaged(format!(
                    "it is over {} vectors of {} values, the segment has {} of {}",
                    found.0, found.1, wanted.0, wanted.1
                )));
            }
            (index.rows(), index.info())
        }
        Component::PayloadIndex(number) => {
            let postings = PostingsFile::open(disk, &path, rows)?;
            postings.verify(disk)?;
            let index = schema.payload_indexes.iter().find(|index| index.number == number);
            if index.is_some_and(|index| index.params.kind != postings.kind()) {
                return Err(damaged(format!(
                    "it indexes {:?}, which the schema does not ask for",
                    postings.kind()
                )));
            }
            let tokens_of = postings.text_info().map(|info| info.fingerprint);
            if index.is_some_and(|index| index.fingerprint() != tokens_of) {
                return Err(damaged(
                    "its tokens were made by other settings than those of the schema".to_owned(),
                ));
            }
            postings.check()?;
            (postings.rows(), postings.info())
        }
    };
    if found_rows != rows {
        return Err(damaged(format!(
            "it has {found_rows} rows, the manifest says {rows}"
        )));
    }
    let FrameInfo { len, crc } = info;
    if (len, crc) != (record.len, record.crc) {
        let (wanted_len, wanted) = (record.len, record.crc);
        return Err(damaged(format!(
            "it has {len} bytes and the checksum {crc:08x}, the manifest names a file of {wanted_len} and {wanted:08x}"
        )));
    }
    Ok(())
}

fn points(disk: &dyn Disk, path: &str, segment: &SegmentRecord) -> Result<(u32, FrameInfo)> {
    let damaged = |what: String| Error::Damaged {
        file: disk.display(path),
        what,
    };
    let points = PointsReader::open(disk, path)?;
    points.verify(disk)?;
    let identity = points.identity();
    // The collection's number is not compared: a restored collection has another one than its files were written for.
    let found = (identity.segment_id, identity.min_seq, identity.max_seq);
    let wanted = (segment.id, segment.min_seq, segment.max_seq);
    if found != wanted {
        return Err(damaged(format!(
            "it says segment {}, operations {} to {}; the manifest says segment {}, operations {} to {}",
            found.0, found.1, found.2, wanted.0, wanted.1, wanted.2
        )));
    }
    let covered = segment.min_seq..=segment.max_seq;
    if let Some((row, id, version)) = points
        .iter_from(0)
        .find(|(_, _, version)| !covered.contains(version))
    {
        return Err(damaged(format!(
            "point {id} of row {row} has version {version}, expected {} to {}",
            segment.min_seq, segment.max_seq
        )));
    }
    Ok((points.len(), points.info()))
}

/// What the schema says of the plain dense vectors of a slot.
fn dense_of(schema: &Schema, slot: u16) -> Option<&DenseSchema> {
    schema.dense(usize::from(slot))
}

fn is_sparse(schema: &Schema, slot: u16) -> bool {
    let vector = schema.vector(usize::from(slot));
    vector.is_some_and(|vector| matches!(vector.kind, VectorKind::Sparse(_)))
}

/// Whether vectors are what the schema asks for; what they are where they are not.
fn check_shape(asked: Option<&DenseSchema>, (dim, element): (u32, Element)) -> Result<(), String> {
    if asked.is_some_and(|v| v.params.size == dim as usize && v.params.element == element) {
        return Ok(());
    }
    Err(format!(
        "it holds {dim} x {element:?}, which the schema does not ask for"
    ))
}

/// Where a segment has a component.
fn path_of(dir: &str, segment: &SegmentRecord, component: Component) -> Option<String> {
    let revision = segment.component(component)?.revision;
    let file = SegmentFile {
        segment: segment.id,
        component,
        revision,
    };
    Some(file.path(dir))
}

/// The graph at `path` over the vectors or multivectors of a slot; `None` when the segment has none, or they have no graphs.
fn open_graph(
    disk: &dyn Disk,
    (dir, path): (&str, &str),
    schema: &Schema,
    segment: &SegmentRecord,
    slot: u16,
) -> Result<Option<GraphFile>> {
    let Some(vector) = schema.vector(usize::from(slot)) else {
        return Ok(None);
    };
    let Some(of) = path_of(dir, segment, vector.kind.component(slot)) else {
        return Ok(None);
    };
    touch_ends(disk, &of)?;
    Ok(match &vector.kind {
        VectorKind::Dense(dense) => {
            let (rows, dim) = (VectorsReader::open(disk, &of)?.len(), dense.params.size);
            Some(GraphFile::open(disk, path, rows, dim, &dense.kernel)?)
        }
        VectorKind::Multi(dense) => match &dense.encoder {
            Some(encoder) => {
                let rows = MultiReader::open(disk, &of)?.len();
                Some(multi::open(disk, path, rows, encoder.coordinates())?)
            }
            None => None,
        },
        VectorKind::Sparse(_) => None,
    })
}

fn check_graph(disk: &dyn Disk, path: &str, graph: &GraphFile) -> Result<()> {
    graph.verify(disk)?;
    let report = graph.view().check();
    if report.is_sound() {
        return Ok(());
    }
    let what = format!("its checksums fit, its links do not: {report:?}");
    Err(Error::Damaged {
        file: disk.display(path),
        what,
    })
}

/// Reads what opening the file will look at through its mapping.
fn touch_ends(disk: &dyn Disk, path: &str) -> Result<()> {
    let file = disk.open(path, false)?;
    let len = file.len()?;
    let mut buf = vec![0; ENDS.min(len) as usize];
    file.read_at(&mut buf, 0)?;
    file.read_at(&mut buf, len.saturating_sub(ENDS))?;
    Ok(())
}

/// The same error about a file in `real`, where it is about one in `shown`, a copy of it that will soon be gone.
pub(crate) fn moved(error: Error, shown: &str, real: &str) -> Error {
    if let Error::Disk(vdb_vfs::Error::Version {
        path,
        kind,
        found,
        min,
        max,
    })
    | Error::Storage(vdb_storage::Error::Disk(vdb_vfs::Error::Version {
        path,
        kind,
        found,
        min,
        max,
    })) = error
    {
        let path = path
            .strip_prefix(shown)
            .map_or_else(|| path.clone(), |rest| format!("{real}{rest}"));
        return Error::Disk(vdb_vfs::Error::Version {
            path,
            kind,
            found,
            min,
            max,
        });
    }
    let (path, offset, what) = describe(&error);
    let Some(rest) = path.as_deref().and_then(|path| path.strip_prefix(shown)) else {
        return error;
    };
    let at = offset.map_or_else(String::new, |offset| format!(" at offset {offset}"));
    Error::Damaged {
        file: format!("{real}{rest}"),
        what: format!("{what}{at}"),
    }
}
