//! Effects enter the memtable.

use vdb_sys::sync::atomic::Ordering;
use vdb_wal::Lsn;

use crate::core::Core;
use crate::damage::at_point;
use crate::error::Result;
use crate::shared::Shared;
use crate::tables::Tables;
use crate::write::record::{EffectKind, Section};

/// Applies a section to its collection and accounts for the memory and the sequence number that it takes.
pub(crate) fn enter(shared: &Shared, core: &Core, section: &Section, lsn: Lsn) -> Result<()> {
    let tables = core.tables();
    let applied = apply(&tables, section, lsn);
    if tables.active.asks_for_growth() {
        shared.grower.wake();
    }
    // Searches keep something of those that wait for the flusher too.
    shared
        .budget
        .add(tables.memtables().map(|table| table.settle()).sum());
    core.next_seq.fetch_max(section.seq + 1, Ordering::AcqRel);
    applied
}

/// Applies the effects of a section. They are seen once the readers' horizon reaches `lsn`.
///
/// Live writes and replay come through here alike, and replaying a record that was applied before is harmless
/// only because recovery skips what the collection's segments cover.
pub(crate) fn apply(tables: &Tables, section: &Section, lsn: Lsn) -> Result<()> {
    section.for_each(&tables.schema, |effect| {
        let latest = tables.latest(effect.id);
        match effect.kind {
            EffectKind::Put => {
                if let Some(old) = latest {
                    old.kill(lsn);
                }
                tables
                    .active
                    .push(effect.id, section.seq, lsn, effect.payload, effect.vectors);
            }
            EffectKind::Payload => {
                // Resolution saw the point, and found sound what is copied; replay sees what resolution saw, unless the files
                // have been damaged since.
                if let Some(old) = latest {
                    let mut vectors = vec![None; tables.schema.slots()];
                    for (slot, _) in tables.schema.vectors() {
                        vectors[slot] = old
                            .sound_vector(slot)
                            .map_err(|error| at_point(effect.id, error))?;
                    }
                    old.kill(lsn);
                    tables
                        .active
                        .push(effect.id, section.seq, lsn, effect.payload, &vectors);
                }
            }
            EffectKind::Delete => {
                if let Some(old) = latest {
                    old.kill(lsn);
                }
            }
        }
        Ok(())
    })?;
    tables.active.cover(lsn, section.seq);
    Ok(())
}
