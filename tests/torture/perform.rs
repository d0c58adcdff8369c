//! A script is carried out, and what was told is kept.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use vdb::{Control, Database, RestoreMode, Result};
use vdb_vfs::sim::SimDisk;

use super::script::{Action, config, links, named, open};
use super::told::Told;
use crate::oracle::database;

/// A directory for what comes and goes, as snapshots do: in memory, where the system has one there.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// An empty directory, gone with this.
    ///
    /// # Panics
    /// When none can be made.
    #[expect(clippy::new_without_default, reason = "it touches the disk")]
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Scratch(made.unwrap())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A database that a script is carried out on.
struct Stage<'a> {
    db: &'a Database,
    dir: &'a Path,
    taken: u32,
    snapshot: Option<PathBuf>,
}

impl Stage<'_> {
    fn act(&mut self, action: &Action) -> Result<Vec<u64>> {
        match action {
            Action::Snapshot(name) => self.save(name)?,
            Action::Restore(name) => {
                let source = self.snapshot.clone().unwrap_or_default();
                self.db
                    .restore_collection(source, name, RestoreMode::Replace, &Control::none())?;
            }
            Action::Write(..)
            | Action::Flush(_)
            | Action::Optimize(_)
            | Action::Index(..)
            | Action::DropIndex(..)
            | Action::CreateVector(..)
            | Action::DropVector(..)
            | Action::Configure(..)
            | Action::Create(_)
            | Action::Drop(_)
            | Action::Rename(..)
            | Action::Alias(..)
            | Action::Unalias(_)
            | Action::Sync => return act(self.db, action),
        }
        Ok(Vec::new())
    }

    /// Takes turns between the two forms of a snapshot.
    fn save(&mut self, name: &str) -> Result<()> {
        self.taken += 1;
        let path = self.dir.join(self.taken.to_string());
        let collection = self.db.collection(name)?;
        if self.taken.is_multiple_of(2) {
            collection.snapshot_to_tar(&path, &Control::none())?;
        } else {
            collection.snapshot_to_dir(&path, &Control::none())?;
        }
        self.snapshot = Some(path);
        Ok(())
    }
}

/// Carries out an action that leaves no snapshot and needs none; the sequence numbers of a write.
///
/// # Errors
/// Those of the database.
///
/// # Panics
/// With an action that has to do with snapshots, and when what is to be dropped is not there.
pub fn act(db: &Database, action: &Action) -> Result<Vec<u64>> {
    match action {
        Action::Write(durability, steps) => {
            let ticket = db.submit(database::batch(steps), *durability)?;
            ticket.wait_visible()?;
            return Ok(ticket.result().sequences.clone());
        }
        Action::Flush(name) => db.collection(name)?.flush()?,
        Action::Optimize(name) => db.collection(name)?.optimize(&Control::none())?,
        Action::Index(name, path, kind) => db.collection(name)?.create_payload_index(path, *kind)?,
        Action::DropIndex(name, path) => assert!(db.collection(name)?.drop_payload_index(path)?),
        Action::CreateVector(name, vector) => {
            assert!(db.collection(name)?.create_vector(vector, named(vector))?);
        }
        Action::DropVector(name, vector) => assert!(db.collection(name)?.delete_vector(vector)?),
        Action::Configure(name, m) => db.collection(name)?.update_config(&links(*m))?,
        Action::Create(name) => drop(db.create_collection(name, config())?),
        Action::Drop(name) => assert!(db.drop_collection(name)?),
        Action::Rename(from, to) => db.rename_collection(from, to)?,
        Action::Alias(alias, name) => db.create_alias(alias, name)?,
        Action::Unalias(alias) => db.delete_alias(alias)?,
        Action::Sync => db.sync()?,
        Action::Snapshot(_) | Action::Restore(_) => panic!("{action:?} needs a directory"),
    }
    Ok(Vec::new())
}

/// Which failures a script must expect of a disk that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// None at all.
    None,
    /// One call fails: so does the action that made it, and no other, but for those after a log that was poisoned.
    One,
    /// Calls before that of this number may fail, and actions that begin before it.
    Before(u64),
}

/// Runs a script until the disk dies; after other failures it goes on. The database is left open, where it could be
/// opened.
///
/// # Panics
/// When something fails that should not, and when what failed is seen.
pub fn run(disk: &SimDisk, script: &[Action], faults: Faults, scratch: &Scratch) -> (Told, Option<Database>) {
    // Asked before an action.
    let expected = |told: &Told| match faults {
        Faults::None => false,
        Faults::One => !told.has_failed() || told.is_poisoned(),
        Faults::Before(n) => disk.calls() < n || told.is_poisoned(),
    };
    let mut told = Told::default();
    let may_fail = expected(&told);
    let db = match open(disk) {
        Ok(db) => db,
        Err(error) => {
            assert!(may_fail || disk.is_dead(), "{error}");
            return (told, None);
        }
    };
    let dir = tempfile::tempdir_in(scratch.path()).unwrap();
    let mut stage = Stage {
        db: &db,
        dir: dir.path(),
        taken: 0,
        snapshot: None,
    };
    for action in script {
        if !told.applies(action) {
            continue;
        }
        let may_fail = expected(&told);
        let action = &action.fitted(told.present());
        if let Action::Write(_, steps) = action
            && let Err(refusal) = told.present().clone().apply(steps)
        {
            let error = stage.act(action).expect_err(&format!("{action:?}: {refusal:?}"));
            assert!(
                disk.is_dead() || may_fail || is_refusal(&error),
                "{action:?}: {error}"
            );
            continue;
        }
        match stage.act(action) {
            Ok(sequences) => told.succeed(action, &sequences),
            Err(error) => {
                assert!(
                    may_fail || disk.is_dead(),
                    "{action:?}: {error}, after {:?}",
                    told.failures()
                );
                told.fail(action, &error);
                if disk.is_dead() {
                    break;
                }
                told.check_after_failure(&db, action, &error);
            }
        }
    }
    (told, Some(db))
}

fn is_refusal(error: &vdb::Error) -> bool {
    matches!(
        error,
        vdb::Error::PointNotFound { .. }
            | vdb::Error::Conflict { .. }
            | vdb::Error::CollectionNotFound { .. }
            | vdb::Error::UnknownVector { .. }
    )
}
