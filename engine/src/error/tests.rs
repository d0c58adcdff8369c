use std::sync::Arc;

use crate::db::Database;
use crate::disk::{DynDisk, MemDisk};
use crate::error::Error;

fn disk_errors() -> [vdb_vfs::Error; 5] {
    let path = || "db/file".to_owned();
    [
        vdb_vfs::Error::Locked {
            path: path(),
            holder: vdb_vfs::holder::Holder::parse(b"7"),
        },
        vdb_vfs::Error::NoSpace {
            path: path(),
            op: "write",
        },
        vdb_vfs::Error::ReadOnly {
            path: path(),
            op: "write",
        },
        vdb_vfs::Error::Version {
            path: path(),
            kind: "manifest",
            found: 9,
            min: 1,
            max: 1,
        },
        vdb_vfs::Error::Corrupt {
            path: path(),
            offset: 0,
            what: "a bad checksum".into(),
        },
    ]
}

/// Which of the questions are answered with yes, in the order of [`disk_errors`].
fn answers(error: &Error) -> [bool; 5] {
    [
        error.is_locked(),
        error.is_no_space(),
        error.is_read_only(),
        error.is_newer_format(),
        error.is_damage(),
    ]
}

#[test]
fn the_same_failure_is_told_whichever_part_met_it() {
    let wrap: [fn(vdb_vfs::Error) -> Error; 6] = [
        Error::Disk,
        |e| vdb_wal::Error::from(e).into(),
        |e| vdb_storage::Error::from(e).into(),
        |e| vdb_index::Error::from(e).into(),
        |e| {
            Error::Storage(vdb_storage::Error::Manifest {
                path: "manifest-1".into(),
                previous: None,
                source: Box::new(e.into()),
            })
        },
        |e| Error::Unfinished {
            points: 7,
            source: Box::new(e.into()),
        },
    ];
    for wrap in wrap {
        for (at, error) in disk_errors().into_iter().enumerate() {
            let error = wrap(error);
            assert_eq!(answers(&error), std::array::from_fn(|i| i == at), "{error}");
            assert_eq!(error.locked_by(), (at == 0).then_some(7));
        }
    }
}

#[test]
fn failures_of_the_log_and_of_data_are_told_too() {
    let full = vdb_wal::Error::NoSpace { path: "wal".into() };
    assert_eq!(answers(&full.into()), [false, true, false, false, false]);
    let missing = vdb_wal::Error::Missing {
        path: "wal".into(),
        first: 1,
        last: 2,
    };
    assert!(Error::from(missing).is_damage());
    assert_eq!(answers(&Error::Closed), [false; 5]);
    let older = Error::Disk(vdb_vfs::Error::Version {
        path: "f".into(),
        kind: "manifest",
        found: 1,
        min: 2,
        max: 3,
    });
    assert!(!older.is_newer_format());
}

#[test]
fn a_second_handle_on_one_disk_is_told_who_has_it() {
    let disk: DynDisk = Arc::new(MemDisk::new());
    let _first = Database::builder().open_disk(disk.clone()).unwrap();
    let second = Database::builder().open_disk(disk).unwrap_err();
    assert!(second.is_locked(), "{second:?}");
}
