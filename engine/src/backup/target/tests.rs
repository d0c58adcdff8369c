use std::fs;

use super::*;

#[test]
fn what_a_killed_process_has_left_makes_way_and_what_is_being_written_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let disk = || OsDisk::open(dir.path(), false).unwrap();
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
