//! Eight-bit codes: what a graph walk reads instead of vectors.
//!
//! **Inner products** ([`Scheme::Dot`], every metric but L1). A vector `x` is stored as integers `c` in
//! -127..=127 and one scale, `x - m ~ s * c`, where `m` is the mean of the matrix: what all vectors share costs
//! no precision. The scale is not the one that `c` was rounded with but the one for which `<s*c, x-m>` is
//! exactly `|x-m|^2`, as in RaBitQ (Gao & Long, SIGMOD 2024, section 3.2): scores of near neighbours are then
//! free of bias. With the query coded the same way, all metrics share one kernel:
//!
//! ```text
//! <q, x>         = <q-m, x-m> + <m, x>       + (terms of q alone)      Dot, cosine
//! -|q - x|^2 / 2 = <q-m, x-m> - |x-m|^2 / 2  + (terms of q alone)      L2
//! score(x)       = s_q * s_x * sum(c_q * c_x) + bias_x                 the same order, by one rule
//! ```
//!
//! **Absolute differences** ([`Scheme::Sad`], L1). One step for the whole matrix, so that the sum of absolute
//! differences of codes is proportional to the distance. Bytes are their own codes and lose nothing.
//!
//! Codes of a row are padded to a multiple of 64 bytes and stored with 128 added (unsigned, as the dot-product
//! instructions want one side). Scores of codes only nominate: what is returned is scored by
//! [`Kernel`](vdb_sys::kernel::Kernel).

use rayon::prelude::*;
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, decode_to_f32};
use vdb_sys::kernel::Metric;

use crate::codes::{Codes, Factors, QueryCode, Scheme, ZERO, code_bytes};
use crate::control::Control;
use crate::error::{Error, Result};

/// The mean is taken over at most this many rows, evenly spread.
const MEAN_SAMPLE: u32 = 32_768;
/// The step of [`Scheme::Sad`] is taken from at most this many rows.
const STEP_SAMPLE: u32 = 2_048;
/// [`Scheme::Sad`] clips differences from the mean beyond twice this quantile: outliers, not the tail of a bell.
const STEP_QUANTILE: f64 = 0.9995;
/// Rows encoded between two looks at the cancel probe: below a millisecond of work for usual dimensions.
const ENCODE_CHUNK: usize = 256;

/// How vectors of one matrix become codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantizer {
    metric: Metric,
    element: Element,
    mean: Vec<f32>,
    /// The width of one code under [`Scheme::Sad`]; 1 otherwise.
    step: f32,
}

impl Quantizer {
    /// Fits a quantiser to a matrix. Depends on nothing but the matrix and the metric.
    pub fn train(matrix: &MatrixView<'_>, metric: Metric) -> Self {
        let (element, dim) = (matrix.element(), matrix.dim());
        if Scheme::of(metric) == Scheme::Sad && element == Element::U8 {
            // Bytes need no rounding: centred at 128, the code of a byte is the byte.
            return Self {
                metric,
                element,
                mean: vec![f32::from(ZERO); dim],
                step: 1.0,
            };
        }
        let mut quantizer = Self {
            metric,
            element,
            mean: vec![0.0; dim],
            step: 1.0,
        };
        let mut vector = vec![0.0f32; dim];
        let mut sums = vec![0.0f64; dim];
        let mut count = 0u32;
        for row in sample(matrix, MEAN_SAMPLE) {
            quantizer.decode(row, &mut vector);
            if vector.iter().all(|x| x.is_finite()) {
                sums.iter_mut()
                    .zip(&vector)
                    .for_each(|(sum, &x)| *sum += f64::from(x));
                count += 1;
            }
        }
        for (mean, sum) in quantizer.mean.iter_mut().zip(&sums) {
            *mean = (sum / f64::from(count.max(1))) as f32;
        }
        if Scheme::of(metric) == Scheme::Sad {
            quantizer.step = quantizer.fit_step(matrix);
        }
        quantizer
    }

    /// Rebuilds a quantiser from its parts; `None` unless they are finite and the step is positive.
    pub fn from_parts(metric: Metric, element: Element, mean: Vec<f32>, step: f32) -> Option<Self> {
        let sound = mean.iter().all(|m| m.is_finite()) && step.is_finite() && step > 0.0;
        sound.then_some(Self {
            metric,
            element,
            mean,
            step,
        })
    }

    /// The metric whose order the codes approximate.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// The element type of the vectors it encodes.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The vector that is subtracted before rounding.
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The width of one code under [`Scheme::Sad`]; 1 otherwise.
    pub fn step(&self) -> f32 {
        self.step
    }

    /// What one unit of a code's score is in scores of the canonical kernel.
    pub(crate) fn unit(&self) -> f32 {
        match self.metric {
            Metric::Dot | Metric::CosineU8 => 1.0,
            Metric::L2 => 2.0,
            Metric::L1 => self.step,
        }
    }

    /// Encodes every row of the matrix it was trained for.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn encode(
        &self,
        matrix: &MatrixView<'_>,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Codes> {
        let rows = matrix.len() as usize;
        let width = code_bytes(self.mean.len());
        let mut bytes = AlignedBuf::zeroed(rows * width);
        let scheme = Scheme::of(self.metric);
        let mut factors = vec![[0.0; 2]; if scheme == Scheme::Dot { rows } else { 0 }];
        // Under Sad the factors of a chunk are an empty slice: chunks then come from the codes alone.
        let mut factor_chunks: Vec<&mut [Factors]> = factors.chunks_mut(ENCODE_CHUNK).collect();
        factor_chunks.resize_with(rows.div_ceil(ENCODE_CHUNK), Default::default);
        pool.install(|| {
            bytes
                .par_chunks_mut(width * ENCODE_CHUNK)
                .zip(factor_chunks)
                .enumerate()
                .try_for_each(|(chunk, (codes, factors))| {
                    if control.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    let mut vector = vec![0.0; self.mean.len()];
                    let first = chunk * ENCODE_CHUNK;
                    for (at, code) in codes.chunks_exact_mut(width).enumerate() {
                        let Some(row) = u32::try_from(first + at).ok().and_then(|row| matrix.row(row)) else {
                            continue;
                        };
                        self.decode(row, &mut vector);
                        let coded = self.encode_vector(&mut vector, code);
                        if let Some(factors) = factors.get_mut(at) {
                            *factors = coded;
                        }
                    }
                    Ok(())
                })
        })?;
        Ok(Codes {
            bytes,
            factors,
            width,
        })
    }

    /// Encodes a query given in the matrix's element encoding.
    ///
    /// # Panics
    /// If the query is not one row long.
    pub fn encode_query(&self, query: &[u8], out: &mut QueryCode) {
        let width = code_bytes(self.mean.len());
        out.resize(width);
        out.vector.clear();
        out.vector.resize(self.mean.len(), 0.0);
        self.decode(query, &mut out.vector);
        let [scale, _] = self.encode_vector(&mut out.vector, &mut out.bytes);
        out.scale = scale;
        if Scheme::of(self.metric) == Scheme::Dot {
            out.excess = QueryCode::excess_of(&out.bytes);
            out.bytes.iter_mut().for_each(|code| *code ^= ZERO);
        }
    }

    /// The vector that a row stands for: normalised where the metric says so.
    fn decode(&self, row: &[u8], vector: &mut [f32]) {
        decode_to_f32(row, self.element, vector);
        if self.metric == Metric::CosineU8 {
            let norm = dot_f32(vector, vector).sqrt();
            if norm > 0.0 {
                vector.iter_mut().for_each(|x| *x /= norm);
            }
        }
    }

    /// Writes the code of `vector` (which is centred in place) and returns its factors.
    fn encode_vector(&self, vector: &mut [f32], code: &mut [u8]) -> Factors {
        let bias = match self.metric {
            Metric::Dot | Metric::CosineU8 => dot_f32(vector, &self.mean),
            Metric::L2 | Metric::L1 => 0.0,
        };
        vector.iter_mut().zip(&self.mean).for_each(|(x, m)| *x -= m);
        let (used, padding) = code.split_at_mut(vector.len());
        padding.fill(ZERO);
        if Scheme::of(self.metric) == Scheme::Sad {
            let per_step = 1.0 / self.step;
            for (code, x) in used.iter_mut().zip(vector.iter()) {
                // A saturating cast: out of range clips, NaN becomes 0.
                *code = (x * per_step + (f32::from(ZERO) + 0.5)) as u8;
            }
            return [1.0, 0.0];
        }
        let largest = vector.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        let per_unit = 127.0 / largest;
        if !per_unit.is_finite() || largest == f32::INFINITY {
            used.fill(ZERO);
            return [0.0, if bias.is_finite() { bias } else { 0.0 }];
        }
        for (code, x) in used.iter_mut().zip(vector.iter()) {
            *code = nearest(x * per_unit) ^ ZERO;
        }
        let length = dot_f32(vector, vector);
        let scale = length / dot_code(vector, used);
        let bias = if self.metric == Metric::L2 {
            -0.5 * length
        } else {
            bias
        };
        if scale.is_finite() && bias.is_finite() {
            [scale, bias]
        } else {
            // Squares overflowed: as far away as a number can say, and nowhere in particular.
            [0.0, if self.metric == Metric::L2 { -f32::MAX } else { 0.0 }]
        }
    }

    fn fit_step(&self, matrix: &MatrixView<'_>) -> f32 {
        let mut vector = vec![0.0f32; self.mean.len()];
        let mut spread = Vec::new();
        for row in sample(matrix, STEP_SAMPLE) {
            self.decode(row, &mut vector);
            spread.extend(
                vector
                    .iter()
                    .zip(&self.mean)
                    .map(|(x, m)| (x - m).abs())
                    .filter(|d| d.is_finite()),
            );
        }
        if spread.is_empty() {
            return 1.0;
        }
        let at = ((spread.len() - 1) as f64 * STEP_QUANTILE) as usize;
        let (_, &mut reach, above) = spread.select_nth_unstable_by(at, f32::total_cmp);
        let largest = above.iter().fold(reach, |max, &d| max.max(d));
        let step = if reach > 0.0 {
            largest.min(2.0 * reach)
        } else {
            largest
        } / 127.0;
        if step.is_normal() { step } else { 1.0 }
    }
}

/// At most `limit` rows of the matrix, evenly spread.
fn sample<'a>(matrix: &MatrixView<'a>, limit: u32) -> impl Iterator<Item = &'a [u8]> {
    let (matrix, rows) = (*matrix, u64::from(matrix.len()));
    let taken = rows.min(u64::from(limit));
    (0..taken).filter_map(move |at| {
        u32::try_from(at * rows / taken)
            .ok()
            .and_then(|row| matrix.row(row))
    })
}

/// The nearest integer (ties to even) of a value in -127.5..127.5, as a two's complement byte.
fn nearest(value: f32) -> u8 {
    // Adding 1.5 * 2^23 leaves the rounded integer in the low bits of the mantissa: unlike `round`, this
    // becomes vector code on every CPU.
    (value + 12_582_912.0).to_bits() as u8
}

/// An inner product in eight lanes: the same on every machine, and vector code.
fn dot_f32(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// The inner product of a vector and a stored code, like [`dot_f32`].
fn dot_code(vector: &[f32], code: &[u8]) -> f32 {
    let signed = |code: u8| f32::from(code) - f32::from(ZERO);
    let (vector, vector_rest) = vector.as_chunks::<8>();
    let (code, code_rest) = code.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (vector, code) in vector.iter().zip(code) {
        for lane in 0..8 {
            sums[lane] += vector[lane] * signed(code[lane]);
        }
    }
    sums.iter().sum::<f32>()
        + vector_rest
            .iter()
            .zip(code_rest)
            .map(|(x, &c)| x * signed(c))
            .sum::<f32>()
}

#[cfg(test)]
mod tests;
