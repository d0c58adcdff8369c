//! Inverted indexes over the sparse vectors of a segment.

use std::cell::RefCell;

use vdb_index::Control;
use vdb_index::sparse::{self, MAX_POSTINGS};
use vdb_storage::manifest::SegmentRecord;
use vdb_storage::sparse::SparseReader;
use vdb_storage::{Component, SegmentFile};
use vdb_vfs::Disk;
use vdb_vfs::frame::FrameInfo;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::fresh::FreshFiles;
use crate::schema::Schema;
use crate::segment::Segment;
use crate::shared::Shared;

/// The slots whose sparse vectors are many enough for an index that is not there. More values than an index can number are
/// scanned.
pub(super) fn missing<'a>(schema: &'a Schema, segment: &'a Segment) -> impl Iterator<Item = usize> + 'a {
    schema.vectors().map(|(slot, _)| slot).filter(move |&slot| {
        segment.sparse(slot).is_some_and(|vectors| {
            let rows = vectors.file.len();
            let mean = segment.vector_bytes(slot) / (rows as usize).max(1);
            let least = schema.optimizer.index_min_rows(mean);
            least.is_some_and(|least| rows >= least.max(1))
                && vectors.file.nonzeros() <= MAX_POSTINGS
                && vectors.index().is_none()
        })
    })
}

/// Makes the inverted indexes that a segment lacks on `pool`, and adds them to its record by `add`.
pub(super) fn write_missing(
    shared: &Shared,
    core: &Core,
    (schema, segment): (&Schema, &Segment),
    fresh: &FreshFiles<'_>,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
    mut add: impl FnMut(SegmentFile, FrameInfo),
) -> Result<()> {
    for slot in missing(schema, segment) {
        let Some(vectors) = segment.sparse(slot) else {
            continue;
        };
        let file = next_file(&segment.record, Component::SparseIndex(slot as u16));
        let path = fresh.adopt(file.path(&core.dir));
        let info = write(&*shared.disk, &path, &vectors.file, pool, control)?;
        add(file, info);
    }
    Ok(())
}

fn write(
    disk: &dyn Disk,
    path: &str,
    vectors: &SparseReader,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<FrameInfo> {
    // The index knows nothing of the errors of files that are not its own.
    let failure: RefCell<Option<vdb_storage::Error>> = RefCell::default();
    let each = || {
        vectors.iter().map(|found| {
            found.map_err(|error| {
                *failure.borrow_mut() = Some(error);
                vdb_index::Error::Cancelled
            })
        })
    };
    let written = sparse::write(disk, path, vectors.rows(), each, pool, control);
    match failure.into_inner() {
        Some(error) => Err(error.into()),
        None => written.map_err(Error::from),
    }
}

/// The next file of a component; a damaged one may stand under the number before.
pub(super) fn next_file(record: &SegmentRecord, component: Component) -> SegmentFile {
    let revision = record.component(component).map_or(0, |old| old.revision + 1);
    SegmentFile {
        segment: record.id,
        component,
        revision,
    }
}

#[cfg(test)]
mod tests;
