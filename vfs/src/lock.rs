//! One writer process a directory.
//!
//! The lock is the system's advisory lock on an open file, which ends with the process however it dies; what the file
//! says, [`Holder`], is only for the message. The file stays when the lock is released: removing it would let two
//! processes each hold a lock on their own file of that name.
//!
//! A lock belongs to the open file, and a child made by a fork shares that with its parent: so does every child on its way
//! to a new program. Such a child must leave the file alone, and what it has keeps the lock where the parent dies, not where
//! the parent lets go: that is said, and not left to closing. A copy of a directory has a lock file
//! of its own, whatever it says.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::holder::{Holder, MAX_TEXT};
use crate::nofollow;
use crate::{Error, LockGuard, Result};

/// Takes the lock file at `path`; `shown` is its name in messages.
pub(crate) fn take(path: &Path, shown: &str) -> Result<LockGuard> {
    let fail = |e: io::Error| Error::io(shown, "lock", e);
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = nofollow::open(&mut options, path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            return Err(Error::Locked {
                path: shown.to_owned(),
                holder: read_holder(&file),
            });
        }
        Err(fs::TryLockError::Error(e)) => return Err(fail(e)),
    }
    let holder = Holder::this_process();
    file.set_len(0)
        .and_then(|()| file.write_all_at(holder.to_text().as_bytes(), 0))
        .map_err(fail)?;
    Ok(LockGuard::new(Held {
        file,
        pid: holder.pid,
    }))
}

/// What a lock file says; nothing while its holder has yet to write it.
fn read_holder(file: &fs::File) -> Option<Holder> {
    let mut text = [0; MAX_TEXT];
    let read = file.read_at(&mut text, 0).ok()?;
    Holder::parse(text.get(..read)?)
}

#[derive(Debug)]
struct Held {
    file: fs::File,
    pid: u32,
}

impl Drop for Held {
    fn drop(&mut self) {
        // In the child of a fork the file says who the parent is, and the lock is the parent's.
        if self.pid == std::process::id() {
            // So that the next holder is not taken for this one before it has written who it is.
            let _ = self.file.set_len(0);
            // Closing does not unlock while a child has the file, be it for the moment in which it starts a program.
            let _ = self.file.unlock();
        }
    }
}

#[cfg(test)]
mod tests;
