//! Files that go once nobody looks into them.

use std::sync::Arc;

use vdb_sys::sync::Mutex;
use vdb_vfs::DynDisk;

/// Removes files once nobody looks into them.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) disk: DynDisk,
    retired: Mutex<Vec<String>>,
}

impl Files {
    pub(super) fn new(disk: &DynDisk) -> Arc<Self> {
        Arc::new(Files {
            disk: disk.clone(),
            retired: Mutex::default(),
        })
    }

    /// Others on the same disk.
    pub(super) fn others(&self) -> Arc<Self> {
        Files::new(&self.disk)
    }

    /// Names files that are to be removed.
    pub(super) fn retire(&self, paths: impl IntoIterator<Item = String>) {
        self.retired.lock().extend(paths);
    }

    /// Removes a file now.
    pub(super) fn remove(&self, path: &str) {
        // What cannot be removed now is removed at the next open: no manifest names it.
        let _ = self.disk.remove(path);
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in std::mem::take(&mut *self.retired.lock()) {
            self.remove(&path);
        }
    }
}
