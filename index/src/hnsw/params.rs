//! What shapes a graph and a search.

use crate::error::{Error, Result};
use crate::quant::Quantization;

/// A graph addresses its rows with 30 bits: two bits of a candidate's word are the walk's own.
pub const MAX_ROWS: u32 = 1 << 30;

/// How a graph is built.
///
/// ```
/// use vdb_index::hnsw::HnswParams;
///
/// // More links, and more care in choosing them: slower to build, nearer to exact.
/// let params = HnswParams { m: 32, ef_construct: 400, ..HnswParams::default() };
/// assert_eq!(params.degree(), 64);
/// assert!(params.validate().is_ok());
/// assert!(HnswParams { m: 1, ..params }.validate().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HnswParams {
    /// Links a node on upper levels; level 0 has room for twice as many. 2..=256.
    pub m: u16,
    /// Width of the beam that finds a new node's neighbours. 1..=65535.
    pub ef_construct: u16,
    /// Width of the beam of a second pass, which looks for every node's neighbours again once all nodes are there;
    /// 0 leaves it out. At equal cost, two passes of 100 need 4 % fewer distances for recall 0.95 and 0.99 than one
    /// of 200, and fall behind it above that (117,000 sentence embeddings).
    pub ef_refine: u16,
    /// How much nearer to another neighbour than to the node itself a candidate must be to be dropped, as a
    /// factor on squared distances (on distances for L1). 1.0 is the HNSW heuristic; more keeps more links.
    /// 1.0..=4.0.
    pub alpha: f32,
    /// Decides which rows reach upper levels, and in which order rows are inserted.
    pub seed: u64,
    /// What walks read of each vector.
    pub quantization: Quantization,
}

impl Default for HnswParams {
    fn default() -> Self {
        Self {
            m: 16,
            ef_construct: 200,
            ef_refine: 0,
            alpha: 1.1,
            seed: 0,
            quantization: Quantization::Auto,
        }
    }
}

impl HnswParams {
    /// Room for links a node on level 0.
    pub fn degree(&self) -> usize {
        usize::from(self.m) * 2
    }

    /// Whether every parameter is in its range.
    ///
    /// # Errors
    /// [`Error::BadParameter`].
    pub fn validate(&self) -> Result<()> {
        let bad = |parameter, value, range| {
            Err(Error::BadParameter {
                parameter,
                value,
                range,
            })
        };
        if !(2..=256).contains(&self.m) {
            return bad("m", u64::from(self.m), "2..=256");
        }
        if self.ef_construct == 0 {
            return bad("ef_construct", 0, "1..=65535");
        }
        if !(1.0..=4.0).contains(&self.alpha) {
            return bad(
                "alpha (in thousandths)",
                (self.alpha * 1000.0) as u64,
                "1000..=4000",
            );
        }
        Ok(())
    }
}

/// How a graph is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SearchParams {
    /// Rows wanted.
    pub k: usize,
    /// Width of the beam: more is slower and finds more. At least `k` is used. Where it is wider than `k`, this is how
    /// wide it is where the data are as usual: it goes by distances, from a third of this to twice.
    pub ef: usize,
    /// How many candidates are rescored with the full vectors at least, as a multiple of `k`: from 1, and at least 5
    /// more than `k` where it is above 1. Others of the beam follow while the codes' errors seen so far leave them a
    /// chance.
    pub oversample: f32,
    /// Score candidates with the full vectors. Without, what comes back has the scores of the codes, and their order.
    pub rescore: bool,
    /// Walk on codes, where the graph has them; otherwise on full vectors, several times slower.
    pub codes: bool,
    /// Under filters that no more than this share of the rows passes, walks look through rows that do not match for those
    /// behind them (as ACORN-1 does) instead of scoring them.
    pub two_hops_below: f64,
}

impl SearchParams {
    /// The default share of [`two_hops_below`](Self::two_hops_below): above it, looking through what does not match costs
    /// more than scoring it.
    pub const TWO_HOPS_BELOW: f64 = 0.4;

    /// The default beam: recall@10 of 0.993 on 117,000 sentence embeddings.
    pub const DEFAULT_EF: usize = 48;

    /// The defaults for the `k` nearest rows.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            ef: Self::DEFAULT_EF,
            oversample: 1.5,
            rescore: true,
            codes: true,
            two_hops_below: Self::TWO_HOPS_BELOW,
        }
    }

    /// How many candidates are rescored whatever their codes say: with a wide beam a share of it, since whoever asks
    /// for one is after what the codes rank low.
    pub(crate) fn rescored(&self) -> usize {
        let times = (self.k as f64 * f64::from(self.oversample.max(1.0))).ceil() as usize;
        // For a few rows a share of them is no margin.
        if self.oversample > 1.0 {
            times.max(self.k.saturating_add(5)).max(self.ef / 8)
        } else {
            times
        }
    }

    /// The same with another beam.
    pub fn ef(self, ef: usize) -> Self {
        Self { ef, ..self }
    }
}
