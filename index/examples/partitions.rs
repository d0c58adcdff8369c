//! What graphs among the rows of single values cost and save: rows scored a query, recall, and time to build, on made-up data.
//!
//! `cargo run --release -p vdb-index --example partitions [ROWS]`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints, and fails by panicking"
)]

use std::time::Instant;

use vdb_index::hnsw::{HnswParams, Scratch, SearchParams, build, partitions, search, search_within};
use vdb_index::{Control, RowBits, RowFilter, TopK, flat};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

const DIM: usize = 64;
const CLUSTERS: u64 = 200;
const QUERIES: u32 = 100;

fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Close to normal.
fn normal(seed: u64) -> f32 {
    let unit = |at| (mix(seed * 12 + at + 1) >> 40) as f32 / (1u64 << 24) as f32;
    (0..12).map(unit).sum::<f32>() - 6.0
}

/// A vector of unit length around one of the centres.
fn vector(id: u64) -> Vec<f32> {
    let centre = mix(id) % CLUSTERS;
    let numbers = 0..DIM as u64;
    let mut vector: Vec<f32> = numbers
        .map(|at| normal(centre << 40 | at) + 0.6 * normal(1 << 60 | id << 8 | at))
        .collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

fn main() {
    let rows: u32 = std::env::args()
        .nth(1)
        .map_or(40_000, |rows| rows.parse().unwrap());
    let mut bytes = Vec::new();
    (0..u64::from(rows)).for_each(|id| encode_f32(&vector(id), Element::F32, &mut bytes));
    let bytes = AlignedBuf::from_slice(&bytes);
    let matrix = MatrixView::new(Element::F32, DIM, &bytes).unwrap();
    let queries: Vec<Vec<u8>> = (0..u64::from(QUERIES))
        .map(|id| {
            let mut bytes = Vec::new();
            encode_f32(&vector(id + (1 << 32)), Element::F32, &mut bytes);
            bytes
        })
        .collect();
    let kernel = Kernel::new(Metric::Dot, Element::F32);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let params = HnswParams::default();
    let start = Instant::now();
    let graph = build(&matrix, Metric::Dot, &params, &pool, &Control::none()).unwrap();
    let whole = start.elapsed().as_secs_f64();
    println!("all: {rows} rows in {whole:.2} s");
    let mut scratch = Scratch::default();
    println!(
        "value              rows  ef  | within: scored recall | all: scored recall | built in, a row of all's"
    );
    for size in [1_024, 2_048, 4_096, 8_192, 16_384]
        .into_iter()
        .filter(|size| size * 2 < rows)
    {
        for follows in [true, false] {
            // The clusters of least numbers, or whatever row.
            let order = |row: u32| {
                let id = u64::from(row);
                (if follows { mix(id) % CLUSTERS } else { 0 }, mix(id ^ 0x5555))
            };
            let mut members: Vec<u32> = (0..rows).collect();
            members.sort_unstable_by_key(|&row| order(row));
            members.truncate(size as usize);
            members.sort_unstable();
            let bits = RowBits::from_rows(rows, members.iter().copied());
            for ef_construct in [200, 100] {
                let params = HnswParams {
                    ef_construct,
                    ..params
                };
                let start = Instant::now();
                let part = partitions::build(
                    graph.view(),
                    &matrix,
                    members.clone(),
                    &params,
                    &pool,
                    &Control::none(),
                );
                let part = part.unwrap();
                let time = start.elapsed().as_secs_f64() / f64::from(size) * f64::from(rows) / whole;
                for ef in [16, 48, 128] {
                    let search_params = SearchParams::new(10).ef(ef);
                    let mut sums = [(0, 0); 2];
                    for query in &queries {
                        let mut truth = TopK::new(10);
                        flat::scan_rows(&matrix, &kernel, query, bits.iter(), &mut truth);
                        let truth = truth.into_sorted();
                        let among = (None::<&RowBits>, &Control::none());
                        let found = [
                            search_within(
                                (graph.view(), part.view()),
                                &matrix,
                                &kernel,
                                query,
                                &search_params,
                                among,
                                &mut scratch,
                            ),
                            search(
                                graph.view(),
                                &matrix,
                                &kernel,
                                query,
                                &search_params,
                                Some(&bits as &dyn RowFilter),
                                &mut scratch,
                            ),
                        ];
                        for (sum, found) in sums.iter_mut().zip(found) {
                            sum.0 += found.scored;
                            sum.1 += found.hits.iter().filter(|hit| truth.contains(hit)).count();
                        }
                    }
                    let [within, all] = sums.map(|(scored, found)| {
                        let queries = f64::from(QUERIES);
                        format!(
                            "{:8.0} {:.3}",
                            scored as f64 / queries,
                            found as f64 / queries / 10.0
                        )
                    });
                    let kind = if follows { "follows" } else { "at random" };
                    println!("{kind:10} {ef_construct:4} {size:8} {ef:4} | {within} | {all} | {time:.2}");
                }
            }
        }
    }
}
