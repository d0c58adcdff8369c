//! Records of the log are read some way ahead of being brought in, so that the collections that they are of are opened
//! together: with many small collections, opening them is most of what opening the database takes.

use std::collections::BTreeSet;

use rayon::prelude::*;
use vdb_vfs::DynDisk;
use vdb_wal::{Item, Lsn, Recovered};

use super::{decode_frame, lost_record};
use crate::error::{Error, Result};
use crate::shared::{Damage, Shared};
use crate::write::record::{MANY, Record};

/// Bytes of records that are read ahead, and how many at most: their headers take memory, too.
const AHEAD_BYTES: usize = 1 << 20;
const AHEAD_RECORDS: usize = 4_096;

/// Fewer collections than this are opened one by one: waking threads would take as long.
const TOGETHER: usize = 16;

/// What the log has next.
pub(super) enum Entry {
    /// A record.
    Record(Lsn, Record),
    /// One that is lost, the collection that it was of, and why.
    Lost(Lsn, u32, Error),
}

impl Entry {
    fn collections(&self) -> impl Iterator<Item = u32> {
        let (sections, lost) = match self {
            Entry::Record(_, record) => (record.sections.as_slice(), None),
            Entry::Lost(_, collection, _) => (&[][..], Some(*collection)),
        };
        sections.iter().map(|section| section.collection).chain(lost)
    }
}

/// The next records, oldest first; none behind the last one. `next_collection` is the number that the catalog has yet to give.
///
/// # Errors
/// When more is damaged than a record of one collection.
pub(super) fn read(recovered: &mut Recovered, disk: &DynDisk, next_collection: u32) -> Result<Vec<Entry>> {
    let (mut entries, mut bytes) = (Vec::new(), 0usize);
    while bytes < AHEAD_BYTES && entries.len() < AHEAD_RECORDS {
        let entry = match recovered.next_item()? {
            None => break,
            Some(Item::Frame(frame)) => {
                bytes = bytes.saturating_add(frame.body.len());
                match decode_frame(disk, &frame, next_collection)? {
                    Ok(record) => Entry::Record(frame.lsn, record),
                    Err(error) => Entry::Lost(frame.lsn, frame.collection, error),
                }
            }
            Some(Item::Damaged(damage)) => {
                let (lsn, collection) = (damage.lsn, damage.collection);
                let error = lost_record(damage);
                if collection == MANY {
                    return Err(error);
                }
                Entry::Lost(lsn, collection, error)
            }
            Some(Item::Lost(error)) => return Err(error.into()),
        };
        entries.push(entry);
    }
    Ok(entries)
}

/// Opens those of the `known` collections that entries are of. One whose files are damaged is noted as such: the others open,
/// and it says what is wrong when it is asked for, and keeps its log.
///
/// # Errors
/// When the disk fails.
pub(super) fn open(shared: &Shared, entries: &[Entry], known: &BTreeSet<u32>) -> Result<()> {
    let named: BTreeSet<u32> = entries.iter().flat_map(Entry::collections).collect();
    let closed: Vec<u32> = {
        let (cores, damaged) = (shared.cores.read(), shared.damaged.lock());
        let is_closed = |id: &u32| !cores.contains_key(id) && !damaged.contains_key(id);
        named.intersection(known).copied().filter(is_closed).collect()
    };
    let opened = open_each(&shared.pool, &closed, |id| shared.load_core(id));
    for (&id, core) in closed.iter().zip(opened) {
        match core {
            Ok(core) => shared.admit(core),
            Err(error) if error.is_confined() => {
                let damage = Damage::of(&error, &shared.disk);
                shared.damaged.lock().insert(id, damage);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What `open` gives for each of these collections, in their order; several at a time where they are many.
pub(crate) fn open_each<T: Send>(
    pool: &rayon::ThreadPool,
    ids: &[u32],
    open: impl Fn(u32) -> T + Sync + Send,
) -> Vec<T> {
    // A thread of another pool would do other work of that one meanwhile, which may want what the caller has locked.
    if ids.len() < TOGETHER || rayon::current_thread_index().is_some() {
        return ids.iter().map(|&id| open(id)).collect();
    }
    pool.install(|| ids.par_iter().map(|&id| open(id)).collect())
}
