//! Databases and collections that must exist, or are made.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use vdb::{Collection, Database, DatabaseBuilder};

use crate::args::InCollection;
use crate::failure::{Failure, Outcome};

/// How long to wait for another process to close a database that is to be changed; set once, from the command line.
static WAIT: OnceLock<Duration> = OnceLock::new();
/// How often to look meanwhile.
const LOOK: Duration = Duration::from_millis(50);

/// Sets how long every opening waits for a database that another process has open.
pub(crate) fn set_wait(wait: Duration) {
    // Set before anything is opened, and only then.
    let _ = WAIT.set(wait);
}

/// Settings that suit a process which ends soon: nothing is merged or indexed unless a command asks for it.
pub(crate) fn builder() -> DatabaseBuilder {
    Database::builder().background(false)
}

/// Opens a database that is there, to change it.
pub(crate) fn database(dir: &Path) -> Outcome<Database> {
    wait_for(|| builder().create(false).open(dir)).map_err(|error| not_there(dir, &error))
}

/// Opens a database that is there for reading only, whoever may be writing to it.
pub(crate) fn read_only(dir: &Path) -> Outcome<Database> {
    builder()
        .open_read_only(dir)
        .map_err(|error| not_there(dir, &error))
}

fn not_there(dir: &Path, error: &vdb::Error) -> Failure {
    if dir.symlink_metadata().is_err() {
        missing(dir)
    } else {
        refused(dir, error, "open")
    }
}

/// Opens a database, or creates it where there is none.
pub(crate) fn open(builder: DatabaseBuilder, dir: &Path) -> Outcome<Database> {
    let verb = if dir.exists() { "open" } else { "make" };
    wait_for(|| builder.clone().create(true).open(dir)).map_err(|error| refused(dir, &error, verb))
}

fn wait_for(open: impl Fn() -> vdb::Result<Database>) -> vdb::Result<Database> {
    let patience = WAIT.get().copied().unwrap_or_default();
    let started = Instant::now();
    loop {
        match open() {
            Err(error) if error.is_locked() && started.elapsed() < patience => std::thread::sleep(LOOK),
            outcome => return outcome,
        }
    }
}

fn refused(dir: &Path, error: &vdb::Error, verb: &str) -> Failure {
    let shown = dir.display();
    if error.is_locked() {
        return Failure::failed(format!(
            "cannot open the database {shown}: {error}; close it there, or wait for it with --wait SECONDS"
        ));
    }
    if dir.is_file() {
        return Failure::failed(format!(
            "{shown}: this is a file; a database is a directory, and its name comes before those of other files"
        ));
    }
    // Most errors begin with the path themselves.
    let error = error.to_string();
    let why = error.strip_prefix(&format!("{shown}: ")).unwrap_or(&error);
    Failure::failed(format!("cannot {verb} the database {shown}: {why}"))
}

/// What to say where there is no directory.
pub(crate) fn missing(dir: &Path) -> Failure {
    Failure::failed(format!(
        "{}: there is no database here; `vdb create` and `vdb load` make one",
        dir.display()
    ))
}

/// A collection that is there; else the error lists those that are.
pub(crate) fn collection(db: &Database, name: &str) -> Outcome<Collection> {
    db.collection(name).map_err(|error| {
        if !matches!(error, vdb::Error::CollectionNotFound { .. }) {
            return error.into();
        }
        Failure::failed(format!("there is no collection {name:?}; {}", known(db)))
    })
}

/// Which collections and aliases there are.
pub(crate) fn known(db: &Database) -> String {
    let mut names = db.collections();
    names.extend(db.aliases().into_iter().map(|(alias, _)| alias));
    if names.is_empty() {
        "the database has none yet; `vdb create` and `vdb load` make one".to_owned()
    } else {
        format!("there is {}", names.join(", "))
    }
}

/// A database that a command may have to make. What was made goes again when nothing came to be in it, so that the
/// command can be repeated as it stands.
pub(crate) struct Home {
    dir: PathBuf,
    is_new: bool,
}

impl Home {
    /// Looks before anything is made.
    pub(crate) fn at(dir: &Path) -> Home {
        Home {
            dir: dir.to_owned(),
            is_new: dir.symlink_metadata().is_err(),
        }
    }

    /// Whether there was nothing.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Opens or creates the database, and does `work` in it; closes it.
    pub(crate) fn with<T>(
        &self,
        builder: DatabaseBuilder,
        work: impl FnOnce(&Database) -> Outcome<T>,
    ) -> Outcome<T> {
        let db = open(builder, &self.dir).inspect_err(|_| self.remove_if_empty())?;
        let outcome = work(&db);
        let is_empty = db.collections().is_empty();
        let closed = db.close();
        if outcome.is_err() && is_empty {
            self.remove();
        }
        let done = outcome?;
        closed?;
        Ok(done)
    }

    /// After work that failed elsewhere: removes a database that was made for it and has nothing in it.
    #[cfg(feature = "serve")]
    pub(crate) fn forget_if_empty(&self) {
        let is_empty = || read_only(&self.dir).is_ok_and(|db| db.collections().is_empty());
        if self.is_new && is_empty() {
            self.remove();
        }
    }

    /// After a database that could not be made: the directory may be there, with nothing in it.
    fn remove_if_empty(&self) {
        if self.is_new {
            let _ = std::fs::remove_dir(&self.dir);
        }
    }

    /// Removes the directory if it was not there before. Should that fail, an empty database stays, which does no harm.
    fn remove(&self) {
        if self.is_new {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

impl InCollection {
    /// Opens both, to change the collection.
    pub(crate) fn open(&self) -> Outcome<(Database, Collection)> {
        self.in_database(database(&self.db)?)
    }

    /// Opens both for reading only.
    pub(crate) fn read(&self) -> Outcome<(Database, Collection)> {
        self.in_database(read_only(&self.db)?)
    }

    fn in_database(&self, db: Database) -> Outcome<(Database, Collection)> {
        let collection = collection(&db, &self.collection)?;
        Ok((db, collection))
    }
}
