//! What a user sets for multivectors and sparse vectors, and what is checked of any named vector.

use vdb_sys::element::Element;

use super::VectorParams;
use crate::error::{Error, Result, within};
use crate::limits::MAX_DIMENSION;
use crate::names::check_vector_name;
use crate::settings::{Modifier, QuantizationConfig};

/// How two multivectors are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MultiVectorComparator {
    /// For each vector of the query the best similarity to one of the point's, added up (ColBERT's late interaction, Khattab
    /// and Zaharia, SIGIR 2020).
    #[default]
    MaxSim,
}

impl MultiVectorComparator {
    /// The code on disk.
    pub(crate) fn code(self) -> u8 {
        match self {
            MultiVectorComparator::MaxSim => 0,
        }
    }

    /// The comparator of a code on disk.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        (code == 0).then_some(MultiVectorComparator::MaxSim)
    }
}

/// Parameters of one named sparse vector of a collection.
///
/// ```
/// use vdb::{CollectionConfig, Modifier, SparseVectorParams};
///
/// let config = CollectionConfig::default().sparse_vector("words", SparseVectorParams::new().modifier(Modifier::Idf));
/// assert_eq!(config.sparse_vectors[0].0, "words");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseVectorParams {
    /// What is done to the weights of a query.
    pub modifier: Modifier,
    /// How a value would be kept by who cannot keep all of it. Nothing of it is lost here: values are kept and compared as
    /// `f32` whatever this says, which is only told again.
    pub element: Element,
}

impl SparseVectorParams {
    /// `f32` values, queries as they are.
    pub fn new() -> Self {
        SparseVectorParams {
            modifier: Modifier::None,
            element: Element::F32,
        }
    }

    /// Sets what is done to the weights of a query.
    #[must_use]
    pub fn modifier(mut self, modifier: Modifier) -> Self {
        self.modifier = modifier;
        self
    }

    /// Sets [`element`](Self::element).
    #[must_use]
    pub fn element(mut self, element: Element) -> Self {
        self.element = element;
        self
    }
}

impl Default for SparseVectorParams {
    fn default() -> Self {
        SparseVectorParams::new()
    }
}

/// Parameters of a named vector of either kind, as [`Collection::create_vector`](crate::Collection::create_vector) takes them.
#[derive(Clone, Debug, PartialEq)]
pub enum NamedVectorParams {
    /// Of a dense vector or a multivector.
    Dense(VectorParams),
    /// Of a sparse vector.
    Sparse(SparseVectorParams),
}

impl From<VectorParams> for NamedVectorParams {
    fn from(params: VectorParams) -> Self {
        NamedVectorParams::Dense(params)
    }
}

impl From<SparseVectorParams> for NamedVectorParams {
    fn from(params: SparseVectorParams) -> Self {
        NamedVectorParams::Sparse(params)
    }
}

pub(super) fn given_twice(name: &str) -> Error {
    Error::InvalidRequest(format!("the vector name {name:?} is given twice"))
}

/// Checks a named dense vector or multivector.
pub(super) fn check_dense(name: &str, params: &VectorParams) -> Result<()> {
    check_vector_name(name)?;
    if params.size == 0 {
        return Err(Error::InvalidRequest(format!(
            "vector {name:?}: the size must be 1 to {MAX_DIMENSION}, got 0"
        )));
    }
    within("numbers in a vector", MAX_DIMENSION, params.size)?;
    params
        .hnsw
        .validate()
        .and_then(|()| {
            let quantization = params.quantization.as_ref();
            quantization.map_or(Ok(()), QuantizationConfig::validate)
        })
        .map_err(|e| Error::InvalidRequest(format!("vector {name:?}: {e}")))
}

/// Checks a named sparse vector.
pub(super) fn check_sparse(name: &str) -> Result<()> {
    check_vector_name(name)?;
    if name.is_empty() {
        return Err(Error::InvalidRequest(
            "a sparse vector needs a name: the one without is a dense vector".into(),
        ));
    }
    Ok(())
}
