//! Parameters of graphs: a vector's own, its collection's, the library's.

use serde_json::{Map, Value};
use vdb_index::hnsw::HnswParams;

use super::fields::{Fields, put, short};
use super::quantization::QuantizationConfig;
use crate::error::{Error, Result};

/// How graphs are built, as far as it was said. A vector's own setting counts before its collection's, that before the
/// library's ([`HnswParams::default`]).
///
/// ```
/// use vdb::{CollectionConfig, Distance, HnswConfig, VectorParams};
///
/// let all = HnswConfig { m: Some(24), ef_construct: Some(100), ..HnswConfig::default() };
/// let title = VectorParams::new(384, Distance::Cosine).hnsw_config(HnswConfig { m: Some(8), ..HnswConfig::default() });
/// let config = CollectionConfig::default().hnsw(all).vector("title", title.clone());
/// let params = title.graph(&config).unwrap();
/// assert_eq!((params.m, params.ef_construct), (8, 100));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HnswConfig {
    /// Links a node on upper levels, 2 to 256; level 0 has room for twice as many. 0: there are no graphs, every search
    /// scores all vectors.
    pub m: Option<u16>,
    /// As [`HnswParams::ef_construct`].
    pub ef_construct: Option<u16>,
    /// As [`HnswParams::ef_refine`].
    pub ef_refine: Option<u16>,
    /// As [`HnswParams::alpha`].
    pub alpha: Option<f32>,
    /// As [`HnswParams::seed`].
    pub seed: Option<u64>,
    /// Kilobytes of vectors: where fewer than this may be found in a segment, because it is small or a filter leaves few,
    /// they are all scored, which is exact. Left to the planner by default, which goes by what walking and scoring cost.
    pub full_scan_threshold: Option<u64>,
    /// Links a node of the graphs among the rows of one payload value, where an index knows the values; as `m` by default. 0: there
    /// are none. There are none either where `m` is 0. The beam that finds neighbours there is half as wide as `ef_construct`.
    pub payload_m: Option<u16>,
}

impl HnswConfig {
    /// All that parameters say, but for their codes.
    pub(crate) fn of_params(params: HnswParams) -> Self {
        HnswConfig {
            m: Some(params.m),
            ef_construct: Some(params.ef_construct),
            ef_refine: Some(params.ef_refine),
            alpha: Some(params.alpha),
            seed: Some(params.seed),
            full_scan_threshold: None,
            payload_m: None,
        }
    }

    /// What is said here, and of the rest what `others` say.
    #[must_use]
    pub fn or(&self, others: &HnswConfig) -> HnswConfig {
        HnswConfig {
            m: self.m.or(others.m),
            ef_construct: self.ef_construct.or(others.ef_construct),
            ef_refine: self.ef_refine.or(others.ef_refine),
            alpha: self.alpha.or(others.alpha),
            seed: self.seed.or(others.seed),
            full_scan_threshold: self.full_scan_threshold.or(others.full_scan_threshold),
            payload_m: self.payload_m.or(others.payload_m),
        }
    }

    /// What graphs are built with; `None` where there are to be none.
    pub(crate) fn params(&self, quantization: Option<&QuantizationConfig>) -> Option<HnswParams> {
        let usual = HnswParams::default();
        let params = HnswParams {
            m: self.m.unwrap_or(usual.m),
            ef_construct: self.ef_construct.unwrap_or(usual.ef_construct),
            ef_refine: self.ef_refine.unwrap_or(usual.ef_refine),
            alpha: self.alpha.unwrap_or(usual.alpha),
            seed: self.seed.unwrap_or(usual.seed),
            quantization: quantization.map_or(usual.quantization, QuantizationConfig::codes),
        };
        (params.m > 0).then_some(params)
    }

    /// What the graphs among the rows of one payload value are built with; `None` where there are to be none.
    pub(crate) fn partition_params(&self, quantization: Option<&QuantizationConfig>) -> Option<HnswParams> {
        let of_all = self.params(quantization)?;
        let params = HnswParams {
            m: self.payload_m.unwrap_or(of_all.m),
            // They are smaller, and queries often far from all of them: more care does not pay.
            ef_construct: of_all.ef_construct.div_ceil(2),
            ..of_all
        };
        (params.m > 0).then_some(params)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let Some(params) = self.params(None) else {
            // What is said beside `m` counts once there are graphs again.
            let rest = HnswConfig { m: None, ..*self };
            return rest.validate();
        };
        params.validate().map_err(|error| {
            Error::InvalidRequest(format!("{error}, or 0 for m where there are to be no graphs"))
        })?;
        let partitions = self.partition_params(None);
        partitions
            .map_or(Ok(()), |params| params.validate())
            .map_err(|error| {
                let what = "or 0 where values of payloads are to have no graphs of their own";
                Error::InvalidRequest(format!("payload_m: {error}, {what}"))
            })
    }

    /// The JSON form: what was said.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut said = Map::new();
        put(&mut said, "m", self.m);
        put(&mut said, "ef_construct", self.ef_construct);
        put(&mut said, "ef_refine", self.ef_refine);
        put(&mut said, "alpha", self.alpha.map(short));
        put(&mut said, "seed", self.seed);
        put(&mut said, "full_scan_threshold", self.full_scan_threshold);
        put(&mut said, "payload_m", self.payload_m);
        said
    }

    /// From the JSON form.
    ///
    /// # Errors
    /// When it is none, or has a key that is unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(Fields::new("hnsw_config", value)?)
    }

    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self> {
        let config = HnswConfig {
            m: fields.unsigned("m")?,
            ef_construct: fields.unsigned("ef_construct")?,
            ef_refine: fields.unsigned("ef_refine")?,
            alpha: fields.number("alpha")?,
            seed: fields.unsigned("seed")?,
            full_scan_threshold: fields.unsigned("full_scan_threshold")?,
            payload_m: fields.unsigned("payload_m")?,
        };
        fields.finish()?;
        Ok(config)
    }
}
