//! Multivectors: one comparison, the scan of all documents, and the search of a graph over encodings. Recall stands in the
//! benchmark's name, so that a faster search that finds less is seen.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vdb_benches::{clustered, sized};
use vdb_index::hnsw::HnswParams;
use vdb_index::multi::{Fde, FdeParams, MultiParams, MultiScratch, MultiVectors, build, scan_rows, search};
use vdb_index::{Control, Result, TopK};
use vdb_sys::element::{Element, encode_f32};
use vdb_sys::kernel::{Kernel, MaxSim, Metric, UNIT_LENGTH_MOST};

const DIM: usize = 128;
const VECTOR_BYTES: usize = DIM * 4;
/// Vectors of a document.
const TOKENS: usize = 40;
/// Vectors of a query.
const ASKED: usize = 32;
const QUERIES: usize = 20;
const K: usize = 10;

/// Documents of equal length, back to back.
struct Documents(Vec<u8>);

impl MultiVectors for Documents {
    fn multi(&self, row: u32) -> Result<Option<&[u8]>> {
        let start = row as usize * TOKENS * VECTOR_BYTES;
        Ok(self.0.get(start..start + TOKENS * VECTOR_BYTES))
    }

    fn all_have(&self) -> bool {
        true
    }
}

/// Vectors of unit length around centres; those of one document have neighbouring centres.
fn vectors(count: usize, seed: u64) -> Vec<u8> {
    let numbers = clustered(count, DIM, 500, seed);
    let mut bytes = Vec::new();
    for vector in numbers.chunks_exact(DIM) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        let unit: Vec<f32> = vector.iter().map(|x| x / length).collect();
        encode_f32(&unit, Element::F32, &mut bytes);
    }
    bytes
}

fn compare(c: &mut Criterion) {
    let mut group = c.benchmark_group("maxsim 32 x 100 x 128");
    group.throughput(Throughput::Elements((ASKED * 100) as u64));
    for element in Element::ALL {
        let (mut query, mut document) = (Vec::new(), Vec::new());
        let numbers = clustered(ASKED + 100, DIM, 50, 3);
        encode_f32(&numbers[..ASKED * DIM], element, &mut query);
        encode_f32(&numbers[ASKED * DIM..], element, &mut document);
        let bytes = DIM * element.size();
        let kernel = Kernel::new(Metric::Dot, element);
        let maxsim = MaxSim::new(kernel, &query, bytes);
        group.bench_function(format!("{element:?}, in blocks"), |b| {
            b.iter(|| black_box(maxsim.score(&document)));
        });
        group.bench_function(format!("{element:?}, pair by pair"), |b| {
            b.iter(|| {
                let best = |one| {
                    let scores = document.chunks_exact(bytes).map(|other| kernel.score(one, other));
                    f64::from(scores.fold(f32::MIN, f32::max))
                };
                black_box(query.chunks_exact(bytes).map(best).sum::<f64>())
            });
        });
    }
    group.finish();
}

fn find(c: &mut Criterion) {
    let count = sized(4_000);
    let bytes = vectors(count * TOKENS + QUERIES * ASKED, 5);
    let (documents, asked) = bytes.split_at(count * TOKENS * VECTOR_BYTES);
    let documents = Documents(documents.to_vec());
    let kernel = Kernel::new(Metric::Dot, Element::F32);
    let queries: Vec<MaxSim<'_>> = asked
        .chunks_exact(ASKED * VECTOR_BYTES)
        .map(|query| MaxSim::new(kernel, query, VECTOR_BYTES))
        .collect();
    let rows = count as u32;
    let scan = |query: &MaxSim<'_>| {
        let mut top = TopK::new(K);
        let _ = scan_rows(&documents, query, 0..rows, None, &Control::none(), &mut top);
        top.into_sorted()
    };
    let mut group = c.benchmark_group(format!("multi {count} x {TOKENS} x {DIM}"));
    group.sample_size(10);
    let mut next = (0..queries.len()).cycle();
    let mut turn = move || next.next().unwrap_or(0);
    group.bench_function("scan", |b| b.iter(|| black_box(scan(&queries[turn()]))));
    let bounded: Vec<MaxSim<'_>> = queries
        .iter()
        .map(|query| query.clone().longest(UNIT_LENGTH_MOST))
        .collect();
    group.bench_function("scan, lengths known", |b| {
        b.iter(|| black_box(scan(&bounded[turn()])));
    });

    let Ok(pool) = rayon::ThreadPoolBuilder::new().build() else {
        return;
    };
    let Ok(fde) = Fde::new(DIM, Element::F32, Metric::Dot, FdeParams::default()) else {
        return;
    };
    let params = HnswParams::default();
    let Ok(graph) = build(&fde, &documents, rows, &params, &pool, &Control::none()) else {
        return;
    };
    let mut scratch = MultiScratch::default();
    let mut ask = |query: &MaxSim<'_>, params: &MultiParams| {
        let of = (&fde, &documents);
        let found = search(
            graph.view(),
            of,
            query,
            params,
            None,
            &Control::none(),
            &mut scratch,
        );
        found.map(|found| found.hits).unwrap_or_default()
    };
    for candidates in [50, 150, 400] {
        let params = MultiParams {
            candidates,
            ef: 2 * candidates,
            ..MultiParams::new(K)
        };
        let found: usize = queries
            .iter()
            .map(|query| {
                let hits = ask(query, &params);
                scan(query).iter().filter(|near| hits.contains(near)).count()
            })
            .sum();
        let recall = found as f64 / (K * QUERIES) as f64;
        group.bench_function(format!("candidates {candidates} recall {recall:.3}"), |b| {
            b.iter(|| black_box(ask(&queries[turn()], &params)));
        });
    }
    group.finish();
}

criterion_group!(benches, compare, find);
criterion_main!(benches);
