//! How the multivectors of one name become what graphs are built over.

use std::sync::{LazyLock, OnceLock};

use vdb_index::multi::{Fde, FdeParams};
use vdb_sys::element::Element;
use vdb_sys::kernel::Metric;

use crate::config::VectorParams;
use crate::error::Result;

/// Bytes of a coordinate while a graph is built: two of the encoding, one of the widest code.
const COORDINATE_BYTES: u64 = 3;
/// Bytes of a link.
const LINK_BYTES: u64 = 4;
/// One part in so many of the memory that there is may be taken by encodings, codes and links while a graph is built: they are in
/// memory all together. Larger segments are scanned, unless they have a graph from elsewhere.
const PART_OF_MEMORY: u64 = 4;
/// The same where the system does not tell how much there is.
const UNTOLD_BYTES: u64 = 4 << 30;
/// It is asked once, since what is due for a segment must not change all the time.
static MOST_BYTES: LazyLock<u64> = LazyLock::new(|| most_bytes(vdb_sys::memory::total_bytes()));

fn most_bytes(memory: Option<u64>) -> u64 {
    memory.map_or(UNTOLD_BYTES, |bytes| bytes / PART_OF_MEMORY)
}

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

    /// Whether a graph with room for so many links a node can be built over so many.
    pub(super) fn fits(&self, multivectors: u32, degree: usize) -> bool {
        self.bytes(multivectors, degree) <= *MOST_BYTES
    }

    /// What building such a graph takes.
    fn bytes(&self, multivectors: u32, degree: usize) -> u64 {
        let of_vector = (self.coordinates() as u64).saturating_mul(COORDINATE_BYTES);
        let each = of_vector.saturating_add((degree as u64).saturating_mul(LINK_BYTES));
        u64::from(multivectors).saturating_mul(each)
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

#[cfg(test)]
mod tests;
