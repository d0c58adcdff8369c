//! A disk that tells of every call before it takes effect.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use vdb_vfs::{Disk, DynDisk, File, FileView, LockGuard, Result};

/// What a call does to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Looks only.
    Reads,
    /// Changes bytes, names or locks, or makes them durable.
    Changes,
}

type Hook = Arc<dyn Fn(Call) + Send + Sync>;

/// A disk behind which another one is; `hook` is called before each call of it, or of its files.
#[derive(Clone)]
pub struct WatchedDisk {
    disk: DynDisk,
    hook: Hook,
}

impl WatchedDisk {
    /// Watches a disk. The hook may use that disk itself.
    pub fn new(disk: DynDisk, hook: impl Fn(Call) + Send + Sync + 'static) -> Self {
        WatchedDisk {
            disk,
            hook: Arc::new(hook),
        }
    }

    fn reads(&self) -> &dyn Disk {
        (self.hook)(Call::Reads);
        &*self.disk
    }

    fn changes(&self) -> &dyn Disk {
        (self.hook)(Call::Changes);
        &*self.disk
    }

    fn watched(&self, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(WatchedFile {
            file,
            hook: self.hook.clone(),
        })
    }
}

impl Debug for WatchedDisk {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedDisk({:?})", self.disk)
    }
}

impl Disk for WatchedDisk {
    fn create(&self, path: &str) -> Result<Box<dyn File>> {
        Ok(self.watched(self.changes().create(path)?))
    }

    fn open(&self, path: &str, write: bool) -> Result<Box<dyn File>> {
        let disk = if write { self.changes() } else { self.reads() };
        Ok(self.watched(disk.open(path, write)?))
    }

    fn map(&self, path: &str) -> Result<FileView> {
        self.reads().map(path)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        self.reads().list(dir)
    }

    fn exists(&self, path: &str) -> Result<bool> {
        self.reads().exists(path)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.changes().rename(from, to)
    }

    fn remove(&self, path: &str) -> Result<()> {
        self.changes().remove(path)
    }

    fn create_dir_all(&self, dir: &str) -> Result<()> {
        self.changes().create_dir_all(dir)
    }

    fn remove_dir_all(&self, dir: &str) -> Result<()> {
        self.changes().remove_dir_all(dir)
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        self.changes().sync_dir(dir)
    }

    fn hard_link(&self, from: &str, to: &str) -> Result<()> {
        self.changes().hard_link(from, to)
    }

    fn lock(&self, path: &str) -> Result<LockGuard> {
        self.changes().lock(path)
    }

    fn display(&self, path: &str) -> String {
        self.disk.display(path)
    }
}

struct WatchedFile {
    file: Box<dyn File>,
    hook: Hook,
}

impl WatchedFile {
    fn reads(&self) -> &dyn File {
        (self.hook)(Call::Reads);
        &*self.file
    }

    fn changes(&self) -> &dyn File {
        (self.hook)(Call::Changes);
        &*self.file
    }
}

impl Debug for WatchedFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "WatchedFile({:?})", self.file)
    }
}

impl File for WatchedFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        self.reads().read_at(buf, offset)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()> {
        self.changes().write_all_at(data, offset)
    }

    fn len(&self) -> Result<u64> {
        self.reads().len()
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.changes().set_len(len)
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.changes().allocate(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.changes().sync_data()
    }

    fn sync_all(&self) -> Result<()> {
        self.changes().sync_all()
    }
}
