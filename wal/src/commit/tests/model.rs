//! Group commit under a model checker: `just model`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vdb_sys::sync::{Mutex, explore, thread};
use vdb_vfs::{Error as DiskError, File, Result as DiskResult};

use crate::commit::GroupCommit;
use crate::error::Error;
use crate::{Lsn, testing};

/// A file that knows up to which record it is durable. Its own numbers are no part of the protocol, so the checker does
/// not switch threads at them.
#[derive(Debug, Default)]
struct TracedFile {
    written: AtomicU64,
    durable: AtomicU64,
    syncing: AtomicBool,
    /// This sync and those after it fail; 0 for none.
    fails_from: u64,
    syncs: AtomicU64,
}

impl File for TracedFile {
    fn read_at(&self, _: &mut [u8], _: u64) -> DiskResult<usize> {
        Ok(0)
    }
    fn write_all_at(&self, _: &[u8], _: u64) -> DiskResult<()> {
        Ok(())
    }
    fn len(&self) -> DiskResult<u64> {
        Ok(0)
    }
    fn set_len(&self, _: u64) -> DiskResult<()> {
        Ok(())
    }
    fn allocate(&self, _: u64) -> DiskResult<()> {
        Ok(())
    }
    fn sync_data(&self) -> DiskResult<()> {
        assert!(!self.syncing.swap(true, Ordering::Relaxed), "two syncs at once");
        let covered = self.written.load(Ordering::Relaxed);
        let number = self.syncs.fetch_add(1, Ordering::Relaxed) + 1;
        // What others append meanwhile is not covered.
        thread::yield_now();
        thread::yield_now();
        self.syncing.store(false, Ordering::Relaxed);
        if self.fails_from != 0 && number >= self.fails_from {
            return Err(DiskError::io("log", "sync", std::io::Error::other("medium")));
        }
        self.durable.fetch_max(covered, Ordering::Relaxed);
        Ok(())
    }
    fn sync_all(&self) -> DiskResult<()> {
        self.sync_data()
    }
}

/// A log reduced to its numbers.
#[derive(Debug)]
struct Numbers {
    file: Mutex<(Arc<TracedFile>, Lsn)>,
    commit: GroupCommit,
}

impl Numbers {
    fn new(fails_from: u64) -> Arc<Self> {
        let file = Arc::new(TracedFile {
            fails_from,
            ..TracedFile::default()
        });
        Arc::new(Numbers {
            commit: GroupCommit::new(file.clone(), 0),
            file: Mutex::new((file, 0)),
        })
    }

    fn append(&self) -> Result<(Lsn, Arc<TracedFile>), Error> {
        let mut held = self.file.lock();
        self.commit.check()?;
        held.1 += 1;
        held.0.written.store(held.1, Ordering::Relaxed);
        self.commit.wrote(held.1);
        Ok((held.1, held.0.clone()))
    }

    /// Goes on in another file, as the log does: all of the old one is synced first, and nobody appends meanwhile.
    fn rotate(&self) -> Result<(), Error> {
        let mut held = self.file.lock();
        self.commit.sync(held.1)?;
        let next = Arc::new(TracedFile::default());
        self.commit.switch(next.clone());
        held.0 = next;
        Ok(())
    }
}

/// Appends and waits; checks what an acknowledgement promises.
fn write(log: &Numbers, times: usize) -> Result<(), Error> {
    for _ in 0..times {
        let (lsn, file) = log.append()?;
        log.commit.sync(lsn)?;
        let durable = file.durable.load(Ordering::Relaxed);
        assert!(
            durable >= lsn,
            "record {lsn} is acknowledged, {durable} is durable"
        );
        assert!(log.commit.synced() >= lsn);
    }
    Ok(())
}

fn join<T>(threads: impl IntoIterator<Item = thread::JoinHandle<T>>) -> Vec<T> {
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

#[test]
fn what_is_acknowledged_was_covered_by_a_sync_that_began_later() {
    explore(40_000, || {
        let log = Numbers::new(0);
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || write(&log, 2).unwrap())
            })
            .collect();
        join(writers);
        assert_eq!((log.commit.written(), log.commit.synced()), (6, 6));
    });
}

#[test]
fn a_sync_that_is_forced_meets_those_who_wait() {
    explore(20_000, || {
        let log = Numbers::new(0);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || write(&log, 2).unwrap())
            })
            .collect();
        log.commit.sync_now().unwrap();
        log.commit.sync(Lsn::MAX).unwrap();
        join(writers);
        assert_eq!(log.commit.synced(), 4);
    });
}

#[test]
fn going_on_in_another_file_leaves_nothing_behind() {
    explore(20_000, || {
        let log = Numbers::new(0);
        let mut threads: Vec<_> = (0..2)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || write(&log, 2).unwrap())
            })
            .collect();
        let rotating = log.clone();
        threads.push(thread::spawn(move || rotating.rotate().unwrap()));
        log.commit.sync_now().unwrap();
        join(threads);
    });
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    explore(40_000, || {
        let log = Numbers::new(2);
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || write(&log, 2))
            })
            .collect();
        let outcomes = join(writers);
        let file = log.file.lock().0.clone();
        assert!(log.commit.synced() <= file.durable.load(Ordering::Relaxed));
        // The second sync fails, and none is tried after it.
        assert!(file.syncs.load(Ordering::Relaxed) <= 2);
        if file.syncs.load(Ordering::Relaxed) == 2 {
            assert!(matches!(log.append(), Err(Error::Poisoned { .. })));
            assert!(outcomes.iter().any(Result::is_err));
        }
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert!(matches!(error, Error::Poisoned { .. }), "{error}");
        }
    });
}

#[test]
fn who_waits_hears_of_what_poisons_the_log() {
    explore(20_000, || {
        let log = Numbers::new(0);
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let log = log.clone();
                thread::spawn(move || write(&log, 2))
            })
            .collect();
        log.commit.poison(Error::Closed);
        join(writers);
        assert!(log.commit.check().is_err());
    });
}

/// Files shorter than what three records need, so that the log goes on in others.
const SEGMENT_BYTES: u64 = 300;

fn log_on(disk: &vdb_vfs::sim::SimDisk) -> Arc<crate::Wal> {
    let options = crate::WalOptions {
        segment_bytes: SEGMENT_BYTES,
    };
    Arc::new(testing::open_with(disk, options).unwrap().0)
}

/// Up to which record the log knows of all after any of some power cuts: they are there, or were released.
fn after_a_power_cut(disk: &vdb_vfs::sim::SimDisk) -> Lsn {
    let kept = (0..4).map(|seed| {
        let (wal, mut recovered) = testing::open(&disk.crash(seed)).unwrap();
        let (records, damaged) = testing::read(&mut recovered).unwrap();
        assert_eq!(damaged, []);
        let last = wal.last_lsn();
        assert!(records.last().is_none_or(|record| record.lsn == last));
        last
    });
    kept.min().unwrap_or(0)
}

#[test]
fn the_whole_log_keeps_what_it_acknowledged_through_a_power_cut() {
    explore(3_000, || {
        let disk = vdb_vfs::sim::SimDisk::new(1);
        let wal = log_on(&disk);
        let writers: Vec<_> = (0..2u32)
            .map(|writer| {
                let (wal, disk) = (wal.clone(), disk.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let lsn = wal.append(1, writer, &[&[1; 100]]).unwrap();
                        wal.sync(lsn).unwrap();
                        assert!(after_a_power_cut(&disk) >= lsn);
                    }
                })
            })
            .collect();
        wal.release(wal.synced_lsn().min(1)).unwrap();
        join(writers);
        wal.close().unwrap();
    });
}

#[test]
fn a_full_disk_refuses_one_and_the_others_go_on() {
    explore(4_000, || {
        let disk = vdb_vfs::sim::SimDisk::new(1);
        let wal = Arc::new(testing::open(&disk).unwrap().0);
        let kept = testing::append_synced(&wal, 10).unwrap();
        disk.set_capacity(Some(disk.used() + 100));
        let big = {
            let wal = wal.clone();
            thread::spawn(move || wal.append(1, 9, &[&[1; 200_000]]))
        };
        let small = {
            let (wal, disk) = (wal.clone(), disk.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let lsn = wal.append(1, 1, &[&[1; 100]]).unwrap();
                    wal.sync(lsn).unwrap();
                    assert!(after_a_power_cut(&disk) >= lsn);
                }
            })
        };
        assert!(big.join().unwrap().unwrap_err().is_no_space());
        small.join().unwrap();
        assert_eq!(wal.synced_lsn(), kept + 2);
        wal.close().unwrap();
    });
}

#[test]
fn closing_meets_writers_that_are_under_way() {
    explore(4_000, || {
        let disk = vdb_vfs::sim::SimDisk::new(1);
        let wal = log_on(&disk);
        let writers: Vec<_> = (0..2u32)
            .map(|writer| {
                let wal = wal.clone();
                thread::spawn(move || {
                    let lsn = wal.append(1, writer, &[&[1; 100]])?;
                    wal.sync(lsn).map(|()| lsn)
                })
            })
            .collect();
        wal.close().unwrap();
        let mut kept = 0;
        for outcome in join(writers) {
            match outcome {
                Ok(lsn) => kept = kept.max(lsn),
                Err(error) => assert!(matches!(error, Error::Closed), "{error}"),
            }
        }
        assert!(after_a_power_cut(&disk) >= kept);
    });
}
