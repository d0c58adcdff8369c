#[cfg(feature = "model")]
mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use vdb_vfs::sim::SimDisk;

use crate::testing::*;
use crate::{Error, Wal, WalOptions};

#[test]
fn writers_that_wait_at_the_same_time_share_a_sync() {
    let syncs = Arc::new(AtomicU64::new(0));
    let disk = SimDisk::new(1);
    let slow = SlowSync {
        disk: disk.clone(),
        time: Duration::from_millis(1),
        syncs: syncs.clone(),
    };
    let options = WalOptions {
        segment_bytes: 20_000,
    };
    let (wal, _) = Wal::open(Arc::new(slow), DIR, options).unwrap();
    let (threads, each) = if cfg!(miri) { (4, 5) } else { (16, 40) };
    thread::scope(|scope| {
        for thread in 0..threads {
            let wal = &wal;
            scope.spawn(move || {
                for _ in 0..each {
                    let lsn = wal
                        .append(1, thread, &[&thread.to_le_bytes(), &[1; 100]])
                        .unwrap();
                    wal.sync(lsn).unwrap();
                    assert!(wal.synced_lsn() >= lsn);
                }
            });
        }
    });
    let records = u64::from(threads * each);
    assert_eq!((wal.last_lsn(), wal.synced_lsn()), (records, records));
    let syncs = syncs.load(Ordering::Relaxed);
    // Under Miri they take turns as it pleases.
    assert!(
        cfg!(miri) || syncs * 5 <= records,
        "{syncs} syncs for {records} records"
    );

    let (_, mut recovered) = open(&disk.crash(1)).unwrap();
    let (found, damaged) = read(&mut recovered).unwrap();
    assert_eq!((found.len() as u64, damaged.len()), (records, 0));
    for thread in 0..threads {
        assert_eq!(
            found.iter().filter(|record| record.collection == thread).count(),
            each as usize
        );
    }
}

#[test]
fn a_failed_sync_fails_everyone_who_waits_and_everyone_after() {
    let disk = SimDisk::new(1);
    let slow = SlowSync {
        disk: disk.clone(),
        time: Duration::from_millis(20),
        syncs: Arc::default(),
    };
    let (wal, _) = Wal::open(Arc::new(slow), DIR, WalOptions::default()).unwrap();
    append_synced(&wal, 10).unwrap();
    disk.fail_sync(disk.syncs());
    disk.fail_sync(disk.syncs() + 1);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let poisoned = wal
                    .append(0, 0, &[b"x"])
                    .and_then(|lsn| wal.sync(lsn))
                    .unwrap_err();
                assert!(matches!(&poisoned, Error::Poisoned { cause } if matches!(**cause, Error::Disk(_))));
            });
        }
    });
    assert_eq!(wal.synced_lsn(), 1);
    assert!(wal.syncs().done >= 1);
    assert_eq!(wal.syncs().failed, 1);
    for error in [
        append(&wal, 10).unwrap_err(),
        wal.append_from_reserve(0, 0, &[]).unwrap_err(),
        wal.sync_all().unwrap_err(),
        wal.close().unwrap_err(),
    ] {
        assert!(matches!(error, Error::Poisoned { .. }), "{error}");
        assert!(error.to_string().contains("input/output"), "{error}");
    }
    // What was durable before stays so.
    wal.sync(1).unwrap();
}

#[test]
fn syncing_what_is_synced_costs_nothing() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    for _ in 0..5 {
        append(&wal, 10).unwrap();
    }
    wal.sync(3).unwrap();
    assert_eq!(wal.synced_lsn(), 5);
    let calls = disk.calls();
    wal.sync(5).unwrap();
    wal.sync(u64::MAX).unwrap();
    wal.sync_all().unwrap();
    assert_eq!(disk.calls(), calls);
}
