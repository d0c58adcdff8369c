//! Reads files ahead in the background.
//!
//! A walk through a graph touches pages all over its file, each of which waits for a disk of its own while it is not in memory:
//! read from front to back, all of them come in the time of some dozen queries. The mapping that this is done through is not the
//! one that walks use: it asks for huge pages, which stay with the file in memory, and would make a later read of a single row as
//! long as one of them.

use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::{Disk, FileView};

/// Shorter files come in soon enough by themselves.
const LONG: usize = 4 << 20;

/// Asks for a file to be in memory, unless that is more than half of all memory. A hint: nothing is said of what fails.
pub fn read_ahead(disk: &dyn Disk, path: &str) {
    let Ok(file) = disk.map(path) else {
        return;
    };
    let half = vdb_sys::memory::total_bytes().map_or(u64::MAX, |bytes| bytes / 2);
    if file.is_mapped()
        && file.len() >= LONG
        && file.len() as u64 <= half
        && let Some(reader) = reader()
    {
        // Should the thread be gone, nothing is read ahead.
        let _ = reader.send(file);
    }
}

/// One thread a process, started by the first long file: a disk is read faster by one after another.
fn reader() -> Option<&'static Sender<FileView>> {
    static READER: OnceLock<Option<Sender<FileView>>> = OnceLock::new();
    let start = || {
        let (sender, files) = channel::<FileView>();
        let body = move || files.into_iter().for_each(|file| file.bring_in());
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
