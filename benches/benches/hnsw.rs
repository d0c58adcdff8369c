//! Graph walk and graph build. What a graph finds is printed: runs are compared by the names of benchmarks, which must stay.
#![expect(clippy::print_stderr, reason = "it says what its graph finds")]
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use vdb_benches::{clustered, sized};
use vdb_index::hnsw::{HnswParams, Scratch, SearchParams, build, search};
use vdb_index::{Control, RowBits, TopK, flat};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

const DIM: usize = 128;
const QUERIES: usize = 200;
const K: usize = 10;

fn encoded(numbers: &[f32]) -> AlignedBuf {
    let mut bytes = Vec::new();
    encode_f32(numbers, Element::F32, &mut bytes);
    AlignedBuf::from_slice(&bytes)
}

fn walk(c: &mut Criterion) {
    let count = sized(20_000);
    let numbers = clustered(count + QUERIES, DIM, 300, 7);
    let rows = encoded(&numbers[..count * DIM]);
    let queries = encoded(&numbers[count * DIM..]);
    let views = (
        MatrixView::new(Element::F32, DIM, &rows),
        MatrixView::new(Element::F32, DIM, &queries),
    );
    let (Some(matrix), Some(queries)) = views else {
        return;
    };
    let kernel = Kernel::new(Metric::L2, Element::F32);
    let Ok(pool) = rayon::ThreadPoolBuilder::new().build() else {
        return;
    };

    let mut group = c.benchmark_group("hnsw");
    group.sample_size(10);
    let params = HnswParams::default();
    group.bench_function(format!("build {count} x {DIM}"), |b| {
        b.iter(|| build(&matrix, Metric::L2, &params, &pool, &Control::none()).is_ok())
    });
    let Ok(graph) = build(&matrix, Metric::L2, &params, &pool, &Control::none()) else {
        return;
    };
    let mut scratch = Scratch::default();
    for ef in [16, 64, 256] {
        let params = SearchParams::new(K).ef(ef);
        let mut found = 0;
        for query in (0..queries.len()).filter_map(|q| queries.row(q)) {
            let mut top = TopK::new(K);
            flat::scan(&matrix, &kernel, query, 0..matrix.len(), None, &mut top);
            let hits = search(
                graph.view(),
                &matrix,
                &kernel,
                query,
                &params,
                None::<&RowBits>,
                &mut scratch,
            )
            .hits;
            found += top
                .into_sorted()
                .iter()
                .filter(|near| hits.contains(near))
                .count();
        }
        let recall = found as f64 / (K * QUERIES) as f64;
        let mut next = 0;
        // Not in the name, by which runs are compared.
        eprintln!("walk ef {ef}: recall {recall:.3}");
        group.bench_function(format!("walk ef {ef}"), |b| {
            b.iter(|| {
                next = (next + 1) % queries.len();
                let query = queries.row(next).unwrap_or_default();
                black_box(search(
                    graph.view(),
                    &matrix,
                    &kernel,
                    query,
                    &params,
                    None::<&RowBits>,
                    &mut scratch,
                ))
            })
        });
    }
    group.finish();
}

criterion_group!(benches, walk);
criterion_main!(benches);
