//! The log is read past its damage.

use std::collections::{BTreeMap, BTreeSet};

use vdb_storage::PointId;
use vdb_vfs::DynDisk;
use vdb_wal::{Damage, Item, Lsn, Replay};

use super::collection::Collection;
use super::losses::Losses;
use super::survey::Known;
use crate::directory::len_of;
use crate::error::{Error, Result};
use crate::layout::LOG_DIR;
use crate::write::record::{self, EffectKind, KIND_EFFECTS, MANY, Section};

/// What the log has of collections that are not there, by their numbers: points that it has last put.
type Homeless = BTreeMap<u32, BTreeSet<PointId>>;

/// Reads all records that can be read into the collections that they are about.
///
/// # Errors
/// [`Error::Cancelled`]; a log that cannot be read is a loss.
pub(super) fn read(
    disk: &DynDisk,
    collections: &mut [Collection],
    catalog: &Known,
    losses: &mut Losses<'_>,
) -> Result<()> {
    losses.about(None);
    let names = disk.list(LOG_DIR).unwrap_or_default();
    let files = names.iter().filter(|name| vdb_wal::is_log_file(name));
    let lens: Vec<u64> = files
        .map(|name| len_of(disk, &format!("{LOG_DIR}/{name}")))
        .collect();
    losses.expect(lens.iter().sum());
    let mut homeless = Homeless::new();
    if lens.is_empty() && !collections.is_empty() {
        let blame = losses.note(LOG_DIR, "the log is missing".to_owned());
        losses.lose_unnamed(blame, None);
        doubt(collections, MANY);
    }
    let end = match replay(disk, collections, catalog, &mut homeless, losses) {
        Ok(last) => Some(last),
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        Err(error) => {
            let blame = losses.error(LOG_DIR, &error, "the records behind it cannot be read");
            losses.lose_unnamed(blame, None);
            doubt(collections, MANY);
            None
        }
    };
    for (id, points) in homeless.into_iter().filter(|(_, points)| !points.is_empty()) {
        let what = format!("it has points of collection {id:08x}, which is not there: dropped, or lost");
        let blame = losses.note(LOG_DIR, what);
        points.into_iter().for_each(|id| losses.lose(blame, id));
    }
    for len in lens {
        losses.read(len)?;
    }
    if let Some(last) = end {
        check_end(collections, losses, last);
    }
    Ok(())
}

/// The last record that there is, or is known to have been.
fn replay(
    disk: &DynDisk,
    collections: &mut [Collection],
    catalog: &Known,
    homeless: &mut Homeless,
    losses: &mut Losses<'_>,
) -> Result<Lsn> {
    let mut replay = Replay::salvage(disk, LOG_DIR)?;
    let mut last = replay.synced();
    // Where it cannot be read, all that is told of missing records is that there are some before the first one.
    let released = vdb_wal::released_lsn(disk, LOG_DIR).unwrap_or(0);
    collections.iter_mut().for_each(|c| c.released = released);
    let mut next = 0;
    while let Some(item) = replay.next_item()? {
        losses.check()?;
        let lsn = match &item {
            Item::Frame(frame) => Some(frame.lsn),
            Item::Damaged(damage) => Some(damage.lsn),
            Item::Lost(_) => None,
        };
        if let Some(lsn) = lsn {
            if lsn != next {
                collections.iter_mut().for_each(|c| c.miss(lsn - 1));
            }
            next = lsn + 1;
        }
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::Damaged(damage) => {
                note_damage(collections, catalog, damage, losses);
                continue;
            }
            Item::Lost(error) => {
                let released = matches!(&error, vdb_wal::Error::Corrupt { path, .. } if !is_log_path(path));
                let blame = losses.error(LOG_DIR, &error.into(), "");
                if !released {
                    losses.lose_unnamed(blame, None);
                    doubt(collections, MANY);
                }
                continue;
            }
        };
        let (lsn, collection) = (frame.lsn, frame.collection);
        last = last.max(lsn);
        let decoded = match frame.kind {
            KIND_EFFECTS => record::decode(frame.body),
            kind => Err(Error::Damaged {
                file: disk.display(LOG_DIR),
                what: format!("it is of the unknown kind {kind}"),
            }),
        };
        let sections = match decoded {
            Ok(record) => record.sections,
            Err(error) => {
                note_unfit(collections, collection, lsn, &error, losses);
                continue;
            }
        };
        for section in &sections {
            let Some(found) = collections.iter_mut().find(|c| c.id == section.collection) else {
                // What the newest catalog does not name has been dropped.
                if !catalog.is_newest {
                    follow(homeless.entry(section.collection).or_default(), section);
                }
                continue;
            };
            if let Err(error) = found.apply(section, lsn) {
                note_unfit(collections, section.collection, lsn, &error, losses);
            }
        }
    }
    Ok(last)
}

fn is_log_path(path: &str) -> bool {
    vdb_wal::is_log_file(path.rsplit('/').next().unwrap_or(path))
}

/// Follows which points there are without knowing what they are.
fn follow(points: &mut BTreeSet<PointId>, section: &Section) {
    for effect in &section.effects {
        match effect.kind {
            EffectKind::Put | EffectKind::Payload => points.insert(effect.id()),
            EffectKind::Delete => points.remove(&effect.id()),
        };
    }
}

/// A record that cannot be read may have taken numbers of operations.
fn doubt(collections: &mut [Collection], id: u32) {
    for collection in concerned(collections, id) {
        collection.uncertain = true;
    }
}

/// The collections that a record of this number may be about.
fn concerned(collections: &mut [Collection], id: u32) -> impl Iterator<Item = &mut Collection> {
    collections.iter_mut().filter(move |c| id == MANY || c.id == id)
}

fn note_damage(collections: &mut [Collection], catalog: &Known, damage: Damage, losses: &mut Losses<'_>) {
    let Damage {
        path,
        offset,
        lsn,
        collection,
        bytes,
        ..
    } = damage;
    let dropped = catalog.is_newest && collection != MANY && !catalog.ids.contains(&collection);
    let what = format!("record {lsn} ({bytes} bytes) is damaged, with what it has written or deleted");
    let error = Error::Disk(vdb_vfs::Error::Corrupt { path, offset, what });
    note_record(collections, collection, lsn, dropped, &error, losses);
}

fn note_unfit(collections: &mut [Collection], id: u32, lsn: Lsn, error: &Error, losses: &mut Losses<'_>) {
    let error = crate::damage::in_record(lsn, error, losses.display(LOG_DIR));
    note_record(collections, id, lsn, false, &error, losses);
}

fn note_record(
    collections: &mut [Collection],
    id: u32,
    lsn: Lsn,
    dropped: bool,
    error: &Error,
    losses: &mut Losses<'_>,
) {
    for collection in concerned(collections, id) {
        collection.miss(lsn);
    }
    let mine = |c: &&Collection| id == MANY || c.id == id;
    let name = collections.iter().find(|c| c.id == id).map(|c| c.name.clone());
    losses.about(name.as_deref());
    if dropped
        || collections.iter().filter(mine).all(|c| lsn <= c.flushed) && collections.iter().any(|c| mine(&c))
    {
        losses.error(LOG_DIR, error, "its rows are in segments, or dropped");
    } else {
        let blame = losses.error(LOG_DIR, error, "");
        losses.lose_unnamed(blame, None);
        doubt(collections, id);
    }
    losses.about(None);
}

/// A log that ends before what a collection has seen of it has lost files at its end.
fn check_end(collections: &mut [Collection], losses: &mut Losses<'_>, last: Lsn) {
    let Some(first) = collections.iter().find(|c| c.flushed > last) else {
        return;
    };
    // Whatever is missing may have been about any of them.
    let what = format!(
        "collection {:?} has seen the log up to record {}, the log ends at {last}: log files are missing",
        first.name, first.flushed
    );
    let blame = losses.note(LOG_DIR, what);
    losses.lose_unnamed(blame, None);
    doubt(collections, MANY);
}
