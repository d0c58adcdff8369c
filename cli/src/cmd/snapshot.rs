//! `vdb snapshot`: a consistent copy.

use std::path::PathBuf;

use serde_json::json;
use vdb::{Control, SnapshotCollection, SnapshotInfo};

use crate::failure::Outcome;
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{open, table};

const AFTER: &str = "\
A name that ends in .tar makes one tar file, any other a directory; it must not exist yet. Every file is checked \
before it is copied, and carries a checksum that `vdb restore` compares.

Examples:
  vdb snapshot my.db backup-monday
  vdb snapshot my.db words.tar --collection words";

/// Copy a database, or one collection of it, into a directory or a tar file
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Directory or .tar file to make
    to: PathBuf,

    /// Copy only this collection
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let db = open::database(&args.db)?;
    let collection = args
        .collection
        .as_ref()
        .map(|name| open::collection(&db, name))
        .transpose()?;
    let is_tar = args
        .to
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tar"));
    let bar = progress::bar(out, "copying", None, Unit::Bytes);
    let report = |done: u64, total: u64| progress::report(&bar, Unit::Bytes, done, total);
    let control = Control::new(&|| false, &report);
    let info = match (&collection, is_tar) {
        (Some(collection), true) => collection.snapshot_to_tar(&args.to, &control),
        (Some(collection), false) => collection.snapshot_to_dir(&args.to, &control),
        (None, true) => db.snapshot_to_tar(&args.to, &control),
        (None, false) => db.snapshot_to_dir(&args.to, &control),
    };
    bar.finish_and_clear();
    let info = info?;
    drop(collection);
    db.close()?;
    out.answer(&as_json(&info, args), || {
        let (mut points, mut bytes) = (0, 0);
        for collection in &info.collections {
            points += collection.points;
            bytes += collection.bytes;
        }
        format!(
            "copied {} collections, {} points, {} to {}",
            info.collections.len(),
            table::count(points),
            table::bytes(bytes),
            args.to.display()
        )
    })
}

fn as_json(info: &SnapshotInfo, args: &Args) -> serde_json::Value {
    let collection = |c: &SnapshotCollection| json!({"name": c.name, "aliases": c.aliases, "points": c.points, "files": c.files, "bytes": c.bytes});
    json!({
        "snapshot": args.to.display().to_string(),
        "created_unix_ms": info.created_unix_ms,
        "collections": info.collections.iter().map(collection).collect::<Vec<_>>(),
    })
}
