//! How long do searches take while rows come in?
//!
//! `cargo run --release -p vdb-benches --example search_while_writing -- VECTORS DIR [RATE] [SECONDS] [STORED] [BATCH]`
//!
//! A database in the new directory DIR is given STORED rows and optimized; then one thread upserts further ones, RATE
//! a second (0: as fast as it can) in batches of BATCH, and another one searches. Every second: rows and searches of that
//! second, the median and the 99th percentile of their microseconds, segments, rows without a graph, MiB in memory.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vdb::{Collection, CollectionConfig, Control, Database, Distance, Point, SearchRequest, VectorParams};
use vdb_interop::{ReadOptions, open};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Searched by, and not stored.
const QUERIES: usize = 1_000;

struct Settings {
    rate: u64,
    seconds: u64,
    stored: usize,
    batch: usize,
}

fn micros(sorted: &[u64], share: f64) -> u64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .map_or(0, |nanos| nanos / 1_000)
}

/// Upserts rows from `next` on, over and over under new ids, until told to stop.
fn write(
    c: &Collection,
    rows: &[Vec<f32>],
    set: &Settings,
    stop: &AtomicBool,
    written: &AtomicU64,
) -> Fallible<()> {
    let start = Instant::now();
    let mut next = set.stored as u64;
    while !stop.load(Ordering::Relaxed) {
        let sent = written.load(Ordering::Relaxed);
        if set.rate > 0 {
            let due = Duration::from_secs_f64(sent as f64 / set.rate as f64);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        let ids = next..next + set.batch as u64;
        let points = ids
            .map(|id| Point::new(id, rows[id as usize % rows.len()].clone()))
            .collect();
        c.upsert(points)?;
        next += set.batch as u64;
        written.fetch_add(set.batch as u64, Ordering::Relaxed);
    }
    Ok(())
}

fn watch(c: &Collection, queries: &[Vec<f32>], set: &Settings, written: &AtomicU64) -> Fallible<()> {
    let mut all = Vec::new();
    let mut asked = queries.iter().cycle();
    let mut before = 0;
    for second in 1..=set.seconds {
        let start = Instant::now();
        let mut took = Vec::new();
        while start.elapsed() < Duration::from_secs(1) {
            let Some(query) = asked.next() else { break };
            let request = SearchRequest::new(query.clone());
            let began = Instant::now();
            c.search(&request)?;
            took.push(began.elapsed().as_nanos() as u64);
        }
        took.sort_unstable();
        let info = c.info()?;
        let rows: u64 = info.segments.iter().map(|s| u64::from(s.rows)).sum();
        let now = written.load(Ordering::Relaxed);
        println!(
            "{second:3} s: {:7} rows, {:6} searches, p50 {:5} us, p99 {:6} us; {:2} segments, {:6} rows without a graph, {:3} MiB in memory{}",
            now - before,
            took.len(),
            micros(&took, 0.5),
            micros(&took, 0.99),
            info.segments.len(),
            rows - info.indexed_vectors,
            info.memtable_bytes >> 20,
            info.progress.map_or(String::new(), |p| format!("; {}", p.job)),
        );
        before = now;
        all.extend(took);
    }
    all.sort_unstable();
    println!(
        "all: {} searches, p50 {} us, p99 {} us, p99.9 {} us; {} rows/s",
        all.len(),
        micros(&all, 0.5),
        micros(&all, 0.99),
        micros(&all, 0.999),
        before / set.seconds
    );
    Ok(())
}

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(vectors), Some(dir)) = (args.first(), args.get(1)) else {
        return Err("which file of vectors, and which directory?".into());
    };
    let number = |at: usize, default: u64| args.get(at).map_or(Ok(default), |n| n.parse());
    let set = Settings {
        rate: number(2, 0)?,
        seconds: number(3, 10)?,
        stored: number(4, 50_000)? as usize,
        batch: number(5, 100)?.max(1) as usize,
    };
    let mut rows = Vec::new();
    for row in open(vectors.as_ref(), &ReadOptions::default())? {
        rows.extend(row?.into_dense());
    }
    // Spread over the file, whose neighbours may be alike.
    let every = (rows.len() / QUERIES).max(1);
    let (mut queries, mut stored) = (Vec::new(), Vec::new());
    for (at, row) in rows.into_iter().enumerate() {
        if at % every == 0 {
            queries.push(row)
        } else {
            stored.push(row)
        }
    }
    let dim = stored.first().ok_or("no rows")?.len();
    let db = Database::builder().open(Path::new(dir))?;
    let c = db.create_collection(
        "c",
        CollectionConfig::new(VectorParams::new(dim, Distance::Cosine)),
    )?;
    for first in (0..set.stored).step_by(1_000) {
        let ids = first..(first + 1_000).min(set.stored);
        c.upsert(
            ids.map(|id| Point::new(id as u64, stored[id % stored.len()].clone()))
                .collect(),
        )?;
    }
    c.optimize(&Control::none())?;
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&c, &stored, &set, &stop, &written));
        let watched = watch(&c, &queries, &set, &written);
        stop.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| "the writer panicked")??;
        watched
    })
}
