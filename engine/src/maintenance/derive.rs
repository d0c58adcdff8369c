//! Graphs, payload indexes and inverted indexes that a segment lacks, or has of another kind than the settings want: built
//! when it is made, or later.

use std::sync::Arc;

use vdb_index::Control;
use vdb_index::hnsw::Graph;
use vdb_storage::manifest::{ComponentRecord, SegmentRecord};
use vdb_storage::payload::ObjectRef;
use vdb_storage::{Component, SegmentFile};
use vdb_vfs::Disk;
use vdb_vfs::frame::FrameInfo;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::filter::PayloadPath;
use crate::maintenance::commit::Commit;
use crate::maintenance::dropped::{Kept, forget_dropped};
use crate::maintenance::fresh::FreshFiles;
use crate::maintenance::grown::build_graph;
use crate::maintenance::sparse::{self, next_file};
use crate::payload::IndexBuilder;
use crate::schema::{PayloadIndexSchema, Schema};
use crate::segment::Segment;
use crate::shared::Shared;

/// The slots whose vectors are many enough for a graph that is not there, or was built with other parameters.
fn missing_graphs<'a>(schema: &'a Schema, segment: &'a Segment) -> impl Iterator<Item = usize> + 'a {
    schema.vectors().map(|(slot, _)| slot).filter(|&slot| {
        let rows = segment.rows_with_vector(slot);
        let wanted = schema.graph_over(slot, rows, segment.vector_bytes(slot));
        rows > 0
            && wanted.is_some_and(|wanted| {
                let held = segment.graph(slot);
                held.is_none_or(|graph| graph.view().params() != wanted)
            })
    })
}

/// The graphs of vectors that are to have none any more.
fn superfluous_graphs<'a>(schema: &'a Schema, segment: &'a Segment) -> impl Iterator<Item = Component> + 'a {
    let graphed = schema
        .vectors()
        .filter_map(|(slot, vector)| Some((slot, vector.graphed()?)));
    let without = graphed.filter(|(_, vector)| vector.graph.is_none());
    without
        .map(|(slot, _)| Component::Graph(slot as u16))
        .filter(|component| segment.record.component(*component).is_some())
}

fn missing_indexes<'a>(
    schema: &'a Schema,
    segment: &'a Segment,
) -> impl Iterator<Item = &'a PayloadIndexSchema> {
    schema
        .payload_indexes
        .iter()
        .filter(|index| segment.index(index.number).is_none())
}

/// True when something is to be built for a segment.
pub(crate) fn is_incomplete(schema: &Schema, segment: &Segment) -> bool {
    missing_graphs(schema, segment).next().is_some()
        || superfluous_graphs(schema, segment).next().is_some()
        || missing_indexes(schema, segment).next().is_some()
        || sparse::missing(schema, segment).next().is_some()
}

/// Rows to read for the payload indexes that a segment lacks, once for each; `None` when it lacks none.
pub(crate) fn rows_to_index(schema: &Schema, segment: &Segment) -> Option<u64> {
    let missing = missing_indexes(schema, segment).count() as u64;
    (missing > 0).then(|| missing * u64::from(segment.rows()))
}

/// How much of what is missing gets built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Everything,
    PayloadIndexes,
}

pub(super) fn replace_component(record: &mut SegmentRecord, file: &SegmentFile, info: FrameInfo) {
    record
        .components
        .retain(|c| c.component() != Some(file.component));
    record.components.push(ComponentRecord::new(file, info));
}

/// Makes the graphs that a segment lacks and returns its record with them. `make` is given a slot, and may leave it
/// without.
pub(crate) fn write_graphs(
    shared: &Shared,
    core: &Core,
    schema: &Schema,
    segment: &Segment,
    fresh: &FreshFiles<'_>,
    make: impl Fn(usize) -> Result<Option<Graph>>,
) -> Result<SegmentRecord> {
    let mut record = segment.record.clone();
    for slot in missing_graphs(schema, segment) {
        let Some(graph) = make(slot)? else {
            continue;
        };
        let file = next_file(&record, Component::Graph(slot as u16));
        let info = graph.write(&*shared.disk, &fresh.adopt(file.path(&core.dir)))?;
        replace_component(&mut record, &file, info);
    }
    Ok(record)
}

/// Rows of a payload index between two looks at the cancel probe.
const STEP: u32 = 256;

/// Writes the index of one payload path over the rows of a segment. `control` is told rows of this index.
pub(crate) fn write_payload_index<'p>(
    disk: &dyn Disk,
    path: &str,
    index: &PayloadIndexSchema,
    rows: u32,
    payload_of: &dyn Fn(u32) -> Result<&'p [u8]>,
    control: &Control<'_>,
) -> Result<FrameInfo> {
    let payload_path = PayloadPath::parse(&index.path)?;
    let mut builder = IndexBuilder::new(index.params.kind, index.analysis.as_ref(), &payload_path);
    for row in 0..rows {
        if row % STEP == 0 {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            control.report(u64::from(row), u64::from(rows));
        }
        let payload = ObjectRef::from_payload(payload_of(row)?)?;
        builder.row(row, payload, &payload_path)?;
    }
    let info = builder.finish(disk, path, rows)?;
    control.report(u64::from(rows), u64::from(rows));
    Ok(info)
}

/// Builds what a segment lacks, graphs on `pool`. The caller holds the collection's optimizing lock.
pub(crate) fn derive(
    shared: &Shared,
    core: &Core,
    id: u64,
    what: What,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<()> {
    let tables = core.tables();
    let schema = tables.schema.clone();
    let Some(segment) = tables.segment(id).cloned() else {
        return Ok(());
    };
    // What is built of damaged data would hide that it is.
    if missing_indexes(&schema, &segment).next().is_some() {
        segment.check_payload(control)?;
    }
    if what == What::Everything {
        missing_graphs(&schema, &segment)
            .chain(sparse::missing(&schema, &segment))
            .try_for_each(|slot| segment.check_vectors(slot, control))?;
    }
    let fresh = FreshFiles::of(shared, core);
    let mut built = Vec::new();
    let total = rows_to_index(&schema, &segment).unwrap_or(0);
    for (before, index) in (0..).zip(missing_indexes(&schema, &segment)) {
        let cancelled = || control.is_cancelled();
        let progress = |done: u64, rows: u64| control.report(before * rows + done, total);
        let file = next_file(&segment.record, Component::PayloadIndex(index.number));
        let payload_of = |row: u32| Ok(segment.payload.get(row)?);
        let info = write_payload_index(
            &*shared.disk,
            &fresh.adopt(file.path(&core.dir)),
            index,
            segment.rows(),
            &payload_of,
            &Control::new(&cancelled, &progress),
        )?;
        built.push((file, info));
    }
    let with_graphs = match what {
        What::Everything => write_graphs(shared, core, &schema, &segment, &fresh, |slot| {
            build_graph(shared, pool, &schema, slot, &segment, &[], control)
        })?,
        What::PayloadIndexes => segment.record.clone(),
    };
    if what == What::Everything {
        let add = |file, info| built.push((file, info));
        sparse::write_missing(shared, core, (&schema, &segment), &fresh, pool, control, add)?;
    }
    put(shared, core, (&schema, &segment), &fresh, |record| {
        for (file, info) in built {
            replace_component(record, &file, info);
        }
        if what == What::Everything {
            let superfluous: Vec<Component> = superfluous_graphs(&schema, &segment).collect();
            record.components.retain(|c| {
                c.component()
                    .is_none_or(|component| !superfluous.contains(&component))
            });
        }
        for component in with_graphs.components {
            let is_new = |c: &ComponentRecord| segment.record.components.iter().all(|old| old != c);
            if matches!(component.component(), Some(Component::Graph(_))) && is_new(&component) {
                record
                    .components
                    .retain(|c| c.component() != component.component());
                record.components.push(component);
            }
        }
    })
}

/// Commits a change of what is derived of a segment, and lets readers have it.
pub(super) fn put(
    shared: &Shared,
    core: &Core,
    (schema, segment): (&Schema, &Segment),
    fresh: &FreshFiles<'_>,
    change: impl FnOnce(&mut SegmentRecord),
) -> Result<()> {
    let id = segment.record.id;
    let mut commit = Commit::begin(shared, core, fresh);
    let Some(record) = commit.next.segments.iter_mut().find(|s| s.id == id) else {
        return Ok(());
    };
    let before: Vec<SegmentFile> = record.files().collect();
    change(record);
    let mut record = record.clone();
    let stale: Vec<SegmentFile> = before
        .into_iter()
        .filter(|file| record.files().all(|f| f != *file))
        .collect();
    // What was dropped meanwhile leaves with the commit, its files too.
    forget_dropped(&mut record, &Kept::by(&commit.next.schema));
    let complete = Arc::new(segment.reopen(&shared.disk, &core.dir, schema, record)?);
    commit.finish(|| {
        let _sequencer = shared.sequencer.lock();
        core.change(|tables| {
            for held in tables.segments.iter_mut().filter(|s| s.record.id == id) {
                *held = complete.clone();
            }
        });
    })?;
    // Readers have them mapped, and no manifest names them: only what cannot be removed so has to wait for readers.
    let stays = |path: &String| {
        !matches!(
            shared.disk.remove(path),
            Ok(()) | Err(vdb_vfs::Error::NotFound { .. })
        )
    };
    complete.retire(stale.iter().map(|file| file.path(&core.dir)).filter(stays));
    Ok(())
}
