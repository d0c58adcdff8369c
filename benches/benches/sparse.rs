//! Sparse vectors: the pruned search beside sums over every posting and scores of every row.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(
    clippy::print_stderr,
    reason = "how much was pruned is said beside how long it took"
)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::collections::HashMap;
use std::hint::black_box;
use vdb_benches::{SparseSet, Words, sized};
use vdb_index::sparse::{Frequencies, Scratch, SparseIndex, SparseQuery, scan_rows, write};
use vdb_index::{Control, TopK};
use vdb_sys::sparse::SparseView;
use vdb_vfs::MemDisk;

/// Words of the language.
const WORDS: u32 = 30_000;
/// Words of a text, repeats included.
const TEXT: usize = 40;
const QUERIES: usize = 64;
const K: usize = 10;

fn search(c: &mut Criterion) {
    let count = sized(100_000) as u32;
    let mut words = Words::new(WORDS, 1);
    let rows = SparseSet::draw(&mut words, count, TEXT);
    let Ok(pool) = rayon::ThreadPoolBuilder::new().build() else {
        return;
    };
    let (disk, control) = (MemDisk::new(), Control::none());
    let build = || write(&disk, "index", count, || rows.iter(), &pool, &control);
    let mut group = c.benchmark_group("sparse_build");
    group
        .sample_size(10)
        .throughput(Throughput::Elements(u64::from(count)));
    group.bench_function("write", |b| b.iter(|| black_box(build().map(|info| info.len))));
    group.finish();
    let Ok(index) = build().and_then(|_| SparseIndex::open(&disk, "index", count)) else {
        return;
    };
    let lists = Lists::of(&rows);
    // Words as often as texts have them, weighted as rare ones are told from frequent ones; and all alike.
    let queries: Vec<(Vec<u32>, Vec<f32>)> = (0..QUERIES).map(|at| words.text(6 + at % 5)).collect();
    let weighted: Vec<(Vec<u32>, Vec<f32>)> = queries
        .iter()
        .map(|(words, weights)| {
            let mut frequencies = Frequencies::new(words);
            let _ = frequencies.add(&index);
            let all = frequencies.rows_with_vector() as f64;
            let idf = frequencies
                .iter()
                .map(|(_, rows)| ((all - rows as f64 + 0.5) / (rows as f64 + 0.5) + 1.0).ln() as f32);
            (
                words.clone(),
                weights
                    .iter()
                    .zip(idf)
                    .map(|(weight, idf)| weight * idf)
                    .collect(),
            )
        })
        .collect();
    let mut group = c.benchmark_group("sparse_search");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(QUERIES as u64));
    for (name, queries) in [("plain", &queries), ("idf", &weighted)] {
        let views: Vec<SparseView<'_>> = queries
            .iter()
            .filter_map(|(words, weights)| SparseView::new(words, weights))
            .collect();
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        let (mut scored, mut all) = (0, 0);
        group.bench_function(format!("{name}/pruned"), |b| {
            b.iter(|| {
                for &vector in &views {
                    let query = SparseQuery {
                        vector,
                        k: K,
                        filter: None,
                    };
                    hits.clear();
                    if let Ok(counters) = index.search(&rows, &query, &control, &mut scratch, &mut hits) {
                        scored += counters.postings_scored;
                        all += counters.postings_scored + counters.postings_skipped;
                    }
                    black_box(&hits);
                }
            });
        });
        let share = scored as f64 / all.max(1) as f64 * 100.0;
        eprintln!("{name}: {share:.1} of 100 postings scored");
        let mut sums = vec![0.0; count as usize];
        group.bench_function(format!("{name}/every posting"), |b| {
            b.iter(|| {
                for &vector in &views {
                    black_box(lists.search(vector, &mut sums).into_sorted());
                }
            });
        });
        group.bench_function(format!("{name}/every row"), |b| {
            b.iter(|| {
                for &vector in &views {
                    let mut top = TopK::new(K);
                    let _ = scan_rows(&rows, vector, 0..count, None, &control, &mut top);
                    black_box(top.into_sorted());
                }
            });
        });
    }
    group.finish();
}

/// Postings as they come, in memory: what a search without bounds reads.
struct Lists(HashMap<u32, Vec<(u32, f32)>>);

impl Lists {
    fn of(rows: &SparseSet) -> Self {
        let mut lists: HashMap<u32, Vec<(u32, f32)>> = HashMap::new();
        for (row, vector) in rows.iter().flatten() {
            for (dimension, value) in vector.iter() {
                lists.entry(dimension).or_default().push((row, value));
            }
        }
        Self(lists)
    }

    fn search(&self, query: SparseView<'_>, sums: &mut [f64]) -> TopK {
        let mut top = TopK::new(K);
        for (dimension, weight) in query.iter() {
            for &(row, value) in self.0.get(&dimension).into_iter().flatten() {
                if let Some(sum) = sums.get_mut(row as usize) {
                    *sum += f64::from(weight) * f64::from(value);
                }
            }
        }
        for (sum, row) in sums.iter_mut().zip(0..) {
            // Weights are positive: who shares no dimension has none.
            if *sum > 0.0 {
                top.push(*sum as f32, row);
                *sum = 0.0;
            }
        }
        top
    }
}

criterion_group!(benches, search);
criterion_main!(benches);
