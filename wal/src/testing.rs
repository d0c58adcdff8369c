//! Logs to test on, and disks that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vdb_vfs::sim::SimDisk;
use vdb_vfs::{Disk, DynDisk, File, FileView, LockGuard};

use crate::format::{self, FILE_HEADER_BYTES};
use crate::{Damage, Error, Item, Lsn, Recovered, Result, Wal, WalOptions};

pub(crate) const DIR: &str = "wal";

/// A record as tests compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) lsn: Lsn,
    pub(crate) kind: u8,
    pub(crate) collection: u32,
    pub(crate) body: Vec<u8>,
}

/// All records of the tests have bodies that follow from their LSN, so that none can pass for another.
pub(crate) fn body(lsn: Lsn, len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (lsn.wrapping_mul(0x9e37_79b9).wrapping_add(i * 31) >> 3) as u8 | 1)
        .collect()
}

pub(crate) fn record(lsn: Lsn, len: usize) -> Record {
    Record {
        lsn,
        kind: (lsn % 5) as u8,
        collection: lsn as u32 + 100,
        body: body(lsn, len),
    }
}

pub(crate) fn records(lsns: std::ops::RangeInclusive<Lsn>, len: usize) -> Vec<Record> {
    lsns.map(|lsn| record(lsn, len)).collect()
}

pub(crate) fn open(disk: &SimDisk) -> Result<(Wal, Recovered)> {
    open_with(disk, WalOptions::default())
}

pub(crate) fn open_with(disk: &SimDisk, options: WalOptions) -> Result<(Wal, Recovered)> {
    Wal::open(dynamic(disk), DIR, options)
}

pub(crate) fn dynamic(disk: &SimDisk) -> DynDisk {
    Arc::new(disk.clone())
}

/// Appends the next record in two parts.
pub(crate) fn append(wal: &Wal, len: usize) -> Result<Lsn> {
    let next = record(wal.last_lsn() + 1, len);
    let (head, rest) = next.body.split_at(len / 3);
    let lsn = wal.append(next.kind, next.collection, &[head, rest])?;
    assert_eq!(lsn, next.lsn);
    Ok(lsn)
}

pub(crate) fn append_synced(wal: &Wal, len: usize) -> Result<Lsn> {
    let lsn = append(wal, len)?;
    wal.sync(lsn)?;
    Ok(lsn)
}

pub(crate) fn read(recovered: &mut Recovered) -> Result<(Vec<Record>, Vec<Damage>)> {
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    while let Some(item) = recovered.next_item()? {
        sort(item, &mut records, &mut damaged)?;
    }
    Ok((records, damaged))
}

pub(crate) fn sort(item: Item<'_>, records: &mut Vec<Record>, damaged: &mut Vec<Damage>) -> Result<()> {
    match item {
        Item::Frame(frame) => records.push(Record {
            lsn: frame.lsn,
            kind: frame.kind,
            collection: frame.collection,
            body: frame.body.to_vec(),
        }),
        Item::Damaged(damage) => damaged.push(damage),
        Item::Lost(error) => return Err(error),
    }
    Ok(())
}

/// The records of a log in which nothing is damaged.
pub(crate) fn read_sound(disk: &SimDisk) -> Vec<Record> {
    let (_wal, mut recovered) = open(disk).unwrap();
    let (records, damaged) = read(&mut recovered).unwrap();
    assert_eq!(damaged, []);
    records
}

/// A log of `n` records of `len` bytes, each synced before the next is appended; the process then dies.
pub(crate) fn log_of(n: u64, len: usize) -> SimDisk {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    for _ in 0..n {
        append_synced(&wal, len).unwrap();
    }
    settled(&disk)
}

/// A log of `n` records of which none was ever synced; the process then dies.
pub(crate) fn unsynced_log_of(n: u64, len: usize) -> SimDisk {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    for _ in 0..n {
        append(&wal, len).unwrap();
    }
    settled(&disk)
}

/// The disk after the process has died and the system has written everything back: a flip of a bit stays then.
pub(crate) fn settled(disk: &SimDisk) -> SimDisk {
    for name in disk.list(DIR).unwrap() {
        disk.open(&format::path_in(DIR, &name), true)
            .unwrap()
            .sync_all()
            .unwrap();
    }
    disk.sync_dir(DIR).unwrap();
    disk.restart()
}

/// The names of the log's files.
pub(crate) fn logs(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.list(DIR).unwrap();
    names.retain(|name| crate::is_log_file(name));
    names
}

pub(crate) fn file(first: Lsn) -> String {
    format::path_in(DIR, &format::file_name(first))
}

/// Where the `i`-th frame (from 0) of a file begins, when all bodies have the same length.
pub(crate) fn frame_at(i: u64, len: usize) -> u64 {
    FILE_HEADER_BYTES as u64 + i * format::frame_bytes(len as u32)
}

pub(crate) fn bytes_of(disk: &SimDisk, path: &str) -> Vec<u8> {
    disk.map(path).unwrap().to_vec()
}

pub(crate) fn overwrite(disk: &SimDisk, path: &str, offset: u64, bytes: &[u8]) {
    disk.open(path, true)
        .unwrap()
        .write_all_at(bytes, offset)
        .unwrap();
}

pub(crate) fn corrupt_at(error: &Error) -> Option<u64> {
    if let Error::Corrupt { offset, .. } = error {
        Some(*offset)
    } else {
        None
    }
}

/// A disk on which a sync takes its time, and that counts them.
#[derive(Debug)]
pub(crate) struct SlowSync {
    pub(crate) disk: SimDisk,
    pub(crate) time: Duration,
    pub(crate) syncs: Arc<AtomicU64>,
}

#[derive(Debug)]
struct SlowFile {
    file: Box<dyn File>,
    time: Duration,
    syncs: Arc<AtomicU64>,
}

impl SlowSync {
    fn slow(&self, file: Box<dyn File>) -> Box<dyn File> {
        Box::new(SlowFile {
            file,
            time: self.time,
            syncs: self.syncs.clone(),
        })
    }
}

impl File for SlowFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> vdb_vfs::Result<usize> {
        self.file.read_at(buf, offset)
    }
    fn write_all_at(&self, data: &[u8], offset: u64) -> vdb_vfs::Result<()> {
        self.file.write_all_at(data, offset)
    }
    fn len(&self) -> vdb_vfs::Result<u64> {
        self.file.len()
    }
    fn set_len(&self, len: u64) -> vdb_vfs::Result<()> {
        self.file.set_len(len)
    }
    fn allocate(&self, len: u64) -> vdb_vfs::Result<()> {
        self.file.allocate(len)
    }
    fn sync_data(&self) -> vdb_vfs::Result<()> {
        std::thread::sleep(self.time);
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }
    fn sync_all(&self) -> vdb_vfs::Result<()> {
        self.file.sync_all()
    }
}

impl Disk for SlowSync {
    fn create(&self, path: &str) -> vdb_vfs::Result<Box<dyn File>> {
        Ok(self.slow(self.disk.create(path)?))
    }
    fn open(&self, path: &str, write: bool) -> vdb_vfs::Result<Box<dyn File>> {
        Ok(self.slow(self.disk.open(path, write)?))
    }
    fn map(&self, path: &str) -> vdb_vfs::Result<FileView> {
        self.disk.map(path)
    }
    fn list(&self, dir: &str) -> vdb_vfs::Result<Vec<String>> {
        self.disk.list(dir)
    }
    fn exists(&self, path: &str) -> vdb_vfs::Result<bool> {
        self.disk.exists(path)
    }
    fn rename(&self, from: &str, to: &str) -> vdb_vfs::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &str) -> vdb_vfs::Result<()> {
        self.disk.remove(path)
    }
    fn create_dir_all(&self, dir: &str) -> vdb_vfs::Result<()> {
        self.disk.create_dir_all(dir)
    }
    fn remove_dir_all(&self, dir: &str) -> vdb_vfs::Result<()> {
        self.disk.remove_dir_all(dir)
    }
    fn sync_dir(&self, dir: &str) -> vdb_vfs::Result<()> {
        self.disk.sync_dir(dir)
    }
    fn hard_link(&self, from: &str, to: &str) -> vdb_vfs::Result<()> {
        self.disk.hard_link(from, to)
    }
    fn lock(&self, path: &str) -> vdb_vfs::Result<LockGuard> {
        self.disk.lock(path)
    }
    fn display(&self, path: &str) -> String {
        self.disk.display(path)
    }
}
