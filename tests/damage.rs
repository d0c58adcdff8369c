//! What does a byte that has changed, a file cut short, or a file that is gone do? To each file of a small database,
//! everywhere.
//!
//! Nothing may panic; `verify` names the file; an opening answers rightly, or says what is wrong, and the next one
//! does the same; `repair` keeps what is sound, and lists what is not.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod check;
mod copies;
mod lives;
mod store;

use std::sync::Arc;

use check::{Ask, check};
use store::Store;
use vdb::disk::{DynDisk, MemDisk};
use vdb::{Control, Database, PointId, repair_disk, verify_disk};
use vdb_tests::Numbers;
use vdb_tests::effort::{each, effort};
use vdb_tests::files::{self, Files};
use vdb_tests::oracle::Dump;

/// Whether nothing may be read into a byte, so that nobody notices when it changes.
///
/// | bytes | why |
/// |---|---|
/// | `lock` | the process id in it is for people; the lock is the system's |
/// | in the log, behind a body up to a multiple of 8 | frames are found by their lengths; nothing is there |
fn is_unchecked(path: &str, at: usize, bytes: &[u8]) -> bool {
    path == "lock" || path.ends_with(".log") && padding(bytes).contains(&at)
}

/// The offsets of the bytes between the bodies of log records and the next frames.
fn padding(log: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 64;
    while let Some(header) = log
        .get(at..at + 40)
        .filter(|header| header.iter().any(|&byte| byte != 0))
    {
        let len = u32::from_le_bytes(header[24..28].try_into().unwrap()) as usize;
        let end = at + 40 + len;
        at = end.next_multiple_of(8);
        found.extend(end..at);
    }
    found
}

/// The end of what the log has; zeros ahead of it follow.
fn written(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1)
}

#[test]
fn a_sound_database_is_kept_whole() {
    let store = Store::make();
    check(&store, &store.files, "sound", Ask::default());
}

/// Bytes of one file that are tried one after another.
const RUN: usize = 128;

/// Every byte is verified. It is also opened and repaired where `verify` says something else than of the byte before, and
/// of those alike every fourth; `VDB_EFFORT=4` does so with each.
#[test]
fn any_byte_that_changes_is_found_and_costs_only_what_it_touches() {
    let store = Store::make();
    let mut runs = Vec::new();
    for (path, bytes) in &store.files {
        let starts = (0..bytes.len()).step_by(RUN);
        runs.extend(starts.map(|start| (path, start..bytes.len().min(start + RUN))));
    }
    // Of the zeros ahead in the log a few stand for all.
    let step = 4_096 / effort().min(4_096) as usize;
    each(&runs, |(path, run)| {
        let sound = &store.files[*path];
        let end = written(sound);
        let mut before = None;
        for at in run.clone().filter(|at| *at <= end || at % step == 0) {
            let mut files = store.files.clone();
            let bytes = files.get_mut(*path).unwrap();
            bytes[at] ^= 1 << (at * 5 % 8);
            let anyway = (at + path.len()) as u64 % 4 < effort();
            let ask = Ask {
                found: (!is_unchecked(path, at, sound)).then_some(path.as_str()),
                alike: before.as_ref().filter(|_| !anyway),
                ..Ask::default()
            };
            before = Some(check(&store, &files, &format!("{path}, byte {at}"), ask));
        }
    });
}

#[test]
fn a_file_cut_short_costs_only_what_is_in_it() {
    let store = Store::make();
    let mut cases = Vec::new();
    let mut numbers = Numbers::new(3);
    for (path, bytes) in &store.files {
        let len = bytes.len();
        let mut lens = vec![0, 1, 63, 64, 65, len / 2, len.saturating_sub(1), written(bytes)];
        lens.extend((0..12 * effort()).map(|_| numbers.below(written(bytes).max(1) as u64) as usize));
        cases.extend(lens.into_iter().filter(|&cut| cut < len).map(|cut| (path, cut)));
    }
    each(&cases, |&(path, cut)| {
        let mut files = store.files.clone();
        files.get_mut(path).unwrap().truncate(cut);
        let ask = Ask {
            log_cut: path.ends_with(".log"),
            ..Ask::default()
        };
        check(&store, &files, &format!("{path} cut to {cut}"), ask);
    });
}

#[test]
fn a_file_that_is_gone_costs_only_what_was_in_it() {
    let store = Store::make();
    let paths: Vec<&String> = store.files.keys().collect();
    each(&paths, |&path| {
        let mut files: Files = store.files.clone();
        files.remove(path);
        check(&store, &files, &format!("{path} removed"), Ask::default());
    });
}

#[test]
fn damage_in_two_places_is_survived() {
    let store = Store::make();
    let paths: Vec<&String> = store.files.keys().collect();
    let seeds: Vec<u64> = (0..400 * effort()).collect();
    each(&seeds, |&seed| {
        let mut numbers = Numbers::new(seed);
        let mut files = store.files.clone();
        let mut what = String::new();
        for _ in 0..2 {
            let path = paths[numbers.below(paths.len() as u64) as usize];
            let Some(bytes) = files.get_mut(path) else {
                continue;
            };
            let at = numbers.below(written(bytes) as u64 + 1) as usize;
            match numbers.below(4) {
                0 => bytes.truncate(at),
                1 => drop(files.remove(path)),
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << numbers.below(8);
                    }
                }
            }
            what.push_str(&format!("{path} at {at}; "));
        }
        check::survives(&files, &format!("seed {seed}: {what}"));
    });
}

#[test]
fn of_a_large_file_only_the_rows_of_the_damaged_chunk_are_lost() {
    let chunk = vdb_vfs::frame::CHUNK as u64;
    let (dim, rows) = (32, 20_000);
    let per_chunk = chunk / (dim * 4);
    let mut files = store::large(dim as usize, rows);
    let path = files.keys().find(|path| path.ends_with(".vec")).unwrap().clone();
    files.get_mut(&path).unwrap()[64 + chunk as usize + 1_000] ^= 1;
    let disk = files::disk(&files);
    let target: DynDisk = Arc::new(MemDisk::new());
    let report = repair_disk(&disk, &target, &Control::none()).unwrap();
    assert_eq!(report.points(), rows - per_chunk);
    let lost: Vec<PointId> = (per_chunk..2 * per_chunk).map(PointId::from).collect();
    assert_eq!(report.losses.len(), 1, "{:?}", report.losses);
    assert_eq!(
        (&report.losses[0].ids, report.losses[0].unnamed),
        (&lost, Some(0))
    );
    assert_eq!(report.losses[0].file, disk.display(&path));
    assert_eq!(report.losses[0].offset, Some(64 + chunk));
    assert_eq!(verify_disk(target, &Control::none()).unwrap().problems, []);
}

#[test]
fn a_damaged_graph_or_index_is_made_again_in_the_background() {
    let store = Store::make();
    let derived = |path: &&String| [".hnsw", ".idx", ".part"].iter().any(|kind| path.contains(kind));
    let paths: Vec<&String> = store.files.keys().filter(derived).collect();
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        let len = store.files[path].len();
        // The prelude, the body, the end; and nothing left of it.
        for at in [Some(1), Some(64), Some(len / 2), Some(len - 1), None] {
            let mut files = store.files.clone();
            match at {
                Some(at) => files.get_mut(path).unwrap()[at] ^= 2,
                None => drop(files.remove(path)),
            }
            let disk = files::disk(&files);
            let builder = Database::builder()
                .threads(1)
                .partition_rows(store::PARTITION_ROWS);
            let db = builder.open_disk(disk.clone()).unwrap();
            // Answers are right from the start, and stay so.
            assert_eq!(
                Dump::read(&db).unwrap().difference(&store.dump),
                None,
                "{path} at {at:?}"
            );
            // What opening does not look at is found by reading everything.
            while !db.verify(&Control::none()).unwrap().is_sound() {
                std::thread::yield_now();
            }
            assert_eq!(
                Dump::read(&db).unwrap().difference(&store.dump),
                None,
                "{path} at {at:?}"
            );
            db.close().unwrap();
            let after = verify_disk(disk, &Control::none()).unwrap();
            assert_eq!(after.problems, [], "{path} at {at:?}");
        }
    }
}
