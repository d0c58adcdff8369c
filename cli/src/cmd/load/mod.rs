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

mod options;
mod read;
mod source;
mod target;
mod write;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use vdb::{Collection, Distance, Durability, Element};

use super::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::open::{self, Home};
use crate::out::Out;
use crate::{interrupt, parse, table};
use source::Source;
use target::Target;

const AFTER: &str = "\
What is missing is created: the database, and the collection, with the dimension of the first row. Rows of .npy, \
.fvecs and .bvecs files get ids 0, 1, 2, ..., going on from file to file; so do rows of .csv and .jsonl files \
without ids. A collection that holds points already takes such rows only with --start-id: a row takes the place of \
the point that has its id. A line of a .jsonl file is {\"id\": 7, \"vector\": [..], \"payload\": {..}}.

The first line of a .csv file names the columns: id; vector (a JSON array), or v0, v1, ... (a number each); all \
others are payload. A payload cell that is empty is no field; true, false, a number, an array or object as JSON \
writes it becomes that; so 007 and +1 stay text, as all else does. A quoted cell may hold line breaks.

A bad row stops the load with nothing of its batch written; the batches before it are there. The message names file, \
row and field. With --skip-bad such rows are left out and counted. Interrupted (Ctrl-C), a load keeps the batches \
that are there; what was made for a load that wrote nothing goes again.

With --json the answer is {\"collection\", \"created\", \"rows\", \"skipped\", \"points\", \"load_s\", \"index_s\"}; \
created says whether the collection is new, index_s is null with --no-index.

Examples:
  vdb load my.db words vectors.npy --payload words.jsonl
  vdb load my.db words more.jsonl --skip-bad
  gzip -dc rows.jsonl.gz | vdb load my.db rows - --distance dot
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

    /// .npy, .fvecs, .bvecs, .csv, .tsv, .jsonl; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Payloads for the vectors of the one FILE: line i of this JSON Lines file belongs to row i; - for standard input
    #[arg(long, value_name = "ROWS.jsonl")]
    payload: Option<PathBuf>,

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

    /// Rows that are written together, all of them or none
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

impl Args {
    /// What `vdb load DB COLLECTION FILE` says.
    pub(crate) fn plain(
        db: PathBuf,
        collection: String,
        file: PathBuf,
        durability: Durability,
        no_index: bool,
    ) -> Args {
        Args {
            db,
            collection,
            files: vec![file],
            payload: None,
            distance: None,
            element: None,
            cast: false,
            reading: options::Reading::default(),
            batch: BATCH,
            durability,
            skip_bad: false,
            no_index,
        }
    }
}

fn batch_size(text: &str) -> Result<usize, String> {
    let range = 1..=vdb::MAX_BATCH_POINTS;
    let size = text.parse().ok().filter(|size| range.contains(size));
    size.ok_or_else(|| format!("a batch has 1 to {} rows", vdb::MAX_BATCH_POINTS))
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if args.payload.is_some() && args.files.len() != 1 {
        return Err(Failure::usage(
            "--payload goes with exactly one FILE: load the files one by one",
        ));
    }
    args.reading.check(&args.files, args.payload.is_some())?;
    // The files first: a name that is wrong leaves no empty database behind.
    let mut source = Source::open(&args.files, args.payload.as_deref(), args.reading.options())?;
    let mut early = Vec::new();
    let shape = source.shape(args.skip_bad, &mut early)?;

    interrupt::watch();
    let builder = open::builder().durability(args.durability);
    let done = Home::at(&args.db).with(builder, |db| {
        let mut target = Target::find(db, args, shape, &source)?;
        let started = Instant::now();
        let loaded = write::write(db, &mut target, source, args, early, out)?;
        let load_s = started.elapsed().as_secs_f64();
        let (collection, created) = target.get(db)?;
        let index_s = index(&collection, args, &loaded, out)?;
        Ok(Done {
            points: collection.count(None)?,
            loaded,
            created,
            load_s,
            index_s,
        })
    })?;
    done.answer(args, out)
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
    points: u64,
    load_s: f64,
    index_s: Option<f64>,
}

impl Done {
    fn answer(&self, args: &Args, out: &mut Out) -> Outcome {
        let Done { loaded, load_s, .. } = self;
        let answer = json!({
            "collection": args.collection, "created": self.created, "rows": loaded.rows, "skipped": loaded.skipped,
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
            text
        })
    }
}
