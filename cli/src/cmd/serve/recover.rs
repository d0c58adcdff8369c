//! Snapshots that a server is started from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use vdb::{Control, Database, Error, RestoreMode};

use crate::failure::{Failure, Outcome};

/// What collections are made of before they are served.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Snapshots {
    /// Make a collection of a snapshot before serving, as PATH:NAME; may be given several times
    #[arg(long, value_name = "PATH:NAME", value_parser = source, group = "restored")]
    snapshot: Vec<Source>,

    /// Make all collections of a snapshot of a whole database before serving
    #[arg(long, value_name = "PATH", group = "restored")]
    storage_snapshot: Option<PathBuf>,

    /// Let snapshots replace collections of their names
    #[arg(long, requires = "restored")]
    force_snapshot: bool,
}

/// A snapshot, and what the collection of it is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    path: PathBuf,
    name: String,
}

fn source(text: &str) -> Result<Source, String> {
    // Paths may have colons in them, names do not.
    let split = text.rsplit_once(':');
    let (path, name) = split
        .filter(|(path, name)| !path.is_empty() && !name.is_empty())
        .ok_or("expected the path of a snapshot, a colon, and the name of the collection")?;
    Ok(Source {
        path: path.into(),
        name: name.to_owned(),
    })
}

impl Snapshots {
    /// Brings the collections into a database that nobody is served from yet.
    ///
    /// # Errors
    /// When a snapshot cannot be read, or a name is taken and is not to be replaced: then nothing is changed. Where damage shows
    /// only when all of a snapshot is read, those before it stay.
    pub(super) fn restore(&self, database: &Database) -> Outcome {
        let mode = if self.force_snapshot {
            RestoreMode::Replace
        } else {
            RestoreMode::New
        };
        let control = Control::none();
        self.check(database)?;
        for Source { path, name } in &self.snapshot {
            let restored = database.restore_collection(path, name, mode, &control);
            restored.map_err(|error| self.told(error))?;
            tracing::info!(collection = name, snapshot = %path.display(), "restored");
        }
        if let Some(path) = &self.storage_snapshot {
            let names = database.restore_all(path, mode, &control);
            let names = names.map_err(|error| self.told(error))?;
            tracing::info!(collections = names.len(), snapshot = %path.display(), "restored");
        }
        Ok(())
    }

    /// Refuses what can be seen to fail: restoring one after the other would find it when others are replaced already. A snapshot
    /// of a whole database comes in one step, which does that by itself.
    fn check(&self, database: &Database) -> Outcome {
        let aliases = database.aliases();
        let mut names = BTreeSet::new();
        for Source { path, name } in &self.snapshot {
            let info = vdb::snapshot_info(path)?;
            let mut held = info.collections.iter();
            if !held.any(|one| !info.is_database || one.name == *name) {
                let path = path.display();
                return Err(Failure::failed(format!(
                    "{path}: there is no collection {name:?} in it"
                )));
            }
            let is_first = names.insert(name.as_str());
            let taken_by = if aliases.iter().any(|(alias, _)| alias == name) {
                "an alias"
            } else if !self.force_snapshot && !is_first {
                let two = format!("two snapshots are to become the collection {name:?}");
                return Err(Failure::failed(two));
            } else if !self.force_snapshot && database.exists(name) {
                "a collection"
            } else {
                continue;
            };
            let name = name.clone();
            return Err(self.told(Error::NameTaken { name, taken_by }));
        }
        Ok(())
    }

    /// What is said of an error, with what helps. An alias makes no way for a collection, whatever is said.
    fn told(&self, error: Error) -> Failure {
        let is_replaceable = matches!(
            error,
            Error::NameTaken {
                taken_by: "a collection",
                ..
            }
        );
        let failure = Failure::from(error);
        if is_replaceable && !self.force_snapshot {
            failure.and("replace collections with --force-snapshot")
        } else {
            failure
        }
    }
}

#[cfg(test)]
mod tests {
    use vdb::CollectionConfig;

    use super::*;

    #[test]
    fn a_source_is_a_path_and_a_name() {
        let read = |text| source(text).map(|source| (source.path, source.name));
        assert_eq!(
            read("/a/b.snapshot:c"),
            Ok(("/a/b.snapshot".into(), "c".to_owned()))
        );
        assert_eq!(read("a:b:c"), Ok(("a:b".into(), "c".to_owned())));
        for text in ["", "a", "a:", ":a"] {
            assert!(source(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_fails_later_is_refused_before_anything_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        let database = Database::builder().open_in_memory().unwrap();
        let one = database
            .create_collection("one", CollectionConfig::default())
            .unwrap();
        one.snapshot_to_dir(&path, &Control::none()).unwrap();
        database.create_alias("alias", "one").unwrap();
        let refused = |names: &[&str], path: &PathBuf, force_snapshot| {
            let mut snapshot = vec![Source {
                path: dir.path().join("one"),
                name: "new".to_owned(),
            }];
            snapshot.extend(names.iter().map(|name| Source {
                path: path.clone(),
                name: (*name).to_owned(),
            }));
            let snapshots = Snapshots {
                snapshot,
                storage_snapshot: None,
                force_snapshot,
            };
            let failure = snapshots.restore(&database).unwrap_err();
            assert_eq!(database.collections(), ["one"]);
            failure.message().unwrap_or_default().to_owned()
        };
        let hint = "--force-snapshot";
        assert!(refused(&["one"], &path, false).contains(hint));
        for force in [false, true] {
            let told = refused(&["alias"], &path, force);
            assert!(told.contains("an alias") && !told.contains(hint), "{told}");
            refused(&["other"], &dir.path().join("none"), force);
        }
        let told = refused(&["new"], &path, false);
        assert!(told.contains("two snapshots"), "{told}");
    }
}
