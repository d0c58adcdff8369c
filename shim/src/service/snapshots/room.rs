//! Room for files on their way in: how large they are, others decide.

use std::path::{Path, PathBuf};

use crate::service::error::{ErrorKind, Result, ServiceError};

/// Bytes that stay free: a database whose log cannot grow refuses writes.
const RESERVE: u64 = 64 << 20;

/// Bytes that are written between two looks at how much is free.
const STEP: u64 = 16 << 20;

/// Watches how much a file on its way in leaves free.
#[derive(Debug)]
pub struct Room {
    directory: PathBuf,
    /// Bytes that may be written before the next look.
    allowed: u64,
    /// How much is free in the directory, where the system tells.
    free: fn(&Path) -> Option<u64>,
}

impl Room {
    /// For files in this directory.
    pub(super) fn new(directory: &Path) -> Self {
        Room {
            directory: directory.to_owned(),
            allowed: 0,
            free,
        }
    }

    /// Asks for a file of that length, before the first byte of it is there.
    ///
    /// # Errors
    /// When it would leave too little.
    pub fn expect(&self, bytes: u64) -> Result<()> {
        match (self.free)(&self.directory) {
            Some(free) if free < bytes.saturating_add(RESERVE) => Err(self.full(bytes, free)),
            Some(_) | None => Ok(()),
        }
    }

    /// Asks for bytes that are about to be written.
    ///
    /// # Errors
    /// When they would leave too little.
    pub fn take(&mut self, bytes: u64) -> Result<()> {
        if bytes > self.allowed {
            let more = bytes.saturating_add(STEP);
            self.allowed = match self.expect(more) {
                Ok(()) => more,
                Err(_) => self.expect(bytes).map(|()| bytes)?,
            };
        }
        self.allowed -= bytes;
        Ok(())
    }

    fn full(&self, bytes: u64, free: u64) -> ServiceError {
        ServiceError::new(
            ErrorKind::OutOfStorage,
            format!(
                "no room for {bytes} more bytes of the snapshot: the disk of the snapshots has {free} bytes free, of which \
                 {RESERVE} are kept; free some, or put the snapshots elsewhere"
            ),
        )
    }
}

#[cfg(unix)]
fn free(directory: &Path) -> Option<u64> {
    let told = rustix::fs::statvfs(directory).ok()?;
    told.f_bavail.checked_mul(told.f_frsize)
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests;
