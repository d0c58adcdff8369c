//! A linear map to fewer dimensions, on bytes.

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::kernel::packed::{Bits, PADDING, PackedKernel};

use crate::codes::ZERO;
use crate::quant::arithmetic::{nearest, signed_sum};

/// An orthonormal map of vectors onto a subspace, rounded to bytes with a scale a coordinate. Vectors are rounded to
/// bytes before they are mapped: a map of 240 x 384 then takes a microsecond and stays in the second-level cache,
/// and errs by less than a tenth of what codes of 4 bits do.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    /// For each coordinate, `dim` bytes with [`ZERO`] added, padded to whole cache lines.
    rows: AlignedBuf,
    scales: Vec<f32>,
    dim: usize,
}

impl PartialEq for Projection {
    fn eq(&self, other: &Self) -> bool {
        self.dim == other.dim && self.scales == other.scales && *self.rows == *other.rows
    }
}

impl Projection {
    /// Bytes of a coordinate's row.
    pub(crate) fn width(dim: usize) -> usize {
        dim.next_multiple_of(PADDING)
    }

    /// Rounds the rows of an orthonormal basis, `dim` numbers each.
    pub(crate) fn new(basis: &[f32], dim: usize) -> Self {
        let width = Self::width(dim);
        let count = basis.len() / dim;
        let mut rows = AlignedBuf::zeroed(count * width);
        let mut scales = Vec::with_capacity(count);
        for (out, row) in rows.chunks_exact_mut(width).zip(basis.chunks_exact(dim)) {
            out.fill(ZERO);
            scales.push(round(row, |at, value| out[at] = value as u8 ^ ZERO));
        }
        Self { rows, scales, dim }
    }

    /// From the bytes of a file: the scales, and `width` bytes for each. `None` unless lengths fit and scales are
    /// finite.
    pub(crate) fn from_parts(scales: Vec<f32>, rows: &[u8], dim: usize) -> Option<Self> {
        let fits = rows.len() == scales.len() * Self::width(dim);
        (fits && scales.iter().all(|scale| scale.is_finite())).then(|| Self {
            rows: AlignedBuf::from_slice(rows),
            scales,
            dim,
        })
    }

    /// The stored rows.
    pub(crate) fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// The scale of each coordinate.
    pub(crate) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Coordinates of a mapped vector.
    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }

    /// Maps a vector of `dim` numbers. `rounded` is scratch. What is not finite maps to zeros.
    pub(crate) fn apply(&self, vector: &[f32], rounded: &mut AlignedBuf, out: &mut Vec<f32>) {
        let width = Self::width(self.dim);
        if rounded.len() != width {
            *rounded = AlignedBuf::zeroed(width);
        }
        rounded.fill(0);
        let scale = round(vector, |at, value| rounded[at] = value as u8);
        let query: &[i8] = bytemuck::cast_slice(rounded);
        let excess = signed_sum(query) * i32::from(ZERO);
        let kernel = PackedKernel::new(Bits::Eight);
        out.clear();
        let (fours, rest) = self.rows.as_chunks_of(width);
        for four in fours {
            out.extend(kernel.dot4(four, query).map(|sum| (sum - excess) as f32));
        }
        out.extend(rest.map(|row| (kernel.dot(row, query) - excess) as f32));
        out.iter_mut()
            .zip(&self.scales)
            .for_each(|(value, row)| *value *= scale * row);
    }
}

/// Rows of a buffer in fours, and what is left.
trait Fours {
    fn as_chunks_of(&self, width: usize) -> (impl Iterator<Item = [&[u8]; 4]>, impl Iterator<Item = &[u8]>);
}

impl Fours for AlignedBuf {
    fn as_chunks_of(&self, width: usize) -> (impl Iterator<Item = [&[u8]; 4]>, impl Iterator<Item = &[u8]>) {
        let whole = self.len() / (4 * width) * (4 * width);
        let fours = self[..whole]
            .chunks_exact(4 * width)
            .map(move |four| std::array::from_fn(|at| &four[at * width..][..width]));
        (fours, self[whole..].chunks_exact(width))
    }
}

/// Rounds numbers to -127..=127 of the scale that it returns; 0 where they are all zero or not all finite.
fn round(vector: &[f32], mut put: impl FnMut(usize, i8)) -> f32 {
    let largest = vector.iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let per_unit = 127.0 / largest;
    let sound = per_unit.is_finite() && largest.is_finite() && vector.iter().all(|x| x.is_finite());
    if !sound {
        return 0.0;
    }
    for (at, x) in vector.iter().enumerate() {
        put(at, nearest(x * per_unit) as i8);
    }
    largest / 127.0
}
