use std::os::unix::fs::PermissionsExt;

use super::*;

fn message<T: fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_missing_directory_is_made_only_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a/b");
    assert!(matches!(OsDisk::open(&root, false), Err(Error::NotFound { .. })));
    let disk = OsDisk::open(&root, true).unwrap();
    assert_eq!(disk.root(), root);
    OsDisk::open(&root, true).unwrap();
}

#[test]
fn a_file_in_place_of_the_directory_is_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for root in [file.clone(), file.join("below")] {
        for create in [false, true] {
            let text = message(OsDisk::open(&root, create));
            assert!(text.starts_with(&root.display().to_string()), "{text}");
            assert!(text.to_lowercase().contains("not a directory"), "{text}");
        }
    }
}

#[test]
fn a_directory_without_permission_is_a_typed_error() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("sealed");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(root.join("probe"), "").is_ok() {
        // A superuser is refused nothing; the mapping of the error is tested below.
        return;
    }
    let disk = OsDisk::open(&root, true).unwrap();
    assert!(matches!(disk.create("f"), Err(Error::ReadOnly { .. })));
    assert!(matches!(disk.lock("LOCK"), Err(Error::ReadOnly { .. })));
    assert!(matches!(
        OsDisk::open(root.join("below"), true),
        Err(Error::ReadOnly { .. })
    ));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o000)).unwrap();
    assert!(matches!(OsDisk::open(&root, false), Err(Error::ReadOnly { .. })));
    fs::set_permissions(&root, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn system_errors_are_sorted_by_what_callers_can_do() {
    use rustix::io::Errno;
    let sort = |errno: Errno| Error::io("p", "write", errno.into());
    assert!(matches!(sort(Errno::NOSPC), Error::NoSpace { .. }));
    assert!(matches!(sort(Errno::DQUOT), Error::NoSpace { .. }));
    assert!(matches!(sort(Errno::ROFS), Error::ReadOnly { .. }));
    assert!(matches!(sort(Errno::ACCESS), Error::ReadOnly { .. }));
    assert!(matches!(sort(Errno::PERM), Error::ReadOnly { .. }));
    assert!(matches!(sort(Errno::NOENT), Error::NotFound { .. }));
    assert!(matches!(sort(Errno::IO), Error::Io { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_no_space() {
    let Ok(file) = fs::OpenOptions::new().read(true).write(true).open("/dev/full") else {
        return;
    };
    let file = OsFile {
        file,
        shown: "full".to_owned(),
    };
    assert!(matches!(file.write_all_at(b"x", 0), Err(Error::NoSpace { .. })));
}

#[test]
fn a_file_is_mapped_not_copied() {
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path(), false).unwrap();
    disk.create("f").unwrap().write_all_at(b"x", 0).unwrap();
    assert!(disk.map("f").unwrap().is_mapped());
}

#[test]
fn paths_are_shown_as_the_system_has_them() {
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path(), false).unwrap();
    let text = message(disk.open("a/b", false));
    assert_eq!(text, format!("{}: not found", dir.path().join("a/b").display()));
}

#[test]
fn a_relative_root_stays_where_it_was() {
    let disk = OsDisk::open(".", false).unwrap();
    assert!(disk.root().is_absolute());
}

#[test]
fn names_that_are_not_unicode_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    fs::write(dir.path().join("f"), "").unwrap();
    assert_eq!(OsDisk::open(dir.path(), false).unwrap().list("").unwrap(), ["f"]);
}

#[test]
fn a_lock_of_another_disk_on_the_same_directory_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (
        OsDisk::open(dir.path(), false).unwrap(),
        OsDisk::open(dir.path(), false).unwrap(),
    );
    let guard = a.lock("LOCK").unwrap();
    assert_eq!(
        fs::read_to_string(dir.path().join("LOCK")).unwrap(),
        crate::holder::Holder::this_process().to_text()
    );
    assert!(matches!(b.lock("LOCK"), Err(Error::Locked { .. })));
    drop(guard);
    let left = fs::read_to_string(dir.path().join("LOCK")).unwrap();
    assert_eq!(left, "", "the next holder must not be taken for this one");
    b.lock("LOCK").unwrap();
}

#[test]
fn a_stale_or_damaged_lock_file_does_not_block() {
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path(), false).unwrap();
    for stale in [
        "999999\n",
        "",
        "garbage that is longer than any process id",
        "\u{7f}\0",
    ] {
        fs::write(dir.path().join("LOCK"), stale).unwrap();
        let _guard = disk.lock("LOCK").unwrap();
        fs::write(dir.path().join("LOCK"), stale).unwrap();
        assert!(
            matches!(disk.lock("LOCK"), Err(Error::Locked { .. })),
            "{stale:?}"
        );
    }
}

/// Takes the lock in a process of its own, which then waits to be killed.
#[test]
fn a_lock_of_another_process_ends_with_it() {
    const ROLE: &str = "VDB_VFS_TEST_LOCK_HOLDER";
    if let Ok(root) = std::env::var(ROLE) {
        let _guard = OsDisk::open(&root, false).unwrap().lock("LOCK").unwrap();
        fs::write(Path::new(&root).join("ready"), "").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let disk = OsDisk::open(dir.path(), false).unwrap();
    let mut holder = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "os::tests::a_lock_of_another_process_ends_with_it"])
        .env(ROLE, dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !disk.exists("ready").unwrap() {
        assert!(holder.try_wait().unwrap().is_none(), "the holder has died");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let refused = disk.lock("LOCK");
    holder.kill().unwrap();
    holder.wait().unwrap();
    match refused {
        Err(Error::Locked {
            holder: Some(found), ..
        }) => assert_eq!(found.pid, holder.id()),
        other => panic!("{other:?}"),
    }
    disk.lock("LOCK").unwrap();
}

/// Every way to the file `f` is refused, in a message with `what`.
fn refuses_file(disk: &OsDisk, what: &str) {
    let refusals = [
        disk.open("f", false).map(drop),
        disk.open("f", true).map(drop),
        disk.create("f").map(drop),
        disk.map("f").map(drop),
        disk.lock("f").map(drop),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn links_below_the_root_are_refused_and_what_they_lead_to_stays_as_it_is() {
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let victim = outside.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, dir.path().join("f")).unwrap();
    std::os::unix::fs::symlink(outside.path(), dir.path().join("d")).unwrap();
    let disk = OsDisk::open(dir.path(), false).unwrap();
    refuses_file(&disk, "symbolic link");
    let error = disk.list("d").unwrap_err().to_string();
    assert!(error.contains("symbolic link"), "{error}");
    // Nor does anything below a directory that is one.
    let below = [
        disk.open("d/victim", true).map(drop),
        disk.create("d/new").map(drop),
        disk.map("d/victim").map(drop),
        disk.lock("d/victim").map(drop),
        disk.list("d/e").map(drop),
        disk.exists("d/victim").map(drop),
        disk.remove("d/victim"),
        disk.rename("d/victim", "g"),
        disk.hard_link("d/victim", "g"),
        disk.create_dir_all("d/e/f"),
        disk.remove_dir_all("d/e"),
        disk.sync_dir("d/e"),
    ];
    for refusal in below {
        let error = refusal.unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }
    // Removing a link does not reach through it.
    disk.remove("f").unwrap();
    disk.remove_dir_all("d").unwrap();
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
    // The root itself may be one.
    let root = outside.path().join("root");
    std::os::unix::fs::symlink(dir.path(), &root).unwrap();
    OsDisk::open(root, false).unwrap().create("g").unwrap();
}

#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(dir.path().join("f"))
        .status();
    assert!(made.unwrap().success());
    let disk = OsDisk::open(dir.path(), false).unwrap();
    refuses_file(&disk, "a pipe");
    disk.remove("f").unwrap();
    assert!(!disk.exists("f").unwrap());
}
