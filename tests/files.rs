//! All files of a disk at once: to be compared, damaged, and put on another.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use vdb_vfs::{Disk, DynDisk, MemDisk, path};

/// Files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Everything on a disk, directories that hold nothing aside.
///
/// # Panics
/// When the disk fails.
pub fn read(disk: &dyn Disk) -> Files {
    let mut found = Files::new();
    let mut dirs = vec![String::new()];
    while let Some(dir) = dirs.pop() {
        for name in disk.list(&dir).unwrap() {
            let path = path::join(&dir, &name);
            match disk.map(&path) {
                Ok(bytes) => drop(found.insert(path, bytes.to_vec())),
                Err(_) => dirs.push(path),
            }
        }
    }
    found
}

/// A disk in memory with these files.
///
/// # Panics
/// When a path is not one of a disk.
pub fn disk(files: &Files) -> DynDisk {
    let disk = MemDisk::new();
    for (path, bytes) in files {
        let (dir, _) = path::split(path);
        if !dir.is_empty() {
            disk.create_dir_all(dir).unwrap();
        }
        disk.create(path).unwrap().write_all_at(bytes, 0).unwrap();
    }
    Arc::new(disk)
}

/// Copies a directory and all below it.
///
/// # Panics
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    let entries = std::fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    for entry in entries.map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
