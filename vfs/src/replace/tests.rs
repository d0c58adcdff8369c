use super::*;
use crate::MemDisk;
use crate::sim::SimDisk;

fn get(disk: &dyn Disk, path: &str) -> Option<Vec<u8>> {
    disk.exists(path)
        .unwrap()
        .then(|| disk.map(path).unwrap().to_vec())
}

#[test]
fn the_new_content_replaces_the_old_and_leaves_no_temporary_file() {
    let disk = MemDisk::new();
    disk.create_dir_all("d").unwrap();
    replace(&disk, "d", "m", b"one").unwrap();
    replace(&disk, "d", "m", b"two").unwrap();
    assert_eq!(get(&disk, "d/m").unwrap(), b"two");
    assert_eq!(disk.list("d").unwrap(), ["m"]);
}

#[test]
fn a_failing_closure_leaves_the_old_content_and_no_temporary_file() {
    let disk = MemDisk::new();
    replace(&disk, "", "m", b"one").unwrap();
    let failed: Result<()> = replace_with(&disk, "", "m", |temp| {
        disk.create(temp)?.write_all_at(b"half", 0)?;
        Err(Error::NotFound {
            path: "elsewhere".to_owned(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(get(&disk, "m").unwrap(), b"one");
    assert_eq!(disk.list("").unwrap(), ["m"]);
}

#[test]
fn what_the_closure_returns_is_handed_on() {
    let disk = MemDisk::new();
    let len = replace_with(&disk, "", "m", |temp| {
        let file = disk.create(temp)?;
        file.write_all_at(b"12345", 0)?;
        file.sync_all()?;
        file.len()
    });
    assert_eq!(len.unwrap(), 5);
}

#[test]
fn only_temporary_files_are_removed() {
    let disk = MemDisk::new();
    for name in ["a", "b.tmp", "c.tmp", "tmp"] {
        disk.create(name).unwrap();
    }
    assert_eq!(remove_temps(&disk, "").unwrap(), ["b.tmp", "c.tmp"]);
    assert_eq!(disk.list("").unwrap(), ["a", "tmp"]);
}

#[test]
fn a_crash_anywhere_leaves_the_old_content_or_the_new_and_the_new_once_it_was_acknowledged() {
    let (old, new) = (vec![1; 2000], vec![2; 3000]);
    let mut outcomes = [0; 2];
    for n in 0.. {
        let mut finished = false;
        for seed in 0..40 {
            let disk = SimDisk::new(0);
            replace(&disk, "", "m", &old).unwrap();
            disk.crash_at(disk.calls() + n);
            let acknowledged = replace(&disk, "", "m", &new).is_ok();
            finished |= acknowledged;
            let after = disk.crash(seed);
            let found = get(&after, "m").expect("a name that was durable is never lost");
            assert!(
                found == new || (found == old && !acknowledged),
                "call {n}, seed {seed}"
            );
            outcomes[usize::from(found == new)] += 1;
            remove_temps(&after, "").unwrap();
            assert_eq!(after.list("").unwrap(), ["m"]);
        }
        if finished {
            break;
        }
    }
    assert!(outcomes.iter().all(|&n| n > 0));
}

#[test]
fn the_old_content_survives_errors_and_a_full_disk() {
    for n in 0..5 {
        let disk = SimDisk::new(n);
        replace(&disk, "", "m", b"old").unwrap();
        disk.fail_call(disk.calls() + n);
        assert!(replace(&disk, "", "m", b"new").is_err());
        for seed in 0..20 {
            let found = get(&disk.crash(seed), "m").unwrap();
            assert!(found == b"old" || found == b"new", "call {n}, seed {seed}");
        }
    }
    let disk = SimDisk::new(0);
    replace(&disk, "", "m", b"old").unwrap();
    disk.set_capacity(Some(4));
    assert!(matches!(
        replace(&disk, "", "m", b"new"),
        Err(Error::NoSpace { .. })
    ));
    assert_eq!(get(&disk, "m").unwrap(), b"old");
    assert_eq!(disk.list("").unwrap(), ["m"], "and the space is free again");
}
