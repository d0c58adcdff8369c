//! The one place where writes take their order.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::Durability;
use crate::core::{Core, WEAK_WINDOW};
use crate::error::{Error, Result, within};
use crate::expected::Expected;
use crate::limits::{MAX_BATCH_BYTES, MAX_BATCH_POINTS};
use crate::query::allowance::Allowance;
use crate::shared::Shared;
use crate::write::apply::enter;
use crate::write::batch::{Entry, WriteBatch};
use crate::write::prepare::{Prepared, prepare};
use crate::write::record::{self, Section};
use crate::write::resolve::{Resolver, Room};
use crate::write::ticket::{Ticket, WriteResult};
use vdb_index::Control;
use vdb_storage::PointId;
use vdb_sys::sync::atomic::Ordering;

/// An entry of a batch with everything done that needs no place in the order.
pub(crate) enum Step {
    /// Whether it is for those of its points that exist.
    Write(Prepared, bool),
    Require(PointId, Expected),
}

impl Shared {
    /// The collections that a batch names, entry by entry.
    pub(crate) fn bind(&self, batch: WriteBatch) -> Result<Vec<(Arc<Core>, Entry)>> {
        let names = || batch.entries.iter().map(|(name, _)| name.as_str());
        let found = self.cores_of(&names().collect())?;
        let core = |name: &str| {
            let gone = || Error::CollectionNotFound {
                name: name.to_owned(),
            };
            found.get(name).cloned().ok_or_else(gone)
        };
        let cores = names().map(core).collect::<Result<Vec<_>>>()?;
        let entries = batch.entries.into_iter().map(|(_, entry)| entry);
        Ok(cores.into_iter().zip(entries).collect())
    }

    /// Gives a batch its place in the order, logs it and applies it. It is seen and acknowledged through the ticket.
    pub(crate) fn submit(
        self: &Arc<Self>,
        entries: Vec<(Arc<Core>, Entry)>,
        durability: Durability,
        control: &Control<'_>,
    ) -> Result<Ticket> {
        self.wal()?;
        check_size(&entries)?;
        let mut steps = Vec::with_capacity(entries.len());
        for (core, entry) in entries {
            let step = match entry {
                Entry::Operation(operation) => Step::Write(prepare(&core.tables().schema, operation)?, false),
                Entry::OnExisting(operation) => Step::Write(prepare(&core.tables().schema, operation)?, true),
                Entry::Require { id, expected } => Step::Require(id, expected),
            };
            steps.push((core, step));
        }
        self.place(steps, MAX_BATCH_BYTES, durability, control)
    }

    /// As [`submit`](Self::submit), of what is prepared. The effects take `most` bytes at most.
    pub(crate) fn place(
        self: &Arc<Self>,
        steps: Vec<(Arc<Core>, Step)>,
        most: usize,
        durability: Durability,
        control: &Control<'_>,
    ) -> Result<Ticket> {
        let wal = self.wal()?;
        let allowance = Allowance::new(*control, "finding the points of a write", usize::MAX);
        let mut entries_of: HashMap<u32, usize> = HashMap::new();
        for (core, _) in &steps {
            *entries_of.entry(core.id).or_insert(0) += 1;
        }
        // Deletions are how a full disk gets room again: they wait for nobody, and may use the last of what the log
        // keeps for that.
        let writes = |(_, step): &(Arc<Core>, Step)| match step {
            Step::Write(prepared, _) => Some(matches!(prepared, Prepared::Delete(_))),
            Step::Require(..) => None,
        };
        let frees = steps.iter().filter_map(writes).all(|deletes| deletes);
        if !frees {
            self.budget.wait(&self.flusher)?;
        }

        let mut sequencer = self.sequencer.lock();
        if sequencer.closed {
            return Err(Error::Closed);
        }
        if let Some(why) = &sequencer.poisoned {
            return Err(Error::Poisoned(why.clone()));
        }
        let mut resolvers: HashMap<u32, Resolver> = HashMap::new();
        let mut next: HashMap<u32, u64> = HashMap::new();
        let mut sections: Vec<Section> = Vec::new();
        let mut room = Room::new(most);
        let mut owners: Vec<Arc<Core>> = Vec::new();
        for (core, step) in steps {
            core.check_writable()?;
            self.check_flushes(&core)?;
            let several = entries_of.get(&core.id).is_some_and(|&n| n > 1);
            let resolver = resolvers
                .entry(core.id)
                .or_insert_with(|| Resolver::new(core.tables(), several, &allowance));
            match step {
                Step::Require(id, expected) => resolver.require(id, expected)?,
                Step::Write(prepared, lenient) => {
                    resolver.set_lenient(lenient);
                    let seq = next
                        .entry(core.id)
                        .or_insert_with(|| core.next_seq.load(Ordering::Acquire));
                    record::check_seq(*seq)?;
                    let section = resolver.resolve(prepared, core.id, *seq, &mut room)?;
                    sections.push(section);
                    *seq += 1;
                    owners.push(core);
                }
            }
        }
        let missing = resolvers.values().find_map(Resolver::missing);
        // Resolvers hold tables alive; what follows may replace them.
        drop(resolvers);
        allowance.check()?;
        let result = WriteResult {
            sequences: sections.iter().map(|s| s.seq).collect(),
            points: sections.iter().map(|s| s.effects.len() as u64).sum(),
            missing,
        };
        let weak = durability != Durability::Sync;
        if sections.is_empty() {
            // What was required was found in writes up to the last one, and holds once that cannot be taken back.
            let lsn = wal.last_lsn();
            return Ok(Ticket {
                shared: self.clone(),
                lsn,
                durability,
                result,
            });
        }

        let numbers = sections.len() as u64;
        if weak && sequencer.weak_unsynced + numbers > WEAK_WINDOW {
            self.sync_to(wal.last_lsn())?;
            sequencer.weak_unsynced = 0;
        }
        let header = record::encode_header(&sections, weak || self.weak.load(Ordering::Acquire))?;
        let collection = if next.len() == 1 {
            sections[0].collection
        } else {
            record::MANY
        };
        let parts: Vec<&[u8]> = std::iter::once(header.as_slice())
            .chain(sections.iter().flat_map(|s| &s.bulk).map(Vec::as_slice))
            .collect();
        let logged = if frees {
            wal.append_from_reserve(record::KIND_EFFECTS, collection, &parts)
        } else {
            wal.append(record::KIND_EFFECTS, collection, &parts)
        };
        let lsn = logged.map_err(|e| self.log_error(e))?;
        for (core, section) in owners.iter().zip(&sections) {
            // Sections were made from these very schemas: an error here is a bug, and the log has the truth.
            if let Err(error) = enter(self, core, section, lsn) {
                sequencer.poisoned = Some(error.to_string());
                self.visibility.poison(&error.to_string());
                return Err(error);
            }
        }
        // The first weak record of a collection is synced, so that its log or its manifest says that others may have
        // followed. Until then it is shown no more than one that asked for it.
        let first = owners.iter().any(|core| !core.weak.load(Ordering::Acquire));
        if weak {
            sequencer.weak_unsynced += numbers;
        }
        let marks = weak && first;
        self.visibility.applied(lsn, !weak || marks);
        if marks {
            self.sync_to(lsn)?;
            owners
                .iter()
                .for_each(|core| core.weak.store(true, Ordering::Release));
            self.weak.store(true, Ordering::Release);
            sequencer.weak_unsynced = 0;
        }
        self.rotate_full(&owners);
        drop(sequencer);
        if durability == Durability::Buffered {
            self.syncer.note(lsn);
        }
        Ok(Ticket {
            shared: self.clone(),
            lsn,
            durability,
            result,
        })
    }

    /// Freezes memtables that have reached their share of the write buffer, and sees to it that the flusher looks
    /// after what has grown too large otherwise. The sequencer's lock is held.
    fn rotate_full(&self, written: &[Arc<Core>]) {
        let mut rotated = false;
        for core in written {
            rotated |= core.rotate_full(self.options.memtable_share());
        }
        if rotated || self.budget.used() >= self.options.write_buffer || self.log_is_long() {
            self.flusher.wake();
        }
    }
}

/// Refuses batches beyond what one may hold.
fn check_size(entries: &[(Arc<Core>, Entry)]) -> Result<()> {
    let points = |(_, entry): &(Arc<Core>, Entry)| match entry {
        Entry::Operation(operation) | Entry::OnExisting(operation) => operation.points(),
        Entry::Require { .. } => 1,
    };
    for (what, found) in [
        ("operations in one batch", entries.len()),
        ("points in one batch", entries.iter().map(points).sum()),
    ] {
        within(what, MAX_BATCH_POINTS, found)?;
    }
    Ok(())
}
