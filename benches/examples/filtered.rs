//! Filtered searches through the embedded API: one JSON line a filter and width of the beam.
//!
//! ```text
//! cargo run --release -p vdb-benches --example filtered -- DIR VECTORS.npy PAYLOAD.jsonl SPLIT.npy [OPTIONS]
//! ```
//!
//! DIR is made from the other three when it is not there, and kept. Payloads need a keyword `pos`, an integer
//! `lexfile` and integers `lemmas` and `examples`, which stay without an index; `tags` are drawn by a hash of the row's
//! number, independent of the vectors. SPLIT lists the rows that are queries. One thread, ids only; per query the
//! fastest pass counts; recall is against the exact answer among the rows that match.
//!
//! Options: `--ef 16,32` (0 is the default beam), `--cells NAME;NAME`,
//! `--queries N`, `--passes N`.
#![allow(missing_docs, reason = "a program")]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use vdb::{
    Collection, CollectionConfig, Condition, Control, Database, Distance, Filter, PayloadIndexKind, Point,
    PointId, SearchRequest, VectorParams,
};
use vdb_interop::{Input, ReadOptions};

const LIMIT: usize = 10;
const BATCH: usize = 1000;
const TAGS: [(&str, f64); 4] = [("t50", 0.5), ("t10", 0.1), ("t1", 0.01), ("t01", 0.001)];

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A number in `0..1` that only the row and the tag decide.
fn drawn(row: u64, tag: u64) -> f64 {
    let mut x = row.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(tag + 1);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn cells() -> Vec<(String, Filter)> {
    let mut cells: Vec<(String, Filter)> = Vec::new();
    let mut one = |name: String, condition: Condition| cells.push((name, Filter::must([condition])));
    for (tag, _) in TAGS {
        one(format!("tags={tag}"), Condition::matches("tags", tag));
    }
    for pos in ["noun", "verb", "adj", "adv"] {
        one(format!("pos={pos}"), Condition::matches("pos", pos));
    }
    for lexfile in [18, 5, 30, 3, 40, 22] {
        one(
            format!("lexfile={lexfile}"),
            Condition::matches("lexfile", lexfile),
        );
    }
    // Without an index: most rows, some, few.
    one("lemmas=1".into(), Condition::matches("lemmas", 1));
    one("lemmas=3".into(), Condition::matches("lemmas", 3));
    one("lemmas>=6".into(), Condition::range("lemmas", 6.0..));
    let mut both = |name: &str, a: Condition, b: Condition| cells.push((name.into(), Filter::must([a, b])));
    let pos = |value: &str| Condition::matches("pos", value);
    both(
        "pos=noun,tags=t50",
        pos("noun"),
        Condition::matches("tags", "t50"),
    );
    both(
        "pos=verb,tags=t10",
        pos("verb"),
        Condition::matches("tags", "t10"),
    );
    both("pos=noun,lemmas=2", pos("noun"), Condition::matches("lemmas", 2));
    both("pos=verb,lemmas=1", pos("verb"), Condition::matches("lemmas", 1));
    both(
        "tags=t10,lemmas=1",
        Condition::matches("tags", "t10"),
        Condition::matches("lemmas", 1),
    );
    cells.push((
        "not noun".into(),
        Filter {
            must_not: vec![pos("noun")],
            ..Filter::default()
        },
    ));
    cells
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector
        .iter()
        .map(|x| f64::from(*x) * f64::from(*x))
        .sum::<f64>()
        .sqrt();
    vector
        .iter_mut()
        .for_each(|x| *x = (f64::from(*x) / length) as f32);
    vector
}

/// Makes the database, or opens it; the queries are in the order of the split.
fn open(dir: &Path, vectors: &Path, payload: &Path, split: &[u64]) -> Outcome<(Database, Vec<Vec<f32>>)> {
    let made = dir.exists();
    let db = Database::open(dir)?;
    let mut queries = vec![Vec::new(); split.len()];
    let place: std::collections::HashMap<u64, usize> = split.iter().copied().zip(0..).collect();
    let options = ReadOptions::default();
    if made {
        for (number, row) in (0_u64..).zip(vdb_interop::open(vectors, &options)?) {
            if let Some(&at) = place.get(&number) {
                queries[at] = unit(row?.vectors.into_values().next().unwrap_or_default());
            }
        }
        return Ok((db, queries));
    }
    let mut collection: Option<Collection> = None;
    let mut batch = Vec::new();
    for (number, row) in (0_u64..).zip(vdb_interop::open_with_payload(vectors, payload, &options)?) {
        let row = row?;
        let vector = row.vectors.into_values().next().unwrap_or_default();
        if let Some(&at) = place.get(&number) {
            queries[at] = unit(vector);
            continue;
        }
        if collection.is_none() {
            let config = CollectionConfig::new(VectorParams::new(vector.len(), Distance::Cosine));
            collection = Some(db.create_collection("bench", config)?);
        }
        let mut payload = row.payload.unwrap_or_default();
        let tags: Vec<&str> = (0..)
            .zip(TAGS)
            .filter(|(at, (_, share))| drawn(number, *at) < *share)
            .map(|(_, (tag, _))| tag)
            .collect();
        payload.insert("tags".into(), json!(tags));
        batch.push(Point::new(number, vector).payload(payload.into())?);
        if batch.len() == BATCH
            && let Some(collection) = &collection
        {
            collection.upsert(std::mem::take(&mut batch))?;
        }
    }
    let collection = collection.ok_or("no rows that are not queries")?;
    collection.upsert(batch)?;
    collection.create_payload_index("pos", PayloadIndexKind::Keyword)?;
    collection.create_payload_index("lexfile", PayloadIndexKind::Integer)?;
    collection.create_payload_index("tags", PayloadIndexKind::Keyword)?;
    collection.flush()?;
    collection.optimize(&Control::none())?;
    Ok((db, queries))
}

fn ids(collection: &Collection, request: &SearchRequest) -> Outcome<Vec<PointId>> {
    Ok(collection
        .search(request)?
        .into_iter()
        .map(|point| point.id)
        .collect())
}

fn main() -> Outcome<()> {
    let mut args = std::env::args().skip(1);
    let mut files = Vec::new();
    let (mut efs, mut names, mut count, mut passes) =
        (vec![0, 16, 24, 32, 64, 128, 256, 512], Vec::new(), 300, 4);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--ef" => efs = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--cells" => names = value()?.split(';').map(str::to_owned).collect(),
            "--queries" => count = value()?.parse()?,
            "--passes" => passes = value()?.parse()?,
            _ => files.push(arg),
        }
    }
    let [dir, vectors, payload, split] = files.as_slice() else {
        return Err("expected a directory, vectors, payloads and a split".into());
    };
    let split = vdb_interop::read_row_numbers(Input::open(Path::new(split))?, u64::MAX)?;
    let (db, mut queries) = open(Path::new(dir), Path::new(vectors), Path::new(payload), &split)?;
    queries.truncate(count);
    let collection = db.collection("bench")?;
    let rows = collection.count(None)?;
    let mut out = std::io::stdout().lock();
    for (name, filter) in cells() {
        if !(names.is_empty() || names.contains(&name)) {
            continue;
        }
        let matching = collection.count(Some(&filter))?;
        let request = |vector: &[f32]| SearchRequest::new(vector).limit(LIMIT).filter(filter.clone());
        let truth: Vec<Vec<PointId>> = queries
            .iter()
            .map(|vector| ids(&collection, &request(vector).exact(true)))
            .collect::<Outcome<_>>()?;
        let wanted: usize = truth.iter().map(Vec::len).sum();
        for &ef in &efs {
            let requests: Vec<SearchRequest> = queries
                .iter()
                .map(|vector| {
                    if ef == 0 {
                        request(vector)
                    } else {
                        request(vector).ef(ef)
                    }
                })
                .collect();
            let mut hits = 0;
            for (request, truth) in requests.iter().zip(&truth) {
                hits += ids(&collection, request)?
                    .iter()
                    .filter(|id| truth.contains(id))
                    .count();
            }
            let mut best = vec![f64::INFINITY; requests.len()];
            for _ in 0..passes {
                for (request, best) in requests.iter().zip(&mut best) {
                    let started = Instant::now();
                    std::hint::black_box(collection.search(request)?);
                    *best = best.min(started.elapsed().as_secs_f64() * 1e6);
                }
            }
            let mean = best.iter().sum::<f64>() / best.len().max(1) as f64;
            best.sort_by(f64::total_cmp);
            let p99 = best.get((best.len() * 99 / 100).min(best.len().saturating_sub(1)));
            let line = json!({
                "filter": name,
                "share": (matching as f64 / rows as f64 * 1e5).round() / 1e5,
                "ef": if ef == 0 { json!("default") } else { json!(ef) },
                "recall": (hits as f64 / wanted.max(1) as f64 * 1e4).round() / 1e4,
                "qps": (1e6 / mean).round(),
                "mean_us": (mean * 10.0).round() / 10.0,
                "p99_us": p99.map(|p99| (p99 * 10.0).round() / 10.0),
            });
            writeln!(out, "{line}")?;
            out.flush()?;
        }
    }
    Ok(())
}
