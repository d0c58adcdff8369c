//! Real files. The only user of `std::fs` in the tree.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::map::Map;

use crate::{Disk, Error, File, FileView, LockGuard, Result, lock, nofollow, path, reaper};

/// A directory of the operating system.
pub struct OsDisk {
    /// Absolute, so that a later change of the working directory does not move the database.
    root: PathBuf,
}

impl OsDisk {
    /// Opens the directory `root`; with `create`, makes it durably, with its parents, where it is missing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is missing and `create` is not set, [`Error::Io`] when it is not a directory,
    /// [`Error::ReadOnly`] when it may not be created or listed.
    pub fn open(root: impl AsRef<Path>, create: bool) -> Result<Self> {
        let given = root.as_ref();
        let shown = || given.display().to_string();
        let root = std::path::absolute(given).map_err(|e| Error::io(shown(), "open the directory", e))?;
        let found = match fs::metadata(&root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && create => {
                create_durably(&root).map_err(|e| Error::io(shown(), "create the directory", e))?;
                fs::metadata(&root)
            }
            found => found,
        };
        let found = found.map_err(|e| Error::io(shown(), "open the directory", e))?;
        if !found.is_dir() {
            return Err(Error::io(
                shown(),
                "open the directory",
                io::ErrorKind::NotADirectory.into(),
            ));
        }
        fs::read_dir(&root).map_err(|e| Error::io(shown(), "list the directory", e))?;
        Ok(OsDisk { root })
    }

    /// The directory, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `path` lies, to be handed to the system.
    fn at(&self, path: &str, op: &'static str) -> Result<PathBuf> {
        nofollow::below(&self.root, path).map_err(self.fail(path, op))
    }

    /// Turns a system error on `path` into ours.
    fn fail<'a>(&'a self, path: &'a str, op: &'static str) -> impl FnOnce(io::Error) -> Error + 'a {
        move |e| Error::io(self.display(path), op, e)
    }

    fn opened(&self, path: &str, file: fs::File) -> Box<dyn File> {
        Box::new(OsFile {
            file,
            shown: self.display(path),
        })
    }
}

impl fmt::Debug for OsDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OsDisk({})", self.root.display())
    }
}

/// Creates the missing directories of `dir` and syncs the parent of each, so that none is lost with its contents.
fn create_durably(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|d| !d.exists()).collect();
    fs::create_dir_all(dir)?;
    missing
        .iter()
        .filter_map(|d| d.parent())
        .try_for_each(sync_directory)
}

fn sync_directory(dir: &Path) -> io::Result<()> {
    use rustix::io::Errno;
    let dir = fs::File::open(dir)?;
    if !dir.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    match dir.sync_all() {
        // Some network and user-space file systems have no such call for directories: there, names are as durable
        // as they ever get.
        Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::INVAL | Errno::BADF)) => Ok(()),
        done => done,
    }
}

impl Disk for OsDisk {
    fn create(&self, path: &str) -> Result<Box<dyn File>> {
        path::check(path)?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let at = self.at(path, "create")?;
        let file = nofollow::open(&mut options, &at).map_err(self.fail(path, "create"))?;
        Ok(self.opened(path, file))
    }

    fn open(&self, path: &str, write: bool) -> Result<Box<dyn File>> {
        path::check(path)?;
        let at = self.at(path, "open")?;
        let mut options = fs::OpenOptions::new();
        let file = nofollow::open(options.read(true).write(write), &at).map_err(self.fail(path, "open"))?;
        Ok(self.opened(path, file))
    }

    fn map(&self, path: &str) -> Result<FileView> {
        path::check(path)?;
        let fail = || self.fail(path, "map");
        let at = self.at(path, "map")?;
        let file = nofollow::open(fs::OpenOptions::new().read(true), &at).map_err(fail())?;
        let len = file.metadata().map_err(fail())?.len();
        if len == 0 {
            // A mapping of nothing has no address, aligned or not.
            return Ok(FileView::from_bytes(AlignedBuf::new()));
        }
        let len = usize::try_from(len).map_err(|_| fail()(io::ErrorKind::FileTooLarge.into()))?;
        Ok(FileView::from_map(Map::new(&file, len).map_err(fail())?))
    }

    fn list(&self, dir: &str) -> Result<Vec<String>> {
        path::check_dir(dir)?;
        let fail = || self.fail(dir, "list");
        let at = self.at(dir, "list")?;
        if !dir.is_empty() {
            nofollow::refuse_link(&at).map_err(fail())?;
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(at).map_err(fail())? {
            let name = entry.map_err(fail())?.file_name();
            // A name that is not Unicode is not one of ours, and no path of this trait could reach it.
            names.extend(name.into_string().ok());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn exists(&self, path: &str) -> Result<bool> {
        path::check_dir(path)?;
        match self.at(path, "look up")?.try_exists() {
            // A file where the path wants a directory: there is nothing below it.
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => Ok(false),
            found => found.map_err(self.fail(path, "look up")),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        let (old, new) = (self.at(from, "rename")?, self.at(to, "rename")?);
        fs::rename(old, new).map_err(self.fail(from, "rename"))
    }

    fn remove(&self, path: &str) -> Result<()> {
        path::check(path)?;
        let at = self.at(path, "remove")?;
        let held = nofollow::open(fs::OpenOptions::new().read(true), &at).ok();
        fs::remove_file(at).map_err(self.fail(path, "remove"))?;
        if let Some(file) = held {
            reaper::release(file);
        }
        Ok(())
    }

    fn create_dir_all(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        let op = "create the directory";
        fs::create_dir_all(self.at(dir, op)?).map_err(self.fail(dir, op))
    }

    fn remove_dir_all(&self, dir: &str) -> Result<()> {
        path::check(dir)?;
        match fs::remove_dir_all(self.at(dir, "remove the directory")?) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(self.fail(dir, "remove the directory")),
        }
    }

    fn sync_dir(&self, dir: &str) -> Result<()> {
        path::check_dir(dir)?;
        sync_directory(&self.at(dir, "sync the directory")?).map_err(self.fail(dir, "sync the directory"))
    }

    fn hard_link(&self, from: &str, to: &str) -> Result<()> {
        path::check(from)?;
        path::check(to)?;
        let (old, new) = (self.at(from, "link")?, self.at(to, "link")?);
        fs::hard_link(old, new).map_err(self.fail(from, "link"))
    }

    fn lock(&self, path: &str) -> Result<LockGuard> {
        path::check(path)?;
        lock::take(&self.at(path, "lock")?, &self.display(path))
    }

    fn display(&self, path: &str) -> String {
        match path {
            "" => self.root.display().to_string(),
            path => self.root.join(path).display().to_string(),
        }
    }
}

/// Offsets are signed to the system.
const MAX_OFFSET: u64 = i64::MAX as u64;

#[derive(Debug)]
struct OsFile {
    file: fs::File,
    shown: String,
}

impl OsFile {
    fn fail(&self, op: &'static str) -> impl FnOnce(io::Error) -> Error {
        move |e| Error::io(&*self.shown, op, e)
    }
}

impl File for OsFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        // The system refuses to read where no file can reach; for us that is behind the end.
        let reach = MAX_OFFSET.saturating_sub(offset).min(buf.len() as u64) as usize;
        let buf = &mut buf[..reach];
        let mut filled = 0;
        while filled < buf.len() {
            match self.file.read_at(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.fail("read")(e)),
            }
        }
        Ok(filled)
    }

    fn write_all_at(&self, data: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(data, offset).map_err(self.fail("write"))
    }

    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().map_err(self.fail("look up"))?.len())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(self.fail("set the length"))
    }

    fn allocate(&self, len: u64) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        let old = self.len()?;
        if let Err(e) = reserve(&self.file, len) {
            // What was reserved before space ran out is given back.
            let _ = self.file.set_len(old);
            return Err(self.fail("allocate")(e));
        }
        // Some systems reserve without extending, and where none of it is supported this is all we can do.
        if self.len()? < len {
            self.set_len(len)
        } else {
            Ok(())
        }
    }

    fn start_sync(&self, offset: u64, len: u64) {
        vdb_sys::writeback::start(&self.file, offset, len);
    }

    fn wait_started(&self, offset: u64, len: u64) -> Result<()> {
        match vdb_sys::writeback::wait(&self.file, offset, len) {
            // Where a file system has no such call, nothing was started either.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
            done => done.map_err(self.fail("sync")),
        }
    }

    fn sync_data(&self) -> Result<()> {
        self.file.sync_data().map_err(self.fail("sync"))
    }

    fn sync_all(&self) -> Result<()> {
        self.file.sync_all().map_err(self.fail("sync"))
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn reserve(file: &fs::File, len: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    loop {
        match fallocate(file, FallocateFlags::empty(), 0, len) {
            Err(Errno::INTR) => {}
            // FreeBSD says INVAL where its file system cannot; lengths that are invalid fail in `set_len` too.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(()),
            done => return Ok(done?),
        }
    }
}

// Elsewhere the call is missing or, on macOS, cuts a file that is longer.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn reserve(_file: &fs::File, _len: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
