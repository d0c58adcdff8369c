//! What is exported from: a database, or a snapshot, which is unpacked for as long as the export takes.

use std::path::Path;

use tempfile::TempDir;
use vdb::{Control, Database, Durability, RestoreMode, SnapshotCollection};

use super::Args;
use super::place::{PREFIX, parent};
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open};

/// A database to read from.
pub(super) struct Opened {
    pub(super) db: Database,
    /// Where a snapshot is unpacked; gone with it, after the database is closed.
    _unpacked: Option<TempDir>,
}

impl Opened {
    /// Opens what the command line names.
    pub(super) fn at(args: &Args, out: &Out) -> Outcome<Opened> {
        match vdb::snapshot_info(&args.db) {
            Ok(info) => unpacked(args, &wanted(args, info.collections)?, out),
            // A database is a directory, so that a file was meant to be a snapshot.
            Err(error) if args.db.is_file() => Err(Failure::failed(format!(
                "cannot read the snapshot {}: {error}",
                args.db.display()
            ))),
            Err(_) => Ok(Opened {
                db: open::read_only(&args.db)?,
                _unpacked: None,
            }),
        }
    }
}

/// The collections of a snapshot that are to be exported.
fn wanted(args: &Args, mut all: Vec<SnapshotCollection>) -> Outcome<Vec<SnapshotCollection>> {
    if let Some(asked) = &args.collection {
        let known: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
        all.retain(|one| one.name == *asked || one.aliases.contains(asked));
        if all.is_empty() {
            return Err(Failure::failed(format!(
                "the snapshot {} has no collection {asked:?}; it has {}",
                args.db.display(),
                known.join(", ")
            )));
        }
    }
    Ok(all)
}

/// Unpacks collections of a snapshot beside what is to be written, where room for about as much is needed anyway.
fn unpacked(args: &Args, wanted: &[SnapshotCollection], out: &Out) -> Outcome<Opened> {
    let to = args.all.as_deref().or(args.to.as_deref());
    let beside = to.map_or_else(|| Path::new("."), parent);
    let dir = TempDir::with_prefix_in(PREFIX, beside)
        .map_err(|error| Failure::failed(format!("{}: cannot be written to: {error}", beside.display())))?;
    // It does not outlive this process.
    let db = open::open(
        open::builder().durability(Durability::None),
        &dir.path().join("snapshot"),
    )?;
    for collection in wanted {
        let bar = progress::bar(out, "unpacking", None, Unit::Bytes);
        let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
        let control = Control::new(&interrupt::asked_to_stop, &report);
        let done = db.restore_collection(&args.db, &collection.name, RestoreMode::New, &control);
        bar.finish_and_clear();
        done.map_err(|error| Failure::from(error).and("nothing was written"))?;
        for alias in &collection.aliases {
            db.create_alias(alias, &collection.name)?;
        }
    }
    Ok(Opened {
        db,
        _unpacked: Some(dir),
    })
}
