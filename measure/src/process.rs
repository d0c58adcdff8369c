//! What the system says of this process. On systems without `/proc` nothing is known.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Memory of this process in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All that is resident.
    pub total: u64,
    /// Its own.
    pub anonymous: u64,
    /// Pages of mapped files, which the system takes back when it needs them.
    pub file: u64,
}

impl Memory {
    /// What it is now.
    pub fn now() -> Option<Memory> {
        Memory::of(std::process::id())
    }

    /// What that of the process of this number is now.
    pub fn of(process: u32) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':')
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
                .map(|kib| kib * 1024)
        };
        Some(Memory {
            total: field("VmRSS")?,
            anonymous: field("RssAnon")?,
            file: field("RssFile")?,
        })
    }

    /// How much more it is than `before`, in megabytes.
    pub fn growth_mb(now: Option<Memory>, before: Option<Memory>, part: fn(&Memory) -> u64) -> Option<f64> {
        let growth = part(&now?) as f64 - part(&before?) as f64;
        Some(crate::rounded(growth / 1e6, 1))
    }
}

/// Bytes that this process has had the disk read for it; none where the system does not tell.
pub fn read_bytes() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    let count = counts.lines().find_map(|line| line.strip_prefix("read_bytes:"))?;
    count.trim().parse().ok()
}

/// Runs `work`, and watches the anonymous memory of this process meanwhile: the most that was seen.
pub fn watching<T>(work: impl FnOnce() -> T) -> (T, Option<Memory>) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most: Option<Memory> = None;
            while !done.load(Ordering::Relaxed) {
                let now = Memory::now();
                if now.map(|m| m.anonymous) > most.map(|m| m.anonymous) {
                    most = now;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            most
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        (result, watcher.join().ok().flatten())
    })
}

/// Bytes of all files below a directory.
pub fn directory_bytes(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => directory_bytes(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
