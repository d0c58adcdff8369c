//! The one path by which a database is opened, whatever happened to it before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use parking_lot::{Mutex, RwLock};
use vdb_storage::manifest::{Catalog, ManifestStore};
use vdb_vfs::DynDisk;
use vdb_wal::{Item, Lsn, Recovered, Wal, WalOptions};

use crate::budget::Budget;
use crate::config::Options;
use crate::core::WEAK_WINDOW;
use crate::error::{Error, Result};
use crate::layout::{CATALOG_DIR, COLLECTIONS_DIR, LOCK_FILE, LOG_DIR, TEMP_DIR, collection_dir};
use crate::shared::{Sequencer, Shared};
use crate::signal::{Signal, Syncer};
use crate::visibility::Visibility;
use crate::write::apply::enter;
use crate::write::record::{self, KIND_EFFECTS, MANY};

/// Opens the database on a disk, creating it where there is none and the options allow it.
pub(crate) fn open(disk: DynDisk, options: Options) -> Result<Shared> {
    refuse_foreign(&disk, options.create)?;
    let lock = disk.lock(LOCK_FILE)?;
    let catalog = open_catalog(&disk)?;

    // The first catalog is committed before there is a log; every later one after.
    if catalog.generation > 1 && disk.list(LOG_DIR)?.is_empty() {
        let what = "the log is missing; what was in no segment yet is lost".to_owned();
        return Err(Error::Damaged {
            file: disk.display(LOG_DIR),
            what,
        });
    }
    let log_options = WalOptions {
        segment_bytes: options.log_segment_bytes,
        ..WalOptions::default()
    };
    let (wal, recovered) = Wal::open(disk.clone(), LOG_DIR, log_options)?;
    let crashed = !recovered.report().closed_cleanly && recovered.report().files > 0;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .thread_name(|i| format!("vdb-pool-{i}"))
        .build()
        .map_err(|e| Error::InvalidRequest(format!("cannot start the thread pool: {e}")))?;
    let shared = Shared {
        disk,
        wal,
        pool,
        sequencer: Mutex::new(Sequencer::default()),
        visibility: Visibility::new(0),
        catalog: Mutex::new(catalog),
        cores: RwLock::new(BTreeMap::new()),
        budget: Budget::new(options.write_buffer.saturating_mul(2)),
        syncer: Syncer::default(),
        flusher: Signal::default(),
        optimizer: Signal::default(),
        stopping: AtomicBool::new(false),
        weak: AtomicBool::new(false),
        crashed,
        damaged: Mutex::new(BTreeMap::new()),
        lock: Mutex::new(Some(lock)),
        options,
    };
    replay(&shared, recovered)?;
    // Only now is it known that the catalog is no older than the log.
    remove_strays(&shared.disk, &shared.catalog.lock())?;
    // What is in the log was acknowledged, or may as well have been: it becomes durable before anyone sees it.
    shared.sync_to(shared.wal.last_lsn())?;
    shared.visibility.applied(shared.wal.last_lsn(), false);
    shared.flusher.wake();
    shared.optimizer.wake();
    Ok(shared)
}

/// Refuses a directory that holds something else, before anything is written to it.
fn refuse_foreign(disk: &DynDisk, create: bool) -> Result<()> {
    let names = disk.list("")?;
    if names.iter().any(|n| n == CATALOG_DIR) {
        return Ok(());
    }
    let path = disk.display("");
    // An interrupted creation leaves empty directories.
    let unfinished = |name: &str| {
        [COLLECTIONS_DIR, LOG_DIR].contains(&name) && disk.list(name).is_ok_and(|inside| inside.is_empty())
    };
    if let Some(stranger) = names.iter().find(|n| *n != LOCK_FILE && !unfinished(n)) {
        let why = format!("it holds {stranger:?} and no {CATALOG_DIR:?}; choose an empty or new directory");
        return Err(Error::NotADatabase { path, why });
    }
    if !create {
        return Err(Error::NotADatabase {
            path,
            why: "it is empty".into(),
        });
    }
    Ok(())
}

fn open_catalog(disk: &DynDisk) -> Result<Catalog> {
    let store = ManifestStore::<Catalog>::new(disk.clone(), CATALOG_DIR);
    // Directories first, catalog last: without one, whatever else is there is an interrupted creation.
    for dir in [COLLECTIONS_DIR, LOG_DIR, CATALOG_DIR] {
        if !disk.exists(dir)? {
            disk.create_dir_all(dir)?;
        }
    }
    if let Some(catalog) = store.load()? {
        return Ok(catalog);
    }
    let logged = disk.list(LOG_DIR)?;
    let collections = disk.list(COLLECTIONS_DIR)?;
    if !logged.is_empty() || !collections.is_empty() {
        return Err(Error::Damaged {
            file: disk.display(CATALOG_DIR),
            what: "the catalog is missing while the log or collections are there".into(),
        });
    }
    disk.sync_dir("")?;
    // Number 0 marks log records of several collections.
    let catalog = Catalog {
        generation: 1,
        next_collection_id: 1,
        ..Catalog::default()
    };
    store.commit(&catalog)?;
    Ok(catalog)
}

/// Removes directories that no catalog names: collections that were being created or dropped, and what snapshots
/// and restorations were working on.
fn remove_strays(disk: &DynDisk, catalog: &Catalog) -> Result<()> {
    let known: BTreeSet<String> = catalog.collections.iter().map(|c| collection_dir(c.id)).collect();
    for name in disk.list(COLLECTIONS_DIR)? {
        let dir = format!("{COLLECTIONS_DIR}/{name}");
        if !known.contains(&dir) {
            disk.remove_dir_all(&dir)?;
        }
    }
    disk.remove_dir_all(TEMP_DIR)?;
    vdb_vfs::replace::remove_temps(&**disk, CATALOG_DIR)?;
    Ok(())
}

/// Brings into memtables what is in the log and in no segment.
fn replay(shared: &Shared, mut recovered: Recovered) -> Result<()> {
    let known: BTreeSet<u32> = shared.catalog.lock().collections.iter().map(|c| c.id).collect();
    let next = shared.catalog.lock().next_collection_id;
    let mut weak = BTreeSet::new();
    let mut touched = Vec::new();
    while let Some(item) = recovered.next_item()? {
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::Damaged(damage) => {
                let what = format!(
                    "{}: record {} at offset {} ({} bytes) is damaged and lost",
                    damage.path, damage.lsn, damage.offset, damage.bytes
                );
                if damage.collection == MANY {
                    return Err(Error::Damaged {
                        file: damage.path,
                        what,
                    });
                }
                set_damaged(shared, damage.collection, damage.lsn, what);
                continue;
            }
            Item::Lost(error) => return Err(error.into()),
        };
        if frame.kind != KIND_EFFECTS {
            let what = format!("record {} is of the unknown kind {}", frame.lsn, frame.kind);
            return Err(Error::Damaged {
                file: shared.disk.display(LOG_DIR),
                what,
            });
        }
        let lsn = frame.lsn;
        let record = record::decode(frame.body)?;
        if let Some(newer) = record.sections.iter().find(|s| s.collection >= next) {
            let what = format!(
                "it is older than the log, which has writes to collection {}: a newer catalog is missing",
                newer.collection
            );
            return Err(Error::Damaged {
                file: shared.disk.display(CATALOG_DIR),
                what,
            });
        }
        for section in record.sections.iter().filter(|s| known.contains(&s.collection)) {
            if shared.damaged.lock().contains_key(&section.collection) {
                continue;
            }
            let core = match shared.core_by_id(section.collection) {
                Ok(core) => core,
                // The others open; this one says what is wrong when it is asked for, and keeps its log.
                Err(error) if is_damage(&error) => {
                    shared
                        .damaged
                        .lock()
                        .insert(section.collection, error.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            };
            if record.weak {
                weak.insert(section.collection);
            }
            if lsn <= core.manifest.lock().flushed_lsn {
                continue;
            }
            enter(shared, &core, section, lsn)?;
            touched.push(core);
        }
        // Only between records: a flush point covers the record that it names in full.
        for core in touched.drain(..) {
            core.rotate_full(shared.options.memtable_share());
        }
    }
    if shared.crashed {
        for id in weak {
            shared
                .core_by_id(id)?
                .next_seq
                .fetch_add(WEAK_WINDOW, std::sync::atomic::Ordering::AcqRel);
        }
    }
    Ok(())
}

fn is_damage(error: &Error) -> bool {
    let of_disk = |error: &vdb_vfs::Error| {
        use vdb_vfs::Error::{Corrupt, NotFound, Version};
        matches!(error, Corrupt { .. } | Version { .. } | NotFound { .. })
    };
    matches!(error, Error::Damaged { .. })
        || matches!(error, Error::Storage(error) if error.is_corruption())
        || matches!(error, Error::Storage(vdb_storage::Error::Disk(error)) if of_disk(error))
        || matches!(error, Error::Disk(error) if of_disk(error))
}

/// Notes that a collection has lost a record, unless its segments have it.
fn set_damaged(shared: &Shared, collection: u32, lsn: Lsn, what: String) {
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
            shared.budget.free(core.tables().memtable_bytes());
        }
        shared.damaged.lock().insert(collection, what);
    }
}
