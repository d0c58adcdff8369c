//! Distance kernels: every metric and element type on every instruction set that this CPU has.
//!
//! `score` is one row in the cache; `score_rows` scans a matrix much larger than the caches, which
//! the speed of memory bounds; `score_rows_multi` does so for 8 queries at once; `score_gather`
//! picks rows of that matrix at random, as a graph walk does. Throughput is bytes of rows (for
//! several queries: counted once).
//!
//! The group `read` is what the machine can do: plain reads of as many bytes from the same places, `cached` by comparing
//! with a copy (the C library picks the widest instructions for it), `scan` and `gather` by adding up words.
//! `vdb-compare kernels` shows each kernel's share of them.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use vdb_benches::sized;
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView};
use vdb_sys::kernel::packed::{Bits, Finish, PackedKernel};
use vdb_sys::kernel::sad::SadKernel;
use vdb_sys::kernel::{Isa, Kernel, Metric};

/// Dimensions measured; also numbers of codes.
const DIMS: [usize; 2] = [128, 768];
/// Size of the matrix that is scanned.
const MATRIX_BYTES: usize = 256 << 20;
/// Rows scored in one call where they are picked at random.
const GATHERED: usize = 32;
/// Queries scored in one pass.
const QUERIES: usize = 8;

/// Bytes that are small, finite numbers in every element type.
fn bytes(len: usize) -> AlignedBuf {
    let mut buf = AlignedBuf::zeroed(len);
    for (i, byte) in buf.iter_mut().enumerate() {
        *byte = (i % 61) as u8;
    }
    buf
}

/// Row numbers without a pattern that a prefetcher could follow: a multiplicative generator. As many as there are rows: of fewer,
/// all that was read once would be in the caches from then on.
fn random_rows(below: u32) -> Vec<u32> {
    let count = (below as usize / GATHERED).max(1) * GATHERED;
    let mut state = 1u64;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 32) % u64::from(below)) as u32
        })
        .collect()
}

fn kernels() -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for metric in Metric::ALL {
        for element in Element::ALL {
            if metric == Metric::CosineU8 && element != Element::U8 {
                continue;
            }
            for isa in Isa::ALL {
                kernels.extend(Kernel::with_isa(metric, element, isa));
            }
        }
    }
    kernels
}

fn name(kernel: &Kernel) -> String {
    format!(
        "{:?}-{:?}-{}",
        kernel.metric(),
        kernel.element(),
        kernel.isa_name()
    )
}

fn rows(criterion: &mut Criterion) {
    let memory = bytes(sized(MATRIX_BYTES));
    for dim in DIMS {
        for kernel in kernels() {
            let element = kernel.element();
            let row_bytes = dim * element.size();
            let rows = memory.len() / row_bytes;
            let Some(matrix) = MatrixView::new(element, dim, &memory[..rows * row_bytes]) else {
                unreachable!("whole rows, aligned")
            };
            let query = AlignedBuf::from_slice(&memory[..row_bytes]);
            let queries = [&query[..]; QUERIES];
            let mut group = criterion.benchmark_group(format!("{dim}/{}", name(&kernel)));

            group.throughput(Throughput::Bytes(row_bytes as u64));
            group.bench_function("score", |bencher| {
                let row = query.clone();
                bencher.iter(|| kernel.score(black_box(&query), black_box(&row)));
            });

            let picked: Vec<&[u8]> = random_rows(matrix.len())
                .into_iter()
                .filter_map(|row| matrix.row(row))
                .collect();
            let mut next = picked.chunks_exact(GATHERED).cycle();
            let mut scores = vec![0.0; rows * QUERIES];
            group.throughput(Throughput::Bytes((GATHERED * row_bytes) as u64));
            group.bench_function("score_gather", |bencher| {
                bencher.iter(|| {
                    if let Some(rows) = next.next() {
                        kernel.score_gather(&query, rows, &mut scores[..GATHERED]);
                    }
                });
            });

            group.throughput(Throughput::Bytes(matrix.bytes().len() as u64));
            group.bench_function("score_rows", |bencher| {
                bencher.iter(|| kernel.score_rows(&query, matrix.bytes(), &mut scores[..rows]));
            });
            group.bench_function(BenchmarkId::new("score_rows_multi", QUERIES), |bencher| {
                bencher.iter(|| kernel.score_rows_multi(&queries, matrix.bytes(), &mut scores));
            });
            group.finish();
        }
    }
}

/// The words of some bytes, added up.
fn sum(bytes: &[u8]) -> u64 {
    let words = bytes
        .chunks_exact(8)
        .map(|w| u64::from_le_bytes([w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]]));
    words.fold(0, u64::wrapping_add)
}

/// Rows of codes in order, four at a time.
fn fours(memory: &[u8], len: usize) -> impl Iterator<Item = [&[u8]; 4]> {
    memory
        .chunks_exact(4 * len)
        .map(move |rows| std::array::from_fn(|row| &rows[row * len..][..len]))
}

/// Plain reads of every size that a kernel below goes over.
fn reads(criterion: &mut Criterion) {
    let memory = bytes(sized(MATRIX_BYTES));
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Bytes(memory.len() as u64));
    group.bench_function("scan", |bencher| {
        bencher.iter(|| black_box(sum(black_box(&memory))))
    });

    let widths = [Element::U8, Element::F16, Element::F32].map(Element::size);
    let mut rows: Vec<usize> = DIMS
        .iter()
        .flat_map(|dim| widths.map(|size| dim * size))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let mut cached = [rows.clone(), DIMS.map(|len| 4 * len).to_vec()].concat();
    cached.sort_unstable();
    cached.dedup();
    for len in cached {
        // Two streams of half as many bytes each.
        let one = bytes(len / 2);
        let other = one.clone();
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("cached/{len}"), |bencher| {
            bencher.iter(|| black_box(&one[..]) == black_box(&other[..]));
        });
    }
    for len in rows {
        let count = (memory.len() / len) as u32;
        let picked = random_rows(count);
        let mut next = picked.chunks_exact(GATHERED).cycle();
        group.throughput(Throughput::Bytes((GATHERED * len) as u64));
        group.bench_function(format!("gather/{}", GATHERED * len), |bencher| {
            bencher.iter(|| {
                let rows = next.next().unwrap_or_default().iter();
                let sums = rows.map(|row| sum(&memory[*row as usize * len..][..len]));
                black_box(sums.fold(0, u64::wrapping_add))
            });
        });
    }
    group.finish();
}

/// Codes of each width: `dot` is one row in the cache, `dot4` four of them; `dot4_scan` goes over the matrix, and
/// `score_rows_gather` picks rows of it at random, in one call.
fn codes(criterion: &mut Criterion) {
    let memory = bytes(sized(MATRIX_BYTES));
    for len in DIMS {
        let rows = bytes(4 * len);
        let (row, _) = rows.split_at(len);
        let four: [&[u8]; 4] = std::array::from_fn(|i| &rows[i * len..(i + 1) * len]);
        let picked = random_rows((memory.len() / len) as u32);
        let scanned = Throughput::Bytes((memory.len() / (4 * len) * 4 * len) as u64);
        let kernels = Bits::ALL.into_iter().flat_map(|bits| {
            Isa::ALL
                .into_iter()
                .filter_map(move |isa| PackedKernel::with_isa(isa, bits))
        });
        for kernel in kernels {
            let query = vec![3i8; len * kernel.bits().codes_a_byte()];
            let name = format!("{len}/codes-{}-{}", kernel.bits().get(), kernel.isa().name());
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function("dot", |bencher| {
                bencher.iter(|| kernel.dot(black_box(row), black_box(&query)));
            });
            group.throughput(Throughput::Bytes(4 * len as u64));
            group.bench_function("dot4", |bencher| {
                bencher.iter(|| kernel.dot4(black_box(four), black_box(&query)));
            });
            group.throughput(Throughput::Bytes((GATHERED * len) as u64));
            let finish = Finish {
                scale: 1.0,
                step: 1,
                excess: 0,
            };
            let (mut next, mut scores) = (picked.chunks_exact(GATHERED).cycle(), [0.0; GATHERED]);
            group.bench_function("score_rows_gather", |bencher| {
                bencher.iter(|| {
                    let rows = next.next().unwrap_or_default();
                    kernel.score_rows(&memory, rows, &query, finish, &mut scores);
                });
            });
            group.throughput(scanned.clone());
            group.bench_function("dot4_scan", |bencher| {
                bencher.iter(|| {
                    for four in fours(&memory, len) {
                        black_box(kernel.dot4(four, &query));
                    }
                });
            });
            group.finish();
        }

        let query = vec![3u8; len];
        for kernel in Isa::ALL.into_iter().filter_map(SadKernel::with_isa) {
            let mut group = criterion.benchmark_group(format!("{len}/sad-{}", kernel.isa().name()));
            group.throughput(Throughput::Bytes(len as u64));
            group.bench_function("sad", |bencher| {
                bencher.iter(|| kernel.sad(black_box(row), black_box(&query)));
            });
            group.throughput(Throughput::Bytes(4 * len as u64));
            group.bench_function("sad4", |bencher| {
                bencher.iter(|| kernel.sad4(black_box(four), black_box(&query)));
            });
            group.throughput(scanned.clone());
            group.bench_function("sad4_scan", |bencher| {
                bencher.iter(|| {
                    for four in fours(&memory, len) {
                        black_box(kernel.sad4(four, &query));
                    }
                });
            });
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = reads, codes, rows
}
criterion_main!(benches);
