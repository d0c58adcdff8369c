use vdb_vfs::Disk;
use vdb_vfs::sim::SimDisk;

use crate::format::FileHeader;
use crate::testing::*;
use crate::{Error, Item, Lsn, Replay, WalOptions};

const LEN: usize = 50;
/// Two records fit into a file.
const SMALL: u64 = 64 + 2 * 96;

fn options() -> WalOptions {
    WalOptions { segment_bytes: SMALL }
}

/// Records 1 to 6 in the files 1, 3 and 5; the process then dies.
fn three_files() -> SimDisk {
    let disk = SimDisk::new(1);
    let (wal, _) = open_with(&disk, options()).unwrap();
    for _ in 0..6 {
        append_synced(&wal, LEN).unwrap();
    }
    let names: Vec<String> = [1, 3, 5]
        .iter()
        .map(|first| format!("{first:016x}.log"))
        .collect();
    assert_eq!(logs(&disk), names);
    settled(&disk)
}

fn lsns_from(disk: &SimDisk, from: Lsn) -> Result<Vec<Lsn>, Error> {
    let mut replay = Replay::open(&dynamic(disk), DIR, from)?;
    let mut lsns = Vec::new();
    while let Some(item) = replay.next_item()? {
        let Item::Frame(frame) = item else {
            panic!("{item:?}")
        };
        lsns.push(frame.lsn);
    }
    Ok(lsns)
}

/// The oldest file released, and one more whose removal failed: it is still there.
fn released() -> SimDisk {
    let disk = three_files();
    let (wal, recovered) = open_with(&disk, options()).unwrap();
    drop(recovered);
    let kept = bytes_of(&disk, &file(3));
    wal.release(4).unwrap();
    assert_eq!(wal.retained_from(), 5);
    drop(wal);
    disk.create(&file(3)).unwrap().write_all_at(&kept, 0).unwrap();
    settled(&disk)
}

#[test]
fn files_are_read_in_order() {
    let disk = three_files();
    assert_eq!(read_sound(&disk), records(1..=6, LEN));
}

#[test]
fn a_file_of_its_own_holds_a_body_that_no_file_would() {
    let disk = SimDisk::new(1);
    let (wal, _) = open_with(&disk, options()).unwrap();
    for len in [LEN, 5_000, 100_000, LEN] {
        append_synced(&wal, len).unwrap();
    }
    drop(wal);
    assert_eq!(logs(&disk).len(), 4);
    let expected = [
        record(1, LEN),
        record(2, 5_000),
        record(3, 100_000),
        record(4, LEN),
    ];
    assert_eq!(read_sound(&disk.crash(2)), expected);
}

#[test]
fn files_wholly_below_the_wanted_lsn_are_not_read() {
    let disk = three_files();
    // Were they read, this would show.
    overwrite(&disk, &file(1), 0, &[0xff; 250]);
    overwrite(&disk, &file(3), 0, &[0xff; 64]);
    assert_eq!(lsns_from(&disk, 5).unwrap(), [5, 6]);
    assert!(lsns_from(&disk, 4).is_err());
}

#[test]
fn a_released_file_that_is_still_there_is_not_read_and_goes_with_the_next_release() {
    let disk = released();
    overwrite(&disk, &file(3), 0, &[0xff; 64]);
    let (wal, mut recovered) = open_with(&disk, options()).unwrap();
    assert_eq!(read(&mut recovered).unwrap().0, records(5..=6, LEN));
    drop(recovered);
    assert_eq!(wal.retained_from(), 3);
    wal.release(4).unwrap();
    assert_eq!(wal.retained_from(), 5);
    assert!(!disk.exists(&file(3)).unwrap());
}

#[test]
fn an_oldest_file_that_was_not_released_is_missing() {
    let disk = three_files();
    disk.remove(&file(1)).unwrap();
    let is_missing = |disk: &SimDisk, first: Lsn, last: Lsn| {
        let error = open_with(disk, options()).unwrap_err();
        assert!(
            matches!(&error, Error::Missing { first: f, last: l, .. } if (*f, *l) == (first, last)),
            "{error}"
        );
        let report = crate::verify(&dynamic(disk), DIR).unwrap();
        assert_eq!(report.lost.len(), 1, "{:?}", report.lost);
    };
    is_missing(&disk, 1, 2);

    let disk = released();
    disk.remove(&file(3)).unwrap();
    assert_eq!(read_sound(&disk.restart()), records(5..=6, LEN));
    // Without the note nobody knows that it was let go.
    disk.remove(&format!("{DIR}/released")).unwrap();
    is_missing(&disk, 3, 4);

    // The file that was being written is gone, and with it what was not released.
    let disk = released();
    disk.remove(&file(5)).unwrap();
    disk.remove(&file(3)).unwrap();
    is_missing(&disk, 1, 4);
}

#[test]
fn a_note_of_what_was_released_survives_damage_to_its_older_half_only() {
    for (slot, sound) in [(0u64, false), (1, true)] {
        let disk = released();
        disk.remove(&file(3)).unwrap();
        disk.flip_bits(&format!("{DIR}/released"), slot * 512 + 10, 4)
            .unwrap();
        let disk = disk.restart();
        assert_eq!(open_with(&disk, options()).is_ok(), sound, "slot {slot}");
    }
    let disk = released();
    overwrite(&disk, &format!("{DIR}/released"), 0, &[0xaa; 1024]);
    let error = open_with(&disk, options()).unwrap_err();
    assert_eq!(corrupt_at(&error), Some(0), "{error}");
}

#[test]
fn records_below_the_wanted_lsn_are_left_out() {
    assert_eq!(lsns_from(&three_files(), 4).unwrap(), [4, 5, 6]);
    assert_eq!(lsns_from(&three_files(), 7).unwrap(), [0; 0]);
}

#[test]
fn a_missing_file_in_the_middle_is_named() {
    let disk = three_files();
    disk.remove(&file(3)).unwrap();
    let error = open_with(&disk, options()).unwrap_err();
    assert!(
        matches!(&error, Error::Missing { first: 3, last: 4, path } if *path == disk.display(&file(3))),
        "{error}"
    );
    // Nobody wants it.
    assert_eq!(lsns_from(&disk, 5).unwrap(), [5, 6]);
}

#[test]
fn a_missing_newest_file_cannot_be_told_from_one_never_written() {
    let disk = three_files();
    disk.remove(&file(5)).unwrap();
    assert_eq!(lsns_from(&disk, 0).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn bad_bytes_in_an_older_file_are_damage_whatever_its_frames_know() {
    // The last record of file 1 is known to be synced only because file 3 exists.
    let disk = three_files();
    disk.flip_bits(&file(1), frame_at(1, LEN) + 9, 1).unwrap();
    let (wal, mut recovered) = open_with(&disk, options()).unwrap();
    assert!(matches!(recovered.next_item(), Ok(Some(Item::Frame(frame))) if frame.lsn == 1));
    assert_eq!(
        corrupt_at(&recovered.next_item().unwrap_err()),
        Some(frame_at(1, LEN))
    );
    assert!(matches!(recovered.next_item(), Ok(None)));
    // Nothing may be written on top of a log that cannot be read.
    assert!(matches!(append(&wal, LEN), Err(Error::Poisoned { .. })));

    let disk = three_files();
    disk.flip_bits(&file(1), frame_at(1, LEN) + 45, 1).unwrap();
    let (_, mut recovered) = open_with(&disk, options()).unwrap();
    let (found, damaged) = read(&mut recovered).unwrap();
    assert_eq!((found.len(), damaged.len(), damaged[0].lsn), (5, 1, 2));
}

#[test]
fn an_older_file_that_was_cut_short_has_lost_what_is_missing() {
    let disk = three_files();
    disk.open(&file(1), true)
        .unwrap()
        .set_len(frame_at(1, LEN) + 60)
        .unwrap();
    let (_, mut recovered) = open_with(&disk, options()).unwrap();
    let (found, damaged) = read(&mut recovered).unwrap();
    assert_eq!((found.len(), damaged.len(), damaged[0].lsn), (5, 1, 2));

    disk.open(&file(1), true)
        .unwrap()
        .set_len(frame_at(1, LEN) + 10)
        .unwrap();
    let (_, mut recovered) = open_with(&disk, options()).unwrap();
    assert_eq!(
        corrupt_at(&read(&mut recovered).unwrap_err()),
        Some(frame_at(1, LEN))
    );
}

#[test]
fn an_older_file_without_a_header_is_damage() {
    let disk = three_files();
    disk.flip_bits(&file(3), 20, 1).unwrap();
    assert_eq!(corrupt_at(&open_with(&disk, options()).unwrap_err()), Some(0));
}

#[test]
fn a_newest_file_whose_creation_was_interrupted_is_removed() {
    for len in [0, 1, 63, 64, 65_536] {
        let disk = three_files();
        disk.create(&file(7)).unwrap().set_len(len).unwrap();
        let (wal, mut recovered) = open_with(&disk, options()).unwrap();
        assert_eq!(recovered.report().unfinished, Some(disk.display(&file(7))));
        assert_eq!(read(&mut recovered).unwrap().0, records(1..=6, LEN));
        assert!(!disk.exists(&file(7)).unwrap());
        assert_eq!(append_synced(&wal, LEN).unwrap(), 7);
    }
}

#[test]
fn what_an_unfinished_file_holds_behind_its_header_is_kept_aside() {
    let disk = three_files();
    disk.create(&file(7))
        .unwrap()
        .write_all_at(b"whatever", 100)
        .unwrap();
    open_with(&disk, options()).unwrap();
    let kept = disk
        .list(DIR)
        .unwrap()
        .into_iter()
        .find(|name| name.ends_with(".cut"))
        .unwrap();
    assert_eq!(&bytes_of(&disk, &format!("{DIR}/{kept}"))[100..], b"whatever");
}

#[test]
fn only_the_last_few_of_the_tails_that_were_cut_are_kept() {
    let disk = three_files();
    for round in 0..12u8 {
        disk.create(&file(7))
            .unwrap()
            .write_all_at(&[round + 1], 100)
            .unwrap();
        open_with(&disk, options()).unwrap();
    }
    let kept: Vec<String> = disk
        .list(DIR)
        .unwrap()
        .into_iter()
        .filter(|name| name.ends_with(".cut"))
        .collect();
    let mut rounds: Vec<u8> = kept
        .iter()
        .map(|name| bytes_of(&disk, &format!("{DIR}/{name}"))[100])
        .collect();
    rounds.sort_unstable();
    assert_eq!(rounds, [9, 10, 11, 12]);
}

#[test]
fn a_newest_file_with_frames_but_no_header_is_damage() {
    // Frames are appended only once the header is durable.
    let disk = three_files();
    disk.flip_bits(&file(5), 20, 1).unwrap();
    assert_eq!(corrupt_at(&open_with(&disk, options()).unwrap_err()), Some(0));
    let mut replay = Replay::salvage(&dynamic(&disk), DIR).unwrap();
    let (mut lost, mut found) = (0, Vec::new());
    while let Some(item) = replay.next_item().unwrap() {
        match item {
            Item::Frame(frame) => found.push(frame.lsn),
            Item::Lost(_) => lost += 1,
            Item::Damaged(damage) => panic!("{damage:?}"),
        }
    }
    assert_eq!((lost, found), (1, vec![1, 2, 3, 4, 5, 6]));
}

#[test]
fn a_renamed_file_is_damage() {
    let disk = three_files();
    disk.rename(&file(5), &file(4)).unwrap();
    assert_eq!(corrupt_at(&open_with(&disk, options()).unwrap_err()), Some(0));
}

#[test]
fn an_unknown_version_is_refused_by_name() {
    let disk = three_files();
    let mut header = bytes_of(&disk, &file(5))[..64].to_vec();
    header[8] = 2;
    let crc = crc32fast::hash(&header[..60]);
    header[60..].copy_from_slice(&crc.to_le_bytes());
    overwrite(&disk, &file(5), 0, &header);
    assert!(FileHeader::decode(&header).is_err());
    let error = open_with(&disk, options()).unwrap_err();
    assert!(error.to_string().contains("log format version 2"), "{error}");
}

#[test]
fn a_reader_beside_the_writer_sees_what_is_written_and_changes_nothing() {
    let disk = SimDisk::new(1);
    let (wal, _) = open_with(&disk, options()).unwrap();
    for n in 1..=7 {
        append(&wal, LEN).unwrap();
        let calls = disk.calls();
        let mut replay = Replay::open(&dynamic(&disk), DIR, 0).unwrap();
        let mut last = 0;
        while let Some(Item::Frame(frame)) = replay.next_item().unwrap() {
            last = frame.lsn;
        }
        assert_eq!((last, disk.calls()), (n, calls));
    }
    let mut replay = Replay::open(&dynamic(&disk), DIR, 6).unwrap();
    assert!(matches!(replay.next_item(), Ok(Some(Item::Frame(frame))) if frame.lsn == 6));
}

#[test]
fn what_a_reader_has_opened_stays_readable_when_the_writer_releases_it() {
    let disk = three_files();
    let (wal, recovered) = open_with(&disk, options()).unwrap();
    drop(recovered);
    assert_eq!(crate::released_lsn(&dynamic(&disk), DIR).unwrap(), 0);
    let mut replay = Replay::open(&dynamic(&disk), DIR, 0).unwrap();
    wal.release(4).unwrap();
    assert_eq!(logs(&disk).len(), 1);
    let mut lsns = Vec::new();
    while let Some(Item::Frame(frame)) = replay.next_item().unwrap() {
        lsns.push(frame.lsn);
    }
    assert_eq!(lsns, [1, 2, 3, 4, 5, 6]);
    // It can tell that others, opened later, are shorter.
    let released = crate::released_lsn(&dynamic(&disk), DIR).unwrap();
    assert_eq!((replay.released(), released), (0, 4));
    assert_eq!(Replay::open(&dynamic(&disk), DIR, 0).unwrap().released(), 4);
}
