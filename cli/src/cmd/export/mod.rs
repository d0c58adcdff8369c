//! `vdb export`: collections as files that other programs read.

mod opened;
mod pages;
mod place;
#[cfg(feature = "parquet")]
mod survey;
mod write;

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use serde_json::json;
use vdb::Database;

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{interrupt, open, table};

const AFTER: &str = "\
Formats:
  backup   {'points': [Record, ..], 'collection_info': CollectionInfo} as a pickle, with vectors,
           which qdrant-client from 1.9 on loads under pydantic 1 and 2
  faiss    a directory with index.faiss, a flat index, and metadata.pkl, as a common wrapper keeps
           them: one dense vector, and payloads
  parquet  columns id, vector (vector.NAME for a named one), and one for each payload field: of
           the type that has all of its values, else JSON as text
  jsonl    a point a line, as `vdb load` and `vdb import` read it:
           {\"id\": 7, \"vector\": [..], \"payload\": {..}}
  npy      the vectors of one name as a matrix of 32-bit floats, in the order of ids; --rows FILE
           has the ids and payloads beside it

Vectors are written as they are stored: under cosine distance they have length 1, and an index of FAISS by inner product compares \
them as the collection does. What a format cannot express is an error that names the point; with --lossy npy and faiss leave out \
points without the vector, which are counted, and npy without --rows ids and payloads. Ids of FAISS are \
numbers below 2^63: 0, 1, 2, .. as positions, others by an IndexIDMap2; --id-key NAME numbers the vectors and keeps ids of any kind \
in the metadata, where `vdb import --id-key NAME` finds them. docs/formats.md tells what each format holds.

An export reads one moment of the collection, in bounded memory, and works beside a process that writes. A snapshot is checked and \
unpacked beside OUT first, and gone afterwards. A file has its name only once \
it is complete and synced; interrupted (Ctrl-C), an export leaves nothing of the file that it was at, and --all keeps those before it.

With --json the answer is {\"files\": [{\"collection\", \"file\", \"points\", \"left_out\", \"bytes\"}], \"export_s\"}; left_out \
counts the points that --lossy left out.

Examples:
  vdb export my.db posts posts.backup --format backup
  vdb export my.db --all exported --format parquet
  vdb export monday.tar --all exported --format backup
  vdb export my.db posts store --format faiss --id-key id
  vdb export my.db posts title.npy --format npy --using title --rows title.jsonl";

/// Write collections as files that other programs read
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database; or a snapshot, a directory or a .tar file that `vdb snapshot` made
    db: PathBuf,

    /// Collection or alias
    #[arg(required_unless_present = "all")]
    collection: Option<String>,

    /// File to make; of FAISS a directory
    #[arg(required_unless_present = "all", value_name = "OUT")]
    to: Option<PathBuf>,

    /// Export every collection into this directory, each as NAME.FORMAT
    #[arg(long, value_name = "DIR", conflicts_with_all = ["collection", "to", "rows"])]
    all: Option<PathBuf>,

    /// Format of the file
    #[arg(long, value_enum)]
    format: Format,

    /// The vector to write as .npy or for FAISS [default: the only one]
    #[arg(long, value_name = "NAME")]
    using: Option<String>,

    /// Beside an .npy file, a line {"id", "payload"} for each row, as `vdb load --rows` reads it
    #[arg(long, value_name = "FILE.jsonl")]
    rows: Option<PathBuf>,

    /// For FAISS: number the vectors, and keep each id under this key of its metadata
    #[arg(long, value_name = "NAME")]
    id_key: Option<String>,

    /// Leave out what the format cannot express
    #[arg(long)]
    lossy: bool,

    /// Replace what is there
    #[arg(long)]
    force: bool,
}

/// What can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Backup,
    Faiss,
    Parquet,
    Jsonl,
    Npy,
}

impl Format {
    fn ending(self) -> &'static str {
        match self {
            Format::Backup => "backup",
            Format::Faiss => "faiss",
            Format::Parquet => "parquet",
            Format::Jsonl => "jsonl",
            Format::Npy => "npy",
        }
    }

    /// Whether it holds one dense vector a point.
    fn has_one_vector(self) -> bool {
        matches!(self, Format::Npy | Format::Faiss)
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let one_vector = args.format.has_one_vector();
    let given = [
        ("--using", args.using.is_some(), one_vector, "npy and faiss"),
        ("--rows", args.rows.is_some(), args.format == Format::Npy, "npy"),
        (
            "--id-key",
            args.id_key.is_some(),
            args.format == Format::Faiss,
            "faiss",
        ),
        ("--lossy", args.lossy, one_vector, "npy and faiss"),
    ];
    if let Some((option, _, _, of)) = given.into_iter().find(|(_, given, fits, _)| *given && !fits) {
        return Err(Failure::usage(format!(
            "{option} is for --format {of}: the other formats have all ids, vectors and payloads"
        )));
    }
    interrupt::watch();
    let started = Instant::now();
    let opened = opened::Opened::at(args, out)?;
    let mut files = Vec::new();
    for (name, to) in targets(args, &opened.db)? {
        let collection = open::collection(&opened.db, &name)?;
        if args.format == Format::Backup {
            let aliases = opened.db.aliases().into_iter();
            let aliases: Vec<String> = aliases
                .filter_map(|(alias, of)| (of == collection.name()).then_some(alias))
                .collect();
            if !aliases.is_empty() {
                out.warn(format_args!(
                    "{name}: a backup has no place for aliases: {}",
                    aliases.join(", ")
                ));
            }
        }
        let told = |failure: Failure| failure.within(&to.display().to_string());
        let place = place::Place::new(&to, args).map_err(told)?;
        let written =
            write::write(&collection, &name, place.targets().map_err(told)?, args, out).map_err(told)?;
        let bytes = place.finish(args.force).map_err(told)?;
        files.push(json!({
            "collection": name, "file": to.display().to_string(), "points": written.points, "left_out": written.left_out,
            "bytes": bytes,
        }));
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
        (Some(_), Some(to)) if to.as_os_str() == "-" => Err(Failure::usage(
            "an export is a file, which has its name only once it is complete; `vdb scroll DB COLLECTION --all --with-vectors --json` \
             prints points as lines",
        )),
        (Some(name), Some(to)) => Ok(vec![(name.clone(), to.clone())]),
        _ => Err(Failure::usage(
            "a collection and a file, or --all with a directory",
        )),
    }
}
