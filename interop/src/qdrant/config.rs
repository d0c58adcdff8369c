//! What a collection is like: Qdrant's configuration into ours, and what of it is not kept.

use serde_json::{Map, Value as Json};
use vdb::{
    CollectionConfig, Distance, Element, HnswConfig, MAX_DIMENSION, Modifier, MultiVectorComparator,
    PayloadIndexParams, QuantizationConfig, SparseVectorParams, StrictMode, VectorParams,
};

use super::{indexes, settings};
use crate::error::quoted;

/// A collection as a file describes it.
#[derive(Debug, Clone, Default)]
pub struct Described {
    /// What the engine holds.
    pub config: CollectionConfig,
    /// The payload indexes that it had, by path.
    pub payload_indexes: Vec<(String, PayloadIndexParams)>,
    /// Settings of the file that are not taken over, each with its name.
    pub warnings: Vec<String>,
}

/// Settings that the local mode makes up for a backup, where nobody gave any: those of a server.
const MADE_UP: [(&str, &str, f64); 13] = [
    ("hnsw_config", "m", 16.0),
    ("hnsw_config", "ef_construct", 100.0),
    ("hnsw_config", "full_scan_threshold", 10_000.0),
    ("hnsw_config", "max_indexing_threads", 0.0),
    ("optimizer_config", "deleted_threshold", 0.2),
    ("optimizer_config", "vacuum_min_vector_number", 1000.0),
    ("optimizer_config", "default_segment_number", 0.0),
    ("optimizer_config", "indexing_threshold", 20_000.0),
    ("optimizer_config", "flush_interval_sec", 5.0),
    ("optimizer_config", "max_optimization_threads", 1.0),
    ("wal_config", "wal_capacity_mb", 32.0),
    ("wal_config", "wal_segments_ahead", 0.0),
    ("wal_config", "wal_retain_closed", 1.0),
];

/// Settings of the sections that are taken over. Where things lie, in memory or on disk, is no question here: files are
/// mapped, and the system keeps in memory what is used.
const TAKEN: [&str; 3] = ["on_disk", "on_disk_payload", "memory"];

/// A setting of merging that says where things lie, too.
const MEMMAP: &str = "memmap_threshold";

/// What of `hnsw_config` is taken over.
const GRAPH: [&str; 4] = ["m", "ef_construct", "full_scan_threshold", "payload_m"];

type Fields = Map<String, Json>;

/// Reads a `CollectionConfig` as a backup has it.
///
/// # Errors
/// What cannot be, with the name of the setting.
pub(super) fn of_backup(collection: &Fields) -> Result<Described, String> {
    let mut collection = collection.clone();
    let Some(Json::Object(params)) = collection.remove("params") else {
        return Err("collection_info has no config.params".to_owned());
    };
    for (section, name, made_up) in MADE_UP {
        if let Some(setting) = collection
            .get_mut(section)
            .and_then(|section| section.get_mut(name))
            && setting.as_f64() == Some(made_up)
        {
            *setting = Json::Null;
        }
    }
    collection.extend(params);
    of_creation(&collection)
}

/// Reads the arguments of `create_collection`, as the `meta.json` of a local directory has them.
///
/// # Errors
/// What cannot be, with the name of the setting.
pub(super) fn of_creation(collection: &Fields) -> Result<Described, String> {
    let mut described = Described::default();
    let whole = Settings {
        of: String::new(),
        hnsw: section(collection, "hnsw_config")?,
        quantization: section(collection, "quantization_config")?,
    };
    let (hnsw, quantization) = described.graph(&whole)?;
    described.config.hnsw = hnsw;
    described.config.quantization = quantization;
    match collection.get("vectors") {
        None | Some(Json::Null) => {}
        // A named vector could be called "size", but would be an object.
        Some(Json::Object(one)) if one.get("size").is_some_and(|size| !size.is_object()) => {
            described.vector("", one)?;
        }
        Some(Json::Object(named)) => {
            for (name, one) in named {
                let one = one
                    .as_object()
                    .ok_or_else(|| format!("vector {}: no parameters", quoted(name)))?;
                described.vector(name, one)?;
            }
        }
        Some(_) => return Err("vectors: no parameters of vectors".to_owned()),
    }
    if let Some(named) = section(collection, "sparse_vectors")? {
        for (name, one) in named {
            described.sparse(name, one)?;
        }
    }
    described.whole(collection)?;
    for (name, setting) in collection {
        let is_read = matches!(
            name.as_str(),
            "vectors"
                | "sparse_vectors"
                | "hnsw_config"
                | "quantization_config"
                | "optimizer_config"
                | "optimizers_config"
                | "strict_mode_config"
                | "metadata"
        );
        if !is_read {
            described.unkept(name, setting);
        }
    }
    Ok(described)
}

/// The settings of a graph, of one vector or of all.
struct Settings<'a> {
    /// Whose they are, for messages: `vector "a": `, or nothing.
    of: String,
    hnsw: Option<&'a Fields>,
    quantization: Option<&'a Fields>,
}

/// An object that may be missing or null.
fn section<'a>(of: &'a Fields, name: &str) -> Result<Option<&'a Fields>, String> {
    match of.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Object(section)) => Ok(Some(section)),
        Some(_) => Err(format!("{name}: no object of settings")),
    }
}

impl Described {
    /// Takes over the indexes of `payload_schema`.
    pub(super) fn indexes(&mut self, schema: &Fields) {
        for (path, info) in schema {
            let of = format!("payload index {}", quoted(path));
            let mut unkept = Vec::new();
            match indexes::read(info, &mut unkept) {
                Ok(params) => self.payload_indexes.push((path.clone(), params)),
                Err(error) => self.warnings.push(format!("{of} is not kept: {error}")),
            }
            let told = unkept.iter().map(|option| format!("{of}: {option} is not kept"));
            self.warnings.extend(told);
        }
    }

    /// The parameters of one vector.
    fn vector(&mut self, name: &str, fields: &Fields) -> Result<(), String> {
        let of = if name.is_empty() {
            String::new()
        } else {
            format!("vector {}: ", quoted(name))
        };
        let size = fields
            .get("size")
            .and_then(Json::as_u64)
            .and_then(|size| usize::try_from(size).ok());
        let Some(size) = size.filter(|size| (1..=MAX_DIMENSION).contains(size)) else {
            let found = fields.get("size").unwrap_or(&Json::Null);
            return Err(format!("{of}a size of {found}; it must be 1 to {MAX_DIMENSION}"));
        };
        let distance = match fields.get("distance").and_then(Json::as_str) {
            Some("Cosine") => Distance::Cosine,
            Some("Dot") => Distance::Dot,
            Some("Euclid") => Distance::Euclid,
            Some("Manhattan") => Distance::Manhattan,
            other => {
                return Err(format!(
                    "{of}the distance {} is not known",
                    quoted(other.unwrap_or(""))
                ));
            }
        };
        let element = element(fields.get("datatype"), &of)?;
        let settings = Settings {
            hnsw: section(fields, "hnsw_config").map_err(|why| format!("{of}{why}"))?,
            quantization: section(fields, "quantization_config").map_err(|why| format!("{of}{why}"))?,
            of,
        };
        let (hnsw, quantization) = self.graph(&settings)?;
        let of = settings.of;
        let mut params = VectorParams::new(size, distance)
            .element(element)
            .hnsw_config(hnsw);
        params.quantization = quantization;
        match fields.get("multivector_config") {
            None | Some(Json::Null) => {}
            Some(config) if config.get("comparator").and_then(Json::as_str) == Some("max_sim") => {
                params = params.multivector(MultiVectorComparator::MaxSim);
            }
            Some(config) => return Err(format!("{of}the multivectors {config} are not known")),
        }
        self.config.vectors.push((name.to_owned(), params));
        for (setting, value) in fields {
            let is_read = matches!(
                setting.as_str(),
                "size"
                    | "distance"
                    | "datatype"
                    | "hnsw_config"
                    | "quantization_config"
                    | "multivector_config"
            );
            if !is_read {
                self.unkept(&format!("{of}{setting}"), value);
            }
        }
        Ok(())
    }

    /// What is said of merging, of requests, and the metadata.
    fn whole(&mut self, collection: &Fields) -> Result<(), String> {
        // A backup and the arguments of a creation have different names for it.
        for name in ["optimizer_config", "optimizers_config"] {
            let Some(section) = section(collection, name)? else {
                continue;
            };
            let mut said = without_nulls(section);
            if let Some(elsewhere) = said.shift_remove(MEMMAP) {
                self.unkept(&format!("{name}.{MEMMAP}"), &elsewhere);
            }
            match settings::read_optimizer(said) {
                Ok(optimizer) => self.config.optimizer = optimizer,
                Err(error) => self.warnings.push(format!("{name} is not kept: {error}")),
            }
        }
        let strict = section(collection, "strict_mode_config")?.map(without_nulls);
        match strict.map(|said| StrictMode::from_json(&said.into())) {
            None => {}
            Some(Ok(strict)) => self.config.strict_mode = Some(strict),
            Some(Err(error)) => self
                .warnings
                .push(format!("strict_mode_config is not kept: {error}")),
        }
        if let Some(metadata) = section(collection, "metadata")? {
            self.config.metadata = metadata.clone();
        }
        Ok(())
    }

    /// The parameters of one sparse vector.
    fn sparse(&mut self, name: &str, fields: &Json) -> Result<(), String> {
        let of = format!("sparse vector {}: ", quoted(name));
        let no_object = || format!("{of}no parameters");
        let fields = fields.as_object().ok_or_else(no_object)?;
        let modifier = match fields.get("modifier").filter(|modifier| !modifier.is_null()) {
            None => Modifier::None,
            Some(modifier) => match modifier.as_str() {
                Some("none") => Modifier::None,
                Some("idf") => Modifier::Idf,
                _ => return Err(format!("{of}the modifier {modifier} is not known")),
            },
        };
        let mut params = SparseVectorParams::new().modifier(modifier);
        if let Some(index) = section(fields, "index").map_err(|why| format!("{of}{why}"))? {
            params = params.element(element(index.get("datatype"), &of)?);
            for (setting, value) in index.iter().filter(|(setting, _)| *setting != "datatype") {
                self.unkept(&format!("{of}index.{setting}"), value);
            }
        }
        for (setting, value) in fields {
            if setting != "index" && setting != "modifier" {
                self.unkept(&format!("{of}{setting}"), value);
            }
        }
        self.config.sparse_vectors.push((name.to_owned(), params));
        Ok(())
    }

    /// How graphs are built and what their walks read, as far as `settings` say.
    fn graph(&mut self, settings: &Settings<'_>) -> Result<(HnswConfig, Option<QuantizationConfig>), String> {
        let Settings {
            of,
            hnsw,
            quantization,
        } = settings;
        let mut graph = HnswConfig::default();
        if let Some(hnsw) = hnsw {
            let said = hnsw.iter().filter(|(name, _)| GRAPH.contains(&name.as_str()));
            let said: Fields = said.map(|(name, value)| (name.clone(), value.clone())).collect();
            let asked = HnswConfig::from_json(&said.into()).map_err(|error| format!("{of}{error}"))?;
            // What a graph is then built with can be refused, too.
            let built = VectorParams::new(1, Distance::Dot).hnsw_config(asked);
            let others = CollectionConfig::default();
            let mut built = [built.graph(&others), built.partitions(&others)]
                .into_iter()
                .flatten();
            match built.try_for_each(|built| built.validate()) {
                Ok(()) => graph = asked,
                Err(error) => self
                    .warnings
                    .push(format!("{of}hnsw_config is not kept: {error}")),
            }
            for (name, value) in hnsw.iter().filter(|(name, _)| !GRAPH.contains(&name.as_str())) {
                self.unkept(&format!("{of}hnsw_config.{name}"), value);
            }
        }
        let said = quantization.map(without_nulls).filter(|said| !said.is_empty());
        let codes = match said.map(|said| QuantizationConfig::from_json(&said.into())) {
            None => None,
            Some(Ok(codes)) => Some(codes),
            Some(Err(error)) => {
                self.warnings
                    .push(format!("{of}quantization_config is not kept: {error}"));
                None
            }
        };
        Ok((graph, codes))
    }

    /// Warns of a setting that is not taken over, if it says anything.
    fn unkept(&mut self, name: &str, value: &Json) {
        let last = name.rsplit(['.', ' ']).next().unwrap_or(name);
        if says_something(value) && !TAKEN.contains(&last) {
            let mut shown = value.to_string();
            if let Some((end, _)) = shown.char_indices().nth(60) {
                shown.truncate(end);
                shown.push_str("...");
            }
            self.warnings.push(format!("{name} is not kept (it is {shown})"));
        }
    }
}

/// The same without what is not said.
fn without_nulls(fields: &Fields) -> Fields {
    let said = fields.iter().filter(|(_, value)| !value.is_null());
    let said = said.map(|(name, value)| {
        let value = if let Json::Object(inner) = value {
            Json::Object(without_nulls(inner))
        } else {
            value.clone()
        };
        (name.clone(), value)
    });
    said.collect()
}

/// How numbers are stored.
fn element(datatype: Option<&Json>, of: &str) -> Result<Element, String> {
    let Some(datatype) = datatype.filter(|datatype| !datatype.is_null()) else {
        return Ok(Element::F32);
    };
    match datatype.as_str() {
        Some("float32") => Ok(Element::F32),
        Some("float16") => Ok(Element::F16),
        Some("uint8") => Ok(Element::U8),
        _ => Err(format!("{of}the datatype {datatype} is not known")),
    }
}

/// Whether anything in a setting is not null.
fn says_something(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Object(fields) => fields.values().any(says_something),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => true,
    }
}
