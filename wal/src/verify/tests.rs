use vdb_vfs::sim::SimDisk;

use super::*;
use crate::testing::*;

const LEN: usize = 50;

#[test]
fn a_sound_log_is_found_sound_and_left_as_it_is() {
    let disk = log_of(3, LEN);
    let calls = disk.calls();
    let report = verify(&dynamic(&disk), DIR).unwrap();
    assert!(report.is_sound() && !report.closed_cleanly && report.torn.is_none());
    assert_eq!(
        (report.files, report.frames, report.body_bytes),
        (1, 3, 3 * LEN as u64)
    );
    assert_eq!((report.first_lsn, report.last_lsn, report.synced_lsn), (1, 3, 2));
    assert_eq!(disk.calls(), calls);
}

#[test]
fn a_torn_tail_is_reported_and_not_cut() {
    let disk = log_of(3, LEN);
    disk.flip_bits(&file(1), frame_at(2, LEN) + 45, 1).unwrap();
    let calls = disk.calls();
    let report = verify(&dynamic(&disk), DIR).unwrap();
    assert!(report.is_sound());
    assert_eq!(
        (report.last_lsn, report.torn.map(|torn| torn.offset)),
        (2, Some(frame_at(2, LEN)))
    );
    assert_eq!(disk.calls(), calls);
}

#[test]
fn all_damage_is_reported_not_the_first_alone() {
    let disk = log_of(9, LEN);
    disk.flip_bits(&file(1), frame_at(1, LEN) + 45, 1).unwrap();
    disk.flip_bits(&file(1), frame_at(3, LEN) + 9, 1).unwrap();
    disk.flip_bits(&file(1), frame_at(5, LEN) + 9, 1).unwrap();
    disk.flip_bits(&file(1), frame_at(6, LEN) + 45, 1).unwrap();
    let report = verify(&dynamic(&disk), DIR).unwrap();
    assert!(!report.is_sound());
    let damaged: Vec<_> = report.damaged.iter().map(|damage| damage.lsn).collect();
    let lost: Vec<_> = report.lost.iter().map(corrupt_at).collect();
    assert_eq!(damaged, [2, 7]);
    assert_eq!(lost, [Some(frame_at(3, LEN)), Some(frame_at(5, LEN))]);
    // Record 9 is not known to be synced, and the search for what is stops at 8.
    assert_eq!((report.frames, report.last_lsn), (4, 8));
}

#[test]
fn a_log_that_is_not_there_is_empty() {
    let report = verify(&dynamic(&SimDisk::new(1)), DIR).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.files, 0);
}
