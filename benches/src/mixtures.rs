//! A larger set of the same shape: real vectors, and mixtures of near neighbours among them.
//!
//! How cost grows with the number of vectors is only told by data that looks the same at every size. So a set grows by
//! points between a vector and one of its near neighbours, a little off the line: they lie where the data is dense, and
//! as far from their neighbours as it gets denser. All choices come from a seed; the same set, size and seed give the
//! same vectors.

use rayon::prelude::*;
use vdb::Control;
use vdb_index::RowBits;
use vdb_index::hnsw::{self, HnswParams, Scratch, SearchParams};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

use crate::error::{Error, Result};

/// Near neighbours that a vector is mixed with, one of them at a time.
const NEIGHBOURS: usize = 8;
/// The share of the nearer one, at least; at most one less this.
const LEAST_SHARE: f32 = 0.25;
/// Noise, as a share of the distance between the two.
const NOISE: f32 = 0.1;

/// Makes `more` vectors from `vectors`, `dim` numbers each, and hands them to `take` in order.
///
/// # Errors
/// [`Error::Program`] if there are fewer than two vectors, or they are no matrix of `dim` numbers a row; what `take`
/// answers.
pub fn mixtures(
    vectors: &[f32],
    dim: usize,
    more: usize,
    seed: u64,
    mut take: impl FnMut(&[f32]) -> Result<()>,
) -> Result<()> {
    let bad = |what: &str| Error::Program(format!("vectors cannot be mixed: {what}"));
    let mut encoded = Vec::with_capacity(vectors.len() * 4);
    encode_f32(vectors, Element::F32, &mut encoded);
    let encoded = AlignedBuf::from_slice(&encoded);
    let matrix = MatrixView::new(Element::F32, dim, &encoded)
        .filter(|matrix| matrix.len() > 1)
        .ok_or_else(|| bad("there must be two at least"))?;
    let near = neighbours(&matrix).map_err(|e| bad(&e.to_string()))?;
    let mut random = Random(seed);
    let mut vector = vec![0.0f32; dim];
    for _ in 0..more {
        let at = random.below(near.len());
        let others = &near[at];
        let other = others.get(random.below(others.len())).copied().unwrap_or(0) as usize;
        let (a, b) = (&vectors[at * dim..][..dim], &vectors[other * dim..][..dim]);
        let share = LEAST_SHARE + (1.0 - 2.0 * LEAST_SHARE) * random.unit();
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        let noise = NOISE * apart / (dim as f32).sqrt();
        for (out, (a, b)) in vector.iter_mut().zip(a.iter().zip(b)) {
            *out = share * a + (1.0 - share) * b + noise * random.normal();
        }
        // Mixing shortens: the length is mixed by itself.
        let length = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt();
        let wanted = share * length(a) + (1.0 - share) * length(b);
        let now = length(&vector);
        if now > 0.0 {
            vector.iter_mut().for_each(|x| *x *= wanted / now);
        }
        take(&vector)?;
    }
    Ok(())
}

/// For each row, the rows near it, by a graph.
fn neighbours(matrix: &MatrixView<'_>) -> std::result::Result<Vec<Vec<u32>>, Box<dyn std::error::Error>> {
    let pool = rayon::ThreadPoolBuilder::new().build()?;
    let graph = hnsw::build(
        matrix,
        Metric::L2,
        &HnswParams::default(),
        &pool,
        &Control::none(),
    )?;
    let kernel = Kernel::new(Metric::L2, Element::F32);
    let params = SearchParams::new(NEIGHBOURS + 1);
    let of_row = |scratch: &mut Scratch, row: u32| {
        let Some(query) = matrix.row(row) else {
            return Vec::new();
        };
        let found = hnsw::search(
            graph.view(),
            matrix,
            &kernel,
            query,
            &params,
            None::<&RowBits>,
            scratch,
        );
        let others = found.hits.iter().map(|&(_, other)| other);
        others.filter(|&other| other != row).take(NEIGHBOURS).collect()
    };
    let rows = (0..matrix.len()).into_par_iter();
    Ok(pool.install(|| rows.map_init(Scratch::default, of_row).collect()))
}

/// SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Close to normal: mean 0, variance 1.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.unit()).sum::<f32>() - 6.0
    }
}

#[cfg(test)]
mod tests;
