//! What every disk must do, run against each of them.

use std::sync::Arc;

use super::*;
use crate::sim::SimDisk;
use crate::{Error, MemDisk, OsDisk};

fn on_every_disk(test: impl Fn(&dyn Disk)) {
    let dir = tempfile::tempdir().unwrap();
    test(&OsDisk::open(dir.path(), false).unwrap());
    test(&MemDisk::new());
    test(&SimDisk::new(0));
}

fn put(disk: &dyn Disk, path: &str, bytes: &[u8]) {
    disk.create(path).unwrap().write_all_at(bytes, 0).unwrap();
}

fn get(disk: &dyn Disk, path: &str) -> Vec<u8> {
    disk.map(path).unwrap().to_vec()
}

fn not_found<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::NotFound { .. }))
}

#[test]
fn what_is_written_is_read() {
    on_every_disk(|disk| {
        let file = disk.create("f").unwrap();
        assert!(file.is_empty().unwrap());
        file.write_all_at(b"hello", 0).unwrap();
        file.write_all_at(b"world", 3).unwrap();
        file.write_all_at(b"", 100).unwrap();
        assert_eq!(file.len().unwrap(), 8, "an empty write does not extend the file");
        let mut buf = [0; 6];
        assert_eq!(file.read_at(&mut buf, 0).unwrap(), 6);
        assert_eq!(&buf, b"helwor");
        assert_eq!(file.read_at(&mut buf, 6).unwrap(), 2);
        assert_eq!(file.read_at(&mut buf, 8).unwrap(), 0);
        assert_eq!(file.read_at(&mut buf, i64::MAX as u64).unwrap(), 0);
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(get(disk, "f"), b"helworld");
    });
}

#[test]
fn holes_and_extensions_read_as_zeros_even_over_bytes_that_were_cut() {
    on_every_disk(|disk| {
        let file = disk.create("f").unwrap();
        file.write_all_at(&[7; 3000], 0).unwrap();
        file.set_len(10).unwrap();
        file.set_len(20).unwrap();
        file.write_all_at(b"x", 5000).unwrap();
        let bytes = get(disk, "f");
        assert_eq!(bytes.len(), 5001);
        assert_eq!(bytes[..10], [7; 10]);
        assert!(bytes[10..5000].iter().all(|&b| b == 0));
        assert_eq!(bytes[5000], b'x');
    });
}

#[test]
fn allocating_extends_and_never_cuts() {
    on_every_disk(|disk| {
        let file = disk.create("f").unwrap();
        file.allocate(0).unwrap();
        file.write_all_at(&[7; 100], 0).unwrap();
        file.allocate(8192).unwrap();
        assert_eq!(file.len().unwrap(), 8192);
        file.allocate(50).unwrap();
        assert_eq!(file.len().unwrap(), 8192);
        assert_eq!(get(disk, "f")[..101], [[7; 100].as_slice(), &[0]].concat());
    });
}

#[test]
fn creating_truncates_and_handles_see_each_other() {
    on_every_disk(|disk| {
        put(disk, "f", b"old bytes");
        let reader = disk.open("f", false).unwrap();
        let writer = disk.create("f").unwrap();
        assert_eq!(reader.len().unwrap(), 0);
        writer.write_all_at(b"new", 0).unwrap();
        let mut buf = [0; 8];
        assert_eq!(reader.read_at(&mut buf, 0).unwrap(), 3);
        assert!(reader.write_all_at(b"x", 0).is_err(), "opened for reading only");
        assert!(reader.set_len(0).is_err());
        disk.open("f", true).unwrap().write_all_at(b"N", 0).unwrap();
        assert_eq!(get(disk, "f"), b"New");
    });
}

#[test]
fn views_start_aligned_outlive_the_name_and_can_be_empty() {
    on_every_disk(|disk| {
        put(disk, "empty", b"");
        let empty = disk.map("empty").unwrap();
        assert!(empty.is_empty());
        assert_eq!(empty.as_ptr().addr() % 64, 0);
        put(disk, "f", b"0123456789");
        let view = disk.map("f").unwrap();
        view.advise(Advice::Random);
        disk.remove("f").unwrap();
        assert_eq!(view.as_ptr().addr() % 64, 0);
        let slice = view.slice(2..8).unwrap();
        drop(view);
        slice.advise(Advice::Sequential);
        assert_eq!(&*slice, b"234567");
        assert_eq!(&*slice.slice(1..3).unwrap(), b"34");
        assert_eq!(&*slice.slice(6..6).unwrap(), b"");
        for bad in [0..7, 7..7, Range { start: 3, end: 2 }, usize::MAX..usize::MAX] {
            assert!(slice.slice(bad.clone()).is_none(), "{bad:?}");
        }
    });
}

#[test]
fn names_are_listed_sorted() {
    on_every_disk(|disk| {
        assert_eq!(disk.list("").unwrap(), Vec::<String>::new());
        disk.create_dir_all("b/deep").unwrap();
        disk.create_dir_all("b/deep").unwrap();
        for name in ["c", "a", "b/2", "b/1"] {
            put(disk, name, b"");
        }
        assert_eq!(disk.list("").unwrap(), ["a", "b", "c"]);
        assert_eq!(disk.list("b").unwrap(), ["1", "2", "deep"]);
        assert!(disk.exists("").unwrap() && disk.exists("b").unwrap() && disk.exists("b/1").unwrap());
        assert!(!disk.exists("b/3").unwrap() && !disk.exists("x/y").unwrap());
        disk.sync_dir("").unwrap();
        disk.sync_dir("b/deep").unwrap();
        assert!(
            matches!(disk.list("a"), Err(Error::Io { .. })),
            "a file is not a directory"
        );
    });
}

#[test]
fn what_is_missing_is_not_found() {
    on_every_disk(|disk| {
        assert!(not_found(disk.open("x", false)));
        assert!(not_found(disk.open("x", true)));
        assert!(not_found(disk.map("x")));
        assert!(not_found(disk.create("x/y")));
        assert!(not_found(disk.list("x")));
        assert!(not_found(disk.remove("x")));
        assert!(not_found(disk.rename("x", "y")));
        assert!(not_found(disk.hard_link("x", "y")));
        assert!(not_found(disk.sync_dir("x")));
        disk.remove_dir_all("x").unwrap();
    });
}

#[test]
fn directories_are_not_files() {
    on_every_disk(|disk| {
        disk.create_dir_all("d").unwrap();
        put(disk, "f", b"");
        assert!(disk.open("d", false).is_err());
        assert!(disk.create("d").is_err());
        assert!(disk.map("d").is_err());
        assert!(disk.remove("d").is_err());
        assert!(disk.hard_link("d", "e").is_err());
        assert!(disk.create_dir_all("f/g").is_err());
        assert!(disk.remove_dir_all("f").is_err());
        assert!(disk.create("f/g").is_err());
        assert!(disk.rename("f", "d").is_err());
        assert!(disk.rename("d", "f").is_err());
        assert!(disk.rename("d", "d/e").is_err());
        assert_eq!(disk.list("").unwrap(), ["d", "f"]);
    });
}

#[test]
fn renaming_replaces_a_file_and_leaves_its_handles_alone() {
    on_every_disk(|disk| {
        put(disk, "new", b"new");
        put(disk, "old", b"old");
        let old = disk.open("old", false).unwrap();
        disk.rename("new", "old").unwrap();
        assert_eq!(disk.list("").unwrap(), ["old"]);
        assert_eq!(get(disk, "old"), b"new");
        let mut buf = [0; 3];
        old.read_at(&mut buf, 0).unwrap();
        assert_eq!(&buf, b"old");
        disk.rename("old", "old").unwrap();
        assert_eq!(get(disk, "old"), b"new");
    });
}

#[test]
fn directories_move_with_what_they_hold() {
    on_every_disk(|disk| {
        disk.create_dir_all("a/b").unwrap();
        disk.create_dir_all("empty").unwrap();
        disk.create_dir_all("full").unwrap();
        put(disk, "full/f", b"");
        put(disk, "a/b/f", b"x");
        assert!(disk.rename("a", "full").is_err());
        disk.rename("a", "empty").unwrap();
        disk.rename("empty", "c").unwrap();
        assert_eq!(get(disk, "c/b/f"), b"x");
        disk.remove_dir_all("c").unwrap();
        assert_eq!(disk.list("").unwrap(), ["full"]);
    });
}

#[test]
fn hard_links_are_two_names_of_one_file() {
    on_every_disk(|disk| {
        put(disk, "a", b"1");
        disk.hard_link("a", "b").unwrap();
        assert!(disk.hard_link("a", "b").is_err(), "the name is taken");
        disk.open("b", true).unwrap().write_all_at(b"2", 0).unwrap();
        assert_eq!(get(disk, "a"), b"2");
        disk.rename("a", "b").unwrap();
        assert_eq!(disk.list("").unwrap(), ["a", "b"], "as POSIX has it");
        disk.remove("a").unwrap();
        assert_eq!(get(disk, "b"), b"2");
    });
}

#[test]
fn a_lock_is_taken_once_and_says_by_whom() {
    on_every_disk(|disk| {
        let guard = disk.lock("LOCK").unwrap();
        match disk.lock("LOCK") {
            Err(error @ Error::Locked { .. }) => {
                assert!(
                    error.to_string().contains("another handle of this process"),
                    "{error}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(disk.list("").unwrap(), ["LOCK"]);
        drop(guard);
        drop(disk.lock("LOCK").unwrap());
        assert!(not_found(disk.lock("x/LOCK")));
        disk.create_dir_all("d").unwrap();
        assert!(disk.lock("d").is_err());
    });
}

#[test]
fn paths_that_leave_the_root_are_refused_everywhere() {
    on_every_disk(|disk| {
        fn refused<T>(result: Result<T>) -> bool {
            matches!(result, Err(Error::InvalidPath { .. }))
        }
        for bad in ["..", "/x", "a/../b", "a//b", "x\0", "a/"] {
            assert!(refused(disk.create(bad)) && refused(disk.open(bad, false)) && refused(disk.map(bad)));
            assert!(refused(disk.list(bad)) && refused(disk.exists(bad)) && refused(disk.sync_dir(bad)));
            assert!(
                refused(disk.remove(bad)) && refused(disk.remove_dir_all(bad)) && refused(disk.lock(bad))
            );
            assert!(refused(disk.create_dir_all(bad)));
            assert!(refused(disk.rename(bad, "x")) && refused(disk.rename("x", bad)));
            assert!(refused(disk.hard_link(bad, "x")) && refused(disk.hard_link("x", bad)));
        }
        assert!(refused(disk.remove_dir_all("")), "the root itself");
    });
}

#[test]
fn absurd_lengths_are_errors() {
    on_every_disk(|disk| {
        let file = disk.create("f").unwrap();
        assert!(file.write_all_at(b"x", u64::MAX).is_err());
        assert!(file.set_len(u64::MAX).is_err());
        assert!(file.allocate(u64::MAX).is_err());
        assert_eq!(file.len().unwrap(), 0);
    });
}

#[test]
fn many_threads_write_their_own_parts() {
    on_every_disk(|disk| {
        let file: Arc<dyn File> = Arc::from(disk.create("f").unwrap());
        std::thread::scope(|scope| {
            for t in 0..8u8 {
                let file = Arc::clone(&file);
                scope.spawn(move || {
                    for i in 0..50u64 {
                        file.write_all_at(&[t + 1; 10], (i * 8 + u64::from(t)) * 10)
                            .unwrap();
                    }
                });
            }
        });
        let bytes = get(disk, "f");
        assert_eq!(bytes.len(), 4000);
        assert!(
            bytes
                .chunks(10)
                .enumerate()
                .all(|(i, part)| part == [(i % 8) as u8 + 1; 10])
        );
    });
}
