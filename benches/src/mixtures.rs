//! A larger set of the same shape: real vectors, and mixtures of near neighbours among them.
//!
//! How cost grows with the number of vectors is only told by data that looks the same at every size. Points between a
//! vector and one near neighbour do not: ever more of them lie on the same lines, and the intrinsic dimension around a row
//! falls to a quarter (`docs/scaling.md` has the figures). So a new vector mixes all of a row's near neighbours, with weights that
//! sum to one and may be negative: it is drawn from the normal distribution that has their mean and their covariance, so that
//! what it lies among has as many directions as before. The idea of a local covariance is that of Vincent and Bengio,
//! "Manifold Parzen windows", NIPS 2002, section 3; its centre here is the neighbours' mean, not the row. All choices come from a
//! seed; the same set, size and seed give the same vectors.

use rayon::prelude::*;
use vdb::Control;
use vdb_index::RowBits;
use vdb_index::hnsw::{self, HnswParams, Scratch, SearchParams};
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, encode_f32};
use vdb_sys::kernel::{Kernel, Metric};

use crate::error::{Error, Result};

/// Near neighbours that are mixed: more than an embedding has directions around a vector, some 20.
const NEIGHBOURS: usize = 24;

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
    let (mut mean, mut vector) = (vec![0.0f32; dim], vec![0.0f32; dim]);
    for _ in 0..more {
        let at = random.below(near.len());
        let row = |row: usize| &vectors[row * dim..][..dim];
        // The row is one of its own neighbours, so that there is always something to mix.
        let crowd = || std::iter::once(row(at)).chain(near[at].iter().map(|&other| row(other as usize)));
        let count = (near[at].len() + 1) as f32;
        mean.fill(0.0);
        crowd().for_each(|one| add(&mut mean, 1.0 / count, one));
        // Normal weights of the differences from the mean: a sum of them has the covariance of the crowd.
        vector.copy_from_slice(&mean);
        let mut weights = 0.0;
        for one in crowd() {
            let weight = random.normal() / count.sqrt();
            add(&mut vector, weight, one);
            weights += weight;
        }
        add(&mut vector, -weights, &mean);
        // Lengths are those of rows: of vectors that all have one length, the new ones have it too.
        let (now, wanted) = (length(&vector), length(row(at)));
        if now > 0.0 {
            vector.iter_mut().for_each(|x| *x *= wanted / now);
        }
        take(&vector)?;
    }
    Ok(())
}

fn add(sum: &mut [f32], weight: f32, vector: &[f32]) {
    sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += weight * x);
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
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
