//! One attempt to read a database that somebody may be writing to.
//!
//! The order matters: up to where the log was released, the catalog, manifests and segments, the log, and then whether
//! the catalog and the schemas are still the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use vdb_storage::manifest::{Catalog, CollectionManifest, ManifestStore};
use vdb_vfs::DynDisk;
use vdb_wal::{Frame, Item, Lsn, Mark, Replay};

use crate::core::Core;
use crate::damage::in_record;
use crate::directory;
use crate::error::{Error, Result};
use crate::follower::Followed;
use crate::layout::{CATALOG_DIR, LOG_DIR};
use crate::recovery::{decode_frame, lost_record, open_each};
use crate::shared::{Damage, Shared};
use crate::write::apply::apply;
use crate::write::record::MANY;

/// A committed state, read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) catalog: Catalog,
    pub(super) parts: BTreeMap<u32, Part>,
    /// Collections that are damaged.
    pub(super) refused: BTreeMap<u32, Damage>,
    /// The last record of the log.
    pub(super) last: Option<Mark>,
    /// All records up to this one are in.
    pub(super) horizon: Lsn,
    pub(super) log_bytes: u64,
}

/// A collection, read.
#[derive(Debug)]
pub(super) struct Part {
    /// Of its own while it is fresh; else the one that others read from, in which records above the horizon are not
    /// seen yet.
    pub(super) core: Arc<Core>,
    /// Read anew from its manifest.
    pub(super) is_fresh: bool,
    pub(super) last_seq: u64,
    /// Records up to this one are in.
    applied: Lsn,
}

/// Reads all that has changed since. `None` when it changed once more meanwhile.
pub(super) fn read(shared: &Shared, followed: &mut Followed) -> Result<Option<Reading>> {
    let disk = &shared.disk;
    let released = vdb_wal::released_lsn(disk, LOG_DIR)?;
    let catalogs = ManifestStore::<Catalog>::new(disk.clone(), CATALOG_DIR);
    let Some(catalog) = catalogs.load()? else {
        return Ok(None);
    };
    // The last record tells whether the log is still the one that was read.
    let known = followed
        .last
        .filter(|last| last.lsn > released && !followed.stale);
    let mut reading = Reading {
        catalog,
        parts: BTreeMap::new(),
        refused: BTreeMap::new(),
        last: None,
        horizon: released,
        log_bytes: 0,
    };
    let ids = ids(&reading.catalog);
    let parts = {
        let followed = &*followed;
        open_each(&shared.pool, &ids, |id| part(shared, followed, known, id))
    };
    for (&id, part) in ids.iter().zip(parts) {
        match part {
            Ok(part) => drop(reading.parts.insert(id, part)),
            Err(error) => {
                if !reading.refuse(shared, followed, id, error)? {
                    return Ok(None);
                }
            }
        }
    }
    if !reading.replay(shared, followed, known, released)? {
        return Ok(None);
    }
    // Names, vectors and settings are those of the moment at which the log ended.
    let newest = catalogs.generations()?.pop();
    let is_same = newest == Some(reading.catalog.generation)
        && (reading.last == known || reading.has_newest_schemas(&shared.disk)?);
    Ok(is_same.then_some(reading))
}

fn ids(catalog: &Catalog) -> Vec<u32> {
    catalog.collections.iter().map(|c| c.id).collect()
}

/// A collection as its newest manifest has it; the one that is there, if that is the same.
fn part(shared: &Shared, followed: &Followed, known: Option<Mark>, id: u32) -> Result<Part> {
    let present = shared.cores.read().get(&id).cloned();
    let is_first = present.is_none();
    if let Some(core) = present.filter(|_| !followed.stale) {
        let store = ManifestStore::<CollectionManifest>::new(shared.disk.clone(), core.dir.clone());
        let newest = store.generations()?.pop();
        let (generation, flushed) = {
            let held = core.manifest.lock();
            (held.generation, held.flushed_lsn)
        };
        // Without a known place in the log only one into which nothing was brought from there can stay.
        if newest == Some(generation) && (known.is_some() || core.tables().active.is_empty()) {
            return Ok(Part {
                applied: known.map_or(flushed, |last| last.lsn),
                last_seq: core.last_seq(),
                core,
                is_fresh: false,
            });
        }
    }
    let core = Core::load(&shared.disk, id)?;
    // Later segments have been written a moment ago, and are in memory for that.
    if is_first {
        shared.read_ahead(&core);
    }
    let applied = core.manifest.lock().flushed_lsn;
    Ok(Part {
        applied,
        last_seq: core.last_seq(),
        core: Arc::new(core),
        is_fresh: true,
    })
}

impl Reading {
    /// Leaves out a collection that is damaged. False when that has yet to be seen.
    fn refuse(&mut self, shared: &Shared, followed: &mut Followed, id: u32, error: Error) -> Result<bool> {
        if !error.is_confined() {
            return Err(error);
        }
        if !followed.patience.is_lasting(Some(id), &error) {
            return Ok(false);
        }
        self.parts.remove(&id);
        self.refused.insert(id, Damage::of(&error, &shared.disk));
        Ok(true)
    }

    /// Brings in what is in the log and in no segment. False when the log is not what it was a moment ago.
    fn replay(
        &mut self,
        shared: &Shared,
        followed: &mut Followed,
        known: Option<Mark>,
        released: Lsn,
    ) -> Result<bool> {
        let disk = &shared.disk;
        // The known record itself is read again, to be compared.
        let from = known.map_or(0, |last| {
            let firsts = self.parts.values().map(|part| part.applied + 1);
            firsts.fold(last.lsn, Lsn::min)
        });
        let mut log = Replay::open(disk, LOG_DIR, from)?;
        if log.released() != released {
            return Ok(false);
        }
        // The first catalog is committed before there is a log; every later one after.
        if log.bytes() == 0 && self.catalog.generation > 1 && !matches!(directory::has_log(disk), Ok(true)) {
            return Err(directory::no_log(disk));
        }
        self.log_bytes = log.bytes();
        let mut is_same = known.is_none();
        while let Some(item) = log.next_item()? {
            match item {
                Item::Frame(frame) => {
                    if let Some(last) = known.filter(|last| last.lsn == frame.lsn) {
                        is_same = last == frame.mark;
                    }
                    (self.last, self.horizon) = (Some(frame.mark), frame.lsn);
                    if !self.bring_in(shared, followed, frame)? {
                        return Ok(false);
                    }
                }
                Item::Damaged(damage) => {
                    self.horizon = damage.lsn;
                    let id = damage.collection;
                    let is_wanted = |part: &Part| part.applied < damage.lsn;
                    let is_lacking = self.parts.get(&id).is_some_and(is_wanted);
                    let error = lost_record(damage);
                    if id == MANY {
                        return Err(error);
                    }
                    if is_lacking && !self.refuse(shared, followed, id, error)? {
                        return Ok(false);
                    }
                }
                Item::Lost(error) => return Err(error.into()),
            }
        }
        if !is_same {
            // What was read last was taken back, or the files were put back: nothing that came from there can stay.
            followed.stale = true;
            return Ok(false);
        }
        for id in ids(&self.catalog) {
            let Some(part) = self.parts.get(&id) else {
                continue;
            };
            if let Err(error) = part.core.check_log(disk, self.horizon)
                && !self.refuse(shared, followed, id, error)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// False when a schema has been changed since its manifest was read. Records that were written later may be in what was
    /// read of the log, and may bring vectors that the older schema does not know.
    fn has_newest_schemas(&self, disk: &DynDisk) -> Result<bool> {
        for part in self.parts.values() {
            let store = ManifestStore::<CollectionManifest>::new(disk.clone(), part.core.dir.clone());
            let newest = store.generations()?.pop();
            let held = part.core.manifest.lock();
            // Flushes and merges commit manifests too, and change no schema.
            if newest != Some(held.generation)
                && store.load()?.is_none_or(|newest| newest.schema != held.schema)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Brings a record into the collections that lack it. False when one seems to be damaged and that has yet to be
    /// seen.
    fn bring_in(&mut self, shared: &Shared, followed: &mut Followed, frame: Frame<'_>) -> Result<bool> {
        let lacks = |parts: &BTreeMap<u32, Part>, id| {
            parts.get(&id).is_some_and(|part: &Part| part.applied < frame.lsn)
        };
        let is_known = frame.collection != MANY && frame.collection < self.catalog.next_collection_id;
        if is_known && !lacks(&self.parts, frame.collection) {
            return Ok(true);
        }
        let record = match decode_frame(&shared.disk, &frame, self.catalog.next_collection_id)? {
            Ok(record) => record,
            Err(error) => return self.refuse(shared, followed, frame.collection, error),
        };
        for section in &record.sections {
            let id = section.collection;
            let Some(part) = self.parts.get_mut(&id).filter(|part| part.applied < frame.lsn) else {
                continue;
            };
            followed.stale |= !part.is_fresh;
            part.last_seq = part.last_seq.max(section.seq);
            if let Err(mut error) = apply(&part.core.tables(), section, frame.lsn) {
                if error.is_confined() {
                    error = in_record(frame.lsn, &error, shared.disk.display(LOG_DIR));
                }
                if !self.refuse(shared, followed, id, error)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
