//! What a collection holds, as the engine works with it, and its form in the manifest.

mod encoder;
mod record;

use std::sync::Arc;

use serde_json::{Map, Value};
use vdb_index::hnsw::HnswParams;
use vdb_storage::Component;
use vdb_sys::kernel::Kernel;

use crate::config::vectors::{NamedVectorParams, SparseVectorParams};
use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::error::{Error, Result, within};
use crate::filter::{TextAnalysis, TextFields};
use crate::limits::MAX_SETTINGS_BYTES;
use crate::payload::{PayloadIndexKind, PayloadIndexParams, encoded_within};
use crate::settings::{
    CollectionUpdate, HnswConfig, OptimizerConfig, QuantizationConfig, StrictMode, rows_of,
};
use crate::ttl::Ttl;

pub(crate) use encoder::Encoder;

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
            VectorKind::Dense(_) | VectorKind::Multi(_) => Some(Component::Graph(number)),
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
    /// Memtables of at least this many vectors get a graph; `None` where none does any more.
    pub(crate) index_min_rows: Option<u32>,
    /// Where fewer vectors than this may be found, each of a multivector counted, all of them are scored; 0 where the planner
    /// decides.
    pub(crate) full_scan_rows: u32,
    /// Of multivectors: what makes one vector of each, for graphs. `None` where that is not possible, and for single vectors.
    pub(crate) encoder: Option<Arc<Encoder>>,
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
            encoder: Encoder::new(params).map(Arc::new),
            params: params.clone(),
        }
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

    /// Of vectors that graphs may be built over: plain dense ones, and multivectors.
    pub(crate) fn graphed(&self) -> Option<&DenseSchema> {
        match &self.kind {
            VectorKind::Dense(dense) | VectorKind::Multi(dense) => Some(dense),
            VectorKind::Sparse(_) => None,
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

    fn has_uuids(&self, path: &str) -> bool {
        let mut indexes = self.payload_indexes.iter();
        indexes.any(|index| index.path == path && index.params.kind == PayloadIndexKind::Uuid)
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
        let stored = encoded_within(
            &config.settings_json(),
            "levels of objects and arrays in the settings of a collection",
            "bytes that the settings of a collection take, metadata and hints included",
            MAX_SETTINGS_BYTES,
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
            .any(|(slot, _)| match (self.graphed(slot), other.graphed(slot)) {
                (Some(a), Some(b)) => (a.graph, a.index_min_rows) != (b.graph, b.index_min_rows),
                _ => false,
            })
    }

    /// True when there is an index of texts that the other does not have.
    pub(crate) fn has_more_texts(&self, other: &Schema) -> bool {
        let is_new = |index: &PayloadIndexSchema| {
            let mut known = other.payload_indexes.iter();
            index.analysis.is_some() && known.all(|known| known.number != index.number)
        };
        self.payload_indexes.iter().any(is_new)
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

    /// What graphs of a slot may be built over.
    pub(crate) fn graphed(&self, slot: usize) -> Option<&DenseSchema> {
        self.vector(slot)?.graphed()
    }

    /// What the graph over so many vectors or multivectors of a slot, of so many bytes together, is to be built with; `None` where
    /// there is to be none.
    pub(crate) fn graph_over(&self, slot: usize, rows: u32, bytes: usize) -> Option<HnswParams> {
        let dense = self.graphed(slot)?;
        let mean = bytes / (rows as usize).max(1);
        let least = self.optimizer.index_min_rows(mean)?.max(1);
        let fits = |params: &HnswParams| {
            let encoder = dense.encoder.as_ref();
            encoder.is_none_or(|encoder| encoder.fits(rows, params.degree()))
        };
        dense.graph.filter(|params| rows >= least && fits(params))
    }

    /// Slots that were ever given, those of dropped vectors included.
    pub(crate) fn slots(&self) -> usize {
        self.vectors.len()
    }

    /// Links a node that are asked for of the graphs among the rows of one payload value of a vector without a graph of all; 0 where
    /// none are.
    pub(crate) fn payload_links(&self, dense: &DenseSchema) -> u16 {
        dense.params.hnsw.or(&self.hnsw).payload_m.unwrap_or(0)
    }

    /// The slot of a vector by name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.vectors().find(|(_, v)| v.name == name).map(|(slot, _)| slot)
    }

    /// A vector and its slot by name, or an error that lists the names.
    pub(crate) fn require(&self, name: &str) -> Result<(usize, &VectorSchema)> {
        self.vectors().find(|(_, v)| v.name == name).ok_or_else(|| {
            let known = self.vectors().map(|(_, v)| v.name.as_str());
            Error::unknown_vector(name, known, "no vectors")
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

#[cfg(test)]
mod tests;
