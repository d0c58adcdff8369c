//! Opening logs made of anything.

use proptest::prelude::*;
use vdb_vfs::Disk;
use vdb_vfs::sim::SimDisk;

use crate::testing::*;
use crate::{Item, Replay, WalOptions, verify};

/// Opens, reads, salvages and verifies; none of it may panic, and a log that opens takes records.
fn exercise(disk: &SimDisk) {
    let disk = &settled(disk);
    let report = verify(&dynamic(disk), DIR).unwrap();
    let mut replay = Replay::salvage(&dynamic(disk), DIR).unwrap();
    let mut sound = 0;
    while let Some(item) = replay.next_item().unwrap() {
        sound += u64::from(matches!(item, Item::Frame(_)));
    }
    assert_eq!(report.frames, sound);
    let opened = open(disk).and_then(|(wal, mut recovered)| {
        let found = read(&mut recovered)?;
        Ok((wal, found))
    });
    if let Ok((wal, (found, damaged))) = opened {
        assert!(report.lost.is_empty());
        assert_eq!(report.damaged, damaged);
        append_synced(&wal, 20).unwrap();
        drop(wal);
        let (_, mut recovered) = open(&disk.crash(1)).unwrap();
        assert_eq!(read(&mut recovered).unwrap().0.len(), found.len() + 1);
    } else {
        assert!(!report.lost.is_empty());
    }
}

/// Three files of two records, the last one without a known sync.
fn small_log() -> SimDisk {
    let disk = SimDisk::new(1);
    let (wal, _) = open_with(&disk, WalOptions { segment_bytes: 260 }).unwrap();
    for _ in 0..5 {
        append_synced(&wal, 50).unwrap();
    }
    append(&wal, 50).unwrap();
    settled(&disk)
}

#[test]
fn a_flip_of_any_byte_of_the_log_is_harmless_or_noticed() {
    let whole = small_log();
    let expected = read_sound(&whole.restart());
    for path in [file(1), file(3), file(5)] {
        for offset in 0..frame_at(2, 50) {
            let disk = whole.restart();
            disk.flip_bits(&path, offset, 0x10).unwrap();
            exercise(&disk.restart());
            let Ok((_, mut recovered)) = open(&disk) else {
                continue;
            };
            let Ok((found, damaged)) = read(&mut recovered) else {
                continue;
            };
            // Whatever is handed out is as it was appended, and what is not is accounted for.
            assert!(found.iter().all(|record| expected.contains(record)));
            let torn = u64::from(recovered.report().torn.is_some());
            assert_eq!(
                found.len() + damaged.len() + torn as usize,
                expected.len(),
                "{path} at {offset}"
            );
            assert!(torn == 0 || !found.contains(&expected[5]));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_in_the_log_never_panic(
        edits in proptest::collection::vec((0..3_usize, 0..300_u64, proptest::collection::vec(any::<u8>(), 1..60)), 1..4),
        cut in proptest::option::of((0..3_usize, 0..300_u64)),
    ) {
        let disk = small_log();
        let paths = [file(1), file(3), file(5)];
        for (path, offset, bytes) in edits {
            overwrite(&disk, &paths[path], offset, &bytes);
        }
        if let Some((path, len)) = cut {
            disk.open(&paths[path], true).unwrap().set_len(len).unwrap();
        }
        exercise(&disk);
    }

    #[test]
    fn random_files_never_panic(files in proptest::collection::vec((1..20_u64, proptest::collection::vec(any::<u8>(), 0..400)), 0..4)) {
        let disk = SimDisk::new(1);
        disk.create_dir_all(DIR).unwrap();
        for (first, bytes) in files {
            disk.create(&file(first)).unwrap().write_all_at(&bytes, 0).unwrap();
        }
        exercise(&disk);
    }

    #[test]
    fn spliced_logs_never_panic(pieces in proptest::collection::vec((0..3_usize, 0..400_usize, 0..400_usize, 0..400_u64), 1..5)) {
        let disk = small_log();
        let paths = [file(1), file(3), file(5)];
        let sources: Vec<Vec<u8>> = paths.iter().map(|path| bytes_of(&disk, path)).collect();
        for (source, start, len, offset) in pieces {
            let from = &sources[source];
            let end = (start + len).min(from.len());
            overwrite(&disk, &paths[(source + start) % 3], offset, &from[start.min(end)..end]);
        }
        exercise(&disk);
    }
}
