//! What is a sparse vector, and how near are two?
//!
//! A sparse vector has values at a few of 2^32 dimensions: a list of dimensions, ascending, each once, and as many values.
//! [`SparseView::dot`] is the canonical score of two: whatever else nominates rows, this scores what is returned.

/// A sparse vector in place: dimensions and their values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SparseView<'a> {
    dimensions: &'a [u32],
    values: &'a [f32],
}

/// What is wrong with a sparse vector, and at which of its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SparseFault {
    /// The dimension at this place is not above the one before it.
    Order(usize),
    /// The value at this place is not a finite number.
    Value(usize),
}

impl<'a> SparseView<'a> {
    /// The vector with `values[i]` at `dimensions[i]`; `None` where there are not as many of one as of the other. That
    /// dimensions ascend and values are finite is what [`fault`](Self::fault) checks.
    pub fn new(dimensions: &'a [u32], values: &'a [f32]) -> Option<Self> {
        (dimensions.len() == values.len()).then_some(Self { dimensions, values })
    }

    /// The vector out of its stored form: the dimensions, then their values, little-endian numbers of four bytes. `None` where
    /// that is no whole number of pairs, or does not lie where such numbers can be read ([`Words`](crate::words::Words) does).
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        // The platform is little-endian: this crate does not compile on any other.
        let words: &[u32] = bytemuck::try_cast_slice(bytes).ok()?;
        if !words.len().is_multiple_of(2) {
            return None;
        }
        let (dimensions, values) = words.split_at(words.len() / 2);
        Self::new(dimensions, bytemuck::cast_slice(values))
    }

    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::cast_slice(self.dimensions));
        out.extend_from_slice(bytemuck::cast_slice(self.values));
    }

    /// How many dimensions have a value.
    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// The dimensions that have a value.
    pub fn dimensions(&self) -> &'a [u32] {
        self.dimensions
    }

    /// Their values.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The dimensions with their values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> + Clone + 'a {
        self.dimensions.iter().copied().zip(self.values.iter().copied())
    }

    /// The first thing that is wrong, if anything is: dimensions ascend, each is there once, and values are finite.
    pub fn fault(&self) -> Option<SparseFault> {
        let mut last = None;
        for (at, (dimension, value)) in self.iter().enumerate() {
            if last.is_some_and(|last| last >= dimension) {
                return Some(SparseFault::Order(at));
            }
            if !value.is_finite() {
                return Some(SparseFault::Value(at));
            }
            last = Some(dimension);
        }
        None
    }

    /// The dot product over the dimensions that both have; `None` where they have none in common.
    ///
    /// Products of `f32` are exact in `f64`; they are summed there from the lowest dimension up, and the sum is
    /// [rounded](round) once. So the same two vectors have the same score, bit for bit, whichever is the query, and no sum
    /// overflows: 2^32 products of the largest numbers are still below 2^288.
    ///
    /// Takes time by the shorter vector, times the logarithm of how much longer the other is. Vectors with a
    /// [fault](Self::fault) have some score or none.
    pub fn dot(&self, other: &SparseView<'_>) -> Option<f32> {
        let (few, many) = if self.len() <= other.len() {
            (self, other)
        } else {
            (other, self)
        };
        let (mut sum, mut shared) = (0.0, false);
        let (mut dimensions, mut values) = (many.dimensions, many.values);
        for (dimension, value) in few.iter() {
            let skip = lower_bound(dimensions, dimension);
            (dimensions, values) = (&dimensions[skip..], &values[skip..]);
            match (dimensions.first(), values.first()) {
                (Some(&found), Some(&other)) if found == dimension => {
                    sum += f64::from(value) * f64::from(other);
                    shared = true;
                }
                (Some(_), Some(_)) => {}
                (None, _) | (_, None) => break,
            }
        }
        shared.then(|| round(sum))
    }
}

/// A sum as a score: the nearest `f32`, or the largest where none is as large. Keeps the order of sums, so that a bound on a
/// sum bounds the score.
#[inline]
pub fn round(sum: f64) -> f32 {
    (sum as f32).clamp(-f32::MAX, f32::MAX)
}

/// The first place of `sorted` that is not below `wanted`; near the front in few steps, however long the list.
#[inline]
fn lower_bound(sorted: &[u32], wanted: u32) -> usize {
    let mut step = 1;
    let mut from = 0;
    while let Some(&there) = sorted.get(from + step - 1) {
        if there >= wanted {
            break;
        }
        from += step;
        step *= 2;
    }
    let end = (from + step - 1).min(sorted.len());
    from + sorted[from..end].partition_point(|&there| there < wanted)
}

#[cfg(test)]
mod tests;
