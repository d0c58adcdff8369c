//! A directory or a tar file that is being written.

use std::collections::BTreeSet;

use tar::{EntryType, Header};
use vdb_vfs::{Disk, DynDisk, File, LockGuard, path};

use super::source::BLOCK;
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::place::PARTIAL;

/// How the name ends of the file that is locked meanwhile. It tells what a process that was killed has left from what
/// another one is still writing.
const LOCK: &str = ".lock";
/// Bytes that are copied at a time.
const CHUNK: u64 = 1 << 20;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dir,
    Tar,
}

#[derive(Debug)]
enum Form {
    /// The directories that have been made.
    Dir(BTreeSet<String>),
    /// The file, and where its next entry goes.
    Tar(Box<dyn File>, u64),
}

/// A snapshot that is being written. Removed when it is dropped without having been finished.
#[derive(Debug)]
pub(super) struct Target {
    disk: DynDisk,
    name: String,
    partial: String,
    form: Form,
    finished: bool,
    lock: String,
    _held: LockGuard,
}

impl Target {
    /// Starts a snapshot that will be called `name` on `disk`.
    pub(super) fn create(disk: DynDisk, name: &str, kind: Kind) -> Result<Target> {
        let partial = format!("{name}{PARTIAL}");
        refuse_existing(&*disk, name, "it exists: choose another name, or remove it first")?;
        let lock = format!("{partial}{LOCK}");
        if !disk.exists(&lock)? {
            refuse_existing(&*disk, &partial, "it is in the way: remove it")?;
        }
        let held = disk.lock(&lock)?;
        // Whoever had the lock before may have finished, or been killed.
        refuse_existing(&*disk, name, "it exists: choose another name, or remove it first")?;
        if disk.exists(&partial)? {
            match disk.list(&partial) {
                Ok(_) => disk.remove_dir_all(&partial)?,
                Err(_) => disk.remove(&partial)?,
            }
        }
        let form = match kind {
            Kind::Dir => {
                disk.create_dir_all(&partial)?;
                Form::Dir(BTreeSet::from([partial.clone()]))
            }
            Kind::Tar => Form::Tar(disk.create(&partial)?, 0),
        };
        Ok(Target {
            disk,
            name: name.to_owned(),
            partial,
            form,
            finished: false,
            lock,
            _held: held,
        })
    }

    /// Copies `len` bytes of a file. Returns their CRC-32.
    pub(super) fn put_file(
        &mut self,
        to: &str,
        from: &dyn File,
        len: u64,
        meter: &mut Meter<'_>,
    ) -> Result<u32> {
        let entry = self.begin(to, len)?;
        let mut crc = crc32fast::Hasher::new();
        let mut buf = Vec::new();
        let mut at = 0;
        while at < len {
            buf.resize(CHUNK.min(len - at) as usize, 0);
            let found = from.read_at(&mut buf, at)?;
            if found < buf.len() {
                let what = format!(
                    "it ended at {} while it was copied, expected {len} bytes",
                    at + found as u64
                );
                return Err(Error::Damaged {
                    file: to.to_owned(),
                    what,
                });
            }
            crc.update(&buf);
            entry.write(&buf, at)?;
            at += found as u64;
            meter.tick(found as u64)?;
        }
        entry.end()?;
        Ok(crc.finalize())
    }

    /// Writes a small file.
    pub(super) fn put_bytes(&mut self, to: &str, bytes: &[u8]) -> Result<()> {
        let entry = self.begin(to, bytes.len() as u64)?;
        entry.write(bytes, 0)?;
        entry.end()
    }

    /// Starts a file that will have `len` bytes.
    fn begin(&mut self, to: &str, len: u64) -> Result<Entry<'_>> {
        match &mut self.form {
            Form::Dir(dirs) => {
                let to = path::join(&self.partial, to);
                let (dir, _) = path::split(&to);
                if !dirs.contains(dir) {
                    self.disk.create_dir_all(dir)?;
                    let parents = std::iter::successors(Some(dir), |dir| Some(path::split(dir).0));
                    dirs.extend(parents.take_while(|dir| !dir.is_empty()).map(str::to_owned));
                }
                Ok(Entry::Alone(self.disk.create(&to)?))
            }
            Form::Tar(file, end) => {
                let header = header(to, len).map_err(|what| Error::Damaged {
                    file: to.to_owned(),
                    what,
                })?;
                file.write_all_at(header.as_bytes(), *end)?;
                let start = *end + BLOCK;
                // What is left of the last block becomes zero when something is written behind it.
                *end = start + len.next_multiple_of(BLOCK);
                Ok(Entry::Within(&**file, start))
            }
        }
    }

    /// Makes everything durable and gives it its name.
    pub(super) fn finish(mut self) -> Result<()> {
        match &self.form {
            Form::Dir(dirs) => dirs.iter().rev().try_for_each(|dir| self.disk.sync_dir(dir))?,
            Form::Tar(file, end) => {
                file.set_len(*end)?;
                file.write_all_at(&[0; 2 * BLOCK as usize], *end)?;
                file.sync_all()?;
            }
        }
        refuse_existing(
            &*self.disk,
            &self.name,
            "it has come to exist while the snapshot was taken",
        )?;
        self.disk.rename(&self.partial, &self.name)?;
        self.finished = true;
        Ok(self.disk.sync_dir("")?)
    }
}

/// A file that is being written.
enum Entry<'a> {
    Alone(Box<dyn File>),
    /// It starts there in the archive.
    Within(&'a dyn File, u64),
}

impl Entry<'_> {
    fn write(&self, bytes: &[u8], at: u64) -> Result<()> {
        match self {
            Entry::Alone(file) => Ok(file.write_all_at(bytes, at)?),
            Entry::Within(file, start) => Ok(file.write_all_at(bytes, start + at)?),
        }
    }

    fn end(self) -> Result<()> {
        match self {
            Entry::Alone(file) => Ok(file.sync_all()?),
            Entry::Within(..) => Ok(()),
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.finished {
            // The error that brought us here is what counts.
            let _ = match self.form {
                Form::Dir(_) => self.disk.remove_dir_all(&self.partial),
                Form::Tar(..) => self.disk.remove(&self.partial),
            };
        }
        // While it is held; one that stays is taken by the next.
        let _ = self.disk.remove(&self.lock);
    }
}

fn refuse_existing(disk: &dyn Disk, name: &str, why: &str) -> Result<()> {
    if disk.exists(name)? {
        return Err(Error::InvalidRequest(format!("{}: {why}", disk.display(name))));
    }
    Ok(())
}

/// The header of a plain file. Nothing in it depends on the machine or the hour.
fn header(path: &str, len: u64) -> Result<Header, String> {
    let mut header = Header::new_ustar();
    header.set_path(path).map_err(|error| error.to_string())?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(len);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests;
