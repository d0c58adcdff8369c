//! SQLite files of other programs, opened so that neither side harms the other.
//!
//! They are opened as what never changes (`immutable=1`), so that nothing is written beside them, not even a lock. A file
//! with a journal beside it was left in the middle of a write, and is refused. Nothing that a hostile file defines is run.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Problem, RowError};
use crate::input::open_regular;
use crate::row::{At, Place};

/// What a file was like at some time: whether it was written to is seen by it, as no lock keeps others from doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// What it is like now; none if it is not there.
    pub(crate) fn of(path: &Path) -> Option<Stamp> {
        let found = std::fs::metadata(path).ok()?;
        Some(Stamp {
            len: found.len(),
            modified: found.modified().ok(),
        })
    }

    /// What to say if it is another one now.
    pub(crate) fn changed(before: Option<&Stamp>, path: &Path) -> Option<Problem> {
        let is_same = Stamp::of(path).as_ref() == before;
        (!is_same).then(|| {
            let why =
                "it was written to while it was read: close the program that has it open, and import again";
            Problem::Sqlite(why.to_owned())
        })
    }
}

/// Opens a file for reading; values of more than `longest` bytes are an error. `file` stands in messages.
pub(crate) fn open(path: &Path, file: &Arc<str>, longest: u64) -> Result<Connection, RowError> {
    let fail = |problem| {
        let place = Place {
            file: file.clone(),
            at: At::File,
        };
        RowError::new(place, problem)
    };
    for ending in ["-journal", "-wal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(ending);
        if std::fs::metadata(&beside).is_ok_and(|beside| beside.len() > 0) {
            let why = format!(
                "it was left in the middle of a write (there is a {ending} file beside it): close the program that has \
                 it open, or open and close it with that program once, and import again"
            );
            return Err(fail(Problem::Sqlite(why)));
        }
    }
    // For a file that is missing SQLite has no good words.
    open_regular(path).map_err(|error| fail(Problem::Io(error)))?;
    let open = || -> rusqlite::Result<Connection> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path), flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        let longest = i32::try_from(longest).unwrap_or(i32::MAX);
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
        Ok(connection)
    };
    open().map_err(|error| fail(Problem::Sqlite(error.to_string())))
}

/// The URI of a file that never changes. Whatever is no plain letter in it is written by its bytes.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_') {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}
