use proptest::prelude::*;
use vdb_vfs::sim::SimDisk;

use super::*;
use crate::testing::*;

#[test]
fn a_closed_log_takes_no_more_records_and_closing_twice_is_fine() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    append(&wal, 10).unwrap();
    wal.close().unwrap();
    let calls = disk.calls();
    wal.close().unwrap();
    assert_eq!(disk.calls(), calls);
    assert!(matches!(append(&wal, 10), Err(Error::Closed)));
    assert_eq!(wal.synced_lsn(), 1);
    // A log that is opened and closed unused is not written to.
    let (wal, recovered) = open(&disk).unwrap();
    assert!(recovered.report().closed_cleanly);
    let bytes = bytes_of(&disk, &file(1));
    wal.close().unwrap();
    assert_eq!(bytes_of(&disk, &file(1)), bytes);
}

#[test]
fn a_closed_log_releases_nothing_more() {
    for marked in [true, false] {
        let disk = SimDisk::new(1);
        let options = WalOptions { segment_bytes: 1_000 };
        let (wal, recovered) = open_with(&disk, options.clone()).unwrap();
        drop(recovered);
        for _ in 0..6 {
            append(&wal, 400).unwrap();
        }
        match marked {
            true => wal.close().unwrap(),
            false => wal.close_unmarked().unwrap(),
        }
        let (calls, files) = (disk.calls(), logs(&disk));
        assert_eq!(wal.release(u64::MAX).unwrap(), 0);
        assert_eq!((disk.calls(), logs(&disk)), (calls, files));
        assert!(matches!(append(&wal, 10), Err(Error::Closed)));
        let (_, mut recovered) = open_with(&disk, options).unwrap();
        assert_eq!(recovered.report().closed_cleanly, marked);
        assert_eq!(read(&mut recovered).unwrap().0, records(1..=6, 400));
    }
}

#[test]
fn release_removes_whole_files_below_an_lsn() {
    let disk = SimDisk::new(1);
    let options = WalOptions { segment_bytes: 1_000 };
    let (wal, recovered) = open_with(&disk, options.clone()).unwrap();
    for _ in 0..10 {
        append(&wal, 400).unwrap();
    }
    // Files 1, 3, 5, 7, 9 of two records each.
    let bytes = wal.bytes();
    assert_eq!((wal.retained_from(), bytes), (1, 5 * frame_at(2, 400)));
    assert_eq!(wal.release(10).unwrap(), 0);
    assert_eq!(logs(&disk).len(), 5);
    drop(recovered);
    assert_eq!(wal.release(5).unwrap(), 2 * frame_at(2, 400));
    assert_eq!(
        (wal.retained_from(), wal.bytes()),
        (5, bytes - 2 * frame_at(2, 400))
    );
    wal.release(u64::MAX).unwrap();
    assert_eq!((wal.retained_from(), logs(&disk).len()), (9, 1));
    wal.sync_all().unwrap();
    let (wal, mut recovered) = open_with(&disk.crash(1), options).unwrap();
    assert_eq!(read(&mut recovered).unwrap().0, records(9..=10, 400));
    assert_eq!(wal.retained_from(), 9);
}

#[test]
fn a_long_file_is_finished_once_all_its_records_are_released() {
    let disk = SimDisk::new(1);
    let (wal, recovered) = open(&disk).unwrap();
    drop(recovered);
    append(&wal, 400).unwrap();
    wal.release(1).unwrap();
    assert_eq!(logs(&disk).len(), 1);
    assert_eq!(wal.retained_from(), 1);
    append(&wal, WORTH_FINISHING as usize).unwrap();
    wal.release(1).unwrap();
    assert_eq!(wal.retained_from(), 1);
    wal.release(2).unwrap();
    assert_eq!((wal.retained_from(), logs(&disk).len()), (3, 1));
    append(&wal, 10).unwrap();
    wal.sync_all().unwrap();
    let (_wal, mut recovered) = open(&disk.crash(1)).unwrap();
    assert_eq!(read(&mut recovered).unwrap().0, records(3..=3, 10));
}

#[test]
fn a_file_begun_by_a_release_is_marked_as_closed_like_any_other() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    append(&wal, WORTH_FINISHING as usize).unwrap();
    wal.close().unwrap();
    let (wal, recovered) = open(&disk).unwrap();
    assert!(recovered.report().closed_cleanly);
    drop(recovered);
    wal.release(1).unwrap();
    assert_eq!(wal.retained_from(), 2);
    wal.close().unwrap();
    let (_, recovered) = open(&disk.crash(1)).unwrap();
    assert!(recovered.report().closed_cleanly);
}

#[test]
fn an_empty_log_reopens_and_starts_at_one() {
    let disk = SimDisk::new(1);
    for _ in 0..3 {
        let (wal, mut recovered) = open(&disk).unwrap();
        assert_eq!((wal.last_lsn(), wal.synced_lsn(), wal.retained_from()), (0, 0, 1));
        assert_eq!(read(&mut recovered).unwrap().0, []);
        wal.close().unwrap();
    }
    let (wal, _) = open(&disk).unwrap();
    assert_eq!(append_synced(&wal, 0).unwrap(), 1);
}

#[derive(Clone, Debug)]
enum Op {
    Append(usize),
    Sync,
    Release(u64),
    Close,
    /// The process dies; the system keeps what was written.
    Restart,
    /// The power goes.
    Crash(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..900_usize).prop_map(Op::Append),
        1 => (50_000..200_000_usize).prop_map(Op::Append),
        4 => Just(Op::Sync),
        1 => (0..60_u64).prop_map(Op::Release),
        1 => Just(Op::Close),
        1 => Just(Op::Restart),
        2 => any::<u64>().prop_map(Op::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_log_does_what_a_list_does(ops in proptest::collection::vec(op(), 1..60), segment_bytes in 300..6_000_u64) {
        let mut disk = SimDisk::new(1);
        let options = WalOptions { segment_bytes };
        let (mut wal, _) = open_with(&disk, options.clone()).unwrap();
        // What was appended and not released, and the last LSN that must survive.
        let mut model: Vec<Record> = Vec::new();
        let mut durable = 0;
        let mut closed = false;
        for op in ops {
            let reopen = match op {
                Op::Append(len) => {
                    match append(&wal, len) {
                        Ok(lsn) => model.push(record(lsn, len)),
                        Err(error) => prop_assert!(closed && matches!(error, Error::Closed)),
                    }
                    None
                }
                Op::Sync => {
                    wal.sync_all().unwrap();
                    durable = wal.last_lsn();
                    None
                }
                Op::Release(lsn) => {
                    wal.release(lsn).unwrap();
                    let from = wal.retained_from();
                    prop_assert!(model.iter().all(|record| record.lsn <= lsn || record.lsn >= from));
                    model.retain(|record| record.lsn >= from);
                    None
                }
                Op::Close => {
                    wal.close().unwrap();
                    durable = wal.last_lsn();
                    closed = true;
                    None
                }
                Op::Restart => Some(disk.restart()),
                Op::Crash(seed) => Some(disk.crash(seed)),
            };
            prop_assert!(wal.synced_lsn() >= durable);
            durable = wal.synced_lsn();
            if let Some(next) = reopen {
                let kept_all = matches!(op, Op::Restart);
                let last = wal.last_lsn();
                disk = next;
                let opened = open_with(&disk, options.clone()).unwrap();
                wal = opened.0;
                let mut recovered = opened.1;
                let (found, damaged) = read(&mut recovered).unwrap();
                prop_assert_eq!(damaged, []);
                prop_assert!(found.len() <= model.len() && found == model[..found.len()]);
                prop_assert!(model[found.len()..].iter().all(|record| record.lsn > durable));
                prop_assert!(!kept_all || found.len() == model.len());
                prop_assert!(!closed || recovered.report().closed_cleanly);
                prop_assert!(wal.last_lsn() <= last);
                prop_assert_eq!(wal.synced_lsn(), wal.last_lsn());
                model = found;
                durable = wal.synced_lsn();
                closed = false;
            }
        }
    }
}

/// What a script of appends got acknowledged before its disk died.
#[derive(Default)]
struct Acknowledged {
    /// Lengths by LSN, from 1.
    lens: Vec<usize>,
    synced: Lsn,
    released: Lsn,
}

/// Appends, syncs, rotates, releases, closes and reopens until the disk dies.
fn script(disk: &SimDisk, done: &mut Acknowledged) -> Result<()> {
    let options = WalOptions { segment_bytes: 3_000 };
    for round in 0..3 {
        let (wal, mut recovered) = open_with(disk, options.clone())?;
        read(&mut recovered)?;
        drop(recovered);
        for i in 0..8_usize {
            let len = [700, 0, 1_500, 90, 90_000, 511, 30, 2_000][(i + round) % 8];
            // The attempt counts: it may have reached the disk even if it fails.
            done.lens.push(len);
            append(&wal, len)?;
            if i % 3 != 1 {
                wal.sync_all()?;
                done.synced = wal.last_lsn();
            }
            if i == 5 {
                wal.release(done.synced / 2)?;
                done.released = done.synced / 2;
            }
        }
        if round == 1 {
            wal.close()?;
            done.synced = wal.last_lsn();
        }
    }
    Ok(())
}

fn check_after_crash(after: &SimDisk, done: &Acknowledged, context: &str) {
    let (wal, mut recovered) = open(after).unwrap_or_else(|error| panic!("{context}: {error}"));
    let (found, damaged) = read(&mut recovered).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!(damaged, [], "{context}");
    let last = wal.last_lsn();
    assert!(
        last >= done.synced,
        "{context}: synced up to {}, found {last}",
        done.synced
    );
    let first = found.first().map_or(last + 1, |record| record.lsn);
    assert!(first <= done.synced / 2 + 1 || first <= last, "{context}");
    for (lsn, found) in (first..=last).zip(&found) {
        assert!(
            *found == record(lsn, done.lens[lsn as usize - 1]),
            "{context}: record {lsn}"
        );
    }
    assert_eq!(found.len() as u64, last + 1 - first, "{context}");
    // And it goes on from there, durably.
    let lsn = append_synced(&wal, 33).unwrap();
    assert_eq!(lsn, last + 1);
    let again = read_sound(&after.crash(lsn));
    assert_eq!(again.last(), Some(&record(lsn, 33)), "{context}");
    // Released files may come back when the sync of their removal failed.
    let older = again.iter().filter(|record| record.lsn < first).count();
    assert!(again[older..again.len() - 1] == found, "{context}");
}

#[test]
fn whatever_call_the_power_goes_at_all_that_was_synced_is_there_and_nothing_half() {
    let whole = SimDisk::new(0);
    script(&whole, &mut Acknowledged::default()).unwrap();
    assert!(whole.calls() > 100);
    for n in 0..whole.calls() {
        let disk = SimDisk::new(0);
        disk.crash_at(n);
        let mut done = Acknowledged::default();
        assert!(script(&disk, &mut done).is_err());
        for seed in 0..6 {
            check_after_crash(&disk.crash(seed), &done, &format!("crash at {n}, seed {seed}"));
        }
    }
}

#[test]
fn whatever_call_the_process_dies_at_the_next_one_loses_nothing_to_a_power_cut() {
    let whole = SimDisk::new(0);
    script(&whole, &mut Acknowledged::default()).unwrap();
    for n in 0..whole.calls() {
        let disk = SimDisk::new(n);
        disk.crash_at(n);
        let mut done = Acknowledged::default();
        assert!(script(&disk, &mut done).is_err());
        // The system goes on with bytes and names of which nobody knows whether they are durable.
        check_after_crash(&disk.restart(), &done, &format!("killed at {n}"));
    }
}

#[test]
fn a_note_that_a_killed_process_left_is_made_durable_before_files_go_by_it() {
    let options = WalOptions { segment_bytes: 1_000 };
    let filled = || {
        let disk = SimDisk::new(1);
        let (wal, recovered) = open_with(&disk, options.clone()).unwrap();
        drop(recovered);
        for _ in 0..6 {
            append_synced(&wal, 400).unwrap();
        }
        (disk, wal)
    };
    let calls = {
        let (disk, wal) = filled();
        let before = disk.calls();
        wal.release(5).unwrap();
        disk.calls() - before
    };
    for n in 0..calls {
        let (disk, wal) = filled();
        disk.crash_at(disk.calls() + n);
        wal.release(5).unwrap_err();
        let next = disk.restart();
        let (wal, recovered) = open_with(&next, options.clone()).unwrap();
        drop(recovered);
        wal.release(5).unwrap();
        for seed in 0..20 {
            let found = open_with(&next.crash(seed), options.clone());
            let (_wal, mut recovered) = found.unwrap_or_else(|e| panic!("killed at {n}, seed {seed}: {e}"));
            let (found, _) = read(&mut recovered).unwrap();
            assert_eq!(
                found.last(),
                records(6..=6, 400).last(),
                "killed at {n}, seed {seed}"
            );
        }
    }
}

#[test]
fn a_crash_during_recovery_loses_nothing_either() {
    let torn = {
        let disk = SimDisk::new(0);
        let (wal, _) = open(&disk).unwrap();
        append_synced(&wal, 500).unwrap();
        append_synced(&wal, 500).unwrap();
        for _ in 0..4 {
            append(&wal, 900).unwrap();
        }
        disk
    };
    let done = Acknowledged {
        lens: vec![500, 500, 900, 900, 900, 900],
        synced: 2,
        released: 0,
    };
    for torn_seed in 0..12 {
        let after = torn.crash(torn_seed);
        let calls = {
            let disk = after.crash(0);
            let before = disk.calls();
            open(&disk).unwrap();
            disk.calls() - before
        };
        for n in 0..calls {
            let disk = after.crash(0);
            disk.crash_at(n);
            assert!(open(&disk).is_err());
            for seed in 0..4 {
                let context = format!("tail {torn_seed}, crash at {n}, seed {seed}");
                check_after_crash(&disk.crash(seed), &done, &context);
            }
        }
    }
}

#[test]
fn the_mark_of_a_close_vouches_for_no_record_that_a_crash_can_take() {
    for n in 0.. {
        let mut closed = false;
        for seed in 0..200 {
            let disk = SimDisk::new(0);
            let (wal, _) = open(&disk).unwrap();
            append_synced(&wal, 100).unwrap();
            for _ in 0..3 {
                append(&wal, 900).unwrap();
            }
            disk.crash_at(disk.calls() + n);
            closed = wal.close().is_ok();
            let done = Acknowledged {
                lens: vec![100, 900, 900, 900],
                synced: if closed { 4 } else { 1 },
                released: 0,
            };
            check_after_crash(
                &disk.crash(seed),
                &done,
                &format!("crash at {n} of closing, seed {seed}"),
            );
        }
        if closed {
            break;
        }
    }
}

#[test]
fn whatever_call_fails_nothing_acknowledged_is_lost() {
    let whole = SimDisk::new(0);
    script(&whole, &mut Acknowledged::default()).unwrap();
    for n in 0..whole.calls() {
        let disk = SimDisk::new(n);
        disk.fail_call(n);
        let mut done = Acknowledged::default();
        if script(&disk, &mut done).is_ok() {
            // Only giving back room may fail unnoticed.
            continue;
        }
        // The power goes at once; or the process is started anew on what the system still holds, and then it goes.
        check_after_crash(&disk.crash(n), &done, &format!("failure at {n}, then a crash"));
        let restarted = disk.restart();
        check_after_crash(&restarted, &done, &format!("failure at {n}, then a restart"));
    }
}

#[test]
fn a_disk_that_fills_up_anywhere_refuses_and_loses_nothing() {
    for capacity in (67_000..420_000).step_by(7_001) {
        let disk = SimDisk::new(0);
        disk.set_capacity(Some(capacity));
        let (wal, _) = open_with(
            &disk,
            WalOptions {
                segment_bytes: 60_000,
            },
        )
        .unwrap();
        let mut expected = Vec::new();
        for i in 0..60_usize {
            let len = [700, 0, 15_000, 90, 20_000, 511][i % 6];
            match append(&wal, len) {
                Ok(lsn) => expected.push(record(lsn, len)),
                Err(Error::NoSpace { .. }) => {}
                Err(error) => panic!("capacity {capacity}: {error}"),
            }
            wal.sync_all().unwrap();
        }
        disk.set_capacity(None);
        expected.push(record(append_synced(&wal, 10).unwrap(), 10));
        assert!(
            read_sound(&disk.crash(capacity)) == expected,
            "capacity {capacity}"
        );
    }
}

#[test]
fn a_log_on_a_real_disk_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let disk: DynDisk = Arc::new(vdb_vfs::OsDisk::open(dir.path(), true).unwrap());
    let options = WalOptions {
        segment_bytes: 300_000,
    };
    let mut lens = Vec::new();
    for round in 0..3 {
        let (wal, mut recovered) = Wal::open(disk.clone(), "a/wal", options.clone()).unwrap();
        let (found, damaged) = read(&mut recovered).unwrap();
        assert_eq!((found.len(), damaged.len()), (lens.len(), 0));
        for (record, len) in found.iter().zip(&lens) {
            assert_eq!(record.body, body(record.lsn, *len));
        }
        for i in 0..40 {
            lens.push([10, 3_000, 70_000, 0][i % 4]);
            append_synced(&wal, lens[lens.len() - 1]).unwrap();
        }
        if round == 1 {
            wal.close().unwrap();
        }
    }
    let report = crate::verify(&disk, "a/wal").unwrap();
    assert!(report.is_sound() && report.files > 5);
    assert_eq!((report.frames, report.last_lsn), (120, 120));
}
