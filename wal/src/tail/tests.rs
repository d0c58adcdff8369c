//! Each case of the rule that tells a torn tail from damage.

use vdb_vfs::Disk;

use crate::Damage;
use crate::testing::*;

const LEN: usize = 50;

#[test]
fn a_log_that_was_closed_ends_cleanly_and_all_of_it_is_known_to_be_synced() {
    let disk = log_of(3, LEN);
    let (wal, _) = open(&disk).unwrap();
    append(&wal, LEN).unwrap();
    wal.close().unwrap();
    let (_, mut recovered) = open(&disk.crash(1)).unwrap();
    let report = recovered.report().clone();
    assert!(report.closed_cleanly);
    assert_eq!((report.last_lsn, report.synced_lsn, report.torn), (4, 4, None));
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=4, LEN));
}

#[test]
fn after_a_crash_the_last_record_stands_but_is_not_known_to_be_synced() {
    let (_, mut recovered) = open(&log_of(3, LEN)).unwrap();
    let report = recovered.report().clone();
    assert!(!report.closed_cleanly);
    assert_eq!((report.last_lsn, report.synced_lsn, report.torn), (3, 2, None));
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=3, LEN));
}

#[test]
fn a_bad_body_above_the_synced_lsn_is_a_torn_tail() {
    let disk = log_of(3, LEN);
    let at = frame_at(2, LEN);
    disk.flip_bits(&file(1), at + 45, 1).unwrap();
    let before = bytes_of(&disk, &file(1));
    let (wal, mut recovered) = open(&disk).unwrap();
    let torn = recovered.report().torn.clone().unwrap();
    assert_eq!((torn.offset, torn.bytes, torn.frames), (at, 40 + LEN as u64, 1));
    let kept = bytes_of(&disk, torn.kept.unwrap().trim_start_matches("memory:"));
    assert_eq!(kept, before[at as usize..at as usize + 40 + LEN]);
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
    // Its LSN was never acknowledged as durable and is used again.
    assert_eq!(append_synced(&wal, LEN).unwrap(), 3);
    assert_eq!(read_sound(&disk.crash(3)), records(1..=3, LEN));
}

#[test]
fn a_bad_header_above_the_synced_lsn_is_a_torn_tail() {
    let disk = log_of(3, LEN);
    disk.flip_bits(&file(1), frame_at(2, LEN) + 9, 1).unwrap();
    let (_, mut recovered) = open(&disk).unwrap();
    let torn = recovered.report().torn.clone().unwrap();
    assert_eq!((torn.offset, torn.frames), (frame_at(2, LEN), 0));
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
}

#[test]
fn sound_frames_behind_an_unsynced_bad_one_are_dropped_with_it() {
    for damage in [9, 45] {
        let disk = unsynced_log_of(5, LEN);
        disk.flip_bits(&file(1), frame_at(2, LEN) + damage, 1).unwrap();
        let (wal, mut recovered) = open(&disk).unwrap();
        let torn = recovered.report().torn.clone().unwrap();
        assert_eq!(torn.offset, frame_at(2, LEN));
        assert_eq!(torn.frames, if damage == 9 { 2 } else { 3 });
        assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
        // The dropped frames 4 and 5 must not follow the new 3, though they would fit behind it byte for byte.
        append_synced(&wal, LEN).unwrap();
        assert_eq!(read_sound(&disk.crash(1)), records(1..=3, LEN));
    }
}

#[test]
fn a_bad_header_at_or_below_the_synced_lsn_is_damage_and_the_files_are_left_alone() {
    for i in 0..2 {
        let disk = log_of(3, LEN);
        disk.flip_bits(&file(1), frame_at(i, LEN) + 9, 1).unwrap();
        let calls = disk.calls();
        let error = open(&disk).unwrap_err();
        assert_eq!(corrupt_at(&error), Some(frame_at(i, LEN)), "{error}");
        assert!(error.to_string().contains("wal/0000000000000001.log"), "{error}");
        assert_eq!(disk.calls(), calls);
    }
}

#[test]
fn a_bad_body_at_or_below_the_synced_lsn_costs_its_collection_only() {
    let disk = log_of(4, LEN);
    disk.flip_bits(&file(1), frame_at(1, LEN) + 45, 1).unwrap();
    let (wal, mut recovered) = open(&disk).unwrap();
    assert_eq!(recovered.report().torn, None);
    let (found, damaged) = read(&mut recovered).unwrap();
    assert_eq!(found, [record(1, LEN), record(3, LEN), record(4, LEN)]);
    let lost = Damage {
        path: disk.display(&file(1)),
        offset: frame_at(1, LEN),
        lsn: 2,
        collection: 102,
        kind: 2,
        bytes: LEN as u32,
    };
    assert_eq!(damaged, [lost]);
    assert_eq!(append_synced(&wal, LEN).unwrap(), 5);
}

#[test]
fn after_a_clean_close_damage_to_the_last_record_is_no_torn_tail() {
    let closed = log_of(3, LEN);
    open(&closed).unwrap().0.close().unwrap();
    let disk = closed.restart();
    disk.flip_bits(&file(1), frame_at(2, LEN) + 9, 1).unwrap();
    assert_eq!(corrupt_at(&open(&disk).unwrap_err()), Some(frame_at(2, LEN)));
    let disk = closed.restart();
    disk.flip_bits(&file(1), frame_at(2, LEN) + 45, 1).unwrap();
    let (_, mut recovered) = open(&disk).unwrap();
    assert_eq!(read(&mut recovered).unwrap().1[0].lsn, 3);
}

#[test]
fn a_file_that_ends_within_an_unsynced_frame_has_a_torn_tail() {
    let disk = log_of(3, LEN);
    for cut in [1, 39, 40, 41, 89] {
        let disk = disk.restart();
        let at = frame_at(2, LEN);
        disk.open(&file(1), true).unwrap().set_len(at + cut).unwrap();
        let (wal, mut recovered) = open(&disk).unwrap();
        assert_eq!(
            recovered.report().torn.as_ref().map(|torn| torn.offset),
            Some(at),
            "cut at {cut}"
        );
        assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
        append_synced(&wal, LEN).unwrap();
        assert_eq!(read_sound(&disk.crash(1)), records(1..=3, LEN));
    }
}

#[test]
fn zeros_behind_the_end_are_no_tail() {
    let disk = log_of(1, LEN);
    let zeros = vec![0; 300_000];
    overwrite(&disk, &file(1), 200_000, &zeros);
    let (_, recovered) = open(&disk).unwrap();
    assert_eq!(recovered.report().torn, None);
}

#[test]
fn frames_under_another_salt_never_pass() {
    // What a disk may leave behind the end: blocks of an older log file, frame boundaries and LSNs fitting.
    let (ours, theirs) = (log_of(2, LEN), log_of(4, LEN));
    let old = bytes_of(&theirs, &file(1));
    let at = frame_at(2, LEN) as usize;
    overwrite(&ours, &file(1), at as u64, &old[at..frame_at(4, LEN) as usize]);
    let (_, mut recovered) = open(&ours).unwrap();
    assert_eq!(recovered.report().torn.as_ref().map(|torn| torn.frames), Some(0));
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
}

#[test]
fn a_copy_of_a_frame_in_a_body_never_passes() {
    let disk = log_of(2, LEN);
    let log = bytes_of(&disk, &file(1));
    let (wal, _) = open(&disk).unwrap();
    // The body of the third record is the log itself, which the search for frames behind damage goes through.
    let lsn = wal.append(0, 0, &[&log[..frame_at(2, LEN) as usize]]).unwrap();
    wal.sync(lsn).unwrap();
    let disk = disk.restart();
    disk.flip_bits(&file(1), frame_at(2, LEN) + 9, 1).unwrap();
    let (_, mut recovered) = open(&disk).unwrap();
    assert_eq!(recovered.report().torn.as_ref().map(|torn| torn.frames), Some(0));
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
}

#[test]
fn a_torn_tail_is_cut_even_when_there_is_no_room_to_keep_it() {
    let disk = log_of(3, LEN);
    disk.flip_bits(&file(1), frame_at(2, LEN) + 45, 1).unwrap();
    disk.set_capacity(Some(disk.used()));
    let (_, mut recovered) = open(&disk).unwrap();
    assert_eq!(
        recovered
            .report()
            .torn
            .as_ref()
            .and_then(|torn| torn.kept.clone()),
        None
    );
    assert_eq!(read(&mut recovered).unwrap().0, records(1..=2, LEN));
    let names = disk.list(DIR).unwrap();
    assert_eq!(names, ["0000000000000001.log", "released"]);
}

#[test]
fn tails_cut_at_the_same_place_are_all_kept() {
    let disk = log_of(2, LEN);
    let mut kept = Vec::new();
    for _ in 0..3 {
        let (wal, _) = open(&disk).unwrap();
        append(&wal, LEN).unwrap();
        drop(wal);
        disk.flip_bits(&file(1), frame_at(2, LEN) + 45, 1).unwrap();
        let (_, recovered) = open(&disk).unwrap();
        kept.push(recovered.report().torn.clone().unwrap().kept.unwrap());
    }
    kept.dedup();
    assert_eq!(kept.len(), 3);
}

#[test]
fn a_tail_behind_the_mark_of_a_close_is_cut_and_the_mark_stays() {
    let disk = log_of(2, LEN);
    open(&disk).unwrap().0.close().unwrap();
    // The first append after reopening was torn: only its last sector reached the disk.
    overwrite(&disk, &file(1), frame_at(2, LEN) + 300, b"torn");
    let (_, recovered) = open(&disk).unwrap();
    let report = recovered.report();
    assert!(report.torn.is_some() && !report.closed_cleanly);
    drop(recovered);
    let (_, recovered) = open(&disk).unwrap();
    assert!(recovered.report().closed_cleanly);
    assert_eq!(recovered.report().synced_lsn, 2);
}
