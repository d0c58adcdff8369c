//! Normalisation of vectors before they are stored.

/// Lanes that the sum of squares is taken in.
const LANES: usize = 8;

/// Vectors with a smaller squared norm than this count as zero. The bounds are those of Qdrant, so
/// that what is scaled there is scaled here.
const ZERO_BELOW: f64 = f32::EPSILON as f64;

/// A squared norm this near to 1 counts as normalised already.
const UNIT_TOLERANCE: f64 = 1.0e-6;

/// No vector that was scaled by [`unit_scale`] is longer, nor one that it left as it is for being normalised already or zero,
/// after it was rounded to `f32` or `f16`: rounding to half precision adds 2^-11, and 2^-25 a component where those are
/// smallest, of which there may be 2^16.
pub const UNIT_LENGTH_MOST: f32 = 1.001;

/// What to multiply `vector` by to give it unit length.
///
/// `None` for those that are to stay as they are: vectors whose squared norm is below `f32::EPSILON`
/// (zero) or within 1e-6 of 1 (so that normalising twice changes nothing), and vectors whose norm is
/// not finite.
///
/// The sum is taken in `f64` in a fixed order without fused operations: the bits of the result are
/// the same on every CPU.
pub fn unit_scale(vector: &[f32]) -> Option<f64> {
    let squared = sum_of_squares(vector);
    let scales = squared >= ZERO_BELOW && squared.is_finite() && (squared - 1.0).abs() > UNIT_TOLERANCE;
    scales.then(|| 1.0 / squared.sqrt())
}

fn sum_of_squares(vector: &[f32]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (blocks, rest) = vector.as_chunks::<LANES>();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += f64::from(value) * f64::from(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += f64::from(value) * f64::from(value);
    }
    lanes.iter().sum()
}
