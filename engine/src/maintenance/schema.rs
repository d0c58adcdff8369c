//! Another schema takes the place of the present one: payload indexes, settings.

use std::sync::Arc;

use vdb_sys::sync::atomic::Ordering;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::commit::Commit;
use crate::maintenance::dropped::{forget_dropped, kept};
use crate::maintenance::fresh::FreshFiles;
use crate::memtable::Memtable;
use crate::schema::Schema;
use crate::settings::CollectionUpdate;
use crate::shared::Shared;

/// Commits another schema. It takes a sequence number like any write.
pub(super) fn change_schema(
    shared: &Shared,
    core: &Core,
    change: impl FnOnce(&mut Schema) -> Result<()>,
) -> Result<()> {
    let fresh = FreshFiles::new(&*shared.disk);
    let mut commit = Commit::begin(shared, core, &fresh);
    let sequencer = shared.sequencer.lock();
    if sequencer.closed {
        return Err(Error::Closed);
    }
    core.check_writable()?;
    let before = core.tables().schema.clone();
    let mut schema = (*before).clone();
    change(&mut schema)?;
    let seq = core.next_seq.load(Ordering::Acquire);
    commit.next.schema = schema.to_record();
    commit.next.seq_floor = commit.next.seq_floor.max(seq);
    commit.finish(|| {
        core.next_seq.store(seq + 1, Ordering::Release);
        let kept = kept(&schema.to_record());
        let other_graphs = schema.builds_other_graphs(&before);
        core.change(|tables| {
            for segment in &mut tables.segments {
                let mut record = segment.record.clone();
                if !forget_dropped(&mut record, &kept).is_empty() {
                    *segment = Arc::new(segment.with_record(record));
                }
            }
            tables.schema = Arc::new(schema);
            if other_graphs {
                // The graph of a memtable is grown under the settings that it began with.
                let fresh = Arc::new(Memtable::new(&tables.schema));
                let old = std::mem::replace(&mut tables.active, fresh);
                if !old.is_empty() {
                    tables.frozen.push(old);
                }
            }
        });
    })
}

/// Changes settings: durable, and in force for all that begins later, when it returns. Graphs follow in the background.
pub(crate) fn update(shared: &Shared, core: &Core, update: &CollectionUpdate) -> Result<()> {
    shared.check_writable()?;
    // What is refused takes no locks.
    core.tables().schema.updated(update)?;
    change_schema(shared, core, |schema| {
        *schema = schema.updated(update)?;
        Ok(())
    })?;
    core.settings.fetch_add(1, Ordering::AcqRel);
    shared.flusher.wake();
    shared.optimizer.wake();
    Ok(())
}

#[cfg(test)]
mod tests;
