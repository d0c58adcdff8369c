//! Another schema takes the place of the one in force: payload indexes and vectors come and go, settings change.

use std::sync::Arc;

use vdb_sys::sync::atomic::Ordering;

use crate::config::vectors::NamedVectorParams;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::commit::{Commit, NotDone};
use crate::maintenance::dropped::{Kept, without_dropped};
use crate::maintenance::fresh::FreshFiles;
use crate::memtable::Memtable;
use crate::partitions;
use crate::schema::Schema;
use crate::settings::CollectionUpdate;
use crate::shared::Shared;

/// Commits another schema, if `change` makes another one. It takes a sequence number like any write.
///
/// Where the commit fails, the schema in force is put in front of what the medium may have of it, before anything else is
/// written; should that fail as well, no more is.
pub(super) fn change_schema(
    shared: &Shared,
    core: &Core,
    change: impl FnOnce(&mut Schema) -> Result<bool>,
) -> Result<bool> {
    let fresh = FreshFiles::of(shared, core);
    let mut commit = Commit::begin(shared, core, &fresh);
    let mut sequencer = shared.sequencer.lock();
    if sequencer.closed {
        return Err(Error::Closed);
    }
    core.check_writable()?;
    let before = core.tables().schema.clone();
    let mut schema = (*before).clone();
    if !change(&mut schema)? {
        return Ok(false);
    }
    schema.revision = before.revision.checked_add(1).ok_or(Error::Limit {
        what: "changes of a collection's schema",
        limit: usize::MAX,
        found: usize::MAX,
    })?;
    let seq = core.next_seq.load(Ordering::Acquire);
    commit.next.schema = schema.to_bounded_record()?;
    commit.next.seq_floor = commit.next.seq_floor.max(seq);
    let kept = Kept::by(&commit.next.schema);
    let done = commit.finish_or_take_back(|| {
        core.next_seq.store(seq + 1, Ordering::Release);
        let begins_anew = schema.builds_other_graphs(&before) || schema.has_more_texts(&before);
        core.change(|tables| {
            for segment in &mut tables.segments {
                *segment = without_dropped(segment, &kept);
            }
            let is_wider = schema.slots() > tables.schema.slots();
            tables.schema = Arc::new(schema);
            if is_wider || begins_anew {
                // The present memtable has no place for the new vectors, or for tokens of the new index, or it grows graphs under
                // the settings that it began with.
                let fresh = Arc::new(Memtable::new(&tables.schema));
                let old = std::mem::replace(&mut tables.active, fresh);
                if !old.is_empty() {
                    tables.frozen.push(old);
                }
            }
        });
    });
    done.map_err(|NotDone { error, unsettled }| {
        if let Some(why) = unsettled {
            sequencer.poisoned.get_or_insert(why);
        }
        error
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
    let dropped = change_schema(shared, core, |schema| schema.drop_vector(name))?;
    if dropped {
        call_off(shared, core);
    }
    Ok(dropped)
}

/// Calls off the job in the background, which works for settings that are in force no more, and has another one looked for.
fn call_off(shared: &Shared, core: &Core) {
    core.settings.fetch_add(1, Ordering::AcqRel);
    shared.optimizer.wake();
    // Graphs of memtables may have waited for other settings.
    shared.grower.wake();
}

/// Changes settings: durable, and in force for all that begins later, when it returns. Graphs follow in the background.
pub(crate) fn update(shared: &Shared, core: &Core, update: &CollectionUpdate) -> Result<()> {
    shared.check_writable()?;
    // What is refused takes no locks.
    core.tables().schema.updated(update)?;
    let mut others = false;
    change_schema(shared, core, |schema| {
        let next = schema.updated(update)?;
        // A job that would be the same goes on: whoever only notes metadata does not set it back.
        others = next.builds_other_graphs(schema)
            || partitions::differ(&next, schema)
            || next.optimizer != schema.optimizer;
        *schema = next;
        Ok(true)
    })?;
    if others {
        call_off(shared, core);
    }
    shared.flusher.wake();
    Ok(())
}

#[cfg(test)]
mod tests;
