//! Databases and collections that must exist.

use std::path::Path;

use vdb::{Collection, Database, DatabaseBuilder};

use crate::args::InCollection;
use crate::failure::{Failure, Outcome};

/// Settings that suit a process which ends soon: nothing is merged or indexed unless a command asks for it.
pub(crate) fn builder() -> DatabaseBuilder {
    Database::builder().background(false)
}

/// Opens a database that is there.
pub(crate) fn database(dir: &Path) -> Outcome<Database> {
    open(builder().create(false), dir)
}

/// Opens a database, or creates it when the builder says so.
pub(crate) fn open(builder: DatabaseBuilder, dir: &Path) -> Outcome<Database> {
    builder.open(dir).map_err(|error| {
        if !dir.exists() {
            return missing(dir);
        }
        Failure::failed(format!("cannot open the database {}: {error}", dir.display()))
    })
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
        let mut names = db.collections();
        names.extend(db.aliases().into_iter().map(|(alias, _)| alias));
        let known = if names.is_empty() {
            "the database has none yet; `vdb create` and `vdb load` make one".to_owned()
        } else {
            format!("there is {}", names.join(", "))
        };
        Failure::failed(format!("there is no collection {name:?}; {known}"))
    })
}

impl InCollection {
    /// Opens both.
    pub(crate) fn open(&self) -> Outcome<(Database, Collection)> {
        let db = database(&self.db)?;
        let collection = collection(&db, &self.collection)?;
        Ok((db, collection))
    }
}
