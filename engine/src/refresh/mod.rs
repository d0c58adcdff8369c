//! Opening a database without writing to it, and following whoever writes.
//!
//! The directory of a database is at every moment what a crash would leave, and a reader makes of it what recovery
//! would, in memory of its own: catalog, manifests, segments, then the log. But the writer goes on between those steps.
//! `docs/design.md` ("Reading beside a writer") says why what is published is one committed state all the same.
//!
//! | file | what |
//! |---|---|
//! | `reading.rs` | one attempt to read all that changed |
//! | `mod.rs` | attempts until one succeeds; what it read is published in one step |

mod reading;

use std::sync::Arc;

use vdb_storage::manifest::Catalog;
use vdb_sys::sync::atomic::Ordering;
use vdb_vfs::DynDisk;

use self::reading::Reading;
use crate::config::Options;
use crate::directory;
use crate::error::{Error, Result};
use crate::follower::{Followed, Follower};
use crate::shared::{Log, Shared};

/// How often a database that changes all the time is read before giving up. One attempt fails when the writer releases
/// log files or commits a catalog during a small part of it: many in a row hardly ever do.
const ATTEMPTS: usize = 100;

/// Opens the database on a disk for reading only.
pub(crate) fn open(disk: DynDisk, options: Options) -> Result<Shared> {
    directory::refuse_foreign(&disk, false)?;
    let follower = Follower::default();
    let shared = Shared::new(disk, Log::Reader(follower), Catalog::default(), None, options)?;
    refresh(&shared).map_err(Error::with_advice)?;
    Ok(shared)
}

/// Reads what has been committed since the last time, and shows it. True when there was anything. Whoever writes sees
/// everything as it is.
pub(crate) fn refresh(shared: &Shared) -> Result<bool> {
    let Some(follower) = shared.follower() else {
        return Ok(false);
    };
    let followed = &mut *follower.followed.lock();
    followed.patience.begin();
    for _ in 0..ATTEMPTS {
        shared.check_open()?;
        match reading::read(shared, followed) {
            Ok(Some(reading)) => return Ok(publish(shared, follower, followed, reading)),
            Ok(None) => {}
            // A file that is not where it was said to be may have been replaced meanwhile.
            Err(error) if error.is_confined() && !followed.patience.is_lasting(None, &error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Changing {
        path: shared.disk.display(""),
        attempts: ATTEMPTS,
    })
}

/// Shows what was read, all of it at once. True when it is not what was shown before.
fn publish(shared: &Shared, follower: &Follower, followed: &mut Followed, reading: Reading) -> bool {
    let mut catalog = shared.catalog.lock();
    let turn = follower.hold_alone();
    let mut cores = shared.cores.write();
    let changed = catalog.generation != reading.catalog.generation
        || followed.last != reading.last
        || reading.parts.values().any(|part| part.is_fresh);
    cores.retain(|id, core| {
        let stays = reading.parts.contains_key(id);
        core.dropped.fetch_or(!stays, Ordering::AcqRel);
        if reading.refused.contains_key(id) {
            followed.refused.insert(*id, core.clone());
        }
        stays
    });
    for (&id, part) in &reading.parts {
        let core = cores.entry(id).or_insert_with(|| {
            // Handles to one that is sound again work again.
            followed.refused.remove(&id).unwrap_or_else(|| part.core.clone())
        });
        if !Arc::ptr_eq(core, &part.core) {
            core.become_newer(&part.core);
            core.dropped.store(false, Ordering::Release);
        }
        core.next_seq.fetch_max(part.last_seq + 1, Ordering::AcqRel);
        if core.tables().active.asks_for_growth() {
            shared.grower.wake();
        }
    }
    followed.refused.retain(|id, _| reading.refused.contains_key(id));
    *shared.damaged.lock() = reading.refused;
    shared.visibility.set(reading.horizon);
    *catalog = reading.catalog;
    shared.roster.follow(&catalog);
    drop(turn);
    follower.log_bytes.store(reading.log_bytes, Ordering::Relaxed);
    (followed.last, followed.stale) = (reading.last, false);
    changed
}
