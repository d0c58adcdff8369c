//! A multivector as one vector: fixed-dimensional encodings (Dhulipala, Hadian, Jayaram, Lee & Mirrokni, "MUVERA:
//! Multi-Vector Retrieval via Fixed Dimensional Encodings", NeurIPS 2024).
//!
//! The inner product of the encodings of query and document is about the sum of best inner products, so that whatever finds
//! large inner products finds good candidates. In each of several repetitions:
//!
//! 1. Space is cut into 2^b buckets by b hyperplanes at random (SimHash: Charikar, STOC 2002): near vectors share one.
//! 2. Vectors are projected to fewer dimensions by random signs, which keeps inner products on average (Achlioptas, 2003).
//! 3. A query has in each bucket the *sum* of its vectors there, a document their *mean*. So each vector of the query meets
//!    the mean of those that are near it.
//! 4. A bucket where a document has no vector takes the mean of those in the nearest buckets that have some, by the
//!    planes between them: each vector of the query has to meet something. (The paper takes one vector of these.) Queries
//!    are not filled: what is not there has no best match.
//!
//! What the repetitions give is one long vector. The paper shortens it by a further random projection; codes of graphs
//! find the subspace in which encodings differ most, which keeps more.
//!
//! Everything that is at random follows from the seed, and is made of whole numbers and exact arithmetic: the same on every
//! machine. The sums are those of the canonical kernel there. Encodings only nominate, as codes do. They are kept as codes in
//! graphs, whose files say by which way ([`ENCODING`]): **another way to encode is another number there**.
//!
//! Bytes are never negative, so that what tells two of their vectors apart is little beside what all have in common. They
//! are encoded from the centre `c` of their range: `<q, d> = <q-c, d-c> + <c, d> + (terms of q alone)`, where `<c, d>` is one
//! more coordinate of a bucket, and how many vectors a query has there is what it meets.
//!
//! For inner products and for cosines, which are those of normalised vectors. Euclidean distances are inner products too once a
//! coordinate is added for the square of a vector's length, but then that coordinate, not direction, decides between
//! candidates, and hyperplanes through the origin say little of who is near: left out for want of a measurement in its favour.
//! Manhattan distances are no inner products of any such vectors.

use vdb_sys::aligned::AlignedBuf;
use vdb_sys::element::{Element, decode_to_f32};
use vdb_sys::kernel::{Kernel, Metric};

use crate::control::Control;
use crate::error::{Error, Result};
use crate::mix;

/// What graph files say of rows that were encoded as here: another number for another way.
pub(super) const ENCODING: u8 = 1;

/// Vectors that are compared with all planes at once: planes are read from the second-level cache, once for all of these.
const BLOCK: usize = 16;

/// Most hyperplanes of one repetition.
const MOST_BITS: u8 = 8;
/// Most coordinates of an encoding.
const MOST_COORDINATES: usize = 1 << 20;
/// Most numbers of all planes and projections together: 256 MiB.
const MOST_NUMBERS: u64 = 1 << 26;

/// Half of the largest byte: bytes are never negative, and planes through zero would leave them all on one side.
const BYTE_CENTRE: f32 = 127.5;
/// The cosine of bytes that are evenly spread with the vector whose components are equal: the root of 3/4.
const USUAL_LEVEL: f32 = 0.866;
/// How far bytes are from the centre, as a share of their range: between evenly spread ones, .29, and crowded ones.
const USUAL_SPREAD: f32 = 0.2;

/// What shapes an encoding.
///
/// ```
/// use vdb_index::multi::FdeParams;
/// use vdb_sys::element::Element;
///
/// let params = FdeParams::default();
/// assert_eq!(params.coordinates(128, Element::F32), 2560);
/// assert!(params.validate(128).is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FdeParams {
    /// How many times space is cut; more is nearer to the truth. From 1.
    pub repetitions: u16,
    /// Hyperplanes of each. 0..=8.
    pub bits: u8,
    /// Dimensions that vectors are projected to in each; those of fewer or as many stay as they are. From 1.
    pub projected: u16,
    /// Decides what is at random.
    pub seed: u64,
}

impl Default for FdeParams {
    /// Chosen by measurement: see `docs/performance/multivectors.md`.
    fn default() -> Self {
        Self {
            repetitions: 20,
            bits: 3,
            projected: 16,
            seed: 0,
        }
    }
}

impl FdeParams {
    /// Coordinates of an encoding of vectors of `dim` components of `element`: those that they are projected to, and one more
    /// for bytes, a bucket.
    pub fn coordinates(&self, dim: usize, element: Element) -> usize {
        let each = dim.min(usize::from(self.projected)) + usize::from(element == Element::U8);
        (usize::from(self.repetitions) << self.bits.min(MOST_BITS)).saturating_mul(each)
    }

    /// Whether all are in their ranges for vectors of `dim` components.
    ///
    /// # Errors
    /// [`Error::BadParameter`].
    pub fn validate(&self, dim: usize) -> Result<()> {
        let bad = |parameter, value, range| {
            Err(Error::BadParameter {
                parameter,
                value,
                range,
            })
        };
        if self.repetitions == 0 {
            return bad("repetitions", 0, "1..=65535");
        }
        if self.bits > MOST_BITS {
            return bad("bits", u64::from(self.bits), "0..=8");
        }
        if self.projected == 0 {
            return bad("projected", 0, "1..=65535");
        }
        if dim == 0 {
            return bad("components of a vector", 0, "from 1");
        }
        let coordinates = self.coordinates(dim, Element::U8);
        if coordinates > MOST_COORDINATES {
            return bad("coordinates of an encoding", coordinates as u64, "1..=1048576");
        }
        let planes = u64::from(self.repetitions) * (u64::from(self.bits) + u64::from(self.projected));
        let numbers = planes.saturating_mul(dim as u64);
        if numbers > MOST_NUMBERS {
            return bad("numbers of all planes", numbers, "1..=67108864");
        }
        Ok(())
    }
}

/// Encodes multivectors of one dimension, element and metric. To be made once and kept: it holds its planes, 380 by default,
/// of as many `f32` as a vector has components.
#[derive(Debug)]
pub struct Fde {
    params: FdeParams,
    dim: usize,
    element: Element,
    /// Vectors count as normalised.
    normalises: bool,
    /// Compares vectors with planes.
    kernel: Kernel,
    /// For each repetition its hyperplanes, then the signs of its projection; `dim` numbers each.
    planes: AlignedBuf,
    /// The sums of these rows.
    sums: Vec<f32>,
    /// Dimensions after projection.
    projected: usize,
    /// Coordinates of a bucket: those, and for bytes one more.
    width: usize,
    /// Projected coordinates are multiplied by this, after vectors are.
    shrink: f32,
    /// Vectors are multiplied by this, or by one over their length.
    scale: f32,
    /// Each component of the centre that vectors are encoded from, after they are multiplied.
    centre: f32,
    /// Taken from the inner product with the centre: its usual value.
    level: f32,
    /// What that coordinate of a query is for each of its vectors: about as much as the others, so that no coordinate
    /// drowns the others where they are rounded. A document's is divided by it.
    weight: f32,
}

/// Memory that encoding works in; one for each thread that encodes.
#[derive(Debug, Default)]
pub struct FdeScratch {
    vectors: Vec<f32>,
    scores: Vec<f32>,
    sums: Vec<f32>,
    counts: Vec<u32>,
    filled: Vec<f32>,
}

/// Which side of the comparison is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Query,
    Document,
}

impl Fde {
    /// The encoding of multivectors whose vectors have `dim` components of `element` and are compared by `metric`. Those of
    /// normalised vectors are compared by [`Metric::Dot`].
    ///
    /// # Errors
    /// [`Error::BadParameter`] for parameters out of their ranges, and for distances, which have no such encoding: see
    /// [`serves`](Self::serves).
    pub fn new(dim: usize, element: Element, metric: Metric, params: FdeParams) -> Result<Self> {
        params.validate(dim)?;
        if !Self::serves(metric) {
            return Err(Error::BadParameter {
                parameter: "metric of a fixed-dimensional encoding",
                value: metric as u64,
                range: "inner products and cosines",
            });
        }
        let bits = usize::from(params.bits);
        let projected = dim.min(usize::from(params.projected));
        let mut planes = AlignedBuf::new();
        let mut sums = Vec::new();
        let mut seed = mix(params.seed);
        let mut row = vec![0.0f32; dim];
        for at in 0..usize::from(params.repetitions) * (bits + projected) {
            let place = at % (bits + projected);
            seed = mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15));
            if place < bits {
                hyperplane(seed, &mut row);
            } else {
                projection(seed, place - bits, projected, &mut row);
            }
            planes.extend_from_slice(bytemuck::cast_slice(&row));
            sums.push(row.iter().sum());
        }
        let is_bytes = element == Element::U8;
        let normalises = metric == Metric::CosineU8;
        let root = (dim as f32).sqrt();
        let (centre, level, spread) = match (is_bytes, normalises) {
            (false, _) => (0.0, 0.0, 0.0),
            (true, false) => (0.5, 0.25 * dim as f32, USUAL_SPREAD * root),
            (true, true) => (1.0 / root, USUAL_LEVEL, 2.0 * USUAL_SPREAD),
        };
        Ok(Self {
            params,
            dim,
            element,
            normalises,
            kernel: Kernel::new(Metric::Dot, Element::F32),
            planes,
            sums,
            projected,
            width: projected + usize::from(is_bytes),
            shrink: if projected < dim {
                1.0 / (projected as f32).sqrt()
            } else {
                1.0
            },
            scale: if is_bytes { 1.0 / 255.0 } else { 1.0 },
            centre,
            level,
            weight: spread / (projected as f32).sqrt(),
        })
    }

    /// Whether there is an encoding for what is compared by `metric`: for inner products and cosines, not for distances.
    pub fn serves(metric: Metric) -> bool {
        match metric {
            Metric::Dot | Metric::CosineU8 => true,
            Metric::L2 | Metric::L1 => false,
        }
    }

    /// Coordinates of an encoding.
    pub fn coordinates(&self) -> usize {
        self.params.coordinates(self.dim, self.element)
    }

    /// Bytes of one vector of what is encoded.
    pub fn vector_bytes(&self) -> usize {
        self.dim * self.element.size()
    }

    /// What shapes the encoding.
    pub fn params(&self) -> &FdeParams {
        &self.params
    }

    /// The kernel that compares encodings where they are kept, as halves: what graphs over them are built and opened with.
    pub fn graph_kernel() -> Kernel {
        Kernel::new(Metric::Dot, Element::F16)
    }

    /// Encodes what a row has: its vectors back to back, in the encoding of the element. Of part of a vector at the end
    /// nothing is made. Appends [`coordinates`](Self::coordinates) numbers to `out`, all finite.
    ///
    /// # Errors
    /// [`Error::Cancelled`], looked at every few vectors.
    pub fn document(
        &self,
        vectors: &[u8],
        control: &Control<'_>,
        scratch: &mut FdeScratch,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        self.encode(Side::Document, vectors, control, scratch, out)
    }

    /// Encodes a query likewise, but for a factor that is the same for all its numbers.
    ///
    /// # Errors
    /// As [`document`](Self::document).
    pub fn query(
        &self,
        vectors: &[u8],
        control: &Control<'_>,
        scratch: &mut FdeScratch,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let start = out.len();
        self.encode(Side::Query, vectors, control, scratch, out)?;
        // A sum of many vectors need not fit a half.
        let largest = out[start..].iter().fold(0.0f32, |most, x| most.max(x.abs()));
        if largest > 0.0 {
            out[start..].iter_mut().for_each(|x| *x /= largest);
        }
        Ok(())
    }

    fn encode(
        &self,
        side: Side,
        vectors: &[u8],
        control: &Control<'_>,
        scratch: &mut FdeScratch,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        self.gather(side, vectors, control, scratch)?;
        let FdeScratch {
            sums, counts, filled, ..
        } = scratch;
        if side == Side::Document {
            let buckets = 1 << self.params.bits;
            filled.clear();
            filled.resize(sums.len(), 0.0);
            let of_repetition = buckets * self.width;
            for ((sums, counts), out) in sums
                .chunks_exact(of_repetition)
                .zip(counts.chunks_exact(buckets))
                .zip(filled.chunks_exact_mut(of_repetition))
            {
                means(sums, counts, self.width, out);
            }
        }
        let values = match side {
            Side::Query => &*sums,
            Side::Document => &*filled,
        };
        let start = out.len();
        out.extend_from_slice(values);
        // What overflows is of no use in any direction.
        out[start..]
            .iter_mut()
            .filter(|x| !x.is_finite())
            .for_each(|x| *x = 0.0);
        Ok(())
    }

    /// Sums of projected vectors, and how many there are, in the buckets of each repetition.
    fn gather(
        &self,
        side: Side,
        vectors: &[u8],
        control: &Control<'_>,
        scratch: &mut FdeScratch,
    ) -> Result<()> {
        let buckets = usize::from(self.params.repetitions) << self.params.bits;
        scratch.sums.clear();
        scratch.sums.resize(buckets * self.width, 0.0);
        scratch.counts.clear();
        scratch.counts.resize(buckets, 0);
        for encoded in vectors.chunks(self.vector_bytes() * BLOCK) {
            if control.is_cancelled() {
                return Err(Error::Cancelled);
            }
            let count = encoded.len() / self.vector_bytes();
            let mut block = std::mem::take(&mut scratch.vectors);
            block.clear();
            block.resize(count * self.dim, 0.0);
            decode_to_f32(&encoded[..count * self.vector_bytes()], self.element, &mut block);
            let views: Vec<&[u8]> = block.chunks_exact(self.dim).map(bytemuck::cast_slice).collect();
            let mut scores = std::mem::take(&mut scratch.scores);
            scores.clear();
            scores.resize(self.sums.len() * count, 0.0);
            self.kernel.score_rows_multi(&views, &self.planes, &mut scores);
            for (at, vector) in block.chunks_exact(self.dim).enumerate() {
                self.add(side, vector, |plane| scores[plane * count + at], scratch);
            }
            (scratch.vectors, scratch.scores) = (block, scores);
        }
        Ok(())
    }

    /// Adds one vector, given its inner products with the rows of `planes`, to its bucket of each repetition.
    fn add(&self, side: Side, vector: &[f32], product: impl Fn(usize) -> f32, scratch: &mut FdeScratch) {
        let (bits, width) = (usize::from(self.params.bits), self.width);
        let scale = match self.normalises {
            true => one_over_length(vector),
            false => self.scale,
        };
        let level = match side {
            Side::Query => self.weight,
            Side::Document => (scale * self.centre * vector.iter().sum::<f32>() - self.level) / self.weight,
        };
        let middle = if self.element == Element::U8 {
            BYTE_CENTRE
        } else {
            0.0
        };
        for (repetition, first) in (0..self.sums.len()).step_by(bits + self.projected).enumerate() {
            let hyperplanes = first..first + bits;
            let code = hyperplanes.fold(0, |code, plane| {
                code << 1 | usize::from(product(plane) > middle * self.sums[plane])
            });
            let bucket = (repetition << bits) + code;
            scratch.counts[bucket] += 1;
            let sums = &mut scratch.sums[bucket * width..][..width];
            let (projected, levels) = sums.split_at_mut(self.projected);
            for (sum, plane) in projected.iter_mut().zip(first + bits..) {
                *sum += self.shrink * (scale * product(plane) - self.centre * self.sums[plane]);
            }
            levels.iter_mut().for_each(|sum| *sum += level);
        }
    }
}

/// What a vector is multiplied by to be of unit length; 0 where it has no direction.
fn one_over_length(vector: &[f32]) -> f32 {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 { 1.0 / length } else { 0.0 }
}

/// Numbers that are nearly normal: of 64 bits at random, how many are set, from the middle.
fn hyperplane(seed: u64, row: &mut [f32]) {
    for (x, at) in row.iter_mut().zip(0u64..) {
        *x = mix(seed ^ mix(at)).count_ones() as f32 - 32.0;
    }
}

/// One row of a projection to `projected` dimensions: signs at random, or one coordinate where all are kept.
fn projection(seed: u64, place: usize, projected: usize, row: &mut [f32]) {
    let all = projected == row.len();
    for (at, x) in row.iter_mut().enumerate() {
        *x = match all {
            true => f32::from(u8::from(at == place)),
            false => sign(mix(seed ^ mix(at as u64))),
        };
    }
}

fn sign(random: u64) -> f32 {
    if random >> 63 == 1 { -1.0 } else { 1.0 }
}

/// What a document has in the buckets of one repetition: the mean of its vectors there, or where there is none, that of those
/// in the nearest buckets that have some.
fn means(sums: &[f32], counts: &[u32], width: usize, out: &mut [f32]) {
    let bits = counts.len().ilog2();
    for (bucket, out) in out.chunks_exact_mut(width).enumerate() {
        for distance in 0..=bits {
            let mut count = 0u32;
            for (other, sums) in sums.chunks_exact(width).enumerate() {
                if (other ^ bucket).count_ones() == distance && counts[other] > 0 {
                    count += counts[other];
                    out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
                }
            }
            if count > 0 {
                out.iter_mut().for_each(|x| *x /= count as f32);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests;
