//! A frozen memtable becomes a segment.

use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::PointId;
use vdb_sys::sync::atomic::Ordering;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::commit::Commit;
use crate::maintenance::derive::write_graphs;
use crate::maintenance::fresh::FreshFiles;
use crate::maintenance::grown::{Ancestor, DROPPED};
use crate::maintenance::over::Over;
use crate::maintenance::write_segment::{Source, write_segment};
use crate::memtable::Memtable;
use crate::schema::Schema;
use crate::segment::Segment;
use crate::shared::Shared;

/// A memtable's graph becomes that of its segment if it has this share of the rows: the flush waits for what is left.
const LEAST_SHARE: f64 = 0.5;

/// The rows of a memtable that live on, ascending by id.
struct MemtableRows<'a> {
    table: &'a Memtable,
    rows: Vec<u32>,
}

impl MemtableRows<'_> {
    /// For each row of the memtable its place among these, or [`DROPPED`].
    fn moved(&self) -> Vec<u32> {
        let mut moved = vec![DROPPED; self.table.len() as usize];
        for (&at, now) in self.rows.iter().zip(0..) {
            moved[at as usize] = now;
        }
        moved
    }

    fn row(&self, row: u32) -> Option<&crate::memtable::MemRow> {
        self.table.row(*self.rows.get(row as usize)?)
    }
}

/// Gives a fresh segment the graphs that its memtable has over most of the rows: little is left to be done for them,
/// and searches need not do without until somebody has time. Without, if they cannot be made or
/// written, or the database is being closed.
fn with_graphs(
    shared: &Shared,
    core: &Core,
    schema: &Schema,
    bare: Segment,
    source: &MemtableRows<'_>,
    files: &FreshFiles<'_>,
) -> Segment {
    let cancelled = || shared.stopping.load(Ordering::Acquire) || core.dropped.load(Ordering::Acquire);
    let control = Control::new(&cancelled, &|_, _| ());
    let own = FreshFiles::of(shared, core);
    let record = write_graphs(shared, core, schema, &bare, &own, |slot| {
        // Of multivectors a memtable has no graph.
        let (Some(old), Some(vector)) = (source.table.vectors(slot), schema.dense(slot)) else {
            return Ok(None);
        };
        let Some(live) = old.live.graph() else {
            return Ok(None);
        };
        let moved = source.moved();
        let place = |at: u32| bare.place_in_graph(slot, *moved.get(old.owner(at)? as usize)?);
        let ancestor = Ancestor {
            graph: live.graph.view(),
            places: (0..live.graph.len())
                .map(|at| place(at).unwrap_or(DROPPED))
                .collect(),
        };
        let (Some(params), Some(over)) = (&vector.graph, Over::of(vector, &bare, slot)?) else {
            return Ok(None);
        };
        Ok(ancestor.grow(&over, params, LEAST_SHARE, &shared.grow_pool, &control)?)
    });
    let grown = record.and_then(|record| {
        if record.components.len() == bare.record.components.len() {
            return Ok(None);
        }
        bare.reopen(&shared.disk, &core.dir, schema, record).map(Some)
    });
    match grown {
        Ok(Some(segment)) => {
            own.hand_over(files);
            segment
        }
        // Whatever hinders a graph must not hinder what users wrote: it is built later.
        Ok(None) | Err(_) => bare,
    }
}

impl Source for MemtableRows<'_> {
    fn rows(&self) -> u32 {
        self.rows.len() as u32
    }

    fn id(&self, row: u32) -> Option<PointId> {
        Some(self.row(row)?.id)
    }

    fn version(&self, row: u32) -> u64 {
        self.row(row).map_or(0, |r| r.version)
    }

    fn payload(&self, row: u32) -> Result<&[u8]> {
        Ok(self.row(row).map_or(&[], |r| &r.payload))
    }

    fn vector(&self, row: u32, slot: usize) -> Result<Option<&[u8]>> {
        Ok(self.row(row).and_then(|row| self.table.vector(row, slot)))
    }
}

/// Turns everything written so far into segments.
pub(crate) fn flush_all(shared: &Shared, core: &Core) -> Result<()> {
    shared.check_writable()?;
    {
        let _sequencer = shared.sequencer.lock();
        core.rotate();
    }
    // What fails here is tried again in the background.
    flush_frozen(shared, core).inspect_err(|_| shared.flusher.wake())?;
    shared.trim_log()?;
    shared.optimizer.wake();
    Ok(())
}

/// Turns the frozen memtables of a collection into segments. Returns how many there were.
pub(crate) fn flush_frozen(shared: &Shared, core: &Core) -> Result<usize> {
    let _turn = core.flushing.lock();
    shared.check_open()?;
    let mut flushed = 0;
    while let Some(table) = core.tables().frozen.first().cloned() {
        // A collection that is dropped takes its rows with it.
        let is_dropped = || core.dropped.load(Ordering::Acquire);
        let flush = || {
            flush_one(shared, core, &table).map_err(|error| match is_dropped() {
                true => Error::Cancelled,
                false => error,
            })
        };
        match shared.counters.flushes.count(flush) {
            Ok(()) => flushed += 1,
            Err(_) if is_dropped() => return Ok(flushed),
            Err(error) => {
                if error.is_of_one_collection() {
                    set_aside(shared, core, &error);
                }
                return Err(error);
            }
        }
    }
    take_in(shared, core);
    Ok(flushed)
}

/// Takes a collection out of the way of the others: what its memtables hold cannot become a segment, whatever room the disk has. It
/// takes no more writes, and what is there is read, and kept in the log.
fn set_aside(shared: &Shared, core: &Core, error: &Error) {
    let _sequencer = shared.sequencer.lock();
    if !core.dropped.load(Ordering::Acquire) {
        shared.budget.free(core.counted_bytes());
        core.set_aside(Some(format!(
            "what was written to it cannot become a segment, and it takes no more writes until a flush succeeds, which is tried \
             again now and then: {error}"
        )));
    }
}

/// A collection whose memtables have become segments after all takes writes again. Its `flushing` lock is held.
pub(crate) fn take_in(shared: &Shared, core: &Core) {
    if !core.is_aside() || !core.tables().frozen.is_empty() {
        return;
    }
    let _sequencer = shared.sequencer.lock();
    core.set_aside(None);
    if !core.dropped.load(Ordering::Acquire) {
        shared.budget.add(core.counted_bytes());
    }
}

/// The oldest frozen memtable of a collection becomes a segment. Its `flushing` lock is held.
pub(crate) fn flush_one(shared: &Shared, core: &Core, table: &Arc<Memtable>) -> Result<()> {
    // Nothing goes into a segment that a crash could still take back.
    let upto = table.last_lsn();
    shared.sync_to(upto)?;
    let tables = core.tables();
    let lives_on = |died: Option<u64>| died.is_none_or(|lsn| lsn > upto);
    let mut rows: Vec<u32> = table
        .rows()
        .filter(|(_, row)| lives_on(row.died_at()))
        .map(|(at, _)| at)
        .collect();
    rows.sort_unstable_by_key(|&at| table.row(at).map(|row| row.id));
    let source = MemtableRows { table, rows };

    let files = FreshFiles::of(shared, core);
    let mut fresh = None;
    if source.rows() > 0 {
        let bare = write_segment(shared, core, &tables.schema, &source, &files)?;
        fresh = Some(Arc::new(with_graphs(
            shared,
            core,
            &tables.schema,
            bare,
            &source,
            &files,
        )));
    }

    let mut commit = Commit::begin(shared, core, &files);
    commit.next.flushed_lsn = upto;
    commit.next.seq_floor = commit.next.seq_floor.max(table.last_seq());
    commit.next.weak = shared.weak.load(Ordering::Acquire);
    // Since `tables` was read, a merge may have replaced segments.
    commit.all_tombstones(&core.tables().segments)?;
    let fresh = fresh.map(|segment| commit.add(&segment));
    commit.finish(|| {
        let _sequencer = shared.sequencer.lock();
        // Dropping a collection, or setting it aside, frees what its memtables hold by then.
        if !core.dropped.load(Ordering::Acquire) && !core.is_aside() {
            shared.budget.free(table.settled());
        }
        core.change(|tables| {
            tables.frozen.retain(|t| !Arc::ptr_eq(t, table));
            if let Some(segment) = &fresh {
                // Rows that died while they were being written are dead in the segment too.
                for (row, &at) in (0u32..).zip(&source.rows) {
                    if let Some(lsn) = table.row(at).and_then(|r| r.died_at()) {
                        segment.deletions.mark(row, lsn);
                    }
                }
                tables.segments.push(segment.clone());
            }
        });
    })?;
    core.note_flush();
    Ok(())
}
