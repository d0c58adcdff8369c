//! Exact scan: bytes a second, beside a plain sum over the same bytes.
#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vdb_benches::{clustered, sized};
use vdb_index::{TopK, flat};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

const DIM: usize = 384;
/// Queries that share a pass.
const QUERIES: usize = 16;
/// Larger than any cache: 128 MiB of `f32`.
const ROWS: usize = (128 << 20) / (DIM * 4);

fn scan(c: &mut Criterion) {
    let numbers = clustered(sized(ROWS), DIM, 200, 1);
    let mut group = c.benchmark_group("flat_scan");
    group.sample_size(10);
    for element in Element::ALL {
        let mut encoded = Vec::new();
        let scale = if element == Element::U8 { 40.0 } else { 1.0 };
        let shifted: Vec<f32> = numbers
            .iter()
            .map(|x| x * scale + if scale > 1.0 { 128.0 } else { 0.0 })
            .collect();
        encode_f32(&shifted, element, &mut encoded);
        let bytes = AlignedBuf::from_slice(&encoded);
        let Some(matrix) = MatrixView::new(element, DIM, &bytes) else {
            return;
        };
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("read/{element:?}"), |b| {
            b.iter(|| {
                let words = bytes
                    .chunks_exact(8)
                    .map(|w| u64::from_le_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]));
                black_box(words.fold(0u64, u64::wrapping_add))
            });
        });
        let kernel = Kernel::new(Metric::Dot, element);
        let queries: Vec<&[u8]> = bytes.chunks_exact(matrix.row_bytes()).take(QUERIES).collect();
        group.bench_function(format!("{QUERIES} x Dot/{element:?}"), |b| {
            b.iter(|| {
                let mut tops: Vec<TopK> = queries.iter().map(|_| TopK::new(10)).collect();
                flat::scan_many(&matrix, &kernel, &queries, 0..matrix.len(), None, &mut tops);
                black_box(tops)
            });
        });
        for metric in [Metric::Dot, Metric::L2, Metric::L1] {
            let kernel = Kernel::new(metric, element);
            let query = bytes[..matrix.row_bytes()].to_vec();
            group.bench_function(format!("{metric:?}/{element:?}"), |b| {
                b.iter(|| {
                    let mut top = TopK::new(10);
                    flat::scan(&matrix, &kernel, &query, 0..matrix.len(), None, &mut top);
                    black_box(top.into_sorted())
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
