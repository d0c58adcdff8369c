//! How vectors become the codes that a graph walk reads instead of them.
//!
//! **Inner products** ([`Scheme::Dot`], every metric but L1). A vector `x` is stored as small integers `c`, a scale and a
//! bias, `x - m ~ s * c`, where `m` is the mean of the matrix: what all vectors share costs no precision. The scale is
//! not the one that `c` was rounded with but the one for which `<s*c, x-m>` is exactly `|x-m|^2`, as in RaBitQ (Gao &
//! Long, SIGMOD 2024, section 3.2): scores of near neighbours are then free of bias. With the query coded in 8
//! bits, all metrics share one kernel:
//!
//! ```text
//! <q, x>         = <q-m, x-m> + <m, x>       + (terms of q alone)      Dot, cosine
//! -|q - x|^2 / 2 = <q-m, x-m> - |x-m|^2 / 2  + (terms of q alone)      L2
//! score(x)       = s_q * s_x * sum(c_q * c_x) + bias_x                 the same order, by one rule
//! ```
//!
//! With 8 bits, `c` are the coordinates themselves, each vector with its own largest as 127 (as LVQ: Aguerrebere et al.,
//! VLDB 2023). With fewer, vectors are first mapped onto the `subspace` in which they differ most, as in LeanVec
//! (Tepper et al., 2023), which is turned at random: coordinates are then about normal with equal variance, and are
//! rounded with the step that suits a normal variable best (Max, IRE 1960, table II). As many dimensions are kept as
//! fill the fewest cache lines that hold `SHARE` of the variance.
//!
//! **Absolute differences** ([`Scheme::Sad`], L1). One step for the whole matrix, so that the sum of absolute
//! differences of codes is proportional to the distance. Bytes are their own codes and lose nothing.
//!
//! Scores of codes only nominate: what is returned is scored by [`Kernel`](vdb_sys::kernel::Kernel).

mod arithmetic;
mod choice;
mod projection;
mod rating;
mod subspace;

use rayon::prelude::*;
use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, MatrixView, decode_to_f32};
use vdb_sys::kernel::Metric;
use vdb_sys::kernel::packed::Bits;

use crate::codes::{Codes, Layout, QueryCode, Scheme, ZERO, Zero};
use crate::control::Control;
use crate::error::{Error, Result};

use arithmetic::{dot_code, dot_f32, nearest, rounded};
pub use choice::Quantization;
pub(crate) use projection::Projection;

/// The mean is taken over at most this many rows, evenly spread.
const MEAN_SAMPLE: u32 = 32_768;
/// The step of [`Scheme::Sad`] is taken from at most this many rows.
const STEP_SAMPLE: u32 = 2_048;
/// [`Scheme::Sad`] clips differences from the mean beyond twice this quantile: outliers, not the tail of a bell.
const STEP_QUANTILE: f64 = 0.9995;
/// Rows encoded between two looks at the cancel probe: below a millisecond of work for usual dimensions.
const ENCODE_CHUNK: usize = 256;

/// Codes of few bits are spent on as many dimensions as hold this share of the variance.
const SHARE: f64 = 0.93;
/// The subspace is found from an eighth of the rows, but from this many at least and at most.
const SUBSPACE_SAMPLE: (u32, u32) = (1_024, 4_096);
/// Vectors of more dimensions are coded as they are: the map would not fit a cache, nor its making a second.
pub(crate) const MOST_MAPPED: usize = 4_096;
/// Vectors this many times as long as the median, squared, say nothing about the others: one of them would hold all of
/// a sample's variance.
const OUTLIER: f32 = 16.0;
/// Codes whose [`blur`](rating::blur) is above this miss neighbours (measured: .17 misses none, 1.7 a sixth).
const MOST_BLUR: f64 = 0.35;

/// The step that rounds a normal variable of variance 1 with the least squared error.
fn normal_step(bits: Bits) -> f32 {
    match bits {
        Bits::One => 1.596,
        Bits::Two => 0.9957,
        Bits::Four => 0.3352,
        Bits::Eight => 0.0308,
    }
}

/// How vectors of one matrix become codes.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantizer {
    metric: Metric,
    element: Element,
    mean: Vec<f32>,
    /// The width of one code under [`Scheme::Sad`]; 1 otherwise.
    step: f32,
    layout: Layout,
    projection: Option<Projection>,
}

impl Quantizer {
    /// Fits a quantiser to a matrix: of as many bits as are asked for, or as serve it best. Depends on nothing but these.
    /// Without codes ([`Quantization::Off`]) it is one of 8 bits, which graphs are built on.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn fit(
        matrix: &MatrixView<'_>,
        metric: Metric,
        quantization: Quantization,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Self> {
        let bits = quantization.bits(matrix.len(), matrix.dim(), metric);
        let (mut quantizer, blur) =
            Self::train_and_rate(matrix, metric, bits.unwrap_or(Bits::Eight), pool, control)?;
        if quantization == Quantization::Auto && blur > MOST_BLUR {
            // The mean is the same, whatever the bits.
            quantizer.layout = Layout::new(Scheme::of(metric), Bits::Eight, matrix.dim());
            quantizer.projection = None;
        }
        Ok(quantizer)
    }

    /// Fits a quantiser of `bits` to a matrix. Depends on nothing but the matrix, the metric and the bits.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn train(
        matrix: &MatrixView<'_>,
        metric: Metric,
        bits: Bits,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<Self> {
        Self::train_and_rate(matrix, metric, bits, pool, control).map(|(quantizer, _)| quantizer)
    }

    /// Also answers the [`rating`] of the codes, 0 where there is none.
    fn train_and_rate(
        matrix: &MatrixView<'_>,
        metric: Metric,
        bits: Bits,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<(Self, f64)> {
        let (element, dim) = (matrix.element(), matrix.dim());
        let mut quantizer = Self {
            metric,
            element,
            mean: vec![0.0; dim],
            step: 1.0,
            layout: Layout::new(Scheme::of(metric), bits, dim),
            projection: None,
        };
        if quantizer.layout.scheme() == Scheme::Sad && element == Element::U8 {
            // Bytes need no rounding: centred at 128, the code of a byte is the byte.
            quantizer.mean.fill(f32::from(ZERO));
            return Ok((quantizer, 0.0));
        }
        quantizer.fit_mean(matrix);
        if quantizer.layout.scheme() == Scheme::Sad {
            quantizer.step = quantizer.fit_step(matrix);
        } else if bits != Bits::Eight && dim <= MOST_MAPPED {
            let blur = quantizer.fit_projection(matrix, bits, pool, control)?;
            return Ok((quantizer, blur));
        }
        Ok((quantizer, 0.0))
    }

    fn fit_mean(&mut self, matrix: &MatrixView<'_>) {
        let dim = matrix.dim();
        let mut vector = vec![0.0f32; dim];
        let mut sums = vec![0.0f64; dim];
        let mut count = 0u32;
        for row in sample(matrix, MEAN_SAMPLE) {
            self.decode(row, &mut vector);
            if vector.iter().all(|x| x.is_finite()) {
                sums.iter_mut()
                    .zip(&vector)
                    .for_each(|(sum, &x)| *sum += f64::from(x));
                count += 1;
            }
        }
        for (mean, sum) in self.mean.iter_mut().zip(&sums) {
            *mean = (sum / f64::from(count.max(1))) as f32;
        }
    }

    fn fit_projection(
        &mut self,
        matrix: &MatrixView<'_>,
        bits: Bits,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<f64> {
        let dim = matrix.dim();
        let (least, most) = SUBSPACE_SAMPLE;
        let mut centred = Vec::new();
        let mut vector = vec![0.0f32; dim];
        for row in sample(matrix, (matrix.len() / 8).clamp(least, most)) {
            self.decode(row, &mut vector);
            vector.iter_mut().zip(&self.mean).for_each(|(x, m)| *x -= m);
            if vector.iter().all(|x| x.is_finite()) {
                centred.extend_from_slice(&vector);
            }
        }
        without_outliers(&mut centred, dim);
        let full = Layout::new(Scheme::Dot, bits, dim).width() / 64;
        let counts = (1..=full).map(|lines| Layout::capacity(bits, lines));
        let found = subspace::fit(&centred, dim, counts, SHARE, pool, control)?;
        let Some(basis) = found else {
            return Ok(0.0);
        };
        let projection = Projection::new(&basis, dim);
        self.layout = Layout::new(Scheme::Dot, bits, projection.len());
        self.projection = Some(projection);
        Ok(rating::blur(&centred, dim, &basis, bits))
    }

    /// Rebuilds a quantiser from its parts; `None` unless they are finite, the step is positive, and the projection
    /// goes with the rest.
    pub(crate) fn from_parts(
        metric: Metric,
        element: Element,
        mean: Vec<f32>,
        step: f32,
        bits: Bits,
        projection: Option<Projection>,
    ) -> Option<Self> {
        let sound = mean.iter().all(|m| m.is_finite()) && step.is_finite() && step > 0.0;
        let scheme = Scheme::of(metric);
        let codes = projection.as_ref().map_or(mean.len(), Projection::len);
        sound.then(|| Self {
            metric,
            element,
            layout: Layout::new(scheme, bits, codes),
            mean,
            step,
            projection,
        })
    }

    /// Where the codes of a row lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The map onto the subspace that is coded, if there is one.
    pub(crate) fn projection(&self) -> Option<&Projection> {
        self.projection.as_ref()
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

    /// Encodes every row of the matrix it was trained for. Also answers the squared length of each vector from the mean,
    /// which codes below 8 bits do not hold; empty under [`Scheme::Sad`].
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn encode(
        &self,
        matrix: &MatrixView<'_>,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<(Codes, Vec<f32>)> {
        self.encode_each(matrix.len(), |row| matrix.row(row), pool, control)
    }

    /// As [`encode`](Self::encode), of so many vectors; what is not there gets a code of zeros.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(crate) fn encode_each<'m>(
        &self,
        len: u32,
        vector_at: impl Fn(u32) -> Option<&'m [u8]> + Sync,
        pool: &rayon::ThreadPool,
        control: &Control<'_>,
    ) -> Result<(Codes, Vec<f32>)> {
        let rows = len as usize;
        let width = self.layout.width();
        let mut bytes = AlignedBuf::zeroed(rows * width);
        let mut lengths = vec![
            0.0;
            if self.layout.scheme() == Scheme::Dot {
                rows
            } else {
                0
            }
        ];
        // Under Sad a chunk of lengths is an empty slice: chunks then come from the codes alone.
        let mut length_chunks: Vec<&mut [f32]> = lengths.chunks_mut(ENCODE_CHUNK).collect();
        length_chunks.resize_with(rows.div_ceil(ENCODE_CHUNK), Default::default);
        pool.install(|| {
            bytes
                .par_chunks_mut(width * ENCODE_CHUNK)
                .zip(length_chunks)
                .enumerate()
                .try_for_each(|(chunk, (codes, lengths))| {
                    if control.is_cancelled() {
                        return Err(Error::Cancelled);
                    }
                    let mut scratch = QueryCode::default();
                    let first = chunk * ENCODE_CHUNK;
                    for (at, code) in codes.chunks_exact_mut(width).enumerate() {
                        let Some(row) = u32::try_from(first + at).ok().and_then(&vector_at) else {
                            continue;
                        };
                        let length = self.encode_row(row, code, &mut scratch);
                        if let Some(out) = lengths.get_mut(at) {
                            *out = length;
                        }
                    }
                    Ok(())
                })
        })?;
        let codes = Codes {
            bytes,
            layout: self.layout,
            rows: len,
        };
        Ok((codes, lengths))
    }

    /// Encodes a query given in the matrix's element encoding.
    ///
    /// # Panics
    /// If the query is not one row long.
    pub fn encode_query(&self, query: &[u8], out: &mut QueryCode) {
        out.vector.clear();
        out.vector.resize(self.mean.len(), 0.0);
        self.decode(query, &mut out.vector);
        let length = dot_f32(&out.vector, &out.vector).sqrt();
        out.vector.iter_mut().zip(&self.mean).for_each(|(x, m)| *x -= m);
        // What scores of codes leave out, being the same for all rows: see the top of this file.
        out.zero = match self.metric {
            Metric::Dot | Metric::CosineU8 => Zero {
                length,
                offset: -dot_f32(&out.vector, &self.mean),
            },
            Metric::L2 => Zero {
                length: 0.0,
                offset: 0.5 * dot_f32(&out.vector, &out.vector),
            },
            Metric::L1 => Zero::default(),
        };
        if self.layout.scheme() == Scheme::Sad {
            out.resize(self.layout);
            let (vector, bytes) = (&out.vector, &mut out.bytes);
            self.encode_differences(vector, bytes);
            return;
        }
        self.project(out);
        let values = std::mem::take(&mut out.projected);
        let largest = values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
        let per_unit = 127.0 / largest;
        let sound = per_unit.is_finite() && values.iter().all(|x| x.is_finite());
        let per_unit = if sound { per_unit } else { 0.0 };
        out.scale = if sound { largest / 127.0 } else { 0.0 };
        let code = |x: &f32| if sound { nearest(x * per_unit) as i8 } else { 0 };
        out.place(self.layout, values.iter().map(code));
        out.projected = values;
    }

    /// Fills `projected` from the centred `vector`.
    fn project(&self, scratch: &mut QueryCode) {
        let QueryCode {
            vector,
            projected,
            rounded,
            ..
        } = scratch;
        match &self.projection {
            Some(projection) => projection.apply(vector, rounded, projected),
            None => {
                projected.clear();
                projected.extend_from_slice(vector);
            }
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

    /// Writes the code of a row, and answers the squared length of its vector from the mean.
    fn encode_row(&self, row: &[u8], code: &mut [u8], scratch: &mut QueryCode) -> f32 {
        scratch.vector.clear();
        scratch.vector.resize(self.mean.len(), 0.0);
        self.decode(row, &mut scratch.vector);
        let bias = match self.metric {
            Metric::Dot | Metric::CosineU8 => dot_f32(&scratch.vector, &self.mean),
            Metric::L2 | Metric::L1 => 0.0,
        };
        let vector = &mut scratch.vector;
        vector.iter_mut().zip(&self.mean).for_each(|(x, m)| *x -= m);
        if self.layout.scheme() == Scheme::Sad {
            self.encode_differences(vector, code);
            return 0.0;
        }
        let length = dot_f32(vector, vector);
        self.project(scratch);
        let scale = self.encode_values(&scratch.projected, code);
        let bias = if self.metric == Metric::L2 {
            -0.5 * length
        } else {
            bias
        };
        let [scale, bias] = match scale {
            Some(scale) if bias.is_finite() => [scale, bias],
            // Squares overflowed: as far away as a number can say, and nowhere in particular.
            Some(_) | None => {
                let far = if self.metric == Metric::L2 { -f32::MAX } else { 0.0 };
                [0.0, if bias.is_finite() { bias } else { far }]
            }
        };
        let payload = self.layout.payload();
        code[payload..payload + 4].copy_from_slice(&scale.to_le_bytes());
        code[payload + 4..].copy_from_slice(&bias.to_le_bytes());
        length
    }

    /// Rounds values to codes; answers the scale that makes up for it, `None` if it is not a finite number.
    fn encode_values(&self, values: &[f32], code: &mut [u8]) -> Option<f32> {
        let (bits, payload) = (self.layout.bits(), self.layout.payload());
        if bits == Bits::Eight {
            let (used, padding) = code[..payload].split_at_mut(values.len());
            padding.fill(ZERO);
            used.fill(ZERO);
            let largest = values.iter().fold(0.0f32, |max, x| max.max(x.abs()));
            let per_unit = 127.0 / largest;
            if largest == 0.0 {
                return Some(0.0);
            }
            if !per_unit.is_finite() || largest == f32::INFINITY {
                return None;
            }
            for (code, x) in used.iter_mut().zip(values) {
                *code = nearest(x * per_unit) ^ ZERO;
            }
            let scale = dot_f32(values, values) / dot_code(values, used);
            return scale.is_finite().then_some(scale);
        }
        code[..payload].fill(0);
        let length = dot_f32(values, values);
        let per_step = (values.len() as f32 / length).sqrt() / normal_step(bits);
        if length == 0.0 {
            return Some(0.0);
        }
        if !per_step.is_finite() {
            return None;
        }
        let (step, zero) = self.layout.values();
        let (least, most) = (-((zero + 1) / 2) as f32, ((zero - 1) / 2) as f32);
        let mut product = 0.0f32;
        let mut part = 0;
        for values in values.chunks(payload) {
            for (byte, x) in code.iter_mut().zip(values) {
                // Rounding down is rounding to the nearest of what lies half a step below.
                let level = rounded(x * per_step - 0.5).clamp(least, most);
                product += x * (level + 0.5);
                *byte |= ((level - least) as u8) << part;
            }
            part += bits.get();
        }
        let scale = length / (product * step as f32);
        scale.is_finite().then_some(scale)
    }

    fn encode_differences(&self, vector: &[f32], code: &mut [u8]) {
        let (used, padding) = code.split_at_mut(vector.len());
        padding.fill(ZERO);
        let per_step = 1.0 / self.step;
        for (code, x) in used.iter_mut().zip(vector) {
            // A saturating cast: out of range clips, NaN becomes 0.
            *code = (x * per_step + (f32::from(ZERO) + 0.5)) as u8;
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

/// Drops centred vectors that are far longer than the others.
fn without_outliers(centred: &mut Vec<f32>, dim: usize) {
    let mut lengths: Vec<f32> = centred.chunks_exact(dim).map(|x| dot_f32(x, x)).collect();
    if lengths.is_empty() {
        return;
    }
    let each = lengths.clone();
    let middle = lengths.len() / 2;
    let (_, median, _) = lengths.select_nth_unstable_by(middle, f32::total_cmp);
    let most = OUTLIER * *median;
    if !(most > 0.0 && most.is_finite()) {
        return;
    }
    let mut kept = 0;
    for (at, length) in each.into_iter().enumerate() {
        if length <= most {
            centred.copy_within(at * dim..(at + 1) * dim, kept * dim);
            kept += 1;
        }
    }
    centred.truncate(kept * dim);
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

#[cfg(test)]
mod tests;
