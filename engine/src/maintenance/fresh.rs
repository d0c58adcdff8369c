//! Files of a job that has not been committed.

use vdb_sys::sync::Mutex;
use vdb_vfs::Disk;

/// Removes the files that a job has made unless its commit may name them: a job that fails, or is cancelled, must not
/// eat up the disk with every attempt.
///
/// Dropped under the lock that keeps the job's collection from others (flushing or optimizing), so that the database
/// cannot have been closed and opened by somebody else meanwhile.
#[derive(Debug)]
pub(crate) struct FreshFiles<'a> {
    disk: &'a dyn Disk,
    paths: Mutex<Vec<String>>,
}

impl<'a> FreshFiles<'a> {
    pub(crate) fn new(disk: &'a dyn Disk) -> Self {
        FreshFiles {
            disk,
            paths: Mutex::default(),
        }
    }

    /// Takes charge of a file that is about to be made; returns its path.
    pub(crate) fn adopt(&self, path: String) -> String {
        self.paths.lock().push(path.clone());
        path
    }

    /// Puts the files in charge of another.
    pub(crate) fn hand_over(self, to: &Self) {
        to.paths.lock().append(&mut self.paths.lock());
    }

    /// Leaves the files where they are, and returns their paths: from here on a manifest on the medium may name them.
    pub(crate) fn keep(&self) -> Vec<String> {
        std::mem::take(&mut *self.paths.lock())
    }

    /// Takes charge again of files that were kept for a manifest which is certainly not there.
    pub(crate) fn give_up(&self, paths: Vec<String>) {
        self.paths.lock().extend(paths);
    }
}

impl Drop for FreshFiles<'_> {
    fn drop(&mut self) {
        for path in self.paths.lock().drain(..) {
            // What cannot be removed now is removed at the next open: no manifest names it.
            let _ = self.disk.remove(&path);
        }
    }
}
