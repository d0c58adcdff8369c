//! `vdb export`: collections as files that other programs read.

mod write;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use vdb::{Collection, Database};

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{interrupt, open, table};

const AFTER: &str = "\
Formats:
  backup  {'points': [Record, ..], 'collection_info': CollectionInfo} as a pickle, with vectors, which qdrant-client from \
1.9 on loads under pydantic 1 and 2
  jsonl   a point a line, as `vdb load` and `vdb import` read it: {\"id\": 7, \"vector\": [..], \"payload\": {..}}
  npy     the vectors of one name as a matrix of 32-bit floats, in the order of ids; ids and payloads are not in it

Vectors are written as they are stored: under cosine distance they have length 1. An export reads one moment of the \
collection, in bounded memory, and works beside a process that writes. A file has its name only once it is complete and \
synced; interrupted (Ctrl-C), an export leaves nothing behind.

With --json the answer is {\"files\": [{\"collection\", \"file\", \"points\", \"bytes\"}], \"export_s\"}.

Examples:
  vdb export my.db posts posts.backup --format backup
  vdb export my.db --all exported --format jsonl
  vdb export my.db posts title.npy --format npy --using title";

/// Write collections as files that other programs read
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Collection or alias
    #[arg(required_unless_present = "all")]
    collection: Option<String>,

    /// File to make
    #[arg(required_unless_present = "all", value_name = "FILE")]
    to: Option<PathBuf>,

    /// Export every collection into this directory, each as NAME.FORMAT
    #[arg(long, value_name = "DIR", conflicts_with_all = ["collection", "to"])]
    all: Option<PathBuf>,

    /// Format of the file
    #[arg(long, value_enum)]
    format: Format,

    /// The vector to write as .npy [default: the unnamed one]
    #[arg(long, value_name = "NAME")]
    using: Option<String>,

    /// Replace files that are there
    #[arg(long)]
    force: bool,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Backup,
    Jsonl,
    Npy,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Backup => "backup",
            Format::Jsonl => "jsonl",
            Format::Npy => "npy",
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if args.using.is_some() && args.format != Format::Npy {
        return Err(Failure::usage("--using is for --format npy: the other formats have all vectors"));
    }
    interrupt::watch();
    let started = Instant::now();
    let db = open::read_only(&args.db)?;
    let mut files = Vec::new();
    for (name, to) in targets(args, &db)? {
        let collection = open::collection(&db, &name)?;
        files.push(export(&collection, &name, &to, args, out)?);
    }
    let export_s = started.elapsed().as_secs_f64();
    let points: u64 = files.iter().filter_map(|file| file["points"].as_u64()).sum();
    let bytes: u64 = files.iter().filter_map(|file| file["bytes"].as_u64()).sum();
    let count = files.len() as u64;
    out.answer(&json!({"files": files, "export_s": export_s}), || {
        format!(
            "exported {} in {}, {}, in {export_s:.2} s",
            table::counted(points, "point"),
            table::counted(count, "file"),
            table::bytes(bytes)
        )
    })
}

/// Which collection goes into which file.
fn targets(args: &Args, db: &Database) -> Outcome<Vec<(String, PathBuf)>> {
    if let Some(dir) = &args.all {
        if !dir.is_dir() {
            std::fs::create_dir(dir)
                .map_err(|error| Failure::failed(format!("{}: cannot be made: {error}", dir.display())))?;
        }
        let file = |name: String| {
            let file = dir.join(format!("{name}.{}", args.format.ending()));
            (name, file)
        };
        return Ok(db.collections().into_iter().map(file).collect());
    }
    match (&args.collection, &args.to) {
        (Some(name), Some(to)) => Ok(vec![(name.clone(), to.clone())]),
        _ => Err(Failure::usage("a collection and a file, or --all with a directory")),
    }
}

/// Writes one file under another name, and gives it its own once it is complete and synced.
fn export(collection: &Collection, name: &str, to: &Path, args: &Args, out: &Out) -> Outcome<Value> {
    let failed = |error: std::io::Error| Failure::failed(format!("{}: cannot be written: {error}", to.display()));
    if !args.force && to.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!(
            "{}: there is a file already; --force replaces it",
            to.display()
        )));
    }
    let dir = match to.parent() {
        Some(dir) if dir != Path::new("") => dir,
        Some(_) | None => Path::new("."),
    };
    let part = NamedTempFile::with_prefix_in(".vdb-export-", dir).map_err(failed)?;
    let to_part = BufWriter::with_capacity(1 << 20, part.as_file().try_clone().map_err(failed)?);
    let points = write::write(collection, name, to_part, args, out).map_err(|failure| failure.within(&to.display().to_string()))?;
    let file = part.as_file();
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    readable(file).map_err(failed)?;
    if args.force {
        part.persist(to).map_err(|error| failed(error.error))?;
    } else {
        part.persist_noclobber(to).map_err(|error| failed(error.error))?;
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(json!({"collection": name, "file": to.display().to_string(), "points": points, "bytes": bytes}))
}

/// Temporary files are for their owner alone; what was asked for is a file like others.
#[cfg(unix)]
fn readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &File) -> std::io::Result<()> {
    Ok(())
}
