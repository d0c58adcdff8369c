use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Ahead, LONG};
use crate::{DynDisk, MemDisk, OsDisk};

/// How much of a file is in memory, which looking does not change.
#[cfg(target_os = "linux")]
fn resident(path: &std::path::Path) -> u64 {
    let file = std::fs::File::open(path).unwrap();
    let len = file.metadata().unwrap().len();
    let map = vdb_sys::map::Map::new(&file, len as usize).unwrap();
    map.resident_bytes().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_file_comes_into_memory_and_a_short_one_is_left() {
    const LEN: u64 = 5 * LONG + 12_345;
    let dir = tempfile::tempdir().unwrap();
    let disk: DynDisk = Arc::new(OsDisk::open(dir.path(), true).unwrap());
    let write = |name: &str, len: u64| {
        let bytes = vec![7; len as usize];
        disk.create(name).unwrap().write_all_at(&bytes, 0).unwrap();
        let path = dir.path().join(name);
        let file = std::fs::File::open(&path).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        path
    };
    let (short, long) = (write("short", LONG - 1), write("long", LEN));
    // A directory in memory keeps what it is asked to forget; then there is nothing to see.
    let before = resident(&short);
    let ahead = Ahead::default();
    // One after the other: once the second has come, nobody is at the first any more.
    ahead.read(&disk, "short", LONG - 1);
    ahead.read(&disk, "long", LEN);
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while resident(&long) < LEN {
        assert!(std::time::Instant::now() < patience, "it never came into memory");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!(resident(&short), before);
}

#[test]
fn half_of_the_memory_is_enough_and_what_is_missing_is_left() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let ahead = Ahead::default();
    ahead.read(&disk, "missing", LONG - 1);
    assert_eq!(ahead.asked.load(Ordering::Relaxed), 0);
    ahead.read(&disk, "missing", LONG);
    ahead.read(&disk, "missing", u64::MAX / 2);
    ahead.read(&disk, "missing", LONG);
    assert_eq!(ahead.asked.load(Ordering::Relaxed), u64::MAX / 2 + 2 * LONG);
}
