//! The one path by which a database is opened, whatever happened to it before.

mod ahead;

use std::collections::{BTreeMap, BTreeSet};

use vdb_storage::manifest::{CollectionManifest, ManifestStore};
use vdb_sys::sync::atomic::Ordering;
use vdb_vfs::DynDisk;
use vdb_wal::{Frame, Lsn, Recovered, Wal, WalOptions};

use crate::config::Options;
use crate::core::past_lost;
use crate::damage::in_record;
use crate::directory;
use crate::error::{Error, Result};
use crate::layout::{CATALOG_DIR, LOCK_FILE, LOG_DIR, collection_dir};
use crate::maintenance::commit::Commit;
use crate::maintenance::fresh::FreshFiles;
use crate::shared::{Damage, Log, Shared};
use crate::write::apply::enter;
use crate::write::record::{self, KIND_EFFECTS, MANY, Record};

use self::ahead::Entry;
pub(crate) use self::ahead::open_each;

/// Opens the database on a disk, creating it where there is none and the options allow it.
pub(crate) fn open(disk: DynDisk, options: Options) -> Result<Shared> {
    recover(disk, options).map_err(Error::with_advice)
}

fn recover(disk: DynDisk, options: Options) -> Result<Shared> {
    directory::refuse_foreign(&disk, options.create)?;
    let lock = disk.lock(LOCK_FILE)?;
    let (catalog, created) = directory::open_catalog(&disk)?;

    // The first catalog is committed before there is a log; every later one after.
    if catalog.generation > 1 && !directory::has_log(&disk)? {
        return Err(directory::no_log(&disk));
    }
    let log_options = WalOptions {
        segment_bytes: options.log_segment_bytes,
    };
    let (wal, recovered) = Wal::open(disk.clone(), LOG_DIR, log_options)?;
    let crashed = !recovered.report().closed_cleanly && recovered.report().files > 0;
    let shared = Shared::new(disk, Log::Writer(Box::new(wal)), catalog, Some(lock), options)?;
    let logged = replay(&shared, recovered)?;
    // Only now is it known that the catalog is no older than the log. Where there was none, nothing is ours.
    if !created {
        directory::remove_strays(&shared.disk, &shared.catalog.lock())?;
    }
    if crashed {
        skip_lost(&shared, &logged)?;
    }
    // What is in the log was acknowledged, or may as well have been: it becomes durable before anyone sees it.
    let last = shared.wal()?.last_lsn();
    shared.sync_to(last)?;
    shared.visibility.applied(last, false);
    shared.flusher.wake();
    shared.optimizer.wake();
    Ok(shared)
}

/// What the log has of a collection.
#[derive(Clone, Copy, Debug, Default)]
struct Logged {
    /// Records of weak durability among others.
    weak: bool,
    /// The greatest sequence number.
    last_seq: u64,
}

/// Brings into memtables what is in the log and in no segment.
fn replay(shared: &Shared, mut recovered: Recovered) -> Result<BTreeMap<u32, Logged>> {
    let known: BTreeSet<u32> = shared.catalog.lock().collections.iter().map(|c| c.id).collect();
    let next = shared.catalog.lock().next_collection_id;
    let mut logged: BTreeMap<u32, Logged> = BTreeMap::new();
    loop {
        let entries = ahead::read(&mut recovered, &shared.disk, next)?;
        if entries.is_empty() {
            return Ok(logged);
        }
        ahead::open(shared, &entries, &known)?;
        for entry in entries {
            match entry {
                Entry::Record(lsn, record) => bring_in(shared, lsn, &record, &known, &mut logged)?,
                Entry::Lost(lsn, collection, error) => set_damaged(shared, collection, lsn, &error),
            }
        }
    }
}

/// Brings a record into the collections that lack it, which are open unless they are damaged.
fn bring_in(
    shared: &Shared,
    lsn: Lsn,
    record: &Record,
    known: &BTreeSet<u32>,
    logged: &mut BTreeMap<u32, Logged>,
) -> Result<()> {
    let mut touched = Vec::new();
    for section in record.sections.iter().filter(|s| known.contains(&s.collection)) {
        let id = section.collection;
        let entry = logged.entry(id).or_default();
        entry.weak |= record.weak;
        entry.last_seq = entry.last_seq.max(section.seq);
        let Some(core) = shared.cores.read().get(&id).cloned() else {
            continue;
        };
        if lsn <= core.manifest.lock().flushed_lsn {
            continue;
        }
        match enter(shared, &core, section, lsn) {
            Ok(()) => touched.push(core),
            // Its checksum fits and its contents do not, or what it copies is damaged: no reason to keep the others closed.
            Err(error) if error.is_confined() => {
                let error = in_record(lsn, &error, shared.disk.display(LOG_DIR));
                set_damaged(shared, id, lsn, &error);
            }
            Err(error) => return Err(error),
        }
    }
    // Only between records: a flush point covers the record that it names in full.
    for core in touched {
        core.rotate_full(shared.options.memtable_share());
    }
    Ok(())
}

/// What a record of the log says. `next_collection` is the number that the catalog has yet to give.
pub(crate) fn decode_frame(
    disk: &DynDisk,
    frame: &Frame<'_>,
    next_collection: u32,
) -> Result<Result<Record>> {
    let lsn = frame.lsn;
    if frame.kind != KIND_EFFECTS {
        let what = format!("record {lsn} is of the unknown kind {}", frame.kind);
        let file = disk.display(LOG_DIR);
        return Err(Error::Damaged { file, what });
    }
    let record = match record::decode(frame.body) {
        Ok(record) => record,
        Err(error) => {
            let damaged = in_record(lsn, &error, disk.display(LOG_DIR));
            // As with damage to its bytes: the header says whose it is, and what it was goes no further.
            return if frame.collection != MANY && error.is_confined() {
                Ok(Err(damaged))
            } else {
                Err(damaged)
            };
        }
    };
    if let Some(newer) = record.sections.iter().find(|s| s.collection >= next_collection) {
        let what = format!(
            "it is older than the log, which has writes to collection {}: a newer catalog is missing",
            newer.collection
        );
        let file = disk.display(CATALOG_DIR);
        return Err(Error::Damaged { file, what });
    }
    Ok(Ok(record))
}

/// A record whose body is damaged.
pub(crate) fn lost_record(damage: vdb_wal::Damage) -> Error {
    Error::Damaged {
        what: format!(
            "record {} at offset {} ({} bytes) is damaged and lost",
            damage.lsn, damage.offset, damage.bytes
        ),
        file: damage.path,
    }
}

/// Skips the sequence numbers that writes of weak durability may have taken and lost with a power cut.
///
/// The manifests say so before anybody writes: the log may be closed cleanly from here on, or the collection may not
/// even be opened, and nothing else would tell the next opening which numbers were given.
fn skip_lost(shared: &Shared, logged: &BTreeMap<u32, Logged>) -> Result<()> {
    let ids: Vec<u32> = shared.catalog.lock().collections.iter().map(|c| c.id).collect();
    for id in ids {
        let in_log = logged.get(&id).copied().unwrap_or_default();
        let is_weak = |manifest: &CollectionManifest| manifest.weak || in_log.weak;
        let floor = |manifest: &CollectionManifest| past_lost(manifest.seq_floor.max(in_log.last_seq));
        let open = shared.cores.read().get(&id).cloned();
        let committed = if let Some(core) = open {
            let mut held = core.manifest.lock();
            if !is_weak(&held) {
                continue;
            }
            // Should this commit fail, the next one has it all the same.
            (held.seq_floor, held.weak) = (floor(&held), false);
            core.next_seq.fetch_max(held.seq_floor + 1, Ordering::AcqRel);
            drop(held);
            let fresh = FreshFiles::of(shared, &core);
            Commit::begin(shared, &core, &fresh).finish(|| ())
        } else {
            // Refused, or not asked for yet; its segments do not matter here.
            let store = ManifestStore::<CollectionManifest>::new(shared.disk.clone(), collection_dir(id));
            let Ok(Some(mut manifest)) = store.load() else {
                // Should it be put back, its numbers are to be skipped then.
                shared.unskipped.store(true, Ordering::Release);
                continue;
            };
            if !is_weak(&manifest) {
                continue;
            }
            (manifest.seq_floor, manifest.weak) = (floor(&manifest), false);
            manifest.generation += 1;
            store.commit(&manifest).map(drop).map_err(Error::from)
        };
        match committed {
            // A full disk must open too, or nothing could ever be deleted from it.
            Err(error) if error.is_no_space() => shared.unskipped.store(true, Ordering::Release),
            committed => committed?,
        }
    }
    Ok(())
}

/// Notes that a collection has lost a record, unless its segments have it.
fn set_damaged(shared: &Shared, collection: u32, lsn: Lsn, error: &Error) {
    let known = shared
        .catalog
        .lock()
        .collections
        .iter()
        .any(|c| c.id == collection);
    let covered = known
        && shared
            .core_by_id(collection)
            .is_ok_and(|core| lsn <= core.manifest.lock().flushed_lsn);
    if known && !covered {
        if let Some(core) = shared.cores.write().remove(&collection) {
            shared.budget.free(core.tables().settled_bytes());
        }
        let damage = || Damage::of(error, &shared.disk);
        shared.damaged.lock().entry(collection).or_insert_with(damage);
    }
}

#[cfg(test)]
mod tests;
