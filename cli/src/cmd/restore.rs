//! `vdb restore`: what a snapshot holds, back into a database.

use std::path::PathBuf;

use serde_json::json;
use vdb::{Control, RestoreMode};

use crate::failure::{Failure, Outcome};
use crate::open;
use crate::out::Out;
use crate::progress::{self, Unit};

const AFTER: &str = "\
The database is created where there is none. Everything is read and checked before anything of it changes.

Examples:
  vdb restore my.db backup-monday
  vdb restore my.db words.tar --name old-words
  vdb restore my.db backup-monday --name words --replace";

/// Bring back the collections of a snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Directory or .tar file that `vdb snapshot` made
    from: PathBuf,

    /// Restore one collection: that of a collection's snapshot under this name, or the one of this name out of a
    /// database's snapshot
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Replace collections of the same names
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    // The snapshot first: a name that is wrong leaves no empty database behind.
    vdb::snapshot_info(&args.from)
        .map_err(|e| Failure::failed(format!("cannot read the snapshot {}: {e}", args.from.display())))?;
    let db = open::open(open::builder(), &args.db)?;
    let mode = if args.replace {
        RestoreMode::Replace
    } else {
        RestoreMode::New
    };
    let bar = progress::bar(out, "restoring", None, Unit::Bytes);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
    let control = Control::new(&|| false, &report);
    let restored = match &args.name {
        Some(name) => db
            .restore_collection(&args.from, name, mode, &control)
            .map(|_| vec![name.clone()]),
        None => db.restore_all(&args.from, mode, &control),
    };
    bar.finish_and_clear();
    let names = restored.map_err(|error| {
        let message = error.to_string();
        if matches!(error, vdb::Error::NameTaken { .. }) {
            return Failure::failed(format!(
                "{message}; replace collections with --replace, or restore one under another name with --name"
            ));
        }
        Failure::failed(message)
    })?;
    let mut collections = Vec::new();
    for name in &names {
        collections.push(json!({"name": name, "points": db.collection(name)?.count(None)?}));
    }
    db.close()?;
    out.answer(&json!({ "collections": collections }), || {
        format!("restored {} into {}", names.join(", "), args.db.display())
    })
}
