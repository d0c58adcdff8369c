//! Lets go of removed files in the background.
//!
//! Removing a name is quick; giving back the pages and blocks of a long file is not (about 0.2 ms a MiB while it is in
//! the page cache), and happens when the last descriptor is closed. Whoever removes a file need not wait for that.

use std::fs::File;
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Shorter files are let go of at once.
const LONG: u64 = 1 << 20;

/// Closes a removed file, in the background if it is long.
pub(crate) fn release(file: File) {
    if file.metadata().is_ok_and(|found| found.len() >= LONG)
        && let Some(reaper) = reaper()
    {
        // Should the thread be gone, the file comes back in the error and is closed here.
        let _ = reaper.send(file);
    }
}

/// One thread a process, started by the first long file.
fn reaper() -> Option<&'static Sender<File>> {
    static REAPER: OnceLock<Option<Sender<File>>> = OnceLock::new();
    let start = || {
        let (sender, files) = channel::<File>();
        let body = move || files.into_iter().for_each(drop);
        thread::Builder::new()
            .name("vdb-reap".to_owned())
            .spawn(body)
            .ok()?;
        Some(sender)
    };
    REAPER.get_or_init(start).as_ref()
}
