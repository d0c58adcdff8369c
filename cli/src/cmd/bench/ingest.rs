//! `vdb bench ingest`: durable writes, beside what the disk can do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use vdb::{Collection, CollectionConfig, Database, Distance, Durability, VectorParams};
use vdb_interop::ReadOptions;

use vdb_measure::{Load, rounded};

use super::raw;
use super::slice::{Slice, Sum};
use crate::cmd::optimize::optimize;
use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open, parse, table};

/// Batch sizes with one writer, and numbers of writers with batches of one.
const LOADS: [Load; 5] = [
    Load {
        batch: 1000,
        writers: 1,
    },
    Load {
        batch: 100,
        writers: 1,
    },
    Load { batch: 1, writers: 1 },
    Load { batch: 1, writers: 4 },
    Load {
        batch: 1,
        writers: 16,
    },
];
/// Levels of durability, the default first.
const LEVELS: [Durability; 3] = [Durability::Sync, Durability::Buffered, Durability::None];
/// Vectors of a slice take at most this many bytes: enough for the engine to flush beside the writes as it does in a
/// long load. All that it writes for a slice, it writes in the slice.
const SLICE_BYTES: usize = 48 << 20;
/// Slices of a setting, at least.
const SLICES: usize = 3;
/// Vectors that are written over and over, at most so many bytes.
const POOL_BYTES: usize = 64 << 20;

const AFTER: &str = "\
Every setting writes in slices, with default durability: a slice of the engine, its flush to a segment included, \
then plain sequential writes of as many bytes (or for as long as a slice may take), each write as large as a batch and followed by fdatasync. The bytes of \
the engine are those of its log and of its segments. ratio is the engine's bytes/s over those of the plain writes.

Then the same rows are written with each level of durability in turns, each to a collection of its own, flush and last \
sync included: sync/buffered and sync/none say what part of the speed is left when every write waits for the disk. 0.50 \
means that durability takes half.

Fields with --json, one line a setting: batch, writers, rows, seconds, vectors_per_s, bytes_per_s, raw_bytes_per_s, \
ratio, buffered_vectors_per_s, none_vectors_per_s, sync_over_buffered, sync_over_none; for batches of 1000 also index_s and \
vectors_per_s, bytes_per_s, ratio with the graph build (.._with_index); for several writers over_one_writer, the speed \
over that of one.

Examples:
  vdb bench ingest
  vdb bench ingest --dir /mnt/disk --data vectors.npy --rows 200000 --json";

/// Measure durable writes
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(super) struct Args {
    /// Write below this directory, on the disk to be measured; everything is removed at the end
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Vectors to write; made up when left out
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Numbers in a made-up vector
    #[arg(long, value_name = "N", default_value_t = 384, conflicts_with = "data", allow_negative_numbers = true, value_parser = parse::dimension)]
    dim: usize,

    /// Vectors to write at batch size 1000; smaller batches write fewer
    #[arg(long, value_name = "N", default_value_t = 96_000, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    rows: u64,

    /// Longest time of a slice
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "2",
        allow_negative_numbers = true,
        value_parser = parse::seconds
    )]
    slice_seconds: Duration,
}

/// A line of the answer.
#[derive(Serialize)]
struct Line {
    batch: usize,
    writers: usize,
    rows: u64,
    seconds: f64,
    vectors_per_s: f64,
    bytes_per_s: f64,
    raw_bytes_per_s: f64,
    ratio: f64,
    buffered_vectors_per_s: f64,
    none_vectors_per_s: f64,
    sync_over_buffered: f64,
    sync_over_none: f64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    indexed: Option<Indexed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_one_writer: Option<f64>,
}

/// The same with the time and the bytes of merging and building the graph.
#[derive(Serialize)]
struct Indexed {
    index_s: f64,
    vectors_per_s_with_index: f64,
    bytes_per_s_with_index: f64,
    ratio_with_index: f64,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Outcome {
    if args.slice_seconds.is_zero() {
        return Err(Failure::usage("--slice-seconds must be more than 0"));
    }
    interrupt::watch();
    let vectors = pool(args)?;
    let scratch = tempfile::Builder::new()
        .prefix("vdb-bench-")
        .tempdir_in(&args.dir)
        .map_err(|e| {
            Failure::failed(format!(
                "{}: cannot make a temporary directory: {e}",
                args.dir.display()
            ))
        })?;
    let mut text = table::with_header(&[
        "batch",
        "writers",
        "vectors/s",
        "MB/s",
        "raw MB/s",
        "ratio",
        "with graph",
        "ratio",
        "of one writer",
        "sync/buffered",
        "sync/none",
    ]);
    let mut single = None;
    for load in LOADS {
        let mut line = measure(args, load, &vectors, scratch.path(), out)?;
        if load.batch == 1 && load.writers == 1 {
            single = Some(line.vectors_per_s);
        } else if let Some(single) = single {
            line.over_one_writer = Some(rounded(line.vectors_per_s / single, 2));
        }
        if out.json {
            out.value(&line)?;
            out.flush()?;
        } else {
            push(&mut text, &line);
        }
    }
    if out.json {
        Ok(())
    } else {
        out.line(text.trim_fmt())
    }
}

fn push(text: &mut comfy_table::Table, line: &Line) {
    let mega = |bytes: f64| format!("{:.1}", bytes / 1e6);
    let indexed = line.indexed.as_ref();
    let cells = [
        line.batch.to_string(),
        line.writers.to_string(),
        table::count(line.vectors_per_s as u64),
        mega(line.bytes_per_s),
        mega(line.raw_bytes_per_s),
        format!("{:.2}", line.ratio),
        indexed
            .map(|i| table::count(i.vectors_per_s_with_index as u64))
            .unwrap_or_default(),
        indexed
            .map(|i| format!("{:.2}", i.ratio_with_index))
            .unwrap_or_default(),
        line.over_one_writer
            .map(|times| format!("{times:.2} x"))
            .unwrap_or_default(),
        format!("{:.2}", line.sync_over_buffered),
        format!("{:.2}", line.sync_over_none),
    ];
    table::push(text, cells.map(table::number));
}

/// The vectors that are written: of the file, or made up.
fn pool(args: &Args) -> Outcome<Vec<Vec<f32>>> {
    let Some(file) = &args.data else {
        let mut state = 1;
        let count = (POOL_BYTES / (args.dim * 4)).clamp(1, 20_000);
        return Ok((0..count)
            .map(|_| (0..args.dim).map(|_| number(&mut state)).collect())
            .collect());
    };
    let (mut vectors, mut bytes) = (Vec::new(), 0);
    for row in vdb_interop::open(file, &ReadOptions::default())? {
        let vector = row?.into_dense().unwrap_or_default();
        bytes += vector.len() * 4;
        vectors.push(vector);
        if bytes >= POOL_BYTES {
            break;
        }
    }
    if vectors.first().is_none_or(Vec::is_empty) {
        return Err(Failure::failed(format!("{}: no vectors in it", file.display())));
    }
    Ok(vectors)
}

/// A number from -0.5 to 0.5 (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
fn number(state: &mut u64) -> f32 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 40) as f32 / (1 << 24) as f32 - 0.5
}

/// One setting in a database of its own.
fn measure(args: &Args, load: Load, vectors: &[Vec<f32>], dir: &Path, out: &Out) -> Outcome<Line> {
    let db_dir = dir.join(format!("batch-{}-writers-{}", load.batch, load.writers));
    let db = open::open(open::builder(), &db_dir)?;
    let dim = vectors.first().map_or(1, Vec::len);
    let config = CollectionConfig::new(VectorParams::new(dim, Distance::Cosine));
    let collection = db.create_collection("bench", config)?;

    let row_bytes = dim * 4;
    let slices = SLICES.max(
        (args.rows as usize)
            .saturating_mul(row_bytes)
            .div_ceil(SLICE_BYTES),
    );
    let slice_rows = args.rows.div_ceil(slices as u64);
    let label = if load.writers == 1 {
        "one writer"
    } else {
        "writers"
    };
    let bar = progress::bar(out, label, Some(slice_rows * slices as u64), Unit::Rows);
    let limit = args.slice_seconds;
    let (mut engine, mut plain) = (Sum::default(), Sum::default());
    for _ in 0..slices {
        interrupt::check()?;
        let slice = Slice {
            load,
            vectors,
            durability: Durability::Sync,
            first: engine.rows,
            rows: slice_rows,
            limit,
        };
        let done = slice.run(&db, &collection)?;
        engine.add(&done);
        let (bytes, time) = raw::write(dir, load.batch * (row_bytes + 8), done.bytes, limit)?;
        plain.bytes += bytes;
        plain.time += time;
        bar.inc(slice_rows);
    }
    bar.finish_and_clear();

    let with_index = (load.batch == 1000)
        .then(|| indexed(&collection, &engine, &plain, out))
        .transpose()?;
    drop(collection);
    close(db, &db_dir)?;
    let [sync, buffered, none] = levels(args, load, vectors, &db_dir)?.map(|sum| sum.rows_per_s());
    Ok(Line {
        batch: load.batch,
        writers: load.writers,
        rows: engine.rows,
        seconds: rounded(engine.time.as_secs_f64(), 3),
        vectors_per_s: rounded(engine.rows_per_s(), 1),
        bytes_per_s: rounded(engine.bytes_per_s(), 0),
        raw_bytes_per_s: rounded(plain.bytes_per_s(), 0),
        ratio: rounded(engine.bytes_per_s() / plain.bytes_per_s(), 3),
        buffered_vectors_per_s: rounded(buffered, 1),
        none_vectors_per_s: rounded(none, 1),
        sync_over_buffered: rounded(sync / buffered.max(1e-9), 3),
        sync_over_none: rounded(sync / none.max(1e-9), 3),
        indexed: with_index,
        over_one_writer: None,
    })
}

/// Writes the same rows with each level of durability in turns, to collections of one database: what one leaves to be
/// done in the background is in the way of all.
fn levels(args: &Args, load: Load, vectors: &[Vec<f32>], db_dir: &Path) -> Outcome<[Sum; 3]> {
    let db = open::open(open::builder(), db_dir)?;
    let dim = vectors.first().map_or(1, Vec::len);
    let rows = (SLICE_BYTES / (dim * 4)).max(1) as u64;
    let mut sums: [Sum; 3] = Default::default();
    for _ in 0..SLICES {
        for (level, sum) in LEVELS.into_iter().zip(&mut sums) {
            interrupt::check()?;
            let name = format!("{level:?}");
            let collection = if db.exists(&name) {
                db.collection(&name)?
            } else {
                let params = VectorParams::new(dim, Distance::Cosine);
                db.create_collection(&name, CollectionConfig::new(params))?
            };
            let slice = Slice {
                load,
                vectors,
                durability: level,
                first: sum.rows,
                rows: rows.min(args.rows),
                limit: args.slice_seconds,
            };
            sum.add(&slice.run(&db, &collection)?);
        }
    }
    close(db, db_dir)?;
    Ok(sums)
}

fn close(db: Database, dir: &Path) -> Outcome {
    db.close()?;
    std::fs::remove_dir_all(dir)
        .map_err(|e| Failure::failed(format!("{}: cannot be removed: {e}", dir.display())))
}

/// Merges and builds the graph, and adds that to what the writes came to.
fn indexed(collection: &Collection, engine: &Sum, plain: &Sum, out: &Out) -> Outcome<Indexed> {
    let time = optimize(collection, out)?;
    let sum = Sum {
        rows: engine.rows,
        bytes: engine.bytes + collection.info()?.disk_bytes,
        time: engine.time + time,
    };
    Ok(Indexed {
        index_s: rounded(time.as_secs_f64(), 3),
        vectors_per_s_with_index: rounded(sum.rows_per_s(), 1),
        bytes_per_s_with_index: rounded(sum.bytes_per_s(), 0),
        ratio_with_index: rounded(sum.bytes_per_s() / plain.bytes_per_s(), 3),
    })
}
