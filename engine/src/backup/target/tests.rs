use std::fs;
use std::sync::Arc;

use vdb_vfs::OsDisk;
use vdb_vfs::sim::SimDisk;

use super::*;

#[test]
fn what_a_killed_process_has_left_makes_way_and_what_is_being_written_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let disk = || Arc::new(OsDisk::open(dir.path(), false).unwrap());
    let names = || {
        fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect::<Vec<_>>()
    };
    let first = Target::create(disk(), "s", Kind::Dir).unwrap();
    let refused = Target::create(disk(), "s", Kind::Dir).unwrap_err();
    assert!(refused.is_locked(), "{refused}");
    assert!(dir.path().join("s.partial").exists());
    drop(first);
    assert_eq!(names(), [""; 0]);

    for kind in [Kind::Dir, Kind::Tar] {
        fs::create_dir(dir.path().join("s.partial")).unwrap();
        fs::write(dir.path().join("s.partial/half"), "a file").unwrap();
        fs::write(dir.path().join("s.partial.lock"), "1").unwrap();
        let mut target = Target::create(disk(), "s", kind).unwrap();
        target.put_bytes("whole", b"contents").unwrap();
        target.finish().unwrap();
        assert_eq!(names(), ["s"]);
        match kind {
            Kind::Dir => fs::remove_dir_all(dir.path().join("s")).unwrap(),
            Kind::Tar => fs::remove_file(dir.path().join("s")).unwrap(),
        }
    }
}

fn write(disk: &SimDisk, kind: Kind) -> Result<()> {
    let mut target = Target::create(Arc::new(disk.clone()), "s", kind)?;
    target.put_bytes("deep/down/file", &[7; 3_000])?;
    target.put_bytes("index", b"end")?;
    target.finish()
}

/// What lies under the name of a snapshot: the archive, or its files one after the other.
fn found(disk: &SimDisk, kind: Kind) -> Option<Vec<u8>> {
    if !disk.exists("s").unwrap() {
        return None;
    }
    let read = |path: &str| disk.map(path).map(|bytes| bytes.to_vec()).unwrap_or_default();
    Some(match kind {
        Kind::Dir => [read("s/deep/down/file"), read("s/index")].concat(),
        Kind::Tar => read("s"),
    })
}

#[test]
fn whatever_call_the_power_goes_at_a_snapshot_is_whole_or_has_no_name() {
    for kind in [Kind::Dir, Kind::Tar] {
        let whole = SimDisk::new(0);
        write(&whole, kind).unwrap();
        let whole = found(&whole, kind);
        for n in 0.. {
            let mut finished = false;
            for seed in 0..40 {
                let disk = SimDisk::new(0);
                disk.crash_at(n);
                finished = write(&disk, kind).is_ok();
                let found = found(&disk.crash(seed), kind);
                assert!(
                    found == whole || (found.is_none() && !finished),
                    "{kind:?}, call {n}, seed {seed}"
                );
            }
            if finished {
                break;
            }
        }
    }
}
