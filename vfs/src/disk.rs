//! The disk traits and their contract.

use std::fmt::{self, Debug, Formatter};
use std::ops::{Deref, Range};
use std::sync::Arc;

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::map::{Advice, Map};

use crate::Result;

/// A shared handle to a disk.
pub type DynDisk = Arc<dyn Disk>;

/// A directory tree on some medium.
///
/// Paths are relative to the disk's root, with `/` between components; an empty path is the root itself.
/// `..`, absolute paths, empty components and NUL are refused with [`Error::InvalidPath`](crate::Error::InvalidPath).
///
/// What survives a crash: bytes of a file after [`File::sync_data`] or [`File::sync_all`] has returned; creation,
/// renaming and removal of a name after [`Disk::sync_dir`] of its directory has returned. Everything else may be
/// kept, lost or torn, in any order.
pub trait Disk: Send + Sync + Debug + 'static {
    /// Creates a file, or truncates the one that is there, and opens it for reading and writing.
    fn create(&self, path: &str) -> Result<Box<dyn File>>;
    /// Opens a file that exists; for writing too when `write` is set.
    fn open(&self, path: &str, write: bool) -> Result<Box<dyn File>>;
    /// A read-only view of the whole file as it is now; the descriptor is not kept.
    fn map(&self, path: &str) -> Result<FileView>;
    /// Names in a directory (files and directories), sorted. A missing directory is
    /// [`Error::NotFound`](crate::Error::NotFound).
    fn list(&self, dir: &str) -> Result<Vec<String>>;
    /// True when a file or directory of that name exists.
    fn exists(&self, path: &str) -> Result<bool>;
    /// Renames a file or directory over whatever file has the target name.
    fn rename(&self, from: &str, to: &str) -> Result<()>;
    /// Removes a file; a missing file is an error.
    fn remove(&self, path: &str) -> Result<()>;
    /// Creates a directory and its parents; one that exists is fine.
    fn create_dir_all(&self, dir: &str) -> Result<()>;
    /// Removes a directory with all it holds; a missing one is fine.
    fn remove_dir_all(&self, dir: &str) -> Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &str) -> Result<()>;
    /// Gives a file a second name on the same disk.
    fn hard_link(&self, from: &str, to: &str) -> Result<()>;
    /// Takes the exclusive lock file at `path`, recording the [`Holder`](crate::holder::Holder) in it;
    /// [`Error::Locked`](crate::Error::Locked) names the holder when it is taken. Released on drop and on death.
    fn lock(&self, path: &str) -> Result<LockGuard>;
    /// Where a relative path lies, for messages to people.
    fn display(&self, path: &str) -> String;
}

/// An open file. All methods take `&self`: positions are explicit, and callers order their own writes.
pub trait File: Send + Sync + Debug {
    /// Reads up to `buf.len()` bytes at `offset`; fewer only at the end of the file.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize>;
    /// Writes all of `data` at `offset`, growing the file where needed.
    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()>;
    /// Length in bytes.
    fn len(&self) -> Result<u64>;
    /// True when the file has no bytes.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> Result<()>;
    /// Reserves space so that writes below `len` cannot run out of it; extends the file to `len`.
    fn allocate(&self, len: u64) -> Result<()>;
    /// Hints that a sync of these bytes will follow, so that the disk can begin. Makes nothing durable and never fails.
    fn start_sync(&self, offset: u64, len: u64) {
        let _ = (offset, len);
    }
    /// Waits for what [`start_sync`](Self::start_sync) has begun, so that syncs of other files do not queue behind all
    /// of it. Makes nothing durable; an error is that of a sync.
    fn wait_started(&self, offset: u64, len: u64) -> Result<()> {
        let _ = (offset, len);
        Ok(())
    }
    /// Makes the bytes, and the metadata needed to read them, durable.
    fn sync_data(&self) -> Result<()>;
    /// Makes bytes and all metadata durable.
    fn sync_all(&self) -> Result<()>;
}

/// A read-only view of a file: a mapping, or bytes on the heap. Cheap to clone; starts 64-byte aligned.
#[derive(Clone, Debug)]
pub struct FileView(Arc<ViewBytes>);

#[derive(Debug)]
enum ViewBytes {
    Map(Map),
    Heap(Arc<AlignedBuf>),
}

impl FileView {
    /// A view over a mapping.
    pub fn from_map(map: Map) -> Self {
        FileView(Arc::new(ViewBytes::Map(map)))
    }

    /// A view over bytes on the heap.
    pub fn from_bytes(bytes: AlignedBuf) -> Self {
        FileView::from_shared(Arc::new(bytes))
    }

    /// A view over bytes on the heap that others hold too.
    pub fn from_shared(bytes: Arc<AlignedBuf>) -> Self {
        FileView(Arc::new(ViewBytes::Heap(bytes)))
    }

    /// The bytes in `range`; none where it does not lie within the view.
    pub fn slice(&self, range: Range<usize>) -> Option<FileSlice> {
        self.get(range.clone())?;
        Some(FileSlice {
            view: self.clone(),
            range,
        })
    }

    /// Hints how the bytes will be used; does nothing for bytes on the heap.
    pub fn advise(&self, advice: Advice) {
        if let ViewBytes::Map(map) = &*self.0 {
            map.advise(advice);
        }
    }

    /// Reads a mapped file from the disk, as far as it is not in memory, and waits for that.
    pub(crate) fn bring_in(&self) {
        if let ViewBytes::Map(map) = &*self.0 {
            map.bring_in();
        }
    }

    /// True when the bytes are a mapping of a file rather than memory of this process.
    pub fn is_mapped(&self) -> bool {
        matches!(&*self.0, ViewBytes::Map(_))
    }
}

impl Deref for FileView {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            ViewBytes::Map(map) => map,
            ViewBytes::Heap(bytes) => bytes,
        }
    }
}

/// A part of a [`FileView`] that keeps the whole alive. Cheap to clone.
#[derive(Clone)]
pub struct FileSlice {
    view: FileView,
    /// Lies within the view: checked when the slice is made, and a view never changes its length.
    range: Range<usize>,
}

impl FileSlice {
    /// Hints how the bytes of this part will be used; does nothing for bytes on the heap.
    pub fn advise(&self, advice: Advice) {
        if let ViewBytes::Map(map) = &*self.view.0 {
            map.advise_range(self.range.clone(), advice);
        }
    }

    /// [`advise`](Self::advise) for the bytes in `range`, counted from the start of this slice; those beyond its end are left
    /// out.
    pub fn advise_part(&self, range: Range<usize>, advice: Advice) {
        if let ViewBytes::Map(map) = &*self.view.0 {
            let place = |at: usize| self.range.start.saturating_add(at).min(self.range.end);
            map.advise_range(place(range.start)..place(range.end), advice);
        }
    }

    /// The bytes in `range`, counted from the start of this slice; none where it does not lie within it.
    pub fn slice(&self, range: Range<usize>) -> Option<FileSlice> {
        self.get(range.clone())?;
        let start = self.range.start;
        Some(FileSlice {
            view: self.view.clone(),
            range: start + range.start..start + range.end,
        })
    }
}

impl Deref for FileSlice {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.view[self.range.clone()]
    }
}

impl Debug for FileSlice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSlice")
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// Holds a lock taken by [`Disk::lock`] until dropped.
#[derive(Debug)]
pub struct LockGuard(#[expect(dead_code, reason = "kept for its Drop")] Box<dyn Debug + Send + Sync>);

impl LockGuard {
    /// Wraps whatever releases the lock when dropped.
    pub fn new(held: impl Debug + Send + Sync + 'static) -> Self {
        LockGuard(Box::new(held))
    }
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
