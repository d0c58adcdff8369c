//! Graphs among the rows of single payload values, which a segment gets after its other files.
//!
//! A job adds the values of one payload index to those that are there, so that none holds up merges and graphs of all rows
//! for long; what another job has built is taken over as it is.

use std::collections::{BTreeMap, BTreeSet};

use vdb_index::Control;
use vdb_index::hnsw::{GraphFile, HnswParams, PartitionsFile, PartitionsWriter, partitions};
use vdb_index::postings::PostingsFile;
use vdb_storage::Component;
use vdb_storage::manifest::SegmentRecord;
use vdb_vfs::frame::FrameInfo;

use crate::core::Core;
use crate::error::Result;
use crate::maintenance::derive::{put, replace_component};
use crate::maintenance::fresh::FreshFiles;
use crate::maintenance::sparse::next_file;
use crate::partitions::{MAX_SHARE, MAX_TIMES, are_exact, choose, index_of, label, least_rows};
use crate::schema::{PayloadIndexSchema, Schema};
use crate::segment::{Segment, SegmentVectors};
use crate::shared::Shared;

/// The numbers of the payload indexes whose values may get graphs: all that know values exactly, unless they were created to have
/// none.
fn covered(schema: &Schema) -> BTreeSet<u16> {
    let is_wanted = |index: &&PayloadIndexSchema| {
        let options = index.params.options.as_ref();
        are_exact(index.params.kind) && options.and_then(|options| options.enable_hnsw) != Some(false)
    };
    let wanted = schema.payload_indexes.iter().filter(is_wanted);
    wanted.map(|index| index.number).collect()
}

/// Whether a file has turned out damaged. That it could not be read now says nothing of that, and is an error.
fn is_damaged(checked: vdb_index::Result<()>) -> Result<bool> {
    use vdb_vfs::Error::{Corrupt, NotFound, Version};
    match checked {
        Ok(()) => Ok(false),
        Err(vdb_index::Error::Disk(Corrupt { .. } | NotFound { .. } | Version { .. })) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// What partitions of a slot, of values of at least so many rows, are built with, where the segment is large enough for any and has
/// all that they are made of.
fn wanted(schema: &Schema, segment: &Segment, slot: usize, least: u32) -> Option<HnswParams> {
    let (dense, vectors) = (schema.dense(slot)?, segment.vectors(slot)?);
    let len = vectors.file.len();
    let params = dense
        .partitions
        .filter(|_| f64::from(len) * MAX_SHARE >= f64::from(least))?;
    let graph = schema.graph_over(slot, len, segment.vector_bytes(slot));
    let has_graph = graph == Some(vectors.graph()?.view().params());
    let covered = covered(schema);
    let has_indexes = covered.iter().all(|&number| segment.index(number).is_some());
    (has_graph && has_indexes && !covered.is_empty()).then_some(params)
}

/// True when partitions are those of all payload indexes, built with `params`.
fn are_complete(partitions: &PartitionsFile, schema: &Schema, params: HnswParams) -> bool {
    partitions.params() == params && partitions.covered().eq(covered(schema))
}

/// The slots whose partitions are not there, or not those that are wanted, and what they are built with.
fn missing<'a>(
    schema: &'a Schema,
    segment: &'a Segment,
    least: u32,
) -> impl Iterator<Item = (usize, HnswParams)> + 'a {
    schema.vectors().filter_map(move |(slot, _)| {
        let params = wanted(schema, segment, slot, least)?;
        let found = segment.vectors(slot)?.partitions();
        let complete = found.is_some_and(|found| are_complete(found, schema, params));
        (!complete).then_some((slot, params))
    })
}

/// The partitions of vectors that are to have none any more.
fn superfluous<'a>(schema: &'a Schema, segment: &'a Segment) -> impl Iterator<Item = Component> + 'a {
    let none = covered(schema).is_empty();
    let dense = schema
        .vectors()
        .filter_map(|(slot, vector)| Some((slot, vector.dense()?)));
    let without = dense.filter(move |(_, dense)| none || dense.partitions.is_none());
    without
        .map(|(slot, _)| Component::Partitions(slot as u16))
        .filter(|component| segment.record.component(*component).is_some())
}

/// True when a job is due for a segment, whose values of at least so many rows get graphs. What partitions are made of comes first.
pub(crate) fn is_due(schema: &Schema, segment: &Segment, least: u32) -> bool {
    missing(schema, segment, least).next().is_some() || superfluous(schema, segment).next().is_some()
}

/// Most jobs that a segment can take until it has all of its partitions.
pub(crate) fn most_jobs(schema: &Schema) -> usize {
    schema.vectors().count() * (covered(schema).len() + 1)
}

/// Adds the partitions of one payload index to one slot of a segment, or takes superfluous ones away. The caller holds the
/// collection's optimizing lock.
pub(crate) fn derive(
    shared: &Shared,
    core: &Core,
    id: u64,
    pool: &rayon::ThreadPool,
    control: &Control<'_>,
) -> Result<()> {
    let tables = core.tables();
    let schema = tables.schema.clone();
    let Some(segment) = tables.segment(id).cloned() else {
        return Ok(());
    };
    let gone: Vec<Component> = superfluous(&schema, &segment).collect();
    let next = missing(&schema, &segment, least_rows(&shared.options)).next();
    let fresh = FreshFiles::of(shared, core);
    let mut built = None;
    if let Some((slot, params)) = next
        && let Some(sources) = Sources::new(shared, &schema, &segment, slot, params, control)?
    {
        let file = next_file(&segment.record, Component::Partitions(slot as u16));
        let path = fresh.adopt(file.path(&core.dir));
        built = Some((file, sources.write(shared, &path, params, pool, control)?));
    }
    if built.is_none() && gone.is_empty() {
        return Ok(());
    }
    put(
        shared,
        core,
        (&schema, &segment),
        &fresh,
        |record: &mut SegmentRecord| {
            record.components.retain(|c| {
                let component = c.component();
                component.is_none_or(|component| !gone.contains(&component))
            });
            if let Some((file, info)) = built {
                replace_component(record, &file, info);
            }
        },
    )
}

/// What the partitions of a slot are made of: compared with their checksums, since what is made of damaged data would hide that
/// it is.
struct Sources<'a> {
    vectors: &'a SegmentVectors,
    graph: &'a GraphFile,
    /// Those that are there and stay.
    old: Option<&'a PartitionsFile>,
    /// The payload indexes whose partitions are among these.
    taken_over: BTreeSet<u16>,
    /// The one whose values are added.
    added: Option<(u16, &'a PostingsFile)>,
}

impl<'a> Sources<'a> {
    /// `None` where one of them is damaged: it is derived data too, and is made again first.
    ///
    /// # Errors
    /// One of them cannot be read; the vectors are damaged.
    fn new(
        shared: &Shared,
        schema: &Schema,
        segment: &'a Segment,
        slot: usize,
        params: HnswParams,
        control: &Control<'_>,
    ) -> Result<Option<Self>> {
        segment.check_vectors(slot, control)?;
        let Some(vectors) = segment.vectors(slot) else {
            return Ok(None);
        };
        let Some(graph) = vectors.graph() else {
            return Ok(None);
        };
        let disk = &*shared.disk;
        if is_damaged(graph.verify(disk))? {
            vectors.set_damaged();
            return Ok(None);
        }
        let old = match vectors.partitions().filter(|old| old.params() == params) {
            Some(old) if !is_damaged(old.verify(disk))? => Some(old),
            Some(_) | None => None,
        };
        let covered = covered(schema);
        let taken_over: BTreeSet<u16> = old
            .iter()
            .flat_map(|old| old.covered())
            .filter(|number| covered.contains(number))
            .collect();
        let next = covered.iter().find(|number| !taken_over.contains(number));
        let added = next.and_then(|&number| Some((number, segment.index(number)?)));
        if let Some((_, index)) = added
            && is_damaged(index.verify(disk))?
        {
            segment.set_index_damaged();
            return Ok(None);
        }
        Ok(Some(Sources {
            vectors,
            graph,
            old,
            taken_over,
            added,
        }))
    }

    fn write(
        &self,
        shared: &Shared,
        path: &str,
        params: HnswParams,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<FrameInfo> {
        let len = self.vectors.file.len();
        let mut writer = PartitionsWriter::create(&*shared.disk, path, len, &params)?;
        // The rows of each partition by its number: different values may have the same.
        let mut known: Vec<Vec<u32>> = Vec::new();
        if let Some(old) = self.old {
            let mut moved = BTreeMap::new();
            for value in 0..old.values() {
                let (label, before) = old.value(value)?;
                if index_of(label).is_none_or(|index| !self.taken_over.contains(&index)) {
                    continue;
                }
                let now = match moved.get(&before) {
                    Some(&now) => now,
                    None => {
                        let partition = old.partition(before)?;
                        known.push(partition.rows().to_vec());
                        let now = writer.add(partition)?;
                        moved.insert(before, now);
                        now
                    }
                };
                writer.name(label.to_vec(), now);
            }
        }
        if let Some((number, index)) = self.added {
            let mut left =
                (u64::from(len) * MAX_TIMES).saturating_sub(known.iter().map(|rows| rows.len() as u64).sum());
            let least = least_rows(&shared.options);
            let keys = choose(index, least, len, control)?;
            let (mut before, mut total) = (0, 0);
            for &key in &keys {
                total += index.estimate_rows_of(std::slice::from_ref(&(key..key + 1)))?.max;
            }
            for key in keys {
                let (key, rows) = index.entry(key)?;
                let slots: Vec<u32> = rows
                    .iter()
                    .filter_map(|row| self.vectors.file.slot_of(row))
                    .collect();
                let (count, Some(label)) = (slots.len() as u64, label(number, key)) else {
                    continue;
                };
                if count < u64::from(least) || count > left {
                    continue;
                }
                if let Some(same) = known.iter().position(|rows| *rows == slots) {
                    writer.name(label, same as u32);
                    continue;
                }
                let cancelled = || control.is_cancelled();
                let progress = |done: u64, of: u64| {
                    control.report(before + (done * count).checked_div(of).unwrap_or(0), total);
                };
                let (matrix, part) = (self.vectors.file.matrix(), Control::new(&cancelled, &progress));
                let built =
                    partitions::build(self.graph.view(), &matrix, slots.clone(), &params, pool, &part)?;
                let at = writer.add(built.view())?;
                writer.name(label, at);
                known.push(slots);
                left -= count;
                before += count;
            }
        }
        let covered: Vec<u16> = self
            .taken_over
            .iter()
            .copied()
            .chain(self.added.map(|(number, _)| number))
            .collect();
        Ok(writer.finish(&covered)?)
    }
}

#[cfg(test)]
mod tests;
