//! What the disk can do: plain sequential writes of one size, each synced.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// Appends writes of `size` bytes to a new file until `total` bytes are in it or the time is up, each followed by
/// fdatasync. How many bytes, and in what time; the file is removed.
pub(super) fn write(dir: &Path, size: usize, total: u64, limit: Duration) -> Outcome<(u64, Duration)> {
    let path = dir.join("raw");
    let failed = |e| Failure::failed(format!("{}: cannot be written: {e}", path.display()));
    // Not zeros: some disks and file systems store those for nothing.
    let content: Vec<u8> = (0..size)
        .map(|at| (at as u8).wrapping_mul(167) ^ (at >> 8) as u8)
        .collect();
    let mut file = File::create(&path).map_err(failed)?;
    let mut written = 0;
    let started = Instant::now();
    while written < total && (written == 0 || started.elapsed() < limit) {
        file.write_all(&content)
            .and_then(|()| file.sync_data())
            .map_err(failed)?;
        written += content.len() as u64;
    }
    let time = started.elapsed();
    std::fs::remove_file(&path).map_err(failed)?;
    Ok((written, time))
}
