//! Effects enter the memtable.

use vdb_wal::Lsn;

use crate::error::Result;
use crate::tables::Tables;
use crate::write::record::{EffectKind, Section};

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
                // Resolution saw the point; replay sees what resolution saw.
                if let Some(old) = latest {
                    let vectors: Vec<_> = (0..tables.schema.vectors.len())
                        .map(|slot| old.vector(slot))
                        .collect();
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
