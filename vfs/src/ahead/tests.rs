use super::{LONG, read_ahead};
use crate::{Disk, MemDisk, OsDisk};

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
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path(), true).unwrap();
    let write = |name: &str, len: usize| {
        disk.create(name).unwrap().write_all_at(&vec![7; len], 0).unwrap();
        let path = dir.path().join(name);
        let file = std::fs::File::open(&path).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        path
    };
    let (short, long) = (write("short", LONG - 1), write("long", LONG + 12_345));
    let before = resident(&short);
    // One after the other: once the second has come, nobody is at the first any more.
    read_ahead(&disk, "short");
    read_ahead(&disk, "long");
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while resident(&long) < (LONG + 12_345) as u64 {
        assert!(std::time::Instant::now() < patience, "it never came into memory");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    assert_eq!(resident(&short), before);
}

#[test]
fn what_is_in_memory_or_missing_is_left() {
    let disk = MemDisk::new();
    disk.create("long")
        .unwrap()
        .write_all_at(&vec![7; LONG], 0)
        .unwrap();
    read_ahead(&disk, "long");
    read_ahead(&disk, "missing");
    assert_eq!(disk.map("long").unwrap().len(), LONG);
}
