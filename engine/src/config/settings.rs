//! What is set beside what vectors are: said, changed, told again.

use serde_json::{Map, Value, json};
use vdb_index::Quantization;
use vdb_index::hnsw::HnswParams;
use vdb_index::multi::{Fde, graph_params};

use super::vectors::MultiVectorComparator;
use super::{CollectionConfig, VectorParams};
use crate::error::{Error, Result};
use crate::settings::{
    CollectionUpdate, HnswConfig, QuantizationConfig, StrictMode, merge_hints, merge_metadata,
};

impl VectorParams {
    /// Sets all parameters of its graphs, codes included unless they are left to be chosen.
    #[must_use]
    pub fn hnsw(mut self, hnsw: HnswParams) -> Self {
        self.hnsw = HnswConfig::of_params(hnsw);
        if hnsw.quantization != Quantization::Auto {
            self.quantization = Some(QuantizationConfig::Codes(hnsw.quantization));
        }
        self
    }

    /// Sets some parameters of its graphs.
    #[must_use]
    pub fn hnsw_config(mut self, hnsw: HnswConfig) -> Self {
        self.hnsw = hnsw;
        self
    }

    /// Sets what walks of its graphs read.
    #[must_use]
    pub fn quantization(mut self, quantization: QuantizationConfig) -> Self {
        self.quantization = Some(quantization);
        self
    }

    /// What its graphs are built with in a collection of these settings; `None` where there are to be none. Of multivectors those
    /// that are compared by inner products or cosines have graphs, which always have codes.
    #[must_use]
    pub fn graph(&self, of: &CollectionConfig) -> Option<HnswParams> {
        let quantization = self.quantization.as_ref().or(of.quantization.as_ref());
        let params = self.hnsw.or(&of.hnsw).params(quantization);
        match self.multivector {
            None => params,
            Some(MultiVectorComparator::MaxSim) => params
                .filter(|_| Fde::serves(self.distance.metric(self.element)))
                .map(|asked| graph_params(&asked)),
        }
    }

    /// What the graphs among the rows of one payload value are built with in a collection of these settings; `None` where there
    /// are to be none.
    #[must_use]
    pub fn partitions(&self, of: &CollectionConfig) -> Option<HnswParams> {
        let quantization = self.quantization.as_ref().or(of.quantization.as_ref());
        self.hnsw.or(&of.hnsw).partition_params(quantization)
    }
}

impl CollectionConfig {
    /// Sets how graphs are built, where a vector does not say.
    #[must_use]
    pub fn hnsw(mut self, hnsw: HnswConfig) -> Self {
        self.hnsw = hnsw;
        self
    }

    /// Sets what graph walks read of vectors, where a vector does not say.
    #[must_use]
    pub fn quantization(mut self, quantization: QuantizationConfig) -> Self {
        self.quantization = Some(quantization);
        self
    }

    /// Sets what requests may ask.
    #[must_use]
    pub fn strict_mode(mut self, strict_mode: StrictMode) -> Self {
        self.strict_mode = Some(strict_mode);
        self
    }

    /// Sets the metadata.
    #[must_use]
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets the hints.
    #[must_use]
    pub fn hints(mut self, hints: Map<String, Value>) -> Self {
        self.hints = hints;
        self
    }

    /// Takes a change in, as [`update_config`](crate::Collection::update_config) does.
    ///
    /// # Errors
    /// When it names a vector that is not there, or makes settings that are not allowed: some may have been changed then.
    pub fn update(&mut self, update: &CollectionUpdate) -> Result<()> {
        for (name, change) in &update.vectors {
            let params = named(&mut self.vectors, name, "no vectors")?;
            params.hnsw = change.hnsw.or(&params.hnsw);
            if let Some(change) = &change.quantization {
                change.apply(&mut params.quantization);
            }
        }
        for (name, change) in &update.sparse_vectors {
            let params = named(&mut self.sparse_vectors, name, "no sparse vectors")?;
            params.modifier = change.modifier.unwrap_or(params.modifier);
            params.element = change.element.unwrap_or(params.element);
        }
        self.hnsw = update.hnsw.or(&self.hnsw);
        if let Some(change) = &update.quantization {
            change.apply(&mut self.quantization);
        }
        update.optimizer.apply(&mut self.optimizer);
        if let Some(change) = &update.strict_mode {
            change.apply(self.strict_mode.get_or_insert_default())?;
        }
        merge_metadata(&mut self.metadata, &update.metadata);
        merge_hints(&mut self.hints, &update.hints);
        self.validate()
    }

    /// All settings but what vectors are (`modifier` and `datatype` of sparse ones among that), in the form that
    /// [`CollectionUpdate::from_json`] reads.
    #[must_use]
    pub fn settings_json(&self) -> Map<String, Value> {
        let mut all = Map::new();
        let mut put = |key: &str, value: Value| drop(all.insert(key.to_owned(), value));
        let vectors = self.vectors.iter().filter_map(|(name, params)| {
            let mut said = Map::new();
            if params.hnsw != HnswConfig::default() {
                said.insert("hnsw_config".to_owned(), params.hnsw.to_json().into());
            }
            if let Some(quantization) = &params.quantization {
                said.insert("quantization_config".to_owned(), quantization.to_json());
            }
            (!said.is_empty()).then(|| (name.clone(), said.into()))
        });
        put("vectors", Value::Object(vectors.collect()));
        put("hnsw_config", self.hnsw.to_json().into());
        if let Some(quantization) = &self.quantization {
            put("quantization_config", quantization.to_json());
        }
        put("optimizers_config", self.optimizer.to_json().into());
        if let Some(strict_mode) = &self.strict_mode {
            put("strict_mode_config", strict_mode.to_json().into());
        }
        put("metadata", json!(self.metadata));
        put("hints", json!(self.hints));
        all
    }
}

/// The parameters of a vector by its name, or an error that lists the names.
fn named<'a, P>(vectors: &'a mut [(String, P)], name: &str, none: &str) -> Result<&'a mut P> {
    let Some(at) = vectors.iter().position(|(known, _)| known == name) else {
        let known = vectors.iter().map(|(known, _)| known.as_str());
        return Err(Error::unknown_vector(name, known, none));
    };
    Ok(&mut vectors[at].1)
}
