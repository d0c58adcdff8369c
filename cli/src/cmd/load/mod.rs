//! `vdb load`: files into a collection.
//!
//! ```text
//! files -> source.rs (one stream of rows) -> read.rs (checked batches, on a thread) -> write.rs (the engine)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `source.rs` | several files as one stream, ids going on from file to file |
//! | `target.rs` | the collection: there already, or made to fit the first row |
//! | `read.rs` | rows checked against the collection and gathered in batches |
//! | `write.rs` | batches into the collection |
//!
//! Memory holds a few batches, whatever the size of the files.

mod read;
mod source;
mod target;
mod write;

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use vdb::{Distance, Durability, Element};
use vdb_interop::{CsvOptions, Format, ReadOptions};

use super::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{open, parse, table};
use source::Source;

const AFTER: &str = "\
What is missing is created: the database, and the collection, with the dimension of the first row. Rows of .npy, \
.fvecs and .bvecs files get ids 0, 1, 2, ..., going on from file to file; so do rows of .csv and .jsonl files \
without ids. A line of a .jsonl file is {\"id\": 7, \"vector\": [..], \"payload\": {..}}.

A bad row stops the load with nothing of its batch written; the batches before it are there. The message names file, \
row and field. With --skip-bad such rows are left out and counted.

Examples:
  vdb load my.db words vectors.npy --payload words.jsonl
  vdb load my.db words more.jsonl --skip-bad
  gzip -dc rows.jsonl.gz | vdb load my.db rows - --distance dot
  vdb load my.db sift base.fvecs --distance euclid --no-index";

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

    /// Payloads for the vectors of the one FILE: line i of this JSON Lines file belongs to row i
    #[arg(long, value_name = "ROWS.jsonl")]
    payload: Option<PathBuf>,

    /// How nearness is measured, for a new collection [default: cosine]
    #[arg(long, value_parser = parse::distance())]
    distance: Option<Distance>,

    /// How a number is stored, for a new collection [default: f32]
    #[arg(long, value_parser = parse::element())]
    element: Option<Element>,

    /// Name of the vector where the file has none
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    using: String,

    /// Format of the files, where their names do not say; standard input is jsonl unless told otherwise
    #[arg(long, value_parser = parse::format())]
    format: Option<Format>,

    /// Rows that are written together, all of them or none
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = batch_size)]
    batch: usize,

    /// When a batch counts as written: synced; in the system's cache, synced within 100 ms; never synced by itself
    #[arg(long, default_value = "sync", value_parser = parse::durability())]
    durability: Durability,

    /// Leave bad rows out and count them
    #[arg(long)]
    skip_bad: bool,

    /// Id of the first row without one
    #[arg(long, value_name = "N", default_value_t = 0)]
    start_id: u64,

    /// Do not merge segments and build graphs at the end
    #[arg(long)]
    no_index: bool,

    /// Column of a CSV file with the ids
    #[arg(long, value_name = "NAME", default_value = "id", help_heading = "CSV")]
    id_column: String,

    /// Column of a CSV file with whole vectors as JSON arrays
    #[arg(long, value_name = "NAME", default_value = "vector", help_heading = "CSV")]
    vector_column: String,

    /// Columns of a CSV file with one number each start with this and end in 0, 1, 2, ...
    #[arg(long, value_name = "TEXT", default_value = "v", help_heading = "CSV")]
    vector_prefix: String,

    /// Byte between the cells of a CSV file
    #[arg(long, value_name = "BYTE", default_value = ",", help_heading = "CSV", value_parser = one_byte)]
    delimiter: u8,
}

fn batch_size(text: &str) -> Result<usize, String> {
    let range = 1..=vdb::MAX_BATCH_POINTS;
    let size = text.parse().ok().filter(|size| range.contains(size));
    size.ok_or_else(|| format!("a batch has 1 to {} rows", vdb::MAX_BATCH_POINTS))
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        _ => Err("expected one ASCII character".to_owned()),
    }
}

impl Args {
    fn read_options(&self) -> ReadOptions {
        ReadOptions {
            format: self.format,
            first_id: self.start_id,
            vector_name: self.using.clone(),
            csv: CsvOptions {
                delimiter: self.delimiter,
                id_column: self.id_column.clone(),
                vector_column: self.vector_column.clone(),
                vector_prefix: self.vector_prefix.clone(),
                ..CsvOptions::default()
            },
            ..ReadOptions::default()
        }
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if args.payload.is_some() && args.files.len() != 1 {
        return Err(Failure::usage(
            "--payload goes with exactly one FILE: load the files one by one",
        ));
    }
    // The files first: a name that is wrong leaves no empty database behind.
    let mut source = Source::open(&args.files, args.payload.as_deref(), args.read_options())?;
    let mut early = Vec::new();
    let shape = source.shape(args.skip_bad, &mut early)?;

    let db = open::open(open::builder().durability(args.durability), &args.db)?;
    let (collection, created) = target::collection(&db, args, shape, source.name())?;
    let started = Instant::now();
    let loaded = write::write(&collection, source, args, early, out)?;
    db.sync()?;
    let load_s = started.elapsed().as_secs_f64();
    let index_s = if args.no_index {
        None
    } else {
        Some(optimize(&collection, out)?.as_secs_f64())
    };
    let points = collection.count(None)?;
    drop(collection);
    db.close()?;

    let answer = json!({
        "collection": args.collection, "created": created, "rows": loaded.rows, "skipped": loaded.skipped,
        "points": points, "load_s": load_s, "index_s": index_s,
    });
    out.answer(&answer, || {
        let rate = table::count((loaded.rows as f64 / load_s.max(1e-9)) as u64);
        let rows = table::count(loaded.rows);
        let mut text = format!(
            "loaded {rows} rows into {} in {load_s:.2} s ({rate} rows/s)",
            args.collection
        );
        if let Some(index_s) = index_s {
            text.push_str(&format!(", indexed in {index_s:.2} s"));
        }
        text.push_str(&format!("; it holds {} points", table::count(points)));
        if loaded.skipped > 0 {
            text.push_str(&format!(
                "; {} bad rows were skipped",
                table::count(loaded.skipped)
            ));
        }
        text
    })
}
