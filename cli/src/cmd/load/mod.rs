//! `vdb load`: files into a collection.
//!
//! ```text
//! files -> source.rs (one stream of rows) -> read.rs (checked batches, on a thread) -> write.rs (the engine)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `options.rs` | how the files are read |
//! | `source.rs` | several files as one stream, ids going on from file to file |
//! | `target.rs` | the collection: there already, or made to fit the first row |
//! | `read.rs` | rows checked against the collection and gathered in batches |
//! | `write.rs` | batches into the collection |
//!
//! Memory holds a few batches, whatever the size of the files.

pub(crate) mod options;
mod read;
mod source;
mod target;
mod write;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use vdb::{Collection, CollectionConfig, Database, Distance, Durability, Element};

use super::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::open::{self, Home};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, parse, table};
use source::{Beside, Source};
use target::Target;

const AFTER: &str = "\
What is missing is created: the database, and the collection, with the dimension of the first row. Rows of .npy, \
.fvecs, .bvecs and .ivecs files get ids 0, 1, 2, ..., going on from file to file; so do rows of .csv and .jsonl files \
without ids. A collection that holds points already takes such rows only with --start-id: a row takes the place of \
the point that has its id. A line of a .jsonl file is {\"id\": 7, \"vector\": [..], \"payload\": {..}}; vector may \
be an object by name, a multivector [[..], ..], and a named sparse vector {\"indices\": [..], \"values\": [..]}. Of lines of other \
programs --vector-column and --id-column name keys, and every other key is payload.

Parquet, Arrow (files and streams) and .npz have a column, or array, id or ids, columns of vectors, and payload in all others; \
lists of floats are vectors, several of a fixed size each by the name of its column; a field that is null is not there. docs/formats.md \
tells how each type is mapped. Of an HDF5 file the matrix train is loaded, as ann-benchmarks writes it. A build has Parquet and Arrow \
with --features parquet, HDF5 with --features hdf5.

The first line of a .csv file names the columns: id; vector (a JSON array, or [0.1 0.2] and its like), or v0, v1, ... (a number each); all \
others are payload. A payload cell that is empty is no field; true, false, a number, an array or object as JSON \
writes it becomes that; so 007 and +1 stay text, as all else does. A quoted cell may hold line breaks. \
.csv, .tsv and .jsonl files may be packed by gzip, or by Zstandard in a build with Parquet.

Ids are numbers from 0 on or UUIDs. With --text-ids NAME other texts are ids as well: each becomes a UUID (of version 5, always the \
same for a text), and stays in the payload as the field NAME; every row has to have an id then.

A bad row stops the load with nothing of its batch written; the batches before it are there. The message names file, \
row and field. With --skip-bad such rows are left out and counted. Interrupted (Ctrl-C), a load keeps the batches \
that are there; what was made for a load that wrote nothing goes again.

With --json the answer is {\"collection\", \"created\", \"rows\", \"skipped\", \"changed\", \"points\", \"load_s\", \"index_s\"}; \
created says whether the collection is new, changed counts the values that --lossy changed, index_s is null with --no-index.

Examples:
  vdb load my.db words vectors.npy --payload words.jsonl
  vdb load my.db words more.jsonl --skip-bad
  vdb load my.db rows rows.jsonl.gz --distance dot
  vdb load my.db posts posts.csv --vector-column embedding --id-column slug --text-ids slug
  xz -dc rows.jsonl.xz | vdb load my.db rows -
  vdb load my.db sift base.fvecs --distance euclid --no-index";

/// Rows that are written together, unless told otherwise.
const BATCH: usize = 1000;

/// Load files of vectors and payloads into a collection
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Collection or alias
    collection: String,

    /// .npy, .npz, .fvecs, .bvecs, .ivecs, .parquet, .arrow, .hdf5, .csv, .tsv, .jsonl, of text also with .gz or, in a
    /// build with Parquet, .zst; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Payloads for the vectors of the one FILE: line i of this JSON Lines file belongs to row i; - for standard input
    #[arg(long, value_name = "ROWS.jsonl")]
    payload: Option<PathBuf>,

    /// Ids and payloads for the vectors of the one FILE: line i of this JSON Lines file, {"id", "payload"}, belongs to row i
    #[arg(long, value_name = "ROWS.jsonl", conflicts_with = "payload")]
    rows: Option<PathBuf>,

    /// How nearness is measured, for a new collection [default: cosine]
    #[arg(long, value_parser = parse::distance())]
    distance: Option<Distance>,

    /// How a number is stored, for a new collection [default: f32]
    #[arg(long, value_parser = parse::element())]
    element: Option<Element>,

    /// Let numbers that a u8 collection cannot hold be cut to whole ones from 0 to 255
    #[arg(long)]
    cast: bool,

    #[command(flatten)]
    reading: options::Reading,

    /// Rows that are written together, all of them or none; fewer where they come to 16 MiB
    #[arg(long, value_name = "N", default_value_t = BATCH, allow_negative_numbers = true, value_parser = batch_size)]
    batch: usize,

    /// When a batch counts as written: synced; in the system's cache, synced within 100 ms; never synced by itself
    #[arg(long, default_value = "sync", value_parser = parse::durability())]
    durability: Durability,

    /// Leave bad rows out and count them
    #[arg(long)]
    skip_bad: bool,

    /// Do not merge segments and build graphs at the end
    #[arg(long)]
    no_index: bool,
}

/// Files that another command wants loaded.
pub(crate) struct Request {
    pub(crate) db: PathBuf,
    pub(crate) collection: String,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) distance: Option<Distance>,
    pub(crate) element: Option<Element>,
    pub(crate) reading: options::Reading,
    pub(crate) durability: Durability,
    pub(crate) no_index: bool,
}

impl From<Request> for Args {
    fn from(request: Request) -> Args {
        Args {
            db: request.db,
            collection: request.collection,
            files: request.files,
            payload: None,
            rows: None,
            distance: request.distance,
            element: request.element,
            cast: false,
            reading: request.reading,
            batch: BATCH,
            durability: request.durability,
            skip_bad: false,
            no_index: request.no_index,
        }
    }
}

fn batch_size(text: &str) -> Result<usize, String> {
    let range = 1..=vdb::MAX_BATCH_POINTS;
    let size = text.parse().ok().filter(|size| range.contains(size));
    size.ok_or_else(|| format!("a batch has 1 to {} rows", vdb::MAX_BATCH_POINTS))
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    into_collection(args, out).map(drop)
}

/// Loads the files, and answers. Counts the rows that made no point more: they took the places of points that were
/// there, or of rows before them.
pub(crate) fn into_collection(args: &Args, out: &mut Out) -> Outcome<u64> {
    let beside = match (&args.payload, &args.rows) {
        (Some(file), _) => Some(Beside::Payload(file)),
        (None, Some(file)) => Some(Beside::Rows(file)),
        (None, None) => None,
    };
    if let Some(beside) = beside.filter(|_| args.files.len() != 1) {
        return Err(Failure::usage(format!(
            "{} goes with exactly one FILE: load the files one by one",
            beside.option()
        )));
    }
    args.reading.check(&args.files, beside)?;
    // The files first: a name that is wrong leaves no empty database behind.
    let mut source = Source::open(&args.files, beside, args.reading.options())?;
    for (file, note) in source.notes() {
        out.warn(format_args!("{file}: {note}"));
    }
    let mut early = Vec::new();
    let shape = source.shape(args.skip_bad, &mut early)?;

    interrupt::watch();
    // Strict mode is for those who use the collection, and holds nobody up who fills it.
    let builder = open::builder().strict_mode(false).durability(args.durability);
    let done = Home::at(&args.db).with(builder, |db| {
        let mut target = Target::find(Some(db), args, shape, &source)?;
        let before = target.points()?;
        let started = Instant::now();
        let loaded = write::write(db, &mut target, source, args, early, out)?;
        let load_s = started.elapsed().as_secs_f64();
        let (collection, created) = target.get(db)?;
        let index_s = index(&collection, args, &loaded, out)?;
        Ok(Done {
            before,
            points: collection.count(None)?,
            loaded,
            created,
            load_s,
            index_s,
        })
    })?;
    done.answer(args, out)?;
    Ok(done
        .loaded
        .rows
        .saturating_sub(done.points.saturating_sub(done.before)))
}

/// Opens the database for reading only; `None` where there is nothing yet, or an empty directory.
pub(crate) fn database_if_there(dir: &Path) -> Outcome<Option<Database>> {
    let is_empty = |mut entries: std::fs::ReadDir| entries.next().is_none();
    if dir.symlink_metadata().is_err() || dir.read_dir().is_ok_and(is_empty) {
        return Ok(None);
    }
    open::read_only(dir).map(Some)
}

/// What a reading of everything found, and nothing was done with.
pub(crate) struct Found {
    pub(crate) rows: u64,
    pub(crate) with_vectors: u64,
    pub(crate) config: CollectionConfig,
    pub(crate) notes: Vec<String>,
}

/// Reads and checks all that a load would, the collection that is there included. Nothing is written.
pub(crate) fn check(args: &Args, out: &Out) -> Outcome<Found> {
    args.reading.check(&args.files, None)?;
    let mut source = Source::open(&args.files, None, args.reading.options())?;
    let mut notes: Vec<String> = source.notes().iter().map(|(_, note)| note.clone()).collect();
    let shape = source.shape(false, &mut Vec::new())?;
    let db = database_if_there(&args.db)?;
    let target = Target::find(db.as_ref(), args, shape, &source)?;
    interrupt::watch();
    let rules = target.rules(args)?;
    let bar = progress::bar(out, "checking", source.bytes().1, Unit::Bytes);
    let (mut rows, mut with_vectors, mut wrong) = (0, 0, None);
    read::read(source, &rules, |message| {
        match message {
            read::Message::Batch(batch) => {
                rows += batch.points.len() as u64;
                let vectors = batch.points.iter().filter(|point| !point.vectors.0.is_empty());
                with_vectors += vectors.count() as u64;
                bar.set_position(batch.bytes_read);
            }
            read::Message::Skipped(_) => {}
            read::Message::End { changed } => notes.extend(changed_values(changed)),
            read::Message::Stop { why, .. } => wrong = Some(why),
        }
        !interrupt::asked_to_stop()
    });
    bar.finish_and_clear();
    if interrupt::asked_to_stop() {
        return Err(Failure::Interrupted(
            "interrupted: nothing was imported".to_owned(),
        ));
    }
    match wrong {
        Some(why) => Err(Failure::failed(format!("{why}\n  nothing was imported"))),
        None => Ok(Found {
            rows,
            with_vectors,
            config: target.config,
            notes,
        }),
    }
}

/// What to say of values that payloads do not hold and that `--lossy` changed.
fn changed_values(changed: u64) -> Option<String> {
    let values = table::counted(changed, "value");
    (changed > 0).then(|| format!("--lossy changed {values} that payloads do not hold"))
}

/// Merges and builds the graph, unless told otherwise; the seconds that it took.
fn index(collection: &Collection, args: &Args, loaded: &write::Loaded, out: &Out) -> Outcome<Option<f64>> {
    if args.no_index {
        return Ok(None);
    }
    match optimize(collection, out) {
        Ok(time) => Ok(Some(time.as_secs_f64())),
        Err(failure) => Err(failure.and(&format!(
            "all {} are loaded and durable, and only the index is missing: `vdb index {} {}` makes it, given room \
             on the disk",
            table::counted(loaded.rows, "row"),
            args.db.display(),
            args.collection
        ))),
    }
}

/// A load that came to its end.
struct Done {
    loaded: write::Loaded,
    created: bool,
    /// Points of the collection before and after it.
    before: u64,
    points: u64,
    load_s: f64,
    index_s: Option<f64>,
}

impl Done {
    fn answer(&self, args: &Args, out: &mut Out) -> Outcome {
        let Done { loaded, load_s, .. } = self;
        let answer = json!({
            "collection": args.collection, "created": self.created, "rows": loaded.rows, "skipped": loaded.skipped,
            "changed": loaded.changed,
            "points": self.points, "load_s": load_s, "index_s": self.index_s,
        });
        out.answer(&answer, || {
            let rate = table::count((loaded.rows as f64 / load_s.max(1e-9)) as u64);
            let rows = table::counted(loaded.rows, "row");
            let mut text = format!(
                "loaded {rows} into {} in {load_s:.2} s ({rate} rows/s)",
                args.collection
            );
            if let Some(index_s) = self.index_s {
                text.push_str(&format!(", indexed in {index_s:.2} s"));
            }
            text.push_str(&format!("; it holds {}", table::counted(self.points, "point")));
            match loaded.skipped {
                0 => {}
                1 => text.push_str("; 1 bad row was skipped"),
                more => text.push_str(&format!("; {} bad rows were skipped", table::count(more))),
            }
            if let Some(changed) = changed_values(loaded.changed) {
                text.push_str(&format!("; {changed}"));
            }
            text
        })
    }
}
