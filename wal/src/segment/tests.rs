use vdb_vfs::sim::SimDisk;

use super::*;
use crate::format::{RELEASED_SLOT_BYTES, RELEASED_SLOTS};
use crate::testing::*;
use crate::{Error, Wal, WalOptions};

/// Fills the disk up to what the log has, and opens it.
fn full_disk(options: WalOptions) -> (SimDisk, Wal) {
    let disk = SimDisk::new(1);
    let (wal, _) = open_with(&disk, options).unwrap();
    append_synced(&wal, 100).unwrap();
    disk.set_capacity(Some(disk.used()));
    (disk, wal)
}

/// Appends records of 100 bytes until one is refused; returns how many went in.
fn fill(wal: &Wal, from_reserve: bool) -> u64 {
    let before = wal.last_lsn();
    loop {
        let next = record(wal.last_lsn() + 1, 100);
        let appended = if from_reserve {
            wal.append_from_reserve(next.kind, next.collection, &[&next.body])
        } else {
            wal.append(next.kind, next.collection, &[&next.body])
        };
        match appended {
            Ok(_) => {}
            Err(Error::NoSpace { .. }) => return wal.last_lsn() - before,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_log_costs_little_before_it_is_used_and_grows_by_zeros() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    let note = (RELEASED_SLOTS * RELEASED_SLOT_BYTES) as u64;
    assert_eq!(disk.used(), MIN_STEP + note);
    for _ in 0..2_000 {
        append(&wal, 500).unwrap();
    }
    let used = frame_at(2_000, 500);
    assert!((used + RESERVE_BYTES..used + MAX_STEP).contains(&disk.used()));
    assert_eq!(wal.bytes(), used);
    assert!(
        bytes_of(&disk, &file(1))[used as usize..]
            .iter()
            .all(|byte| *byte == 0)
    );
}

#[test]
fn a_full_disk_refuses_appends_and_takes_them_again_when_there_is_room() {
    let (disk, wal) = full_disk(WalOptions::default());
    assert!(fill(&wal, false) > 100);
    let last = wal.last_lsn();
    wal.sync_all().unwrap();
    assert!(matches!(append(&wal, 1_000_000), Err(Error::NoSpace { .. })));
    assert!(matches!(append(&wal, 100), Err(Error::NoSpace { .. })));
    assert_eq!((wal.last_lsn(), wal.synced_lsn()), (last, last));
    assert_eq!(read_sound(&disk.restart()), records(1..=last, 100));
    disk.set_capacity(None);
    assert_eq!(append_synced(&wal, 100).unwrap(), last + 1);
    assert_eq!(read_sound(&disk.crash(4)), records(1..=last + 1, 100));
}

#[test]
fn the_reserve_holds_small_records_on_a_full_disk() {
    let (disk, wal) = full_disk(WalOptions::default());
    fill(&wal, false);
    let more = fill(&wal, true);
    assert!(
        more >= RESERVE_BYTES / crate::format::frame_bytes(100) - 1,
        "{more}"
    );
    wal.sync_all().unwrap();
    assert_eq!(read_sound(&disk.crash(2)), records(1..=wal.last_lsn(), 100));
}

#[test]
fn the_reserve_is_there_when_the_next_file_cannot_be_created() {
    let options = || WalOptions {
        segment_bytes: 20_000,
    };
    let (disk, wal) = full_disk(options());
    fill(&wal, false);
    assert!(logs(&disk).len() == 1 && wal.bytes() <= 20_000);
    assert!(fill(&wal, true) > 100);
    let last = wal.last_lsn();
    disk.set_capacity(None);
    append_synced(&wal, 100).unwrap();
    assert_eq!(logs(&disk).len(), 2);
    assert_eq!(read_sound(&disk.crash(2)), records(1..=last + 1, 100));
}

#[test]
fn a_refused_record_never_turns_up_however_much_of_it_was_written() {
    for room in (0..4_000)
        .step_by(97)
        .chain([99_900, 100_000, 100_039, 100_041, 131_000])
    {
        let disk = SimDisk::new(1);
        let (wal, _) = open(&disk).unwrap();
        append_synced(&wal, 100_000).unwrap();
        let used = disk.used();
        disk.set_capacity(Some(used + room));
        assert!(
            matches!(append(&wal, 100_000), Err(Error::NoSpace { .. })),
            "room for {room}"
        );
        assert_eq!(disk.used(), used);
        let (_, mut recovered) = open(&disk.restart()).unwrap();
        assert_eq!(recovered.report().torn, None);
        assert_eq!(read(&mut recovered).unwrap().0, records(1..=1, 100_000));
        disk.set_capacity(None);
        append_synced(&wal, 50).unwrap();
        assert_eq!(read_sound(&disk.crash(room)), [record(1, 100_000), record(2, 50)]);
    }
}

#[test]
fn a_failed_write_poisons_the_log() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    append_synced(&wal, 100).unwrap();
    disk.fail_call(disk.calls());
    assert!(matches!(append(&wal, 100), Err(Error::Poisoned { .. })));
    assert!(matches!(append(&wal, 100), Err(Error::Poisoned { .. })));
    assert_eq!(wal.last_lsn(), 1);
    assert_eq!(read_sound(&disk.restart()), records(1..=1, 100));
}

#[test]
fn parts_of_any_size_come_back_as_one_body() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    let bytes = body(1, 700_000);
    let mut expected = Vec::new();
    for cuts in [
        vec![],
        vec![0],
        vec![1, 2, 3],
        vec![DIRECT_BYTES - 1, 5, DIRECT_BYTES, 0, 7],
        vec![3, DIRECT_BYTES + 1],
        vec![60_000; 10],
        vec![500_000, 1],
    ] {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut at = 0;
        for len in cuts {
            parts.push(&bytes[at..at + len]);
            at += len;
        }
        wal.append(0, 0, &parts).unwrap();
        expected.push(bytes[..at].to_vec());
    }
    wal.sync_all().unwrap();
    let found: Vec<_> = read_sound(&disk.crash(1))
        .into_iter()
        .map(|record| record.body)
        .collect();
    assert!(found == expected);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let disk = SimDisk::new(1);
    let (wal, _) = open(&disk).unwrap();
    let part = vec![0; 1 << 20];
    let parts = vec![part.as_slice(); 1025];
    assert!(matches!(wal.append(0, 0, &parts), Err(Error::TooLarge { bytes, .. }) if bytes == 1025 << 20));
    assert_eq!(append_synced(&wal, 10).unwrap(), 1);
}

#[test]
fn a_salt_is_not_that_of_the_file_before() {
    let mut salt = 0;
    for _ in 0..100 {
        let next = draw_salt(salt);
        assert_ne!(next, salt);
        salt = next;
    }
}
