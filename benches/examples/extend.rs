//! What does a graph lose that is extended again and again, instead of being built anew? And what does it save?
//!
//! `cargo run --release -p vdb-benches --example extend -- VECTORS [given|random] [STEPS] [GROWTH] [DROPPED] [ROWS]`
//!
//! Rows arrive in the order of the file or at random, and lie in the order of the file, as ids do in a segment. After
//! a first graph come STEPS extensions, each to GROWTH times the rows, each after DROPPED (a share) of the rows have
//! gone. A full build over the last rows is what the last extension is compared with: seconds, and recall@10 and rows
//! scored for several beams. The vectors are taken as Cosine has them, in half precision.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::time::Instant;

use vdb_index::hnsw::{Base, Graph, HnswParams, Scratch, SearchParams, build, extend, search};
use vdb_index::{Control, TopK, flat};
use vdb_interop::{ReadOptions, open};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_scaled};
use vdb_sys::kernel::{Kernel, Metric, unit_scale};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const QUERIES: usize = 1_000;
const K: usize = 10;
const BEAMS: [usize; 7] = [16, 24, 32, 48, 96, 200, 400];

/// A stream of numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        (1..items.len())
            .rev()
            .for_each(|at| items.swap(at, self.below(at + 1)));
    }
}

struct Vectors {
    dim: usize,
    /// One encoded row an item.
    rows: Vec<Vec<u8>>,
}

impl Vectors {
    fn read(path: &str) -> Fallible<Self> {
        let mut rows = Vec::new();
        let mut dim = 0;
        for row in open(path.as_ref(), &ReadOptions::default())? {
            let row = row?;
            let vector = &row.into_dense().ok_or("a row has no vector")?;
            let mut bytes = Vec::new();
            encode_scaled(
                vector,
                unit_scale(vector).unwrap_or(1.0),
                Element::F16,
                &mut bytes,
            );
            dim = vector.len();
            rows.push(bytes);
        }
        Ok(Vectors { dim, rows })
    }

    fn gather(&self, items: &[usize]) -> AlignedBuf {
        let bytes: Vec<u8> = items
            .iter()
            .flat_map(|&item| self.rows[item].iter().copied())
            .collect();
        AlignedBuf::from_slice(&bytes)
    }
}

fn report(name: &str, graph: &Graph, matrix: &MatrixView<'_>, queries: &[&[u8]], truth: &[Vec<(f32, u32)>]) {
    let kernel = Kernel::new(Metric::Dot, Element::F16);
    let check = graph.view().check();
    println!("{name}: {} links, sound: {}", check.links, check.is_sound());
    let mut scratch = Scratch::default();
    for ef in BEAMS {
        let (mut found, mut scored) = (0, 0);
        for (query, near) in queries.iter().zip(truth) {
            let answer = search(
                graph.view(),
                matrix,
                &kernel,
                query,
                &SearchParams::new(K).ef(ef),
                None::<&vdb_index::RowBits>,
                &mut scratch,
            );
            let worst = near.last().map_or(f32::NEG_INFINITY, |hit| hit.0);
            found += answer
                .hits
                .iter()
                .filter(|hit| hit.0 >= worst)
                .count()
                .min(near.len());
            scored += answer.scored;
        }
        let recall = found as f64 / (K * queries.len()) as f64;
        println!(
            "  ef {ef:4}  recall {recall:.4}  scored {:.0}",
            scored as f64 / queries.len() as f64
        );
    }
}

fn main() -> Fallible<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("which file of vectors?")?;
    let random_arrival = args.get(1).is_some_and(|order| order == "random");
    let steps: i32 = args.get(2).map_or(Ok(10), |n| n.parse())?;
    let growth: f64 = args.get(3).map_or(Ok(1.26), |n| n.parse())?;
    let dropped: f64 = args.get(4).map_or(Ok(0.0), |n| n.parse())?;
    let limit: usize = args.get(5).map_or(Ok(usize::MAX), |n| n.parse())?;

    let vectors = Vectors::read(path)?;
    let mut random = Random(7);
    let mut items: Vec<usize> = (0..vectors.rows.len()).collect();
    random.shuffle(&mut items);
    let queries: Vec<&[u8]> = items
        .drain(..QUERIES)
        .collect::<Vec<_>>()
        .into_iter()
        .map(|at| vectors.rows[at].as_slice())
        .collect();
    if !random_arrival {
        items.sort_unstable();
    }
    items.truncate(limit);
    // The first graph has what, growing so, comes to all of them; what is dropped makes room for further ones.
    let mut arriving = items.iter().copied();
    let first = items.len() as f64 / growth.powi(steps) / (1.0 + dropped * f64::from(steps));
    let mut present: Vec<usize> = arriving.by_ref().take(first as usize).collect();
    present.sort_unstable();

    let params = HnswParams::default();
    let pool = rayon::ThreadPoolBuilder::new().build()?;
    let bytes = vectors.gather(&present);
    let matrix = MatrixView::new(Element::F16, vectors.dim, &bytes).ok_or("not whole rows")?;
    let mut graph = build(&matrix, Metric::Dot, &params, &pool, &Control::none())?;
    let mut spent = 0.0;
    for step in 1..=steps {
        let before = present.clone();
        let mut stay = before.clone();
        random.shuffle(&mut stay);
        stay.truncate((before.len() as f64 * (1.0 - dropped)) as usize);
        let wanted = (before.len() as f64 * growth) as usize - stay.len();
        stay.extend(arriving.by_ref().take(wanted));
        stay.sort_unstable();
        present = stay;
        let rows: Vec<u32> = before
            .iter()
            .map(|item| present.binary_search(item).map_or(u32::MAX, |row| row as u32))
            .collect();
        let bytes = vectors.gather(&present);
        let matrix = MatrixView::new(Element::F16, vectors.dim, &bytes).ok_or("not whole rows")?;
        let base = Base {
            graph: graph.view(),
            rows: &rows,
        };
        let start = Instant::now();
        graph = extend(&base, &matrix, Metric::Dot, &params, &pool, &Control::none())?;
        let took = start.elapsed().as_secs_f64();
        spent += took;
        println!(
            "step {step}: {} to {} rows, {took:.2} s",
            before.len(),
            present.len()
        );
    }
    let bytes = vectors.gather(&present);
    let matrix = MatrixView::new(Element::F16, vectors.dim, &bytes).ok_or("not whole rows")?;
    let start = Instant::now();
    let whole = build(&matrix, Metric::Dot, &params, &pool, &Control::none())?;
    println!(
        "all extensions: {spent:.2} s, full build: {:.2} s",
        start.elapsed().as_secs_f64()
    );
    let kernel = Kernel::new(Metric::Dot, Element::F16);
    let truth: Vec<Vec<(f32, u32)>> = queries
        .iter()
        .map(|query| {
            let mut top = TopK::new(K);
            flat::scan(&matrix, &kernel, query, 0..matrix.len(), None, &mut top);
            top.into_sorted()
        })
        .collect();
    report("extended", &graph, &matrix, &queries, &truth);
    report("built", &whole, &matrix, &queries, &truth);
    Ok(())
}
