//! What the engine makes of settings.

use serde_json::{Map, Value};
use vdb::{
    CollectionConfig, CollectionUpdate, Element, MultiVectorComparator, SparseVectorParams, VectorParams,
};

use super::super::error::{Result, ServiceError};
use super::kept::{hints, read, value};
use super::tuning::{HnswSettings, OptimizerSettings};
use super::update::{QuantizationUpdate, SettingsUpdate};
use super::vectors::{
    Comparator, Datatype, Modifier, MultivectorSettings, SparseVectorSettings, VectorSettings,
};
use super::{CollectionSettings, QuantizationSettings};

/// What the engine knows of the parameters of graphs; the rest is where things lie.
const GRAPH: [&str; 4] = ["m", "ef_construct", "full_scan_threshold", "payload_m"];
/// What it does not know of optimizers.
const NO_OPTIMIZER: &str = "memmap_threshold";
/// The limits of strict mode. Others are ignored, as unknown keys are.
pub(crate) const LIMITS: [&str; 21] = [
    "enabled",
    "max_query_limit",
    "max_timeout",
    "unindexed_filtering_retrieve",
    "unindexed_filtering_update",
    "search_max_hnsw_ef",
    "search_allow_exact",
    "search_max_oversampling",
    "upsert_max_batchsize",
    "search_max_batchsize",
    "max_collection_vector_size_bytes",
    "max_collection_payload_size_bytes",
    "max_points_count",
    "read_rate_limit",
    "write_rate_limit",
    "filter_max_conditions",
    "condition_max_size",
    "max_payload_index_count",
    "max_resident_memory_percent",
    "multivector_config",
    "sparse_config",
];

/// The engine's settings as they are gathered: an object in the form of [`CollectionUpdate::from_json`].
#[derive(Default)]
struct Said(Map<String, Value>);

impl Said {
    fn put(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    fn hnsw(&mut self, settings: Option<&HnswSettings>) -> Result<()> {
        if let Some(settings) = settings {
            let settings = value(&nearest(settings))?;
            self.put("hnsw_config", only(settings, |key| GRAPH.contains(&key)));
        }
        Ok(())
    }

    fn quantization(&mut self, settings: Option<&QuantizationSettings>) -> Result<()> {
        if let Some(settings) = settings {
            self.put("quantization_config", value(settings)?);
        }
        Ok(())
    }

    fn other_quantization(&mut self, update: Option<&QuantizationUpdate>) -> Result<()> {
        match update {
            None => Ok(()),
            Some(QuantizationUpdate::Set(settings)) => self.quantization(Some(settings)),
            Some(QuantizationUpdate::Disabled) => {
                self.put("quantization_config", "Disabled".into());
                Ok(())
            }
        }
    }

    fn optimizer(&mut self, settings: Option<&OptimizerSettings>) -> Result<()> {
        if let Some(settings) = settings {
            self.put(
                "optimizers_config",
                only(value(settings)?, |key| key != NO_OPTIMIZER),
            );
        }
        Ok(())
    }

    fn strict_mode(&mut self, limits: Option<&Map<String, Value>>) {
        if let Some(limits) = limits {
            let limits = only(limits.clone().into(), |key| LIMITS.contains(&key));
            self.put("strict_mode_config", limits);
        }
    }

    fn update(self) -> Result<CollectionUpdate> {
        Ok(CollectionUpdate::from_json(&self.0.into())?)
    }
}

/// The entries of an object whose keys are wanted and that say something.
fn only(object: Value, wanted: impl Fn(&str) -> bool) -> Value {
    match object {
        Value::Object(entries) => {
            let wanted = |(key, value): &(String, Value)| wanted(key) && !value.is_null();
            Value::Object(entries.into_iter().filter(wanted).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            other
        }
    }
}

impl CollectionSettings {
    /// The configuration of the engine that they ask for.
    ///
    /// # Errors
    /// When they ask for what the engine does not have.
    pub fn to_config(&self) -> Result<CollectionConfig> {
        let mut config = CollectionConfig::default();
        let mut vectors = Map::new();
        for (name, vector) in &self.vectors.0 {
            config = config.vector(name.as_str(), dense_params(name, vector)?);
            let mut said = Said::default();
            said.hnsw(vector.hnsw_config.as_ref())?;
            said.quantization(vector.quantization_config.as_ref())?;
            vectors.insert(name.clone(), said.0.into());
        }
        for (name, sparse) in self.sparse_vectors.iter().flatten() {
            config = config.sparse_vector(name.as_str(), sparse_params(name, sparse)?);
        }
        let mut said = Said::default();
        said.put("vectors", vectors.into());
        said.hnsw(self.hnsw_config.as_ref())?;
        said.quantization(self.quantization_config.as_ref())?;
        said.optimizer(self.optimizers_config.as_ref())?;
        said.strict_mode(self.strict_mode_config.as_ref());
        if let Some(metadata) = &self.metadata {
            said.put("metadata", metadata.clone().into());
        }
        said.put("hints", hints(None, self)?.into());
        config.update(&said.update()?)?;
        Ok(config)
    }

    /// Takes over what the engine knows of its configuration.
    pub(super) fn take_over(&mut self, config: &CollectionConfig) {
        let mut known = std::mem::take(&mut self.vectors.0);
        for (name, params) in &config.vectors {
            let fresh = VectorSettings::new(params.size as u64, params.distance.into());
            let mut vector = known.remove(name).unwrap_or_else(|| fresh.clone());
            (vector.size, vector.distance) = (fresh.size, fresh.distance);
            vector.datatype = datatype(params.element, vector.datatype);
            vector.multivector_config = params.multivector.map(|comparator| match comparator {
                MultiVectorComparator::MaxSim => MultivectorSettings {
                    comparator: Comparator::MaxSim,
                },
            });
            take_hnsw(&mut vector.hnsw_config, read(params.hnsw.to_json()));
            vector.quantization_config = params
                .quantization
                .as_ref()
                .and_then(|codes| read(codes.to_json()));
            self.vectors.0.insert(name.clone(), vector);
        }
        let mut known = self.sparse_vectors.take().unwrap_or_default();
        for (name, params) in &config.sparse_vectors {
            let mut sparse = known.remove(name).unwrap_or_default();
            take_sparse(&mut sparse, params);
            self.sparse_vectors
                .get_or_insert_default()
                .insert(name.clone(), sparse);
        }
        take_hnsw(&mut self.hnsw_config, read(config.hnsw.to_json()));
        take_optimizer(&mut self.optimizers_config, config.optimizer.to_json());
        self.quantization_config = config
            .quantization
            .as_ref()
            .and_then(|codes| read(codes.to_json()));
        self.strict_mode_config = config.strict_mode.as_ref().map(|limits| limits.to_json());
        self.metadata = (!config.metadata.is_empty()).then(|| config.metadata.clone());
    }
}

impl SettingsUpdate {
    /// The change to the engine's configuration that turns `before` into `after`, which this has made of it.
    ///
    /// # Errors
    /// When it asks for what the engine does not have.
    pub(in super::super) fn to_update(
        &self,
        before: &CollectionConfig,
        after: &CollectionSettings,
    ) -> Result<CollectionUpdate> {
        let mut vectors = Map::new();
        for (name, vector) in self.vectors.iter().flatten() {
            let mut said = Said::default();
            said.hnsw(vector.hnsw_config.as_ref())?;
            said.other_quantization(vector.quantization_config.as_ref())?;
            vectors.insert(name.clone(), said.0.into());
        }
        let mut sparse_vectors = Map::new();
        for (name, sparse) in self.sparse_vectors.iter().flatten() {
            sparse_vectors.insert(name.clone(), sparse_change(name, sparse)?);
        }
        let mut said = Said::default();
        said.put("vectors", vectors.into());
        said.put("sparse_vectors", sparse_vectors.into());
        said.hnsw(self.hnsw_config.as_ref())?;
        said.other_quantization(self.quantization_config.as_ref())?;
        said.optimizer(self.optimizers_config.as_ref())?;
        said.strict_mode(self.strict_mode_config.as_ref());
        if let Some(metadata) = &self.metadata {
            said.put("metadata", metadata.clone().into());
        }
        let mut update = said.update()?;
        update.hints = hints(Some(before), after)?;
        Ok(update)
    }
}

/// What the engine has no graph for gets the nearest that it has.
fn nearest(given: &HnswSettings) -> HnswSettings {
    let links = |m: u64| if m == 0 { 0 } else { m.clamp(2, 256) };
    HnswSettings {
        m: given.m.map(links),
        payload_m: given.payload_m.map(links),
        ef_construct: given.ef_construct.map(|ef| ef.min(65_535)),
        ..given.clone()
    }
}

/// What was given stays as it is told while the engine has what comes nearest to it.
fn take_hnsw(settings: &mut Option<HnswSettings>, engine: Option<HnswSettings>) {
    let Some(mut newer) = engine else { return };
    let given = settings.get_or_insert_default();
    let taken = nearest(given);
    newer.m = newer.m.filter(|_| newer.m != taken.m);
    newer.payload_m = newer.payload_m.filter(|_| newer.payload_m != taken.payload_m);
    newer.ef_construct = newer
        .ef_construct
        .filter(|_| newer.ef_construct != taken.ef_construct);
    given.overlay(&newer);
}

/// What the engine has of its own accord and nobody asked for is not told as if somebody had: its defaults are others.
fn take_optimizer(settings: &mut Option<OptimizerSettings>, mut engine: Map<String, Value>) {
    let standard = CollectionConfig::default().optimizer.to_json();
    let given = settings.as_ref().and_then(|given| value(given).ok());
    let given = |key: &str| given.as_ref().is_some_and(|given| given.get(key).is_some());
    engine.retain(|key, said| standard.get(key) != Some(said) || given(key));
    if let Some(newer) = read(engine) {
        settings.get_or_insert_default().overlay(&newer);
    }
}

fn take_sparse(settings: &mut SparseVectorSettings, params: &SparseVectorParams) {
    // What is so without being asked for is told only if somebody asked.
    settings.modifier = match params.modifier {
        vdb::Modifier::None => settings.modifier.filter(|&told| told == Modifier::None),
        vdb::Modifier::Idf => Some(Modifier::Idf),
    };
    let told = settings.index.as_ref().and_then(|index| index.datatype);
    let datatype = datatype(params.element, told);
    if datatype != told {
        settings.index.get_or_insert_default().datatype = datatype;
    }
}

/// How the engine stores it, told as it was asked for, if that is what it does.
fn datatype(element: Element, told: Option<Datatype>) -> Option<Datatype> {
    let told = told.filter(|told| told.element() == Some(element));
    told.or(Datatype::of(element))
}

/// A change of a sparse vector in the engine's form.
fn sparse_change(name: &str, sparse: &SparseVectorSettings) -> Result<Value> {
    let mut said = Map::new();
    if let Some(modifier) = sparse.modifier {
        said.insert("modifier".to_owned(), value(&modifier)?);
    }
    if let Some(datatype) = sparse.index.as_ref().and_then(|index| index.datatype) {
        element(name, Some(datatype))?;
        said.insert("datatype".to_owned(), value(&datatype)?);
    }
    Ok(said.into())
}

fn dense_params(name: &str, vector: &VectorSettings) -> Result<VectorParams> {
    let size = usize::try_from(vector.size).unwrap_or(usize::MAX);
    let params = VectorParams::new(size, vector.distance.into()).element(element(name, vector.datatype)?);
    Ok(match vector.multivector_config {
        None => params,
        Some(MultivectorSettings {
            comparator: Comparator::MaxSim,
        }) => params.multivector(MultiVectorComparator::MaxSim),
    })
}

fn element(name: &str, datatype: Option<Datatype>) -> Result<Element> {
    datatype.unwrap_or(Datatype::Float32).element().ok_or_else(|| {
        ServiceError::bad_input(format!("datatype turbo4 of vector {name:?} is not supported"))
    })
}

fn sparse_params(name: &str, sparse: &SparseVectorSettings) -> Result<SparseVectorParams> {
    let datatype = sparse.index.as_ref().and_then(|index| index.datatype);
    let params = SparseVectorParams::new().element(element(name, datatype)?);
    Ok(match sparse.modifier {
        None | Some(Modifier::None) => params,
        Some(Modifier::Idf) => params.modifier(vdb::Modifier::Idf),
    })
}
