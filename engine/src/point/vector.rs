//! Vectors of every kind, as a user writes and reads them.

use std::collections::BTreeMap;

/// A vector of one of the kinds that a collection can hold.
///
/// ```
/// use vdb::{SparseVector, Vector};
///
/// let dense = Vector::from([0.5, 0.5]);
/// let sparse = Vector::from(SparseVector::new([7, 1_000_000], [0.5, 0.1]));
/// let several = Vector::from(vec![vec![0.1, 0.9], vec![0.8, 0.2]]);
/// assert_eq!([dense.kind(), sparse.kind(), several.kind()], ["dense", "sparse", "multi"]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// A number for each dimension.
    Dense(Vec<f32>),
    /// Values at a few of 2^32 dimensions.
    Sparse(SparseVector),
    /// Any number of dense vectors of one size, compared all with all.
    Multi(Vec<Vec<f32>>),
}

impl Vector {
    /// The numbers of a dense vector; `None` for another kind.
    pub fn as_dense(&self) -> Option<&[f32]> {
        match self {
            Vector::Dense(numbers) => Some(numbers),
            Vector::Sparse(_) | Vector::Multi(_) => None,
        }
    }

    /// A sparse vector; `None` for another kind.
    pub fn as_sparse(&self) -> Option<&SparseVector> {
        match self {
            Vector::Sparse(vector) => Some(vector),
            Vector::Dense(_) | Vector::Multi(_) => None,
        }
    }

    /// The vectors of a multivector; `None` for another kind.
    pub fn as_multi(&self) -> Option<&[Vec<f32>]> {
        match self {
            Vector::Multi(rows) => Some(rows),
            Vector::Dense(_) | Vector::Sparse(_) => None,
        }
    }

    /// `dense`, `sparse` or `multi`.
    pub fn kind(&self) -> &'static str {
        match self {
            Vector::Dense(_) => "dense",
            Vector::Sparse(_) => "sparse",
            Vector::Multi(_) => "multi",
        }
    }

    /// Bytes that its numbers take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Vector::Dense(numbers) => size_of_val(numbers.as_slice()),
            Vector::Sparse(vector) => {
                size_of_val(vector.indices.as_slice()) + size_of_val(vector.values.as_slice())
            }
            Vector::Multi(rows) => rows
                .iter()
                .map(|row| size_of::<Vec<f32>>() + size_of_val(row.as_slice()))
                .sum(),
        }
    }
}

/// A vector with values at a few of 2^32 dimensions, and zero elsewhere.
///
/// Written in any order, and read back in the order of dimensions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    /// The dimensions that have a value, each once.
    pub indices: Vec<u32>,
    /// The value at each of them.
    pub values: Vec<f32>,
}

impl SparseVector {
    /// The vector with `values[i]` at the dimension `indices[i]`. That there are as many of both, that no dimension comes twice
    /// and that values are finite is checked when it is used.
    pub fn new(indices: impl Into<Vec<u32>>, values: impl Into<Vec<f32>>) -> Self {
        SparseVector {
            indices: indices.into(),
            values: values.into(),
        }
    }
}

impl From<Vec<(u32, f32)>> for SparseVector {
    fn from(pairs: Vec<(u32, f32)>) -> Self {
        let (indices, values) = pairs.into_iter().unzip();
        SparseVector { indices, values }
    }
}

/// The vectors of one point by name; the default vector has the name `""`.
///
/// ```
/// use vdb::{SparseVector, Vectors};
///
/// let one = Vectors::from([0.1, 0.9]);
/// let named = one.with("words", SparseVector::new([3, 17], [0.4, 1.5]));
/// assert_eq!(named.dense(""), Some(&[0.1, 0.9][..]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors(pub BTreeMap<String, Vector>);

impl Vectors {
    /// The vector of that name.
    pub fn get(&self, name: &str) -> Option<&Vector> {
        self.0.get(name)
    }

    /// The numbers of the dense vector of that name.
    pub fn dense(&self, name: &str) -> Option<&[f32]> {
        self.get(name)?.as_dense()
    }

    /// Adds or replaces a vector.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, vector: impl Into<Vector>) -> Self {
        self.0.insert(name.into(), vector.into());
        self
    }
}

/// What a vector can be made of, the vectors of a point with only the default one can be made of as well.
macro_rules! made_of {
    ($($(const $n:ident)? $given:ty, $value:ident => $vector:expr;)*) => {$(
        impl$(<const $n: usize>)? From<$given> for Vector {
            fn from($value: $given) -> Self {
                $vector
            }
        }

        impl$(<const $n: usize>)? From<$given> for Vectors {
            fn from(vector: $given) -> Self {
                Vectors::default().with("", vector)
            }
        }
    )*};
}

made_of! {
    Vec<f32>, numbers => Vector::Dense(numbers);
    &[f32], numbers => Vector::Dense(numbers.to_vec());
    const N [f32; N], numbers => Vector::Dense(numbers.to_vec());
    SparseVector, vector => Vector::Sparse(vector);
    Vec<Vec<f32>>, rows => Vector::Multi(rows);
}

impl From<Vector> for Vectors {
    fn from(vector: Vector) -> Self {
        Vectors::default().with("", vector)
    }
}
