//! Directories and disks that cannot be opened, or not now.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use vdb::{Database, Distance, Error};
use vdb_tests::{config, points};
use vdb_vfs::sim::SimDisk;
use vdb_vfs::{Disk, File, FileView, LockGuard, OsDisk};

fn make(path: &Path) {
    let db = Database::open(path).unwrap();
    let c = db.create_collection("c", config(3, Distance::Dot)).unwrap();
    c.upsert(points(0..50, 3, 1)).unwrap();
    c.flush().unwrap();
    c.upsert(points(50..60, 3, 1)).unwrap();
    db.close().unwrap();
}

#[test]
fn a_directory_that_is_no_database_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.doc"), "important").unwrap();
    let refused = Database::open(dir.path()).unwrap_err();
    assert!(matches!(refused, Error::NotADatabase { .. }), "{refused:?}");
    assert!(refused.to_string().contains("thesis.doc"), "{refused}");
    let names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["thesis.doc"]);
}

#[test]
fn a_file_in_the_place_of_a_directory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, "important").unwrap();
    for create in [true, false] {
        let refused = Database::builder().create(create).open(&path).unwrap_err();
        assert!(refused.to_string().contains("file"), "{refused}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"important");
}

#[test]
fn a_database_that_does_not_exist_is_not_created_unless_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    let missing = Database::builder().create(false).open(&path).unwrap_err();
    assert!(
        matches!(missing, Error::Disk(vdb_vfs::Error::NotFound { .. })),
        "{missing:?}"
    );
    assert!(!path.exists());
    let empty = Database::builder().create(false).open(dir.path()).unwrap_err();
    assert!(matches!(empty, Error::NotADatabase { .. }), "{empty:?}");
}

#[test]
fn a_database_is_opened_once_by_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let first = Database::open(dir.path()).unwrap();
    let refused = Database::open(dir.path()).unwrap_err();
    let own = std::process::id();
    assert_eq!(refused.locked_by(), Some(own), "{refused:?}");
    assert!(refused.to_string().contains("this process"), "{refused}");
    drop(first);
    Database::open(dir.path()).unwrap();
}

/// Not a test of its own: holds a database open for `a_database_open_elsewhere_is_refused_with_the_process_id`.
#[test]
fn child_holds_a_database() {
    let Some(path) = std::env::var_os("VDB_TEST_HOLD") else {
        return;
    };
    let db = Database::open(path).unwrap();
    println!("held");
    // Until the parent closes the pipe.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    drop(db);
}

#[test]
fn a_database_open_elsewhere_is_refused_with_the_process_id() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "open::child_holds_a_database", "--nocapture"])
        .env("VDB_TEST_HOLD", dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    let refused = Database::open(dir.path()).unwrap_err();
    let expected = child.id();
    assert_eq!(refused.locked_by(), Some(expected), "{refused:?}");
    assert!(
        refused
            .to_string()
            .contains(&format!("process {expected} (bad_input")),
        "{refused}"
    );
    // A process that dies lets go, however it dies.
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        Database::open(dir.path())
            .unwrap()
            .collection("c")
            .unwrap()
            .count(None)
            .unwrap(),
        60
    );
}

/// A disk that takes no writes.
#[derive(Debug)]
struct ReadOnly(OsDisk);

#[derive(Debug)]
struct ReadOnlyFile(Box<dyn File>, String);

fn refuse<T>(path: &str, op: &'static str) -> vdb_vfs::Result<T> {
    Err(vdb_vfs::Error::io(
        path,
        op,
        std::io::ErrorKind::ReadOnlyFilesystem.into(),
    ))
}

impl File for ReadOnlyFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> vdb_vfs::Result<usize> {
        self.0.read_at(buf, offset)
    }
    fn write_all_at(&self, _: &[u8], _: u64) -> vdb_vfs::Result<()> {
        refuse(&self.1, "write")
    }
    fn len(&self) -> vdb_vfs::Result<u64> {
        self.0.len()
    }
    fn set_len(&self, _: u64) -> vdb_vfs::Result<()> {
        refuse(&self.1, "set the length")
    }
    fn allocate(&self, _: u64) -> vdb_vfs::Result<()> {
        refuse(&self.1, "allocate")
    }
    fn sync_data(&self) -> vdb_vfs::Result<()> {
        Ok(())
    }
    fn sync_all(&self) -> vdb_vfs::Result<()> {
        Ok(())
    }
}

impl Disk for ReadOnly {
    fn create(&self, path: &str) -> vdb_vfs::Result<Box<dyn File>> {
        refuse(path, "create")
    }
    fn open(&self, path: &str, write: bool) -> vdb_vfs::Result<Box<dyn File>> {
        if write {
            return refuse(path, "open");
        }
        Ok(Box::new(ReadOnlyFile(self.0.open(path, false)?, path.to_owned())))
    }
    fn map(&self, path: &str) -> vdb_vfs::Result<FileView> {
        self.0.map(path)
    }
    fn list(&self, dir: &str) -> vdb_vfs::Result<Vec<String>> {
        self.0.list(dir)
    }
    fn exists(&self, path: &str) -> vdb_vfs::Result<bool> {
        self.0.exists(path)
    }
    fn rename(&self, from: &str, _: &str) -> vdb_vfs::Result<()> {
        refuse(from, "rename")
    }
    fn remove(&self, path: &str) -> vdb_vfs::Result<()> {
        refuse(path, "remove")
    }
    fn create_dir_all(&self, dir: &str) -> vdb_vfs::Result<()> {
        refuse(dir, "create the directory")
    }
    fn remove_dir_all(&self, dir: &str) -> vdb_vfs::Result<()> {
        refuse(dir, "remove the directory")
    }
    fn sync_dir(&self, _: &str) -> vdb_vfs::Result<()> {
        Ok(())
    }
    fn hard_link(&self, from: &str, _: &str) -> vdb_vfs::Result<()> {
        refuse(from, "link")
    }
    fn lock(&self, path: &str) -> vdb_vfs::Result<LockGuard> {
        refuse(path, "lock")
    }
    fn display(&self, path: &str) -> String {
        self.0.display(path)
    }
}

#[test]
fn a_read_only_file_system_is_refused_as_such() {
    let dir = tempfile::tempdir().unwrap();
    make(dir.path());
    let disk = ReadOnly(OsDisk::open(dir.path(), false).unwrap());
    let refused = Database::builder().open_disk(Arc::new(disk)).unwrap_err();
    assert!(
        matches!(refused, Error::Disk(vdb_vfs::Error::ReadOnly { .. })),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("read-only"), "{refused}");
    let empty = tempfile::tempdir().unwrap();
    let disk = ReadOnly(OsDisk::open(empty.path(), false).unwrap());
    let refused = Database::builder().open_disk(Arc::new(disk)).unwrap_err();
    assert!(
        matches!(refused, Error::Disk(vdb_vfs::Error::ReadOnly { .. })),
        "{refused:?}"
    );
    Database::open(dir.path()).unwrap();
}

#[test]
fn a_disk_without_permissions_is_refused_as_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    make(&path);
    let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    std::fs::set_permissions(path.join("lock"), std::fs::Permissions::from_mode(0o444)).unwrap();
    // Root may write all the same.
    if std::fs::write(path.join("probe"), "").is_err() {
        let refused = Database::open(&path).unwrap_err();
        assert!(
            matches!(refused, Error::Disk(vdb_vfs::Error::ReadOnly { .. })),
            "{refused:?}"
        );
    }
    mode(0o755);
}

#[test]
fn a_full_disk_is_refused_at_opening_and_opens_once_there_is_space() {
    let disk = SimDisk::new(0);
    let open = || {
        Database::builder()
            .background(false)
            .log_segment_bytes(0)
            .open_disk(Arc::new(disk.clone()))
    };
    disk.set_capacity(Some(10));
    let refused = open().unwrap_err();
    assert!(refused.to_string().contains("no space"), "{refused}");
    disk.set_capacity(None);
    let db = open().unwrap();
    let c = db.create_collection("c", config(3, Distance::Dot)).unwrap();
    c.upsert(points(0..50, 3, 1)).unwrap();
    drop((c, db));
    disk.set_capacity(Some(disk.used()));
    // Whether it can be opened without space is up to the log; what is there must stay.
    let _ = open();
    disk.set_capacity(None);
    assert_eq!(open().unwrap().collection("c").unwrap().count(None).unwrap(), 50);
}
