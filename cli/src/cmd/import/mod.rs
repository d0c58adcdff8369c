//! `vdb import`: what other programs keep, into a database.
//!
//! ```text
//! find.rs, held.rs (what is it?) -> source.rs (checked whole, nothing written yet) -> write.rs (batches into collections) -> graphs
//!         '-> rows.rs: `vdb load`        '-> trial.rs (would the engine make it?)           '-> answer.rs
//! ```

mod aliases;
mod answer;
mod find;
mod found;
mod held;
mod rows;
mod source;
mod trial;
mod write;

use std::path::PathBuf;
use std::time::Instant;

use vdb::{Database, Distance, Durability, Element};
use vdb_interop::pickle::Limits;
use vdb_interop::qdrant::ImportOptions;

use super::load::{self, options::Reading};
use super::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::open::Home;
use crate::out::Out;
use crate::{interrupt, parse};
use answer::{answer, told, with_created};
use found::{FAISS, Found, Source};
use rows::without_vectors;
use trial::{importer, may_be};

const AFTER: &str = "\
SOURCE is one of
  NAME.backup   a pickle of qdrant-client's records, {'points': [..], 'collection_info': ..}:
                collection NAME
  a directory   of QdrantClient(path=...), which has a meta.json; of Chroma, which has a
                chroma.sqlite3; or one with .backup files, or with indexes of FAISS, in it (--all)
  NAME.faiss    an index of FAISS (flat, HNSW, IVF, scalar quantiser; with or without an id map),
                or a directory with an index.faiss and the metadata.pkl that a common wrapper
                keeps beside it: collection NAME
  NAME.parquet  Parquet, Arrow (.arrow, .arrows, .feather), .npz, HDF5 of ann-benchmarks, .npy,
                .fvecs, .bvecs, .ivecs, .csv, .tsv, .jsonl, the last three also with .gz or, in a
                build with Parquet, .zst, or a directory of such files of one format: rows, for
                collection NAME, added to it if it is there; with --all each file of a directory
                is a collection of its own. `vdb load --help` tells of columns, docs/formats.md
                how each type is mapped
  -             rows from standard input, JSON Lines unless --format says otherwise;
                --collection names the collection

A file whose name has another ending is what it begins as: Parquet, Arrow, NumPy's files, HDF5, backups and indexes of FAISS tell \
themselves apart.

Parquet that `vdb export` wrote says what its collection is like; for other rows --distance says how vectors compare \
[default: cosine]. \
Rows are loaded as they are read, and with --all those of all collections checked before; --dry-run reads and checks \
all of them, against the collection if it is there, writes nothing, and tells what was found.

Pickles are programs: this reads them with an interpreter of its own that knows plain data and the client's models, and \
runs and imports nothing. All of a source that is no file of rows is read and checked before anything is written; damage, \
foreign classes and \
points that do not fit their collection end the import there, with nothing done. The source is only read.

What payloads cannot hold (NaN, infinities, integers beyond 64 bits, halves of characters, bytes) is refused with the point and \
the field; --lossy changes it to null, the nearest float, U+FFFD, or base64. Settings that are not kept are told by name. A backup \
without vectors, as some programs save them, is imported with a warning, or refused with --require-vectors.

Interrupted (Ctrl-C), an import keeps the batches that are there; the same command with --resume completes it: each point \
takes the place of the one with its id.

An index of FAISS by inner product is a collection by dot product; --distance cosine makes it one by cosine. --id-key NAME takes the \
ids from the metadata.

With --json the answer is {\"source\", \"format\", \"dry_run\", \"collections\": [{\"name\", \"points\", \"with_vectors\", \
\"created\", \"warnings\": [..]}], \"aliases\": [..], \"import_s\", \"index_s\"}; for each collection of rows that of \
`vdb load`, unless it is a dry run.

Examples:
  vdb import posts.backup my.db
  vdb import posts.backup my.db --dry-run
  vdb import ./qdrant_data my.db --all
  vdb import ./chroma my.db --collection posts --rename posts=old-posts
  vdb import ./store my.db                  a directory with index.faiss and metadata.pkl
  vdb import train.parquet my.db --vector-column embedding --distance dot --dry-run
  vdb import pinecone.jsonl my.db --vector-column values --text-ids pinecone_id
  vdb import posts.csv.gz my.db --vector-column embedding --id-column slug --text-ids slug
  vdb import glove-25-angular.hdf5 my.db --collection glove";

/// Import collections that other programs keep
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// What to import: a file, a directory, or - for standard input
    source: PathBuf,

    /// Directory of the database, made if it is not there
    db: PathBuf,

    /// The collection to make; of a directory, the one to import, and of a directory of rows the name for all of them
    #[arg(long, value_name = "NAME")]
    collection: Option<String>,

    /// Import all collections of a directory
    #[arg(long, conflicts_with = "collection")]
    all: bool,

    /// Another name for a collection that is imported; may be repeated. The last = is the one between the names
    #[arg(long, value_name = "OLD=NEW", value_parser = parse::renaming)]
    rename: Vec<(String, String)>,

    /// Read and check everything, tell what would be imported, and write nothing
    #[arg(long)]
    dry_run: bool,

    /// How nearness is measured, of FAISS and of rows [default: as the source says, else cosine]
    #[arg(long, value_parser = parse::distance())]
    distance: Option<Distance>,

    /// How a number is stored, of rows [default: as the source says, else f32]
    #[arg(long, value_parser = parse::element())]
    element: Option<Element>,

    /// The key of FAISS's metadata that holds the ids: numbers or UUIDs
    #[arg(long, value_name = "NAME")]
    id_key: Option<String>,

    #[command(flatten)]
    reading: Reading,

    /// Refuse a source whose points have no vectors
    #[arg(long)]
    require_vectors: bool,

    /// Go on with an import that was interrupted: add to a collection that is there
    #[arg(long)]
    resume: bool,

    /// When a batch counts as written: synced; in the system's cache, synced within 100 ms; never synced by itself
    #[arg(long, default_value = "sync", value_parser = parse::durability())]
    durability: Durability,

    /// Do not merge segments and build graphs at the end
    #[arg(long)]
    no_index: bool,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    match Source::find(args, out)? {
        Source::Rows(found) => rows::all(args, found, out),
        Source::Collections(found) => collections(args, found, out),
    }
}

fn collections(args: &Args, found: Found, out: &mut Out) -> Outcome {
    if let Some(option) = args.reading.for_rows().or(args.element.map(|_| "--element")) {
        return Err(Failure::usage(format!(
            "{option} is for files of rows; {} says of itself what is in it",
            args.source.display()
        )));
    }
    let for_faiss = [
        ("--distance", args.distance.is_some()),
        ("--id-key", args.id_key.is_some()),
    ];
    if let Some((option, _)) = for_faiss
        .into_iter()
        .find(|(_, given)| *given && found.format != FAISS)
    {
        return Err(Failure::usage(format!(
            "{option} is for indexes of FAISS; {} says of itself what is in it",
            args.source.display()
        )));
    }
    interrupt::watch();
    let options = ImportOptions {
        lossy: args.reading.lossy,
        limits: Limits::default(),
    };
    let format = found.format;
    let found = found::renamed(found, &args.rename)?;
    let mut checked = Vec::with_capacity(found.parts.len());
    for part in &found.parts {
        let part = part.check(options, args, out)?;
        part.tell(out);
        if args.require_vectors && part.points() > part.with_vectors() {
            return Err(without_vectors(
                &part.name,
                part.points() - part.with_vectors(),
                part.points(),
            ));
        }
        let described = part.described();
        may_be(&part.name, &described.config, &described.payload_indexes)?;
        checked.push(part);
    }
    if args.dry_run {
        let db = load::database_if_there(&args.db)?;
        if let Some(db) = &db {
            for part in &checked {
                write::check_target(db, part, args)?;
            }
        }
        let collections = checked.iter().map(told).collect();
        let names: Vec<&str> = checked.iter().map(|part| part.name.as_str()).collect();
        let aliases = aliases::would_be(db.as_ref(), &names, &found.aliases, out);
        return answer(args, format, collections, &aliases, None, out);
    }
    let started = Instant::now();
    let home = Home::at(&args.db);
    let (collections, aliases, import_s, index_s) =
        home.with(importer().durability(args.durability), |db| {
            for part in &checked {
                write::check_target(db, part, args)?;
            }
            let mut done = Vec::with_capacity(checked.len());
            let mut names = Vec::with_capacity(checked.len());
            for part in checked {
                let (name, found) = (part.name.clone(), told(&part));
                let created = write::write(db, part, args, out)?;
                names.push(name);
                done.push(with_created(found, created));
            }
            let aliases = aliases::add(db, &found.aliases, out);
            db.sync()?;
            let import_s = started.elapsed().as_secs_f64();
            Ok((done, aliases, import_s, index(db, &names, args, out)?))
        })?;
    answer(
        args,
        format,
        collections,
        &aliases,
        Some((import_s, index_s)),
        out,
    )
}

/// Merges and builds graphs, unless told otherwise; the seconds that it took.
fn index(db: &Database, names: &[String], args: &Args, out: &Out) -> Outcome<Option<f64>> {
    if args.no_index {
        return Ok(None);
    }
    let mut index_s = 0.0;
    for name in names {
        match optimize(&db.collection(name)?, out) {
            Ok(time) => index_s += time.as_secs_f64(),
            Err(failure) => {
                return Err(failure.and(&format!(
                    "all points are imported and durable, and only indexes are missing: `vdb index {} {name}` makes one",
                    args.db.display()
                )));
            }
        }
    }
    Ok(Some(index_s))
}
