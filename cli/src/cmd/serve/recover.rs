//! Snapshots that a server is started from.

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
    /// When a snapshot cannot be read, or a name is taken and is not to be replaced. Those before it stay.
    pub(super) fn restore(&self, database: &Database) -> Outcome {
        let mode = if self.force_snapshot {
            RestoreMode::Replace
        } else {
            RestoreMode::New
        };
        let control = Control::none();
        let told = |error: Error| {
            let taken = matches!(error, Error::NameTaken { .. });
            let failure = Failure::from(error);
            if taken && !self.force_snapshot {
                failure.and("replace collections with --force-snapshot")
            } else {
                failure
            }
        };
        for Source { path, name } in &self.snapshot {
            let restored = database.restore_collection(path, name, mode, &control);
            restored.map_err(told)?;
            tracing::info!(collection = name, snapshot = %path.display(), "restored");
        }
        if let Some(path) = &self.storage_snapshot {
            let names = database.restore_all(path, mode, &control).map_err(told)?;
            tracing::info!(collections = names.len(), snapshot = %path.display(), "restored");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
}
