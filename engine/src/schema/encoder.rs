//! How the multivectors of one name become what graphs are built over.

use std::sync::OnceLock;

use vdb_index::multi::{Fde, FdeParams};
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;

use crate::config::VectorParams;
use crate::error::Result;

/// Bytes of a coordinate of an encoding while a graph is built.
const COORDINATE_BYTES: u64 = 2;
/// Most bytes of encodings while a graph is built: they are in memory all together. Larger segments are scanned.
const MOST_BYTES: u64 = 16 << 30;

/// Encodes multivectors. What it needs for that is made when it is first needed, and kept.
#[derive(Debug)]
pub(crate) struct Encoder {
    dim: usize,
    element: Element,
    metric: Metric,
    params: FdeParams,
    made: OnceLock<Fde>,
}

impl Encoder {
    /// `None` for vectors that no graph is built over by way of encodings.
    pub(super) fn new(params: &VectorParams) -> Option<Self> {
        params.multivector?;
        let metric = params.distance.metric(params.element);
        Fde::serves(metric).then(|| Encoder {
            dim: params.size,
            element: params.element,
            metric,
            params: FdeParams::default(),
            made: OnceLock::new(),
        })
    }

    /// Coordinates of an encoding.
    pub(crate) fn coordinates(&self) -> usize {
        self.params.coordinates(self.dim, self.element)
    }

    /// Whether so many can be encoded together.
    pub(super) fn fits(&self, multivectors: u32) -> bool {
        let each = (self.coordinates() as u64).saturating_mul(COORDINATE_BYTES);
        u64::from(multivectors).saturating_mul(each) <= MOST_BYTES
    }

    /// What encodes them.
    ///
    /// # Errors
    /// When the vectors are too long for it.
    pub(crate) fn fde(&self) -> Result<&Fde> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let made = Fde::new(self.dim, self.element, self.metric, self.params)?;
        Ok(self.made.get_or_init(|| made))
    }
}
