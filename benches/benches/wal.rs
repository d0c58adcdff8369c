//! The log on a real disk: records appended, records made durable, writers that share a sync, records read back.
//!
//! Runs in the target directory, which is on a disk more often than the system's directory for temporary files.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its disk has nothing to measure"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use vdb_benches::sized;
use vdb_vfs::{DynDisk, OsDisk};
use vdb_wal::{Item, Wal, WalOptions};

/// A small write, a page, and a batch of 1000 points of 384 f32 each.
const SIZES: [usize; 3] = [200, 8 << 10, 1_536_000];

struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory to write to");
        Bench { dir }
    }

    fn disk(&self) -> DynDisk {
        Arc::new(OsDisk::open(self.dir.path(), true).expect("the directory opens"))
    }

    fn wal(&self) -> Wal {
        Wal::open(self.disk(), "wal", WalOptions::default())
            .expect("the log opens")
            .0
    }
}

/// Appends a record and keeps the log from filling the disk.
fn append(wal: &Wal, body: &[u8]) -> u64 {
    let lsn = wal.append(1, 1, &[body]).expect("the record is taken");
    if wal.bytes() > 512 << 20 {
        wal.release(lsn).expect("old files go");
    }
    lsn
}

fn one_writer(c: &mut Criterion) {
    for sync in [false, true] {
        let mut group = c.benchmark_group(if sync { "wal/append+sync" } else { "wal/append" });
        for size in SIZES {
            let bench = Bench::new();
            let wal = bench.wal();
            let body = vec![0x5a; size];
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| {
                    let lsn = append(&wal, &body);
                    if sync {
                        wal.sync(lsn).expect("the record is durable");
                    }
                });
            });
        }
        group.finish();
    }
}

/// Time a record when so many threads each append and sync one after another.
fn group_commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("wal/group commit");
    group.throughput(Throughput::Elements(1));
    for writers in [1, 4, 16, 64] {
        let bench = Bench::new();
        let wal = bench.wal();
        let body = [0x5a; 200];
        group.bench_function(BenchmarkId::from_parameter(writers), |b| {
            b.iter_custom(|records| {
                let each = records.div_ceil(writers);
                let start = Instant::now();
                thread::scope(|scope| {
                    for _ in 0..writers {
                        scope.spawn(|| {
                            for _ in 0..each {
                                let lsn = append(&wal, &body);
                                wal.sync(lsn).expect("the record is durable");
                            }
                        });
                    }
                });
                start.elapsed().mul_f64(records as f64 / (each * writers) as f64)
            });
        });
    }
    group.finish();
}

/// Opening a log of 48 MB and reading all of it.
fn recovery(c: &mut Criterion) {
    let mut group = c.benchmark_group("wal/recover");
    for size in SIZES {
        let bench = Bench::new();
        let wal = bench.wal();
        let body = vec![0x5a; size];
        let records = sized(48 << 20) as u64 / (size as u64 + 40);
        for _ in 0..records {
            append(&wal, &body);
        }
        wal.close().expect("the log closes");
        group.throughput(Throughput::Bytes(wal.bytes()));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                let (_wal, mut recovered) =
                    Wal::open(bench.disk(), "wal", WalOptions::default()).expect("the log opens");
                let mut read = 0;
                while let Some(Item::Frame(frame)) = recovered.next_item().expect("the log is sound") {
                    black_box(frame.body);
                    read += 1;
                }
                assert_eq!(read, records);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = one_writer, group_commit, recovery
}
criterion_main!(benches);
