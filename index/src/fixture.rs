//! Data that tests search: seeded, clustered, with a brute-force answer.

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

use crate::rowset::{RowBits, RowFilter};
use crate::topk::TopK;

/// Every pair of metric and element that has a kernel.
pub(crate) const PAIRS: [(Metric, Element); 10] = [
    (Metric::Dot, Element::F32),
    (Metric::Dot, Element::F16),
    (Metric::Dot, Element::U8),
    (Metric::CosineU8, Element::U8),
    (Metric::L2, Element::F32),
    (Metric::L2, Element::F16),
    (Metric::L2, Element::U8),
    (Metric::L1, Element::F32),
    (Metric::L1, Element::F16),
    (Metric::L1, Element::U8),
];

/// A seeded stream of numbers that look random.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (self.next() % u64::from(bound)) as u32
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Close to normal: mean 0, variance 1.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

/// A matrix and queries from the same distribution.
pub(crate) struct Data {
    pub(crate) element: Element,
    pub(crate) dim: usize,
    pub(crate) rows: AlignedBuf,
    pub(crate) queries: Vec<Vec<u8>>,
}

impl Data {
    /// Rows given as numbers.
    pub(crate) fn of(rows: &[Vec<f32>], dim: usize, element: Element) -> Self {
        let mut bytes = Vec::new();
        rows.iter().for_each(|row| encode_f32(row, element, &mut bytes));
        Self {
            element,
            dim,
            rows: AlignedBuf::from_slice(&bytes),
            queries: Vec::new(),
        }
    }

    /// Rows around `clusters` centres, and 50 queries of the same kind.
    ///
    /// Bytes spread over 0..=255; vectors for [`Metric::Dot`] over floats have unit length, as cosine stores them.
    pub(crate) fn clustered(
        rows: u32,
        dim: usize,
        clusters: u32,
        metric: Metric,
        element: Element,
        seed: u64,
    ) -> Self {
        let mut random = Random::new(seed);
        let centres: Vec<Vec<f32>> = (0..clusters)
            .map(|_| (0..dim).map(|_| random.normal()).collect())
            .collect();
        let mut draw = || {
            let centre = &centres[random.below(clusters) as usize];
            let mut row: Vec<f32> = centre.iter().map(|c| c + 0.6 * random.normal()).collect();
            if element == Element::U8 {
                row.iter_mut().for_each(|x| *x = 128.0 + 36.0 * *x);
            } else if metric == Metric::Dot {
                let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                row.iter_mut().for_each(|x| *x /= norm);
            }
            row
        };
        let rows: Vec<Vec<f32>> = (0..rows).map(|_| draw()).collect();
        let queries: Vec<Vec<f32>> = (0..50).map(|_| draw()).collect();
        let mut data = Self::of(&rows, dim, element);
        data.queries = queries.iter().map(|query| data.encode(query)).collect();
        data
    }

    pub(crate) fn encode(&self, vector: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_f32(vector, self.element, &mut bytes);
        bytes
    }

    pub(crate) fn matrix(&self) -> MatrixView<'_> {
        MatrixView::new(self.element, self.dim, &self.rows).expect("whole aligned rows")
    }

    /// The true answer: one call of the kernel a row, then a sort.
    pub(crate) fn brute(
        &self,
        metric: Metric,
        query: &[u8],
        k: usize,
        filter: Option<&dyn RowFilter>,
    ) -> Vec<(f32, u32)> {
        let (matrix, kernel) = (self.matrix(), Kernel::new(metric, self.element));
        let mut all: Vec<(f32, u32)> = (0..matrix.len())
            .filter(|&row| filter.is_none_or(|f| f.contains(row)))
            .map(|row| (kernel.score(query, matrix.row(row).expect("in range")), row))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        all
    }
}

/// A set that cannot list its rows: it is always walked through, never scanned.
pub(crate) struct Unlisted(pub(crate) RowBits);

impl RowFilter for Unlisted {
    fn contains(&self, row: u32) -> bool {
        self.0.contains(row)
    }

    fn estimate(&self) -> Option<u64> {
        self.0.estimate()
    }
}

/// The share of the true answer's places that were filled with rows at least as good as its last one.
pub(crate) fn recall(found: &[(f32, u32)], truth: &[(f32, u32)]) -> f64 {
    let Some(&(worst, _)) = truth.last() else {
        return 1.0;
    };
    found.iter().filter(|hit| hit.0 >= worst).count().min(truth.len()) as f64 / truth.len() as f64
}

pub(crate) fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads")
}

/// A [`TopK`] as a list.
pub(crate) fn top(k: usize, fill: impl FnOnce(&mut TopK)) -> Vec<(f32, u32)> {
    let mut top = TopK::new(k);
    fill(&mut top);
    top.into_sorted()
}
