//! One writer process a directory.
//!
//! The lock is the system's advisory lock on an open file, which ends with the process however it dies; the process
//! id inside the file is only for the message. The file stays when the lock is released: removing it would let two
//! processes each hold a lock on their own file of that name.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::nofollow::open_below;
use crate::{Error, LockGuard, Result};

/// Takes the lock file at `path`; `shown` is its name in messages.
pub(crate) fn take(path: &Path, shown: &str) -> Result<LockGuard> {
    let fail = |e: io::Error| Error::io(shown, "lock", e);
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = open_below(&mut options, path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            return Err(Error::Locked {
                path: shown.to_owned(),
                pid: holder(&file),
            });
        }
        Err(fs::TryLockError::Error(e)) => return Err(fail(e)),
    }
    let pid = format!("{}\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.write_all_at(pid.as_bytes(), 0))
        .map_err(fail)?;
    Ok(LockGuard::new(Held(file)))
}

/// The process id in a lock file; none while its holder has yet to write it.
fn holder(file: &fs::File) -> Option<u32> {
    let mut buf = [0u8; 16];
    let n = file.read_at(&mut buf, 0).ok()?;
    std::str::from_utf8(buf.get(..n)?).ok()?.trim_end().parse().ok()
}

#[derive(Debug)]
struct Held(fs::File);

impl Drop for Held {
    fn drop(&mut self) {
        // So that the next holder is not taken for this one before it has written its own id. Closing unlocks.
        let _ = self.0.set_len(0);
    }
}
