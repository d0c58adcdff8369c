//! One file of a segment: every byte, what the bytes mean, and whether it is the file that the manifest names.

use vdb_index::hnsw::GraphFile;
use vdb_index::postings::{Class, PostingsFile};
use vdb_index::sparse::SparseIndex;
use vdb_storage::manifest::{CollectionManifest, ComponentRecord, SegmentRecord};
use vdb_storage::multi::MultiReader;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::sparse::SparseReader;
use vdb_storage::vectors::VectorsReader;
use vdb_storage::{Component, SegmentFile, tombstone};
use vdb_vfs::Disk;
use vdb_vfs::frame::{FrameInfo, MAX_META};

use crate::damage::describe;
use crate::error::{Error, Result};
use crate::schema::{Schema, VectorSchema};

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
            let params = schema.vectors.get(usize::from(slot)).map(|v| &v.params);
            if params.is_none_or(|p| p.size != vectors.dim() as usize || p.element != vectors.element()) {
                let (dim, element) = (vectors.dim(), vectors.element());
                return Err(damaged(format!(
                    "it holds {dim} x {element:?}, which the schema does not ask for"
                )));
            }
            (vectors.rows(), vectors.info())
        }
        Component::Graph(slot) => {
            let Some((vectors, schema)) = vectors_of(disk, dir, schema, segment, slot)? else {
                return Err(damaged(format!("the segment has no vectors of number {slot}")));
            };
            (rows, graph(disk, &path, vectors, schema)?)
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
            for class in [
                Class::Present,
                Class::Multiple,
                Class::Foreign,
                Class::Null,
                Class::Filled,
            ] {
                postings.class(class)?;
            }
            (postings.rows(), postings.info())
        }
        Component::Sparse(_) => {
            let sparse = SparseReader::open(disk, &path)?;
            sparse.verify(disk)?;
            (sparse.rows(), sparse.info())
        }
        Component::SparseIndex(_) => {
            let index = SparseIndex::open(disk, &path, rows)?;
            index.verify(disk)?;
            (index.rows(), index.info())
        }
        Component::Multi(_) => {
            let multi = MultiReader::open(disk, &path)?;
            multi.verify(disk)?;
            (multi.rows(), multi.info())
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

/// How many vectors of a slot a segment has, and what they are; `None` when it has none.
fn vectors_of<'a>(
    disk: &dyn Disk,
    dir: &str,
    schema: &'a Schema,
    segment: &SegmentRecord,
    slot: u16,
) -> Result<Option<(u32, &'a VectorSchema)>> {
    let component = Component::Vectors(slot);
    let Some(record) = segment.component(component) else {
        return Ok(None);
    };
    let Some(vector) = schema.vectors.get(usize::from(slot)) else {
        return Ok(None);
    };
    let path = SegmentFile {
        segment: segment.id,
        component,
        revision: record.revision,
    }
    .path(dir);
    touch_ends(disk, &path)?;
    Ok(Some((VectorsReader::open(disk, &path)?.len(), vector)))
}

fn graph(disk: &dyn Disk, path: &str, vectors: u32, schema: &VectorSchema) -> Result<FrameInfo> {
    let graph = GraphFile::open(disk, path, vectors, schema.params.size, &schema.kernel)?;
    graph.verify(disk)?;
    let report = graph.view().check();
    if !report.is_sound() {
        let what = format!("its checksums fit, its links do not: {report:?}");
        return Err(Error::Damaged {
            file: disk.display(path),
            what,
        });
    }
    Ok(graph.info())
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
