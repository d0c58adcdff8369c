//! What a collection holds, as the engine works with it, and its form in the manifest.

use std::sync::Arc;

use serde_json::{Map, Value};
use vdb_index::hnsw::HnswParams;
use vdb_storage::payload::{decode_payload, encode_payload};
use vdb_storage::schema::{PayloadIndexRecord, SchemaRecord, SparseVectorRecord, VectorRecord};
use vdb_storage::{Component, codec};
use vdb_sys::element::Element;
use vdb_sys::kernel::Kernel;

use crate::config::vectors::{Modifier, MultiVectorComparator, NamedVectorParams, SparseVectorParams};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::error::{Error, Result, within};
use crate::filter::{TextAnalysis, TextFields};
use crate::limits::{MAX_SCHEMA_BYTES, MAX_SETTINGS_BYTES};
use crate::payload::{PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams};
use crate::settings::{
    CollectionUpdate, Fields, HnswConfig, OptimizerConfig, QuantizationConfig, StrictMode, rows_of,
};
use crate::ttl::Ttl;

/// A named vector.
#[derive(Clone, Debug)]
pub(crate) struct VectorSchema {
    pub(crate) name: String,
    pub(crate) kind: VectorKind,
}

/// What is kept under a name.
#[derive(Clone, Debug)]
pub(crate) enum VectorKind {
    /// A vector.
    Dense(DenseSchema),
    /// Any number of vectors.
    Multi(DenseSchema),
    /// Values at a few dimensions.
    Sparse(SparseVectorParams),
}

impl VectorKind {
    /// The primary file of a segment that holds the vectors of this kind under a number.
    pub(crate) fn component(&self, number: u16) -> Component {
        match self {
            VectorKind::Dense(_) => Component::Vectors(number),
            VectorKind::Multi(_) => Component::Multi(number),
            VectorKind::Sparse(_) => Component::Sparse(number),
        }
    }

    /// What is derived from it, if anything is.
    pub(crate) fn derived(&self, number: u16) -> Option<Component> {
        match self {
            VectorKind::Dense(_) => Some(Component::Graph(number)),
            VectorKind::Multi(_) => None,
            VectorKind::Sparse(_) => Some(Component::SparseIndex(number)),
        }
    }
}

/// What dense vectors are, and the kernel that scores two of them.
#[derive(Clone, Debug)]
pub(crate) struct DenseSchema {
    pub(crate) params: VectorParams,
    pub(crate) kernel: Kernel,
    /// What its graphs are built with, settings of the collection taken in; `None` where there are to be none.
    pub(crate) graph: Option<HnswParams>,
    /// The same of graphs among the rows of one payload value.
    pub(crate) partitions: Option<HnswParams>,
    /// Segments of at least this many vectors get a graph; `None` where none does any more.
    pub(crate) index_min_rows: Option<u32>,
    /// Where fewer vectors than this may be found, all of them are scored; 0 where the planner decides.
    pub(crate) full_scan_rows: u32,
}

impl DenseSchema {
    /// A vector of a collection of these settings.
    fn new(params: &VectorParams, of: &CollectionConfig) -> Self {
        let row_bytes = params.row_bytes();
        let full_scan = params.hnsw.or(&of.hnsw).full_scan_threshold;
        DenseSchema {
            kernel: params.kernel(),
            graph: params.graph(of),
            partitions: params.partitions(of),
            index_min_rows: of.optimizer.index_min_rows(row_bytes),
            full_scan_rows: full_scan.map_or(0, |kilobytes| rows_of(kilobytes, row_bytes)),
            params: params.clone(),
        }
    }

    /// What the graph over so many vectors is to be built with; `None` where there is to be none.
    pub(crate) fn graph_over(&self, vectors: u32) -> Option<HnswParams> {
        let least = self.index_min_rows?.max(1);
        self.graph.filter(|_| vectors >= least)
    }
}

impl VectorSchema {
    fn dense_of(name: &str, params: &VectorParams, of: &CollectionConfig) -> Self {
        let dense = DenseSchema::new(params, of);
        VectorSchema {
            name: name.to_owned(),
            kind: match params.multivector {
                Some(_) => VectorKind::Multi(dense),
                None => VectorKind::Dense(dense),
            },
        }
    }

    fn sparse_of(name: &str, params: SparseVectorParams) -> Self {
        VectorSchema {
            name: name.to_owned(),
            kind: VectorKind::Sparse(params),
        }
    }

    /// What the user has set.
    pub(crate) fn params(&self) -> NamedVectorParams {
        match &self.kind {
            VectorKind::Dense(dense) | VectorKind::Multi(dense) => {
                NamedVectorParams::Dense(dense.params.clone())
            }
            VectorKind::Sparse(params) => NamedVectorParams::Sparse(*params),
        }
    }

    /// Of a plain dense vector.
    pub(crate) fn dense(&self) -> Option<&DenseSchema> {
        match &self.kind {
            VectorKind::Dense(dense) => Some(dense),
            VectorKind::Multi(_) | VectorKind::Sparse(_) => None,
        }
    }

    /// What scores are: products for sparse vectors.
    pub(crate) fn distance(&self) -> Distance {
        match &self.kind {
            VectorKind::Dense(dense) | VectorKind::Multi(dense) => dense.params.distance,
            VectorKind::Sparse(_) => Distance::Dot,
        }
    }

    /// As [`Vector::kind`](crate::Vector::kind).
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            VectorKind::Dense(_) => "dense",
            VectorKind::Multi(_) => "multi",
            VectorKind::Sparse(_) => "sparse",
        }
    }
}

/// An index over one payload path.
#[derive(Clone, Debug)]
pub(crate) struct PayloadIndexSchema {
    /// Names its files; never given to another index of the collection.
    pub(crate) number: u16,
    pub(crate) path: String,
    pub(crate) params: PayloadIndexParams,
    /// How texts become tokens; there if it is of texts.
    pub(crate) analysis: Option<Arc<TextAnalysis>>,
}

impl PayloadIndexSchema {
    /// # Errors
    /// Options that do not fit the kind or each other.
    pub(crate) fn new(number: u16, path: String, params: PayloadIndexParams) -> Result<Self> {
        let analysis = params.analysis()?.map(Arc::new);
        Ok(Self {
            number,
            path,
            params,
            analysis,
        })
    }

    /// Whether files that are built for this one hold what `params` ask for.
    pub(crate) fn serves(&self, params: &PayloadIndexParams) -> Result<bool> {
        let tokens = |analysis: &TextAnalysis| analysis.fingerprint();
        let wanted = params.analysis()?.as_ref().map(tokens);
        Ok(self.params.kind == params.kind && self.fingerprint() == wanted)
    }

    /// What a file of texts must say made its tokens.
    pub(crate) fn fingerprint(&self) -> Option<u32> {
        self.analysis.as_ref().map(|analysis| analysis.fingerprint())
    }
}

impl TextFields for Schema {
    fn text_analysis(&self, path: &str) -> Option<&Arc<TextAnalysis>> {
        let index = self.payload_indexes.iter().find(|index| index.path == path)?;
        index.analysis.as_ref()
    }
}

/// What a collection holds.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    /// Named vectors by number, which is their slot everywhere else; none where one was dropped. No number is given twice.
    vectors: Vec<Option<VectorSchema>>,
    pub(crate) payload_indexes: Vec<PayloadIndexSchema>,
    pub(crate) next_payload_index: u16,
    pub(crate) optimizer: OptimizerConfig,
    hnsw: HnswConfig,
    quantization: Option<QuantizationConfig>,
    strict_mode: Option<StrictMode>,
    metadata: Map<String, Value>,
    hints: Map<String, Value>,
    /// The settings as manifests keep them.
    stored: Vec<u8>,
    pub(crate) ttl: Option<Ttl>,
    /// Counts the changes.
    pub(crate) revision: u64,
}

impl Schema {
    /// The vectors of a new collection get slots in their order, dense ones first.
    ///
    /// # Errors
    /// When the settings are not allowed, or take too much room.
    pub(crate) fn new(config: CollectionConfig) -> Result<Self> {
        config.validate()?;
        let stored = match encode_payload(&config.settings_json()) {
            Err(vdb_storage::Error::TooDeep { limit }) => {
                return Err(Error::Limit {
                    what: "levels of objects and arrays in the settings of a collection",
                    limit,
                    found: limit + 1,
                });
            }
            stored => stored?,
        };
        within(
            "bytes that the settings of a collection take, metadata and hints included",
            MAX_SETTINGS_BYTES,
            stored.len(),
        )?;
        let dense = config.vectors.iter();
        let dense = dense.map(|(name, params)| VectorSchema::dense_of(name, params, &config));
        let sparse = config.sparse_vectors.iter();
        let sparse = sparse.map(|(name, params)| VectorSchema::sparse_of(name, *params));
        Ok(Schema {
            vectors: dense.chain(sparse).map(Some).collect(),
            payload_indexes: Vec::new(),
            next_payload_index: 0,
            optimizer: config.optimizer,
            hnsw: config.hnsw,
            quantization: config.quantization,
            strict_mode: config.strict_mode,
            metadata: config.metadata,
            hints: config.hints,
            ttl: config.ttl,
            revision: 0,
            stored,
        })
    }

    pub(crate) fn config(&self) -> CollectionConfig {
        let mut config = CollectionConfig {
            vectors: Vec::new(),
            sparse_vectors: Vec::new(),
            optimizer: self.optimizer.clone(),
            hnsw: self.hnsw,
            quantization: self.quantization.clone(),
            strict_mode: self.strict_mode.clone(),
            metadata: self.metadata.clone(),
            hints: self.hints.clone(),
            ttl: self.ttl.clone(),
        };
        for (_, vector) in self.vectors() {
            match vector.params() {
                NamedVectorParams::Dense(params) => config.vectors.push((vector.name.clone(), params)),
                NamedVectorParams::Sparse(params) => {
                    config.sparse_vectors.push((vector.name.clone(), params));
                }
            }
        }
        config
    }

    /// The same schema under another configuration: each of its vectors in the slot that has its name here, and the payload
    /// indexes as they are.
    fn under(&self, config: CollectionConfig, slots: &[Option<&str>]) -> Result<Schema> {
        let fresh = Schema::new(config)?;
        let of_name = |name: &&str| {
            fresh
                .vectors()
                .find(|(_, v)| v.name == **name)
                .map(|(_, v)| v.clone())
        };
        Ok(Schema {
            vectors: slots.iter().map(|slot| slot.as_ref().and_then(of_name)).collect(),
            payload_indexes: self.payload_indexes.clone(),
            next_payload_index: self.next_payload_index,
            revision: self.revision,
            ..fresh
        })
    }

    /// The name in each slot.
    fn names(&self) -> Vec<Option<&str>> {
        let names = self.vectors.iter();
        names
            .map(|vector| vector.as_ref().map(|v| v.name.as_str()))
            .collect()
    }

    /// The same vectors and payload indexes under changed settings.
    pub(crate) fn updated(&self, update: &CollectionUpdate) -> Result<Schema> {
        let mut config = self.config();
        config.update(update)?;
        self.under(config, &self.names())
    }

    /// True when graphs of the other are built in another way, or over other segments.
    pub(crate) fn builds_other_graphs(&self, other: &Schema) -> bool {
        self.vectors()
            .any(|(slot, _)| match (self.dense(slot), other.dense(slot)) {
                (Some(a), Some(b)) => (a.graph, a.index_min_rows) != (b.graph, b.index_min_rows),
                _ => false,
            })
    }

    /// What requests are held to, if anything.
    pub(crate) fn strict_mode(&self) -> Option<&StrictMode> {
        self.strict_mode.as_ref().filter(|strict| strict.is_enabled())
    }

    /// When segments are merged, sizes in rows. `mean` knows how many bytes the vectors of a slot take on average that differ in
    /// length.
    pub(crate) fn merging(&self, mean: impl Fn(usize) -> Option<usize>) -> OptimizerConfig {
        let bytes = self.vectors().map(|(slot, vector)| match &vector.kind {
            VectorKind::Dense(dense) => dense.params.row_bytes(),
            VectorKind::Multi(dense) => mean(slot).unwrap_or_else(|| dense.params.row_bytes()),
            VectorKind::Sparse(_) => mean(slot).unwrap_or(0),
        });
        OptimizerConfig {
            max_segment_rows: self.optimizer.max_segment_rows(bytes.sum()),
            ..self.optimizer.clone()
        }
    }

    /// The named vectors, each with its slot.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = (usize, &VectorSchema)> {
        let vectors = self.vectors.iter().enumerate();
        vectors.filter_map(|(slot, vector)| Some((slot, vector.as_ref()?)))
    }

    /// The vector of a slot, unless it was dropped.
    pub(crate) fn vector(&self, slot: usize) -> Option<&VectorSchema> {
        self.vectors.get(slot)?.as_ref()
    }

    /// The plain dense vector of a slot.
    pub(crate) fn dense(&self, slot: usize) -> Option<&DenseSchema> {
        self.vector(slot)?.dense()
    }

    /// Slots that were ever given, those of dropped vectors included.
    pub(crate) fn slots(&self) -> usize {
        self.vectors.len()
    }

    /// The slot of a vector by name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.vectors().find(|(_, v)| v.name == name).map(|(slot, _)| slot)
    }

    /// A vector and its slot by name, or an error that lists the names.
    pub(crate) fn require(&self, name: &str) -> Result<(usize, &VectorSchema)> {
        self.vectors().find(|(_, v)| v.name == name).ok_or_else(|| {
            let names: Vec<String> = self.vectors().map(|(_, v)| format!("{:?}", v.name)).collect();
            let known = if names.is_empty() {
                "no vectors".to_owned()
            } else {
                names.join(", ")
            };
            Error::UnknownVector {
                name: name.to_owned(),
                known,
            }
        })
    }

    /// Adds a named vector, under a slot that none has had. False when it is there with the same parameters.
    ///
    /// # Errors
    /// When there is one of that name with other parameters, or what is to be added is not valid.
    pub(crate) fn add_vector(&mut self, name: &str, params: NamedVectorParams) -> Result<bool> {
        if let Ok((_, known)) = self.require(name) {
            if known.params() == params {
                return Ok(false);
            }
            return Err(Error::InvalidRequest(format!(
                "the collection has a vector {name:?} with other parameters: drop it first, which takes it from all points"
            )));
        }
        let ever = self.vectors.len() + 1;
        within(
            "vectors ever created in a collection",
            usize::from(u16::MAX),
            ever,
        )?;
        let mut config = self.config();
        match params {
            NamedVectorParams::Dense(params) => config.vectors.push((name.to_owned(), params)),
            NamedVectorParams::Sparse(params) => config.sparse_vectors.push((name.to_owned(), params)),
        }
        let mut slots = self.names();
        slots.push(Some(name));
        *self = self.under(config, &slots)?;
        Ok(true)
    }

    /// Drops a named vector, and what was set for it. False when there is none.
    ///
    /// # Errors
    /// Never, for a schema that was valid before.
    pub(crate) fn drop_vector(&mut self, name: &str) -> Result<bool> {
        if self.slot(name).is_none() {
            return Ok(false);
        }
        let mut config = self.config();
        config.vectors.retain(|(known, _)| known != name);
        config.sparse_vectors.retain(|(known, _)| known != name);
        let kept = |slot: Option<&'_ str>| slot.is_some_and(|known| known != name);
        let slots: Vec<_> = self
            .names()
            .into_iter()
            .map(|slot| if kept(slot) { slot } else { None })
            .collect();
        *self = self.under(config, &slots)?;
        Ok(true)
    }
}

impl Schema {
    /// The form in the manifest.
    pub(crate) fn to_record(&self) -> SchemaRecord {
        let (mut vectors, mut sparse_vectors) = (Vec::new(), Vec::new());
        for (slot, vector) in self.vectors() {
            let (number, name) = (slot as u16, vector.name.clone());
            match &vector.kind {
                VectorKind::Dense(DenseSchema { params, .. })
                | VectorKind::Multi(DenseSchema { params, .. }) => vectors.push(VectorRecord {
                    number,
                    name,
                    size: params.size as u32,
                    distance: params.distance.code(),
                    element: params.element.code(),
                    multivector: params.multivector.map(MultiVectorComparator::code),
                }),
                VectorKind::Sparse(params) => sparse_vectors.push(SparseVectorRecord {
                    number,
                    name,
                    modifier: params.modifier.code(),
                    element: params.element.code(),
                }),
            }
        }
        let indexes = self.payload_indexes.iter().map(|i| PayloadIndexRecord {
            number: i.number,
            path: i.path.clone(),
            kind: i.params.kind.code(),
            options: i.params.options.as_ref().map(PayloadIndexOptions::to_record),
        });
        SchemaRecord {
            vectors,
            sparse_vectors,
            next_vector: self.vectors.len() as u16,
            payload_indexes: indexes.collect(),
            next_payload_index: self.next_payload_index,
            settings: self.stored.clone(),
            ttl: self.ttl.as_ref().map(|ttl| ttl.field.clone()),
            revision: self.revision,
        }
    }

    /// The form in the manifest of a schema that is about to come into force.
    ///
    /// # Errors
    /// When it takes more than a points file can carry.
    pub(crate) fn to_bounded_record(&self) -> Result<SchemaRecord> {
        let record = self.to_record();
        let bytes = codec::encode(&record)?.len();
        within(
            "bytes that the schema of a collection takes, with its settings and the options of its payload indexes",
            MAX_SCHEMA_BYTES,
            bytes,
        )?;
        Ok(record)
    }

    /// From the form in the manifest of the collection in `dir`.
    pub(crate) fn from_record(record: &SchemaRecord, dir: &str) -> Result<Schema> {
        let damaged = |what: String| Error::Damaged {
            file: format!("{dir}: manifest"),
            what,
        };
        let mut slots = vec![None; usize::from(record.next_vector)];
        let dense = record.vectors.iter().map(|v| (v.number, v.name.as_str()));
        let sparse = record.sparse_vectors.iter().map(|v| (v.number, v.name.as_str()));
        for (number, name) in dense.chain(sparse) {
            match slots.get_mut(usize::from(number)) {
                Some(place @ None) => *place = Some(name),
                Some(Some(_)) | None => {
                    return Err(damaged(format!(
                        "vector {name:?} has the number {number}, which is another's or was never given"
                    )));
                }
            }
        }
        let mut config = CollectionConfig {
            ttl: record.ttl.as_ref().map(Ttl::new),
            ..CollectionConfig::default()
        };
        for v in &record.vectors {
            config
                .vectors
                .push((v.name.clone(), dense_params(v).map_err(damaged)?));
        }
        for v in &record.sparse_vectors {
            config
                .sparse_vectors
                .push((v.name.clone(), sparse_params(v).map_err(damaged)?));
        }
        let mut payload_indexes = Vec::with_capacity(record.payload_indexes.len());
        for index in &record.payload_indexes {
            let kind = PayloadIndexKind::from_code(index.kind).ok_or_else(|| {
                damaged(format!(
                    "index {:?} has the unknown kind {}",
                    index.path, index.kind
                ))
            })?;
            let read = |options| {
                PayloadIndexOptions::from_record(options)
                    .ok_or_else(|| damaged(format!("index {:?} has unknown options", index.path)))
            };
            let options = index.options.as_ref().map(read).transpose()?;
            let params = PayloadIndexParams { kind, options };
            let made = PayloadIndexSchema::new(index.number, index.path.clone(), params);
            payload_indexes.push(made.map_err(|error| damaged(format!("index {:?}: {error}", index.path)))?);
        }
        // What is kept is what makes the settings of those that nobody has touched.
        let settle = |config: &mut CollectionConfig| -> Result<()> {
            let settings = decode_payload(&record.settings)?;
            config.update(&CollectionUpdate::read(Fields::of("settings", &settings))?)
        };
        settle(&mut config).map_err(|e| damaged(e.to_string()))?;
        let fresh = Schema::new(config).and_then(|schema| schema.under(schema.config(), &slots));
        Ok(Schema {
            payload_indexes,
            next_payload_index: record.next_payload_index,
            revision: record.revision,
            ..fresh.map_err(|e| damaged(e.to_string()))?
        })
    }
}

/// The parameters of a record, or what is wrong with it.
fn dense_params(v: &VectorRecord) -> Result<VectorParams, String> {
    let unknown = |what: &str, code: u8| format!("vector {:?} has the unknown {what} {code}", v.name);
    let distance = Distance::from_code(v.distance).ok_or_else(|| unknown("distance", v.distance))?;
    let element = Element::from_code(v.element).ok_or_else(|| unknown("element", v.element))?;
    let comparator =
        |code| MultiVectorComparator::from_code(code).ok_or_else(|| unknown("multivector comparator", code));
    Ok(VectorParams {
        multivector: v.multivector.map(comparator).transpose()?,
        ..VectorParams::new(v.size as usize, distance).element(element)
    })
}

/// The parameters of a record, or what is wrong with it.
fn sparse_params(v: &SparseVectorRecord) -> Result<SparseVectorParams, String> {
    let unknown = |what: &str, code: u8| format!("vector {:?} has the unknown {what} {code}", v.name);
    Ok(SparseVectorParams {
        modifier: Modifier::from_code(v.modifier).ok_or_else(|| unknown("modifier", v.modifier))?,
        element: Element::from_code(v.element).ok_or_else(|| unknown("element", v.element))?,
    })
}

#[cfg(test)]
mod tests;
