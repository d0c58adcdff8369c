use super::*;

#[test]
fn a_child_of_a_fork_leaves_the_lock_file_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let guard = take(&path, "lock").unwrap();
    let before = fs::read(&path).unwrap();
    // As it is in such a child: the file is open, and the process another one.
    let of_child = Held {
        file: fs::OpenOptions::new().write(true).open(&path).unwrap(),
        pid: std::process::id().wrapping_add(1),
    };
    drop(of_child);
    assert_eq!(fs::read(&path).unwrap(), before);
    drop(guard);
    assert!(fs::read(&path).unwrap().is_empty());
}

#[test]
fn letting_go_unlocks_whoever_else_has_the_open_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let file = fs::File::create(&path).unwrap();
    file.try_lock().unwrap();
    // As a child has it between its fork and its program.
    let _of_child = file.try_clone().unwrap();
    drop(Held {
        file,
        pid: std::process::id(),
    });
    drop(take(&path, "lock").unwrap());
}
