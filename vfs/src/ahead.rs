//! Reads files ahead in the background.
//!
//! A walk through a graph touches pages all over its file, each of which waits for a disk of its own while it is not in memory:
//! read from front to back, all of them come in the time of some dozen queries. The mapping that this is done through is not the
//! one that walks use: it asks for huge pages, which stay with the file in memory, and would make a later read of a single row as
//! long as one of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, OnceLock, Weak};
use std::thread;

use crate::{Disk, DynDisk};

/// Shorter files come in soon enough by themselves.
const LONG: u64 = 4 << 20;

/// Files that may wait to be read; further ones are left out.
const WAITING: usize = 256;

/// Reads the files of one opened directory ahead, half of the machine's memory at most.
#[derive(Debug, Default)]
pub struct Ahead {
    /// Bytes that were asked for so far.
    asked: AtomicU64,
}

impl Ahead {
    /// Asks for a file of `len` bytes to be in memory, unless that is more than may be. A hint: nothing waits for it, nothing is
    /// said of what fails, and it ends with the disk's last handle.
    pub fn read(&self, disk: &DynDisk, path: &str, len: u64) {
        static HALF: LazyLock<u64> =
            LazyLock::new(|| vdb_sys::memory::total_bytes().map_or(u64::MAX, |bytes| bytes / 2));
        if len < LONG || self.asked.fetch_add(len, Ordering::Relaxed) > HALF.saturating_sub(len) {
            return;
        }
        if let Some(reader) = reader() {
            // Full, or without its thread: nothing is read ahead.
            let _ = reader.try_send(Waiting {
                disk: Arc::downgrade(disk),
                path: path.to_owned(),
            });
        }
    }
}

/// A file to be read.
struct Waiting {
    disk: Weak<dyn Disk>,
    path: String,
}

impl Waiting {
    fn read(self) {
        let file = self.disk.upgrade().and_then(|disk| disk.map(&self.path).ok());
        if let Some(file) = file {
            file.bring_in();
        }
    }
}

/// One thread a process, started by the first long file: a disk is read faster by one after another.
fn reader() -> Option<&'static SyncSender<Waiting>> {
    static READER: OnceLock<Option<SyncSender<Waiting>>> = OnceLock::new();
    let start = || {
        let (sender, files) = sync_channel::<Waiting>(WAITING);
        let body = move || files.into_iter().for_each(Waiting::read);
        thread::Builder::new()
            .name("vdb-ahead".to_owned())
            .spawn(body)
            .ok()?;
        Some(sender)
    };
    READER.get_or_init(start).as_ref()
}

#[cfg(test)]
mod tests;
