//! `vdb bench search`: recall and speed of searches.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use vdb::{
    Collection, CollectionConfig, Control, Database, Distance, Element, HnswParams, Point, PointId,
    Quantization, SearchRequest, VectorParams,
};
use vdb_interop::{ReadOptions, RowSource};
use vdb_measure::{Line, Measured, Memory, Plan, Split, Stopwatch, directory_bytes, rounded, watching};

use super::origin::Origin;
use crate::failure::{Failure, Outcome};
use crate::open::Home;
use crate::out::Out;
use crate::progress::{self, Unit};
use crate::{interrupt, open, parse, table};

/// Neighbours asked for.
const LIMIT: usize = 10;
/// Rows that are written together.
const BATCH: usize = 1000;
const COLLECTION: &str = "bench";

const AFTER: &str = "\
Rows of the file are loaded into a new database with their numbers as ids, except the queries; one graph is built, \
and every query is asked on one thread, one a call, ids only, by the embedded API. Recall is the share of the ten \
nearest that exact search finds. Per query the fastest of at least 3 passes and 4 seconds counts.

The queries are the rows that --split lists (an .npy of whole numbers), or the last --queries rows of \
numpy.random.default_rng(42).permutation(rows).

Fields with --json, one line a setting: system, setting, build_s (graph alone), rss_mb (growth until the setting was \
measured, on a database opened anew), disk_mb, recall, qps, p50_us, p99_us, rss_anon_mb and rss_file_mb (the two parts \
of rss_mb: its own, and pages of mapped files), make_rss_anon_mb (most of its own while loading and building), \
load_s, merge_s, rows, queries, passes, and raw_us with --raw.

Examples:
  vdb bench search --data vectors.npy
  vdb bench search --data vectors.npy --ef default,32,64,128,exact --threads 2 --json";

/// Measure recall and speed of searches
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Vectors: .npy, .fvecs or .bvecs
    #[arg(long, value_name = "FILE")]
    data: PathBuf,

    /// How many rows are queries
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        conflicts_with = "split",
        allow_negative_numbers = true
    )]
    queries: usize,

    /// Numbers of the rows that are queries
    #[arg(long, value_name = "ROWS.npy")]
    split: Option<PathBuf>,

    /// Threads that build the graph; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    threads: usize,

    /// How nearness is measured
    #[arg(long, default_value = "cosine", value_parser = parse::distance())]
    distance: Distance,

    /// How a number is stored
    #[arg(long, default_value = "f32", value_parser = parse::element())]
    element: Element,

    /// Links a node of the graph
    #[arg(long, value_name = "N", default_value_t = 16, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(2..=256))]
    m: u16,

    /// Width of the beam that builds the graph
    #[arg(long, value_name = "N", default_value_t = 200, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    ef_construct: u16,

    /// What graph walks read of each vector
    #[arg(long, default_value = "auto", value_parser = parse::quantization())]
    quantization: Quantization,

    /// Settings: widths of the beam, default, exact
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = setting)]
    #[arg(default_value = "default,16,24,32,48,64,96,128,200,300,500")]
    ef: Vec<Setting>,

    /// Print the time of every call as well (with --json)
    #[arg(long, requires = "json")]
    raw: bool,

    /// Make the database here and keep it; one that was made here from the same data and settings is searched as it is
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
}

impl Args {
    /// The collection's vector, of `dim` numbers.
    fn params(&self, dim: usize) -> VectorParams {
        let hnsw = HnswParams {
            m: self.m,
            ef_construct: self.ef_construct,
            quantization: self.quantization,
            ..HnswParams::default()
        };
        VectorParams::new(dim, self.distance)
            .element(self.element)
            .hnsw(hnsw)
    }
}

#[derive(Debug, Clone, Copy)]
enum Setting {
    Default,
    Ef(usize),
    Exact,
}

/// Threads beyond these would only wait for each other, and a thousand of them for memory.
const THREADS_A_CORE: usize = 4;

fn threads(text: &str) -> Result<usize, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = cores * THREADS_A_CORE;
    let threads = text.parse().ok().filter(|threads| *threads <= most);
    threads.ok_or_else(|| format!("expected 0 to {most}: this machine has {cores} cores"))
}

fn setting(text: &str) -> Result<Setting, String> {
    match text {
        "default" => Ok(Setting::Default),
        "exact" => Ok(Setting::Exact),
        _ => text
            .parse()
            .ok()
            .filter(|ef| (1..=vdb::MAX_EF).contains(ef))
            .map(Setting::Ef)
            .ok_or_else(|| format!("expected 1 to {}, default or exact", vdb::MAX_EF)),
    }
}

impl Setting {
    fn name(self) -> String {
        match self {
            Setting::Default => "default".to_owned(),
            Setting::Ef(ef) => format!("ef={ef}"),
            Setting::Exact => "exact".to_owned(),
        }
    }

    fn request(self, vector: &[f32]) -> SearchRequest {
        let request = SearchRequest::new(vector).limit(LIMIT);
        match self {
            Setting::Default => request,
            Setting::Ef(ef) => request.ef(ef),
            Setting::Exact => request.exact(true),
        }
    }
}

/// Seconds that making the database took; nothing when it was there.
#[derive(Default)]
struct Made {
    load_s: Option<f64>,
    merge_s: Option<f64>,
    build_s: Option<f64>,
}

pub(super) fn run(args: &Args, out: &mut Out) -> Outcome {
    interrupt::watch();
    let rows = row_count(&args.data)?;
    let split = Split::new(rows, args.queries, args.split.as_deref())?;
    let origin = Origin::new(&args.data, rows, &split, &args.params(1));
    if let Some(db) = args.db.as_ref().filter(|db| db.exists()) {
        origin.check(db)?;
    }
    let queries = read_queries(args, &split)?;

    let scratch = tempfile::Builder::new().prefix("vdb-bench-").tempdir();
    let scratch = scratch.map_err(|e| Failure::failed(format!("cannot make a temporary directory: {e}")))?;
    let dir = args.db.clone().unwrap_or_else(|| scratch.path().join("db"));
    let before = Memory::now();
    let builder = || open::builder().threads(args.threads);
    let open = || open::open(builder(), &dir);
    let (mut made, mut peak) = (Made::default(), None);
    if !dir.exists() {
        let home = Home::at(&dir);
        let (outcome, most) = watching(|| {
            home.with(builder(), |db| {
                // A database that is half made would be searched as it is the next time.
                make(db, args, &split, out).inspect_err(|_| {
                    let _ = db.drop_collection(COLLECTION);
                })
            })
        });
        (made, peak) = (outcome?, most);
        if args.db.is_some() {
            origin.keep(&dir)?;
        }
    }
    let disk = directory_bytes(&dir);
    let db = open()?;
    let truth = ground_truth(&open::collection(&db, COLLECTION)?, &queries, out)?;
    db.close()?;
    // Opened once more, so that what was mapped for exact search does not count as memory of the graph's.
    let db = open()?;
    let collection = open::collection(&db, COLLECTION)?;
    let rows = collection.count(None)?;

    let name = system_name(&collection);
    let mut text = table::with_header(&["setting", "recall", "queries/s", "p50 us", "p99 us"]);
    for setting in &args.ef {
        let requests: Vec<SearchRequest> = queries.iter().map(|vector| setting.request(vector)).collect();
        let Measured {
            recall,
            qps,
            p50_us,
            p99_us,
            passes,
            raw_us,
            ..
        } = measure(&collection, &requests, &truth, args.raw)?;
        let after = Memory::now();
        if out.json {
            out.value(&Line {
                system: name.clone(),
                setting: setting.name(),
                build_s: made.build_s,
                rss_mb: Memory::growth_mb(after, before, |m| m.total),
                disk_mb: Some(rounded(disk as f64 / 1e6, 1)),
                recall,
                qps,
                p50_us: Some(p50_us),
                p99_us: Some(p99_us),
                rss_anon_mb: Memory::growth_mb(after, before, |m| m.anonymous),
                rss_file_mb: Memory::growth_mb(after, before, |m| m.file),
                make_rss_anon_mb: Memory::growth_mb(peak, before, |m| m.anonymous),
                load_s: made.load_s,
                merge_s: made.merge_s,
                rows: Some(rows),
                queries: Some(queries.len()),
                passes: Some(passes),
                raw_us,
                ..Line::default()
            })?;
            // A setting takes seconds: whoever reads along sees each when it is done.
            out.flush()?;
        } else {
            let numbers = [
                format!("{recall:.4}"),
                format!("{qps:.1}"),
                format!("{p50_us:.1}"),
                format!("{p99_us:.1}"),
            ];
            let cells = [comfy_table::Cell::new(setting.name())].into_iter();
            table::push(&mut text, cells.chain(numbers.into_iter().map(table::number)));
        }
    }
    if out.json {
        return Ok(());
    }
    out.line(format_args!(
        "{name}: {} rows, {} queries",
        table::count(rows),
        queries.len()
    ))?;
    if let (Some(load_s), Some(build_s)) = (made.load_s, made.build_s) {
        out.line(format_args!(
            "loaded in {load_s:.2} s, graph built in {build_s:.2} s, {} on disk",
            table::bytes(disk)
        ))?;
    }
    out.line(text.trim_fmt())
}

fn system_name(collection: &Collection) -> String {
    let config = collection.config();
    let params = config
        .vectors
        .first()
        .map(|(_, params)| (params.hnsw, parse::element_name(params.element)));
    match params {
        Some((hnsw, element)) => {
            let graph = format!("vdb {element} M{} efc{}", hnsw.m, hnsw.ef_construct);
            if hnsw.quantization == Quantization::Auto {
                graph
            } else {
                format!("{graph} {}", hnsw.quantization.name())
            }
        }
        None => "vdb".to_owned(),
    }
}

fn source(file: &Path) -> Outcome<Box<dyn RowSource>> {
    Ok(vdb_interop::open(file, &ReadOptions::default())?)
}

/// Rows of the file: by its header, else by reading it.
fn row_count(file: &Path) -> Outcome<u64> {
    let mut rows = source(file)?;
    if let Some(total) = rows.progress().total_rows {
        return Ok(total);
    }
    rows.by_ref().try_for_each(|row| row.map(|_| ()))?;
    Ok(rows.progress().rows)
}

/// The vectors of the queries in the order of the split; of unit length under Cosine.
fn read_queries(args: &Args, split: &Split) -> Outcome<Vec<Vec<f32>>> {
    let mut found = std::collections::HashMap::new();
    for (number, row) in (0..).zip(source(&args.data)?) {
        let row = row?;
        if split.is_query(number) {
            let mut vector = row.vectors.into_values().next().unwrap_or_default();
            if args.distance == Distance::Cosine {
                normalise(&mut vector);
            }
            found.insert(number, vector);
        }
    }
    let vector = |row: &u64| found.get(row).cloned().unwrap_or_default();
    Ok(split.queries.iter().map(vector).collect())
}

fn normalise(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|x| f64::from(*x) * f64::from(*x))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        vector
            .iter_mut()
            .for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

/// Loads all rows but the queries and builds the graph.
fn make(db: &Database, args: &Args, split: &Split, out: &Out) -> Outcome<Made> {
    let rows = source(&args.data)?;
    let total = rows.progress().total_rows;
    let dim = match rows.dim_hint() {
        Some(dim) => dim,
        None => match source(&args.data)?
            .next()
            .transpose()?
            .and_then(|row| row.vectors.into_values().next())
        {
            Some(vector) => vector.len(),
            None => {
                return Err(Failure::failed(format!(
                    "{}: no vectors in it",
                    args.data.display()
                )));
            }
        },
    };
    let collection = db.create_collection(COLLECTION, CollectionConfig::new(args.params(dim)))?;

    let started = Instant::now();
    let bar = progress::bar(out, "loading", total, Unit::Rows);
    let mut batch = Vec::with_capacity(BATCH);
    for (number, row) in (0_u64..).zip(rows) {
        let row = row?;
        bar.inc(1);
        if split.is_query(number) {
            continue;
        }
        batch.push(Point::new(
            number,
            row.vectors.into_values().next().unwrap_or_default(),
        ));
        if batch.len() == BATCH {
            interrupt::check()?;
            collection.upsert(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))?;
        }
    }
    collection.upsert(batch)?;
    collection.flush()?;
    bar.finish_and_clear();
    let load_s = started.elapsed().as_secs_f64();

    // One segment needs no merge: all the time goes into its graph. Several are merged before the graph begins to
    // report how far it is.
    let segments = collection.info()?.segments.len();
    let started = Instant::now();
    let begun = OnceLock::new();
    let bar = progress::bar(out, "indexing", None, Unit::Rows);
    let report = |done: u64, total: u64| {
        begun.get_or_init(Instant::now);
        progress::report(&bar, Unit::Rows, done, total);
    };
    let outcome = collection.optimize(&Control::new(&interrupt::asked_to_stop, &report));
    bar.finish_and_clear();
    outcome?;
    let total_s = started.elapsed().as_secs_f64();
    let merge_s = match begun.get() {
        Some(begun) if segments > 1 => begun.duration_since(started).as_secs_f64(),
        Some(_) | None => 0.0,
    };
    let seconds = |s: f64| Some(rounded(s, 3));
    Ok(Made {
        load_s: seconds(load_s),
        merge_s: seconds(merge_s),
        build_s: seconds(total_s - merge_s),
    })
}

/// The ids of the nearest points by exact search, on all threads.
fn ground_truth(collection: &Collection, queries: &[Vec<f32>], out: &Out) -> Outcome<Vec<Vec<PointId>>> {
    let bar = progress::bar(out, "truth", Some(queries.len() as u64), Unit::Rows);
    let mut truth = Vec::with_capacity(queries.len());
    for some in queries.chunks(64) {
        interrupt::check()?;
        let requests: Vec<SearchRequest> = some.iter().map(|vector| Setting::Exact.request(vector)).collect();
        let answers = collection.search_batch(&requests)?;
        truth.extend(
            answers
                .into_iter()
                .map(|found| found.into_iter().map(|point| point.id).collect()),
        );
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(truth)
}

/// Asks requests whose true neighbours are known; `raw` keeps every time.
fn measure(
    collection: &Collection,
    requests: &[SearchRequest],
    truth: &[Vec<PointId>],
    raw: bool,
) -> Outcome<Measured> {
    let plan = Plan::default();
    for request in requests.iter().take(plan.warm_up) {
        collection.search(request)?;
    }
    let mut watch = Stopwatch::new(requests.len(), truth.iter().map(Vec::len).sum(), raw);
    while !watch.is_done(&plan) {
        // A pass over a thousand queries takes seconds when they are exact and the data is large, and a signal waits
        // for it; looking in between would be part of what is timed.
        interrupt::check()?;
        watch.pass(
            |query| &requests[query],
            |request| collection.search(request),
            |query, found| {
                found
                    .iter()
                    .filter(|point| truth[query].contains(&point.id))
                    .count()
            },
        )?;
    }
    Ok(watch.finish())
}
