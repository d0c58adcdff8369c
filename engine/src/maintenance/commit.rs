//! Tombstones and the manifest swap: the one commit point of every job.

use std::sync::Arc;

use roaring::RoaringBitmap;
use vdb_storage::manifest::{CollectionManifest, ComponentRecord, ManifestStore};
use vdb_storage::tombstone::{self, Tombstones};
use vdb_storage::{Component, SegmentFile};
use vdb_sys::sync::MutexGuard;
use vdb_sys::sync::atomic::Ordering;
use vdb_wal::Lsn;

use crate::core::Core;
use crate::error::{Error, Result};
use crate::maintenance::dropped::{Kept, forget_all_dropped, without_dropped};
use crate::maintenance::fresh::FreshFiles;
use crate::segment::Segment;
use crate::shared::Shared;

/// A manifest about to be committed.
pub(crate) struct Commit<'a> {
    shared: &'a Shared,
    core: &'a Core,
    current: MutexGuard<'a, CollectionManifest>,
    pub(crate) next: CollectionManifest,
    /// What the next manifest names and the present one does not.
    fresh: &'a FreshFiles<'a>,
    /// Tombstone files and payload indexes that the next manifest no longer names.
    stale: Vec<String>,
}

impl<'a> Commit<'a> {
    /// Starts from the present manifest; nobody else changes it meanwhile.
    ///
    /// The generation's number is spent even if nothing comes of it. Where a sync of the directory fails, a later
    /// one need not save the names that this one was for: those made from the number are not made again.
    pub(crate) fn begin(shared: &'a Shared, core: &'a Core, fresh: &'a FreshFiles<'a>) -> Commit<'a> {
        let mut current = core.manifest.lock();
        current.generation += 1;
        let mut next = current.clone();
        next.next_segment_id = core.next_segment.load(Ordering::Acquire);
        Commit {
            shared,
            core,
            current,
            next,
            fresh,
            stale: Vec::new(),
        }
    }

    /// Brings the tombstone file of a segment up to what has died by the manifest's flush point. Later deaths stay
    /// in the log: a write that is not durable yet must not leave a trace here.
    pub(crate) fn tombstones(&mut self, id: u64, deaths: impl Iterator<Item = (u32, Lsn)>) -> Result<()> {
        let flushed = self.next.flushed_lsn;
        let deleted: RoaringBitmap = deaths
            .filter(|&(_, lsn)| lsn <= flushed)
            .map(|(row, _)| row)
            .collect();
        let Some(record) = self.next.segments.iter_mut().find(|s| s.id == id) else {
            return Ok(());
        };
        let old = record.component(Component::Tombstones).cloned();
        if deleted.is_empty() && old.is_none() {
            return Ok(());
        }
        let disk = &*self.shared.disk;
        let path = |revision| SegmentFile {
            segment: id,
            component: Component::Tombstones,
            revision,
        };
        if let Some(old) = &old {
            let shown = path(old.revision).path(&self.core.dir);
            if tombstone::read(disk, &shown)?.0.deleted == deleted {
                return Ok(());
            }
            self.stale.push(shown);
        }
        // Past the present file too, should the generation not fit a revision.
        let file = path((self.next.generation as u32).max(old.map_or(0, |o| o.revision + 1)));
        let tombstones = Tombstones {
            segment_id: id,
            rows: record.rows,
            max_seq: self.next.seq_floor,
            deleted,
        };
        let info = tombstone::write(disk, &self.fresh.adopt(file.path(&self.core.dir)), &tombstones)?;
        record
            .components
            .retain(|c| c.component() != Some(Component::Tombstones));
        record.components.push(ComponentRecord::new(&file, info));
        Ok(())
    }

    /// Brings the tombstone files of these segments up to date.
    pub(crate) fn all_tombstones(&mut self, segments: &[Arc<Segment>]) -> Result<()> {
        segments
            .iter()
            .try_for_each(|s| self.tombstones(s.record.id, s.deletions.iter()))
    }

    /// Adds a segment that was made under an earlier schema perhaps, and answers it as readers may have it: without what was
    /// dropped meanwhile, whose files go with the commit.
    pub(crate) fn add(&mut self, segment: &Arc<Segment>) -> Arc<Segment> {
        self.next.segments.push(segment.record.clone());
        without_dropped(segment, &Kept::by(&self.next.schema))
    }

    /// Swaps the manifest, then lets `publish` change what readers start from.
    pub(crate) fn finish(mut self, publish: impl FnOnce()) -> Result<()> {
        self.swap(publish)
    }

    /// As [`finish`](Self::finish), for what must not take effect later, at the next opening, when it has failed: the medium may
    /// have that manifest all the same. Then a younger one says what is in force.
    ///
    /// # Errors
    /// What failed, and whether the present state could be put in front of it. Where it could not, nothing may be written that
    /// the failed change would take away.
    pub(crate) fn finish_or_take_back(mut self, publish: impl FnOnce()) -> Result<(), NotDone> {
        self.swap(publish).map_err(|error| NotDone {
            unsettled: self.take_back().err().map(|why| why.to_string()),
            error,
        })
    }

    fn take_back(&mut self) -> Result<()> {
        if self.is_not_there() {
            return Ok(());
        }
        self.current.generation += 1;
        self.put_down(&self.current)
    }

    /// Commits a manifest; the manifest's lock is held.
    fn put_down(&self, manifest: &CollectionManifest) -> Result<()> {
        let put = self.store().commit(manifest);
        if put.is_err() {
            self.core.failed_commits.fetch_add(1, Ordering::AcqRel);
        }
        Ok(put.map(drop)?)
    }

    /// True when the manifest, whose commit has failed, certainly has no name that a later opening could find.
    fn is_not_there(&self) -> bool {
        let there = self.store().generations();
        there.is_ok_and(|there| there.last() < Some(&self.current.generation))
    }

    fn store(&self) -> ManifestStore<CollectionManifest> {
        ManifestStore::new(self.shared.disk.clone(), self.core.dir.clone())
    }

    fn swap(&mut self, publish: impl FnOnce()) -> Result<()> {
        if self.core.dropped.load(Ordering::Acquire) {
            return Err(Error::CollectionNotFound {
                name: self.core.dir.clone(),
            });
        }
        // The directory's lock is about to go: whoever takes it next must find nobody writing.
        self.shared.check_writable()?;
        let dropped = forget_all_dropped(&mut self.next);
        self.next.segments.sort_unstable_by_key(|s| s.id);
        if !self.fresh.can_be_saved() {
            return Err(Error::from(vdb_vfs::Error::Io {
                path: self.shared.disk.display(&self.core.dir),
                op: "sync",
                source: std::io::Error::other(
                    "another one failed while files were made here: they have to be made again",
                ),
            }));
        }
        let kept = self.fresh.keep();
        if let Err(error) = self.put_down(&self.next) {
            if self.is_not_there() {
                self.fresh.give_up(kept);
            }
            return Err(error);
        }
        std::mem::swap(&mut *self.current, &mut self.next);
        let before = self.core.tables().segments.clone();
        publish();
        for file in dropped {
            let path = file.path(&self.core.dir);
            let held = before.iter().find(|s| s.record.id == file.segment);
            match (file.component, held) {
                // A job that runs may be about to read them, by their name.
                (
                    Component::Vectors(slot) | Component::Sparse(slot) | Component::Multi(slot),
                    Some(segment),
                ) => segment.retire_vectors(slot, path),
                _ => self.stale.push(path),
            }
        }
        for path in std::mem::take(&mut self.stale) {
            // Readers have them mapped. The next open removes what cannot be removed now.
            let _ = self.shared.disk.remove(&path);
        }
        Ok(())
    }
}

/// A change that has failed.
pub(crate) struct NotDone {
    pub(crate) error: Error,
    /// Why the next opening may find it done nevertheless.
    pub(crate) unsettled: Option<String>,
}
