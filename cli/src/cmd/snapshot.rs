//! `vdb snapshot`: a consistent copy.

use std::path::{Path, PathBuf};

use serde_json::json;
use vdb::{Control, SnapshotCollection, SnapshotInfo};

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open, table};

const AFTER: &str = "\
A name that ends in .tar makes one tar file, any other a directory; it must not exist yet. Every file is checked \
before it is copied, and carries a checksum that `vdb restore` compares.

With --json the answer is {\"snapshot\": PATH, \"created_unix_ms\": N, \"collections\": [{\"name\", \"aliases\", \
\"points\", \"files\", \"bytes\"}]}.

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
    check_place(args)?;
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
    interrupt::watch();
    let control = Control::new(&interrupt::asked_to_stop, &report);
    let info = match (&collection, is_tar) {
        (Some(collection), true) => collection.snapshot_to_tar(&args.to, &control),
        (Some(collection), false) => collection.snapshot_to_dir(&args.to, &control),
        (None, true) => db.snapshot_to_tar(&args.to, &control),
        (None, false) => db.snapshot_to_dir(&args.to, &control),
    };
    bar.finish_and_clear();
    let info = info.map_err(|error| {
        let is_damage = matches!(error, vdb::Error::Damaged { .. } | vdb::Error::Storage(_));
        let failure = Failure::from(error);
        if is_damage && collection.is_none() && db.collections().len() > 1 {
            return failure.and(
                "no snapshot was made; copy the other collections one by one with --collection NAME; `vdb verify` \
                 lists what is damaged",
            );
        }
        failure.and("no snapshot was made")
    })?;
    drop(collection);
    db.close()?;
    out.answer(&as_json(&info, args), || {
        let (mut points, mut bytes) = (0, 0);
        for collection in &info.collections {
            points += collection.points;
            bytes += collection.bytes;
        }
        format!(
            "copied {}, {}, {} to {}",
            table::counted(info.collections.len() as u64, "collection"),
            table::counted(points, "point"),
            table::bytes(bytes),
            args.to.display()
        )
    })
}

/// Refuses what cannot become a snapshot before anything is read.
fn check_place(args: &Args) -> Outcome {
    if args.to.as_os_str() == "-" {
        return Err(Failure::usage(
            "a snapshot cannot go to standard output: it is checked and synced before it counts; name a directory or a \
             .tar file",
        ));
    }
    match args.to.parent() {
        Some(parent) if parent != Path::new("") && !parent.is_dir() => Err(Failure::failed(format!(
            "cannot make the snapshot {}: there is no directory {}; make it first",
            args.to.display(),
            parent.display()
        ))),
        Some(_) | None => Ok(()),
    }
}

fn as_json(info: &SnapshotInfo, args: &Args) -> serde_json::Value {
    let collection = |c: &SnapshotCollection| json!({"name": c.name, "aliases": c.aliases, "points": c.points, "files": c.files, "bytes": c.bytes});
    json!({
        "snapshot": args.to.display().to_string(),
        "created_unix_ms": info.created_unix_ms,
        "collections": info.collections.iter().map(collection).collect::<Vec<_>>(),
    })
}
