//! Several segments become one, without their dead rows.

use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::PointId;
use vdb_wal::Lsn;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::commit::Commit;
use crate::maintenance::derive::{replace_component, write_graphs};
use crate::maintenance::fresh::FreshFiles;
use crate::maintenance::grown::{Origin, build_graph};
use crate::maintenance::sparse;
use crate::maintenance::write_segment::{Source, write_segment};
use crate::segment::Segment;
use crate::shared::Shared;

/// The rows of several segments that live on, ascending by id.
struct MergedRows<'a> {
    inputs: &'a [Arc<Segment>],
    /// Input and row in it.
    rows: Vec<(u32, u32)>,
}

impl<'a> MergedRows<'a> {
    /// Rows that died by `flushed` stay behind. Later deaths are still only in the log, and replaying it may need
    /// the rows that they ended.
    fn new(inputs: &'a [Arc<Segment>], flushed: Lsn, control: &Control<'_>) -> Result<Self> {
        let mut cursors: Vec<u32> = vec![0; inputs.len()];
        let mut heads = std::collections::BinaryHeap::new();
        let advance = |input: usize, from: u32| -> Result<Option<(PointId, u32)>> {
            let segment = &inputs[input];
            let Some(row) = (from..segment.rows()).find(|&row| segment.deletions.is_live(row, flushed))
            else {
                return Ok(None);
            };
            // Neither is missing in a segment that was opened; a row that is left out would be gone for good.
            match (segment.points.id(row), segment.points.version(row)) {
                (Some(id), Some(_)) => Ok(Some((id, row))),
                _ => Err(Error::Damaged {
                    file: format!("segment {}", segment.record.id),
                    what: format!("row {row} has no id or no version"),
                }),
            }
        };
        for (input, cursor) in cursors.iter_mut().enumerate() {
            if let Some((id, row)) = advance(input, 0)? {
                *cursor = row;
                heads.push(std::cmp::Reverse((id, input)));
            }
        }
        let mut rows = Vec::new();
        while let Some(std::cmp::Reverse((_, input))) = heads.pop() {
            if rows.len() % 65_536 == 0 && control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            rows.push((input as u32, cursors[input]));
            if let Some((id, row)) = advance(input, cursors[input] + 1)? {
                cursors[input] = row;
                heads.push(std::cmp::Reverse((id, input)));
            }
        }
        Ok(MergedRows { inputs, rows })
    }

    /// Where the rows of each input went.
    fn origins(&self) -> Vec<Origin> {
        let mut origins: Vec<Origin> = self.inputs.iter().cloned().map(Origin::new).collect();
        for (&(input, before), now) in self.rows.iter().zip(0..) {
            origins[input as usize].rows[before as usize] = now;
        }
        origins
    }

    fn at(&self, row: u32) -> Option<(&Segment, u32)> {
        let &(input, row) = self.rows.get(row as usize)?;
        Some((self.inputs.get(input as usize)?, row))
    }
}

impl Source for MergedRows<'_> {
    fn rows(&self) -> u32 {
        self.rows.len() as u32
    }

    fn id(&self, row: u32) -> Option<PointId> {
        let (segment, row) = self.at(row)?;
        segment.points.id(row)
    }

    fn version(&self, row: u32) -> u64 {
        self.at(row)
            .and_then(|(segment, row)| segment.points.version(row))
            .unwrap_or(0)
    }

    fn payload(&self, row: u32) -> Result<&[u8]> {
        match self.at(row) {
            Some((segment, row)) => Ok(segment.payload.get(row)?),
            None => Ok(&[]),
        }
    }

    fn vector(&self, row: u32, slot: usize) -> Result<Option<&[u8]>> {
        match self.at(row) {
            Some((segment, row)) => segment.vector(slot, row),
            None => Ok(None),
        }
    }
}

/// Merges segments into one, indexes included, and graphs, which are built on `pool`. The caller holds the collection's
/// optimizing lock.
pub(crate) fn merge(
    shared: &Shared,
    core: &Core,
    ids: &[u64],
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<()> {
    let tables = core.tables();
    let chosen = tables.segments.iter().filter(|s| ids.contains(&s.record.id));
    let inputs: Vec<Arc<Segment>> = chosen.cloned().collect();
    if inputs.is_empty() {
        return Ok(());
    }
    // What is damaged must not get checksums that fit.
    inputs.iter().try_for_each(|input| input.check_primary(control))?;
    let flushed = core.manifest.lock().flushed_lsn;
    let source = MergedRows::new(&inputs, flushed, control)?;
    let files = FreshFiles::of(shared, core);
    let mut fresh = None;
    if source.rows() > 0 {
        let bare = write_segment(shared, core, &tables.schema, &source, &files)?;
        let origins = source.origins();
        let schema = &tables.schema;
        let mut record = write_graphs(shared, core, schema, &bare, &files, |slot| {
            build_graph(shared, pool, schema, slot, &bare, &origins, control)
        })?;
        let add = |file, info| replace_component(&mut record, &file, info);
        sparse::write_missing(shared, core, (schema, &bare), &files, pool, control, add)?;
        fresh = Some(Arc::new(bare.reopen(
            &shared.disk,
            &core.dir,
            &tables.schema,
            record,
        )?));
    }
    let mut commit = Commit::begin(shared, core, &files);
    // The manifest's own records of the inputs: it knows their newest tombstone files.
    let replaced: Vec<_> = commit
        .next
        .segments
        .extract_if(.., |s| ids.contains(&s.id))
        .collect();
    let fresh = fresh.map(|segment| commit.add(&segment));
    // A dead row of an input, as a row of the new segment.
    let moved =
        |segment: &Segment, row: u32| -> Option<u32> { fresh.as_ref()?.points.find(segment.points.id(row)?) };
    let deaths = || {
        inputs.iter().flat_map(|s| {
            let later = s.deletions.iter().filter(|&(_, lsn)| lsn > flushed);
            later.filter_map(|(row, lsn)| Some((moved(s, row)?, lsn)))
        })
    };
    if let Some(segment) = &fresh {
        // A flush may have moved the flush point on meanwhile.
        commit.tombstones(segment.record.id, deaths())?;
    }
    commit.finish(|| {
        let _sequencer = shared.sequencer.lock();
        core.change(|tables| {
            tables.segments.retain(|s| !ids.contains(&s.record.id));
            if let Some(segment) = &fresh {
                for (row, lsn) in deaths() {
                    segment.deletions.mark(row, lsn);
                }
                tables.segments.push(segment.clone());
            }
        });
    })?;
    for record in replaced {
        if let Some(input) = inputs.iter().find(|s| s.record.id == record.id) {
            input.retire(record.files().map(|file| file.path(&core.dir)));
        }
    }
    Ok(())
}
