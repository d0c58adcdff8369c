//! Files of a job that has not been committed.

use vdb_sys::sync::Mutex;
use vdb_sys::sync::atomic::{AtomicU64, Ordering};
use vdb_vfs::Disk;

use crate::core::Core;
use crate::shared::Shared;

/// Removes the files that a job has made unless its commit may name them: a job that fails, or is cancelled, must not
/// eat up the disk with every attempt.
///
/// Dropped under the lock that keeps the job's collection from others (flushing or optimizing), so that the database
/// cannot have been closed and opened by somebody else meanwhile.
#[derive(Debug)]
pub(crate) struct FreshFiles<'a> {
    disk: &'a dyn Disk,
    /// Counts commits of the collection that have failed.
    failures: &'a AtomicU64,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    paths: Vec<String>,
    /// How many commits had failed before the first file was made.
    failures: Option<u64>,
}

impl<'a> FreshFiles<'a> {
    /// Of a job on a collection that has made none yet.
    pub(crate) fn of(shared: &'a Shared, core: &'a Core) -> Self {
        FreshFiles::new(&*shared.disk, &core.failed_commits)
    }

    /// As [`of`](Self::of); `failures` counts commits of the collection that have failed.
    fn new(disk: &'a dyn Disk, failures: &'a AtomicU64) -> Self {
        FreshFiles {
            disk,
            failures,
            made: Mutex::default(),
        }
    }

    /// Takes charge of a file that is about to be made; returns its path.
    pub(crate) fn adopt(&self, path: String) -> String {
        let mut made = self.made.lock();
        let now = self.failures.load(Ordering::Acquire);
        made.failures.get_or_insert(now);
        made.paths.push(path.clone());
        path
    }

    /// Whether the next sync of the directory saves the names of all files. Where one has failed, which was another job's,
    /// the medium may have lost what was made before it, and no later sync need make up for that. Asked under the manifest's
    /// lock, which a commit holds until its failure is counted.
    pub(crate) fn can_be_saved(&self) -> bool {
        let before = self.made.lock().failures;
        before.is_none_or(|before| before == self.failures.load(Ordering::Acquire))
    }

    /// Puts the files in charge of another.
    pub(crate) fn hand_over(self, to: &Self) {
        let mut own = std::mem::take(&mut *self.made.lock());
        let mut made = to.made.lock();
        made.paths.append(&mut own.paths);
        // The fewer had failed, the more may have since.
        made.failures = match (made.failures, own.failures) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Leaves the files where they are, and returns their paths: from here on a manifest on the medium may name them.
    pub(crate) fn keep(&self) -> Vec<String> {
        std::mem::take(&mut self.made.lock().paths)
    }

    /// Takes charge again of files that were kept for a manifest which is certainly not there.
    pub(crate) fn give_up(&self, paths: Vec<String>) {
        self.made.lock().paths.extend(paths);
    }
}

impl Drop for FreshFiles<'_> {
    fn drop(&mut self) {
        for path in self.made.lock().paths.drain(..) {
            // What cannot be removed now is removed at the next open: no manifest names it.
            let _ = self.disk.remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use vdb_sys::sync::atomic::{AtomicU64, Ordering};
    use vdb_vfs::MemDisk;

    use super::FreshFiles;

    #[test]
    fn files_made_before_a_commit_of_others_failed_are_not_relied_on() {
        let (disk, failures) = (MemDisk::new(), AtomicU64::new(3));
        let fail = || failures.fetch_add(1, Ordering::AcqRel);
        let of = || FreshFiles::new(&disk, &failures);
        let (early, late) = (of(), of());
        assert!(early.can_be_saved());
        early.adopt("a".to_owned());
        assert!(early.can_be_saved());
        fail();
        late.adopt("b".to_owned());
        assert!(!early.can_be_saved() && late.can_be_saved());
        // Kept for a commit, or put in charge of another, they are the same files.
        early.keep();
        assert!(!early.can_be_saved());
        early.hand_over(&late);
        assert!(!late.can_be_saved());
        let fresh = of();
        late.hand_over(&fresh);
        assert!(!fresh.can_be_saved());
    }
}
