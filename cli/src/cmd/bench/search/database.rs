//! The database that is searched: made of a file's rows, with what is known of it before it is asked.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use vdb::{Collection, CollectionConfig, Control, Database, Distance, Point, PointId, SearchRequest};
use vdb_interop::{ReadOptions, Row, RowSource};
use vdb_measure::{Setting, Split, rounded};

use super::args::Args;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::out::Out;
use crate::progress::{self, Unit};

/// Rows that are written together.
const BATCH: usize = 1000;
/// The collection's name.
pub(super) const COLLECTION: &str = "bench";

/// Neighbours asked for.
const LIMIT: usize = 10;

/// What is asked for the neighbours of a vector.
pub(super) fn request(setting: Setting, vector: &[f32]) -> SearchRequest {
    let request = SearchRequest::new(vector).limit(LIMIT);
    match setting {
        Setting::Default => request,
        Setting::Ef(ef) => request.ef(ef),
        Setting::Exact => request.exact(true),
    }
}

/// Seconds that making the database took; nothing when it was there.
#[derive(Default)]
pub(super) struct Made {
    pub(super) load_s: Option<f64>,
    pub(super) merge_s: Option<f64>,
    pub(super) build_s: Option<f64>,
}

fn source(file: &Path) -> Outcome<Box<dyn RowSource>> {
    Ok(vdb_interop::open(file, &ReadOptions::default())?)
}

/// Rows of the file: by its header, else by reading it.
pub(super) fn row_count(file: &Path) -> Outcome<u64> {
    let mut rows = source(file)?;
    if let Some(total) = rows.progress().total_rows {
        return Ok(total);
    }
    rows.by_ref().try_for_each(|row| row.map(|_| ()))?;
    Ok(rows.progress().rows)
}

/// The vectors of the queries in the order of the split; of unit length under Cosine.
pub(super) fn read_queries(args: &Args, split: &Split) -> Outcome<Vec<Vec<f32>>> {
    let mut found = std::collections::HashMap::new();
    for (number, row) in (0..).zip(source(&args.data)?) {
        let row = row?;
        if split.is_query(number) {
            let mut vector = row.into_dense().unwrap_or_default();
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

/// Loads all rows but the queries and builds the graph, with a beam of `ef_construct`.
pub(super) fn make(db: &Database, args: &Args, ef_construct: u16, split: &Split, out: &Out) -> Outcome<Made> {
    let rows = source(&args.data)?;
    let total = rows.progress().total_rows;
    let dim = match rows.dim_hint() {
        Some(dim) => dim,
        None => match source(&args.data)?.next().transpose()?.and_then(Row::into_dense) {
            Some(vector) => vector.len(),
            None => {
                return Err(Failure::failed(format!(
                    "{}: no vectors in it",
                    args.data.display()
                )));
            }
        },
    };
    let collection =
        db.create_collection(COLLECTION, CollectionConfig::new(args.params(dim, ef_construct)))?;

    let started = Instant::now();
    let bar = progress::bar(out, "loading", total, Unit::Rows);
    let mut batch = Vec::with_capacity(BATCH);
    for (number, row) in (0_u64..).zip(rows) {
        let row = row?;
        bar.inc(1);
        if split.is_query(number) {
            continue;
        }
        batch.push(Point::new(number, row.into_dense().unwrap_or_default()));
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
pub(super) fn ground_truth(
    collection: &Collection,
    queries: &[Vec<f32>],
    out: &Out,
) -> Outcome<Vec<Vec<PointId>>> {
    let bar = progress::bar(out, "truth", Some(queries.len() as u64), Unit::Rows);
    let mut truth = Vec::with_capacity(queries.len());
    for some in queries.chunks(64) {
        interrupt::check()?;
        let requests: Vec<SearchRequest> = some
            .iter()
            .map(|vector| request(Setting::Exact, vector))
            .collect();
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
