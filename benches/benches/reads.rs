//! Points by id, pages of a scroll, counts, searches one by one and in a batch, opening: through the embedded API.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use std::hint::black_box;
use vdb::{
    Collection, CollectionConfig, Condition, Control, Database, Distance, Filter, PayloadIndexKind, Point,
    PointId, ScrollRequest, SearchRequest, Select, VectorParams,
};
use vdb_benches::{clustered, sized};

const DIM: usize = 128;
const BATCH: usize = 64;

/// A collection whose segments are merged and indexed, in a directory that goes with the answer.
fn filled(dir: &std::path::Path, rows: usize) -> vdb::Result<(Database, Collection)> {
    let db = Database::builder().background(false).open(dir)?;
    let config = CollectionConfig::new(VectorParams::new(DIM, Distance::Cosine));
    let collection = db.create_collection("points", config)?;
    let vectors = clustered(rows, DIM, 200, 1);
    let mut points = vectors.chunks_exact(DIM).zip(0u64..).map(|(vector, id)| {
        let payload = json!({"group": id % 10, "name": format!("point {id}"), "tags": ["a", "b"]});
        Point::new(id, vector.to_vec()).payload(payload)
    });
    loop {
        let batch: Vec<Point> = points.by_ref().take(1_000).collect::<vdb::Result<_>>()?;
        if batch.is_empty() {
            break;
        }
        collection.upsert(batch)?;
    }
    collection.create_payload_index("group", PayloadIndexKind::Integer)?;
    collection.optimize(&Control::none())?;
    Ok((db, collection))
}

fn reads(c: &mut Criterion) {
    let Ok(dir) = tempfile::tempdir() else { return };
    let path = dir.path().join("db");
    let rows = sized(50_000);
    let Ok((db, collection)) = filled(&path, rows) else {
        return;
    };
    let mut group = c.benchmark_group("reads");
    let ids: Vec<PointId> = (0..100u64)
        .map(|at| PointId::from(at * 7_919 % rows as u64))
        .collect();
    for (name, select) in [
        ("ids", Select::default()),
        ("payload", Select::payload()),
        ("all", Select::all()),
    ] {
        group.throughput(Throughput::Elements(100));
        group.bench_function(format!("get 100, {name}"), |b| {
            b.iter(|| black_box(collection.get(&ids, &select)));
        });
    }
    let mut start = 0u64;
    for limit in [10usize, 1_000] {
        group.throughput(Throughput::Elements(limit as u64));
        group.bench_function(format!("scroll {limit}, payload"), |b| {
            b.iter(|| {
                start = (start + 7_919) % (rows - limit) as u64;
                black_box(collection.scroll(&ScrollRequest::new().offset(start).limit(limit)))
            });
        });
    }
    let filter = Filter::must([Condition::matches("group", 3)]);
    group.throughput(Throughput::Elements(1));
    group.bench_function("count of an indexed tenth", |b| {
        b.iter(|| black_box(collection.count(Some(&filter))));
    });
    let queries = clustered(BATCH, DIM, 200, 1);
    let requests: Vec<SearchRequest> = queries
        .chunks_exact(DIM)
        .map(|query| SearchRequest::new(query).limit(10))
        .collect();
    let exact: Vec<SearchRequest> = requests
        .iter()
        .map(|request| request.clone().exact(true))
        .collect();
    for (name, requests) in [("graph", &requests), ("exact", &exact)] {
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(format!("search {BATCH} one by one, {name}"), |b| {
            b.iter(|| {
                for request in requests {
                    let _ = black_box(collection.search(request));
                }
            });
        });
        group.bench_function(format!("search {BATCH} in a batch, {name}"), |b| {
            b.iter(|| black_box(collection.search_batch(requests)));
        });
    }
    drop(collection);
    let _ = db.close();
    group.throughput(Throughput::Elements(1));
    group.bench_function("open and close", |b| {
        b.iter(|| {
            Database::builder()
                .background(false)
                .open(&path)
                .and_then(Database::close)
        });
    });
    group.finish();
}

criterion_group!(benches, reads);
criterion_main!(benches);
