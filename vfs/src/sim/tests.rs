use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const SEEDS: std::ops::Range<u64> = 0..400;

fn durable(path: &str, bytes: &[u8]) -> SimDisk {
    let disk = SimDisk::new(0);
    let file = disk.create(path).unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_dir("").unwrap();
    disk
}

fn get(disk: &SimDisk, path: &str) -> Vec<u8> {
    disk.map(path).unwrap().to_vec()
}

fn outcomes<T: Ord>(disk: &SimDisk, see: impl Fn(&SimDisk) -> T) -> BTreeSet<T> {
    SEEDS.map(|seed| see(&disk.crash(seed))).collect()
}

fn lists(disk: &SimDisk) -> BTreeSet<Vec<String>> {
    outcomes(disk, |after| after.list("").unwrap())
}

fn names(lists: &[&[&str]]) -> BTreeSet<Vec<String>> {
    lists
        .iter()
        .map(|list| list.iter().map(|&name| name.to_owned()).collect())
        .collect()
}

#[test]
fn what_was_synced_survives_every_crash() {
    let disk = durable("f", b"bytes");
    disk.create_dir_all("d").unwrap();
    disk.sync_dir("").unwrap();
    disk.hard_link("f", "d/g").unwrap();
    disk.sync_dir("d").unwrap();
    for seed in SEEDS {
        let after = disk.crash(seed);
        assert_eq!(get(&after, "f"), b"bytes");
        after.open("f", true).unwrap().write_all_at(b"B", 0).unwrap();
        assert_eq!(get(&after, "d/g"), b"Bytes", "still one file");
    }
    assert_eq!(get(&disk, "f"), b"bytes", "crashes are copies");
}

#[test]
fn a_name_that_was_not_synced_may_be_lost_and_its_bytes_with_it() {
    let disk = SimDisk::new(0);
    let file = disk.create("f").unwrap();
    file.write_all_at(b"x", 0).unwrap();
    file.sync_all().unwrap();
    assert_eq!(lists(&disk), names(&[&[], &["f"]]));
    disk.sync_dir("").unwrap();
    assert_eq!(lists(&disk), names(&[&["f"]]));
    assert_eq!(outcomes(&disk, |after| get(after, "f")).len(), 1);
}

#[test]
fn a_rename_happens_whole_or_not_at_all() {
    let disk = durable("a", b"");
    disk.rename("a", "b").unwrap();
    assert_eq!(lists(&disk), names(&[&["a"], &["b"]]));
    disk.create_dir_all("d").unwrap();
    disk.sync_dir("").unwrap();
    disk.rename("b", "d/c").unwrap();
    let placed = outcomes(&disk, |after| {
        (after.exists("b").unwrap(), after.exists("d/c").unwrap())
    });
    assert_eq!(placed, BTreeSet::from([(true, false), (false, true)]));
    disk.sync_dir("d").unwrap();
    assert_eq!(lists(&disk), names(&[&["d"]]));
}

#[test]
fn names_are_lost_independently_and_in_no_order() {
    let disk = SimDisk::new(0);
    disk.create("a").unwrap();
    disk.create("b").unwrap();
    assert_eq!(lists(&disk), names(&[&[], &["a"], &["b"], &["a", "b"]]));
}

#[test]
fn one_name_never_skips_a_step() {
    let disk = durable("a", b"");
    disk.rename("a", "b").unwrap();
    disk.rename("b", "c").unwrap();
    assert_eq!(lists(&disk), names(&[&["a"], &["b"], &["c"]]));
}

#[test]
fn syncing_a_directory_takes_along_what_its_names_rest_on() {
    let disk = durable("a", b"");
    disk.create_dir_all("d").unwrap();
    disk.sync_dir("").unwrap();
    disk.rename("a", "b").unwrap();
    disk.rename("b", "d/c").unwrap();
    disk.sync_dir("d").unwrap();
    assert_eq!(lists(&disk), names(&[&["d"]]), "not under its first name as well");
}

#[test]
fn a_directory_that_is_lost_takes_its_files_with_it() {
    let disk = SimDisk::new(0);
    disk.create_dir_all("d").unwrap();
    disk.create("d/f").unwrap().sync_all().unwrap();
    disk.sync_dir("d").unwrap();
    let seen = outcomes(&disk, |after| after.list("d").ok());
    assert_eq!(seen, BTreeSet::from([None, Some(vec!["f".to_owned()])]));
}

#[test]
fn removing_a_tree_can_be_cut_short() {
    let disk = SimDisk::new(0);
    disk.create_dir_all("d/e").unwrap();
    disk.create("d/e/f").unwrap();
    disk.create("d/g").unwrap();
    for dir in ["", "d", "d/e"] {
        disk.sync_dir(dir).unwrap();
    }
    disk.remove_dir_all("d").unwrap();
    assert!(outcomes(&disk, |after| after.list("d").ok()).len() > 3);
    disk.sync_dir("").unwrap();
    assert_eq!(lists(&disk), names(&[&[]]));
}

#[test]
fn unsynced_sectors_are_kept_lost_and_torn_but_never_mixed_within() {
    let disk = durable("f", &[1; 4 * 512]);
    disk.open("f", true)
        .unwrap()
        .write_all_at(&[2; 4 * 512], 0)
        .unwrap();
    let seen = outcomes(&disk, |after| get(after, "f"));
    assert_eq!(seen.len(), 16, "every mixture of four sectors");
    for bytes in seen {
        assert!(
            bytes
                .chunks(512)
                .all(|sector| sector == [1; 512] || sector == [2; 512])
        );
    }
}

#[test]
fn later_writes_may_survive_earlier_ones() {
    let disk = durable("f", &[0; 1024]);
    let file = disk.open("f", true).unwrap();
    file.write_all_at(&[1; 8], 0).unwrap();
    file.write_all_at(&[2; 8], 512).unwrap();
    let seen = outcomes(&disk, |after| (get(after, "f")[0], get(after, "f")[512]));
    assert_eq!(seen, BTreeSet::from([(0, 0), (0, 2), (1, 0), (1, 2)]));
}

#[test]
fn a_sector_is_written_as_it_was_at_some_time() {
    let disk = durable("f", &[0; 512]);
    let file = disk.open("f", true).unwrap();
    file.write_all_at(&[1], 0).unwrap();
    file.write_all_at(&[2], 1).unwrap();
    let seen = outcomes(&disk, |after| get(after, "f")[..2].to_vec());
    assert_eq!(
        seen,
        BTreeSet::from([vec![0, 0], vec![1, 0], vec![1, 2]]),
        "never 0, 2"
    );
}

#[test]
fn a_length_may_survive_without_its_bytes_and_bytes_without_their_length() {
    let disk = durable("f", b"");
    disk.open("f", true).unwrap().write_all_at(&[1; 1000], 0).unwrap();
    let seen = outcomes(&disk, |after| get(after, "f"));
    assert!(seen.contains(&Vec::new()) && seen.contains(&vec![0; 1000]) && seen.contains(&vec![1; 1000]));
    assert!(seen.iter().all(|bytes| bytes.is_empty() || bytes.len() == 1000));
}

#[test]
fn a_cut_may_be_lost_and_once_synced_never_shows_old_bytes() {
    let disk = durable("f", &[1; 2000]);
    let file = disk.open("f", true).unwrap();
    file.set_len(700).unwrap();
    assert!(outcomes(&disk, |after| get(after, "f")).contains(&vec![1; 2000]));
    file.set_len(2000).unwrap();
    file.sync_data().unwrap();
    let wanted = [[1; 700].as_slice(), &[0; 1300]].concat();
    assert_eq!(outcomes(&disk, |after| get(after, "f")), BTreeSet::from([wanted]));
}

#[test]
fn the_power_goes_at_the_call_asked_for_and_stays_away() {
    let disk = durable("f", b"old");
    let file = disk.open("f", true).unwrap();
    disk.crash_at(disk.calls() + 1);
    file.write_all_at(b"one", 0).unwrap();
    assert!(!disk.is_dead());
    let error = file.write_all_at(b"two", 0).unwrap_err();
    assert!(error.to_string().contains("simulated crash"), "{error}");
    assert!(disk.is_dead());
    assert!(
        file.sync_data().is_err() && file.len().is_err() && disk.list("").is_err() && disk.map("f").is_err()
    );
    let seen = outcomes(&disk, |after| get(after, "f"));
    assert!(
        seen.contains(b"two".as_slice()),
        "an unacknowledged write may have arrived"
    );
    assert!(seen.contains(b"old".as_slice()) && seen.len() == 3);
}

#[test]
fn a_sync_that_the_crash_interrupts_promises_nothing() {
    let disk = durable("f", b"old");
    let file = disk.open("f", true).unwrap();
    file.write_all_at(b"new", 0).unwrap();
    disk.crash_at(disk.calls());
    assert!(file.sync_data().is_err());
    assert_eq!(outcomes(&disk, |after| get(after, "f")).len(), 2);
}

#[test]
fn after_a_failed_sync_the_data_is_seen_but_no_later_sync_saves_it() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let file = disk.create("f").unwrap();
        disk.sync_dir("").unwrap();
        file.write_all_at(b"x", 0).unwrap();
        disk.fail_sync(disk.syncs());
        assert!(file.sync_data().is_err());
        assert_eq!(get(&disk, "f"), b"x");
        file.sync_data().unwrap();
        lost += usize::from(get(&disk.crash(0), "f") != b"x");
        file.write_all_at(b"x", 0).unwrap();
        file.sync_data().unwrap();
        let after = get(&disk.crash(0), "f");
        assert!(after.is_empty() || after == b"x");
    }
    assert!((5..45).contains(&lost), "{lost}");
}

#[test]
fn a_failed_sync_of_a_directory_leaves_its_names_unknown() {
    let kept = |seed| {
        let disk = SimDisk::new(seed);
        disk.create("f").unwrap();
        disk.fail_sync(0);
        assert!(disk.sync_dir("").is_err());
        disk.crash(0).exists("f").unwrap()
    };
    assert_eq!(
        (0..50).map(kept).collect::<BTreeSet<_>>(),
        BTreeSet::from([false, true])
    );
}

#[test]
fn a_failing_call_fails_once() {
    let disk = SimDisk::new(0);
    let file = disk.create("f").unwrap();
    disk.fail_call(1);
    disk.fail_call(3);
    assert!(file.write_all_at(b"1234", 0).is_err());
    assert_eq!(get(&disk, "f"), b"12", "a short write");
    file.write_all_at(b"1234", 0).unwrap();
    assert!(disk.rename("f", "g").is_err());
    disk.rename("f", "g").unwrap();
    assert_eq!(disk.calls(), 5);
}

#[test]
fn a_full_disk_takes_what_fits_and_recovers_when_space_is_freed() {
    let disk = SimDisk::new(0);
    disk.set_capacity(Some(10));
    let file = disk.create("f").unwrap();
    file.write_all_at(b"123456", 0).unwrap();
    disk.hard_link("f", "g").unwrap();
    assert_eq!(disk.used(), 6);
    let full = |result: Result<()>| matches!(result, Err(Error::NoSpace { .. }));
    assert!(full(file.write_all_at(b"abcdefgh", 6)));
    assert_eq!(get(&disk, "f"), b"123456abcd");
    file.write_all_at(b"over", 0).unwrap();
    file.set_len(6).unwrap();
    assert!(full(file.allocate(11)));
    assert!(full(file.set_len(11)));
    assert!(full(file.write_all_at(b"x", 11)));
    assert_eq!(file.len().unwrap(), 6);
    file.allocate(10).unwrap();
    disk.remove("f").unwrap();
    disk.remove("g").unwrap();
    disk.create("h").unwrap().write_all_at(&[0; 10], 0).unwrap();
}

#[test]
fn a_restart_keeps_everything_and_frees_locks_and_what_was_not_synced_can_still_be_lost() {
    let disk = durable("f", b"old");
    disk.open("f", true).unwrap().write_all_at(b"new", 0).unwrap();
    disk.rename("f", "g").unwrap();
    let _guard = disk.lock("LOCK").unwrap();
    disk.crash_at(0);
    assert!(disk.create("x").is_err());
    let next = disk.restart();
    assert_eq!(next.list("").unwrap(), ["LOCK", "g", "x"]);
    assert_eq!(get(&next, "g"), b"new");
    let _guard = next.lock("LOCK").unwrap();
    let seen = outcomes(&next, |after| {
        (after.exists("f").unwrap(), after.exists("g").unwrap())
    });
    assert_eq!(seen, BTreeSet::from([(true, false), (false, true)]));
    next.open("g", true).unwrap().sync_data().unwrap();
    next.sync_dir("").unwrap();
    for seed in SEEDS {
        assert_eq!(get(&next.crash(seed), "g"), b"new");
    }
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    let run = |seed| {
        let disk = SimDisk::new(9);
        for i in 0..20u64 {
            let file = disk.create(&format!("f{}", i % 7)).unwrap();
            file.write_all_at(&[i as u8; 3000], i * 100).unwrap();
            if i % 3 == 0 {
                file.sync_data().unwrap();
                disk.sync_dir("").unwrap();
            }
        }
        let after = disk.crash(seed);
        after
            .list("")
            .unwrap()
            .into_iter()
            .map(|name| (get(&after, &name), name))
            .collect::<Vec<_>>()
    };
    assert!((0..20).all(|seed| run(seed) == run(seed)));
    assert!((0..20).map(run).collect::<BTreeSet<_>>().len() > 10);
}

#[test]
fn flipped_bits_are_seen_at_once_and_after_a_crash() {
    let disk = durable("f", b"\x00");
    disk.flip_bits("f", 0, 0x81).unwrap();
    assert_eq!(get(&disk, "f"), b"\x81");
    assert_eq!(get(&disk.crash(1), "f"), b"\x81");
    assert!(disk.flip_bits("f", 1, 1).is_err() && disk.flip_bits("g", 0, 1).is_err());
}

#[derive(Clone, Debug)]
enum Act {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

fn act() -> impl Strategy<Value = Act> {
    let data = (1..255u8, 0..1500usize).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![
        6 => (0..4000u64, data).prop_map(|(at, data)| Act::Write(at, data)),
        2 => (0..5000u64).prop_map(Act::SetLen),
        1 => Just(Act::Sync),
    ]
}

fn sector(bytes: &[u8], i: usize) -> Vec<u8> {
    let mut out: Vec<u8> = bytes.iter().copied().skip(i * 512).take(512).collect();
    out.resize(512, 0);
    out
}

proptest! {
    #[test]
    fn after_a_crash_each_sector_is_as_the_process_once_saw_it_since_the_last_sync(
        acts in proptest::collection::vec(act(), 1..20),
        seed in any::<u64>(),
    ) {
        let disk = durable("f", b"");
        let file = disk.open("f", true).unwrap();
        let mut seen = vec![get(&disk, "f")];
        for act in acts {
            match act {
                Act::Write(at, data) => file.write_all_at(&data, at).unwrap(),
                Act::SetLen(len) => file.set_len(len).unwrap(),
                Act::Sync => {
                    file.sync_data().unwrap();
                    seen.clear();
                }
            }
            seen.push(get(&disk, "f"));
        }
        let after = get(&disk.crash(seed), "f");
        prop_assert!(seen.iter().any(|bytes| bytes.len() == after.len()), "the length too");
        for i in 0..after.len().div_ceil(512) {
            let wanted = |bytes: &Vec<u8>| {
                let n = 512.min(after.len() - i * 512);
                sector(bytes, i)[..n] == after[i * 512..][..n]
            };
            prop_assert!(seen.iter().any(wanted), "sector {}", i);
        }
    }
}

#[test]
fn a_fault_waits_for_the_call_that_it_is_meant_for() {
    let disk = SimDisk::new(0);
    disk.create_dir_all("wal").unwrap();
    disk.inject(Fault::error().on(Call::Sync).under("wal/").skip(1).once());
    let (log, other) = (disk.create("wal/1").unwrap(), disk.create("other").unwrap());
    log.sync_data().unwrap();
    log.write_all_at(b"x", 0).unwrap();
    other.sync_data().unwrap();
    assert!(log.sync_all().is_err(), "the second sync below that path");
    log.sync_all().unwrap();
    disk.inject(Fault::error().on(Call::Rename));
    for _ in 0..3 {
        assert!(disk.rename("other", "new").is_err(), "until it is healed");
    }
    disk.create("more").unwrap();
    disk.heal();
    disk.rename("other", "new").unwrap();
}

#[test]
fn calls_that_change_nothing_can_fail_by_number_and_by_path() {
    let disk = durable("f", b"bytes");
    let file = disk.open("f", false).unwrap();
    let reads = disk.reads();
    disk.inject(Fault::error().on_reads().at(reads + 1..reads + 2));
    let mut buf = [0; 5];
    assert_eq!(file.read_at(&mut buf, 0).unwrap(), 5);
    assert!(file.len().is_err());
    file.len().unwrap();
    disk.inject(Fault::error().on_reads().under("f"));
    assert!(file.read_at(&mut buf, 0).is_err() && disk.map("f").is_err() && disk.open("f", false).is_err());
    assert!(disk.exists("f").is_err() && disk.list("").is_ok());
    disk.open("g", false).unwrap_err();
    disk.remove("f").unwrap();
    assert_eq!(disk.reads(), reads + 9);
}

#[test]
fn a_short_read_ends_where_the_file_does_not() {
    let disk = durable("f", b"bytes");
    let file = disk.open("f", false).unwrap();
    disk.inject(Fault::short_reads().once());
    let mut buf = [0; 4];
    assert_eq!((file.read_at(&mut buf, 0).unwrap(), &buf), (2, b"by\0\0"));
    assert_eq!(file.read_at(&mut buf, 0).unwrap(), 4);
}

#[test]
fn a_disk_that_fills_up_at_a_call_grows_no_more_until_there_is_space_again() {
    let disk = SimDisk::new(0);
    let file = disk.create("f").unwrap();
    disk.inject(Fault::full().at(disk.calls() + 1..disk.calls() + 8));
    file.write_all_at(b"123", 0).unwrap();
    let full = |result: Result<()>| matches!(result, Err(Error::NoSpace { .. }));
    assert!(full(file.write_all_at(b"abcd", 0)));
    assert_eq!(get(&disk, "f"), b"abc", "what is there is written over");
    assert!(full(disk.create("g").map(drop)) && full(disk.create_dir_all("d")) && full(file.allocate(9)));
    file.sync_data().unwrap();
    disk.rename("f", "h").unwrap();
    file.set_len(1).unwrap();
    file.write_all_at(b"more", 1).unwrap();
    assert_eq!(get(&disk, "h"), b"amore");
}

#[test]
fn on_a_slow_disk_calls_wait_and_others_do_not() {
    let disk = durable("f", b"bytes");
    disk.inject(Fault::stall().on(Call::Sync));
    let (send, receive) = std::sync::mpsc::channel();
    let file = disk.open("f", true).unwrap();
    let slow = disk.clone();
    let thread = std::thread::spawn(move || {
        send.send("syncing").unwrap();
        let outcome = file.sync_data();
        send.send("synced").unwrap();
        outcome
    });
    assert_eq!(receive.recv().unwrap(), "syncing");
    assert_eq!(get(&disk, "f"), b"bytes");
    assert!(receive.try_recv().is_err());
    slow.heal();
    thread.join().unwrap().unwrap();
}
