//! A disk in memory, for databases that live no longer than their process and for tests.

use std::fmt;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use vdb_sys::aligned::AlignedBuf;

use crate::holder::Holder;
use crate::tree::Tree;
use crate::{Disk, Error, File, FileView, LockGuard, Result, path};

/// A directory tree in memory. Nothing outlives it, so syncing does nothing.
///
/// [`Disk::map`] shares a file's bytes until the file is next written to, and then stays a view of what was there.
/// Bytes of a removed file are freed with its last handle and view.
pub struct MemDisk {
    tree: Mutex<Tree<MemFile>>,
    locks: Locks,
}

impl MemDisk {
    /// An empty disk.
    pub fn new() -> Self {
        MemDisk {
            tree: Mutex::new(Tree::new()),
            locks: Locks::default(),
        }
    }
}

impl Default for MemDisk {
    fn default() -> Self {
        MemDisk::new()
    }
}

impl fmt::Debug for MemDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemDisk")
    }
}

/// How paths of disks in memory are shown.
pub(crate) fn shown(path: &str) -> String {
    format!("memory:{path}")
}

pub(crate) fn fail(path: &str, op: &'static str) -> impl FnOnce(io::ErrorKind) -> Error {
    move |kind| Error::io(shown(path), op, kind.into())
}

impl Disk for MemDisk {
    fn create(&self, path: &str) -> Result<Box<dyn File>> {
        path::check(path)?;
        let (file, _) = self
            .tree
            .lock()
            .create(path, MemFile::default)
            .map_err(fail(path, "create"))?;
        *file.0.write() = Arc::default();
        Ok(Box::new(MemHandle {
            file,
            path: path.to_owned(),
            write: true,
        }))
    }

    fn open(&self, path: &str, write: bool) -> Result<Box<dyn File>> {
        path::check(path)?;
        let file = self.tree.lock().find_file(path).map_err(fail(path, "open"))?;
        Ok(Box::new(MemHandle {
            file,
            path: path.to_owned(),
            write,
        }))
    }

    fn map(&self, path: &str) -> Result<FileView> {
        path::check(path)?;
        let file = self.tree.lock().find_file(path).map_err(fail(path, "map"))?;
        let bytes = Arc::clone(&file.0.read());
        Ok(FileView::from_shared(bytes))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        path::check_dir(dir)?;
        self.tree.lock().list(dir).map_err(fail(dir, "list"))
    }

    fn exists(&self, path: &str) -> Result<bool> {
        path::check_dir(path)?;
        Ok(self.tree.lock().find(path).is_ok())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        self.tree.lock().rename(from, to).map_err(fail(from, "rename"))?;
        Ok(())
    }

    fn remove(&self, path: &str) -> Result<()> {
        path::check(path)?;
        self.tree.lock().remove(path).map_err(fail(path, "remove"))?;
        Ok(())
    }

    fn create_dir_all(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        self.tree
            .lock()
            .create_dir_all(dir)
            .map_err(fail(dir, "create the directory"))?;
        Ok(())
    }

    fn remove_dir_all(&self, dir: &str) -> Result<()> {
        path::check(dir)?;
        self.tree
            .lock()
            .remove_dir_all(dir)
            .map_err(fail(dir, "remove the directory"))?;
        Ok(())
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        self.tree
            .lock()
            .find_dir(dir)
            .map_err(fail(dir, "sync the directory"))?;
        Ok(())
    }

    fn hard_link(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        self.tree.lock().hard_link(from, to).map_err(fail(from, "link"))?;
        Ok(())
    }

    fn lock(&self, path: &str) -> Result<LockGuard> {
        path::check(path)?;
        let (file, _) = self
            .tree
            .lock()
            .create(path, MemFile::default)
            .map_err(fail(path, "lock"))?;
        let guard = self.locks.take(path)?;
        let holder = Holder::this_process().to_text();
        *file.0.write() = Arc::new(AlignedBuf::from_slice(holder.as_bytes()));
        Ok(guard)
    }

    fn display(&self, path: &str) -> String {
        shown(path)
    }
}

/// The paths that are locked on one disk.
#[derive(Debug, Default)]
pub(crate) struct Locks(Arc<Mutex<Vec<String>>>);

impl Locks {
    pub(crate) fn take(&self, path: &str) -> Result<LockGuard> {
        let mut held = self.0.lock();
        if held.iter().any(|p| p == path) {
            return Err(Error::Locked {
                path: shown(path),
                holder: Some(Holder::this_process()),
            });
        }
        held.push(path.to_owned());
        Ok(LockGuard::new(Held {
            all: Arc::clone(&self.0),
            path: path.to_owned(),
        }))
    }
}

#[derive(Debug)]
struct Held {
    all: Arc<Mutex<Vec<String>>>,
    path: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.lock().retain(|p| *p != self.path);
    }
}

/// The bytes are replaced rather than changed while a view shares them.
#[derive(Debug, Default)]
struct MemFile(RwLock<Arc<AlignedBuf>>);

#[derive(Debug)]
struct MemHandle {
    file: Arc<MemFile>,
    path: String,
    write: bool,
}

impl MemHandle {
    fn change(&self, op: &'static str, change: impl FnOnce(&mut AlignedBuf) -> io::Result<()>) -> Result<()> {
        if !self.write {
            return Err(fail(&self.path, op)(io::ErrorKind::PermissionDenied));
        }
        change(Arc::make_mut(&mut self.file.0.write())).map_err(|e| Error::io(shown(&self.path), op, e))
    }
}

impl File for MemHandle {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        Ok(read_at(&self.file.0.read(), buf, offset))
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()> {
        self.change("write", |bytes| write_at(bytes, data, offset))
    }

    fn len(&self) -> Result<u64> {
        Ok(self.file.0.read().len() as u64)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.change("set the length", |bytes| {
            set_len(bytes, to_len(len)?);
            Ok(())
        })
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.change("allocate", |bytes| {
            let len = to_len(len)?;
            if len > bytes.len() {
                set_len(bytes, len);
            }
            Ok(())
        })
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn sync_all(&self) -> Result<()> {
        Ok(())
    }
}

/// More than any machine's memory: beyond it the request is a mistake, and trying would abort the process.
const MAX_LEN: u64 = 1 << 40;
const ZEROS: [u8; 4096] = [0; 4096];

pub(crate) fn to_len(len: u64) -> io::Result<usize> {
    let len = if len <= MAX_LEN {
        usize::try_from(len).ok()
    } else {
        None
    };
    len.ok_or_else(|| io::ErrorKind::FileTooLarge.into())
}

pub(crate) fn read_at(bytes: &[u8], buf: &mut [u8], offset: u64) -> usize {
    let rest = usize::try_from(offset)
        .ok()
        .and_then(|at| bytes.get(at..))
        .unwrap_or(&[]);
    let n = rest.len().min(buf.len());
    buf[..n].copy_from_slice(&rest[..n]);
    n
}

pub(crate) fn write_at(bytes: &mut AlignedBuf, data: &[u8], offset: u64) -> io::Result<()> {
    if data.is_empty() {
        // As on a real disk, where it does not reach `offset`.
        return Ok(());
    }
    let start = to_len(offset)?;
    let end = to_len(offset.saturating_add(data.len() as u64))?;
    if start > bytes.len() {
        set_len(bytes, start);
    }
    let (over, append) = data.split_at(data.len().min(bytes.len() - start));
    bytes[start..end - append.len()].copy_from_slice(over);
    bytes.extend_from_slice(append);
    Ok(())
}

pub(crate) fn set_len(bytes: &mut AlignedBuf, len: usize) {
    if len > bytes.capacity() {
        // Fresh zeros cost no memory until they are written to: a reservation stays cheap.
        let mut grown = AlignedBuf::zeroed(len);
        grown[..bytes.len()].copy_from_slice(bytes);
        *bytes = grown;
    }
    bytes.truncate(len);
    while bytes.len() < len {
        bytes.extend_from_slice(&ZEROS[..ZEROS.len().min(len - bytes.len())]);
    }
}

#[cfg(test)]
mod tests;
