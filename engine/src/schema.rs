//! What a collection holds, as the engine works with it, and its form in the manifest.

use serde_json::{Map, Value};
use vdb_index::hnsw::HnswParams;
use vdb_storage::payload::{decode_payload, encode_payload};
use vdb_storage::schema::{PayloadIndexRecord, SchemaRecord, VectorRecord};
use vdb_sys::element::Element;
use vdb_sys::kernel::Kernel;

use crate::config::{CollectionConfig, Distance, VectorParams};
use crate::error::{Error, Result, within};
use crate::limits::MAX_SETTINGS_BYTES;
use crate::payload::{PayloadIndexKind, PayloadIndexOptions, PayloadIndexParams};
use crate::settings::{
    CollectionUpdate, Fields, HnswConfig, OptimizerConfig, QuantizationConfig, StrictMode, rows_of,
};

/// A named vector and the kernel that scores it.
#[derive(Clone, Debug)]
pub(crate) struct VectorSchema {
    pub(crate) name: String,
    pub(crate) params: VectorParams,
    pub(crate) kernel: Kernel,
    /// What its graphs are built with, settings of the collection taken in; `None` where there are to be none.
    pub(crate) graph: Option<HnswParams>,
    /// Segments of at least this many vectors get a graph; `None` where none does any more.
    pub(crate) index_min_rows: Option<u32>,
    /// Where fewer vectors than this may be found, all of them are scored; 0 where the planner decides.
    pub(crate) full_scan_rows: u32,
}

impl VectorSchema {
    /// A vector of a collection of these settings.
    pub(crate) fn new(name: &str, params: &VectorParams, of: &CollectionConfig) -> Self {
        let row_bytes = params.row_bytes();
        let full_scan = params.hnsw.or(&of.hnsw).full_scan_threshold;
        VectorSchema {
            name: name.to_owned(),
            kernel: params.kernel(),
            graph: params.graph(of),
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

/// An index over one payload path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PayloadIndexSchema {
    /// Names its files; never given to another index of the collection.
    pub(crate) number: u16,
    pub(crate) path: String,
    pub(crate) params: PayloadIndexParams,
}

/// What a collection holds. A vector's place in the list is its slot everywhere else.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) vectors: Vec<VectorSchema>,
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
}

impl Schema {
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
        let vectors = config
            .vectors
            .iter()
            .map(|(name, params)| VectorSchema::new(name, params, &config));
        Ok(Schema {
            vectors: vectors.collect(),
            payload_indexes: Vec::new(),
            next_payload_index: 0,
            optimizer: config.optimizer,
            hnsw: config.hnsw,
            quantization: config.quantization,
            strict_mode: config.strict_mode,
            metadata: config.metadata,
            hints: config.hints,
            stored,
        })
    }

    pub(crate) fn config(&self) -> CollectionConfig {
        CollectionConfig {
            vectors: self
                .vectors
                .iter()
                .map(|v| (v.name.clone(), v.params.clone()))
                .collect(),
            sparse_vectors: Vec::new(),
            optimizer: self.optimizer.clone(),
            hnsw: self.hnsw,
            quantization: self.quantization.clone(),
            strict_mode: self.strict_mode.clone(),
            metadata: self.metadata.clone(),
            hints: self.hints.clone(),
        }
    }

    /// The same vectors and payload indexes under changed settings.
    pub(crate) fn updated(&self, update: &CollectionUpdate) -> Result<Schema> {
        let mut config = self.config();
        config.update(update)?;
        Ok(Schema {
            payload_indexes: self.payload_indexes.clone(),
            next_payload_index: self.next_payload_index,
            ..Schema::new(config)?
        })
    }

    /// True when graphs of the other are built in another way, or over other segments.
    pub(crate) fn builds_other_graphs(&self, other: &Schema) -> bool {
        let same = |(a, b): (&VectorSchema, &VectorSchema)| {
            (a.graph, a.index_min_rows) == (b.graph, b.index_min_rows)
        };
        self.vectors.len() != other.vectors.len() || !self.vectors.iter().zip(&other.vectors).all(same)
    }

    /// What requests are held to, if anything.
    pub(crate) fn strict_mode(&self) -> Option<&StrictMode> {
        self.strict_mode.as_ref().filter(|strict| strict.is_enabled())
    }

    /// When segments are merged, sizes in rows.
    pub(crate) fn merging(&self) -> OptimizerConfig {
        let row_bytes = self.vectors.iter().map(|v| v.params.row_bytes()).sum();
        OptimizerConfig {
            max_segment_rows: self.optimizer.max_segment_rows(row_bytes),
            ..self.optimizer.clone()
        }
    }

    /// The slot of a vector by name.
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.vectors.iter().position(|v| v.name == name)
    }

    /// The slot of a vector by name, or an error that lists the names.
    pub(crate) fn require(&self, name: &str) -> Result<usize> {
        self.slot(name).ok_or_else(|| {
            let names: Vec<String> = self.vectors.iter().map(|v| format!("{:?}", v.name)).collect();
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
}

impl Schema {
    /// The form in the manifest.
    pub(crate) fn to_record(&self) -> SchemaRecord {
        let vectors = (0u16..).zip(&self.vectors).map(|(number, v)| VectorRecord {
            number,
            name: v.name.clone(),
            size: v.params.size as u32,
            distance: v.params.distance.code(),
            element: v.params.element.code(),
        });
        let indexes = self.payload_indexes.iter().map(|i| PayloadIndexRecord {
            number: i.number,
            path: i.path.clone(),
            kind: i.params.kind.code(),
            options: i.params.options.map(PayloadIndexOptions::to_record),
        });
        SchemaRecord {
            vectors: vectors.collect(),
            next_vector: self.vectors.len() as u16,
            payload_indexes: indexes.collect(),
            next_payload_index: self.next_payload_index,
            settings: self.stored.clone(),
        }
    }

    /// From the form in the manifest of the collection in `dir`.
    pub(crate) fn from_record(record: &SchemaRecord, dir: &str) -> Result<Schema> {
        let damaged = |what: String| Error::Damaged {
            file: format!("{dir}: manifest"),
            what,
        };
        let mut vectors = Vec::with_capacity(record.vectors.len());
        for (slot, v) in record.vectors.iter().enumerate() {
            let distance = Distance::from_code(v.distance).ok_or_else(|| {
                damaged(format!(
                    "vector {:?} has the unknown distance {}",
                    v.name, v.distance
                ))
            })?;
            let element = Element::from_code(v.element).ok_or_else(|| {
                damaged(format!(
                    "vector {:?} has the unknown element {}",
                    v.name, v.element
                ))
            })?;
            if usize::from(v.number) != slot {
                return Err(damaged(format!(
                    "vector {:?} has number {}, expected {slot}",
                    v.name, v.number
                )));
            }
            let params = VectorParams::new(v.size as usize, distance).element(element);
            vectors.push((v.name.clone(), params));
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
            payload_indexes.push(PayloadIndexSchema {
                number: index.number,
                path: index.path.clone(),
                params: PayloadIndexParams { kind, options },
            });
        }
        let mut config = CollectionConfig {
            vectors,
            ..CollectionConfig::default()
        };
        // What is kept is what makes the settings of those that nobody has touched.
        let settle = |config: &mut CollectionConfig| -> Result<()> {
            let settings = decode_payload(&record.settings)?;
            config.update(&CollectionUpdate::read(Fields::of("settings", &settings))?)
        };
        settle(&mut config).map_err(|e| damaged(e.to_string()))?;
        let schema = Schema::new(config).map_err(|e| damaged(e.to_string()))?;
        Ok(Schema {
            payload_indexes,
            next_payload_index: record.next_payload_index,
            ..schema
        })
    }
}
