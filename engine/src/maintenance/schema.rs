//! Another schema takes the place of the one in force.

use std::sync::Arc;

use vdb_sys::sync::atomic::Ordering;

use crate::config::vectors::NamedVectorParams;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::commit::Commit;
use crate::maintenance::dropped::{Kept, forget_dropped};
use crate::maintenance::fresh::FreshFiles;
use crate::memtable::Memtable;
use crate::schema::Schema;
use crate::shared::Shared;

/// Commits another schema, if `change` makes another one. It takes a sequence number like any write.
pub(super) fn change_schema(
    shared: &Shared,
    core: &Core,
    change: impl FnOnce(&mut Schema) -> Result<bool>,
) -> Result<bool> {
    let fresh = FreshFiles::new(&*shared.disk);
    let mut commit = Commit::begin(shared, core, &fresh);
    let sequencer = shared.sequencer.lock();
    if sequencer.closed {
        return Err(Error::Closed);
    }
    core.check_writable()?;
    let mut schema = (*core.tables().schema).clone();
    if !change(&mut schema)? {
        return Ok(false);
    }
    let seq = core.next_seq.load(Ordering::Acquire);
    commit.next.schema = schema.to_record();
    commit.next.seq_floor = commit.next.seq_floor.max(seq);
    commit.finish(|| {
        core.next_seq.store(seq + 1, Ordering::Release);
        let kept = Kept::by(&schema.to_record());
        core.change(|tables| {
            for segment in &mut tables.segments {
                let mut record = segment.record.clone();
                if !forget_dropped(&mut record, &kept).is_empty() {
                    *segment = Arc::new(segment.with_record(record));
                }
            }
            let is_wider = schema.slots() > tables.schema.slots();
            tables.schema = Arc::new(schema);
            if is_wider {
                // The present memtable has no place for the new vectors.
                let wider = Arc::new(Memtable::new(&tables.schema));
                let narrow = std::mem::replace(&mut tables.active, wider);
                if !narrow.is_empty() {
                    tables.frozen.push(narrow);
                }
            }
        });
    })?;
    Ok(true)
}

/// Adds a named vector. False when it is there with the same parameters.
///
/// The manifest has it before any record of the log can name it.
pub(crate) fn create_vector(
    shared: &Shared,
    core: &Core,
    name: &str,
    params: NamedVectorParams,
) -> Result<bool> {
    shared.check_writable()?;
    let created = change_schema(shared, core, |schema| schema.add_vector(name, params))?;
    if created {
        // The memtable that was in use is frozen.
        shared.flusher.wake();
    }
    Ok(created)
}

/// Drops a named vector. False when there is none.
///
/// From the commit on nobody sees it, and the manifest no longer names its files. Records of the log that bring it are skipped
/// when they are read again; its number is not given to another one.
pub(crate) fn delete_vector(shared: &Shared, core: &Core, name: &str) -> Result<bool> {
    shared.check_writable()?;
    change_schema(shared, core, |schema| Ok(schema.drop_vector(name)))
}
