//! Rows in the order of their ids become the files of a segment.

use vdb_index::Control;
use vdb_storage::manifest::{ComponentRecord, SegmentRecord};
use vdb_storage::multi::MultiWriter;
use vdb_storage::payload::PayloadWriter;
use vdb_storage::points::{PointsWriter, SegmentIdentity};
use vdb_storage::sparse::SparseWriter;
use vdb_storage::vectors::VectorsWriter;
use vdb_storage::{Component, PointId, SegmentFile};
use vdb_sys::sync::atomic::Ordering;
use vdb_vfs::Disk;
use vdb_vfs::frame::FrameInfo;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::derive::write_payload_index;
use crate::maintenance::fresh::FreshFiles;
use crate::schema::{DenseSchema, Schema, VectorKind, VectorSchema};
use crate::segment::Segment;
use crate::shared::Shared;
use crate::vectors::with_sparse;

/// Where the rows of a new segment come from, ascending by id.
pub(crate) trait Source {
    fn rows(&self) -> u32;
    fn id(&self, row: u32) -> Option<PointId>;
    fn version(&self, row: u32) -> u64;
    fn payload(&self, row: u32) -> Result<&[u8]>;
    /// In its stored form.
    fn vector(&self, row: u32, slot: usize) -> Result<Option<&[u8]>>;
}

/// Writes, syncs and opens the primary files and the payload indexes of a collection's next segment. The directory is
/// synced by the commit; until then they are in the charge of `fresh`.
pub(crate) fn write_segment(
    shared: &Shared,
    core: &Core,
    schema: &Schema,
    source: &dyn Source,
    fresh: &FreshFiles<'_>,
) -> Result<Segment> {
    let (disk, dir) = (&*shared.disk, &*core.dir);
    let segment_id = core.next_segment.fetch_add(1, Ordering::AcqRel);
    let rows = source.rows();
    let versions = || (0..rows).map(|row| source.version(row));
    let (min_seq, max_seq) = (versions().min().unwrap_or(0), versions().max().unwrap_or(0));
    let mut components = Vec::new();
    let file = |component| SegmentFile::new(segment_id, component);

    let points = file(Component::Points);
    let identity = SegmentIdentity {
        collection_id: core.id,
        segment_id,
        min_seq,
        max_seq,
        schema: schema.to_record(),
    };
    let ids = (0..rows).filter_map(|row| Some((source.id(row)?, source.version(row))));
    components.push(ComponentRecord::new(
        &points,
        PointsWriter::write(disk, &fresh.adopt(points.path(dir)), identity, ids)?,
    ));

    let payload = file(Component::Payload);
    let mut writer = PayloadWriter::create(disk, &fresh.adopt(payload.path(dir)))?;
    for row in 0..rows {
        writer.push(source.payload(row)?)?;
    }
    components.push(ComponentRecord::new(&payload, writer.finish()?));

    for (slot, vector) in schema.vectors() {
        let vectors = file(vector.kind.component(slot as u16));
        let path = vectors.path(dir);
        if let Some(info) = write_vectors(disk, &path, vector, slot, source, fresh)? {
            components.push(ComponentRecord::new(&vectors, info));
        }
    }
    for index in &schema.payload_indexes {
        let postings = file(Component::PayloadIndex(index.number));
        let payload_of = |row: u32| source.payload(row);
        let path = fresh.adopt(postings.path(dir));
        let info = write_payload_index(disk, &path, index, rows, &payload_of, &Control::none())?;
        components.push(ComponentRecord::new(&postings, info));
    }
    let record = SegmentRecord {
        id: segment_id,
        rows,
        min_seq,
        max_seq,
        components,
    };
    Segment::open(&shared.disk, dir, schema, record)
}

/// Writes the vectors of a slot, if any row has one.
fn write_vectors(
    disk: &dyn Disk,
    path: &str,
    vector: &VectorSchema,
    slot: usize,
    source: &dyn Source,
    fresh: &FreshFiles<'_>,
) -> Result<Option<FrameInfo>> {
    let rows = source.rows();
    let mut first = 0;
    while first < rows && source.vector(first, slot)?.is_none() {
        first += 1;
    }
    if first == rows {
        return Ok(None);
    }
    let path = fresh.adopt(path.to_owned());
    let size = |dense: &DenseSchema| {
        u32::try_from(dense.params.size).map_err(|_| Error::InvalidRequest("vector size".into()))
    };
    let each = |push: &mut dyn FnMut(u32, &[u8]) -> Result<()>| {
        (first..rows).try_for_each(|row| source.vector(row, slot)?.map_or(Ok(()), |bytes| push(row, bytes)))
    };
    let info = match &vector.kind {
        VectorKind::Dense(dense) => {
            let mut writer = VectorsWriter::create(disk, &path, dense.params.element, size(dense)?)?;
            each(&mut |row, bytes| Ok(writer.push(row, bytes).map(drop)?))?;
            writer.finish(rows)?
        }
        VectorKind::Multi(dense) => {
            let mut writer = MultiWriter::create(disk, &path, dense.params.element, size(dense)?)?;
            each(&mut |row, bytes| Ok(writer.push(row, bytes)?))?;
            writer.finish(rows)?
        }
        VectorKind::Sparse(_) => {
            let mut writer = SparseWriter::create(disk, &path)?;
            each(&mut |row, bytes| {
                let pushed = with_sparse(bytes, |view| writer.push(row, view));
                Ok(pushed.unwrap_or_else(|| Err(writer.not_one(row)))?)
            })?;
            writer.finish(rows)?
        }
    };
    Ok(Some(info))
}
